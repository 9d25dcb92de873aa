"""Reads metrics from free text, such as a step's log, by a regular expression of the project's file.

Runs in the isolated process: a pattern can take for ever, and the process' time ends it.

    nsig = (?P<nsig>[0-9.]+)                          a group's name is the metric's
    nsig = (?P<value>...) [+]/- (?P<uncertainty>...)  named in the project's file, or by the group `name`

Of a metric that is written several times the last value counts; all of them are its series.
"""

import re
from pathlib import Path
from typing import Any

from reana_bridge.model.metrics import Point
from reana_bridge.model.readings import Reading
from reana_bridge.results.readers.clean import one_line
from reana_bridge.results.readers.gathering import MAX_UNIT, Gathering, thinned, unusable
from reana_bridge.results.readers.scalars import scalar
from reana_bridge.results.readers.tree import MAX_BYTES, Branch, Entry, Refused
from reana_bridge.results.readers.uncertainties import number_of, spread_of

MAX_MATCHES = 100_000
_GROUPS = frozenset({"value", "name", "uncertainty", "up", "down", "unit"})


def read(path: Path, *, source: str, pattern: str, name: str) -> Reading:
    """The metrics that `pattern` finds in the text at `path`.

    Args:
        path: The text; its last `MAX_BYTES` are read.
        source: What it is called, for the messages.
        pattern: A regular expression with named groups; `^` and `$` fit at lines.
        name: The metric's name where the pattern has the group `value` and none called `name`.
    """
    try:
        compiled = re.compile(pattern, re.MULTILINE)
    except (re.error, RecursionError, OverflowError) as error:
        return unusable(source, f"the pattern `{one_line(pattern, 200)}` is wrong: {error}")
    found = Gathering(source)
    values: dict[str, list[tuple[Any, dict[str, str]]]] = {}
    for number, match in enumerate(compiled.finditer(_text(path))):
        if number >= MAX_MATCHES:
            found.complain(pattern, f"fits more than {MAX_MATCHES:,} times; the others were left out")
            break
        groups = {key: text for key, text in match.groupdict().items() if text is not None}
        for metric, word in _named(groups, name):
            values.setdefault(metric, []).append((scalar(word), groups))
    for metric, all_of_it in values.items():
        _add(found, metric, all_of_it)
    if not values:
        found.complain(pattern, "fits nowhere in it")
    return found.reading()


def _text(path: Path) -> str:
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - MAX_BYTES))
        return file.read().decode("utf-8", "replace").replace("\r\n", "\n")


def _named(groups: dict[str, str], name: str) -> list[tuple[str, str]]:
    """Names and values of the metrics in one match."""
    if "value" in groups:
        return [(groups.get("name", name), groups["value"])]
    return [(key, word) for key, word in groups.items() if key not in _GROUPS]


def _add(found: Gathering, name: str, values: list[tuple[Any, dict[str, str]]]) -> None:
    value, groups = values[-1]
    metric = found.add(name, value, unit=one_line(groups.get("unit", ""), MAX_UNIT))
    if metric is None:
        return
    if len(values) > 1:
        numbers = [None if isinstance(one, Refused) else number_of(one) for one, _ in values]
        points = [Point(step=float(i), value=float(n)) for i, n in enumerate(numbers) if n is not None]
        found.change(metric, series=thinned(points))
        metric = found.metrics[metric.name]
    sides = [Entry(key, scalar(groups[key])) for key in ("down", "up") if key in groups]
    spread = spread_of(Branch(sides) if sides else scalar(groups.get("uncertainty", "")))
    if isinstance(spread, Refused):
        found.complain(name, f"is read without its uncertainty, which {spread.reason}")
    elif spread is not None:
        found.change(metric, **spread.fields())
