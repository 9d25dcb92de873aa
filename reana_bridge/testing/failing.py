"""Failures on demand: which requests go wrong, how, and how often."""

import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class How(StrEnum):
    """When a failure strikes.

    `BEFORE`: nothing is done, the error is answered. `AFTER`: it is done, the error is answered all the
    same. `CLOSE_BEFORE` and `CLOSE_AFTER`: the connection is closed instead of an answer. `HANG_AFTER`: it
    is done, and no answer comes for `seconds`. `SLOW`: a right answer, `seconds` later.
    `HELD`: it is done, and rightly answered, once `Failure.let_go` was called, whether or not somebody still
    waits for the answer.
    """

    BEFORE = "before"
    AFTER = "after"
    CLOSE_BEFORE = "close_before"
    CLOSE_AFTER = "close_after"
    HANG_AFTER = "hang_after"
    SLOW = "slow"
    HELD = "held"

    @property
    def is_late(self) -> bool:
        """Whether nothing goes wrong with the request but that it takes its time."""
        return self in {How.SLOW, How.HELD}

    @property
    def applies(self) -> bool:
        """Whether the request is carried out."""
        return self not in {How.BEFORE, How.CLOSE_BEFORE}


@dataclass(eq=False, kw_only=True)
class Failure:
    """One rule.

    Attributes:
        method: Such as `POST`; `*` for every one.
        path: A pattern found anywhere in `/path?query` (decoded).
        how: When it strikes.
        times: How often still; None for ever.
        status: Of the answer.
        headers: Of the answer, such as `Retry-After`.
        body: Of the answer.
        seconds: To wait (`HANG_AFTER`, `SLOW`).
        struck: How often it did.
        held: Whether requests still wait (`HELD`).
    """

    method: str
    path: re.Pattern[str]
    how: How
    times: int | None
    status: int
    headers: Mapping[str, str]
    body: str
    seconds: float
    struck: int = 0
    held: bool = True

    def let_go(self) -> None:
        """What was held is done now."""
        self.held = False


@dataclass(eq=False)
class Failures:
    """All rules; the first that fits counts."""

    rules: list[Failure] = field(default_factory=list[Failure])
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, method: str, target: str) -> Failure | None:
        """The rule for this request, counted; None where it goes well."""
        with self._lock:
            for rule in self.rules:
                if rule.method in {"*", method} and rule.times != 0 and rule.path.search(target):
                    rule.struck += 1
                    rule.times = None if rule.times is None else rule.times - 1
                    return rule
        return None

    def add(self, rule: Failure) -> Failure:
        """Apply a rule from now on."""
        with self._lock:
            self.rules.append(rule)
        return rule

    def clear(self) -> None:
        """Forget all rules, and let go what they hold."""
        with self._lock:
            for rule in self.rules:
                rule.let_go()
            self.rules.clear()
