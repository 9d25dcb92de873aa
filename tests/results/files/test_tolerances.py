"""How far apart two numbers may be, against numpy's own word."""

import math
import random

import numpy
import pytest

from reana_bridge.model.analyses import FileRule, PartRule
from reana_bridge.results.files.tolerances import Tolerance, Tolerances, number, relative_gap

SPECIAL = [0.0, -0.0, 1.0, -1.0, 1e-300, 1e300, math.nan, math.inf, -math.inf]


def test_near_means_what_it_means_to_numpy() -> None:
    dice = random.Random(1)
    for _ in range(20_000):
        before, after = (dice.choice([*SPECIAL, dice.gauss(0, 1), dice.uniform(0.9, 1.1)]) for _ in range(2))
        absolute, relative = dice.choice([0, 1e-9, 0.1, 1]), dice.choice([0, 1e-9, 0.1, 1])
        near = Tolerance(absolute=absolute, relative=relative, whole=True).allows(before, after)
        if math.isinf(before) and before != after and relative:
            assert not near  # where numpy compares infinities it has them within any relative distance
            continue
        with numpy.errstate(all="ignore"):
            theirs = numpy.isclose(after, before, rtol=relative, atol=absolute, equal_nan=True)
        assert near == bool(theirs), (before, after, absolute, relative)


@pytest.mark.parametrize(
    ("before", "after", "rule", "near"),
    [
        ("1.0", "1.0000000001", None, True),
        ("1.0", "1.00000001", None, False),
        ("1000000000000", "1000000000001", None, False),  # a whole number is counted, not measured
        ("1000000000000", "1000000000001", FileRule(path="*", relative=1e-9), True),
        ("1000000000000.0", "1000000000001", None, True),
        ("5", "6", FileRule(path="*", absolute=1), True),
        ("5", "6.5", FileRule(path="*", absolute=1), False),
        ("100", "106", FileRule(path="*", absolute=1, relative=0.05), True),
        ("100", "107", FileRule(path="*", absolute=1, relative=0.05), False),
        ("1.0", "1.0000000001", FileRule(path="*", absolute=0), False),
        ("nan", "NaN", None, True),
        ("nan", "1", FileRule(path="*", relative=1e9), False),
        ("inf", "-inf", FileRule(path="*", relative=1e9), False),
        ("1e400", "inf", None, True),
    ],
)
def test_rules_and_none(before: str, after: str, rule: FileRule | None, near: bool) -> None:
    first, second = number(before), number(after)
    assert first is not None
    assert second is not None
    assert Tolerances(rule).default.allows(first, second) is near


def test_the_first_part_that_matches_counts_and_ignored_parts_have_none() -> None:
    rule = FileRule(
        path="*",
        relative=0.1,
        parts=(PartRule(name="mass*", absolute=1), PartRule(name="*", relative=0.5)),
        ignore=("*.time",),
    )
    of = Tolerances(rule).of
    assert (of("mass_1").absolute, of("mass_1").relative) == (1, 0)
    assert of("x").relative == 0.5
    assert of("fit.time") is None


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *[("1", 1), ("-1", -1), (" 2 ", 2), ("+3", 3), ("1.", 1.0), (".5", 0.5), ("1e3", 1000.0)],
        *[("1_0", None), ("0x1f", None), ("", None), ("1,5", None), ("one", None), ("1e", None)],
        ("9" * 300, int("9" * 300)),
        ("9" * 301, None),
    ],
)
def test_what_is_a_number(text: str, value: float | None) -> None:
    assert number(text) == value
    assert type(number(text)) is type(value)


@pytest.mark.parametrize(
    ("before", "after", "gap"),
    [(1, 1, 0), (1, 2, 1), (-4, -2, 0.5), (0, 1, math.inf), (0, 0.0, 0), (math.nan, math.nan, 0)],
)
def test_relative_gap(before: float, after: float, gap: float) -> None:
    assert relative_gap(before, after) == gap
