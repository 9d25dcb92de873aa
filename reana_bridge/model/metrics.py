"""A metric: a named value with unit, uncertainty and direction."""

from dataclasses import dataclass, field
from enum import StrEnum


class Direction(StrEnum):
    """Which way is better."""

    HIGHER = "higher"
    LOWER = "lower"
    TARGET = "target"
    NONE = "none"


@dataclass(frozen=True, kw_only=True)
class UncertaintyPart:
    """One source of a metric's uncertainty: one standard deviation up and down, in the metric's unit.

    Attributes:
        name: `statistical`, `systematic`, or the source's own name.
        up: Not negative.
        down: Not negative.
    """

    name: str
    up: float
    down: float


@dataclass(frozen=True, kw_only=True)
class Point:
    """One value of a metric on its way, such as the loss after an epoch.

    Attributes:
        step: Step, epoch or time, as the file counts.
        value: The metric's value there, in its unit.
    """

    step: float
    value: float


@dataclass(frozen=True, kw_only=True)
class Metric:
    """One value that a run left.

    Attributes:
        name: Unique within a result, such as `fit.mu`; at most 200 characters.
        value: A number (also NaN or an infinity), a text, or a truth value.
        unit: Free text such as `fb` or `%`; empty for pure numbers.
        uncertainty: One standard deviation in the metric's unit (the larger side where it is
            asymmetric); None where unknown.
        up: The side towards higher values, where the uncertainty is asymmetric; None where it is not.
        down: The side towards lower values, not negative; None where it is symmetric.
        parts: The sources of the uncertainty, where the file tells them apart.
        direction: Which way is better.
        target: The value to come near to; only with `Direction.TARGET`.
        description: One sentence on what it is.
        source: The file it was read from, relative to the workspace.
        tags: Free key-value pairs.
        series: Its way to the value, by step; empty where the file has one value only.
    """

    name: str
    value: float | int | str | bool
    unit: str = ""
    uncertainty: float | None = None
    up: float | None = None
    down: float | None = None
    parts: tuple[UncertaintyPart, ...] = ()
    direction: Direction = Direction.NONE
    target: float | None = None
    description: str = ""
    source: str = ""
    tags: dict[str, str] = field(default_factory=dict[str, str])
    series: tuple[Point, ...] = ()
