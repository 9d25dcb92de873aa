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
class Metric:
    """One value that a run left.

    Attributes:
        name: Unique within a result, such as `fit.mu`; at most 200 characters.
        value: A number (also NaN or an infinity), a text, or a truth value.
        unit: Free text such as `fb` or `%`; empty for pure numbers.
        uncertainty: One standard deviation in the metric's unit (the larger side where it is
            asymmetric); None where unknown.
        direction: Which way is better.
        target: The value to come near to; only with `Direction.TARGET`.
        description: One sentence on what it is.
        source: The file it was read from, relative to the workspace.
        tags: Free key-value pairs.
    """

    name: str
    value: float | int | str | bool
    unit: str = ""
    uncertainty: float | None = None
    direction: Direction = Direction.NONE
    target: float | None = None
    description: str = ""
    source: str = ""
    tags: dict[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, kw_only=True)
class Unreadable:
    """A declared metrics file that could not be read, and why (shown, never fatal)."""

    source: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What a reader found in one file: its metrics, and what it had to leave out, and why."""

    metrics: tuple[Metric, ...] = ()
    unreadable: tuple[Unreadable, ...] = ()
