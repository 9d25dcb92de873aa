"""Finds where a series of values moved to another level: deterministic, bounded, without permutations.

Binary segmentation: a part of the series is split where its two sides differ most by the two-sample t-test,
and each side is searched in turn. Where the part as a whole shows nothing, the narrowest that does of a fixed
set of intervals within it is split, long ones and ever shorter ones (seeded binary segmentation: S. Kovacs et
al., Biometrika 110 (2023) 249; narrowest first: R. Baranowski, Y. Chen and P. Fryzlewicz, J. R. Stat. Soc. B
81 (2019) 649), so that two changes that undo each other are seen too. All these t-tests together find
something in a part that never moved with probability `LEVEL` at most: p-values are times the number of all
splits of all intervals, Bonferroni's bound. In the end each change is put where it fits best between its
neighbours.

A series of plain steps, each constant for at least `SMALLEST` values, needs no statistics: every step is a
change, also the one that began with the last value.

A part of n values costs O(n log n), so a series with c changes O(c n log n).
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate, pairwise, repeat
from operator import mul, sub

from reana_bridge.results.statistics import ROUNDING, is_constant, mean, normal_limit, same, student_p

LEVEL = 0.001
"""The probability that a part that never moved is said to have moved, at most."""
SMALLEST = 3
"""Fewest values on either side of a change, except behind the last step of a series of plain steps."""
QUIET = 2.5
"""Standard deviations by which the variance must exceed that of the steps, for a part to be searched.

The ratio of the two (J. von Neumann, Ann. Math. Stat. 12 (1941) 367) is 1 +- 1/sqrt(n) where nothing moved,
and larger where something did; a change that the search could find makes it far larger.
"""
_SHRINK = math.sqrt(2)
_LARGEST_STEPS = 0.1  # of the steps, that may be changes and say nothing of the noise


@dataclass(frozen=True, kw_only=True)
class Change:
    """One change.

    Attributes:
        index: The first value on the new level.
        p_value: That noise alone would show such a change, at most; 0 for plain steps.
    """

    index: int
    p_value: float


def find_changes(values: Sequence[float]) -> tuple[Change, ...]:
    """The changes of level in `values` (finite, in the order of time), earliest first."""
    if len(values) < 2 or is_constant(values):
        return ()
    steps = _plain_steps(values)
    if steps is not None:
        return tuple(Change(index=index, p_value=0.0) for index in steps)
    if _is_quiet(values):
        return ()
    centre, scale = mean(values), max(values) - min(values)
    if not math.isfinite(scale):
        return ()
    scaled = [(value - centre) / scale for value in values]
    # What rounding leaves of a constant stretch is no noise.
    least = (ROUNDING * max(1.0, abs(centre) / scale)) ** 2
    return tuple(_confirmed(scaled, _splits(scaled, least), least))


def _plain_steps(values: Sequence[float]) -> list[int] | None:
    """Where each step of a piecewise constant series begins, without the first; None for any other."""
    starts = [0]
    for index, (before, after) in enumerate(pairwise(values), 1):
        if same(before, after):
            continue
        if index - starts[-1] < SMALLEST:
            return None
        starts.append(index)
    return starts[1:]


def _is_quiet(values: Sequence[float]) -> bool:
    """Whether nothing is to be found: too short, or no wider than its steps let expect."""
    if len(values) < 2 * SMALLEST:
        return True
    wide = math.dist(values, [mean(values)] * len(values))
    step = math.dist(values[1:], values[:-1])
    return wide <= math.sqrt((1 + QUIET / math.sqrt(len(values))) / 2) * step


def _splits(values: Sequence[float], least: float) -> list[int]:
    """All changes, earliest first, before they are put where they fit best."""
    found: list[int] = []
    parts = [(0, len(values))]
    while parts:
        start, stop = parts.pop()
        part = values[start:stop]
        split = None if _is_quiet(part) else _search(part, least)
        if split is not None:
            found.append(start + split)
            parts += [(start, start + split), (start + split, stop)]
    return sorted(found)


def _search(values: Sequence[float], least: float) -> int | None:
    """Where to split a part, by the whole or else by the narrowest interval that shows a change."""
    level = LEVEL / _number_of_splits(len(values))
    # Student's tails are never lighter than the normal ones: most intervals need no more than this.
    enough = normal_limit(level)
    noise = max(_noise(values), least)
    whole = (0, len(values))
    for start, stop in (whole, *reversed(_intervals(len(values)))):
        index, t = _best(values[start:stop], noise)
        if t >= enough and student_p(t, stop - start - 2) <= level:
            return start + index
    return None


@lru_cache(maxsize=512)
def _intervals(size: int) -> tuple[tuple[int, int], ...]:
    """The intervals that are searched, widest first, each once."""
    found: dict[tuple[int, int], None] = {}
    length = float(size)
    while length >= 2 * SMALLEST:
        count = 2 * math.ceil(size / length) - 1
        step = (size - length) / (count - 1) if count > 1 else 0.0
        for number in range(count):
            start = math.floor(number * step)
            found[start, min(size, math.ceil(number * step + length))] = None
        length /= _SHRINK
    return tuple(found)


@lru_cache(maxsize=512)
def _number_of_splits(size: int) -> int:
    return sum(stop - start - 2 * SMALLEST + 1 for start, stop in _intervals(size))


def _noise(values: Sequence[float]) -> float:
    """The variance between neighbours without the largest steps: a few values may be alike by chance."""
    steps = sorted(map(abs, map(sub, values[1:], values)))
    kept = steps[: -max(1, round(_LARGEST_STEPS * len(steps)))]
    return sum(map(mul, kept, kept)) / (2 * len(kept))


@lru_cache(maxsize=512)
def _weights(size: int) -> tuple[float, ...]:
    """1 / (k (n - k)) for a split behind k values; 0 where a side would be too small."""
    inside = range(SMALLEST, size - SMALLEST + 1)
    return tuple(1 / (k * (size - k)) if k in inside else 0.0 for k in range(1, size + 1))


def _best(values: Sequence[float], noise: float) -> tuple[int, float]:
    """The split whose two sides differ most, and |t| between them, with n - 2 degrees of freedom.

    Args:
        values: The part, not shorter than 2 `SMALLEST`.
        noise: The variance within the sides, at least.
    """
    size = len(values)
    centred = list(map(sub, values, repeat(mean(values))))
    sums = list(accumulate(centred))
    gains = list(map(mul, map(mul, sums, sums), _weights(size)))
    gain = max(gains)
    between = gain * size
    within = sum(map(mul, centred, centred)) - between
    variance = max(within / (size - 2), noise)
    return gains.index(gain) + 1, math.sqrt(between / variance)


def _confirmed(values: Sequence[float], splits: Sequence[int], least: float) -> Iterator[Change]:
    """Each change where it fits best between its neighbours, where it still stands there."""
    previous = 0
    for number, index in enumerate(splits):
        following = splits[number + 1] if number + 1 < len(splits) else len(values)
        if index - previous < SMALLEST or following - index < SMALLEST:
            continue
        part = values[previous:following]
        found, t = _best(part, max(_noise(part), least))
        p_value = min(1.0, student_p(t, len(part) - 2) * _number_of_splits(len(part)))
        if p_value <= LEVEL:
            previous += found
            yield Change(index=previous, p_value=p_value)
