"""A task done now and then, by one process at a time."""

import threading
import time
from collections.abc import Callable

import structlog

from reana_bridge.store.database import Database
from reana_bridge.store.leases import hold

_log = structlog.get_logger()


class Periodic:
    """Calls `task` every `seconds`, in a thread of its own, while this process holds the lock `name`.

    Args:
        name: Of the lock, and in the log.
        task: Called without arguments; what it raises is logged, and it is called again at the next turn.
        database: Where the lock is.
        seconds: Between two turns.
    """

    def __init__(self, name: str, task: Callable[[], None], database: Database, *, seconds: float) -> None:
        self.name = name
        self._task = task
        self._database = database
        self._seconds = seconds
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._loop, name=name, daemon=True)
        self.beaten_at = time.monotonic()

    def start(self) -> None:
        """Start the turns."""
        self._thread.start()

    def stop(self, seconds: float) -> None:
        """Stop after the turn at work, within `seconds`."""
        self._stopping.set()
        self._thread.join(seconds)

    @property
    def alive(self) -> bool:
        """Whether the thread lives."""
        return self._thread.is_alive()

    def _loop(self) -> None:
        # The first turn comes soon: after a start there is something to catch up on.
        wait = min(1.0, self._seconds)
        while not self._stopping.wait(wait):
            wait = self._seconds
            try:
                if hold(self._database, f"periodic:{self.name}", seconds=self._seconds * 1.5):
                    self._task()
            except Exception:
                _log.exception("periodic.failed", task=self.name)
