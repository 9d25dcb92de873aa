"""Compares a result with its baseline: a verdict for each metric and each artifact, rules, environment.

How metrics are judged: `judging.py`.
"""

from collections.abc import Iterator, Mapping, Sequence

from reana_bridge.model.analyses import FileRule, Rule
from reana_bridge.model.comparisons import (
    Acceptance,
    Baseline,
    Comparison,
    FileComparison,
    FileVerdict,
    MetricComparison,
    RuleEffect,
)
from reana_bridge.model.results import Artifact, Result
from reana_bridge.results.acceptance import accepted
from reana_bridge.results.checks import checks_block, compare_checks
from reana_bridge.results.files.rules import idle as idle_files
from reana_bridge.results.histories import Past
from reana_bridge.results.judging import idle, judge_metrics

MAX_DRIFT = 50
"""Most lines of environment drift that a comparison keeps."""

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
    made_at: float = 0.0,
    rules: Sequence[Rule] = (),
    proposed_rules: Sequence[Rule] = (),
    no_baseline: str = "",
    past: Past | None = None,
    acceptances: Sequence[Acceptance] = (),
    checks: RuleEffect = RuleEffect.WARN,
    files: Sequence[FileComparison] | None = None,
    file_rules: Sequence[FileRule] = (),
) -> Comparison:
    """The comparison of `head` with the result of its baseline.

    Args:
        baseline: The chosen run; None where there is none.
        baseline_result: What that run left; None where there is none.
        head: What this run left.
        made_at: Now, UTC seconds since the epoch; may be put in later, with what is waited for.
        rules: The rules that count: the target branch's.
        proposed_rules: The rules of this commit; those that are not among `rules` are shown, not counted.
        no_baseline: Why there is no baseline, one sentence.
        past: What the default branch had up to the baseline; None where it was not looked at.
        acceptances: Differences that somebody said are expected.
        checks: What a check that does not pass does.
        files: What became of the artifacts, where they were looked into; None to go by their digests.
        file_rules: The rules on files, proposed ones too: those that fit no artifact are named.

    Raises:
        ValueError: one of `baseline` and `baseline_result` is given without the other.
    """
    _check_pair(baseline, baseline_result)
    metrics, tests = judge_metrics(
        baseline_result.metrics if baseline_result else None,
        head.metrics,
        rules=rules,
        proposed_rules=proposed_rules,
        past=past,
        acceptances=acceptances,
    )
    compared = compare_checks(baseline_result.checks if baseline_result else None, head.checks)
    files = _let(_by_digest(baseline_result, head) if files is None else files, acceptances)
    return Comparison(
        baseline=baseline,
        no_baseline="" if baseline else no_baseline,
        metrics=metrics,
        checks=compared,
        files=files,
        drift=environment_drift(baseline_result.environment, head.environment) if baseline_result else (),
        made_at=made_at,
        history=past.runs if past else None,
        tests=tests,
        idle=idle([*rules, *proposed_rules], [metric.name for metric in metrics]),
        idle_files=idle_files(file_rules, {*_paths(head), *_paths(baseline_result)}),
        blocked=is_blocked((*metrics, *files)) or checks_block(compared, checks),
    )


def _check_pair(baseline: Baseline | None, result: Result | None) -> None:
    if (baseline is None) != (result is None):
        raise ValueError("a baseline and its result belong together; give both or neither")


def _paths(result: Result | None) -> Iterator[str]:
    if result is not None:
        yield from (artifact.path for artifact in result.artifacts)
        yield from (skipped.path for skipped in result.skipped)


def _let(files: Sequence[FileComparison], acceptances: Sequence[Acceptance]) -> tuple[FileComparison, ...]:
    return in_order([accepted(each, acceptances) for each in files])


def _by_digest(baseline: Result | None, head: Result) -> tuple[FileComparison, ...]:
    return compare_files(baseline.artifacts, head.artifacts) if baseline else ()


def is_blocked(found: Sequence[MetricComparison | FileComparison]) -> bool:
    """Whether a rule with effect `block` that counts is broken, and nobody accepted it."""
    return any(
        outcome.broken
        and outcome.effect is RuleEffect.BLOCK
        and not outcome.proposed
        and outcome.accepted is None
        for compared in found
        for outcome in compared.rules
    )


def compare_files(baseline: Sequence[Artifact], head: Sequence[Artifact]) -> tuple[FileComparison, ...]:
    """A verdict for each artifact of either side, by digest, in the order of a report."""
    before = {artifact.path: artifact.digest for artifact in baseline}
    after = {artifact.path: artifact.digest for artifact in head}
    compared = [_compare_file(path, before.get(path, ""), after.get(path, "")) for path in before | after]
    return in_order(compared)


def in_order(files: Sequence[FileComparison]) -> tuple[FileComparison, ...]:
    """The files in the order of a report."""
    return tuple(sorted(files, key=lambda one: (_FILE_ORDER.index(one.verdict), one.path)))


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
