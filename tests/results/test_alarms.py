"""What counts as an alarm of a rule, and which of them were false."""

import pytest

from reana_bridge.results.alarms import Alarm, RuleName, records

TIGHT = RuleName(pattern="*", limit="may change by at most 1 %", effect="block")
WIDE = RuleName(pattern="a", limit="may change by at most 5 %", effect="warn")


def alarm(run: str, case: str, metric: str = "a", *, accepted: bool = False, rule: RuleName = TIGHT) -> Alarm:
    return Alarm(rule=rule, metric=metric, run=run, case=case, accepted=accepted)


# Run -> commit; r1 and r2 are of one commit, r3 to r5 of another each.
COMMITS = {"r1": "s1", "r2": "s1", "r3": "s3", "r4": "s4", "r5": "s5"}


@pytest.mark.parametrize(
    ("alarms", "counts"),  # raised, accepted, vanished, false
    [
        ([alarm("r3", "s3")], (1, 0, 0, 0)),
        ([alarm("r3", "!5"), alarm("r4", "!5")], (1, 0, 0, 0)),
        ([alarm("r3", "!5"), alarm("r4", "!6")], (2, 0, 0, 0)),
        ([alarm("r3", "!5"), alarm("r3", "!5", "b")], (2, 0, 0, 0)),
        ([alarm("r3", "!5"), alarm("r4", "!5", accepted=True)], (1, 1, 0, 1)),
        ([alarm("r3", "!5", accepted=True), alarm("r5", "!5", accepted=True)], (1, 1, 0, 1)),
        ([alarm("r1", "!5")], (1, 0, 1, 1)),
        ([alarm("r1", "!5"), alarm("r2", "!5")], (1, 0, 0, 0)),
        ([alarm("r1", "!5"), alarm("r2", "!5", "b")], (2, 0, 2, 2)),
        ([alarm("r1", "!5", accepted=True)], (1, 1, 1, 1)),
        ([alarm("r1", "!5"), alarm("r3", "!6", accepted=True), alarm("r4", "s4")], (3, 1, 1, 2)),
    ],
)
def test_what_is_counted(alarms: list[Alarm], counts: tuple[int, int, int, int]) -> None:
    (record,) = records(alarms, COMMITS)
    assert (record.raised, record.accepted, record.vanished, record.false) == counts
    assert record.share == counts[3] / counts[0]
    assert record.is_noisy == (counts[0] >= 3 and record.share >= 0.5)


def test_each_rule_by_itself_and_the_worst_first() -> None:
    found = records([alarm("r3", "s3", rule=WIDE), alarm("r4", "!5", accepted=True)], COMMITS)
    assert [record.rule for record in found] == [TIGHT, WIDE]
    assert records([], COMMITS) == ()
