"""A metric's line can be drawn whatever its values are."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reana_bridge.results.trends import trend
from reana_bridge.web.charts import HEIGHT, WIDTH, Point, chart

finite = st.floats(allow_nan=False, allow_infinity=False)


def points(*pairs: tuple[float, float | None]) -> list[Point]:
    return [Point(run_id="r", sha="a" * 40, at=0.0, value=v, uncertainty=u) for v, u in pairs]


def test_levels_and_the_commit_that_moved_it() -> None:
    values = [
        4.0,
        4.1,
        3.9,
        4.0,
        4.05,
        3.95,
        4.0,
        4.1,
        3.9,
        4.0,
        5.0,
        5.1,
        4.9,
        5.0,
        5.05,
        4.95,
        5.0,
        5.1,
        4.9,
        5.0,
    ]
    drawn = chart("m", "fb", points(*((v, None) for v in values)), trend(values))
    assert len(drawn.levels) == 2
    assert drawn.levels[0].y > drawn.levels[1].y
    assert all(0 <= level.top <= HEIGHT and level.height > 0 for level in drawn.levels)
    (move,) = drawn.moves
    assert move.says.startswith("aaaaaaa moved it from 4 to 5 fb, confidence 99.9")
    assert move.says in drawn.description
    assert drawn.dots[9].x < move.x + 0.1 <= drawn.dots[10].x + 0.1


@given(st.lists(finite, min_size=2, max_size=40))
def test_levels_lie_inside(values: list[float]) -> None:
    drawn = chart("m", "", points(*((v, None) for v in values)), trend(values))
    for level in drawn.levels:
        assert 0 <= level.x <= level.x + level.width <= WIDTH
        assert 0 <= level.top <= level.top + level.height <= HEIGHT + 0.1
        assert 0 <= level.y <= HEIGHT


@given(st.lists(st.tuples(finite, st.none() | st.floats()), min_size=1, max_size=30))
def test_everything_lies_inside(pairs: list[tuple[float, float | None]]) -> None:
    drawn = chart("m", "fb", points(*pairs))
    for place in f"{drawn.line} {drawn.band}".split():
        x, y = map(float, place.split(","))
        assert 0 <= x <= WIDTH
        assert 0 <= y <= HEIGHT
    assert len(drawn.dots) == len(pairs)


@pytest.mark.parametrize(
    ("pairs", "rising", "band"),
    [
        ([(1.0, None), (2.0, None)], True, False),
        ([(2.0, 0.1), (1.0, 0.1)], False, True),
        ([(-1e308, None), (1e308, None)], True, False),
        ([(1e-300, None), (2e-300, None)], True, False),
        ([(1.0, float("nan")), (2.0, float("inf"))], True, False),
    ],
)
def test_higher_is_higher(pairs: list[tuple[float, float | None]], rising: bool, band: bool) -> None:
    drawn = chart("m", "", points(*pairs))
    assert (drawn.dots[0].y > drawn.dots[-1].y) is rising
    assert bool(drawn.band) is band


def test_it_says_what_it_shows() -> None:
    drawn = chart("limit", "fb", points((4.0, 0.1), (4.2, 0.1)))
    assert drawn.latest == "4.20 \u00b1 0.10"
    assert drawn.description.startswith(
        "limit over 2 runs, between 3.9 and 4.3; latest 4.20 \u00b1 0.10 fb at aaaaaaa"
    )
