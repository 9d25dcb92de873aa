"""What was accepted in a merge request, on the branch that it is merged into."""

import pytest

from reana_bridge.model.runs import RunState
from reana_bridge.store.tables import AcceptanceRow, Run
from tests.steps import accepted
from tests.steps.accepted import accept, begun, state
from tests.steps.hosted import HostedHouse
from webhooks.events import Change

ROLLING = "baseline: {places: [rolling], rolling: 3}"
WAYS = ["merge commit", "squash", "fast-forward"]


@pytest.fixture
def red(hosted: HostedHouse) -> HostedHouse:
    """With a merge request !5 by jane that moves `a` from 1 to 2, which fails; mia maintains."""
    return begun(hosted)


def merge(house: HostedHouse, how: str) -> str:
    """The commit of main that the merge request becomes, as the forge makes it; nobody is told."""
    head, repository = house.merge_request().sha, house.repository()
    if how == "fast-forward":
        sha = head
    else:
        tree = repository.git("rev-parse", f"{head}^{{tree}}").strip()
        parents = ["-p", house.head(), *(["-p", head] if how == "merge commit" else [])]
        sha = repository.git("commit-tree", tree, *parents, "-m", "Merged").strip()
    repository.push("--force", f"{sha}:refs/heads/main")
    repository.git("checkout", "--quiet", "-B", "main", sha)
    house.alter(open=False, merged_sha=sha)
    return sha


def on_main(house: HostedHouse, sha: str, value: float) -> Run:
    house.push()
    run = house.runs(sha)[-1]
    return run if run.state == RunState.FINISHED else house.end(run, {"a": value, "same": 1.0, "b c": 1.0})


def next_request(house: HostedHouse, value: float) -> str:
    """Of another merge request after it: what its head shows."""
    house.repository().git("checkout", "--quiet", "main")
    house.commit("next", {"k": "1"})
    sha = house.open("next", 7, author="rita")
    house.told(Change.OPENED, number=7)
    house.end(house.run_of(sha), {"a": value, "same": 1.0, "b c": 1.0})
    return state(house, sha)


@pytest.mark.parametrize("how", WAYS)
@pytest.mark.parametrize("order", ["told first", "run first", "found late"])
def test_it_comes_to_main_however_it_is_merged_and_told(red: HostedHouse, how: str, order: str) -> None:
    accept(red)
    sha = merge(red, how)
    if order == "told first":
        red.told(Change.MERGED)
    on_main(red, sha, 2.0)
    if order != "told first":
        assert state(red, sha) == ("success" if how == "fast-forward" else "failure")
        red.told(Change.MERGED if order == "run first" else Change.CLOSED)
    assert state(red, sha) == "success"
    assert {row.merged_sha for row in red.rows(AcceptanceRow)} == {sha}
    outcome = red.comparison(red.runs(sha)[-1])["metrics"][0]["rules"][0]
    assert outcome["accepted"]["reason"] == "the new trigger has a higher rate"
    assert next_request(red, 2.2) == "success"
    assert red.raised == []


@pytest.mark.parametrize(("value", "shown"), [(2.0, "success"), (2.6, "failure"), (1.0, "failure")])
def test_its_value_is_the_new_reference(red: HostedHouse, value: float, shown: str) -> None:
    accept(red)
    sha = merge(red, "squash")
    red.told(Change.MERGED)
    on_main(red, sha, 2.0)
    assert next_request(red, value) == shown


@pytest.mark.parametrize("how", WAYS)
def test_what_was_before_it_is_left_out_of_the_history(red: HostedHouse, how: str) -> None:
    accept(red)
    sha = merge(red, how)
    red.told(Change.MERGED)
    on_main(red, sha, 2.0)
    next_request(red, 2.0)
    history = red.comparison(red.runs(red.merge_request(7).sha)[-1])["history"]
    assert (history["shas"].index(sha), history["since"]) == (1, {"a": 1})


def test_where_no_run_has_it_yet_nothing_is_left(red: HostedHouse) -> None:
    accept(red)
    merge(red, "squash")
    red.told(Change.MERGED)  # its commit never runs
    next_request(red, 2.0)
    history = red.comparison(red.runs(red.merge_request(7).sha)[-1])["history"]
    assert (len(history["shas"]), history.get("since", {})) == (1, {})


def test_medians_that_reach_beyond_it(hosted: HostedHouse, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accepted, "FILE", accepted.FILE.replace("rules:", f"{ROLLING}, rules:"))
    red = begun(hosted)
    accept(red)
    sha = merge(red, "squash")
    red.told(Change.MERGED)
    on_main(red, sha, 2.0)
    for number, (value, shown) in enumerate([(2.0, "success"), (2.7, "failure"), (2.0, "success")]):
        later = red.commit("main", {"later": f"{number}"})
        on_main(red, later, value)
        assert state(red, later) == shown, number


def test_beyond_it_main_is_red(red: HostedHouse) -> None:
    accept(red)
    sha = merge(red, "merge commit")
    red.told(Change.MERGED)
    on_main(red, sha, 2.7)
    assert state(red, sha) == "failure"


def test_a_later_commit_that_is_compared_with_one_before_it(hosted_house: HostedHouse) -> None:
    red = begun(hosted_house)
    accept(red)
    merge(red, "squash")
    red.told(Change.MERGED)  # its commit never runs: several were pushed at once
    red.commit("main", {"later": "1"})
    on_main(red, red.head(), 2.0)
    assert state(red, red.head()) == "success"


def test_what_was_closed_without_merging_is_carried_nowhere(red: HostedHouse) -> None:
    accept(red)
    red.alter(open=False)
    red.told(Change.CLOSED)
    assert {row.merged_sha for row in red.rows(AcceptanceRow)} == {""}
