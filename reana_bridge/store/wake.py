"""How a commit wakes the step that has something to do next, without polling.

In one process an event a topic; on PostgreSQL one empty NOTIFY a transaction wakes the other processes,
heard on a connection of its own. Losing a wake is harmless: each step sweeps now and then anyway.
"""

import threading
from collections.abc import Callable, Iterable

import structlog

CHANNEL = "reana_bridge"
_log = structlog.get_logger()


def topic(step: str, forge: str | None) -> str:
    """What the worker of `step` for `forge` waits for; the step's name where one worker is for all."""
    return step if forge is None else f"{step}/{forge}"


class Wake:
    """One event for each topic; a topic is a step's name, or `NAME/...` for one of its several waiters."""

    def __init__(self) -> None:
        self._events: dict[str, threading.Event] = {}
        self._lock = threading.Lock()

    def _event(self, topic: str) -> threading.Event:
        with self._lock:
            return self._events.setdefault(topic, threading.Event())

    def expect(self, topic: str) -> None:
        """Let `topic` be woken from now on, also before the first wait for it."""
        self._event(topic)

    def notify(self, topics: Iterable[str]) -> None:
        """Wake whoever waits for one of `topics` (or is expected to), now or at the next wait.

        A step's name wakes all its waiters; so does `NAME/...` where nobody waits for just that.
        """
        with self._lock:
            for topic in topics:
                for event in self._waiters(topic):
                    event.set()

    def _waiters(self, topic: str) -> list[threading.Event]:
        step, slash, _ = topic.partition("/")
        if slash and topic in self._events:
            return [self._events[topic]]
        return [event for name, event in self._events.items() if name.partition("/")[0] == step]

    def notify_all(self) -> None:
        """Wake everybody."""
        with self._lock:
            for event in self._events.values():
                event.set()

    def wait(self, topic: str, seconds: float) -> bool:
        """Wait until the topic is notified or `seconds` have passed; whether it was notified."""
        event = self._event(topic)
        woken = event.wait(seconds)
        event.clear()
        return woken


class Listener:
    """Hears the NOTIFY of other processes, and wakes everybody after each reconnect."""

    def __init__(self, dsn: str, wake: Wake, *, also: Callable[[], None] = lambda: None) -> None:
        self._dsn = dsn
        self._wake = wake
        self._also = also
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="listen", daemon=True)

    def start(self) -> None:
        """Start to listen, in a thread of its own."""
        self._thread.start()

    def stop(self) -> None:
        """Stop to listen, within about a second."""
        self._stop.set()
        self._thread.join(5)

    def _run(self) -> None:
        import psycopg  # not for SQLite: it takes a fifth of a second and 7 MiB

        while not self._stop.is_set():
            try:
                self._listen()
            except psycopg.Error as error:
                _log.warning("listen.lost", error=str(error).strip())
                self._stop.wait(1)

    def _listen(self) -> None:
        import psycopg

        with psycopg.connect(self._dsn, autocommit=True) as connection:
            connection.execute(f"LISTEN {CHANNEL}")
            self._wake.notify_all()
            while not self._stop.is_set():
                for _ in connection.notifies(timeout=1, stop_after=1):
                    self._wake.notify_all()
                self._also()
