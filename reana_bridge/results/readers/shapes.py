"""Finds metrics in a tree, in the shapes that people write; what is broken is named, the rest is read.

    name: 1.2                                  a number, a text or a truth value; "NaN", "-inf" are numbers
    name: {value: 1.2, uncertainty: 0.1, ...}  also `error`, `sigma`, `std`, `unc`, `stderr`, ... for it
    name: 1.2, name_err: 0.1                   a neighbour `_uncertainty`, `_unc`, `_err` or `_stderr`
    group: {name: 1.2}                         becomes `group.name`
    [{name: ..., value: ...}, ...]             a list of records; also below a key
    metrics: {...} or [...]                    at the top: only a wrapper, not part of the names

An uncertainty is one standard deviation; of `[down, up]` or `{down: ..., up: ...}` the larger side is
kept, any other mapping (`{stat: ..., syst: ...}`) is added in quadrature. A bare list of numbers is no
metric: whether `[1.2, 0.1]` is a value with its uncertainty, an interval or two bins cannot be known, and
a wrong guess would be a wrong verdict.
"""

import math
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from reana_bridge.model.metrics import Direction, Metric
from reana_bridge.model.readings import Reading, Unreadable
from reana_bridge.results.readers.clean import one_line
from reana_bridge.results.readers.scalars import special_number
from reana_bridge.results.readers.tree import Branch, Entry, FileUnusable, Refused, Tree

MAX_METRICS = 10_000
MAX_NAME = 200
MAX_TEXT = 1_000
MAX_UNIT = 50
MAX_DESCRIPTION = 500
MAX_TAGS = 20
MAX_COMPLAINTS = 50
_MAX_LEVELS = 30

NAME_KEYS = ("name", "metric", "key")
_UNCERTAINTY_KEYS = (
    *("uncertainty", "uncertainties", "error", "errors", "sigma", "std", "stdev", "stddev"),
    *("unc", "uncert", "err", "stderr", "std_err", "standard_error"),
)
_SUFFIXES = ("_uncertainty", "_unc", "_err", "_stderr")
_SIDES = frozenset({"up", "down", "high", "low", "hi", "lo", "plus", "minus", "+", "-", "upper", "lower"})
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


def unusable(source: str, reason: str) -> Reading:
    """The reading of a file of which nothing can be used."""
    return Reading(unreadable=(Unreadable(source=source, reason=reason),))


def metrics_of(tree: Tree, *, source: str) -> Reading:
    """The metrics in `tree`, which was read from `source`, in the file's order.

    Raises:
        FileUnusable: the whole is no mapping and no list.
    """
    if not isinstance(tree, Branch):
        raise FileUnusable("holds a single value; write a mapping such as `name: value`")
    finder = _Finder(source)
    finder.branch(tree, prefix="", level=0)
    return finder.reading()


class _Finder:
    """Walks one tree and gathers metrics and complaints."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.metrics: dict[str, Metric] = {}
        self.complaints: list[str] = []
        self.too_many = 0

    def reading(self) -> Reading:
        complaints = self.complaints[:MAX_COMPLAINTS]
        if len(self.complaints) > MAX_COMPLAINTS:
            complaints.append(f"and {len(self.complaints) - MAX_COMPLAINTS} more parts like these")
        if self.too_many:
            complaints.append(f"has more than {MAX_METRICS:,} metrics; {self.too_many:,} were left out")
        return Reading(
            metrics=tuple(self.metrics.values()),
            unreadable=tuple(Unreadable(source=self.source, reason=reason) for reason in complaints),
        )

    def complain(self, entry: Entry, name: str, what: str) -> None:
        place = f"line {entry.line}: " if entry.line else ""
        self.complaints.append(f"{place}`{one_line(name, MAX_NAME)}` {what}")

    def branch(self, branch: Branch, *, prefix: str, level: int) -> None:
        spreads = {} if branch.is_list else _neighbours(branch)
        for entry in branch:
            if any(entry is spread for spread in spreads.values()):
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
        elif not value.is_list and (inner := value.get("value")) is not None:
            self.record(entry, name, value, inner)
        else:
            wrapper = level == 0 and name.lower() == "metrics"
            self.branch(value, prefix="" if wrapper else f"{name}.", level=level + 1)

    def record(self, entry: Entry, name: str, record: Branch, value: Entry) -> None:
        spread = record.get(*_UNCERTAINTY_KEYS) or _sides(record)
        if not self.add(entry, name, value.value, spread):
            return
        cleaned = one_line(name, MAX_NAME)
        metric = self.metrics[cleaned]
        direction, target = self.direction(record, cleaned), self.target(record, cleaned)
        if direction is None:
            direction = Direction.NONE if target is None else Direction.TARGET
        if direction is Direction.TARGET and target is None:
            self.complain(entry, name, "has the direction `target` but no target; write `target: 1.0`")
            direction = Direction.NONE
        self.metrics[cleaned] = replace(
            metric,
            unit=_text(record, MAX_UNIT, "unit", "units"),
            description=_text(record, MAX_DESCRIPTION, "description", "title"),
            direction=direction,
            target=target if direction is Direction.TARGET else None,
            tags=_tags(record),
        )

    def add(self, entry: Entry, name: str, value: Tree, spread: Entry | None) -> bool:
        cleaned = one_line(name, MAX_NAME)
        checked = _value(value)
        if not cleaned:
            self.complain(entry, name, "is a value without a name")
        elif isinstance(checked, Refused):
            self.complain(entry, cleaned, checked.reason)
        elif cleaned in self.metrics:
            self.complain(entry, cleaned, "stands there twice; the first was kept")
        elif len(one_line(name, MAX_NAME + 1)) > MAX_NAME:
            self.complain(entry, cleaned, f"is a name of more than {MAX_NAME} characters")
        elif len(self.metrics) >= MAX_METRICS:
            self.too_many += 1
        else:
            uncertainty = self.uncertainty(spread, cleaned) if spread else None
            self.metrics[cleaned] = Metric(
                name=cleaned, value=checked, uncertainty=uncertainty, source=self.source
            )
            return True
        return False

    def uncertainty(self, spread: Entry, name: str) -> float | None:
        size = _spread(spread.value)
        if size is None:
            return None
        if isinstance(size, Refused):
            self.complain(spread, name, f"is read without its uncertainty, which {size.reason}")
            return None
        return size

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
        number = _number(entry.value)
        if number is None or not math.isfinite(number):
            self.complain(entry, name, "has a target that is no number")
            return None
        return number


def _neighbours(branch: Branch) -> dict[str, Entry]:
    """Name of a metric -> the entry beside it that holds its uncertainty."""
    names = {entry.key for entry in branch if _number(entry.value) is not None}
    return {
        name: entry
        for entry in branch
        for suffix in _SUFFIXES
        if entry.key.endswith(suffix)
        and entry.key in names
        and (name := entry.key.removesuffix(suffix)) in names
    }


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


def _number(value: Tree) -> float | int | None:
    if isinstance(value, str):
        return special_number(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value


def _spread(value: Tree) -> float | Refused | None:
    """One standard deviation; None where none is given."""
    if value is None:
        return None
    if isinstance(value, Branch):
        return _joined(value)
    number = _number(value)
    if number is None:
        return Refused("is no number")
    if math.isnan(number):
        return Refused("is not a number (NaN)")
    if number < 0:
        return Refused("is negative")
    return _finite(float(number))


def _joined(parts: Branch) -> float | Refused | None:
    numbers = [_number(entry.value) for entry in parts]
    sizes = [abs(float(number)) for number in numbers if number is not None]
    if not sizes or len(sizes) < len(numbers):
        return Refused("is no number")
    keys = {entry.key.lower() for entry in parts}
    if parts.is_list and len(sizes) != 2:
        return Refused(f"is a list of {len(sizes)} values; write `[down, up]`")
    return _finite(max(sizes) if parts.is_list or keys <= _SIDES else math.hypot(*sizes))


def _finite(size: float) -> float | Refused:
    return size if math.isfinite(size) else Refused("is not finite")


def _sides(record: Branch) -> Entry | None:
    """`error_up` and `error_down` (or another word for them) as one entry."""
    sides = [
        entry
        for entry in record
        for word, _, side in (entry.key.lower().rpartition("_"),)
        if word in _UNCERTAINTY_KEYS and side in _SIDES
    ]
    return Entry(sides[0].key, Branch(sides[:2], is_list=len(sides) == 2), sides[0].line) if sides else None


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
