"""Gathers what a reader finds in one file, within limits; what has to be left out is named."""

from dataclasses import replace
from typing import Any

from reana_bridge.model.metrics import Metric, Point
from reana_bridge.model.readings import Check, Reading, Unreadable
from reana_bridge.results.readers.clean import one_line
from reana_bridge.results.readers.scalars import special_number
from reana_bridge.results.readers.tree import Branch, Refused, Tree

MAX_METRICS = 10_000
MAX_CHECKS = 10_000
MAX_NAME = 200
MAX_TEXT = 1_000
MAX_UNIT = 50
MAX_DESCRIPTION = 500
MAX_TAGS = 20
MAX_POINTS = 1_000
MAX_COMPLAINTS = 50


def unusable(source: str, reason: str) -> Reading:
    """The reading of a file of which nothing can be used."""
    return Reading(unreadable=(Unreadable(source=source, reason=reason),))


class Gathering:
    """Metrics, checks and complaints of one file.

    Args:
        source: The file's path relative to the workspace.
    """

    def __init__(self, source: str) -> None:
        self.source = source
        self.metrics: dict[str, Metric] = {}
        self._checks: dict[tuple[str, str], Check] = {}
        self._complaints: list[str] = []
        self._too_many = 0

    def complain(self, name: str, what: str, *, line: int | None = None) -> None:
        """Say that the part `name` of the file was left out, or read otherwise than it stands there."""
        place = f"line {line}: " if line else ""
        self._complaints.append(f"{place}`{one_line(name, MAX_NAME)}` {what}")

    def add(self, name: str, value: Tree, *, line: int | None = None, **fields: Any) -> Metric | None:
        """Take a metric with further `fields` of `Metric`; None where it was refused and named."""
        cleaned = one_line(name, MAX_NAME)
        checked = _value(value)
        if not cleaned:
            self.complain(name, "is a value without a name", line=line)
        elif isinstance(checked, Refused):
            self.complain(cleaned, checked.reason, line=line)
        elif cleaned in self.metrics:
            self.complain(cleaned, "stands there twice; the first was kept", line=line)
        elif len(one_line(name, MAX_NAME + 1)) > MAX_NAME:
            self.complain(cleaned, f"is a name of more than {MAX_NAME} characters", line=line)
        elif len(self.metrics) >= MAX_METRICS:
            self._too_many += 1
        else:
            metric = Metric(name=cleaned, value=checked, source=self.source, **fields)
            self.metrics[cleaned] = metric
            return metric
        return None

    def change(self, metric: Metric, **fields: Any) -> None:
        """Put `fields` onto a metric that was taken."""
        self.metrics[metric.name] = replace(metric, **fields)

    def check(self, check: Check) -> None:
        """Take a check; of two with one name in a group the worse word is that of the first that is bad."""
        key = (check.group, check.name)
        number = 2
        while key in self._checks:
            key = (check.group, f"{check.name} ({number})")
            number += 1
        if len(self._checks) >= MAX_CHECKS:
            self._too_many += 1
        else:
            self._checks[key] = replace(check, name=key[1])

    def reading(self) -> Reading:
        """All of it."""
        complaints = self._complaints[:MAX_COMPLAINTS]
        if len(self._complaints) > MAX_COMPLAINTS:
            complaints.append(f"and {len(self._complaints) - MAX_COMPLAINTS} more parts like these")
        if self._too_many:
            complaints.append(f"has more than {MAX_METRICS:,} metrics; {self._too_many:,} were left out")
        return Reading(
            metrics=tuple(self.metrics.values()),
            checks=tuple(self._checks.values()),
            unreadable=tuple(Unreadable(source=self.source, reason=reason) for reason in complaints),
        )


def thinned(points: list[Point]) -> tuple[Point, ...]:
    """At most `MAX_POINTS` of the `points`, evenly spread, with the first and the last."""
    if len(points) <= MAX_POINTS:
        return tuple(points)
    last = len(points) - 1
    return tuple(points[round(number * last / (MAX_POINTS - 1))] for number in range(MAX_POINTS))


def _value(value: Tree) -> float | int | str | bool | Refused:
    if value is None:
        return Refused("has no value")
    if isinstance(value, Branch):
        return Refused("has a value that is no number, text or truth value")
    if not isinstance(value, str):
        return value
    number = special_number(value)
    if number is not None:
        return number
    return value if len(value) <= MAX_TEXT else Refused(f"is a text of more than {MAX_TEXT:,} characters")
