"""How often each rule raised an alarm, and how often nothing was wrong, so that a noisy rule is seen.

An alarm is a rule that blocks or warns, broken by one metric (or file) in one merge request, or in one commit
of a branch, however many runs broke it there. It was false where

* it was accepted: the difference was meant; or
* it vanished: another run of the very same commit did not break the rule.

The share of false alarms is over all alarms of the rule. From `NOISY_ALARMS` alarms on a rule of which
`NOISY_SHARE` were false is noisy: its limit is too tight, or the spread that it goes by too small.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

NOISY_ALARMS = 3
NOISY_SHARE = 0.5


@dataclass(frozen=True, kw_only=True)
class RuleName:
    """Which rule: the metric or pattern that it is on, its limit in words, and what breaking it does."""

    pattern: str
    limit: str
    effect: str


@dataclass(frozen=True, kw_only=True)
class Alarm:
    """A rule that one run broke.

    Attributes:
        rule: The rule.
        metric: What broke it.
        run: The run's id.
        case: The merge request (`!5`) or, on a branch, the commit.
        accepted: Whether somebody said that it is expected.
    """

    rule: RuleName
    metric: str
    run: str
    case: str
    accepted: bool = False


@dataclass(frozen=True, kw_only=True)
class RuleRecord:
    """What became of a rule's alarms.

    Attributes:
        rule: The rule.
        raised: How many alarms there were.
        accepted: How many of them somebody accepted.
        vanished: How many of them another run of the same commit did not have.
        false: How many are one or the other.
        metrics: What broke it, by name.
    """

    rule: RuleName
    raised: int
    accepted: int
    vanished: int
    false: int
    metrics: tuple[str, ...]

    @property
    def share(self) -> float:
        """The share of false alarms, from 0 to 1."""
        return self.false / self.raised

    @property
    def is_noisy(self) -> bool:
        """Whether so many alarms are false that the rule should be looked at."""
        return self.raised >= NOISY_ALARMS and self.share >= NOISY_SHARE


def records(alarms: Sequence[Alarm], commits: Mapping[str, str]) -> tuple[RuleRecord, ...]:
    """What became of the alarms of each rule; those with the most false ones first.

    Args:
        alarms: Of all runs that are looked at.
        commits: Run -> commit, of all runs that were judged, with or without alarms.
    """
    together: defaultdict[str, set[str]] = defaultdict(set)
    for run, sha in commits.items():
        together[sha].add(run)
    by_rule: defaultdict[RuleName, list[Alarm]] = defaultdict(list)
    for alarm in alarms:
        by_rule[alarm.rule].append(alarm)
    found = [_record(rule, of_rule, commits, together) for rule, of_rule in by_rule.items()]
    return tuple(sorted(found, key=lambda one: (-one.false, -one.raised, one.rule.pattern, one.rule.limit)))


def _record(
    rule: RuleName, alarms: Iterable[Alarm], commits: Mapping[str, str], together: Mapping[str, set[str]]
) -> RuleRecord:
    cases: defaultdict[tuple[str, str], list[Alarm]] = defaultdict(list)
    broken: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for alarm in alarms:
        cases[alarm.case, alarm.metric].append(alarm)
        broken[commits[alarm.run], alarm.metric].add(alarm.run)
    gone = {place for place, runs in broken.items() if together[place[0]] - runs}
    accepted = {case for case, of_case in cases.items() if any(alarm.accepted for alarm in of_case)}
    vanished = {
        case
        for case, of_case in cases.items()
        if any((commits[alarm.run], alarm.metric) in gone for alarm in of_case)
    }
    return RuleRecord(
        rule=rule,
        raised=len(cases),
        accepted=len(accepted),
        vanished=len(vanished),
        false=len(accepted | vanished),
        metrics=tuple(sorted({metric for _, metric in cases})),
    )
