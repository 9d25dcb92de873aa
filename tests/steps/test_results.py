"""From the end of a job to a verdict: lost jobs, kept files, metrics, baselines, interim comparisons."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from reana_bridge.backends.base import BackendError
from reana_bridge.model.runs import RunState
from reana_bridge.steps import compare
from reana_bridge.store.tables import ArtifactRow, MetricRow, Run
from tests.steps.house import House

Maker = Callable[..., House]


def finished(house: House, branch: str, metrics: Any, files: dict[str, str] | None = None) -> Any:
    """A new commit on the branch with a finished run."""
    sha = house.commit(branch, files or {"n": f"{branch} {metrics}"})
    house.push(branch)
    return house.end(house.run_of(sha), metrics)


def fail_and_play_with_parameters(house: House) -> None:
    """A commit on the default branch whose own run failed, and that ran with other parameters."""
    sha = house.commit("main", {"n": "broken"})
    house.push()
    house.fail(house.run_of(sha))
    house.order(ref="refs/heads/main", parameters={"x": 9})
    for run in house.runs(sha):
        if run.parameters:
            house.end(run, {"a": 7.0})


# -- follow --


def test_a_lost_job_starts_again_under_a_new_name_within_its_budget(
    make_house: Maker, database_url: str
) -> None:
    house = make_house(database_url, limits={"attempts": 2})
    house.push()
    run = house.run_of(house.head())
    again = house.lose(run)
    assert (again.state, again.run_attempt) == (RunState.RUNNING, 2)
    assert house.backend.submitted == [f"rb-{run.id}-1", f"rb-{run.id}-2"]
    ended = house.lose(run)
    assert (ended.state, (ended.failure or {})["kind"]) == (RunState.FAILED, "infrastructure")
    assert house.shown(run.sha)[-1] == "error"
    assert len(house.backend.submitted) == 2


def test_a_lost_job_that_nobody_wants_any_more_is_not_started_again(one: House) -> None:
    sha = one.commit("b", {"n": "1"})
    one.push("b")
    one.repository().push("--delete", "b")
    one.push("b", None, before=sha)
    assert one.lose(one.run_of(sha)).state == RunState.CANCELLED
    assert len(one.backend.submitted) == 1


def test_a_cancellation_is_sent_once(one: House) -> None:
    sha = one.commit("b", {"n": "1"})
    one.push("b")
    one.repository().push("--delete", "b")
    one.push("b", None, before=sha)
    for _ in range(3):
        one.follow.poll()
    assert len(one.backend.cancelled) == 1
    assert one.run_of(sha).cancel_sent


@pytest.mark.parametrize("started", [0.0, 100.0], ids=["the same start", "another start"])
def test_looking_without_a_change_writes_nothing(one: House, started: float) -> None:
    one.push()
    played = one.job(one.runs()[0])
    began = (played.observation.started_at or 0) + started
    played.observation = replace(played.observation, started_at=began)
    before = one.runs()[0].version
    for _ in range(3):
        one.follow.poll()
    assert one.runs()[0].version == before


# -- collect --


def test_what_was_declared_is_kept_with_logs_and_metrics_and_nothing_else(house: House) -> None:
    house.push()
    files = {"results/plot.png": b"\x89PNG", "results/deep/a.txt": b"a", "scratch.txt": b"no"}
    run = house.end(house.run_of(house.head()), {"mu": {"value": 1.5, "uncertainty": 0.1}, "n": 3}, files)
    assert {name: len(content) for name, content in house.artifacts(run).items()} == {
        "results/deep/a.txt": 1,
        "results/metrics.json": len(house.artifacts(run)["results/metrics.json"]),
        "results/plot.png": 4,
    }
    found = {(row.name, row.value, row.uncertainty) for row in house.rows(MetricRow)}
    assert found == {("mu", 1.5, 0.1), ("n", 3.0, None)}
    kinds = {(row.kind, row.path) for row in house.rows(ArtifactRow)}
    assert ("log", "only") in kinds
    assert len(kinds) == 4


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity", "null", '"text"', "[1]", "1e999"])
def test_odd_values_are_verdicts_and_not_crashes(one: House, value: str) -> None:
    one.push()
    run = one.end(
        one.run_of(one.head()), files={"results/metrics.json": f'{{"a": {value}, "b": 1}}'.encode()}
    )
    assert run.state == RunState.FINISHED
    assert [(row.name, row.value) for row in one.rows(MetricRow)] == [("b", 1.0)]
    assert one.raised == []


LIMITS: list[tuple[dict[str, Any], dict[str, str], set[str], str]] = [
    ({"artifact": 10}, {}, {"small"}, "11 bytes are more than may be kept"),
    ({"artifacts": 12}, {}, {"large"}, "5 bytes are more than may be kept (1)"),
    ({"artifact_count": 1}, {}, {"large"}, "more than 1 files"),
    ({}, {"results/small": "a symbolic link out of the workspace"}, {"large"}, "a symbolic link out"),
]


@pytest.mark.parametrize(("limits", "problems", "kept", "says"), LIMITS)
def test_what_may_not_be_kept_is_left_out_and_said(
    make_house: Maker,
    sqlite_url: str,
    limits: dict[str, Any],
    problems: dict[str, str],
    kept: set[str],
    says: str,
) -> None:
    house = make_house(sqlite_url, limits=limits)
    house.backend.problems = problems
    house.push()
    files = {"results/large": b"x" * 11, "results/small": b"x" * 5}
    run = house.end(house.run_of(house.head()), files=files)
    assert run.state == RunState.FINISHED
    assert set(house.artifacts(run)) == {f"results/{name}" for name in kept}
    assert says in str((run.result or {})["skipped"])


def test_outputs_that_are_not_there_are_said(one: House) -> None:
    one.push()
    run = one.end(one.run_of(one.head()))
    assert (run.result or {})["skipped"] == [{"path": "results", "reason": "not there"}]


def test_collecting_again_after_a_crash_gives_the_same(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    class Killed(BaseException):
        pass

    def die_at(name: str) -> None:
        if name == "collect.kept":
            raise Killed

    house.push()
    with monkeypatch.context() as patch, pytest.raises(Killed):  # noqa: PT012
        patch.setattr("reana_bridge.steps.collect.reach", die_at)
        house.end(house.run_of(house.head()), {"a": 1})
    assert house.states() == ["collecting"]
    house.later(100)
    house.work()
    assert house.states() == ["finished"]
    assert len(house.rows(ArtifactRow)) == 2
    assert len(house.rows(MetricRow)) == 1


def test_a_backend_that_does_not_answer_is_asked_again_within_a_budget(
    make_house: Maker, sqlite_url: str
) -> None:
    house = make_house(sqlite_url, limits={"attempts": 1})
    house.push()
    run = house.run_of(house.head())
    house.backend.errors = [BackendError("not now")]
    assert house.end(run, {"a": 1}).state == RunState.COLLECTING
    house.backend.broken = BackendError("still not")
    for _ in range(2):
        house.later(1000)
        house.work()
    run = house.run(run.id)
    assert (run.state, (run.failure or {})["message"]) == (RunState.FAILED, "still not")


def test_a_failed_run_keeps_what_it_left_and_says_which_step(one: House) -> None:
    one.push()
    run = one.fail(one.run_of(one.head()))
    assert run.state == RunState.FAILED
    note = one.note(run.sha)
    assert note.startswith("reana/analysis: failure - ")
    assert "`only`" in note
    assert [row.path for row in one.rows(ArtifactRow) if row.kind == "log"] == ["only"]


# -- compare --


def test_the_first_run_has_nothing_to_compare_with(one: House) -> None:
    one.push()
    run = one.end(one.run_of(one.head()), {"a": 1})
    comparison = one.comparison(run)
    assert (comparison["baseline"], "first commit" in comparison["no_baseline"]) == (None, True)


def test_a_proposal_is_compared_with_its_merge_base_and_main_with_its_parent(house: House) -> None:
    first = finished(house, "main", {"a": 1.0})
    proposal = finished(house, "b", {"a": 2.0})
    second = finished(house, "main", {"a": 3.0})
    for run, baseline, reason in ((proposal, first, "merge-base"), (second, first, "first parent")):
        found = house.comparison(run)["baseline"]
        assert (found["run_id"], found["reason"], found["distance"]) == (baseline.id, reason, 0)
    assert house.comparison(proposal)["metrics"][0]["difference"] == 1.0


def test_without_a_run_there_the_nearest_ancestor_stands_in_and_how_far_is_said(one: House) -> None:
    base = finished(one, "main", {"a": 1.0})
    for number in range(3):
        one.commit("main", {"n": str(number)})
    proposal = finished(one, "b", {"a": 2.0})
    found = one.comparison(proposal)["baseline"]
    assert (found["run_id"], found["distance"]) == (base.id, 3)


@pytest.mark.parametrize(("backend", "drift"), [("play", []), ("elsewhere", ["backend elsewhere -> play"])])
def test_a_baseline_of_another_backend_is_said(one: House, backend: str, drift: list[str]) -> None:
    base = finished(one, "main", {"a": 1.0})
    with one.bridge.database.transaction() as session:
        session.get_one(Run, base.id).backend = backend
    assert one.comparison(finished(one, "b", {"a": 2.0})).get("drift", []) == drift


def test_failed_and_parameterised_runs_are_no_baselines(one: House) -> None:
    base = finished(one, "main", {"a": 1.0})
    fail_and_play_with_parameters(one)
    proposal = finished(one, "b", {"a": 2.0})
    assert one.comparison(proposal)["baseline"]["run_id"] == base.id


def test_a_baseline_that_still_runs_is_waited_for_with_an_interim_report(house: House) -> None:
    old = finished(house, "main", {"a": 1.0})
    main = house.commit("main", {"n": "slow"})
    house.push()
    proposal = finished(house, "b", {"a": 2.0})
    assert proposal.state == RunState.COMPARING
    interim = house.comparison(proposal)
    assert (interim["interim"], interim["waiting_for"], interim["baseline"]["run_id"]) == (True, main, old.id)
    assert house.shown(proposal.sha)[-1] == "running"
    base = house.end(house.run_of(main), {"a": 5.0})
    final = house.comparison(house.run(proposal.id))
    assert house.run(proposal.id).state == RunState.FINISHED
    assert (final["interim"], final["baseline"]["run_id"]) == (False, base.id)
    assert house.shown(proposal.sha)[-1] == "success"


def test_a_baseline_that_fails_leaves_the_next_best(one: House) -> None:
    old = finished(one, "main", {"a": 1.0})
    main = one.commit("main", {"n": "slow"})
    one.push()
    proposal = finished(one, "b", {"a": 2.0})
    one.fail(one.run_of(main))
    final = one.comparison(one.run(proposal.id))
    assert (final["interim"], final["baseline"]["run_id"]) == (False, old.id)


def test_waiting_for_a_baseline_ends_at_its_deadline(make_house: Maker, sqlite_url: str) -> None:
    house = make_house(sqlite_url, limits={"waiting_seconds": "1h"})
    house.commit("main", {"n": "slow"})
    house.push()
    proposal = finished(house, "b", {"a": 2.0})
    assert proposal.state == RunState.COMPARING
    house.later(3000)
    house.work()
    assert house.run(proposal.id).state == RunState.COMPARING
    house.later(700)
    house.work()
    assert house.run(proposal.id).state == RunState.FINISHED


def test_a_run_that_waits_for_its_baseline_obeys_a_cancellation(one: House) -> None:
    one.commit("main", {"n": "slow"})
    one.push()
    proposal = finished(one, "b", {"a": 2.0})
    one.repository().push("--delete", "b")
    one.push("b", None, before=proposal.sha)
    assert one.run(proposal.id).live_key is None


def test_a_baseline_that_ends_while_it_is_looked_for_is_not_missed(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    main = house.commit("main", {"n": "slow"})
    house.push()
    sha = house.commit("b", {"n": "1"})
    house.push("b")
    ending = [house.run_of(main)]
    chosen = compare.choose

    def choose(*given: Any) -> Any:
        found = chosen(*given)
        if ending:
            house.end(ending.pop(), {"a": 1.0})
        return found

    monkeypatch.setattr(compare, "choose", choose)
    proposal = house.end(house.run_of(sha), {"a": 2.0})
    assert proposal.state == RunState.FINISHED
    assert house.comparison(proposal)["baseline"]["sha"] == main


def test_what_was_decided_on_one_host_is_collected_and_compared_on_another(
    make_house: Maker, postgres_url: str
) -> None:
    house = make_house(postgres_url)
    base = finished(house, "main", {"a": 1.0})
    sha = house.commit("b", {"n": "1"})
    house.push("b")
    house.on_another_host()
    run = house.end(house.run_of(sha), {"a": 2.0})
    assert house.raised == []
    assert house.comparison(run)["baseline"]["run_id"] == base.id


def test_a_commit_that_is_gone_by_then_is_shown_without_a_baseline(one: House) -> None:
    finished(one, "main", {"a": 1.0})
    sha = one.commit("b", {"n": "1"})
    one.push("b")
    run = one.run_of(sha)
    one.repository().push("--delete", "b")
    one.repository().git("--git-dir", str(one.repository().bare), "gc", "--quiet", "--prune=now")
    one.on_another_host()
    done = one.end(run, {"a": 2.0})
    assert done.state == RunState.FINISHED
    assert "history cannot be read" in one.comparison(done)["no_baseline"]
    assert one.raised == []


RULES = "analyses: {fit: {file: reana.yaml, rules: [{metric: a, relative: LIMIT%, effect: block}]}}"


@pytest.mark.parametrize(("own", "target", "state"), [(500, 5, "failure"), (5, 500, "success")])
def test_the_rules_that_count_are_the_target_branchs(one: House, own: int, target: int, state: str) -> None:
    one.commit("main", {".reana-bridge.yaml": RULES.replace("LIMIT", str(target))})
    one.push()
    one.end(one.run_of(one.head()), {"a": 1.0})
    proposal = finished(one, "b", {"a": 1.5}, {".reana-bridge.yaml": RULES.replace("LIMIT", str(own))})
    assert one.shown(proposal.sha)[-1] == state
