"""Keeps the bridge below a server's limit of requests, and away from it as long as it asks."""

import threading
import time
from collections.abc import Callable
from typing import Protocol


class Pace(Protocol):
    """A pace that several processes keep together."""

    def reserve(self, spacing: float, slack: float) -> float:
        """Take the next moment; seconds until it comes."""
        ...

    def hold(self, seconds: float) -> None:
        """No moment before that."""
        ...


class Limiter:
    """Lets requests pass at an even rate; used by all threads that talk to one server.

    A request that passes late, since the machine was busy, makes the next ones later: a server counts when
    they come, not when they should have.

    Args:
        rate: Requests a second, of all processes together where they share a pace.
        burst: Requests that may go at once after a rest.
        clock: Seconds, monotonic.
        sleep: Waits so many seconds.

    Attributes:
        shared: The pace of all processes; None where this is the only one.
    """

    def __init__(
        self,
        rate: float,
        *,
        burst: int = 2,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.shared: Pace | None = None
        self._spacing = 1.0 / rate
        self._slack = self._spacing * burst
        self._clock = clock
        self._sleep = sleep
        self._next = clock()
        self._lock = threading.Lock()
        self._turns = threading.Lock()

    def wait(self, most: float = float("inf")) -> float:
        """Return 0 when the next request may be sent; where that takes more than `most` seconds, how long."""
        with self._turns:
            left = self._own(most)
            if left > 0 or self.shared is None:
                return left
            left = self.shared.reserve(self._spacing, self._slack)
            if left > most:
                return left
            if left > 0:
                self._sleep(left)
            return 0.0

    def _own(self, most: float) -> float:
        """Wait for this process' own turn."""
        now = self._clock()
        while True:
            with self._lock:
                at = max(self._next, now - self._slack)
                if at <= now:
                    self._next = at + self._spacing
                    return 0.0
            if at - now > most:
                return at - now
            self._sleep(at - now)
            now = max(self._clock(), at)

    def hold(self, seconds: float) -> None:
        """Let nothing pass for `seconds`: the server said so."""
        with self._lock:
            self._next = max(self._next, self._clock() + seconds)
        if self.shared is not None:
            self.shared.hold(seconds)
