"""Following: what every status means, what is never asked, and what becomes of those that wait too long."""

import time
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from reana_bridge.backends.base import BackendError, JobState
from reana_bridge.backends.reana import names
from reana_bridge.backends.reana.follow import Follower
from reana_bridge.model.results import StepState
from reana_bridge.model.runs import FailureKind
from reana_bridge.testing.reana import Plan, Status
from reana_bridge.testing.reana.things import Workflow
from tests.backends.reana.conftest import HELLO, TAG, Bench, serial

OOM = "job: :\n working\n\nOOMKilled\n"


def eventually(check: Any, seconds: float = 20.0) -> Any:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if found := check():
            return found
        time.sleep(0.01)
    raise AssertionError(f"{check} never held")


def test_queued_pending_running_finished(bench: Bench) -> None:
    bench.fake.schedule(most_running=0)
    bench.fake.hold()
    identity = bench.submit()
    assert (bench.see(identity).state, bench.see(identity).activity) == (JobState.QUEUED, "in REANA's queue")
    bench.fake.schedule(most_running=30)
    bench.fake.wait(bench.workflow(identity), Status.PENDING)
    assert (bench.see(identity).state, bench.see(identity).activity) == (
        JobState.QUEUED,
        "REANA is starting it",
    )
    bench.fake.release()
    seen = bench.end(identity)
    assert seen.state == JobState.FINISHED
    assert seen.environment["instance"] == bench.fake.url


def test_steps_while_it_runs(bench: Bench) -> None:
    bench.fake.pretend(Plan(running_seconds=None, steps=("make", "make", "greet")))
    identity = bench.submit()
    workflow = bench.fake.wait(bench.workflow(identity), Status.RUNNING)
    states = [(step.name, step.state) for step in bench.see(identity).steps]
    assert states == [("make", StepState.RUNNING), ("greet", StepState.WAITING)]
    with bench.fake.world.lock:
        workflow.jobs[0].status = "finished"
    # Another process knows the steps from the server alone.
    for each in (bench, bench.another()):
        states = [(step.name, step.state) for step in each.see(identity).steps]
        assert states == [("make", StepState.RUNNING), ("greet", StepState.WAITING)]
    assert bench.see(identity).steps[0].log == "1-make.log"


ENDINGS: dict[str, tuple[Plan, JobState, FailureKind | None, str]] = {
    "a command failed": (
        Plan(outcome=Status.FAILED, job_log="job: :\n KeyError: 'n_tracks'\n\nError\n"),
        JobState.FAILED,
        FailureKind.ANALYSIS,
        "a command failed",
    ),
    "memory": (Plan(outcome=Status.FAILED, job_log=OOM), JobState.FAILED, FailureKind.LIMIT, "memory"),
    "an image": (
        Plan(outcome=Status.FAILED, job_log='Container job failed, error: Back-off pulling image "x/y:nope"'),
        JobState.LOST,
        FailureKind.INFRASTRUCTURE,
        "its container could not be started",
    ),
    "stopped by hand": (Plan(outcome=Status.STOPPED), JobState.CANCELLED, None, ""),
}


@pytest.mark.parametrize("name", ENDINGS)
def test_how_it_ended(bench: Bench, name: str) -> None:
    plan, state, kind, message = ENDINGS[name]
    bench.fake.pretend(plan)
    seen = bench.end(bench.submit())
    assert seen.state == state
    assert (seen.failure.kind if seen.failure else None) == kind
    assert message in (seen.failure.message if seen.failure else "")
    assert seen.ended_at is not None


def test_a_real_failure_names_step_and_last_lines(bench: Bench) -> None:
    identity = bench.submit(bench.job(serial("echo fine", "echo one; echo two >&2; exit 3", "echo never")))
    seen = bench.end(identity)
    assert seen.state == JobState.FAILED
    assert seen.failure is not None
    assert (seen.failure.step, seen.failure.log_tail) == ("step2", ("one", "two"))
    assert [step.state for step in seen.steps] == [StepState.FINISHED, StepState.FAILED, StepState.WAITING]
    assert bench.backend.log(identity, "step2") == b"one\ntwo\n"
    assert b"failed" in bench.backend.log(identity, "engine.log")


def test_no_room_for_too_long_is_the_infrastructure(bench: Bench) -> None:
    bench.fake.schedule(most_running=0, requeue_seconds=0.01, most_requeues=2)
    seen = bench.end(bench.submit())
    assert seen.state == JobState.LOST
    assert seen.failure is not None
    assert seen.failure.message == "REANA found no room for it for too long"


def test_pending_for_too_long_is_given_up(bench: Bench) -> None:
    bench.fake.hold()
    bench = bench.another(pending_seconds=0.2)
    identity = bench.submit()
    seen = bench.end(identity)
    assert seen.state == JobState.LOST
    assert "within 0.2 s" in (seen.failure.message if seen.failure else "")
    assert bench.workflow(identity).status == Status.DELETED
    # A process that takes over just now comes to the same.
    assert bench.another().see(identity).state in (JobState.LOST, JobState.CANCELLED)
    assert bench.another(queued_seconds=0.0).see(identity).state == JobState.LOST


def test_queued_for_too_long_is_given_up(bench: Bench) -> None:
    bench.fake.schedule(most_running=0)
    bench = bench.another(queued_seconds=0.0)
    identity = bench.submit()
    bench.workflow(identity).created -= 10
    assert bench.end(identity).state == JobState.LOST
    assert bench.workflow(identity).status == Status.DELETED


def test_running_for_too_long_is_stopped_and_told_as_that(bench: Bench) -> None:
    bench.fake.pretend(Plan(running_seconds=None, steps=("make",)))
    identity = bench.submit()
    workflow = bench.fake.wait(bench.workflow(identity), Status.RUNNING)
    with bench.fake.world.lock:
        workflow.started = bench.fake.world.now - 3700
    # A process that did not submit it knows the limit too.
    seen = bench.another().end(identity)
    assert seen.state == JobState.FAILED
    assert seen.failure is not None
    assert (seen.failure.kind, seen.failure.step) == (FailureKind.LIMIT, "make")
    assert seen.failure.message == "ran longer than its 1 h, and was stopped"


def test_deleted_by_hand(bench: Bench) -> None:
    bench.fake.pretend(Plan(running_seconds=None))
    identity = bench.submit()
    bench.fake.wait(bench.workflow(identity), Status.RUNNING)
    bench.fake.delete(bench.workflow(identity))
    seen = bench.see(identity)
    assert (seen.state, seen.activity) == (JobState.CANCELLED, "deleted on REANA")


def test_gone_without_a_trace(bench: Bench) -> None:
    bench.fake.hold()
    identity = bench.submit()
    bench.fake.forget(bench.workflow(identity))
    seen = bench.see(identity)
    assert seen.state == JobState.LOST
    assert seen.failure is not None
    assert "does not know the workflow" in seen.failure.message


@pytest.mark.parametrize("status", ["queued", "pending", "created", "resting", ""])
def test_an_odd_status_changes_nothing(bench: Bench, status: str) -> None:
    bench.fake.pretend(Plan(running_seconds=None))
    identity = bench.submit()
    workflow = bench.fake.wait(bench.workflow(identity), Status.RUNNING)
    before = bench.see(identity)
    assert before.state == JobState.RUNNING
    bench.fake.show(workflow, status)
    assert bench.see(identity) == before
    bench.fake.show(workflow, None)
    assert bench.see(identity).state == JobState.RUNNING


def test_an_unknown_status_from_the_start_is_left_out(bench: Bench) -> None:
    bench.fake.hold()
    identity = bench.submit()
    bench.fake.show(bench.workflow(identity), "resting")
    assert bench.backend.follow([identity]) == {}


@pytest.mark.parametrize("offset", [-3600.0, 3600.0])
def test_the_servers_clock_is_put_right(bench: Bench, offset: float) -> None:
    bench.fake.world.clock_offset = offset
    before = time.time()
    seen = bench.end(bench.submit())
    assert seen.state == JobState.FINISHED
    assert seen.started_at is not None
    assert seen.ended_at is not None
    for moment in (seen.started_at, seen.ended_at, seen.steps[0].started_at):
        assert moment is not None
        assert abs(moment - before) < 60


# -- how much is asked --


def many(bench: Bench, count: int, status: Status, prefix: str = "rb-many") -> list[Workflow]:
    return [
        bench.fake.add(
            bench.user, names.name_of(f"{prefix}-{i}", TAG, 3600.0), specification=HELLO, status=status
        )
        for i in range(count)
    ]


def ids(found: list[Workflow]) -> list[str]:
    return [f"default/{one.id}" for one in found]


def test_thousands_are_followed_by_pages(bench: Bench) -> None:
    queued, running = many(bench, 700, Status.QUEUED), many(bench, 20, Status.RUNNING, "rb-run")
    identities = ids([*queued, *running])
    seen = bench.backend.follow(identities)
    assert seen.keys() == set(identities)
    bench.fake.forget_requests()
    seen = bench.backend.follow(identities)
    assert seen.keys() == set(identities)
    asked = bench.fake.requests()
    assert len(asked) <= 2 + 5  # two pages of 500, and the steps of a few more that run
    assert all("progress" in one.query or "specification" in one.path for one in asked)


def test_many_that_ended_are_found_by_pages_too(bench: Bench) -> None:
    running = many(bench, 30, Status.RUNNING)
    bench.fake.pretend()
    for one in running:
        bench.fake.finish(one)
    bench.backend.follow(ids(running)[:1])
    bench.fake.forget_requests()
    seen = bench.backend.follow(ids(running))
    assert {one.state for one in seen.values()} == {JobState.FINISHED}
    assert len(seen) == 30
    paths = [one.path for one in bench.fake.requests()]
    assert sum(path.endswith("/workflows") for path in paths) == 2
    assert not any(path.endswith("/status") for path in paths)


def test_what_fails_for_one_holds_up_no_other(bench: Bench) -> None:
    one, two = many(bench, 2, Status.FINISHED)
    bench.fake.fail("GET", f"{one.id}/logs", status=500, times=4, body='{"message": "Something went wrong."}')
    for _ in range(4):
        seen = bench.backend.follow(ids([one, two]))
        assert list(seen) == ids([two])
    assert bench.see(ids([one])[0]).state == JobState.FINISHED


def test_logs_that_never_come_are_done_without(bench: Bench) -> None:
    (one,) = many(bench, 1, Status.FINISHED)
    bench.fake.fail("GET", "/logs", status=500, times=None, body='{"message": "Something went wrong."}')
    seen = bench.end(ids([one])[0])
    assert seen.state == JobState.FINISHED
    assert [step.state for step in seen.steps] == [StepState.WAITING, StepState.WAITING]


# -- cancel --


@pytest.mark.parametrize("when", ["queued", "pending", "running"])
def test_cancel_by_state(bench: Bench, when: str) -> None:
    if when == "queued":
        bench.fake.schedule(most_running=0)
    if when == "pending":
        bench.fake.hold()
    bench.fake.pretend(Plan(running_seconds=None))
    identity = bench.submit()
    workflow = bench.fake.wait(bench.workflow(identity), when)
    bench.backend.cancel(identity)
    assert workflow.status == (Status.STOPPED if when == "running" else Status.DELETED)
    assert bench.end(identity).state == JobState.CANCELLED
    bench.backend.cancel(identity)


def test_cancel_while_it_moves_on(bench: Bench) -> None:
    """The server says queued, and by the time of the deletion it runs."""
    bench.fake.pretend(Plan(running_seconds=None))
    identity = bench.submit()
    workflow = bench.fake.wait(bench.workflow(identity), Status.RUNNING)
    bench.fake.show(workflow, "queued")
    with pytest.raises(BackendError, match="currently running"):
        bench.backend.cancel(identity)
    bench.fake.show(workflow, None)
    bench.backend.cancel(identity)
    assert bench.end(identity).state == JobState.CANCELLED


@pytest.mark.parametrize("state", ["ended", "forgotten"])
def test_cancel_of_something_gone_does_nothing(bench: Bench, state: str) -> None:
    identity = bench.submit()
    bench.end(identity)
    if state == "forgotten":
        bench.fake.forget(bench.workflow(identity))
    bench.backend.cancel(identity)


# -- away --


def test_away_and_back(bench: Bench) -> None:
    bench.fake.pretend(Plan(running_seconds=0.2))
    identity = bench.submit()
    bench.see(identity)
    bench.fake.stop()
    with pytest.raises(BackendError, match="no connection"):
        bench.backend.follow([identity])
    bench.fake.start()
    assert bench.end(identity).state == JobState.FINISHED


def test_a_token_that_ran_out_and_its_successor(bench: Bench, tmp_path: Any) -> None:
    from reana_bridge.backends.reana import Account

    file = tmp_path / "token"
    file.write_text(bench.user.token)
    account = Account(name="default", token=bench.user.token, token_file=file)
    bench = bench.another(accounts=(account,))
    bench.fake.hold()
    identity = bench.submit()
    token = bench.fake.rotate(bench.user)
    with pytest.raises(BackendError, match=r"Token is not valid"):
        bench.backend.follow([identity])
    file.write_text(f"{token}\n")
    assert bench.see(identity).state == JobState.QUEUED


def test_an_account_that_is_in_no_settings_any_more(bench: Bench) -> None:
    (seen,) = bench.backend.follow(["former/0"]).values()
    assert seen.state == JobState.LOST
    with pytest.raises(BackendError, match="no REANA account `former`"):
        bench.backend.cancel("former/0")


# -- patience --


def test_a_status_that_goes_back_is_known_by_every_process(bench: Bench) -> None:
    bench.fake.pretend(Plan(running_seconds=None))
    identity = bench.submit()
    workflow = bench.fake.wait(bench.workflow(identity), Status.RUNNING)
    bench.fake.show(workflow, "queued")
    workflow.created -= 10
    # This one never saw it running, and finds it in the queue for longer than it may be.
    assert bench.another(queued_seconds=1.0).backend.follow([identity]) == {}
    assert workflow.status == Status.RUNNING


def test_the_time_in_which_the_server_was_away_counts_for_no_deadline(bench: Bench) -> None:
    bench.fake.hold()
    identity = bench.submit()
    now = [0.0]
    calls = bench.backend._accounts.calls("default")
    assert calls is not None
    settings = replace(bench.settings, pending_seconds=600.0)
    follower = Follower(calls, settings, dict, clock=lambda: now[0])
    workflow = identity.rpartition("/")[2]

    def state_after(seconds: float) -> JobState:
        now[0] += seconds
        return follower.look([workflow])[workflow].state

    assert state_after(0.0) == JobState.QUEUED
    bench.fake.stop()
    with pytest.raises(BackendError):
        state_after(30.0)
    bench.fake.start()
    assert state_after(7200.0) == JobState.QUEUED
    states = [state_after(50.0) for _ in range(13)]
    assert (states[0], states[-1]) == (JobState.QUEUED, JobState.LOST)


def test_steps_that_are_not_known_yet_change_nothing(bench: Bench) -> None:
    """After a restart, with more runs than a look may ask for the steps of."""
    running = many(bench, 60, Status.RUNNING)
    first = bench.backend.follow(ids(running))
    assert 0 < len(first) < 60
    seen = bench.backend.follow(ids(running))
    assert len(seen) == 60
    assert {len(one.steps) for one in seen.values()} == {2}


def test_few_that_ended_are_found_by_one_page_and_their_logs_are_fetched_once(bench: Bench) -> None:
    running = many(bench, 3, Status.RUNNING)
    bench.backend.follow(ids(running))
    for one in running:
        bench.fake.finish(one)
    bench.fake.forget_requests()
    assert len(bench.backend.follow(ids(running))) == 3
    for identity in ids(running):
        bench.backend.log(identity, "make")
    ends = [one.path.rpartition("/")[2] for one in bench.fake.requests()]
    assert Counter(ends) == {"workflows": 2, "logs": 3}
