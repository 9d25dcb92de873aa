"""Plain limits of a rule: differences, boundaries and levels of a target, without statistics."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from reana_bridge.model.analyses import Rule, Target
from reana_bridge.model.comparisons import MetricComparison, RuleEffect, Test, Verdict
from reana_bridge.model.metrics import Direction, Metric


@dataclass(frozen=True)
class Judgement:
    """What one limit says.

    Attributes:
        broken: None where it could not be judged.
        explanation: One clause with the figures.
        test: The statistical test that it was judged by; None for a plain limit.
    """

    broken: bool | None
    explanation: str
    test: Test | None = None


def figure(number: float) -> str:
    """`number` in at most four significant digits, for a sentence."""
    return f"{number:.4g}"


def unit_of(compared: MetricComparison) -> str:
    """The metric's unit with a space before it; empty without one."""
    metric = compared.head or compared.baseline
    return f" {metric.unit}" if metric and metric.unit else ""


def number(metric: Metric | None) -> float | int | None:
    """The value where it is a number (NaN and infinities too)."""
    if metric is None or isinstance(metric.value, bool | str):
        return None
    return metric.value


def bounded(
    compared: MetricComparison, *, minimum: float = -math.inf, maximum: float = math.inf
) -> Judgement:
    """Whether this commit's value is within bounds; one that is missing or no number is not."""
    if compared.head is None:
        return Judgement(True, "the metric is missing")
    value = number(compared.head)
    if value is None:
        was_number = number(compared.baseline) is not None
        return Judgement(True if was_number else None, "is no number" + (" now" if was_number else ""))
    if math.isnan(value):
        return Judgement(True, "is not a number (NaN)")
    shown = figure(value) + unit_of(compared)
    if value < minimum:
        return Judgement(True, f"{shown} is below {figure(minimum)}")
    if value > maximum:
        return Judgement(True, f"{shown} is above {figure(maximum)}")
    return Judgement(False, f"{shown} is within it")


def incomparable(compared: MetricComparison) -> Judgement | None:
    """Why no difference exists, and whether that breaks the rule; None where one does."""
    if compared.baseline is None:
        return Judgement(None, "nothing to compare with")
    if compared.head is None:
        return Judgement(True, "the metric is missing")
    before, after = number(compared.baseline), number(compared.head)
    if before is None and after is None:
        return Judgement(None, "is no number")
    if compared.verdict is Verdict.NOT_COMPARABLE:
        return Judgement(True, f"not comparable: {compared.explanation}")
    if before is not None and math.isnan(before):
        return Judgement(None, "the baseline is not a number (NaN)")
    if after is None or math.isnan(after):
        return Judgement(True, "is not a number (NaN) now")
    return None


NO_CHANGE = Judgement(False, "no change")
NOT_FINITE = Judgement(True, "the difference is not finite")


def absolute(compared: MetricComparison, limit: float) -> Judgement:
    """Whether the difference is at most `limit`, in the metric's unit."""

    def measure(difference: float) -> tuple[float, str] | Judgement:
        return abs(difference), f"{difference:+.4g}{unit_of(compared)}"

    return _change(compared, limit, figure(limit) + unit_of(compared), measure)


def relative(compared: MetricComparison, limit: float) -> Judgement:
    """Whether the difference is at most the part `limit` of the baseline."""

    def measure(_: float) -> tuple[float, str] | Judgement:
        part = compared.relative
        if part is not None:
            return abs(part), f"{100 * part:+.3g} %"
        zero = number(compared.baseline) == 0
        return Judgement(True, "the baseline is 0, so any change is above it") if zero else NOT_FINITE

    return _change(compared, limit, f"{figure(100 * limit)} %", measure)


def _change(
    compared: MetricComparison,
    limit: float,
    words: str,
    measure: Callable[[float], tuple[float, str] | Judgement],
) -> Judgement:
    unjudged = incomparable(compared)
    if unjudged is not None:
        return unjudged
    if compared.verdict is Verdict.SAME:
        return NO_CHANGE
    measured = NOT_FINITE if compared.difference is None else measure(compared.difference)
    if isinstance(measured, Judgement):
        return measured
    size, shown = measured
    return (
        Judgement(True, f"{shown} exceeds {words}")
        if size > limit
        else Judgement(False, f"{shown} is within it")
    )


def levels(
    rule: Rule, target: Target, compared: MetricComparison
) -> Iterator[tuple[str, RuleEffect, Judgement]]:
    """What each level of the target says: the rule in words, what missing it does, whether it is missed."""
    softer = RuleEffect.INFORM if rule.effect is RuleEffect.INFORM else RuleEffect.WARN
    unit = unit_of(compared)
    for name, level, verb, effect in (
        ("minimum", target.minimum, "must", rule.effect),
        ("design", target.design, "should", softer),
        ("stretch", target.stretch, "could", RuleEffect.INFORM),
    ):
        if level is None:
            continue
        if target.value is not None:
            words = f"be within {figure(level)}{unit} of {figure(target.value)}"
            judged = bounded(compared, minimum=target.value - level, maximum=target.value + level)
        elif _rises(target, compared):
            words, judged = f"be at least {figure(level)}{unit}", bounded(compared, minimum=level)
        else:
            words, judged = f"be at most {figure(level)}{unit}", bounded(compared, maximum=level)
        yield f"{verb} {words} ({name})", effect, judged


def _rises(target: Target, compared: MetricComparison) -> bool:
    """Whether more is better: by the order of the levels, or by the metric's direction for a single one."""
    given = [level for level in (target.minimum, target.design, target.stretch) if level is not None]
    if len(given) > 1 and given[0] != given[-1]:
        return given[0] < given[-1]
    metric = compared.head or compared.baseline
    return metric is None or metric.direction is not Direction.LOWER
