"""GitLab's refusals in our own words: one place that says what an answer means for who asked.

Promises: every error names what was asked for and what the reader can do; a write that may have happened is
`Unanswered`; a wish to be left alone is `RateLimited` with a time, also where GitLab names none.
"""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from reana_bridge.forges.base import CommitGone, ForgeError, ForgeRefused, RateLimited, Unanswered
from reana_bridge.forges.telling import NoAnswer, date_seconds

SHOWN = 300
"""Characters of GitLab's own words in a message."""

LONGEST_WAIT = 3600.0
"""Seconds; a longer wish is not believed."""

_FIRST_WAIT = 10.0
_MOST_WAIT = 300.0


class Answered(Exception):
    """GitLab answered with something else than success; callers that know better than the map look at it.

    Attributes:
        status: The HTTP status.
        said: GitLab's own words, shortened, printable.
        headers: Of the answer.
    """

    def __init__(self, status: int, said: str, headers: Mapping[str, Any]) -> None:
        super().__init__(f"{status}: {said}")
        self.status = status
        self.said = said
        self.headers = headers


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What was asked, for the messages.

    Attributes:
        what: As in "GitLab did not <what>", such as `show the status reana/fit of group/name`.
        right: What the token needs for it, such as `the Developer role`.
        writes: Whether it changes something there.
        repeatable: Whether it may be done twice without harm, so that a lost answer is only a failure.
    """

    what: str
    right: str = "the scope `api`"
    writes: bool = False
    repeatable: bool = False


@dataclass
class Translator:
    """Turns what went wrong into the errors that the steps know.

    Attributes:
        forge: The forge's configured name.
        settled_after: Seconds after which a lost write has surely happened or not.
        clock: UTC seconds.
        chance: A number between 0 and 1.
    """

    forge: str
    settled_after: float
    clock: Callable[[], float]
    chance: Callable[[], float] = field(default=random.random)
    limited: int = 0

    def no_answer(self, asked: Asked, lost: NoAnswer) -> ForgeError:
        """The error for a request without an answer."""
        text = f"forge {self.forge}: no answer when it was to {asked.what} ({lost})"
        if asked.writes and not asked.repeatable and lost.sent:
            return Unanswered(text, settled_after=self.settled_after)
        return ForgeError(text)

    def answered(self, asked: Asked, answer: Answered) -> ForgeError | ForgeRefused:
        """The error for an answer that is no success."""
        status, where = answer.status, f"forge {self.forge}"
        text = f"{where}: GitLab did not {asked.what}: {status} {answer.said}".rstrip()
        if status == 429 or self._is_limit(answer):
            return self._limited(asked, answer)
        if status == 401:
            return ForgeError(
                f"{where}: GitLab does not know our token (401); it was revoked or has expired: "
                f"put a new one into forges.{self.forge}.token"
            )
        if status == 403:
            return ForgeRefused(f"{text}; the token needs {asked.right}")
        if status == 404:
            gone = "commit" in answer.said.lower()
            kind = CommitGone if gone else ForgeRefused
            return kind(f"{text}; it is gone, or the token may not see it (it needs {asked.right})")
        if status >= 500 and asked.writes and not asked.repeatable:
            settled = self.settled_after if status in {502, 504} else min(5.0, self.settled_after)
            return Unanswered(text, settled_after=settled)
        if status >= 500 or status in {408, 409, 423, 425}:
            return ForgeError(text)
        if 300 <= status < 400:
            return ForgeRefused(f"{text}; it has moved: check forges.{self.forge}.url and the project's path")
        return ForgeRefused(text)

    def succeeded(self) -> None:
        """An answer came: the next limit begins with a short wait again."""
        self.limited = 0

    def _is_limit(self, answer: Answered) -> bool:
        """Whether a 403 (or 503) is in truth a limit: GitLab and proxies before it use both."""
        if answer.status not in {403, 503}:
            return False
        words = answer.said.lower()
        spent = str(answer.headers.get("RateLimit-Remaining", "")) == "0"
        return spent or "rate limit" in words or "retry later" in words or "too many" in words

    def _limited(self, asked: Asked, answer: Answered) -> RateLimited:
        seconds = self.wait_of(answer.headers)
        if seconds is None:
            most = min(_MOST_WAIT, _FIRST_WAIT * 2 ** min(self.limited, 10))
            seconds = most * (0.5 + self.chance() / 2)
        self.limited += 1
        text = f"forge {self.forge}: GitLab asks to wait {seconds:.0f} s before it will {asked.what}"
        return RateLimited(text, retry_after=seconds)

    def wait_of(self, headers: Mapping[str, Any]) -> float | None:
        """Seconds that the headers ask to wait; None where they do not say."""
        asked = str(headers.get("Retry-After", "")).strip()
        if asked.isdigit():
            return _sane(float(asked))
        if (at := date_seconds(asked)) is not None:
            return _sane(at - self.clock())
        reset = str(headers.get("RateLimit-Reset", "")).strip()
        return _sane(float(reset) - self.clock()) if reset.isdigit() else None


def _sane(seconds: float) -> float:
    return max(1.0, min(seconds, LONGEST_WAIT))
