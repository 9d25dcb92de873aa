"""A metric over its project's history, as the geometry of one small drawing.

Plain numbers in, coordinates out; a template turns them into SVG. Any finite values can be drawn, however
large or alike.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from reana_bridge.reports.numbers import show
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


def chart(name: str, unit: str, points: Sequence[Point]) -> Chart:
    """The drawing of `points` (at least one, oldest first)."""
    values = [point.value for point in points]
    widths = [_width(point) for point in points]
    low = min(value - width for value, width in zip(values, widths, strict=True))
    high = max(value + width for value, width in zip(values, widths, strict=True))
    scale = _Scale(low, high, len(points))
    places = [(scale.x(index), scale.y(value)) for index, value in enumerate(values)]
    upper = [(scale.x(i), scale.y(v + w)) for i, (v, w) in enumerate(zip(values, widths, strict=True))]
    lower = [(scale.x(i), scale.y(v - w)) for i, (v, w) in enumerate(zip(values, widths, strict=True))]
    last = points[-1]
    return Chart(
        name=name,
        unit=unit,
        latest=show(last.value, last.uncertainty),
        description=_description(name, unit, points, low, high),
        line=_path(places),
        band=_path([*upper, *lower[::-1]]) if any(widths) else "",
        dots=tuple(Dot(x, y, _says(point, unit)) for (x, y), point in zip(places, points, strict=True)),
        highest=show(float(f"{high:.4g}")),
        lowest=show(float(f"{low:.4g}")),
        points=tuple(points),
    )


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


def _description(name: str, unit: str, points: Sequence[Point], low: float, high: float) -> str:
    count = f"{len(points)} runs" if len(points) > 1 else "one run"
    latest = _says(points[-1], unit)
    edges = f"between {show(float(f'{low:.4g}'))} and {show(float(f'{high:.4g}'))}"
    return f"{name} over {count}, {edges}; latest {latest}."
