"""Requests to a fake: as they come, and as its log has them."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote

WRITES = frozenset({"POST", "PUT", "PATCH", "DELETE"})
"""Methods that change something."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A request as it came, before anybody looks who asks.

    Attributes:
        method: Such as `POST`.
        path: Escaped, without the query.
        query: As sent.
        headers: Names in lower case.
        body: Raw.
    """

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def decoded(self) -> str:
        """The path, decoded."""
        return unquote(self.path)

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """The query's names and values, in order."""
        return parse_qsl(self.query, keep_blank_values=True)


@dataclass(frozen=True, kw_only=True)
class Request:
    """A request that was answered (or cut off).

    Attributes:
        method: Such as `POST`.
        path: Decoded, without the query, such as `/api/v4/projects/1/statuses/...`.
        query: As sent; REANA's decoded and without the token.
        user: Who asked: a user name (for REANA an e-mail address), `app` for an App itself, empty for nobody.
        status: Of the answer; 0 where the connection was closed instead.
        applied: Whether the request was carried out.
        kind: `api`, `git` or `web`.
        at: Seconds of a monotonic clock.
    """

    method: str
    path: str
    query: str
    user: str
    status: int
    applied: bool
    kind: str
    at: float
