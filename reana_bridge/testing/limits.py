"""A rate limit in a sliding window: so many requests of one key in so many seconds."""

from collections import defaultdict, deque
from dataclasses import dataclass, field
from math import ceil


@dataclass(eq=False, kw_only=True)
class Window:
    """At most `most` requests of one key in any `seconds`.

    Attributes:
        most: Requests.
        seconds: Length of the window.
    """

    most: int
    seconds: float
    _seen: dict[str, deque[float]] = field(default_factory=lambda: defaultdict[str, deque[float]](deque))

    def take(self, key: str, now: float) -> bool:
        """Count a request; whether it is within the limit. A refused one is not counted."""
        seen = self._seen[key]
        while seen and seen[0] <= now - self.seconds:
            seen.popleft()
        if len(seen) >= self.most:
            return False
        seen.append(now)
        return True

    def left(self, key: str) -> int:
        """Requests of `key` that are still within the limit."""
        return max(0, self.most - len(self._seen[key]))

    def wait(self, key: str, now: float) -> int:
        """Whole seconds until the next request of `key` is within the limit."""
        seen = self._seen[key]
        return max(1, ceil(seen[0] + self.seconds - now)) if len(seen) >= self.most else 0
