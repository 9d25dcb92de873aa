"""Where a series moved: found where it did, not found where it did not, whatever the noise."""

import math
import random
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reana_bridge.results.changepoints import LEVEL, SMALLEST, find_changes

Noise = Callable[[random.Random], float]

NOISES: dict[str, tuple[Noise, float]] = {
    # With the share of quiet series of 50 in which a change may be found: the promise is for normal noise;
    # for others the search must not run wild.
    "normal": (lambda draw: draw.gauss(0, 1), LEVEL),
    "uniform": (lambda draw: draw.random(), LEVEL),
    "exponential": (lambda draw: draw.expovariate(1), 0.02),
    "coin": (lambda draw: float(draw.random() < 0.5), 0.01),
    "rare": (lambda draw: float(draw.random() < 0.1), 0.04),
    "heavy": (lambda draw: draw.gauss(0, 1) / math.sqrt(draw.expovariate(1) + 0.1), 0.03),
}


def moved(draw: random.Random, levels: list[tuple[int, float]]) -> list[float]:
    return [draw.gauss(level, 1) for size, level in levels for _ in range(size)]


@pytest.mark.parametrize("name", NOISES)
def test_quiet_series_are_left_alone(name: str, soak: bool) -> None:
    noise, share = NOISES[name]
    draw, rounds = random.Random(name), 10_000 if soak else 500
    found = sum(bool(find_changes([noise(draw) for _ in range(50)])) for _ in range(rounds))
    assert found <= share * rounds + 4 * math.sqrt(share * rounds) + 1


@pytest.mark.parametrize(
    "levels",
    [
        [(25, 0), (25, 5)],
        [(25, 5), (25, 0)],
        [(45, 0), (5, 5)],
        [(12, 0), (38, 5)],
        [(20, 0), (10, 5), (20, 0)],
        [(15, 0), (15, 5), (15, 10)],
        [(60, 0), (60, 5), (60, 0), (20, 5)],
    ],
    ids=str,
)
def test_at_5_sigma_changes_are_found_within_one_commit(levels: list[tuple[int, float]], soak: bool) -> None:
    draw, rounds = random.Random(str(levels)), 1000 if soak else 60
    edges = [sum(size for size, _ in levels[:number]) for number in range(1, len(levels))]
    good = 0
    for _ in range(rounds):
        found = [change.index for change in find_changes(moved(draw, levels))]
        good += len(found) == len(edges) and all(
            abs(one - other) <= 1 for one, other in zip(found, edges, strict=True)
        )
    assert good >= 0.97 * rounds - 3 * math.sqrt(0.03 * rounds)


@pytest.mark.parametrize(
    ("values", "changes"),
    [
        ([], []),
        ([1.0], []),
        ([1.0, 2.0], []),
        ([1.0] * 30, []),
        ([0.0] * 30, []),
        ([1.0] * 20 + [2.0], [20]),
        ([1.0, 1.0, 1.0, 2.0], [3]),
        ([1.0, 1.0, 1.0 + 1e-13, 2.0, 2.0], [3]),
        ([1.0] * 5 + [2.0] * 5 + [1.0] * 5, [5, 10]),
        ([1.0] * 5 + [2.0] * 2 + [3.0], []),
        ([0.0] * 8 + [1.0] + [0.0] * 8, []),
        ([1e300] * 5 + [2e300] * 5, [5]),
        ([-1.7e308, 1.7e308] * 10, []),
        ([1e-300 * n for n in (1, 2, 1, 2, 1, 2, 1, 2, 90, 91, 90, 91, 90, 91, 90, 91)], [8]),
    ],
)
def test_by_hand(values: list[float], changes: list[int]) -> None:
    assert [change.index for change in find_changes(values)] == changes


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), max_size=60))
def test_any_series(values: list[float]) -> None:
    found = find_changes(values)
    assert found == find_changes(list(values))
    indices = [change.index for change in found]
    assert indices == sorted(set(indices))
    assert all(0 < index < len(values) for index in indices)
    assert all(0 <= change.p_value <= LEVEL for change in found)


@given(st.lists(st.floats(-100, 100), min_size=6, max_size=40), st.sampled_from([0.25, 8.0, -2.0]))
def test_units_do_not_matter(values: list[float], factor: float) -> None:
    rounded = [round(value, 3) for value in values]
    there = find_changes(rounded)
    back = find_changes([factor * value for value in rounded])
    assert [change.index for change in there] == [change.index for change in back]


def test_long_series_of_many_changes_end() -> None:
    draw = random.Random(1)
    values = moved(draw, [(SMALLEST + 2, 20.0 * (number % 7)) for number in range(80)])
    assert len(find_changes(values)) > 50
