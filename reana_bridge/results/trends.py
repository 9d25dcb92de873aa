"""The trend of a metric: its values, the levels that they were on, and where they moved."""

import math
from collections.abc import Sequence
from itertools import pairwise

from reana_bridge.model.comparisons import SIGNIFICANT_SIGMAS
from reana_bridge.model.trends import ChangePoint, Segment, Trend
from reana_bridge.results.changepoints import find_changes
from reana_bridge.results.statistics import deviation, mean, normal_p, student_limit
from reana_bridge.results.verdicts import MINIMUM_RUNS

MAX_VALUES = 2000
"""Values that a trend has at most; of more the last ones count."""


def trend(values: Sequence[float]) -> Trend:
    """The trend of finite `values`, in the metric's unit, oldest first."""
    values = tuple(values[-MAX_VALUES:])
    changes = find_changes(values)
    edges = [0, *(change.index for change in changes), len(values)]
    segments = [_segment(values, start, stop) for start, stop in pairwise(edges) if start < stop]
    points = [
        ChangePoint(index=change.index, before=before.mean, after=after.mean, confidence=1 - change.p_value)
        for change, (before, after) in zip(changes, pairwise(segments), strict=True)
    ]
    return Trend(values=values, segments=tuple(segments), changes=tuple(points))


def _segment(values: Sequence[float], start: int, stop: int) -> Segment:
    part = values[start:stop]
    centre, size = mean(part), len(part)
    spread = deviation(part, centre) if size > 1 else None
    if spread is None or size < MINIMUM_RUNS or not math.isfinite(spread):
        return Segment(start=start, stop=stop, mean=centre, spread=spread)
    limit = student_limit(normal_p(SIGNIFICANT_SIGMAS), size - 1)
    half = limit * spread * math.sqrt(1 + 1 / size)
    return Segment(start=start, stop=stop, mean=centre, spread=spread, low=centre - half, high=centre + half)
