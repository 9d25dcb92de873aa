"""What became of one metric.

The verdict on a number with baseline value a and value b of this commit:

    same            both whole numbers and equal, or |b - a| <= 1e-9 max(|a|, |b|) (rounding), or both NaN,
                    or the same infinity
    not comparable  a number became a text or a truth value (or the reverse), or the unit changed
    worse           a is a number and b is NaN; or a significant change away from the metric's direction
    better          a significant change towards the metric's direction
    changed         every other difference

With uncertainties on both sides a change is significant from 3 sigma on, where sigma is
(b - a) / sqrt(u_a^2 + u_b^2), which takes the two for independent; below that it is `changed`, and the
explanation says that it is within noise. Without them the spread is unknown: any difference beyond
rounding counts, and the explanation says so. For a metric with a target, better means nearer to it.
Differences are kept in every case, whatever the verdict.
"""

import math
from dataclasses import replace

from reana_bridge.model.comparisons import SIGNIFICANT_SIGMAS, MetricComparison, Verdict
from reana_bridge.model.metrics import Direction, Metric

ROUNDING = 1e-9
"""Relative difference up to which two floats are the same."""


def compare_metric(name: str, baseline: Metric | None, head: Metric | None) -> MetricComparison:
    """The verdict on one metric, without rules."""
    if baseline is None or head is None:
        verdict = Verdict.NEW if baseline is None else Verdict.MISSING
        return MetricComparison(name=name, baseline=baseline, head=head, verdict=verdict)
    bare = MetricComparison(name=name, baseline=baseline, head=head, verdict=Verdict.SAME)
    before, after = _kind(baseline), _kind(head)
    if before != after:
        return _with(bare, Verdict.NOT_COMPARABLE, f"was a {before}, is a {after} now")
    if baseline.unit and head.unit and baseline.unit != head.unit:
        return _with(bare, Verdict.NOT_COMPARABLE, f"unit changed from {baseline.unit} to {head.unit}")
    if before == "number":
        return _compare_numbers(bare, baseline, head)
    if baseline.value == head.value:
        return bare
    return _with(bare, _towards(baseline, head) if before == "truth value" else Verdict.CHANGED)


def _with(bare: MetricComparison, verdict: Verdict, explanation: str = "") -> MetricComparison:
    return replace(bare, verdict=verdict, explanation=explanation)


def _kind(metric: Metric) -> str:
    if isinstance(metric.value, bool):
        return "truth value"
    return "text" if isinstance(metric.value, str) else "number"


def _float(value: float | int | str | bool) -> float:
    try:
        return float(value)
    except OverflowError:  # a whole number beyond the floats
        return math.copysign(math.inf, 1 if isinstance(value, int) and value > 0 else -1)


def _compare_numbers(bare: MetricComparison, baseline: Metric, head: Metric) -> MetricComparison:
    before, after = _float(baseline.value), _float(head.value)
    if math.isnan(before) or math.isnan(after):
        return _compare_nan(bare, before, after)
    if baseline.value == head.value:
        return replace(bare, difference=0.0, relative=_ratio(0.0, before)) if math.isfinite(before) else bare
    if not (math.isfinite(before) and math.isfinite(after)):
        return _compare_infinite(bare, baseline, head)
    return _compare_finite(bare, baseline, head)


def _compare_nan(bare: MetricComparison, before: float, after: float) -> MetricComparison:
    if math.isnan(before) and math.isnan(after):
        return _with(bare, Verdict.SAME, "not a number (NaN) in both")
    if math.isnan(after):
        return _with(bare, Verdict.WORSE, "not a number (NaN) now")
    return _with(bare, Verdict.CHANGED, "was not a number (NaN)")


def _compare_infinite(bare: MetricComparison, baseline: Metric, head: Metric) -> MetricComparison:
    finite_before = math.isfinite(_float(baseline.value))
    explanation = "infinite now" if finite_before else "was infinite"
    verdict = _towards(baseline, head)
    # An infinity is never good news in itself: a fit that diverged is not "higher is better".
    wrong = Verdict.BETTER if finite_before else Verdict.WORSE
    return _with(bare, Verdict.CHANGED if verdict is wrong else verdict, explanation)


def _compare_finite(bare: MetricComparison, baseline: Metric, head: Metric) -> MetricComparison:
    before, after = _float(baseline.value), _float(head.value)
    difference = _difference(baseline.value, head.value)
    if difference is None:
        return _with(bare, _towards(baseline, head), "the difference is too large for a number")
    sigma = _sigma(baseline, head)
    sigmas = difference / sigma if sigma else None
    measured = replace(
        bare,
        difference=difference,
        relative=_ratio(difference, before),
        sigmas=sigmas if sigmas is not None and math.isfinite(sigmas) else None,
    )
    whole = isinstance(baseline.value, int) and isinstance(head.value, int)
    if not whole and abs(difference) <= ROUNDING * max(abs(before), abs(after)):
        return _with(measured, Verdict.SAME, "the same within rounding")
    if sigmas is None:
        return _with(measured, _towards(baseline, head), _why_unknown(baseline, head))
    if abs(sigmas) < SIGNIFICANT_SIGMAS:
        return _with(measured, Verdict.CHANGED, f"{abs(sigmas):.1f} sigma, within noise")
    return _with(measured, _towards(baseline, head), f"{abs(sigmas):.3g} sigma")


def _difference(before: float | int | str, after: float | int | str) -> float | None:
    """After - before, exact for whole numbers; None where no float can hold it."""
    if isinstance(before, int) and isinstance(after, int):
        difference = _float(after - before)
    else:
        difference = _float(after) - _float(before)
    return difference if math.isfinite(difference) else None


def _ratio(difference: float, before: float) -> float | None:
    if before == 0:
        return None
    relative = difference / abs(before)
    return relative if math.isfinite(relative) else None


def _sigma(baseline: Metric, head: Metric) -> float:
    """The standard deviation of the difference; 0 where one side's is unknown or both are 0."""
    if baseline.uncertainty is None or head.uncertainty is None:
        return 0.0
    return math.hypot(baseline.uncertainty, head.uncertainty)


def _why_unknown(baseline: Metric, head: Metric) -> str:
    if head.uncertainty and not baseline.uncertainty:
        return "spread of the baseline unknown"
    if baseline.uncertainty and not head.uncertainty:
        return "uncertainty missing now"
    return "spread unknown"


def _towards(baseline: Metric, head: Metric) -> Verdict:
    """Better or worse by the metric's direction; changed where it has none, or nothing is won or lost."""
    known = head if head.direction is not Direction.NONE else baseline
    before, after = _float(baseline.value), _float(head.value)
    if known.direction is Direction.TARGET and known.target is not None:
        before, after = -abs(before - known.target), -abs(after - known.target)
    elif known.direction is Direction.LOWER:
        before, after = -before, -after
    elif known.direction is not Direction.HIGHER:
        return Verdict.CHANGED
    if before == after:
        return Verdict.CHANGED
    return Verdict.BETTER if after > before else Verdict.WORSE
