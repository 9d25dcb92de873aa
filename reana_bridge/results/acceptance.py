"""Whether somebody's word that a difference is expected covers what a metric shows now."""

import math

from reana_bridge.model.comparisons import Acceptance, MetricComparison, Verdict
from reana_bridge.results.statistics import same


def covers(acceptance: Acceptance, compared: MetricComparison) -> bool:
    """Whether the metric's value now is what was accepted, or between the baseline and that.

    A text, a truth value, a value without a finite baseline and one in another unit are covered only by the
    very same value; a missing metric by nothing.
    """
    if acceptance.metric != compared.name or compared.head is None:
        return False
    accepted, now = acceptance.value, compared.head.value
    if _is_number(accepted) != _is_number(now):
        return False
    if accepted == now or (accepted != accepted and now != now):
        return True
    before = compared.baseline.value if compared.baseline else None
    if before is None or compared.verdict is Verdict.NOT_COMPARABLE:
        return False
    return _is_between(before, now, accepted)


def _is_number(value: float | int | str | bool) -> bool:
    return not isinstance(value, bool | str)


def _is_between(
    before: float | int | str | bool, now: float | int | str | bool, far: float | int | str | bool
) -> bool:
    """Whether `now` lies from `before` on the side of `far`, and no farther (within rounding)."""
    if isinstance(before, bool | str) or isinstance(now, bool | str) or isinstance(far, bool | str):
        return False
    if not all(map(_is_finite, (before, now, far))):
        return False
    low, high = sorted((before, far))
    return low <= now <= high or same(now, far)


def _is_finite(value: float | int) -> bool:
    return isinstance(value, int) or math.isfinite(value)
