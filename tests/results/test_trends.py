import random

import pytest
import scipy.stats

from reana_bridge.results import trends
from reana_bridge.results.trends import trend


def normal(size: int, level: float = 10.0) -> list[float]:
    draw = random.Random(f"{size} {level}")
    return [draw.gauss(level, 1) for _ in range(size)]


def test_a_move_has_levels_bands_and_confidence() -> None:
    values = normal(30) + normal(20, 20.0)
    found = trend(values)
    (change,) = found.changes
    before, after = found.segments
    assert (change.index, before.start, before.stop, after.start, after.stop) == (30, 0, 30, 30, 50)
    assert (change.before, change.after) == (before.mean, after.mean)
    assert change.confidence > 0.999
    assert found.values == tuple(values)
    for segment in found.segments:
        part = values[segment.start : segment.stop]
        assert segment.mean == pytest.approx(scipy.stats.tmean(part))
        assert segment.spread == pytest.approx(scipy.stats.tstd(part))
        band = scipy.stats.t.interval(
            1 - 2 * scipy.stats.norm.sf(3),
            len(part) - 1,
            segment.mean,
            segment.spread * (1 + 1 / len(part)) ** 0.5,
        )
        assert (segment.low, segment.high) == pytest.approx(band)


@pytest.mark.parametrize(
    ("values", "segments", "banded"),
    [
        ([], 0, []),
        ([3.0], 1, [False]),
        (normal(7), 1, [False]),
        (normal(8), 1, [True]),
        ([1.0] * 9 + [2.0], 2, [True, False]),
    ],
)
def test_few_values_have_no_band(values: list[float], segments: int, banded: list[bool]) -> None:
    found = trend(values)
    assert [segment.low is not None for segment in found.segments] == banded
    assert len(found.segments) == segments
    assert len(found.changes) == max(0, segments - 1)


def test_of_very_many_values_the_last_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trends, "MAX_VALUES", 5)
    assert trend([float(number) for number in range(9)]).values == (4, 5, 6, 7, 8)
