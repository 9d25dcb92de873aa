"""Where the project's file wants its baseline, through decide, compare and the runs in the database."""

from collections.abc import Callable
from typing import Any

import pytest

from reana_bridge.model.runs import RunState
from tests.steps.house import House
from tests.steps.test_results import finished

Maker = Callable[..., House]


def wishing(house: House, wish: str, **metrics: Any) -> Any:
    """The default branch's run, with a file that wants its baseline so."""
    return finished(house, "main", metrics or {"a": 1.0}, {".reana-bridge.yaml": f"baseline: {wish}\n"})


def baseline(house: House, run: Any) -> tuple[str, str] | None:
    found = house.comparison(run)["baseline"]
    return found and (found["run_id"], found["reason"])


def test_the_tip_before_the_merge_base(house: House) -> None:
    wishing(house, "target")
    sha = house.commit("b", {"n": "1"})
    tip = finished(house, "main", {"a": 3.0})
    house.push("b")
    assert baseline(house, house.end(house.run_of(sha), {"a": 2.0})) == (tip.id, "tip of the target branch")


def test_the_newest_tag_that_counts(house: House) -> None:
    first = wishing(house, "{places: [tag], tag: 'v*'}")
    second = finished(house, "main", {"a": 2.0})
    other = finished(house, "main", {"a": 3.0})
    for name, run in (("v1", first), ("v2", second), ("x3", other)):
        house.repository().push(f"{run.sha}:refs/tags/{name}")
        house.tag(name, run.sha)
    run = finished(house, "b", {"a": 4.0})
    assert baseline(house, run) == (second.id, "newest tag")
    assert house.comparison(run)["baseline"]["tag"] == "v2"


def test_a_pinned_run(house: House) -> None:
    pinned = finished(house, "main", {"a": 1.0})
    finished(
        house,
        "main",
        {"a": 2.0},
        {".reana-bridge.yaml": f"baseline: {{places: [pinned], run: {pinned.id}}}\n"},
    )
    run = finished(house, "b", {"a": 4.0})
    assert baseline(house, run) == (pinned.id, "pinned in the project's file")


@pytest.mark.parametrize("pinned", ["r-unknown", "other"])
def test_a_pinned_run_that_cannot_serve_is_none(house: House, pinned: str) -> None:
    if pinned == "other":
        house.push()
        pinned = house.fail(house.run_of(house.head())).id
    wishing(house, f"{{places: [pinned], run: {pinned}}}")
    run = finished(house, "b", {"a": 4.0})
    assert baseline(house, run) is None
    wanted = f"`baseline` in .reana-bridge.yaml asks for the run `{pinned}`"
    assert house.comparison(run)["no_baseline"] == f"{wanted}: no successful run of `analysis`"


def test_medians_of_the_last_runs(house: House) -> None:
    wishing(house, "{places: [rolling], rolling: 3}", a=100.0)
    newest = [finished(house, "main", {"a": value}) for value in (1.0, 3.0, 2.0)][-1]
    run = finished(house, "b", {"a": 4.0})
    assert baseline(house, run) == (newest.id, "median of the last runs")
    assert house.comparison(run)["metrics"][0]["baseline"]["value"] == 2.0
    assert house.comparison(run)["baseline"]["runs"] == 3


def test_the_target_branch_says_where_not_the_proposal(house: House) -> None:
    base = finished(house, "main", {"a": 1.0})
    run = finished(house, "b", {"a": 2.0}, {".reana-bridge.yaml": "baseline: {places: [pinned], run: r-1}\n"})
    assert baseline(house, run) == (base.id, "merge-base")


def unmeasured(house: House) -> str:
    """A commit of the default branch that never ran, whose file wants a missing baseline run."""
    rule = {
        ".reana-bridge.yaml": "baseline: {missing: run}\non: {push: {branches: [x]}, merge-request: true}\n"
    }
    sha = house.commit("main", rule)
    house.push()
    assert house.runs(sha) == []
    return sha


def test_a_missing_baseline_is_run_once_and_waited_for(house: House) -> None:
    base = unmeasured(house)
    first, second = (house.commit(branch, {"n": branch}) for branch in "bc")
    house.push("b")
    house.push("c")
    waiting = house.end(house.run_of(first), {"a": 2.0})
    house.end(house.run_of(second), {"a": 3.0})
    assert waiting.state == RunState.COMPARING
    house.later(3)
    house.work()
    (ordered,) = house.runs(base)
    house.end(ordered, {"a": 1.0})
    house.later(3)
    house.work()
    ended = [house.run_of(sha) for sha in (first, second)]
    assert [run.state for run in ended] == [RunState.FINISHED] * 2
    assert [baseline(house, run) for run in ended] == [(ordered.id, "merge-base")] * 2


def test_a_missing_baseline_that_fails_ends_the_wait(house: House) -> None:
    base = unmeasured(house)
    sha = house.commit("b", {"n": "b"})
    house.push("b")
    house.end(house.run_of(sha), {"a": 2.0})
    house.later(3)
    house.work()
    house.fail(house.run_of(base))
    house.later(3)
    house.work()
    run = house.run_of(sha)
    assert (run.state, baseline(house, run)) == (RunState.FINISHED, None)
