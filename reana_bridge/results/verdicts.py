"""What became of one metric.

The verdict on a number with baseline value a and value b of this commit:

    same            both whole numbers and equal, or |b - a| <= 1e-9 max(|a|, |b|) (rounding), or both NaN,
                    or the same infinity
    not comparable  a number became a text or a truth value (or the reverse), or the unit changed
    worse           a is a number and b is NaN; or a change away from the metric's direction
    better          a change towards the metric's direction
    changed         every other difference

A change within noise is `changed`, whatever its direction. Noise is what the metric's own uncertainties let
expect, where both sides have them; else the spread of the last runs on the default branch, where it is known.
A change is more than that beyond 3 sigma (p < 0.0027), and where it stands among all tests of the report,
which `correction.py` sees to. Where nothing is known of the noise, the difference is shown by its direction
and the explanation says that the spread is unknown: it is not judged. For a metric with a target, better
means nearer to it. Differences are kept in every case, whatever the verdict.
"""

import math
from collections.abc import Callable
from dataclasses import replace

from reana_bridge.model.analyses import HistoryTest
from reana_bridge.model.comparisons import SIGNIFICANT_SIGMAS, MetricComparison, Test, Verdict
from reana_bridge.model.metrics import Direction, Metric
from reana_bridge.results.histories import Samples
from reana_bridge.results.significance import PULL, against, measured_words, pull
from reana_bridge.results.statistics import ROUNDING

HISTORY_RUNS = 50
"""How many of the last runs on the default branch tell the spread of a metric."""
MINIMUM_RUNS = 8
"""With fewer of them the spread is unknown."""

Testing = Callable[[Metric, Metric], Test | None]
"""Makes the test of two metrics with finite numbers: the baseline's and this commit's; None for no test."""


def chosen_test(samples: Samples | None = None, *, correlation: float = 0.0) -> Testing:
    """The test that every number gets: by its own uncertainties, or else by the default branch's history.

    Args:
        samples: What the default branch had; None where it was not looked at.
        correlation: Between the uncertainties of the two sides.
    """

    def test(baseline: Metric, head: Metric) -> Test | None:
        made = pull(baseline, head, sigmas=SIGNIFICANT_SIGMAS, correlation=correlation)
        if made is not None or samples is None:
            return made
        sample = samples.of(head, HISTORY_RUNS)
        if not sample.values:
            return None
        value = float(head.value)
        return against(HistoryTest.T, value, sample, sigmas=SIGNIFICANT_SIGMAS, minimum_runs=MINIMUM_RUNS)

    return test


_BY_UNCERTAINTIES = chosen_test()


def compare_metric(
    name: str, baseline: Metric | None, head: Metric | None, test: Testing = _BY_UNCERTAINTIES
) -> MetricComparison:
    """The verdict on one metric, without rules and before the correction for many tests.

    Args:
        name: The metric's name.
        baseline: The baseline's; None where it has none.
        head: This commit's; None where it has none.
        test: Makes the test that tells a change from noise.
    """
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
        return _compare_numbers(bare, baseline, head, test)
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


def _compare_numbers(
    bare: MetricComparison, baseline: Metric, head: Metric, test: Testing
) -> MetricComparison:
    before, after = _float(baseline.value), _float(head.value)
    if math.isnan(before) or math.isnan(after):
        return _compare_nan(bare, before, after)
    if math.isfinite(before) and math.isfinite(after):
        return _compare_finite(bare, baseline, head, test)
    if baseline.value == head.value:
        return bare
    return _compare_infinite(bare, baseline, head)


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


def _compare_finite(
    bare: MetricComparison, baseline: Metric, head: Metric, test: Testing
) -> MetricComparison:
    before, after = _float(baseline.value), _float(head.value)
    difference = _difference(baseline.value, head.value)
    if difference is None:
        return _with(bare, _towards(baseline, head), "the difference is too large for a number")
    made = test(baseline, head)
    equal = baseline.value == head.value
    whole = isinstance(baseline.value, int) and isinstance(head.value, int)
    if equal:
        verdict, explanation = Verdict.SAME, ""
    elif not whole and abs(difference) <= ROUNDING * max(abs(before), abs(after)):
        verdict, explanation = Verdict.SAME, "the same within rounding"
    else:
        verdict, explanation = _by_test(made, difference, baseline, head)
    return MetricComparison(
        name=bare.name,
        baseline=baseline,
        head=head,
        verdict=verdict,
        difference=difference,
        relative=_ratio(difference, before),
        sigmas=made.statistic if made and made.name == PULL and not equal else None,
        explanation=explanation,
        test=made,
    )


def _by_test(test: Test | None, difference: float, baseline: Metric, head: Metric) -> tuple[Verdict, str]:
    """The verdict on a difference beyond rounding, and why."""
    if test is None:
        return _towards(baseline, head), _why_unknown(baseline, head)
    if test.significant is None:
        return _towards(baseline, head), f"spread unknown, {test.explanation}"
    if not test.significant:
        return Verdict.CHANGED, f"{measured_words(test)}, within noise"
    # Off the history on one side, yet moved to the other: the baseline itself was off.
    crossed = (test.statistic or 0.0) * difference < 0
    return Verdict.CHANGED if crossed else _towards(baseline, head), measured_words(test)


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
