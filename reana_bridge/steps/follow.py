"""Follow: ask each backend for all of its runs at once, store what changed, hand over what ended.

One poller a backend (a local backend's: one a host) over all processes, by a named lock. It reads often
while something is about to change and seldom otherwise, and writes only changes.
"""

import random
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any, cast

import structlog
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from reana_bridge.backends.base import Backend, BackendError, JobState, Observation
from reana_bridge.crashpoints import reach
from reana_bridge.model.codec import to_data
from reana_bridge.model.results import Failure, Result
from reana_bridge.model.runs import FailureKind, RunState, Wanted
from reana_bridge.steps.bridge import Bridge
from reana_bridge.steps.transitions import move
from reana_bridge.steps.worker import SWEEP_SECONDS, pause
from reana_bridge.store.leases import LeaseLost, hold, take
from reana_bridge.store.tables import Run

_LOCK_SECONDS = 15.0
_FASTEST, _SLOWEST, _AFTER_FAILURE = 0.05, 1.0, 5.0
_REST = 10.0
"""Times as long as a look over a network took, no other follows."""
_log = structlog.get_logger()
_run = cast(Any, Run)


class Follow:
    """The poller of one backend.

    Args:
        bridge: Settings and database.
        backend: Whose runs are followed.
    """

    name = "follow"

    def __init__(self, bridge: Bridge, backend: Backend) -> None:
        self._bridge = bridge
        self._backend = backend
        self._host = bridge.host if backend.kind == "local" else ""
        self._topic = f"follow/{backend.name}"
        bridge.database.wake.expect(self._topic)
        self._fastest, self._slowest = getattr(backend, "poll_bounds", (_FASTEST, _SLOWEST))
        self._rest = _REST if hasattr(backend, "poll_bounds") else 0.0
        self._held_until = 0.0
        self._changed_at = time.monotonic()
        self._failures = 0
        self._any_failed = False
        self._unwatch: Callable[[], None] = lambda: None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._loop, name=self._topic, daemon=True)
        self.beaten_at = time.monotonic()

    def start(self) -> None:
        """Start to poll, in a thread of its own; a backend that can tell of changes wakes it."""
        watch = getattr(self._backend, "watch", None)
        if watch is not None:
            self._unwatch = watch(self._wake)
        self._thread.start()

    def stop(self, seconds: float) -> None:
        """Stop after the poll at work, within `seconds`."""
        self._stopping.set()
        self._bridge.database.wake.notify([self._topic])
        self._thread.join(seconds)
        self._unwatch()

    @property
    def alive(self) -> bool:
        """Whether the loop goes round."""
        return self._thread.is_alive() and time.monotonic() - self.beaten_at < 4 * SWEEP_SECONDS

    def _wake(self, _identity: str) -> None:
        self._bridge.database.wake.notify([self._topic])

    def _loop(self) -> None:
        while not self._stopping.is_set():
            self.beaten_at = time.monotonic()
            try:
                seconds = self.poll() if self._hold() else 5.0
                self._failures = 0
            except (BackendError, SQLAlchemyError) as error:
                self._failures += 1
                seconds = pause(self._failures, most=60)
                _log.warning("follow.failed", backend=self._backend.name, error=str(error))
            except Exception:
                self._failures += 1
                seconds = pause(self._failures, most=60)
                _log.exception("follow.failed", backend=self._backend.name)
            self._bridge.database.wake.wait(self._topic, seconds)

    def _hold(self) -> bool:
        if time.monotonic() < self._held_until - _LOCK_SECONDS / 2:
            return True
        if self._bridge.database.is_sqlite:  # one process: nobody to share with
            self._held_until = float("inf")
            return True
        held = hold(self._bridge.database, f"{self._topic}@{self._host}", seconds=_LOCK_SECONDS)
        self._held_until = time.monotonic() + _LOCK_SECONDS if held else 0.0
        return held

    def poll(self) -> float:
        """Look at all runs once; seconds until the next look."""
        began = time.monotonic()
        self._any_failed = False
        runs = self._running()
        if not runs:
            return SWEEP_SECONDS
        self._cancel([run for run in runs if run.wanted == Wanted.CANCEL and not run.cancel_sent])
        observations = self._backend.follow([run.backend_id or "" for run in runs])
        for run in runs:
            observation = observations.get(run.backend_id or "")
            if observation is not None and _differs(run, observation):
                self._changed_at = time.monotonic()
                self._alone(run, partial(self._store, run, observation))
        if self._any_failed:
            return max(_AFTER_FAILURE, self._fastest)
        # Changes come in bursts: look often after one, then ever less so. Bridges do not look all at once.
        now = time.monotonic()
        # However many runs there are, looking at them takes a small part of the time.
        least = max(self._fastest, (now - began) * self._rest)
        seconds = min(self._slowest, max(least, (now - self._changed_at) / 20))
        return seconds * random.uniform(0.9, 1.1)  # noqa: S311

    def _running(self) -> list[Run]:
        mine = (_run.state == RunState.RUNNING, _run.backend == self._backend.name, _run.host == self._host)
        with self._bridge.database.read() as session:
            return list(session.execute(select(Run).where(*mine).order_by(_run.started_at)).scalars())

    def _cancel(self, runs: list[Run]) -> None:
        for run in runs:
            self._alone(run, partial(self._cancel_one, run))

    def _cancel_one(self, run: Run) -> None:
        self._backend.cancel(run.backend_id or "")
        reach("follow.cancelled")
        self._write(run, RunState.RUNNING, cancel_sent=True)

    def _alone(self, run: Run, act: Callable[[], None]) -> None:
        """What goes wrong with one run is tried again at the next poll, and holds up no other."""
        try:
            act()
        except SQLAlchemyError:
            raise
        except Exception as error:
            expected = isinstance(error, BackendError | OSError)
            _log.warning("follow.run_failed", run=run.id, error=str(error), exc_info=not expected)
            self._any_failed = True

    def _store(self, run: Run, observation: Observation) -> None:
        values: dict[str, Any] = {
            "steps": to_data(observation.steps),
            "activity": observation.activity,
            "started_at": run.started_at or observation.started_at,
        }
        state = observation.state
        if state in (JobState.FINISHED, JobState.FAILED):
            values["failure"] = to_data(observation.failure)
            values["result"] = to_data(Result(environment=observation.environment))
            values["backend_ended_at"] = observation.ended_at
            self._write(run, RunState.COLLECTING, **values)
        elif state == JobState.CANCELLED:
            self._write(run, RunState.CANCELLED, **values)
        elif state == JobState.LOST:
            self._lost(run, observation, values)
        else:
            self._write(run, RunState.RUNNING, **values)
        reach("follow.stored")

    def _lost(self, run: Run, observation: Observation, values: dict[str, Any]) -> None:
        """A run that its backend lost starts again as a new attempt, unless its budget is spent."""
        failure = observation.failure or Failure(
            kind=FailureKind.INFRASTRUCTURE, message="the backend lost the run"
        )
        if run.wanted == Wanted.CANCEL:
            self._write(run, RunState.CANCELLED, **values)
        elif run.run_attempt >= self._bridge.settings.limits.attempts:
            self._write(run, RunState.FAILED, **values | {"failure": to_data(failure)})
        else:
            _log.warning("follow.lost", run=run.id, attempt=run.run_attempt, why=failure.message)
            again = {"run_attempt": run.run_attempt + 1, "backend_name": "", "backend_id": None, "host": ""}
            again |= {"steps": None, "started_at": None, "activity": f"again: {failure.message}"}
            self._write(run, RunState.QUEUED, **again)

    def _write(self, run: Run, to: RunState, **values: Any) -> None:
        """Store it, unless the row has moved on since it was read."""
        database = self._bridge.database
        try:
            with database.transaction() as session:
                seen = select(_run.version, func.coalesce(_run.lease_owner, "")).where(_run.id == run.id)
                if tuple(session.execute(seen.with_for_update()).one()) != (run.version, ""):
                    return
                (taken,) = take(database, session, Run, [run.id])
                move(self._bridge, session, taken, to, **values)
                for name, value in (values | {"version": taken.version, "state": to}).items():
                    setattr(run, name, value)
        except LeaseLost:
            _log.info("follow.moved_on", run=run.id)


def _differs(run: Run, observation: Observation) -> bool:
    if observation.state not in (JobState.RUNNING, JobState.QUEUED):
        return True
    seen: Any = (run.steps or [], run.activity, run.started_at)
    # The first start that was told is kept, so another one is no change.
    started_at = run.started_at or observation.started_at
    return seen != (to_data(observation.steps), observation.activity, started_at)
