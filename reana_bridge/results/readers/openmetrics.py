"""Reads metrics from OpenMetrics text, and from the Prometheus text that came before it.

`# TYPE`, `# UNIT` and `# HELP` lines tell kind, unit and description; a sample with labels is named
`name{label=value}` and carries the labels as tags. Lines that are no sample are named, the rest is read.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from reana_bridge.model.readings import Reading
from reana_bridge.results.readers.clean import one_line
from reana_bridge.results.readers.gathering import (
    MAX_DESCRIPTION,
    MAX_NAME,
    MAX_TAGS,
    MAX_UNIT,
    Gathering,
    unusable,
)
from reana_bridge.results.readers.scalars import scalar
from reana_bridge.results.readers.tree import FileUnusable, check_parts, decode

_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_LABEL = re.compile(r'\s*([a-zA-Z_][a-zA-Z0-9_]*)\s*=\s*"((?:[^"\\]|\\.)*)"\s*(,|(?=\}))')
_VALUE = re.compile(r"\s+(\S+)(?:\s+(?:[^\s#]+))?\s*(?:#.*)?$")
_ESCAPES = re.compile(r"\\(.)")
_ESCAPED = {"n": "\n"}
_CREATED = "_created"  # when a counter began is no result
_SUFFIXES = ("_total", "_sum", "_count", "_bucket", "_info", "_gsum", "_gcount", _CREATED)
_COUNTERS = frozenset({"counter", "histogram", "summary", "gaugehistogram"})


@dataclass
class _Family:
    kind: str = ""
    unit: str = ""
    help: str = ""


@dataclass(frozen=True)
class _Sample:
    name: str
    value: str
    labels: Mapping[str, str] = field(default_factory=lambda: MappingProxyType(dict[str, str]()))


def read(content: bytes, *, source: str) -> Reading:
    """The samples in the text `content`; `source` is its path."""
    found = Gathering(source)
    families: dict[str, _Family] = {}
    try:
        text = decode(content)
        check_parts(text.count("\n"))
    except FileUnusable as error:
        return unusable(source, str(error))
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip() == "# EOF":
            break
        if line.startswith("#"):
            _describe(line, families)
        elif line.strip():
            _take(line.strip(), number, families, found)
    return found.reading()


def _describe(line: str, families: dict[str, _Family]) -> None:
    words = line.split(None, 3)
    if len(words) < 3 or words[0] != "#":
        return
    family = families.setdefault(words[2], _Family())
    said = words[3] if len(words) > 3 else ""
    if words[1] == "TYPE":
        family.kind = said.strip()
    elif words[1] == "UNIT":
        family.unit = one_line(said, MAX_UNIT)
    elif words[1] == "HELP":
        family.help = one_line(_unescaped(said), MAX_DESCRIPTION)


def _take(line: str, number: int, families: dict[str, _Family], found: Gathering) -> None:
    sample = _sample(line)
    value = scalar(sample.value) if sample else None
    if sample is None or isinstance(value, bool) or not isinstance(value, int | float):
        found.complain(line[:60], "is no sample; write `name value`", line=number)
        return
    family = _family(sample.name, families)
    if sample.name.endswith(_CREATED) and family.kind in _COUNTERS:
        return
    labels = {key: one_line(text, MAX_NAME) for key, text in list(sample.labels.items())[:MAX_TAGS]}
    shown = ",".join(f"{key}={text}" for key, text in labels.items())
    name = f"{sample.name}{{{shown}}}" if shown else sample.name
    found.add(name, value, line=number, unit=family.unit, description=family.help, tags=labels)


def _family(name: str, families: dict[str, _Family]) -> _Family:
    bare = next((name.removesuffix(suffix) for suffix in _SUFFIXES if name.endswith(suffix)), name)
    return families.get(name) or families.get(bare) or _Family()


def _sample(line: str) -> _Sample | None:
    named = _NAME.match(line)
    if named is None:
        return None
    labels: dict[str, str] = {}
    place = named.end()
    if line[place : place + 1] == "{":
        place += 1
        while (label := _LABEL.match(line, place)) is not None:
            labels[label[1]] = _unescaped(label[2])
            place = label.end()
        if line[place : place + 1] != "}":
            return None
        place += 1
    value = _VALUE.match(line, place)
    return _Sample(named.group(), value[1], labels) if value else None


def _unescaped(text: str) -> str:
    return _ESCAPES.sub(lambda match: _ESCAPED.get(match[1], match[1]), text)
