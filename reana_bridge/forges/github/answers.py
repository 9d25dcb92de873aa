"""What GitHub answered, and what a refusal means for who asked.

Promises: every error says what was to be done, what GitHub said and what the reader can do; a write that may
have happened is `Unanswered`; a wish to be left alone is `RateLimited` with a time, also where none is named.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast

from reana_bridge.forges.base import Allowance, CommitGone, ForgeError, ForgeRefused, RateLimited, Unanswered
from reana_bridge.forges.telling import NoAnswer, date_seconds

LONGEST_WAIT = 3600.0
"""Seconds; GitHub's limits begin anew every hour, a longer wish is not believed."""

SECONDARY_WAIT = 60.0
"""Seconds to wait where GitHub names no time; its documentation asks for a minute."""

_SHOWN = 300


@dataclass(frozen=True, kw_only=True)
class Answer:
    """An answer: its status, its headers (names in lower case), and its JSON (None for none)."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    data: Any = None

    @property
    def said(self) -> str:
        """GitHub's own words, on one line, shortened."""
        errors = [text(item, "message") or str(item) for item in each(self.data, "errors")]
        whole = ": ".join(filter(None, [text(self.data, "message"), "; ".join(errors)]))
        printable = "".join(c if c.isprintable() else " " for c in whole)
        return " ".join(printable.split())[:_SHOWN]


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What was to be done, for messages: `what` as in "GitHub did not <what>"; `right` what it needs."""

    what: str
    right: str
    writes: bool


def inner(data: Any, *names: str) -> Any:
    """What lies below `names` in `data`; None where the way ends early."""
    for name in names:
        if not isinstance(data, dict):
            return None
        data = cast(dict[str, Any], data).get(name)
    return data


def text(data: Any, *names: str) -> str:
    """The text below `names`; empty where there is none."""
    value = inner(data, *names)
    return value if isinstance(value, str) else ""


def number(data: Any, *names: str) -> int | None:
    """The whole number below `names`; None where there is none."""
    value = inner(data, *names)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def identity(data: Any, *names: str) -> str:
    """The id below `names` as text; empty where there is none."""
    value = number(data, *names)
    return "" if value is None else str(value)


def seconds(data: Any, *names: str) -> float | None:
    """UTC seconds of the time below `names`; None where there is none."""
    try:
        return datetime.fromisoformat(text(data, *names)).timestamp()
    except ValueError:
        return None


def each(data: Any, *names: str) -> Iterator[Any]:
    """The items of the list below `names`; none where there is no list."""
    value = inner(data, *names)
    yield from cast(list[Any], value) if isinstance(value, list) else []


def allowance(headers: Mapping[str, str]) -> Allowance | None:
    """What the answer's headers say of the rate limit; None where they do not."""
    remaining, limit = _amount(headers, "x-ratelimit-remaining"), _amount(headers, "x-ratelimit-limit")
    if remaining is None or limit is None:
        return None
    return Allowance(
        remaining=int(remaining), limit=int(limit), reset_at=_amount(headers, "x-ratelimit-reset")
    )


def lost(asked: Asked, no_answer: NoAnswer, *, forge: str, settled_after: float) -> ForgeError:
    """The error for a request without an answer."""
    message = f"forge {forge}: no answer when it was to {asked.what} ({no_answer})"
    if asked.writes and no_answer.sent:
        return Unanswered(message, settled_after=settled_after)
    return ForgeError(message)


def refusal(
    asked: Asked, answer: Answer, *, forge: str, settled_after: float, now: float
) -> ForgeError | ForgeRefused:
    """The error for an answer that is no success; `now` is UTC seconds."""
    status = answer.status
    message = f"forge {forge}: GitHub did not {asked.what}: {status} {answer.said}".rstrip()
    if is_limit(answer):
        wait = _wait(answer.headers, now)
        return RateLimited(f"{message}; it wants to be left alone for {wait:.0f} s", retry_after=wait)
    if status == 401:
        # Not for ever: somebody will put a new one there, and what waits is posted then.
        return ForgeError(
            f"forge {forge}: GitHub does not take our token or App key ({status}); it was revoked or has "
            f"expired: put a new one into forges.{forge}"
        )
    if status == 403:
        return ForgeRefused(f"{message}; it needs {asked.right}")
    if status in {404, 410}:
        return ForgeRefused(f"{message}; it is gone, or we may not see it (needs {asked.right})")
    if status == 422 and "no commit found" in answer.said.lower():
        return CommitGone(message)
    if status >= 500 and asked.writes:
        return Unanswered(message, settled_after=settled_after)
    if status >= 500 or status in {408, 409, 423, 425} or status < 400:
        return ForgeError(message)
    return ForgeRefused(message)


def is_limit(answer: Answer) -> bool:
    """Whether it is a rate limit, the secondary one too, which comes as 403."""
    if answer.status == 429:
        return True
    if answer.status != 403:
        return False
    headers = answer.headers
    exhausted = headers.get("x-ratelimit-remaining") == "0" or "retry-after" in headers
    return exhausted or "rate limit" in answer.said.lower()


def _wait(headers: Mapping[str, str], now: float) -> float:
    asked = _amount(headers, "retry-after")
    if asked is None and headers.get("x-ratelimit-remaining") == "0":
        reset_at = _amount(headers, "x-ratelimit-reset")
        # By the forge's own clock, as ours may differ; a second on top, as it counts whole ones.
        asked = None if reset_at is None else reset_at - (date_seconds(headers.get("date")) or now) + 1
    return min(max(1.0, SECONDARY_WAIT if asked is None else asked), LONGEST_WAIT)


def _amount(headers: Mapping[str, str], name: str) -> float | None:
    try:
        return float(headers[name])
    except (KeyError, ValueError):
        return None
