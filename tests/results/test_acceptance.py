import math

import pytest

from reana_bridge.model.comparisons import (
    Acceptance,
    FileComparison,
    FileVerdict,
    RuleEffect,
    RuleOutcome,
)
from reana_bridge.model.metrics import Metric
from reana_bridge.results.acceptance import accepted as with_accepted
from reana_bridge.results.acceptance import covers
from reana_bridge.results.verdicts import compare_metric

NAN, INF = math.nan, math.inf


def metric(value, unit=""):
    return None if value is None else Metric(name="m", value=value, unit=unit)


def accepted(value, name="m"):
    return Acceptance(metric=name, value=value, reason="new calibration", by="jane", at=1.0)


@pytest.mark.parametrize(
    ("before", "now", "value", "covered"),
    [
        (10.0, 12.0, 12.0, True),
        (10.0, 11.0, 12.0, True),
        (10.0, 10.0, 12.0, True),
        (10.0, 12.0 + 1e-12, 12.0, True),
        (10.0, 12.1, 12.0, False),
        (10.0, 9.9, 12.0, False),
        (10.0, 8.0, 7.0, True),
        (10.0, 6.9, 7.0, False),
        (-1.0, 0.5, 1.0, True),
        (10, 12, 12.0, True),
        (10**400, 10**400 + 1, 10**400 + 2, True),
        (10.0, NAN, NAN, True),
        (10.0, NAN, 12.0, False),
        (10.0, 11.0, NAN, False),
        (10.0, INF, INF, True),
        (10.0, 1e300, INF, False),
        (INF, 11.0, 12.0, False),
        (None, 12.0, 12.0, True),
        (None, 11.0, 12.0, False),
        (10.0, None, 12.0, False),
        (10.0, None, None, True),
        (None, None, None, True),
        (10.0, 11.0, None, False),
        ("a", "b", "b", True),
        ("a", "c", "b", False),
        (False, True, True, True),
        (10.0, True, 1.0, False),
        (10.0, "12.0", 12.0, False),
    ],
)
def test_up_to_the_accepted_value(before, now, value, covered) -> None:
    compared = compare_metric("m", metric(before), metric(now))
    assert covers(accepted(value), compared) is covered
    assert not covers(accepted(value, name="n"), compared)


def test_in_another_unit_only_the_very_value() -> None:
    compared = compare_metric("m", metric(1.0, "fb"), metric(1000.0, "pb"))
    assert covers(accepted(1000.0), compared)
    assert not covers(accepted(1001.0), compared)


@pytest.mark.parametrize(
    ("digest", "value", "covered"),
    [("ab", "ab", True), ("ab", "cd", False), ("", None, True), ("ab", None, False), ("", "ab", False)],
)
def test_a_file_only_as_it_is(digest, value, covered) -> None:
    broken = RuleOutcome(rule="identical", effect=RuleEffect.BLOCK, broken=True, explanation="another")
    file = FileComparison(path="m", verdict=FileVerdict.DIFFERENT, head_digest=digest, rules=(broken,))
    assert covers(accepted(value), file) is covered
    assert not covers(accepted(value, name="n"), file)
    (outcome,) = with_accepted(file, [accepted("zz"), accepted(value)]).rules
    assert (outcome.accepted == accepted(value)) is covered
