"""Rate limits as GitLab applies them: so many requests of one user in a window, with or without headers."""

from collections import defaultdict, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import formatdate
from math import ceil


@dataclass(eq=False, kw_only=True)
class RateLimit:
    """At most `most` requests of one key in any `seconds`.

    Attributes:
        most: Requests.
        seconds: Length of the window.
        name: As in `RateLimit-Name`.
        headers: Whether answers carry `RateLimit-*` and a refusal `Retry-After`; those of GitLab.com do not
            always.
    """

    most: int
    seconds: float
    name: str = "throttle_authenticated_api"
    headers: bool = True
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

    def describe(self, key: str, now: float, *, refused: bool) -> Mapping[str, str]:
        """The headers of an answer; none where `headers` is off."""
        if not self.headers:
            return {}
        seen = self._seen[key]
        reset = (seen[0] if seen else now) + self.seconds
        described = {
            "RateLimit-Name": self.name,
            "RateLimit-Limit": str(self.most),
            "RateLimit-Observed": str(len(seen) + refused),
            "RateLimit-Remaining": str(max(0, self.most - len(seen))),
            "RateLimit-Reset": str(ceil(reset)),
            "RateLimit-ResetTime": formatdate(reset, usegmt=True),
        }
        return described | ({"Retry-After": str(self.wait(key, now))} if refused else {})
