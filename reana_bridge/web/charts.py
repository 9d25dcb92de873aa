"""A metric over its project's history, as the geometry of one small drawing.

Beside the line: the band of its uncertainties, the levels that it was on with the range in which one more
value is expected, and the commits that moved it from one to the next.

Plain numbers in, coordinates out; a template turns them into SVG. Any finite values can be drawn, however
large or alike.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from reana_bridge.model.trends import ChangePoint, Segment, Trend
from reana_bridge.reports.numbers import show, show_pair
from reana_bridge.reports.words import moment, short_sha

WIDTH, HEIGHT = 320, 96
_LEFT, _RIGHT, _TOP, _BOTTOM = 6, 6, 8, 8


@dataclass(frozen=True, kw_only=True)
class Point:
    """One value: of which run and commit, when, and its uncertainty (None where unknown)."""

    run_id: str
    sha: str
    at: float
    value: float
    uncertainty: float | None = None


@dataclass(frozen=True)
class Dot:
    """A point's place, and what it says when it is pointed at."""

    x: float
    y: float
    says: str


@dataclass(frozen=True)
class Level:
    """A stretch on one level: its mean as a line, and the range around it; no height where it is unknown."""

    x: float
    width: float
    y: float
    top: float
    height: float


@dataclass(frozen=True, kw_only=True)
class Move:
    """A commit that moved the metric: where it stands, and what happened there."""

    x: float
    says: str
    point: Point


@dataclass(frozen=True, kw_only=True)
class Chart:
    """A metric's line.

    Attributes:
        name: The metric's name.
        unit: Its unit; empty for none.
        latest: The newest value, as shown.
        description: What the drawing shows, for who cannot see it.
        line: The line's points, as SVG has them.
        band: The outline of value plus and minus uncertainty; empty where none is known.
        dots: One a value.
        highest: The upper edge's value, as shown.
        lowest: The lower edge's value, as shown.
        points: The values themselves, oldest first.
        levels: What it was on, earliest first; empty for fewer than two values.
        moves: Between them, earliest first.
    """

    name: str
    unit: str
    latest: str
    description: str
    line: str
    band: str
    dots: tuple[Dot, ...]
    highest: str
    lowest: str
    points: tuple[Point, ...]
    levels: tuple[Level, ...] = ()
    moves: tuple[Move, ...] = ()


def chart(name: str, unit: str, points: Sequence[Point], trend: Trend | None = None) -> Chart:
    """The drawing of `points` (at least one, oldest first), with the `trend` of their values."""
    values = [point.value for point in points]
    widths = [_width(point) for point in points]
    segments = trend.segments if trend and len(points) > 1 else ()
    edges = [edge for one in segments for edge in (one.low, one.high) if edge is not None]
    low = min([*(value - width for value, width in zip(values, widths, strict=True)), *edges])
    high = max([*(value + width for value, width in zip(values, widths, strict=True)), *edges])
    scale = _Scale(low, high, len(points))
    places = [(scale.x(index), scale.y(value)) for index, value in enumerate(values)]
    upper = [(scale.x(i), scale.y(v + w)) for i, (v, w) in enumerate(zip(values, widths, strict=True))]
    lower = [(scale.x(i), scale.y(v - w)) for i, (v, w) in enumerate(zip(values, widths, strict=True))]
    last = points[-1]
    moves = tuple(
        _move(change, points, unit, scale) for change in (trend.changes if segments and trend else ())
    )
    return Chart(
        name=name,
        unit=unit,
        latest=show(last.value, last.uncertainty),
        description=_description(name, unit, points, low, high, moves),
        line=_path(places),
        band=_path([*upper, *lower[::-1]]) if any(widths) else "",
        dots=tuple(Dot(x, y, _says(point, unit)) for (x, y), point in zip(places, points, strict=True)),
        highest=show(float(f"{high:.4g}")),
        lowest=show(float(f"{low:.4g}")),
        points=tuple(points),
        levels=tuple(_level(segment, scale) for segment in segments),
        moves=moves,
    )


def _level(segment: Segment, scale: "_Scale") -> Level:
    left, right = scale.x(segment.start), scale.x(max(segment.stop - 1, segment.start))
    low, high = segment.low, segment.high
    top, height = scale.y(segment.mean), 0.0
    if low is not None and high is not None:
        top, height = scale.y(high), round(scale.y(low) - scale.y(high), 1)
    return Level(left, round(right - left, 1), scale.y(segment.mean), top, max(height, 0.0))


def _move(change: ChangePoint, points: Sequence[Point], unit: str, scale: "_Scale") -> Move:
    point = points[change.index]
    before, after = show_pair(float(f"{change.before:.6g}"), float(f"{change.after:.6g}"))
    sure = f"{min(change.confidence, 0.9999):.2%}".replace("%", " %")
    says = f"{short_sha(point.sha)} moved it from {before} to {after}{unit and ' ' + unit}, confidence {sure}"
    return Move(x=scale.x(change.index), says=says, point=point)


class _Scale:
    """Values and positions to coordinates; halves keep the largest floats from overflowing."""

    def __init__(self, low: float, high: float, count: int) -> None:
        low, high = max(low, -1.7e308), min(high, 1.7e308)
        if high / 2 - low / 2 <= abs(high) * 1e-12:  # all alike: the line goes through the middle
            room = abs(high) * 0.05 or 1.0
            low, high = low - room, high + room
        self._low, self._span = low / 2, high / 2 - low / 2
        self._step = (WIDTH - _LEFT - _RIGHT) / max(1, count - 1)
        self._single = count == 1

    def x(self, index: int) -> float:
        """Where the `index`th point stands."""
        return round(WIDTH / 2 if self._single else _LEFT + index * self._step, 1)

    def y(self, value: float) -> float:
        """How high `value` stands."""
        share = (max(-1.7e308, min(1.7e308, value)) / 2 - self._low) / self._span
        share = min(1.0, max(0.0, share)) if math.isfinite(share) else 0.5
        return round(_TOP + (1 - share) * (HEIGHT - _TOP - _BOTTOM), 1)


def _width(point: Point) -> float:
    width = point.uncertainty
    return width if width is not None and math.isfinite(width) and width > 0 else 0.0


def _path(places: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x},{y}" for x, y in places)


def _says(point: Point, unit: str) -> str:
    value = show(point.value, point.uncertainty)
    return f"{value}{unit and ' ' + unit} at {short_sha(point.sha)}, {moment(point.at)}"


def _description(
    name: str, unit: str, points: Sequence[Point], low: float, high: float, moves: Sequence[Move]
) -> str:
    count = f"{len(points)} runs" if len(points) > 1 else "one run"
    latest = _says(points[-1], unit)
    edges = f"between {show(float(f'{low:.4g}'))} and {show(float(f'{high:.4g}'))}"
    moved = "".join(f" {move.says}." for move in moves)
    return f"{name} over {count}, {edges}; latest {latest}.{moved}"
