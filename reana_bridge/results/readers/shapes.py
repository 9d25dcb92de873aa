"""Finds metrics in a tree, in the shapes that people write; what is broken is named, the rest is read.

    name: 1.2                                  a number, a text or a truth value; "NaN", "-inf" are numbers
    name: {value: 1.2, uncertainty: 0.1, ...}  also `error`, `sigma`, `std`, `unc`, `stderr`, ... for it
    name: 1.2, name_err: 0.1                   a neighbour `_uncertainty`, `_unc`, `_err` or `_stderr`
    name: {value: 1.2, stat: 0.1, syst: 0.2}   sources; `error: {stat: , syst: }` and `name_stat` too
    name: {series: [3, 2, 1.2]}                the way to a value; also `{step: , value: }` in the list
    group: {name: 1.2}                         becomes `group.name`
    [{name: ..., value: ...}, ...]             a list of records; also below a key
    metrics: {...} or [...]                    at the top: only a wrapper, not part of the names

What an uncertainty may look like: `uncertainties.py`. A bare list of numbers is no metric: whether
`[1.2, 0.1]` is a value with its uncertainty, an interval or two bins cannot be known, and a wrong guess would
be a wrong verdict.
"""

import math
from collections.abc import Mapping
from types import MappingProxyType

from reana_bridge.model.metrics import Direction, Metric
from reana_bridge.model.readings import Reading
from reana_bridge.results.readers.clean import one_line
from reana_bridge.results.readers.gathering import (
    MAX_DESCRIPTION,
    MAX_NAME,
    MAX_TAGS,
    MAX_UNIT,
    Gathering,
)
from reana_bridge.results.readers.series import points_of
from reana_bridge.results.readers.tree import Branch, Entry, FileUnusable, Refused, Tree
from reana_bridge.results.readers.uncertainties import neighbours, number_of, spread_entry, spread_of

_MAX_LEVELS = 30

NAME_KEYS = ("name", "metric", "key")
_SERIES_KEYS = ("series", "history")
_DIRECTIONS: Mapping[str, Direction] = MappingProxyType(
    {
        **dict.fromkeys(("higher", "high", "up", "max", "maximum", "maximize", "maximise"), Direction.HIGHER),
        **dict.fromkeys(("higher is better", "bigger", "larger", "increase"), Direction.HIGHER),
        **dict.fromkeys(("lower", "low", "down", "min", "minimum", "minimize", "minimise"), Direction.LOWER),
        **dict.fromkeys(("lower is better", "smaller", "decrease"), Direction.LOWER),
        **dict.fromkeys(("target", "nominal", "closer"), Direction.TARGET),
        **dict.fromkeys(("none", "neutral", ""), Direction.NONE),
    }
)


def metrics_of(tree: Tree, *, source: str) -> Reading:
    """The metrics in `tree`, which was read from `source`, in the file's order.

    Raises:
        FileUnusable: the whole is no mapping and no list.
    """
    if not isinstance(tree, Branch):
        raise FileUnusable("holds a single value; write a mapping such as `name: value`")
    finder = _Finder(source)
    finder.branch(tree, prefix="", level=0)
    return finder.found.reading()


class _Finder:
    """Walks one tree and gathers metrics and complaints."""

    def __init__(self, source: str) -> None:
        self.found = Gathering(source)

    def complain(self, entry: Entry, name: str, what: str) -> None:
        self.found.complain(name, what, line=entry.line)

    def branch(self, branch: Branch, *, prefix: str, level: int) -> None:
        spreads, used = ({}, set[int]()) if branch.is_list else neighbours(branch)
        for entry in branch:
            if id(entry) in used:
                continue
            if branch.is_list:
                self.item(entry, prefix=prefix, level=level)
                continue
            self.named(entry, prefix + entry.key, spread=spreads.get(entry.key), level=level)

    def item(self, entry: Entry, *, prefix: str, level: int) -> None:
        record = entry.value
        name = record.get(*NAME_KEYS) if isinstance(record, Branch) and not record.is_list else None
        if name is None or not isinstance(record, Branch):
            where = f"{prefix}{entry.key}"
            self.complain(entry, where, "is an item without a name; write `{name: ..., value: ...}`")
        elif isinstance(name.value, Branch | Refused) or name.value is None:
            self.complain(entry, f"{prefix}{entry.key}", "has a name that is no text")
        else:
            rest = Branch([part for part in record if part is not name] or [Entry("value", None, entry.line)])
            self.named(Entry("", rest, entry.line), prefix + str(name.value), spread=None, level=level)

    def named(self, entry: Entry, name: str, *, spread: Entry | None, level: int) -> None:
        value = entry.value
        if not isinstance(value, Branch):
            self.add(entry, name, value, spread)
        elif level >= _MAX_LEVELS:
            self.complain(entry, name, f"is nested deeper than {_MAX_LEVELS} levels")
        elif value.is_list and any(not isinstance(item.value, Branch) for item in value):
            self.complain(
                entry, name, f"is a list of {len(value.entries)} values; write one value, or `{{value: ...}}`"
            )
        elif not value.is_list and (value.get("value") or _series(value)):
            self.record(entry, name, value)
        else:
            wrapper = level == 0 and name.lower() == "metrics"
            self.branch(value, prefix="" if wrapper else f"{name}.", level=level + 1)

    def record(self, entry: Entry, name: str, record: Branch) -> None:
        series = _series(record)
        points = points_of(series) if series else ()
        if isinstance(points, Refused):
            self.complain(entry, name, f"is read without its series, which {points.reason}")
            points = ()
        value = record.get("value") or (Entry("value", points[-1].value) if points else Entry("value", None))
        metric = self.add(entry, name, value.value, spread_entry(record))
        if metric is None:
            return
        direction, target = self.direction(record, metric.name), self.target(record, metric.name)
        if direction is None:
            direction = Direction.NONE if target is None else Direction.TARGET
        if direction is Direction.TARGET and target is None:
            self.complain(entry, name, "has the direction `target` but no target; write `target: 1.0`")
            direction = Direction.NONE
        self.found.change(
            metric,
            unit=_text(record, MAX_UNIT, "unit", "units"),
            description=_text(record, MAX_DESCRIPTION, "description", "title"),
            direction=direction,
            target=target if direction is Direction.TARGET else None,
            tags=_tags(record),
            series=points,
        )

    def add(self, entry: Entry, name: str, value: Tree, spread: Entry | None) -> Metric | None:
        metric = self.found.add(name, value, line=entry.line)
        size = spread_of(spread.value) if metric and spread else None
        if metric is None or size is None or spread is None:
            return metric
        if isinstance(size, Refused):
            self.complain(spread, metric.name, f"is read without its uncertainty, which {size.reason}")
            return metric
        self.found.change(metric, **size.fields())
        return self.found.metrics[metric.name]

    def direction(self, record: Branch, name: str) -> Direction | None:
        for key, direction in (
            ("higher_is_better", (Direction.LOWER, Direction.HIGHER)),
            ("lower_is_better", (Direction.HIGHER, Direction.LOWER)),
        ):
            entry = record.get(key)
            if entry is not None and isinstance(entry.value, bool):
                return direction[entry.value]
        entry = record.get("direction", "better")
        if entry is None or entry.value is None:
            return None
        word = str(entry.value).strip().lower().replace("_", " ").replace("-", " ")
        if isinstance(entry.value, str) and word in _DIRECTIONS:
            return _DIRECTIONS[word]
        self.complain(entry, name, "has an unknown direction; write `higher`, `lower`, `target` or `none`")
        return None

    def target(self, record: Branch, name: str) -> float | None:
        entry = record.get("target")
        if entry is None or entry.value is None:
            return None
        number = number_of(entry.value)
        if number is None or not math.isfinite(number):
            self.complain(entry, name, "has a target that is no number")
            return None
        return number


def _series(record: Branch) -> Branch | None:
    entry = record.get(*_SERIES_KEYS)
    value = entry.value if entry else None
    return value if isinstance(value, Branch) and value.is_list else None


def _text(record: Branch, limit: int, *keys: str) -> str:
    entry = record.get(*keys)
    known = isinstance(entry.value, str | int | float) if entry else False
    return one_line(str(entry.value), limit) if entry and known else ""


def _tags(record: Branch) -> dict[str, str]:
    entry = record.get("tags")
    if entry is None or not isinstance(entry.value, Branch) or entry.value.is_list:
        return {}
    return {
        one_line(tag.key, MAX_UNIT): one_line(str(tag.value), MAX_NAME)
        for tag in entry.value.entries[:MAX_TAGS]
        if isinstance(tag.value, str | int | float)
    }
