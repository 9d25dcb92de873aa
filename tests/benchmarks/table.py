"""One figure of the table."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """What was measured, what came out, what it is to reach, and whether it does (None: no target)."""

    name: str
    value: str
    target: str
    reached: bool | None = None
