"""Draws the way of a metric, such as a loss over epochs, of baseline and head over another."""

import math
from collections.abc import Sequence
from pathlib import Path

from reana_bridge.model.drawn import Picture
from reana_bridge.model.metrics import Metric, Point
from reana_bridge.results.drawing.canvas import BASELINE, HEAD, keep_figure, new_figure, style, wrapped
from reana_bridge.results.readers.clean import one_line

MAX_POINTS = 2_000
_FEW = 60  # up to here each value has a mark


def overlay(before: Metric, after: Metric, *, place: Path) -> Picture:
    """The picture of both series, kept in the directory `place`: the baseline dashed, the head solid."""
    title = f"{after.name} of baseline and head, by step"
    with style():
        figure = new_figure(3.6)
        panel = figure.subplots()
        looks = ((before, BASELINE, "--", "s", "baseline"), (after, HEAD, "-", "o", "head"))
        for metric, colour, line, mark, label in looks:
            points = _thinned(metric.series)
            panel.plot(
                [point.step for point in points],
                [point.value for point in points],
                color=colour,
                linestyle=line,
                marker=mark if len(points) <= _FEW else None,
                markersize=4,
                linewidth=1.6,
                label=label,
            )
        panel.set_title(wrapped(title), loc="left", parse_math=False)
        panel.set_xlabel("step")
        panel.set_ylabel(one_line(after.unit or after.name, 40), parse_math=False)
        panel.legend(frameon=False)
        return keep_figure(figure, place=place, shows="overlay", title=_said(before, after))


def _thinned(points: Sequence[Point]) -> Sequence[Point]:
    """At most `MAX_POINTS` of the finite values, evenly, the last one among them."""
    finite = [point for point in points if math.isfinite(point.value) and math.isfinite(point.step)]
    step = math.ceil(len(finite) / MAX_POINTS) or 1
    return finite[::-1][::step][::-1]


def _said(before: Metric, after: Metric) -> str:
    ends = [f"{metric.series[-1].value:.4g}" for metric in (before, after)]
    count = len(after.series)
    return f"{after.name} over {count:,} steps of baseline and head; it ends at {ends[0]}, now at {ends[1]}"
