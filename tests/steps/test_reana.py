"""From a push to a note, run by REANA: with answers lost, the server away, and runs that it loses."""

from typing import Any

import pytest

from reana_bridge.backends.reana import names
from reana_bridge.model.runs import RunState
from reana_bridge.steps.follow import Follow
from reana_bridge.steps.manual import cancel
from reana_bridge.steps.retain import Retain
from reana_bridge.store.tables import ArtifactRow
from reana_bridge.testing.reana import How, Plan, Status
from tests.steps.reana import DOCUMENT, ReanaHouse


def starts(house: ReanaHouse) -> int:
    return sum(one.starts for one in house.fake.workflows())


def test_a_push_is_measured_and_noted(reana: ReanaHouse) -> None:
    reana.push()
    run = reana.until(RunState.FINISHED, reana.head())
    assert reana.artifacts(run)["metrics.json"] == b'{"x": 3}'
    assert "x" in reana.note(reana.head())
    assert run.result["environment"]["backend"] == "REANA"
    assert starts(reana) == 1


@pytest.mark.parametrize("how", [How.AFTER, How.CLOSE_AFTER])
@pytest.mark.parametrize(
    "path", ["/api/workflows\\?", "/workspace", "/start", "/status", "/logs", "/specification"]
)
def test_an_answer_is_lost_somewhere(reana: ReanaHouse, path: str, how: How) -> None:
    reana.fake.fail("*", path, how=how, times=2)
    reana.push()
    run = reana.until(RunState.FINISHED, reana.head())
    assert (starts(reana), run.run_attempt) == (1, 1)


def test_away_for_long_fails_nothing(reana: ReanaHouse) -> None:
    reana.fake.stop()
    reana.push()
    for _ in range(14):
        reana.once()
        reana.later(400.0)
    run = reana.run_of(reana.head())
    assert (run.state, run.run_attempt) == (RunState.SUBMITTING, 1)
    assert "no connection" in run.activity
    reana.fake.start()
    reana.later(400.0)
    assert reana.until(RunState.FINISHED, reana.head()).run_attempt == 1


def test_away_for_ever_has_an_end(reana: ReanaHouse) -> None:
    reana.fake.stop()
    reana.push(work=False)
    for _ in range(20):
        reana.once()
        reana.later(86400.0)
    run = reana.run_of(reana.head())
    assert run.state == RunState.FAILED
    assert "no connection" in run.failure["message"]


def test_away_while_it_collects(reana: ReanaHouse) -> None:
    reana.fake.fail("GET", "/workspace/", how=How.CLOSE_BEFORE, times=20)
    reana.push()
    for _ in range(40):
        reana.once()
        reana.later(400.0)
    assert reana.until(RunState.FINISHED, reana.head()).run_attempt == 1


def test_what_the_infrastructure_failed_runs_again(reana: ReanaHouse) -> None:
    reana.fake.pretend(
        Plan(outcome=Status.FAILED, job_log="Container job failed, error: Back-off pulling image"),
        name=r"s\.1$",
    )
    reana.push()
    run = reana.until(RunState.FINISHED, reana.head())
    assert run.run_attempt == 2
    assert [one.number for one in reana.fake.workflows()] == ["1", "1.1"]


def waits_for_room(house: ReanaHouse, attempts: int) -> Any:
    """A run that REANA has failed so many times for want of room, and that is to start again."""
    house.fake.schedule(most_running=0, requeue_seconds=0.0, most_requeues=1)
    house.push(work=False)
    for _ in range(40 * attempts):
        house.once()
        run = house.run_of(house.head())
        if run.run_attempt > attempts and run.state == RunState.QUEUED:
            return run
        house.later(400.0)
    raise AssertionError(f"{run.state}, {run.run_attempt}, {run.failure}, {house.fake.workflows()}")


def test_want_of_room_uses_up_no_attempt(reana: ReanaHouse) -> None:
    run = waits_for_room(reana, 5)
    assert run.activity == "again: REANA found no room for it for too long"
    reana.fake.schedule(most_running=30)
    # After all that an attempt that breaks is the first one that counts.
    reana.fake.pretend(
        Plan(outcome=Status.FAILED, job_log="Container job failed, error: Back-off pulling image"),
        name=r"s\.1\.5$",
    )
    reana.later(400.0)
    assert reana.until(RunState.FINISHED, reana.head()).run_attempt == 7


def test_want_of_room_has_an_end(reana: ReanaHouse) -> None:
    waits_for_room(reana, 1)
    reana.later(8 * 86400.0)
    run = reana.until(RunState.FAILED, reana.head())
    assert run.failure["message"] == "REANA found no room for it for too long"


def test_what_reana_would_refuse_is_told_with_its_line(reana: ReanaHouse) -> None:
    sha = reana.commit(files={"reana.yaml": DOCUMENT.replace(', environment: "python:3.12"', "")})
    reana.push()
    run = reana.until(RunState.FAILED, sha)
    (missing,) = run.problems
    assert (missing["file"], missing["line"]) == ("reana.yaml", 7)
    assert missing["key"] == "workflow.specification.steps[0].environment"
    assert "reana.yaml line 7" in reana.note(sha)
    assert reana.fake.workflows() == []


def test_what_the_analysis_failed_does_not(reana: ReanaHouse) -> None:
    sha = reana.commit(files={"measure.py": "raise KeyError('n_tracks')"})
    reana.push()
    run = reana.until(RunState.FAILED, sha)
    assert run.failure["step"] == "measure"
    assert run.failure["log_tail"][-1] == "KeyError: 'n_tracks'"
    assert "n_tracks" in reana.note(sha)
    assert len(reana.fake.workflows()) == 1


@pytest.mark.parametrize("when", ["queued", "pending", "running"])
def test_a_superseded_run_is_ended_there_too(reana: ReanaHouse, when: str) -> None:
    if when == "queued":
        reana.fake.schedule(most_running=0)
    if when == "pending":
        reana.fake.hold()
    reana.fake.pretend(Plan(running_seconds=None))
    reana.push(work=False)
    reana.until(RunState.RUNNING, reana.head())
    (workflow,) = reana.fake.workflows()
    reana.fake.wait(workflow, when)
    run = reana.run_of(reana.head())
    cancel(reana.bridge, run.id, actor="jane")
    assert reana.until(RunState.CANCELLED, reana.head()).id == run.id
    assert workflow.status == (Status.STOPPED if when == "running" else Status.DELETED)


def test_a_look_keeps_to_the_backends_bounds(reana: ReanaHouse) -> None:
    reana.fake.pretend(Plan(running_seconds=None))
    reana.push(work=False)
    reana.until(RunState.RUNNING, reana.head())
    reana.reana.poll_bounds = (7.0, 9.0)
    follow = Follow(reana.bridge, reana.reana, "default")
    assert all(6.0 < follow.poll() < 10.0 for _ in range(20))


def test_the_engines_log_is_kept_too(reana: ReanaHouse) -> None:
    reana.push()
    run = reana.until(RunState.FINISHED, reana.head())
    kept = {row.path for row in reana.rows(ArtifactRow) if row.run_id == run.id and row.kind == "log"}
    assert "engine.log" in kept


@pytest.mark.parametrize(("age", "status"), [(7200.0, Status.STOPPED), (60.0, Status.RUNNING)])
def test_a_job_of_a_run_that_has_ended_here_is_ended_there(
    reana: ReanaHouse, age: float, status: Status
) -> None:
    reana.fake.pretend(Plan(running_seconds=None))
    reana.push(work=False)
    run = reana.until(RunState.RUNNING, reana.head())
    (mine,) = reana.fake.workflows()
    stray = reana.fake.add(reana.user, names.name_of("rb-gone-1", "0a1b2c3d", 60.0), status=Status.RUNNING)
    other = reana.fake.add(reana.user, names.name_of("rb-gone-1", "ffffffff", 60.0), status=Status.RUNNING)
    for one in (mine, stray, other):
        reana.fake.wait(one, Status.RUNNING)
        one.created -= age
    Retain(reana.bridge).strays(reana.reana)
    assert [one.status for one in (mine, stray, other)] == [Status.RUNNING, status, Status.RUNNING]
    assert reana.run(run.id).state == RunState.RUNNING


def test_upkeep_while_reana_is_away_raises_nothing(reana: ReanaHouse) -> None:
    reana.fake.stop()
    Retain(reana.bridge).strays(reana.reana)
    Retain(reana.bridge).workspaces(reana.reana)


def test_old_workspaces_are_deleted_there(reana: ReanaHouse) -> None:
    reana.push()
    run = reana.until(RunState.FINISHED, reana.head())
    (workflow,) = reana.fake.workflows()
    Retain(reana.bridge).workspaces(reana.reana)
    assert workflow.status == Status.FINISHED
    workflow.finished = (workflow.finished or 0.0) - 8 * 86400.0
    Retain(reana.bridge).workspaces(reana.reana)
    assert workflow.status == Status.DELETED
    assert reana.run(run.id).removed_at is not None
