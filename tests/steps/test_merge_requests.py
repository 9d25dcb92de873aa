"""What merge requests lead to: which commit runs, once, compared with what, and when that ends."""

import itertools

import pytest

from reana_bridge.model.runs import RunState, Wanted
from reana_bridge.store.tables import Decision, MergeRequestRow
from tests.steps.hosted import HostedHouse
from webhooks.events import Change, MergeRequest

EVERYWHERE = "analyses: {fit: {file: reana.yaml, on: {push: {branches: ['**']}, merge-request: true}}}"


def in_branch(house: HostedHouse, branch: str = "b", **files: str) -> str:
    return house.commit(branch, files or {"n": "1"})


def test_an_opened_one_runs_and_is_compared_with_its_target(hosted_house: HostedHouse) -> None:
    house = hosted_house
    house.push()
    house.end(house.run_of(house.head()), {"a": 1})
    in_branch(house)
    sha = house.open()
    decision = house.told(Change.OPENED)
    assert decision is not None
    assert (decision.outcome, decision.sha, decision.event) == ("run", sha, "merge request")
    run = house.run_of(sha)
    assert (run.merge_request, run.proposal, run.target, run.trusted) == (5, True, "refs/heads/main", True)
    assert house.wants(sha) == [("merge-request", "refs/merge-requests/5/head", True)]
    house.end(run, {"a": 2})
    assert house.comparison(run)["baseline"]["reason"] == "merge-base"
    (row,) = house.rows(MergeRequestRow)
    assert (row.sha, row.target_branch, row.open, row.fork) == (sha, "main", True, False)
    assert house.forge.reads == ["merge_request 5"]
    assert house.raised == []


@pytest.mark.parametrize("order", list(itertools.permutations(["push", "opened", "labelled"])))
def test_push_and_merge_request_in_any_order_are_one_run(hosted: HostedHouse, order: tuple[str, ...]) -> None:
    sha = in_branch(hosted, **{".reana-bridge.yaml": EVERYWHERE})
    hosted.open()
    for what in order:
        hosted.push("b") if what == "push" else hosted.told(Change(what))
    (run,) = hosted.runs(sha)
    assert (run.merge_request, run.proposal, run.target) == (5, True, "refs/heads/main")
    kinds = [kind for kind, _, lasts in hosted.wants(sha) if lasts]
    assert kinds == ["branch", "merge-request"]


def test_opened_after_the_run_has_ended_it_is_only_compared_again(hosted_house: HostedHouse) -> None:
    house = hosted_house
    main = house.commit("main", {".reana-bridge.yaml": EVERYWHERE})
    house.push()
    house.end(house.run_of(main), {"a": 1})
    sha = in_branch(house)
    house.push("b")
    house.end(house.run_of(sha), {"a": 2})
    house.open()
    decision = house.told(Change.OPENED)
    assert decision is not None
    assert (decision.outcome, "has the result" in decision.reason) == ("skip", True)
    run = house.run_of(sha)
    assert (run.state, run.compare_again, run.proposal) == (RunState.FINISHED, False, True)
    assert house.comparison(run)["baseline"]["reason"] == "merge-base"
    assert house.wants(sha)[1] == ("merge-request", "refs/merge-requests/5/head", True)


def test_the_head_counts_whatever_the_event_says(hosted: HostedHouse) -> None:
    old = in_branch(hosted)
    hosted.open()
    new = in_branch(hosted, n="2")
    hosted.follow_branch()
    decision = hosted.told(Change.OPENED, sha=old)
    assert decision is not None
    assert decision.sha == new
    assert (hosted.states(old), hosted.states(new)) == ([], ["running"])


def test_a_new_head_ends_the_run_of_the_old(hosted: HostedHouse) -> None:
    in_branch(hosted)
    old = hosted.open()
    hosted.told(Change.OPENED)
    in_branch(hosted, n="2")
    new = hosted.follow_branch()
    hosted.told(Change.UPDATED)
    run = hosted.run_of(old)
    assert (run.wanted, run.reason) == (
        Wanted.CANCEL,
        f"superseded: merge request !5 is now at {new[:7]}",
    )
    assert hosted.states(new) == ["running"]


@pytest.mark.parametrize("change", [Change.LABELLED, Change.DRAFT])
def test_what_nothing_asks_about_runs_nothing_again(hosted: HostedHouse, change: Change) -> None:
    in_branch(hosted)
    sha = hosted.open()
    hosted.told(Change.OPENED)
    hosted.stop(hosted.run_of(sha))
    hosted.alter(labels=("x",), draft=True)
    decision = hosted.told(change)
    assert decision is not None
    assert (decision.outcome, len(hosted.runs(sha))) == ("skip", 1)


@pytest.mark.parametrize(
    ("merged", "left"), [(False, Wanted.CANCEL), (True, Wanted.RUN)], ids=["closed", "merged"]
)
def test_a_closed_one_ends_its_run_but_not_what_became_the_targets(
    hosted: HostedHouse, merged: bool, left: Wanted
) -> None:
    in_branch(hosted)
    sha = hosted.open()
    hosted.told(Change.OPENED)
    if merged:
        hosted.repository().push("b:main")
    hosted.alter(open=False)
    decision = hosted.told(Change.MERGED if merged else Change.CLOSED)
    assert decision is not None
    assert (decision.outcome, decision.reason) == (
        "skip",
        f"merge request !5 is {'merged' if merged else 'closed'}",
    )
    assert hosted.run_of(sha).wanted == left
    assert hosted.wants(sha) == [("merge-request", "refs/merge-requests/5/head", False)]
    (row,) = hosted.rows(MergeRequestRow)
    assert not row.open


def test_a_reopened_one_runs_again(hosted: HostedHouse) -> None:
    in_branch(hosted)
    sha = hosted.open()
    hosted.told(Change.OPENED)
    hosted.alter(open=False)
    hosted.told(Change.CLOSED)
    hosted.stop(hosted.run_of(sha))
    hosted.alter(open=True)
    hosted.told(Change.REOPENED)
    assert hosted.states(sha) == ["cancelled", "running"]


def test_two_with_one_head_share_its_run(hosted: HostedHouse) -> None:
    in_branch(hosted)
    sha = hosted.open(number=5)
    hosted.open(number=6, target="main")
    hosted.told(Change.OPENED, number=5)
    hosted.told(Change.OPENED, number=6)
    (run,) = hosted.runs(sha)
    assert run.merge_request == 5
    hosted.alter(5, open=False)
    hosted.told(Change.CLOSED, number=5)
    assert hosted.run(run.id).wanted == Wanted.RUN
    hosted.alter(6, open=False)
    hosted.told(Change.CLOSED, number=6)
    assert hosted.run(run.id).wanted == Wanted.CANCEL


def test_retargeted_it_is_compared_again_and_not_run(hosted_house: HostedHouse) -> None:
    house = hosted_house
    main = house.commit("main", {".reana-bridge.yaml": EVERYWHERE})
    house.push()
    house.end(house.run_of(main), {"a": 1})
    side = house.commit("side", {"s": "1"})
    house.push("side")
    house.end(house.run_of(side), {"a": 5})
    house.repository().git("checkout", "--quiet", "side")
    in_branch(house)
    sha = house.open()
    house.told(Change.OPENED)
    run = house.end(house.run_of(sha), {"a": 6})
    assert house.comparison(run)["baseline"]["branch"] == "main"
    house.alter(target_branch="side")
    decision = house.told(Change.RETARGETED)
    assert decision is not None
    assert decision.outcome == "skip"
    (run,) = house.runs(sha)
    baseline = house.comparison(run)["baseline"]
    assert (run.target, run.compare_again, baseline["branch"], baseline["sha"]) == (
        "refs/heads/side",
        False,
        "side",
        side,
    )


def test_one_that_is_gone_ends_what_it_wanted(hosted: HostedHouse) -> None:
    in_branch(hosted)
    sha = hosted.open()
    hosted.told(Change.OPENED)
    del hosted.forge.merge_requests["a/x", 5]
    gone = MergeRequest(
        project="a/x",
        changes=frozenset({Change.CLOSED}),
        number=5,
        sha=sha,
        source_branch="b",
        target_branch="main",
    )
    decision = hosted.event(gone)
    assert decision is not None
    assert "there is no merge request !5" in decision.reason
    assert hosted.run_of(sha).wanted == Wanted.CANCEL


def test_a_late_event_does_not_bring_an_older_head_back(hosted: HostedHouse) -> None:
    in_branch(hosted)
    hosted.open()
    hosted.told(Change.OPENED)
    with hosted.bridge.database.transaction() as session:
        row = session.get_one(MergeRequestRow, ("f:a/x", 5))
        row.seen_at, row.sha = row.seen_at + 3600, "e" * 40
    decision = hosted.told(Change.UPDATED)
    assert decision is not None
    assert (decision.outcome, "has moved on" in decision.reason) == ("skip", True)
    (row,) = hosted.rows(MergeRequestRow)
    assert row.sha == "e" * 40


def test_skip_ci_counts_for_merge_requests(hosted: HostedHouse) -> None:
    hosted.commit("b", {"n": "1"}, message="Words [skip ci]")
    sha = hosted.open()
    decision = hosted.told(Change.OPENED)
    assert decision is not None
    assert (decision.outcome, hosted.states(sha)) == ("skip", [])
    assert len(hosted.rows(Decision)) == 1


def test_a_head_that_git_does_not_have_yet_is_asked_for_again(hosted: HostedHouse) -> None:
    in_branch(hosted)
    hosted.open()
    ref = "refs/merge-requests/5/head"
    sha = "a" * 40
    original = hosted.forge.head
    hosted.forge.head = lambda project, name: sha if name == ref else original(project, name)  # type: ignore[method-assign]
    assert hosted.told(Change.UPDATED) is None
    assert "cannot be fetched yet" in str(hosted.raised[-1])
    hosted.forge.head = original  # type: ignore[method-assign]
    hosted.later(20)
    hosted.work()
    assert [row.outcome for row in hosted.rows(Decision)] == ["run"]
