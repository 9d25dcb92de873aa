"""Corrects a report for its many tests: of 200 metrics some are beyond 3 sigma by chance alone.

All tests of a report are one family: those of the verdicts and those of the rules that count. What is beyond
its limit and does not stand after Benjamini and Hochberg's correction is within noise.

* A metric that is the same as before counts as a test that found nothing.
* Metrics that never moved are no tests: there is no chance in them.
* A rule whose limit chance crosses more often than that, such as one of half a sigma, is a tolerance and no
  test: what is beyond it breaks it.
* Rules that this commit proposes are held against the same line and do not move it: a commit cannot make
  others harder to break by proposing more of them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from reana_bridge.model.comparisons import Comparison, MetricComparison, RuleOutcome, Test, Verdict
from reana_bridge.model.metrics import Metric
from reana_bridge.results.rule_tests import by_test
from reana_bridge.results.significance import is_tolerance, made_again, measured_words
from reana_bridge.results.statistics import benjamini_hochberg
from reana_bridge.results.verdicts import compare_metric


@dataclass(frozen=True, kw_only=True)
class Line:
    """What the correction comes to.

    Attributes:
        share: The largest share of false alarms among what stands.
        tests: How many tests it is over.
        p_value: The largest that stands; -1 where none does.
        proposed: The same for a test of a rule that this commit proposes.
    """

    share: float
    tests: int
    p_value: float
    proposed: float


def corrected(metrics: Sequence[MetricComparison], share: float) -> tuple[list[MetricComparison], int]:
    """The metrics with what stands among all their tests, and how many tests these were.

    Args:
        metrics: As `compare_metric` and `judge` left them.
        share: The largest share of false alarms.
    """
    line = _line(metrics, share)
    return [_settled(compared, line) for compared in metrics], line.tests


def recomputed(comparison: Comparison) -> Comparison:
    """The comparison with all its tests, and what follows from them, computed again from what is stored.

    It is equal to `comparison`, to the last bit, for as long as the formulas have the same versions.

    Raises:
        ValueError: A test was made by another version of its formula.
    """
    raw = [_made_again(compared) for compared in comparison.metrics]
    line = _line(raw, comparison.false_discovery, tests=comparison.tests)
    return replace(comparison, metrics=tuple(_settled(compared, line) for compared in raw))


def _line(metrics: Sequence[MetricComparison], share: float, tests: int | None = None) -> Line:
    p_values: list[float] = []
    for compared in metrics:
        found = [test.p_value for test in _counted(compared, share) if test.p_value is not None]
        p_values += [1.0] * len(found) if compared.verdict is Verdict.SAME else found
    count = len(p_values) if tests is None else tests
    p_value = benjamini_hochberg(p_values, share, tests=count)
    return Line(share=share, tests=count, p_value=p_value, proposed=max(p_value, share / (count + 1)))


def _counted(compared: MetricComparison, share: float) -> Iterator[Test]:
    if compared.test is not None:
        yield compared.test
    for outcome in compared.rules:
        test = outcome.test
        if test is not None and not outcome.proposed and not is_tolerance(test, share):
            yield test


def _settled(compared: MetricComparison, line: Line) -> MetricComparison:
    rules = compared.rules
    if any(outcome.test is not None for outcome in rules):
        rules = tuple(_settled_rule(outcome, line, compared.verdict) for outcome in rules)
    test = compared.test
    if test is None:
        return compared if rules is compared.rules else replace(compared, rules=rules)
    if compared.verdict is Verdict.SAME:
        return replace(compared, rules=rules, test=None)  # it found nothing, and counts no more
    if not _falls(test, line.p_value):
        return compared if rules is compared.rules else replace(compared, rules=rules)
    return replace(
        compared,
        rules=rules,
        test=replace(test, significant=False),
        verdict=Verdict.CHANGED,
        explanation=f"{measured_words(test)}, {_by_chance(line)}",
    )


def _settled_rule(outcome: RuleOutcome, line: Line, verdict: Verdict) -> RuleOutcome:
    test = outcome.test
    if test is None:
        return outcome
    if verdict is Verdict.SAME:
        return replace(outcome, test=None)
    if is_tolerance(test, line.share) or not _falls(
        test, line.proposed if outcome.proposed else line.p_value
    ):
        return outcome
    explanation = f"{outcome.explanation}, {_by_chance(line)}"
    return replace(outcome, broken=False, explanation=explanation, test=replace(test, significant=False))


def _falls(test: Test, p_value: float) -> bool:
    """Whether a test that is beyond its limit does not stand."""
    return bool(test.significant) and test.p_value is not None and test.p_value > p_value


def _by_chance(line: Line) -> str:
    return "which chance explains" if line.tests < 2 else f"which chance explains among {line.tests} tests"


def _made_again(compared: MetricComparison) -> MetricComparison:
    before, after = compared.baseline, compared.head
    rules = tuple(
        outcome if outcome.test is None else _judged_again(outcome, made_again(outcome.test, before, after))
        for outcome in compared.rules
    )
    stored = compared.test
    if stored is None:
        return replace(compared, rules=rules)
    test = made_again(stored, before, after)

    def again(_before: Metric, _after: Metric) -> Test:
        return test

    return replace(compare_metric(compared.name, before, after, again), rules=rules)


def _judged_again(outcome: RuleOutcome, test: Test) -> RuleOutcome:
    judged = by_test(test)
    return replace(outcome, broken=judged.broken, explanation=judged.explanation, test=judged.test)
