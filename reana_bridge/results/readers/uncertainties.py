"""Uncertainties as people write them: one number, two sides, or several sources.

0.1                            one standard deviation
[0.1, 0.2], {down: , up: }     towards lower and towards higher values; the larger side is the size
{stat: 3, syst: [1, 2]}        sources, added in quadrature, each side by itself
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from reana_bridge.model.metrics import UncertaintyPart
from reana_bridge.results.readers.clean import one_line
from reana_bridge.results.readers.scalars import special_number
from reana_bridge.results.readers.tree import Branch, Entry, Refused, Tree

MAX_SOURCES = 20
KEYS = (
    *("uncertainty", "uncertainties", "error", "errors", "sigma", "std", "stdev", "stddev"),
    *("unc", "uncert", "err", "stderr", "std_err", "standard_error"),
)
_UP = frozenset({"up", "high", "hi", "plus", "+", "upper"})
_DOWN = frozenset({"down", "low", "lo", "minus", "-", "lower"})
SOURCES: Mapping[str, str] = MappingProxyType(
    {
        **dict.fromkeys(("stat", "statistical", "statistics"), "statistical"),
        **dict.fromkeys(("syst", "sys", "systematic", "systematics"), "systematic"),
    }
)
_SUFFIXES = ("_uncertainty", "_unc", "_err", "_stderr")
_BESIDE = frozenset({"stat", "syst"})  # `time_sys` is no uncertainty of `time`


@dataclass(frozen=True, kw_only=True)
class Spread:
    """An uncertainty: one standard deviation towards lower and towards higher values, and its sources."""

    down: float
    up: float
    parts: tuple[UncertaintyPart, ...] = ()

    def fields(self) -> dict[str, Any]:
        """The fields of a `Metric` that say it."""
        sides = {"up": self.up, "down": self.down} if self.up != self.down else {}
        return {"uncertainty": max(self.up, self.down), **sides, "parts": self.parts}


def spread_of(value: Tree) -> Spread | Refused | None:
    """What `value` says; None where it says nothing, `Refused` where it makes no sense."""
    if value is None:
        return None
    if not isinstance(value, Branch):
        size = _size(value)
        return size if isinstance(size, Refused) else Spread(down=size, up=size)
    if value.is_list or {entry.key.lower() for entry in value} <= _UP | _DOWN:
        return _two_sides(value)
    return _sources(value)


def spread_entry(record: Branch) -> Entry | None:
    """The part of a metric's `record` that holds its uncertainty; what stands in several keys as one."""
    plain = record.get(*KEYS)
    if plain is not None:
        return plain
    found: list[Entry] = []
    for entry in record:
        word, _, last = entry.key.lower().rpartition("_")
        if (word in KEYS and last in {*_UP, *_DOWN, *SOURCES}) or (not word and last in SOURCES):
            found.append(Entry(last, entry.value, entry.line))
        elif last in KEYS and word in SOURCES:
            found.append(Entry(word, entry.value, entry.line))
    return Entry(found[0].key, Branch(found), found[0].line) if found else None


def neighbours(branch: Branch) -> tuple[dict[str, Entry], set[int]]:
    """Uncertainties that stand beside their metrics: `mu: 1, mu_err: 0.1` or `mu_err_up`, `mu_stat`.

    Returns:
        By the metric's name the entry with its uncertainty, and the ids of the entries that were used.
    """
    numbers = {entry.key: entry for entry in branch if number_of(entry.value) is not None}
    found: dict[str, Entry] = {}
    used: set[int] = set()
    gathered: dict[str, list[Entry]] = {}
    for key, entry in numbers.items():
        name, last = _named(key)
        if name not in numbers:
            continue
        used.add(id(entry))
        if last:
            gathered.setdefault(name, []).append(Entry(last, entry.value, entry.line))
        else:
            found[name] = entry
    for name, entries in gathered.items():
        found.setdefault(name, Entry(name, Branch(entries), entries[0].line))
    return found, used


def _named(key: str) -> tuple[str, str]:
    """The metric that a neighbour's key belongs to, and the side or source that it says; else two empties."""
    for suffix in _SUFFIXES:
        if key.endswith(suffix):
            return key.removesuffix(suffix), ""
    name, _, last = key.rpartition("_")
    if last.lower() in _BESIDE:
        return _bare(name), last
    bare = _bare(name)
    return (bare, last) if last.lower() in _UP | _DOWN and bare != name else ("", "")


def _bare(name: str) -> str:
    suffix = next((suffix for suffix in _SUFFIXES if name.endswith(suffix)), "")
    return name.removesuffix(suffix)


def number_of(value: Tree) -> float | int | None:
    """The number that `value` is, or that its text names (`NaN`); None for anything else."""
    if isinstance(value, str):
        return special_number(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value


def _size(value: Tree) -> float | Refused:
    number = number_of(value)
    if number is None:
        return Refused("is no number")
    if math.isnan(number):
        return Refused("is not a number (NaN)")
    return Refused("is negative") if number < 0 else _finite(number)


def _finite(number: float) -> float | Refused:
    try:
        size = float(number)
    except OverflowError:
        return Refused("is not finite")
    return size if math.isfinite(size) else Refused("is not finite")


def _two_sides(sides: Branch) -> Spread | Refused:
    """Each side by its size: `-0.1` down is as `0.1`; one alone stands for both."""
    sizes: list[tuple[str, float]] = []
    for entry in sides:
        number = number_of(entry.value)
        size = Refused("is no number") if number is None else _size(abs(number))
        if isinstance(size, Refused):
            return size
        sizes.append((entry.key.lower(), size))
    if not sizes:
        return Refused("is no number")
    if sides.is_list and len(sizes) != 2:
        return Refused(f"is a list of {len(sizes)} values; write `[down, up]`")
    down = next((size for key, size in sizes if key in _DOWN), sizes[0][1])
    up = next((size for key, size in sizes if key in _UP), sizes[-1][1])
    return Spread(down=down, up=up)


def _sources(sources: Branch) -> Spread | Refused:
    """Several sources in quadrature, and the sides beside them as a source of their own."""
    parts: list[UncertaintyPart] = []
    sides = Branch([entry for entry in sources if entry.key.lower() in _UP | _DOWN])
    entries = [entry for entry in sources if entry.key.lower() not in _UP | _DOWN]
    for entry in [*entries, *([Entry("other", sides)] if sides.entries else [])]:
        size = spread_of(entry.value)
        if size is None or isinstance(size, Refused):
            return size or Refused("is no number")
        name = SOURCES.get(entry.key.lower(), one_line(entry.key, 50))
        parts.append(UncertaintyPart(name=name, up=size.up, down=size.down))
    if not parts:
        return Refused("is no number")
    down, up = (_finite(math.hypot(*sizes)) for sizes in ([p.down for p in parts], [p.up for p in parts]))
    if isinstance(down, Refused) or isinstance(up, Refused):
        return Refused("is not finite")
    return Spread(down=down, up=up, parts=tuple(parts[:MAX_SOURCES]))
