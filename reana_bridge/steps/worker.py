"""The loop around a step: claim due rows, act on them in threads, wait for a wake or the next due time.

Promises: what a step raises is logged with the row and tried again later with growing pauses, never lost;
leases are renewed while the work lasts; `stop` lets the rows at work come to their end.
"""

import random
import threading
import time
from concurrent.futures import Future as Pending
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any, Protocol

import structlog
from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.exc import SQLAlchemyError

from reana_bridge.backends.base import BackendError
from reana_bridge.forges.base import ForgeError
from reana_bridge.store.database import Database
from reana_bridge.store.leases import LEASE_SECONDS, NOW, LeaseLost, is_free, renew, save
from reana_bridge.store.tables import Leased

SWEEP_SECONDS = 15.0
_log = structlog.get_logger()


class Step(Protocol):
    """One verb of the way that a push takes."""

    name: str
    table: Any
    mine: ColumnElement[bool]
    """Which rows of the table are this step's, whenever they are due."""

    def claim(self, limit: int) -> list[Any]:
        """Up to `limit` rows that are due, now leased by this process."""
        ...

    def act(self, row: Any) -> None:
        """Work on one claimed row, and write back what came of it."""
        ...


def pause(attempt: int, *, base: float = 1.0, most: float = 300.0) -> float:
    """Seconds to wait after the `attempt`-th failure: doubling, with jitter, at most `most`."""
    return min(most, base * 2.0 ** min(attempt - 1, 20)) * random.uniform(0.75, 1.25)  # noqa: S311


class Worker:
    """Runs one step in threads of its own.

    Args:
        step: The step.
        database: Where its rows are.
        size: How many rows it works on at once.
        topic: What wakes it; empty for the step's name.
    """

    def __init__(self, step: Step, database: Database, *, size: int, topic: str = "") -> None:
        self.step = step
        self._topic = topic or step.name
        database.wake.expect(self._topic)
        self._database = database
        self._size = size
        self._pool = ThreadPoolExecutor(size, thread_name_prefix=step.name)
        self._active: dict[Pending[None], Leased] = {}
        self._guard = threading.Lock()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._loop, name=step.name, daemon=True)
        self.beaten_at = time.monotonic()
        self._renewed_at = 0.0
        due_at = step.table.due_at
        self._due = select(func.min(due_at)).where(step.mine, due_at > 0, is_free(step.table))
        self._later = select(func.min(due_at)).where(step.mine, due_at > NOW)

    def start(self) -> None:
        """Start the loop."""
        self._thread.start()

    def stop(self, seconds: float) -> None:
        """Claim nothing more, and wait up to `seconds` for what is at work."""
        self._stopping.set()
        self._database.wake.notify([self._topic])
        self._thread.join(5)
        with self._guard:
            pending = list(self._active)
        wait(pending, timeout=seconds)
        self._pool.shutdown(wait=False, cancel_futures=True)

    @property
    def alive(self) -> bool:
        """Whether the loop goes round."""
        return self._thread.is_alive() and time.monotonic() - self.beaten_at < 4 * SWEEP_SECONDS

    def _loop(self) -> None:
        while not self._stopping.is_set():
            self.beaten_at = time.monotonic()
            try:
                self._renew()  # first: with much to do the loop may not come to a rest for long
                seconds = self._sweep()
            except SQLAlchemyError as error:
                _log.error("step.database", step=self.step.name, error=str(error))
                seconds = pause(2)
            except Exception:
                # A defect in one claim must not end the step for good.
                _log.exception("step.claim_failed", step=self.step.name)
                seconds = pause(4)
            if seconds > 0 and not self._stopping.is_set():
                self._database.wake.wait(self._topic, min(seconds, SWEEP_SECONDS))

    def _sweep(self) -> float:
        """Claim as many due rows as there are free threads; seconds until there may be more."""
        with self._guard:
            free = self._size - len(self._active)
        if free <= 0:
            return SWEEP_SECONDS  # the first that is done wakes the loop
        # To look is cheap, to claim is not, and most wakes are of work that is under way already.
        seconds = self._seconds_to(self._due)
        if seconds > 0:
            return seconds
        rows = self.step.claim(free)
        for row in rows:
            with self._guard:
                pending = self._pool.submit(self._act, row)
                self._active[pending] = row
            pending.add_done_callback(self._done)
        # What is due and cannot be had now (it is paused, or its commit is at work) would be found for ever.
        return 0.0 if rows else self._seconds_to(self._later)

    def _seconds_to(self, earliest: Select[Any]) -> float:
        with self._database.engine.connect() as connection:
            now = self._database.now(connection)
            due_at = connection.execute(earliest, {"now": now}).scalar_one_or_none()
            return SWEEP_SECONDS if due_at is None else due_at - now

    def _renew(self) -> None:
        with self._guard:
            ids: list[Any] = [getattr(row, "id", "") for row in self._active.values()]
        soon = time.monotonic() - self._renewed_at > LEASE_SECONDS / 4
        if ids and soon:
            self._renewed_at = time.monotonic()
            with self._database.transaction() as session:
                renew(self._database, session, self.step.table, ids)

    def _done(self, pending: Pending[None]) -> None:
        with self._guard:
            self._active.pop(pending, None)
        self._database.wake.notify([self._topic])

    def _act(self, row: Any) -> None:
        with structlog.contextvars.bound_contextvars(step=self.step.name, row=row.id):
            try:
                self.step.act(row)
            except LeaseLost:
                _log.warning("step.lease_lost")
            except (ForgeError, BackendError) as error:
                # Their own words say what is wrong; a traceback for each try would only hide them.
                seconds = max(pause(row.attempt), getattr(error, "retry_after", None) or 0.0)
                _log.warning("step.again", attempt=row.attempt, retry_in=round(seconds, 1), error=str(error))
                self._retry(row, seconds, error)
            except Exception as error:
                # Whatever a step did not foresee must neither end the loop nor lose the row.
                seconds = pause(row.attempt)
                _log.exception("step.failed", attempt=row.attempt, retry_in=round(seconds, 1))
                self._retry(row, seconds, error)

    def _retry(self, row: Any, seconds: float, error: Exception) -> None:
        """Give the row back; while the database is away, try so as long as the lease lasts."""
        until = time.monotonic() + LEASE_SECONDS
        while True:
            try:
                with self._database.transaction() as session:
                    save(session, row, due_at=self._database.now(session) + seconds)
                return
            except (LeaseLost, SQLAlchemyError) as second:
                if isinstance(second, LeaseLost) or self._stopping.is_set() or time.monotonic() > until:
                    # The lease runs out by itself, then the row is taken up again.
                    _log.warning("step.retry_unsaved", error=str(second), after=str(error))
                    return
            self._stopping.wait(1.0)
