"""The kinds of forge whose deliveries are understood: one module a kind, the same three functions each.

A new kind is one module and one line in `KINDS`.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

from webhooks import git, github, gitlab
from webhooks.events import Event


class Kind(Protocol):
    """What a kind's module offers. Order of use: `verify`, then `delivery_id`, then `parse`."""

    HARMLESS_HEADERS: frozenset[str]
    """Names, in lower case, of the headers that may be stored: never tokens, never signatures."""

    def verify(self, headers: Mapping[str, str], body: bytes, *, secrets: Sequence[str], now: float) -> None:
        """Return when one of `secrets` proves that the forge sent exactly this.

        Args:
            headers: As received; names in any case.
            body: The raw bytes.
            secrets: All that are valid now; with none, everything is refused.
            now: UTC seconds since the epoch.

        Raises:
            Unverified: It is not proven, and why; nothing else is ever raised.
        """
        ...

    def delivery_id(self, headers: Mapping[str, str], body: bytes) -> str | None:
        """The forge's identity of this delivery, stable when it is sent again; None where there is none."""
        ...

    def parse(self, headers: Mapping[str, str], body: bytes) -> Event:
        """What an authentic delivery means; `Ignored` where it means nothing. Never raises."""
        ...


KINDS: Mapping[str, Kind] = {"git": git, "gitlab": gitlab, "github": github}
"""Kind -> module, as in `kind = "git"` of the settings."""


def harmless(kind: Kind, headers: Mapping[str, str]) -> dict[str, str]:
    """Those of `headers` that may be stored, names in lower case."""
    return {name.lower(): value for name, value in headers.items() if name.lower() in kind.HARMLESS_HEADERS}
