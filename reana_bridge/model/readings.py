"""What a reader finds in one file: metrics, checks, and what could not be read."""

from dataclasses import dataclass
from enum import StrEnum

from reana_bridge.model.metrics import Metric


class CheckState(StrEnum):
    """What became of a check."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"
    ERROR = "error"
    """It could not be judged, or ended in an error of its own."""


@dataclass(frozen=True, kw_only=True)
class Check:
    """One thing that the analysis itself says must hold: a Gherkin scenario, or a test case of JUnit.

    Attributes:
        name: The scenario or test case; unique within its source.
        state: What became of it.
        message: Why, for one that did not pass: the step and what was found instead; empty else.
        source: The file that declares it, relative to the workspace.
        group: The feature, or the test suite; empty for none.
        seconds: How long it took; None where unknown.
    """

    name: str
    state: CheckState
    message: str = ""
    source: str = ""
    group: str = ""
    seconds: float | None = None


@dataclass(frozen=True, kw_only=True)
class Unreadable:
    """A declared file that could not be read, and why (shown, never fatal)."""

    source: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What a reader found in one file: its metrics and checks, and what it had to leave out, and why."""

    metrics: tuple[Metric, ...] = ()
    checks: tuple[Check, ...] = ()
    unreadable: tuple[Unreadable, ...] = ()
