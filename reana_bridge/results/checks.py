"""Compares the checks of a result with its baseline's: which pass, which do not, which are new or gone."""

from collections.abc import Sequence

from reana_bridge.model.comparisons import CheckComparison, RuleEffect
from reana_bridge.model.readings import Check, CheckState

BAD = frozenset({CheckState.FAILED, CheckState.ERROR})
_ORDER = (CheckState.ERROR, CheckState.FAILED, None, CheckState.SKIPPED, CheckState.PASSED)
_Key = tuple[str, str, str]


def compare_checks(baseline: Sequence[Check] | None, head: Sequence[Check]) -> tuple[CheckComparison, ...]:
    """Every check of either side: errors, failed, gone, skipped, passed; by source, group and name within.

    Args:
        baseline: None where there is no baseline.
        head: This commit's.
    """
    before, after = _by_key(baseline or ()), _by_key(head)
    compared = [_compared(key, before.get(key), after.get(key)) for key in before | after]
    return tuple(sorted(compared, key=lambda one: (_ORDER.index(one.head), one.source, one.group, one.name)))


def checks_block(checks: Sequence[CheckComparison], effect: RuleEffect) -> bool:
    """Whether a check of this commit does not pass, and the project wants that to fail the status."""
    return effect is RuleEffect.BLOCK and any(check.head in BAD for check in checks)


def _by_key(checks: Sequence[Check]) -> dict[_Key, Check]:
    return {(check.source, check.group, check.name): check for check in reversed(checks)}


def _compared(key: _Key, before: Check | None, after: Check | None) -> CheckComparison:
    source, group, name = key
    return CheckComparison(
        name=name,
        source=source,
        group=group,
        baseline=before.state if before else None,
        head=after.state if after else None,
        message=after.message if after else "",
    )
