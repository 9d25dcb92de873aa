"""Limits of a rule that are statistical tests: in sigmas of the metric itself, or against its history."""

import math

from reana_bridge.model.analyses import HistoryLimit
from reana_bridge.model.comparisons import MetricComparison, Test, Verdict
from reana_bridge.results.histories import Sample, Samples
from reana_bridge.results.rule_limits import (
    NO_CHANGE,
    NOT_FINITE,
    Judgement,
    figure,
    incomparable,
    number,
)
from reana_bridge.results.significance import PULL, against, pull, sigmas_of


def in_sigmas(compared: MetricComparison, sigmas: float, *, correlation: float) -> Judgement:
    """Whether the difference is at most `sigmas` of the metric's own uncertainty."""
    unjudged = incomparable(compared)
    if unjudged is not None:
        return unjudged
    before, after = compared.baseline, compared.head
    if before is None or after is None or compared.difference is None:
        return NO_CHANGE if compared.verdict is Verdict.SAME else NOT_FINITE
    test = pull(before, after, sigmas=sigmas, correlation=correlation)
    if compared.verdict is Verdict.SAME:
        return Judgement(False, NO_CHANGE.explanation, test)
    if test is not None:
        return by_test(test)
    if before.uncertainty and not after.uncertainty:
        return Judgement(True, "the uncertainty is missing now")
    if correlation and before.uncertainty and after.uncertainty:
        return Judgement(True, "fully correlated, so any change is beyond it")
    return Judgement(None, "spread unknown")


def by_history(compared: MetricComparison, limit: HistoryLimit, samples: Samples | None) -> Judgement:
    """Whether this commit's value is what the default branch lets expect."""
    unjudged = incomparable(compared)
    if unjudged is not None and not (compared.baseline is None and number(compared.head) is not None):
        return unjudged
    head = compared.head
    sample = samples.of(head, limit.runs) if samples and head else Sample()
    value = number(head)
    if head is None or value is None or not sample.values:
        return Judgement(None, "spread unknown, no run on the default branch has it")
    if not abs(value) < math.inf:
        return Judgement(True, "is not a number (NaN) now" if math.isnan(value) else "is infinite now")
    test = against(limit.test, float(value), sample, sigmas=limit.sigmas, minimum_runs=limit.minimum_runs)
    return (
        Judgement(False, NO_CHANGE.explanation, test) if compared.verdict is Verdict.SAME else by_test(test)
    )


def by_test(test: Test) -> Judgement:
    """What a test says, before the correction for many tests."""
    if test.significant is None:
        return Judgement(None, f"spread unknown, {test.explanation}", test)
    shown = _shown(test)
    if not test.significant:
        return Judgement(False, f"{shown} is within it", test)
    limit = f"exceeds {figure(test.limit)} sigma" if test.name == PULL else "is beyond it"
    return Judgement(True, f"{shown} {limit}", test)


def _shown(test: Test) -> str:
    size = sigmas_of(test)
    if size is None:
        return f"a metric that {test.explanation}" if test.explanation else "far more than any noise"
    signed = f"{math.copysign(size, test.statistic or 0.0):+.3g} sigma"
    return signed if test.name == PULL else f"{signed} from {test.explanation}"
