"""Series of metrics: drawn where they went another way, kept with the run, shown with the metric."""

import io
import math

import pytest
from PIL import Image

from reana_bridge.model.comparisons import Comparison, MetricComparison, Verdict
from reana_bridge.model.metrics import Metric, Point
from reana_bridge.model.results import Result
from reana_bridge.steps.comparing.series import draw_series, with_pictures
from tests.steps.house import House


def loss(speed: float, count: int = 30, name: str = "loss") -> Metric:
    points = tuple(Point(step=step, value=math.exp(-step / speed)) for step in range(count))
    return Metric(name=name, value=points[-1].value, series=points)


def test_what_went_another_way_is_drawn_and_shown_with_its_metric(one: House) -> None:
    before = Result(metrics=(loss(10), loss(10, name="same"), loss(10, name="gone")))
    head = Result(metrics=(loss(14), loss(10, name="same"), loss(10, name="new")))
    drawn = draw_series(one.bridge, before, head)
    assert drawn == draw_series(one.bridge, before, head)
    assert list(drawn.pictures) == ["loss"]
    picture = drawn.pictures["loss"]
    assert "30 steps of baseline and head; it ends at 0.05502, now at 0.126" in picture.title
    content = one.bridge.blobs.read(picture.digest)
    assert Image.open(io.BytesIO(content)).size == (770, 396)
    compared = tuple(
        MetricComparison(name=name, baseline=None, head=None, verdict=Verdict.CHANGED)
        for name in ("loss", "same")
    )
    shown = with_pictures(Comparison(baseline=None, metrics=compared), drawn.pictures)
    assert [metric.pictures for metric in shown.metrics] == [(picture,), ()]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (None, loss(10)),
        (loss(10, 1), loss(14, 1)),
        (Metric(name="loss", value=1.0), loss(10)),
        (loss(10), loss(10)),
    ],
)
def test_without_two_ways_nothing_is_drawn(one: House, before: Metric | None, after: Metric) -> None:
    baseline = Result(metrics=(before,)) if before else None
    drawn = draw_series(one.bridge, baseline, Result(metrics=(after,)))
    assert (drawn.pictures, drawn.kept) == ({}, ())


def test_long_and_odd_series_are_drawn_too(one: House) -> None:
    odd = (Point(step=0, value=math.nan), Point(step=1, value=math.inf), Point(step=math.nan, value=1))
    before = Result(metrics=(Metric(name="$x^{", value=1, series=odd), loss(10, 50_000)))
    head = Result(metrics=(Metric(name="$x^{", value=1, series=odd[:2]), loss(20, 50_000)))
    assert list(draw_series(one.bridge, before, head).pictures) == ["$x^{", "loss"]
