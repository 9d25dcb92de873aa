"""Compares a result with its baseline: a verdict for each metric and each artifact, rules, environment.

How one metric is judged: `verdicts.py`; what the rules say of it: `rules.py`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from reana_bridge.model.analyses import Rule
from reana_bridge.model.comparisons import (
    Baseline,
    Comparison,
    FileComparison,
    FileVerdict,
    MetricComparison,
    RuleEffect,
    Verdict,
)
from reana_bridge.model.metrics import Metric
from reana_bridge.model.results import Artifact, Result
from reana_bridge.results.hints import name_matcher
from reana_bridge.results.rules import judge
from reana_bridge.results.verdicts import compare_metric

MAX_DRIFT = 50
"""Most lines of environment drift that a comparison keeps."""

_ORDER = (
    Verdict.WORSE,
    Verdict.BETTER,
    Verdict.CHANGED,
    Verdict.NOT_COMPARABLE,
    Verdict.NEW,
    Verdict.MISSING,
    Verdict.SAME,
)
_FILE_ORDER = (
    FileVerdict.DIFFERENT,
    FileVerdict.NOT_COMPARABLE,
    FileVerdict.NEW,
    FileVerdict.MISSING,
    FileVerdict.WITHIN_TOLERANCE,
    FileVerdict.IDENTICAL,
)


def compare(
    *,
    baseline: Baseline | None,
    baseline_result: Result | None,
    head: Result,
    made_at: float,
    rules: Sequence[Rule] = (),
    proposed_rules: Sequence[Rule] = (),
    no_baseline: str = "",
    waiting_for: str = "",
) -> Comparison:
    """The comparison of `head` with the result of its baseline.

    Args:
        baseline: The chosen run; None where there is none.
        baseline_result: What that run left; None where there is none.
        head: What this run left.
        made_at: Now, UTC seconds since the epoch.
        rules: The rules that count: the target branch's.
        proposed_rules: The rules of this commit; those that are not among `rules` are shown, not counted.
        no_baseline: Why there is no baseline, one sentence.
        waiting_for: The commit of a better baseline that still runs; makes the comparison interim.

    Raises:
        ValueError: one of `baseline` and `baseline_result` is given without the other.
    """
    if (baseline is None) != (baseline_result is None):
        raise ValueError("a baseline and its result belong together; give both or neither")
    metrics = compare_metrics(
        baseline_result.metrics if baseline_result else None,
        head.metrics,
        rules=rules,
        proposed_rules=proposed_rules,
    )
    return Comparison(
        baseline=baseline,
        no_baseline="" if baseline else no_baseline,
        metrics=metrics,
        files=compare_files(baseline_result.artifacts, head.artifacts) if baseline_result else (),
        drift=environment_drift(baseline_result.environment, head.environment) if baseline_result else (),
        interim=bool(waiting_for),
        waiting_for=waiting_for,
        made_at=made_at,
        blocked=is_blocked(metrics),
    )


def is_blocked(metrics: Sequence[MetricComparison]) -> bool:
    """Whether a rule with effect `block` that counts is broken."""
    return any(
        outcome.broken and outcome.effect is RuleEffect.BLOCK and not outcome.proposed
        for compared in metrics
        for outcome in compared.rules
    )


def compare_metrics(
    baseline: Sequence[Metric] | None,
    head: Sequence[Metric],
    rules: Sequence[Rule] = (),
    proposed_rules: Sequence[Rule] = (),
) -> tuple[MetricComparison, ...]:
    """A verdict for each metric of either side, with what the rules say, in the order of a report.

    Args:
        baseline: The baseline's metrics; None where there is no baseline (then all are new).
        head: This commit's metrics.
        rules: The rules that count.
        proposed_rules: This commit's rules; those that are not among `rules` are judged as proposed.
    """
    before, after = _by_name(baseline or ()), _by_name(head)
    compared = [compare_metric(name, before.get(name), after.get(name)) for name in {**after, **before}]
    compared.extend(_never_measured([*rules, *proposed_rules], known=compared))
    applied = [_Applied(name_matcher(rule.metric), rule, proposed=False) for rule in rules]
    applied += [
        _Applied(name_matcher(rule.metric), rule, proposed=True)
        for rule in proposed_rules
        if rule not in rules
    ]
    judged = [_judged(one, applied) for one in compared]
    return tuple(sorted(judged, key=lambda one: (_ORDER.index(one.verdict), one.name)))


@dataclass(frozen=True)
class _Applied:
    matches: Callable[[str], bool]
    rule: Rule
    proposed: bool


def _by_name(metrics: Sequence[Metric]) -> dict[str, Metric]:
    return {metric.name: metric for metric in reversed(metrics)}  # of a repeated name the first stays


def _judged(compared: MetricComparison, rules: Sequence[_Applied]) -> MetricComparison:
    outcomes = [
        outcome
        for applied in rules
        if applied.matches(compared.name)
        for outcome in judge(applied.rule, compared, proposed=applied.proposed)
    ]
    return replace(compared, rules=tuple(outcomes)) if outcomes else compared


def _never_measured(rules: Sequence[Rule], *, known: Sequence[MetricComparison]) -> list[MetricComparison]:
    """Metrics that a rule names in full and bounds, and that neither side has."""
    names = {compared.name for compared in known}
    bounded = [rule.metric for rule in rules if rule.minimum is not None or rule.maximum is not None]
    explanation = "a rule names it, but nothing wrote it"
    return [
        MetricComparison(
            name=name, baseline=None, head=None, verdict=Verdict.MISSING, explanation=explanation
        )
        for name in dict.fromkeys(bounded)
        if name not in names and not any(character in name for character in "*?[")
    ]


def compare_files(baseline: Sequence[Artifact], head: Sequence[Artifact]) -> tuple[FileComparison, ...]:
    """A verdict for each artifact of either side, by digest, in the order of a report."""
    before = {artifact.path: artifact.digest for artifact in baseline}
    after = {artifact.path: artifact.digest for artifact in head}
    compared = [_compare_file(path, before.get(path, ""), after.get(path, "")) for path in before | after]
    return tuple(sorted(compared, key=lambda one: (_FILE_ORDER.index(one.verdict), one.path)))


def _compare_file(path: str, before: str, after: str) -> FileComparison:
    if not before:
        verdict = FileVerdict.NEW
    elif not after:
        verdict = FileVerdict.MISSING
    else:
        verdict = FileVerdict.IDENTICAL if before == after else FileVerdict.DIFFERENT
    return FileComparison(path=path, verdict=verdict, baseline_digest=before, head_digest=after)


def environment_drift(baseline: Mapping[str, str], head: Mapping[str, str]) -> tuple[str, ...]:
    """What differs between two environments, one line each, by name: `numpy 2.1.0 -> 2.2.0`."""
    lines = [
        _drift(name, baseline.get(name), head.get(name))
        for name in sorted({**baseline, **head})
        if baseline.get(name) != head.get(name)
    ]
    if len(lines) > MAX_DRIFT:
        return (*lines[:MAX_DRIFT], f"and {len(lines) - MAX_DRIFT} more")
    return tuple(lines)


def _drift(name: str, before: str | None, after: str | None) -> str:
    if before is None:
        return f"{name} {after} is new"
    return f"{name} {before} is gone" if after is None else f"{name} {before} -> {after}"
