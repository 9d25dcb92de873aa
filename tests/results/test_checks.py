"""Checks of two results beside each other."""

import pytest

from reana_bridge.model.comparisons import RuleEffect
from reana_bridge.model.readings import Check, CheckState
from reana_bridge.results.checks import checks_block, compare_checks


def check(name: str, state: str, group: str = "") -> Check:
    return Check(name=name, state=CheckState(state), source="junit.xml", group=group)


def test_those_that_do_not_pass_come_first() -> None:
    before = [check("a", "passed"), check("b", "failed"), check("gone", "passed")]
    after = [
        check("a", "passed"),
        check("b", "passed"),
        check("c", "failed"),
        check("d", "error"),
        check("e", "skipped"),
    ]
    compared = [(one.name, one.baseline, one.head) for one in compare_checks(before, after)]
    assert compared == [
        ("d", None, "error"),
        ("c", None, "failed"),
        ("gone", "passed", None),
        ("e", None, "skipped"),
        ("a", "passed", "passed"),
        ("b", "failed", "passed"),
    ]


def test_the_same_name_in_two_groups_is_two_checks() -> None:
    checks = [check("a", "passed", "x"), check("a", "failed", "y")]
    compared = compare_checks(checks, checks)
    assert [(one.group, one.baseline, one.head) for one in compared] == [
        ("y", "failed", "failed"),
        ("x", "passed", "passed"),
    ]


@pytest.mark.parametrize(
    ("state", "effect", "blocks"),
    [
        ("failed", "block", True),
        ("error", "block", True),
        ("skipped", "block", False),
        ("passed", "block", False),
        ("failed", "warn", False),
        ("failed", "inform", False),
    ],
)
def test_what_blocks(state: str, effect: str, blocks: bool) -> None:
    assert checks_block(compare_checks(None, [check("a", state)]), RuleEffect(effect)) is blocks


def test_a_check_that_is_gone_does_not_block() -> None:
    assert not checks_block(compare_checks([check("a", "failed")], []), RuleEffect.BLOCK)
