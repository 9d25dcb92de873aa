"""What a backend says of runs, held against their rows: only what differs is stored.

Promises: a row that has moved on since it was read is left alone; a state that goes back means nothing; what
goes wrong with one run holds up no other.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import islice
from typing import Any, cast

import structlog
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from reana_bridge.backends.base import BackendError, JobState, Observation
from reana_bridge.crashpoints import reach
from reana_bridge.model.codec import to_data
from reana_bridge.model.results import Failure, Result
from reana_bridge.model.runs import FailureKind, RunState, Wanted
from reana_bridge.steps.attempts import given_up, may_try_again, next_attempt
from reana_bridge.steps.bridge import Bridge
from reana_bridge.steps.restarting import resumed
from reana_bridge.steps.transitions import move
from reana_bridge.store.leases import LeaseLost, take
from reana_bridge.store.tables import Run

_READ, _WRITTEN = 200, 10
"""Rows that are read, and written, at once."""

_log = structlog.get_logger()
_run = cast(Any, Run)
Change = tuple[Run, Observation]


class Following:
    """Stores what one poller sees.

    Attributes:
        any_failed: Whether something went wrong with a run since `begin`.
        beaten_at: When it last went on to another run, in seconds of a monotonic clock.
    """

    def __init__(self, bridge: Bridge) -> None:
        self._bridge = bridge
        self._same: dict[str, tuple[int, Observation]] = {}
        self.any_failed = False
        self.beaten_at = time.monotonic()

    def begin(self, rows: Sequence[Any]) -> None:
        """A look at the runs of `rows` begins; all others are forgotten."""
        self.any_failed = False
        wanted = {row.id for row in rows}
        self._same = {id: seen for id, seen in self._same.items() if id in wanted}

    def store(self, rows: Sequence[Any], told: Mapping[str, Observation]) -> bool:
        """Store what differs from the rows; whether anything did.

        Args:
            rows: `id`, `backend_id` and `version` of each run.
            told: Identity on the backend -> what it says.
        """
        changed = False
        for changes in self._changes(rows, told):
            changed = True
            self._together(changes)
        return changed

    def sent_cancel(self, row: Any) -> None:
        """The backend was asked to end this run."""
        with self._bridge.database.transaction() as session:
            self._write(session, row, RunState.RUNNING, cancel_sent=True)

    def alone(self, run_id: str, act: Callable[[], None]) -> None:
        """What goes wrong with one run is tried again at the next look."""
        self.beaten_at = time.monotonic()
        try:
            act()
        except SQLAlchemyError:
            raise
        except LeaseLost:
            _log.info("follow.moved_on", run=run_id)
        except Exception as error:
            expected = isinstance(error, BackendError | OSError)
            _log.warning("follow.run_failed", run=run_id, error=str(error), exc_info=not expected)
            self.any_failed = True

    def _changes(self, rows: Sequence[Any], told: Mapping[str, Observation]) -> Iterator[list[Change]]:
        """Runs of which the backend says something else than their rows, a few at a time."""
        open_to = (
            row.id
            for row in rows
            if (seen := told.get(row.backend_id)) is not None
            and self._same.get(row.id) != (row.version, seen)
        )
        while ids := list(islice(open_to, _READ)):
            self.beaten_at = time.monotonic()
            changes = list(self._differing(ids, told))
            for start in range(0, len(changes), _WRITTEN):
                yield changes[start : start + _WRITTEN]

    def _differing(self, ids: Sequence[str], told: Mapping[str, Observation]) -> Iterator[Change]:
        found = select(Run).where(_run.id.in_(ids), _run.state == RunState.RUNNING)
        with self._bridge.database.read() as session:
            runs = list(session.execute(found.order_by(_run.started_at)).scalars())
        for run in runs:
            seen = told.get(run.backend_id or "")
            if seen is not None and differs(run, seen):
                yield run, seen
            elif seen is not None:
                self._same[run.id] = (run.version, seen)

    def _together(self, changes: Sequence[Change]) -> None:
        """Store a few in one transaction; where that fails, each in its own."""
        try:
            self._store(*changes)
        except SQLAlchemyError:
            raise
        except Exception:
            _log.info("follow.one_by_one", runs=len(changes))
            for change in changes:
                self.alone(change[0].id, partial(self._store, change))

    def _store(self, *changes: Change) -> None:
        self.beaten_at = time.monotonic()
        with self._bridge.database.transaction() as session:
            now = self._bridge.database.now(session)
            for run, seen in changes:
                to, values = self._outcome(run, seen, now)
                self._write(session, run, to, **values)
        reach("follow.stored")

    def _outcome(self, run: Run, seen: Observation, now: float) -> tuple[RunState, dict[str, Any]]:
        """Which state an observation brings a run to, and what is stored with it."""
        values: dict[str, Any] = {
            "steps": to_data(seen.steps),
            "activity": seen.activity,
            "started_at": run.started_at or seen.started_at,
        }
        if seen.state in (JobState.FINISHED, JobState.FAILED):
            values["failure"] = to_data(seen.failure)
            values["result"] = to_data(Result(environment=seen.environment))
            values["backend_ended_at"] = seen.ended_at
            return RunState.COLLECTING, values
        if seen.state == JobState.CANCELLED:
            return RunState.CANCELLED, values
        if seen.state == JobState.LOST:
            return self._lost(run, seen, values, now)
        return RunState.RUNNING, values

    def _lost(
        self, run: Run, seen: Observation, values: dict[str, Any], now: float
    ) -> tuple[RunState, dict[str, Any]]:
        """A run that its backend lost starts again as a new attempt, unless its budget is spent."""
        failure = seen.failure or Failure(kind=FailureKind.INFRASTRUCTURE, message="the backend lost the run")
        if run.wanted == Wanted.CANCEL:
            return RunState.CANCELLED, values
        if not may_try_again(run, self._bridge.settings.limits, no_room=seen.no_room, now=now):
            return RunState.FAILED, values | {"failure": to_data(given_up(run, failure))}
        _log.warning("follow.lost", run=run.id, attempt=run.run_attempt, why=failure.message)
        again = next_attempt(run, resumed(run, seen), no_room=seen.no_room, now=now)
        return RunState.QUEUED, again | {"activity": f"again: {failure.message}"}

    def _write(self, session: Session, run: Any, to: RunState, **values: Any) -> None:
        seen = select(_run.version, func.coalesce(_run.lease_owner, "")).where(_run.id == run.id)
        if tuple(session.execute(seen.with_for_update()).one()) != (run.version, ""):
            return
        (taken,) = take(self._bridge.database, session, Run, [run.id])
        move(self._bridge, session, taken, to, **values)


def differs(run: Run, seen: Observation) -> bool:
    """Whether an observation says anything that the row does not."""
    if seen.state == JobState.QUEUED and run.started_at is not None:
        return False
    if seen.state not in (JobState.RUNNING, JobState.QUEUED):
        return True
    stored: Any = (run.steps or [], run.activity, run.started_at)
    # The first start that was told is kept, so another one is no change.
    started_at = run.started_at or seen.started_at
    return stored != (to_data(seen.steps), seen.activity, started_at)
