"""Brings the webhooks of a forge to their receivers: once, in order, and held back where a test wants it."""

import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any, Generic, TypeVar

import httpx

from reana_bridge.testing.state import ForgeState

HookT = TypeVar("HookT")
AttemptT = TypeVar("AttemptT")
Job = Callable[[httpx.Client], object]


class Sender(Generic[HookT, AttemptT]):
    """Sends for one forge.

    Attributes:
        lanes: How many deliveries go out at the same time; those in one lane go out in order.
        seconds: How long a receiver may take.
        dropped: Asked with a running number before each delivery; True loses it without a trace, as the
            limits of GitLab.com do.
        sent: Every delivery that was tried, oldest first, as (hook, attempt).
    """

    lanes = 1

    def __init__(self, state: ForgeState[Any]) -> None:
        self._state = state
        self.seconds = 10.0
        self.dropped: Callable[[int], bool] = lambda _: False
        self.sent: list[tuple[HookT, AttemptT]] = []
        self._number = 0
        self._held: list[Callable[[], None]] | None = None
        self._waiting = 0
        self._idle = threading.Condition()
        self._queues: list[SimpleQueue[Job | None]] = [SimpleQueue() for _ in range(self.lanes)]
        self._threads = [
            threading.Thread(target=self._work, args=(queue,), daemon=True) for queue in self._queues
        ]

    def start(self) -> None:
        """Begin to send."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Stop after what is being sent now; what waits is lost."""
        for queue in self._queues:
            while not queue.empty():
                queue.get()
            queue.put(None)
        for thread in self._threads:
            thread.join(self.seconds + 5)

    def wait(self, seconds: float = 30.0) -> None:
        """Return when nothing is on its way.

        Raises:
            TimeoutError: Something still is.
        """
        with self._idle:
            if not self._idle.wait_for(lambda: self._waiting == 0, seconds):
                raise TimeoutError(f"{self._waiting} webhooks are still on their way after {seconds:.0f} s")

    def hold(self) -> None:
        """Send nothing until `release`; bodies are made then, and tell of the state of then."""
        self._held = []

    def release(self) -> None:
        """Send what was held."""
        with self._state.lock:
            held, self._held = self._held or [], None
            for send in held:
                send()

    def _due(self, send: Callable[[], None]) -> None:
        """Call `send`, now or at `release`; the lock is held."""
        if self._held is None:
            send()
        else:
            self._held.append(send)

    def _is_dropped(self) -> bool:
        self._number += 1
        return self.dropped(self._number)

    def _queue(self, job: Job, lane: int = 0) -> None:
        with self._idle:
            self._waiting += 1
        self._queues[lane % self.lanes].put(job)

    def _work(self, queue: "SimpleQueue[Job | None]") -> None:
        with httpx.Client(timeout=self.seconds, trust_env=False) as client:
            while (job := queue.get()) is not None:
                try:
                    job(client)
                finally:
                    with self._idle:
                        self._waiting -= 1
                        self._idle.notify_all()
