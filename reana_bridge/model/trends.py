"""A trend: the history of one metric on the default branch, with the commits that moved it."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Segment:
    """A stretch of the history on one level, in the metric's unit.

    Attributes:
        start: Index of its first value.
        stop: Index behind its last value.
        mean: Of its values.
        spread: Their standard deviation; None for a single value.
        low: Lower edge of the band in which one more value is expected (3 sigma); None for fewer values
            than a test needs.
        high: Its upper edge; None likewise.
    """

    start: int
    stop: int
    mean: float
    spread: float | None = None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, kw_only=True)
class ChangePoint:
    """A move from one level to another.

    Attributes:
        index: The first value on the new level: its commit moved the metric.
        before: Mean of the segment before, in the metric's unit.
        after: Mean of the segment that begins here.
        confidence: From 0 to 1: how sure it is that this is no noise, allowing for all places looked at.
    """

    index: int
    before: float
    after: float
    confidence: float


@dataclass(frozen=True, kw_only=True)
class Trend:
    """The history of one metric.

    Attributes:
        values: In the metric's unit, oldest first.
        segments: One after the other, from the first value to the last; none without values.
        changes: Between the segments, earliest first.
    """

    values: tuple[float, ...] = ()
    segments: tuple[Segment, ...] = ()
    changes: tuple[ChangePoint, ...] = ()
