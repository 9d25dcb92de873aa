"""Judges a project's rules on one compared metric.

Each limit that a rule gives is judged by itself and has its own outcome:

    absolute   |head - baseline|                   at most `absolute`
    relative   |head - baseline| / |baseline|      at most `relative`
    sigmas     |head - baseline| / sigma           at most `sigmas`, or it does not stand among all tests
    history    head against the default branch     likewise
    minimum    head                                at least `minimum`
    maximum    head                                at most `maximum`
    target     head                                `minimum`, `design` and `stretch`, one outcome each

A commit cannot slip past a rule by making it impossible to judge: a metric that the baseline has and that
is missing, not a number, of another kind or of another unit now breaks every rule on it, and so does an
uncertainty that is missing now where `sigmas` needs it. A rule for one data set holds where either side has
its tags. What was never there to compare with (a new metric, no baseline, no uncertainty on either side, too
little history) is not judged, except that a metric named in full by a rule with `minimum`, `maximum` or
`target` must exist.
"""

from collections.abc import Iterator

from reana_bridge.model.analyses import HistoryLimit, HistoryTest, Rule
from reana_bridge.model.comparisons import MetricComparison, RuleEffect, RuleOutcome
from reana_bridge.results.hints import name_matcher
from reana_bridge.results.histories import Samples
from reana_bridge.results.rule_limits import (
    Judgement,
    absolute,
    bounded,
    figure,
    levels,
    relative,
    unit_of,
)
from reana_bridge.results.rule_tests import by_history, in_sigmas

_TESTS = {
    HistoryTest.T: "t-test",
    HistoryTest.Z: "z-score",
    HistoryTest.MAD: "median absolute deviation",
    HistoryTest.IQR: "interquartile range",
}


def judge(
    rule: Rule, compared: MetricComparison, samples: Samples | None = None, *, proposed: bool = False
) -> tuple[RuleOutcome, ...]:
    """What each limit of `rule` says of `compared`, before the correction for many tests.

    Args:
        rule: A rule whose `metric` matches.
        compared: The metric, with its verdict.
        samples: What the default branch had; None where it was not looked at.
        proposed: Marks a rule that this commit changes.

    Returns:
        One outcome a limit; none where the rule is for another data set.
    """
    if not _is_its_data_set(rule, compared):
        return ()
    return tuple(
        RuleOutcome(
            rule=words,
            effect=effect,
            broken=judged.broken,
            explanation=judged.explanation,
            proposed=proposed,
            test=judged.test,
            pattern=rule.metric,
        )
        for words, effect, judged in _limits(rule, compared, samples)
    )


def _is_its_data_set(rule: Rule, compared: MetricComparison) -> bool:
    """Whether a side has the rule's tags: a commit cannot leave the rule by changing them."""
    sides = [side for side in (compared.baseline, compared.head) if side is not None]
    wanted = [(tag, name_matcher(pattern)) for tag, pattern in rule.where.items()]
    return not sides or any(
        all(tag in side.tags and fits(side.tags[tag]) for tag, fits in wanted) for side in sides
    )


def _limits(
    rule: Rule, compared: MetricComparison, samples: Samples | None
) -> Iterator[tuple[str, RuleEffect, Judgement]]:
    unit, effect, change = unit_of(compared), rule.effect, "may change by at most"
    if rule.absolute is not None:
        yield f"{change} {figure(rule.absolute)}{unit}", effect, absolute(compared, rule.absolute)
    if rule.relative is not None:
        yield f"{change} {figure(100 * rule.relative)} %", effect, relative(compared, rule.relative)
    if rule.sigmas is not None:
        judged = in_sigmas(compared, rule.sigmas, correlation=rule.correlation)
        yield f"{change} {figure(rule.sigmas)} sigma", effect, judged
    if rule.history is not None:
        yield _history_words(rule.history), effect, by_history(compared, rule.history, samples)
    if rule.minimum is not None:
        least = bounded(compared, minimum=rule.minimum)
        yield f"must be at least {figure(rule.minimum)}{unit}", effect, least
    if rule.maximum is not None:
        most = bounded(compared, maximum=rule.maximum)
        yield f"must be at most {figure(rule.maximum)}{unit}", effect, most
    if rule.target is not None:
        yield from levels(rule, rule.target, compared)


def _history_words(limit: HistoryLimit) -> str:
    return (
        f"may be at most {figure(limit.sigmas)} sigma from the last {limit.runs} runs "
        f"on the default branch ({_TESTS[limit.test]})"
    )
