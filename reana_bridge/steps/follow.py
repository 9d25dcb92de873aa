"""Follow: ask each backend for all of its runs at once, store what changed, hand over what ended.

One poller for each account of a backend (a local backend's: one a host) over all processes, by a named lock.
It looks often while something is about to change and seldom otherwise.
"""

import random
import threading
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from functools import partial
from typing import Any, cast

import structlog
from sqlalchemy import ColumnElement, func, select
from sqlalchemy.exc import SQLAlchemyError

from reana_bridge.backends.base import Backend, BackendError, JobState, Observation
from reana_bridge.crashpoints import reach
from reana_bridge.model.polling import Outlook, seconds_to_next_look
from reana_bridge.model.runs import RunState, Wanted
from reana_bridge.steps.bridge import Bridge
from reana_bridge.steps.following import Following
from reana_bridge.steps.worker import SWEEP_SECONDS, pause
from reana_bridge.store.leases import hold, release
from reana_bridge.store.tables import Run

_TURN_SECONDS, _LOCK_SECONDS = 30.0, 15.0
"""The lock is held for a turn, and for so long beyond the next one's begin."""

_CANCEL_SECONDS = 8.0
_OTHERS_SECONDS = 5.0
"""Between two tries to take over what another process does."""

_FASTEST, _SLOWEST, _AFTER_FAILURE = 0.05, 1.0, 5.0
_REST, _REST_OF_CORE = 2.0, 30.0
"""After a look over a network the next one waits for so many times what it took: seconds, processor time."""

_log = structlog.get_logger()
_run = cast(Any, Run)


class Follow:
    """The poller of one account of a backend.

    Args:
        bridge: Settings and database.
        backend: Whose runs are followed.
        account: One of the backend's `accounts`; empty for the runs of none of them.
    """

    name = "follow"

    def __init__(self, bridge: Bridge, backend: Backend, account: str = "") -> None:
        self._bridge = bridge
        self._backend = backend
        self._account = account
        self._host = bridge.host if backend.kind == "local" else ""
        self.title = f"follow {backend.name} {account}".rstrip()
        self._topic = f"follow/{backend.name}/{account}"
        bridge.database.wake.expect(self._topic)
        self._lock = f"{self._topic}@{self._host}"
        self._is_remote = hasattr(backend, "poll_bounds")
        self._fastest, self._slowest = getattr(backend, "poll_bounds", (_FASTEST, _SLOWEST))
        self._apart = self._due = self._held_until = 0.0
        self._changed_at = time.monotonic()
        self._failures = 0
        self._known: set[str] = set()
        self._following = Following(bridge)
        self._unwatch: Callable[[], None] = lambda: None
        self._told = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._loop, name=self.title, daemon=True)

    def start(self) -> None:
        """Start to poll, in a thread of its own; a backend that can tell of changes wakes it."""
        watch = getattr(self._backend, "watch", None)
        if watch is not None:
            self._unwatch = watch(self._wake)
        self._thread.start()

    def stop(self, seconds: float) -> None:
        """Stop after the poll at work, within `seconds`; then another process may take over."""
        self._stopping.set()
        self._bridge.database.wake.notify([self._topic])
        self._thread.join(seconds)
        self._unwatch()

    @property
    def alive(self) -> bool:
        """Whether the loop goes round."""
        silent = time.monotonic() - self._following.beaten_at
        return self._thread.is_alive() and silent < 4 * SWEEP_SECONDS

    def _wake(self, _identity: str) -> None:
        self._told.set()
        self._bridge.database.wake.notify([self._topic])

    # -- when --

    def _loop(self) -> None:
        while not self._stopping.is_set():
            self._following.beaten_at = time.monotonic()
            try:
                seconds = self._turn()
            except (BackendError, SQLAlchemyError) as error:
                seconds = self._after_failure()
                _log.warning("follow.failed", poller=self.title, error=str(error))
            except Exception:
                seconds = self._after_failure()
                _log.exception("follow.failed", poller=self.title)
            # What it stores wakes it too: however often that is, a server is left alone for a while.
            self._stopping.wait(min(self._apart, seconds))
            self._bridge.database.wake.wait(self._topic, max(0.0, seconds - self._apart))
        self._let_go()

    def _after_failure(self) -> float:
        self._failures += 1
        seconds = pause(self._failures, most=60)
        self._apart, self._due = min(seconds, SWEEP_SECONDS), time.monotonic() + seconds
        return min(seconds, SWEEP_SECONDS)

    def _turn(self) -> float:
        """Look where it is time to, or something is new; seconds until the next turn."""
        if not self._hold(_TURN_SECONDS):
            self._apart = _OTHERS_SECONDS
            return _OTHERS_SECONDS
        rows = self._rows()
        told = self._told.is_set()
        left = self._due - time.monotonic()
        if left > 0 and (self._failures or not (told or self._is_news(rows))):
            return min(left, SWEEP_SECONDS)
        self._told.clear()
        seconds = self._look(rows)
        self._failures, self._due = 0, time.monotonic() + seconds
        self._hold(seconds + _LOCK_SECONDS)
        return seconds

    def _is_news(self, rows: Sequence[Any]) -> bool:
        return any(row.id not in self._known or _is_to_cancel(row) for row in rows)

    def _hold(self, seconds: float) -> bool:
        """Take or keep the right to follow, for at least `seconds`."""
        if self._bridge.database.is_sqlite:  # one process: nobody to share with
            return True
        if time.monotonic() + seconds > self._held_until:
            longer = 1.5 * seconds
            until = time.monotonic() + longer
            held = hold(self._bridge.database, self._lock, seconds=longer)
            self._held_until = until if held else 0.0
        return self._held_until > 0

    def _let_go(self) -> None:
        if self._held_until > 0:
            try:
                release(self._bridge.database, self._lock)
            except SQLAlchemyError as error:  # it ends by itself
                _log.warning("follow.not_released", poller=self.title, error=str(error))

    # -- what --

    def poll(self) -> float:
        """Look at all runs once; seconds until the next look."""
        return self._look(self._rows())

    def _look(self, rows: Sequence[Any]) -> float:
        began, used = time.monotonic(), time.thread_time()
        self._following.begin(rows)
        self._known = {row.id for row in rows}
        if not rows:
            self._apart = 0.0
            return SWEEP_SECONDS
        self._cancel([row for row in rows if _is_to_cancel(row)])
        told = self._backend.follow([row.backend_id or "" for row in rows])
        took, used = time.monotonic() - began, time.thread_time() - used
        if self._following.store(rows, told):
            self._changed_at = time.monotonic()
        # However many runs there are, looking at them takes a small part of the time and of a core.
        rest = max(took * _REST, used * _REST_OF_CORE) if self._is_remote else 0.0
        least = min(self._slowest, max(self._fastest, rest))
        self._apart = least if self._is_remote else 0.0
        if self._following.any_failed:
            return max(_AFTER_FAILURE, least)
        quiet = time.monotonic() - self._changed_at
        outlook = _outlook(rows, told.values())
        seconds = seconds_to_next_look(outlook, quiet, least=least, most=self._slowest)
        return seconds * random.uniform(0.9, 1.1)  # noqa: S311 - bridges do not look all at once

    def _rows(self) -> Sequence[Any]:
        """The runs to follow, without what is large in them."""
        columns = (_run.id, _run.backend_id, _run.version, _run.wanted, _run.cancel_sent)
        mine = (_run.state == RunState.RUNNING, _run.backend == self._backend.name, _run.host == self._host)
        with self._bridge.database.read() as session:
            found = select(*columns).where(*mine, *self._of_account()).order_by(_run.started_at)
            return session.execute(found).all()

    def _of_account(self) -> Iterator[ColumnElement[bool]]:
        if self._account:
            yield _is_of(self._account)
        else:
            yield from (~_is_of(name) for name in getattr(self._backend, "accounts", ()))

    def _cancel(self, rows: Sequence[Any]) -> None:
        until = time.monotonic() + _CANCEL_SECONDS
        for row in rows:
            if time.monotonic() > until:  # the others have their turn; these are news again
                return
            self._following.alone(row.id, partial(self._cancel_one, row))

    def _cancel_one(self, row: Any) -> None:
        self._backend.cancel(row.backend_id or "")
        reach("follow.cancelled")
        self._following.sent_cancel(row)


def _is_of(account: str) -> ColumnElement[bool]:
    # Not LIKE, which does not tell `a` from `A` on SQLite.
    return func.substr(_run.backend_id, 1, len(account) + 1) == f"{account}/"


def _is_to_cancel(row: Any) -> bool:
    return row.wanted == Wanted.CANCEL and not row.cancel_sent


def _outlook(rows: Sequence[Any], told: Collection[Observation]) -> Outlook:
    if any(row.cancel_sent for row in rows) or any(one.soon for one in told):
        return Outlook.SOON
    return Outlook.RUNNING if any(one.state == JobState.RUNNING for one in told) else Outlook.QUEUED
