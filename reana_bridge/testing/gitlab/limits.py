"""Rate limits as GitLab applies them: so many requests of one user in a window, with or without headers."""

from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import formatdate
from math import ceil

from reana_bridge.testing.limits import Window


@dataclass(eq=False, kw_only=True)
class RateLimit(Window):
    """At most `most` requests of one key in any `seconds`.

    Attributes:
        name: As in `RateLimit-Name`.
        headers: Whether answers carry `RateLimit-*` and a refusal `Retry-After`; those of GitLab.com do not
            always.
    """

    name: str = "throttle_authenticated_api"
    headers: bool = True

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
            "RateLimit-Remaining": str(self.left(key)),
            "RateLimit-Reset": str(ceil(reset)),
            "RateLimit-ResetTime": formatdate(reset, usegmt=True),
        }
        return described | ({"Retry-After": str(self.wait(key, now))} if refused else {})
