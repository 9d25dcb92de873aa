"""How far apart two numbers may be, by the rule on a file and on its parts.

|head - baseline| <= absolute + relative * |baseline|, as `numpy.testing.assert_allclose` has it. Without a
rule, numbers with a decimal point may differ by rounding (`ROUNDING`) and whole numbers not at all. NaN
agrees with NaN, an infinity with itself.
"""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from reana_bridge.model.analyses import FileRule, PartRule
from reana_bridge.results.hints import name_matcher

ROUNDING = 1e-9
"""Relative difference up to which floating-point numbers without a rule are taken for the same."""
THREE_SIGMA = 0.0027
"""Two-sided chance of three standard deviations: histograms without a rule differ below it."""
MAX_DIGITS = 300
"""Longest whole number that is read as one; a longer one is a text."""

Number = float | int

_WHOLE = re.compile(r"[-+]?\d++")
_NUMBER = re.compile(
    r"\s*+[-+]?+(?:(?:\d++(?:\.\d*+)?+|\.\d++)(?:[eE][-+]?+\d++)?+|nan|inf(?:inity)?+)\s*+", re.IGNORECASE
)


@dataclass(frozen=True, kw_only=True)
class Tolerance:
    """How far apart two numbers may be.

    Attributes:
        absolute: Largest |difference|, added to `relative`.
        relative: Largest |difference| / |baseline|, as a fraction.
        whole: Whether whole numbers may differ too.
        p_value: The smallest chance at which two histograms still agree.
        corrected: Whether a histogram differs only if it also stands among all of its file.
        by_chance: Whether `p_value` decides on histograms even where `absolute` or `relative` are given.
    """

    absolute: float = 0.0
    relative: float = ROUNDING
    whole: bool = False
    p_value: float = THREE_SIGMA
    corrected: bool = True
    by_chance: bool = True

    def allows(self, baseline: Number, head: Number) -> bool:
        """Whether `head` is near enough to `baseline`."""
        if baseline == head or (baseline != baseline and head != head):
            return True
        if not self.whole and isinstance(baseline, int) and isinstance(head, int):
            return False
        gap = abs(head - baseline)
        # An infinity is within no relative distance of anything but itself.
        return math.isfinite(gap) and gap <= self.absolute + self.relative * abs(baseline)


class Tolerances:
    """The tolerance of each part of a file.

    Args:
        rule: The rule on the file; None where there is none.
    """

    def __init__(self, rule: FileRule | None = None) -> None:
        self._ignored = [name_matcher(pattern) for pattern in rule.ignore] if rule else []
        self._parts = [(name_matcher(part.name), _tolerance(part)) for part in rule.parts] if rule else []
        self.default = _tolerance(rule) if rule else Tolerance()
        self.of: Callable[[str], Tolerance | None] = lru_cache(maxsize=100_000)(self._of)
        """The tolerance of the part with this name; None where it is not looked at."""

    def _of(self, name: str) -> Tolerance | None:
        if any(matches(name) for matches in self._ignored):
            return None
        return next((tolerance for matches, tolerance in self._parts if matches(name)), self.default)


def _tolerance(rule: FileRule | PartRule) -> Tolerance:
    given = rule.absolute is not None or rule.relative is not None
    return Tolerance(
        absolute=rule.absolute or 0.0,
        relative=(rule.relative or 0.0) if given else ROUNDING,
        whole=given,
        p_value=THREE_SIGMA if rule.p_value is None else rule.p_value,
        corrected=rule.p_value is None,
        by_chance=rule.p_value is not None or not given,
    )


def number(text: str) -> Number | None:
    """The number that `text` is, whole ones as `int`; None where it is none."""
    if not _NUMBER.fullmatch(text):
        return None
    word = text.strip()
    if _WHOLE.fullmatch(word):
        return int(word) if len(word) <= MAX_DIGITS else None
    return float(word)


def relative_gap(baseline: Number, head: Number) -> float:
    """|head - baseline| / |baseline|; infinite from 0 and where either is no finite number."""
    if baseline == head or (baseline != baseline and head != head):
        return 0.0
    gap = abs(head - baseline)
    return float(gap / abs(baseline)) if baseline and math.isfinite(gap) else math.inf
