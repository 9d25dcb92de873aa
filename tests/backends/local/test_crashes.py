"""Crashes at every moment: a run is found again, is never run twice, and is never lost without a word."""

import os
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from reana_bridge.backends.base import BackendError, JobState
from reana_bridge.backends.local import LocalBackend
from reana_bridge.backends.local.supervisor import records
from reana_bridge.model.runs import FailureKind
from tests.backends.local.conftest import LIVE, Bench, both, eventually, no_checkout, processes_with

COUNT = "echo once >> count"


class Crash(BaseException):
    """Stands for a kill -9 at this place."""


def crash(*_: object, **__: object) -> None:
    raise Crash


@both
def test_a_killed_supervisor_is_a_lost_run_and_takes_its_job_along(
    make_bench: Callable[..., Bench], sandbox: str
) -> None:
    bench = make_bench(sandbox=sandbox)
    identity = bench.submit("bash -c 'exec -a JOB$REANA_BRIDGE_RUN_ID sleep 4321' & touch begun; wait")
    eventually((bench.workspace(identity) / "begun").exists)
    bench.wait_for_step(identity)
    os.kill(bench.supervisor(identity), signal.SIGKILL)
    seen = bench.end(identity)
    assert seen.state is JobState.LOST
    assert seen.failure is not None
    assert seen.failure.kind is FailureKind.INFRASTRUCTURE
    assert "gone without an exit record" in seen.failure.message
    assert seen.steps[0].name == "step 1"
    eventually(lambda: not processes_with("\0" + "4321"))
    assert bench.backend.submit(bench.job(COUNT, name=identity), no_checkout) == identity
    assert bench.fresh().follow([identity])[identity].state is JobState.LOST


def test_submitted_twice_is_run_once(bench: Bench) -> None:
    checkouts: list[Path] = []
    job = bench.job(f"{COUNT}; sleep 0.2")
    for backend in (bench.backend, bench.backend, bench.fresh()):
        assert backend.submit(job, checkouts.append) == job.name
    assert bench.end(job.name).state is JobState.FINISHED
    assert bench.backend.submit(job, checkouts.append) == job.name
    assert len(checkouts) == 1
    assert (bench.workspace(job.name) / "count").read_text() == "once\n"


def test_submitted_at_once_from_many_sides_is_run_once(bench: Bench) -> None:
    job = bench.job(COUNT)
    together = threading.Barrier(6)

    def submit() -> None:
        together.wait()
        bench.fresh().submit(job, no_checkout)

    threads = [threading.Thread(target=submit) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert bench.end(job.name).state is JobState.FINISHED
    assert (bench.workspace(job.name) / "count").read_text() == "once\n"
    assert list((bench.root / ".incoming").iterdir()) == []


@pytest.mark.parametrize("place", ["_check_room", "_prepare", "_start"])
def test_a_crash_in_the_middle_of_a_submission(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    job = bench.job(COUNT)
    with monkeypatch.context() as patch:
        patch.setattr(LocalBackend, place, crash)
        with pytest.raises(Crash):
            bench.backend.submit(job, no_checkout)
    fresh = bench.fresh()
    assert fresh.find(job.name) == (job.name if place == "_start" else None)
    assert fresh.submit(job, no_checkout) == job.name
    assert bench.end(job.name).state is JobState.FINISHED
    assert (bench.workspace(job.name) / "count").read_text() == "once\n"


def test_a_checkout_that_fails_leaves_nothing(bench: Bench) -> None:
    def checkout(place: Path) -> None:
        (place / "half").write_text("a file")
        (place / "closed").mkdir(mode=0)
        raise ValueError("the forge is away")

    job = bench.job("test ! -e half")
    with pytest.raises(ValueError, match="the forge is away"):
        bench.backend.submit(job, checkout)
    assert bench.backend.find(job.name) is None
    assert list((bench.root / ".incoming").iterdir()) == []
    bench.backend.submit(job, no_checkout)
    assert bench.end(job.name).state is JobState.FINISHED


def test_a_run_that_never_got_its_supervisor(
    make_bench: Callable[..., Bench], bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = bench.job(COUNT)
    monkeypatch.setattr(LocalBackend, "_start", crash)
    with pytest.raises(Crash):
        bench.backend.submit(job, no_checkout)
    assert bench.backend.follow([job.name])[job.name].state is JobState.QUEUED
    impatient = LocalBackend("local", root=bench.root, settings=make_bench(start_seconds=0.0).settings)
    time.sleep(0.01)
    assert impatient.follow([job.name])[job.name].state is JobState.LOST


def test_another_backend_adopts_a_running_and_an_ended_run(bench: Bench) -> None:
    ended = bench.submit(COUNT)
    bench.end(ended)
    running = bench.submit(f"while ! test -e go; do sleep 0.01; done; {COUNT}")
    bench.wait_for_step(running)
    fresh = bench.fresh()
    seen = fresh.follow([ended, running, "never-heard-of", "../../etc"])
    assert [seen[name].state for name in (ended, running)] == [JobState.FINISHED, JobState.RUNNING]
    assert [seen[name].state for name in ("never-heard-of", "../../etc")] == [JobState.LOST] * 2
    assert [fresh.find(name) for name in (ended, "never-heard-of", "..")] == [ended, None, None]
    (bench.workspace(running) / "go").touch()
    assert bench.end(running).state is JobState.FINISHED
    assert (bench.workspace(running) / "count").read_text() == "once\n"


@both
def test_a_cancelled_run_ends(make_bench: Callable[..., Bench], sandbox: str) -> None:
    bench = make_bench(sandbox=sandbox)
    identity = bench.submit("trap 'echo asked; exit' TERM; touch begun; while :; do sleep 0.01; done", COUNT)
    eventually((bench.workspace(identity) / "begun").exists)
    bench.backend.cancel(identity)
    seen = bench.end(identity)
    assert (seen.state, seen.failure) == (JobState.CANCELLED, None)
    assert bench.backend.log(identity, "step 1").endswith(b"asked\n")
    assert not (bench.workspace(identity) / "count").exists()


def test_cancel_at_each_moment(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.backend.cancel("never-heard-of")
    with monkeypatch.context() as patch:
        patch.setattr(LocalBackend, "_start", crash)
        with pytest.raises(Crash):
            bench.submit(COUNT, name="unstarted")
    bench.backend.cancel("unstarted")
    assert bench.backend.follow(["unstarted"])["unstarted"].state is JobState.CANCELLED
    bench.submit(COUNT, name="unstarted")
    assert not (bench.workspace("unstarted") / "count").exists()

    at_once = bench.submit("sleep 600")
    bench.backend.cancel(at_once)
    bench.backend.cancel(at_once)
    assert bench.end(at_once).state is JobState.CANCELLED

    ended = bench.submit(COUNT)
    bench.end(ended)
    bench.backend.cancel(ended)
    assert bench.backend.follow([ended])[ended].state is JobState.FINISHED

    lost = bench.submit("sleep 600")
    bench.wait_for_step(lost)
    os.kill(bench.supervisor(lost), signal.SIGKILL)
    assert bench.end(lost).state is JobState.LOST
    bench.backend.cancel(lost)
    assert bench.backend.follow([lost])[lost].state is JobState.CANCELLED


def test_cancel_between_submit_and_the_first_command(bench: Bench) -> None:
    for pause in (0.0, 0.002, 0.005, 0.01, 0.02, 0.04):
        identity = bench.submit("sleep 600")
        time.sleep(pause)
        bench.backend.cancel(identity)
        assert bench.end(identity).state is JobState.CANCELLED


def test_a_supervisor_that_is_told_to_stop_says_so(bench: Bench) -> None:
    identity = bench.submit("sleep 600")
    bench.wait_for_step(identity)
    os.kill(bench.supervisor(identity), signal.SIGTERM)
    seen = bench.end(identity)
    assert seen.failure is not None
    assert (seen.state, seen.failure.kind) == (JobState.FAILED, FailureKind.INFRASTRUCTURE)
    assert "told to stop" in seen.failure.message


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGINT])
def test_a_terminal_that_closes_does_not_end_a_run(bench: Bench, number: int) -> None:
    identity = bench.submit("while ! test -e go; do sleep 0.01; done")
    bench.wait_for_step(identity)
    os.kill(bench.supervisor(identity), number)
    (bench.workspace(identity) / "go").touch()
    assert bench.end(identity).state is JobState.FINISHED


def test_a_tethered_run_ends_with_its_owner(make_bench: Callable[..., Bench]) -> None:
    bench = make_bench(sandbox="off", tether=True)
    child = os.fork()
    if child == 0:
        bench.backend.submit(bench.job("sleep 600", name="tethered"), no_checkout)
        signal.pause()
    eventually(lambda: bench.backend.find("tethered"))
    bench.wait_for_step("tethered")
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    assert bench.end("tethered").state is JobState.CANCELLED


def test_the_supervisor_is_nobodys_child_and_holds_nothing_of_ours(bench: Bench) -> None:
    identity = bench.submit("sleep 600")
    bench.wait_for_step(identity)
    place = Path(f"/proc/{bench.supervisor(identity)}")
    status = dict(
        line.split(":\t", 1) for line in (place / "status").read_text().splitlines() if ":\t" in line
    )
    assert int(status["PPid"]) != os.getpid()
    assert (place / "cwd").resolve() == Path("/")
    held = {str((place / "fd" / entry).readlink()) for entry in os.listdir(place / "fd")}
    # The last is its own, as long as it takes to start the sandbox.
    allowed = ("/dev/null", "pipe:", str(bench.root / identity), "/memfd:arguments")
    assert [one for one in held if not one.startswith(allowed)] == []
    variables = (place / "environ").read_bytes()
    assert b"PYTEST" not in variables
    assert bench.backend.follow([identity])[identity].state in LIVE


def test_a_second_supervisor_leaves(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    job = bench.job(f"{COUNT}; while ! test -e go; do sleep 0.01; done")
    bench.backend.submit(job, no_checkout)
    first = bench.supervisor(job.name)
    os.rename(bench.root / job.name / records.SUPERVISOR, bench.root / job.name / "hidden")
    with ThreadPoolExecutor(1) as pool:
        second = pool.submit(bench.backend.submit, job, no_checkout)
        time.sleep(0.2)
        os.rename(bench.root / job.name / "hidden", bench.root / job.name / records.SUPERVISOR)
        assert second.result() == job.name
    (bench.workspace(job.name) / "go").touch()
    assert bench.end(job.name).state is JobState.FINISHED
    assert bench.supervisor(job.name) == first
    assert (bench.workspace(job.name) / "count").read_text() == "once\n"


def test_a_lock_that_nobody_in_charge_holds_is_waited_for(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a copy of the descriptor in a process that is just being forked holds it for a moment."""
    job = bench.job(COUNT)
    with monkeypatch.context() as patch:
        patch.setattr(LocalBackend, "_start", crash)
        with pytest.raises(Crash):
            bench.backend.submit(job, no_checkout)
    lock = records.try_lock(str(bench.root / job.name))
    assert lock is not None
    with ThreadPoolExecutor(1) as pool:
        submitted = pool.submit(bench.backend.submit, job, no_checkout)
        time.sleep(0.3)
        assert not submitted.done()
        os.close(lock)
        assert submitted.result() == job.name
    assert bench.end(job.name).state is JobState.FINISHED
    assert (bench.workspace(job.name) / "count").read_text() == "once\n"


def test_no_supervisor_can_be_started(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    job = bench.job(COUNT)
    with monkeypatch.context() as patch:
        patch.setattr("sys.executable", "/bin/false")
        with pytest.raises(BackendError, match="could not be started"):
            bench.backend.submit(job, no_checkout)
    bench.backend.submit(job, no_checkout)
    assert bench.end(job.name).state is JobState.FINISHED


def test_too_little_room(make_bench: Callable[..., Bench]) -> None:
    bench = make_bench(minimum_free=1 << 60)
    assert "only" in bench.backend.check()[-1]
    with pytest.raises(BackendError, match="lower the backend's `minimum_free`"):
        bench.submit("true")


@pytest.mark.parametrize("name", ["", "../x", "a/b", ".hidden", "a" * 300, "-x", "a b"])
def test_names_that_are_no_names(bench: Bench, name: str) -> None:
    with pytest.raises(ValueError, match="no job name"):
        bench.submit("true", name=name)


def test_watchers_hear_of_changes(bench: Bench) -> None:
    heard: list[str] = []
    stop = bench.backend.watch(heard.append)
    identity = bench.submit("true")
    bench.end(identity)
    eventually(lambda: identity in heard)
    stop()
    stop_again = bench.fresh().watch(lambda _: None)
    stop_again()
    assert list((bench.root / ".watchers").iterdir()) == []
