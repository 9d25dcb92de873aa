"""Code of strangers: it waits, runs for one commit after an approval, and is never the project's own."""

from typing import Any

import pytest

from reana_bridge.model.runs import RunState, Wanted
from reana_bridge.steps.manual import Refused, rerun, start
from reana_bridge.steps.reconcile import Reconcile
from reana_bridge.store.tables import Approval, Decision
from tests.steps.hosted import HostedHouse
from webhooks.events import Change

FIT = "analyses: {fit: {file: reana.yaml}}"
OTHER = "analyses: {evil: {file: reana.yaml, on: {push: {branches: ['**']}, merge-request: true}}}"


def house_with(make_house: Any, url: str, **rule: Any) -> HostedHouse:
    return make_house(url, HostedHouse, projects=[{"match": "f:*", **rule}])


def test_it_waits_visibly_until_this_very_commit_is_approved(hosted_house: HostedHouse) -> None:
    house = hosted_house
    sha = house.fork_commit()
    decision = house.told(Change.OPENED)
    assert decision is not None
    assert decision.outcome == "needs-approval"
    run = house.run_of(sha)
    assert (run.state, run.trusted, run.due_at, run.live_key is not None) == (
        RunState.WAITING,
        False,
        None,
        True,
    )
    assert house.backend.submitted == []
    assert house.outbox("status")[f"{sha}/analysis"]["needs_approval"]
    assert sha in house.forge.notes[-1].body
    house.comment(f"/reana approve {sha}")
    run = house.run_of(sha)
    assert (run.state, run.trusted, run.approved_by) == (RunState.RUNNING, False, "jane")
    assert [(row.sha, row.number, row.approved_by) for row in house.rows(Approval)] == [(sha, 5, "jane")]
    assert house.end(run, {"a": 1}).state == RunState.FINISHED
    assert house.raised == []


def test_a_new_push_waits_anew_and_the_old_run_ends(hosted: HostedHouse) -> None:
    first = hosted.fork_commit()
    hosted.told(Change.OPENED)
    second = hosted.fork_commit(files={"fork": "2"})
    hosted.told(Change.UPDATED)
    assert (hosted.states(first), hosted.states(second)) == (["cancelled"], ["waiting"])
    hosted.comment(f"/reana approve {first}")
    assert hosted.states(second) == ["waiting"]
    ((_, _, reply),) = hosted.forge.replies
    assert f"/reana approve {second}" in reply
    assert hosted.rows(Approval) == []


def test_an_approval_for_one_commit_is_none_for_the_next(hosted: HostedHouse) -> None:
    first = hosted.fork_commit()
    hosted.told(Change.OPENED)
    hosted.comment(f"/reana approve {first}")
    second = hosted.fork_commit(files={"fork": "2"})
    hosted.told(Change.UPDATED)
    assert hosted.states(second) == ["waiting"]
    assert hosted.run_of(first).wanted == Wanted.CANCEL


@pytest.mark.parametrize(
    ("comment", "said"),
    [
        ("/reana run", "/reana approve HEAD"),
        ("/reana run analysis x=5", "/reana approve HEAD"),
        ("/reana retest", "Nothing has failed"),
    ],
)
def test_no_other_command_lets_it_run(hosted: HostedHouse, comment: str, said: str) -> None:
    sha = hosted.fork_commit()
    hosted.told(Change.OPENED)
    hosted.comment(comment)
    ((_, _, reply),) = hosted.forge.replies
    assert said.replace("HEAD", sha) in reply
    assert hosted.raised == []
    assert hosted.states(sha) == ["waiting"]
    assert hosted.backend.submitted == []


def test_neither_page_nor_api_let_it_run(hosted: HostedHouse) -> None:
    sha = hosted.fork_commit()
    hosted.told(Change.OPENED)
    hosted.alter(open=False)
    hosted.told(Change.CLOSED)
    run = hosted.run_of(sha)
    assert run.state == RunState.CANCELLED
    asked: dict[str, Any] = {"parameters": {}, "actor": "ann", "analysis": None, "wait": 0.0}
    for ref in (None, "refs/merge-requests/5/head"):
        with pytest.raises(Refused):
            start(hosted.bridge, project="f:a/x", ref=ref, sha=sha, **asked)
    with pytest.raises(Refused):
        start(hosted.bridge, project="f:a/x", ref="refs/merge-requests/5/head", sha=None, **asked)
    hosted.work()
    said = [row.outcome for row in hosted.rows(Decision) if row.event == "manual order"]
    assert (said, hosted.raised) == (["needs-approval"] * 3, [])
    assert hosted.states(sha) == ["cancelled"]
    assert hosted.backend.submitted == []


def test_an_older_commit_of_a_branch_of_its_own_is_run_when_the_branch_is_named(hosted: HostedHouse) -> None:
    old = hosted.commit("b", {"n": "1"})
    hosted.commit("b", {"n": "2"})
    refused = hosted.order(sha=old)
    assert refused is not None
    assert (refused.outcome, "name its branch" in refused.reason) == ("needs-approval", True)
    hosted.order(sha=old, ref="refs/heads/b")
    assert [run.trusted for run in hosted.runs(old)] == [True]


def test_once_approved_it_may_be_run_again_from_the_page(hosted: HostedHouse) -> None:
    sha = hosted.fork_commit()
    hosted.told(Change.OPENED)
    hosted.comment(f"/reana approve {sha}")
    run = hosted.fail(hosted.run_of(sha))
    order = {"sha": sha, "analysis": "analysis", "merge_request": 5}
    hosted.order(**order)
    again = hosted.runs(sha)[-1]
    assert (run.state, again.state, again.trusted, again.approved_by) == (
        RunState.FAILED,
        RunState.RUNNING,
        False,
        "jane",
    )


def test_the_target_branchs_file_rules(hosted: HostedHouse) -> None:
    hosted.commit("main", {".reana-bridge.yaml": FIT})
    sha = hosted.fork_commit(files={".reana-bridge.yaml": OTHER, "fork": "1"})
    hosted.told(Change.OPENED)
    assert [run.analysis for run in hosted.runs(sha)] == ["fit"]


@pytest.mark.parametrize(
    ("actor", "event", "found", "left"),
    [
        ("jane", Change.UPDATED, False, "running"),
        ("rita", Change.UPDATED, False, "waiting"),
        ("nobody", Change.UPDATED, False, "waiting"),
        ("", Change.UPDATED, False, "waiting"),
        ("jane", Change.OPENED, False, "waiting"),
        ("jane", Change.LABELLED, False, "waiting"),
        ("jane", Change.UPDATED, True, "waiting"),
    ],
    ids=["member", "reader", "stranger", "unknown", "opened", "labelled", "older sha"],
)
def test_where_members_count_only_who_pushed_the_very_head_does(
    make_house: Any, sqlite_url: str, actor: str, event: Change, found: bool, left: str
) -> None:
    house = house_with(make_house, sqlite_url, forks="members")
    sha = house.fork_commit()
    more = {"sha": "b" * 40} if found else {}
    house.told(event, actor=actor, **more)
    assert house.states(sha) == [left]


def test_a_head_that_somebody_else_pushed_right_after_a_member_waits(
    make_house: Any, sqlite_url: str
) -> None:
    house = house_with(make_house, sqlite_url, forks="members")
    sha = house.fork_commit()
    house.forge.pushed_by_others.add(sha)
    house.told(Change.UPDATED, actor="jane")
    assert house.states(sha) == ["waiting"]


def test_never_means_never(make_house: Any, sqlite_url: str) -> None:
    house = house_with(make_house, sqlite_url, forks="never")
    sha = house.fork_commit()
    decision = house.told(Change.OPENED)
    house.comment(f"/reana approve {sha}")
    house.comment("/reana run", id="2")
    assert decision is not None
    assert (decision.outcome, house.runs(sha)) == ("skip", [])
    assert all("no code from forks" in body for _, _, body in house.forge.replies)
    assert len(house.forge.replies) == 2


def test_nobody_approves_it_in_time(hosted: HostedHouse) -> None:
    sha = hosted.fork_commit()
    hosted.told(Change.OPENED)
    hosted.later(8 * 86400)
    Reconcile(hosted.bridge).deadlines()
    run = hosted.run_of(sha)
    assert (run.state, run.reason) == (RunState.CANCELLED, "nobody approved it within 7 days")


@pytest.mark.parametrize("approved", [False, True])
def test_what_is_merged_becomes_the_projects_own(hosted: HostedHouse, approved: bool) -> None:
    sha = hosted.fork_commit()
    hosted.told(Change.OPENED)
    if approved:
        hosted.comment(f"/reana approve {sha}")
        hosted.end(hosted.run_of(sha), {"a": 1})
    hosted.repository().git("push", "--quiet", "origin", f"{sha}:refs/heads/main")
    hosted.repository().git("branch", "--force", "merged", sha)
    hosted.push("main", sha)
    runs = hosted.runs(sha)
    assert [str(run.state) for run in runs] == (["finished", "running"] if approved else ["running"])
    assert runs[-1].trusted


def test_a_run_of_a_fork_is_no_baseline(hosted: HostedHouse) -> None:
    sha = hosted.fork_commit()
    hosted.told(Change.OPENED)
    hosted.comment(f"/reana approve {sha}")
    hosted.end(hosted.run_of(sha), {"a": 1})
    hosted.repository().git("push", "--quiet", "origin", f"{sha}:refs/heads/main")  # told to nobody yet
    hosted.repository().git("checkout", "--quiet", "-b", "b", sha)
    hosted.commit("b", {"n": "1"})
    mine = hosted.open(number=6)
    hosted.told(Change.OPENED, number=6)
    run = hosted.end(hosted.run_of(mine), {"a": 2})
    assert hosted.comparison(run).get("baseline") is None
    assert sha[:7] in hosted.comparison(run)["no_baseline"]


def test_a_cancelled_run_that_waited_waits_again_when_its_head_returns(hosted: HostedHouse) -> None:
    first = hosted.fork_commit()
    hosted.told(Change.OPENED)
    hosted.fork_commit(files={"fork": "2"})
    hosted.told(Change.UPDATED)
    hosted.repository().push("--force", f"{first}:refs/merge-requests/5/head")
    hosted.told(Change.UPDATED)
    assert hosted.states(first) == ["cancelled", "waiting"]
    with pytest.raises(Refused):
        rerun(hosted.bridge, hosted.runs(first)[-1].id, actor="ann")
