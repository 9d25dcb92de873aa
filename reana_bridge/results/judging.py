"""Judges the metrics of a result: verdicts, rules, the correction for many tests, acceptances.

How one metric is compared: `verdicts.py`; what a rule says of it: `rules.py`; what stands of it among all
others: `correction.py`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from reana_bridge.model.analyses import Rule
from reana_bridge.model.comparisons import Acceptance, Comparison, MetricComparison, Verdict
from reana_bridge.model.metrics import Metric
from reana_bridge.results.acceptance import accepted
from reana_bridge.results.correction import corrected
from reana_bridge.results.hints import name_matcher
from reana_bridge.results.histories import Past, Samples
from reana_bridge.results.rules import judge
from reana_bridge.results.verdicts import Testing, chosen_test, compare_metric

FALSE_DISCOVERY = Comparison.false_discovery
"""The share of false alarms among the tests that stand; of reports without any change that raise one."""

_ORDER = {
    verdict: place
    for place, verdict in enumerate(
        (
            Verdict.WORSE,
            Verdict.BETTER,
            Verdict.CHANGED,
            Verdict.NOT_COMPARABLE,
            Verdict.NEW,
            Verdict.MISSING,
            Verdict.SAME,
        )
    )
}


def judge_metrics(
    baseline: Sequence[Metric] | None,
    head: Sequence[Metric],
    *,
    rules: Sequence[Rule] = (),
    proposed_rules: Sequence[Rule] = (),
    past: Past | None = None,
    acceptances: Sequence[Acceptance] = (),
) -> tuple[tuple[MetricComparison, ...], int]:
    """A verdict for each metric of either side, with what the rules say, in the order of a report.

    Args:
        baseline: The baseline's metrics; None where there is no baseline (then all are new).
        head: This commit's metrics.
        rules: The rules that count.
        proposed_rules: This commit's rules; those that are not among `rules` are judged as proposed.
        past: What the default branch had; None where it was not looked at.
        acceptances: Differences that somebody said are expected.

    Returns:
        The metrics, and how many statistical tests were made of them.
    """
    before, after = _by_name(baseline or ()), _by_name(head)
    samples = Samples(past) if past else None
    applied = [_Applied.of(rule, proposed=False) for rule in rules]
    test_of = _tests(applied, samples)
    compared = [
        compare_metric(name, before.get(name), after.get(name), test_of(name)) for name in {**after, **before}
    ]
    compared += _never_measured([*rules, *proposed_rules], known=compared)
    applied += [_Applied.of(rule, proposed=True) for rule in proposed_rules if rule not in rules]
    judged, tests = corrected([_judged(one, applied, samples) for one in compared], FALSE_DISCOVERY)
    let = [accepted(one, acceptances) for one in judged]
    return tuple(sorted(let, key=lambda one: (_ORDER[one.verdict], one.name))), tests


def idle(rules: Sequence[Rule], names: Sequence[str]) -> tuple[str, ...]:
    """What rules name that none of the metrics `names` is: nothing is judged by them."""
    patterns = dict.fromkeys(rule.metric for rule in rules) if names else ()
    return tuple(pattern for pattern in patterns if not any(map(name_matcher(pattern), names)))


@dataclass(frozen=True)
class _Applied:
    matches: Callable[[str], bool]
    rule: Rule
    proposed: bool

    @classmethod
    def of(cls, rule: Rule, *, proposed: bool) -> "_Applied":
        return cls(name_matcher(rule.metric), rule, proposed)


def _by_name(metrics: Sequence[Metric]) -> dict[str, Metric]:
    return {metric.name: metric for metric in reversed(metrics)}  # of a repeated name the first stays


def _tests(applied: Sequence[_Applied], samples: Samples | None) -> Callable[[str], Testing]:
    """The test that a metric gets: correlated where a rule that counts says so."""
    usual = chosen_test(samples)
    correlated = [
        (one.matches, chosen_test(samples, correlation=one.rule.correlation))
        for one in applied
        if one.rule.correlation
    ]
    return lambda name: next((test for matches, test in correlated if matches(name)), usual)


def _judged(
    compared: MetricComparison, rules: Sequence[_Applied], samples: Samples | None
) -> MetricComparison:
    outcomes = [
        outcome
        for applied in rules
        if applied.matches(compared.name)
        for outcome in judge(applied.rule, compared, samples, proposed=applied.proposed)
    ]
    return replace(compared, rules=tuple(outcomes)) if outcomes else compared


def _never_measured(rules: Sequence[Rule], *, known: Sequence[MetricComparison]) -> list[MetricComparison]:
    """Metrics that a rule names in full and bounds, and that neither side has."""
    names = {compared.name for compared in known}
    bounded = [
        rule.metric for rule in rules if rule.minimum is not None or rule.maximum is not None or rule.target
    ]
    explanation = "a rule names it, but nothing wrote it"
    return [
        MetricComparison(
            name=name, baseline=None, head=None, verdict=Verdict.MISSING, explanation=explanation
        )
        for name in dict.fromkeys(bounded)
        if name not in names and not any(character in name for character in "*?[")
    ]
