"""Keeps this process below a server's limit of requests, and away from it as long as it asks."""

import threading
import time
from collections.abc import Callable


class Limiter:
    """Lets requests pass at an even rate; used by all threads that talk to one server.

    Args:
        rate: Requests a second.
        burst: Requests that may go at once after a rest.
        clock: Seconds, monotonic.
        sleep: Waits so many seconds.
    """

    def __init__(
        self,
        rate: float,
        *,
        burst: int = 4,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._spacing = 1.0 / rate
        self._slack = self._spacing * burst
        self._clock = clock
        self._sleep = sleep
        self._next = clock()
        self._lock = threading.Lock()

    def wait(self, most: float = float("inf")) -> float:
        """Return 0 when the next request may be sent; where that takes more than `most` seconds, how long."""
        with self._lock:
            now = self._clock()
            at = max(self._next, now - self._slack)
            if at - now > most:
                return at - now
            self._next = at + self._spacing
        if at > now:
            self._sleep(at - now)
        return 0.0

    def hold(self, seconds: float) -> None:
        """Let nothing pass for `seconds`: the server said so."""
        with self._lock:
            self._next = max(self._next, self._clock() + seconds)
