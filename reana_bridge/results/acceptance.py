"""Whether somebody's word that a difference is expected covers what a metric, or a file, shows now."""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

from reana_bridge.model.comparisons import Acceptance, FileComparison, MetricComparison, Verdict
from reana_bridge.results.statistics import same

_Compared = TypeVar("_Compared", MetricComparison, FileComparison)
_Value = float | int | str | bool


def accepted(compared: _Compared, acceptances: Sequence[Acceptance]) -> _Compared:
    """The same, each rule that it breaks with the first of `acceptances` that covers it."""
    broken = any(outcome.broken for outcome in compared.rules)
    covering = next((one for one in acceptances if broken and covers(one, compared)), None)
    if covering is None:
        return compared
    rules = [replace(outcome, accepted=covering) if outcome.broken else outcome for outcome in compared.rules]
    return replace(compared, rules=tuple(rules))


def covers(acceptance: Acceptance, compared: MetricComparison | FileComparison) -> bool:
    """Whether what is there now is what was accepted; of a number, or between the baseline and that.

    A file, a text, a truth value, a value without a finite baseline and one in another unit are covered only
    by the very same; what is missing only where it was missing when it was accepted.
    """
    if isinstance(compared, FileComparison):
        return (acceptance.metric, acceptance.value) == (compared.path, compared.head_digest or None)
    if acceptance.metric != compared.name:
        return False
    far, now = acceptance.value, compared.head.value if compared.head else None
    if far is None or now is None:
        return far is now
    if _is_number(far) != _is_number(now):
        return False
    if far == now or (far != far and now != now):
        return True
    before = compared.baseline.value if compared.baseline else None
    if before is None or compared.verdict is Verdict.NOT_COMPARABLE:
        return False
    return _is_between(before, now, far)


def _is_number(value: _Value) -> bool:
    return not isinstance(value, bool | str)


def _is_between(before: _Value, now: _Value, far: _Value) -> bool:
    """Whether `now` lies from `before` on the side of `far`, and no farther (within rounding)."""
    if isinstance(before, bool | str) or isinstance(now, bool | str) or isinstance(far, bool | str):
        return False
    if not all(map(_is_finite, (before, now, far))):
        return False
    low, high = sorted((before, far))
    return low <= now <= high or same(now, far)


def _is_finite(value: float | int) -> bool:
    return isinstance(value, int) or math.isfinite(value)
