"""Judges a project's rules on one compared metric.

Each limit that a rule gives is judged by itself and has its own outcome:

    absolute   |head - baseline|                   at most `absolute`
    relative   |head - baseline| / |baseline|      at most `relative`
    sigmas     |head - baseline| / sqrt(u1^2+u2^2) at most `sigmas`
    minimum    head                                at least `minimum`
    maximum    head                                at most `maximum`

A commit cannot slip past a rule by making it impossible to judge: a metric that the baseline has and that
is missing, not a number, of another kind or of another unit now breaks every rule on it, and so does an
uncertainty that is missing now where `sigmas` needs it. What was never there to compare with (a new
metric, no baseline, no uncertainty on either side) is not judged, except that a metric named in full by
a rule with `minimum` or `maximum` must exist.
"""

import math
from collections.abc import Callable, Iterator

from reana_bridge.model.analyses import Rule
from reana_bridge.model.comparisons import MetricComparison, RuleOutcome, Verdict
from reana_bridge.model.metrics import Metric

Judgement = tuple[bool | None, str]


def judge(rule: Rule, compared: MetricComparison, *, proposed: bool = False) -> tuple[RuleOutcome, ...]:
    """What each limit of `rule` says of `compared`; `proposed` marks a rule that this commit changes."""
    return tuple(
        RuleOutcome(rule=words, effect=rule.effect, broken=broken, explanation=explanation, proposed=proposed)
        for words, (broken, explanation) in _limits(rule, compared)
    )


def figure(number: float) -> str:
    """`number` in at most four significant digits, for a sentence."""
    return f"{number:.4g}"


def _limits(rule: Rule, compared: MetricComparison) -> Iterator[tuple[str, Judgement]]:
    unit = _unit(compared)
    if rule.absolute is not None:
        limit = figure(rule.absolute) + unit
        yield f"may change by at most {limit}", _difference(compared, rule.absolute, limit, _absolute)
    if rule.relative is not None:
        limit = f"{figure(100 * rule.relative)} %"
        yield f"may change by at most {limit}", _difference(compared, rule.relative, limit, _relative)
    if rule.sigmas is not None:
        limit = f"{figure(rule.sigmas)} sigma"
        yield f"may change by at most {limit}", _difference(compared, rule.sigmas, limit, _sigmas)
    if rule.minimum is not None:
        yield f"must be at least {figure(rule.minimum)}{unit}", _bound(compared, minimum=rule.minimum)
    if rule.maximum is not None:
        yield f"must be at most {figure(rule.maximum)}{unit}", _bound(compared, maximum=rule.maximum)


def _unit(compared: MetricComparison) -> str:
    metric = compared.head or compared.baseline
    return f" {metric.unit}" if metric and metric.unit else ""


def _number(metric: Metric | None) -> float | int | None:
    """The value where it is a number (NaN and infinities too)."""
    if metric is None or isinstance(metric.value, bool | str):
        return None
    return metric.value


def _bound(compared: MetricComparison, *, minimum: float = -math.inf, maximum: float = math.inf) -> Judgement:
    if compared.head is None:
        return True, "the metric is missing"
    value = _number(compared.head)
    if value is None:
        was_number = _number(compared.baseline) is not None
        return (True if was_number else None), "is no number" + (" now" if was_number else "")
    if math.isnan(value):
        return True, "is not a number (NaN)"
    shown = figure(value) + _unit(compared)
    if value < minimum:
        return True, f"{shown} is below {figure(minimum)}"
    if value > maximum:
        return True, f"{shown} is above {figure(maximum)}"
    return False, f"{shown} is within it"


Measure = Callable[[MetricComparison], tuple[float | None, str, Judgement]]


def _difference(compared: MetricComparison, limit: float, limit_words: str, measure: Measure) -> Judgement:
    unjudged = _cannot_compare(compared)
    if unjudged is not None:
        return unjudged
    if compared.verdict is Verdict.SAME:
        return False, "no change"
    size, shown, otherwise = measure(compared)
    if size is None:
        return otherwise
    return (True, f"{shown} exceeds {limit_words}") if size > limit else (False, f"{shown} is within it")


def _cannot_compare(compared: MetricComparison) -> Judgement | None:
    """Why no difference exists, and whether that breaks the rule; None where one does."""
    if compared.baseline is None:
        return None, "nothing to compare with"
    if compared.head is None:
        return True, "the metric is missing"
    before, after = _number(compared.baseline), _number(compared.head)
    if before is None and after is None:
        return None, "is no number"
    if compared.verdict is Verdict.NOT_COMPARABLE:
        return True, f"not comparable: {compared.explanation}"
    if before is not None and math.isnan(before):
        return None, "the baseline is not a number (NaN)"
    if after is None or math.isnan(after):
        return True, "is not a number (NaN) now"
    return None


def _absolute(compared: MetricComparison) -> tuple[float | None, str, Judgement]:
    if compared.difference is None:
        return None, "", (True, "the difference is not finite")
    shown = f"{compared.difference:+.4g}{_unit(compared)}"
    return abs(compared.difference), shown, (None, "")


def _relative(compared: MetricComparison) -> tuple[float | None, str, Judgement]:
    if compared.relative is not None:
        return abs(compared.relative), f"{100 * compared.relative:+.3g} %", (None, "")
    zero = _number(compared.baseline) == 0
    reason = "the baseline is 0, so any change is above it" if zero else "the difference is not finite"
    return None, "", (True, reason)


def _sigmas(compared: MetricComparison) -> tuple[float | None, str, Judgement]:
    if compared.sigmas is not None:
        return abs(compared.sigmas), f"{compared.sigmas:+.3g} sigma", (None, "")
    if compared.difference is None:
        return None, "", (True, "the difference is not finite")
    before, after = compared.baseline, compared.head
    if before and after and before.uncertainty and not after.uncertainty:
        return None, "", (True, "the uncertainty is missing now")
    return None, "", (None, "spread unknown")
