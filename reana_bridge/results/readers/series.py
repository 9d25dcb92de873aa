"""The way of a metric to its value, by step: lists of values, of pairs, or of records."""

import math

from reana_bridge.model.metrics import Point
from reana_bridge.results.readers.gathering import thinned
from reana_bridge.results.readers.tree import Branch, Entry, Refused
from reana_bridge.results.readers.uncertainties import number_of

STEP_KEYS = ("step", "steps", "epoch", "epochs", "iteration", "iter", "batch", "round")
"""What the column or key is called that counts."""


def points_of(entries: Branch) -> tuple[Point, ...] | Refused:
    """The points in a list, in the order of their steps; values without a step are counted from 0."""
    points: list[Point] = []
    for number, entry in enumerate(entries):
        point = _point(number, entry)
        if point is None:
            return Refused(f"has no number at item {number + 1}; write values or `{{step: ..., value: ...}}`")
        points.append(point)
    return thinned(sorted(points, key=lambda point: point.step))


def _point(number: int, entry: Entry) -> Point | None:
    item = entry.value
    step: float | int | None = number
    value = number_of(item) if not isinstance(item, Branch) else None
    if isinstance(item, Branch) and item.is_list and len(item.entries) == 2:
        step, value = (number_of(part.value) for part in item)
    elif isinstance(item, Branch) and not item.is_list:
        counted, held = item.get(*STEP_KEYS), item.get("value")
        step = number_of(counted.value) if counted else number
        value = number_of(held.value) if held else None
    return point(step, value)


def point(step: float | int | None, value: float | int | None) -> Point | None:
    """A point, where both are numbers that fit a float and the step is finite; None else."""
    try:
        if step is None or value is None or not math.isfinite(step):
            return None
        return Point(step=float(step), value=float(value))
    except OverflowError:
        return None
