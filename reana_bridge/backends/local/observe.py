"""What the records in a run's directory say: where the job stands."""

import contextlib
import os
import signal
import time
from pathlib import Path
from typing import Any

from reana_bridge.backends.base import JobState, Observation
from reana_bridge.backends.local.supervisor import records
from reana_bridge.model.results import Failure, StepRecord, StepState
from reana_bridge.model.runs import FailureKind

_ORPHAN_PASSES = 50


def _step(value: dict[str, Any]) -> StepRecord:
    return StepRecord(
        name=value["name"],
        state=StepState(value["state"]),
        started_at=value.get("started_at"),
        ended_at=value.get("ended_at"),
        exit_status=value.get("exit_status"),
        command=value.get("command", ""),
        image=value.get("image", ""),
        environment=value.get("environment", ""),
        log=value.get("log", ""),
    )


def steps_of(plan: dict[str, Any], record: dict[str, Any]) -> tuple[StepRecord, ...]:
    """The steps that ran, and those of a serial workflow that wait still."""
    begun = [_step(value) for value in record.get("steps", [])]
    waiting = [
        StepRecord(name=step["name"], image=step["image"]) for step in plan.get("steps", [])[len(begun) :]
    ]
    return (*begun, *waiting)


def _failure(value: dict[str, Any] | None) -> Failure | None:
    if value is None:
        return None
    return Failure(
        kind=FailureKind(value["kind"]),
        message=value["message"],
        step=value["step"],
        log_tail=tuple(value["log_tail"]),
        hint=value["hint"],
    )


def _seen(
    state: JobState, plan: dict[str, Any], record: dict[str, Any], failure: Failure | None
) -> Observation:
    return Observation(
        state=state,
        steps=steps_of(plan, record),
        activity=record.get("activity", ""),
        failure=failure,
        environment=record.get("environment") or plan.get("environment", {}),
        started_at=record.get("started_at"),
        ended_at=record.get("ended_at"),
    )


def lost(
    message: str, plan: dict[str, Any] | None = None, record: dict[str, Any] | None = None
) -> Observation:
    """The job is gone without an end; `message` says how that was noticed."""
    failure = Failure(kind=FailureKind.INFRASTRUCTURE, message=message)
    return _seen(JobState.LOST, plan or {}, (record or {}) | {"activity": ""}, failure)


def is_running(directory: Path) -> bool:
    """Whether a supervisor holds the run: it is the process it said it is, or it holds the lock."""
    identity = records.read(str(directory), records.SUPERVISOR)
    if identity is not None and records.is_alive(identity):
        return True
    descriptor = records.try_lock(str(directory))
    if descriptor is None:
        return True
    os.close(descriptor)
    return False


def observe(directory: Path, plan: dict[str, Any], *, now: float, start_seconds: float) -> Observation:
    """Where the job in `directory` stands.

    Args:
        directory: The run's directory.
        plan: Its record `job.json`.
        now: UTC seconds since the epoch.
        start_seconds: How long it may wait for its supervisor.
    """
    place = str(directory)
    if ended := _ended(place, plan):
        return ended
    if records.exists(place, records.SUPERVISOR):
        progress: dict[str, Any] = records.read(place, records.STEPS) or {}
        if is_running(directory):
            return _seen(JobState.RUNNING, plan, progress, None)
        # It may have ended between the two looks.
        return _ended(place, plan) or _gone(place, plan, progress)
    if now - plan["created_at"] > start_seconds and not is_running(directory):
        return _ended(place, plan) or lost("its supervisor was never started", plan)
    return _seen(JobState.QUEUED, plan, {}, None)


def _ended(place: str, plan: dict[str, Any]) -> Observation | None:
    record = records.read(place, records.EXIT)
    return record and _seen(JobState(record["state"]), plan, record, _failure(record["failure"]))


def _gone(place: str, plan: dict[str, Any], progress: dict[str, Any]) -> Observation:
    _end_orphans(f"REANA_WORKSPACE={place}/{records.WORKSPACE}".encode())
    if records.exists(place, records.CANCEL):
        return _seen(JobState.CANCELLED, plan, progress, None)
    return lost(
        "its supervisor is gone without an exit record (killed, or the machine went down)", plan, progress
    )


def _end_orphans(mark: bytes) -> None:
    """Kill what a run without a sandbox left behind: in a sandbox everything dies with the supervisor."""
    for _ in range(_ORPHAN_PASSES):  # again, as long as there are any: some fork while they are looked for
        if not _kill_marked(mark):
            return
        time.sleep(0.005)


def _kill_marked(mark: bytes) -> bool:
    """Kill each process with `mark` in its environment; whether there was one."""
    found = False
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            with contextlib.suppress(OSError):
                if mark in Path(f"/proc/{entry}/environ").read_bytes().split(b"\0"):
                    os.kill(int(entry), signal.SIGKILL)
                    found = True
    return found
