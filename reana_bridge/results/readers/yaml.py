"""Reads metrics from YAML: the safe core only, no objects, aliases counted where they are used.

Words mean what YAML 1.2 says: `1e-5` is a number; `no`, `12:30` and dates are texts.
"""

from collections.abc import Iterator
from typing import cast

import yaml
from yaml.events import (
    AliasEvent,
    CollectionStartEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    NodeEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from reana_bridge.model.readings import Reading
from reana_bridge.results.readers.gathering import unusable
from reana_bridge.results.readers.scalars import scalar
from reana_bridge.results.readers.shapes import metrics_of
from reana_bridge.results.readers.tree import (
    MAX_DEPTH,
    Branch,
    Entry,
    FileUnusable,
    Refused,
    Tree,
    check_parts,
    decode,
)

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_CORE = "tag:yaml.org,2002:"
_PLAIN_TAGS = {None, "!", *(_CORE + name for name in ("int", "float", "bool", "null", "map", "seq"))}


def read(content: bytes, *, source: str) -> Reading:
    """The metrics in the first document of the YAML file `content`; `source` is its path."""
    try:
        return metrics_of(next(load(content)), source=source)
    except FileUnusable as error:
        return unusable(source, str(error))


def load(content: bytes) -> Iterator[Tree]:
    """The documents in the YAML file `content`, at least one.

    Raises:
        FileUnusable: it is no YAML, or too large.
    """
    try:
        yield from _Builder(decode(content)).documents()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f"line {mark.line + 1}: " if mark else ""
        raise FileUnusable(f"{place}is no YAML: {error.problem or error.context}") from None
    except yaml.YAMLError as error:
        raise FileUnusable(f"is no YAML: {' '.join(str(error).split())}") from None


class _Builder:
    """Builds the tree from the parser's events, so that the limits hold before memory is used."""

    def __init__(self, text: str) -> None:
        self.events = cast("Iterator[Event]", yaml.parse(text, Loader=_LOADER))  # pyright: ignore[reportUnknownMemberType]
        self.anchors: dict[str, tuple[Tree, int]] = {}
        self.parts = 0

    def documents(self) -> Iterator[Tree]:
        found = 0
        for event in self.events:
            if isinstance(event, DocumentStartEvent):
                found += 1
                yield self.node(next(self.events), depth=0)
        if not found:
            raise FileUnusable("is empty")

    def node(self, event: Event, *, depth: int) -> Tree:
        before = self.parts
        self.count(1)
        if isinstance(event, AliasEvent):
            return self.alias(event)
        if depth > MAX_DEPTH:
            raise FileUnusable(f"line {_line(event)}: is nested deeper than {MAX_DEPTH} levels")
        tree = self.collection(event, depth) if isinstance(event, CollectionStartEvent) else _leaf(event)
        if isinstance(event, NodeEvent) and event.anchor is not None:
            self.anchors[event.anchor] = (tree, self.parts - before)
        return tree

    def count(self, parts: int) -> None:
        self.parts += parts
        check_parts(self.parts)

    def alias(self, event: AliasEvent) -> Tree:
        if event.anchor not in self.anchors:
            raise FileUnusable(f"line {_line(event)}: `*{event.anchor}` names nothing that ended before it")
        tree, parts = self.anchors[event.anchor]
        self.count(parts)
        return tree

    def collection(self, event: CollectionStartEvent, depth: int) -> Tree:
        is_list = isinstance(event, SequenceStartEvent)
        branch = Branch(is_list=is_list)
        for following in self.events:
            if isinstance(following, SequenceEndEvent | MappingEndEvent):
                break
            if is_list:
                item = self.node(following, depth=depth + 1)
                branch.entries.append(Entry(str(len(branch.entries) + 1), item, _line(following)))
            else:
                self.pair(branch, following, depth)
        if event.tag not in _PLAIN_TAGS:
            return _foreign(event.tag)
        return branch

    def pair(self, branch: Branch, key_event: Event, depth: int) -> None:
        key = key_event.value if isinstance(key_event, ScalarEvent) else ""
        if not isinstance(key_event, ScalarEvent):
            self.node(key_event, depth=depth + 1)
        value = self.node(next(self.events), depth=depth + 1)
        if key == "<<" and isinstance(value, Branch) and not value.is_list:
            branch.entries.extend(value)
        else:
            branch.entries.append(Entry(key, value, _line(key_event)))


def _leaf(event: Event) -> Tree:
    if not isinstance(event, ScalarEvent):
        raise FileUnusable(f"line {_line(event)}: cannot be understood")
    if event.tag == _CORE + "str" or (event.tag is None and not event.implicit[0]):
        return event.value
    return scalar(event.value) if event.tag in _PLAIN_TAGS else _foreign(event.tag)


def _foreign(tag: str | None) -> Refused:
    return Refused(f"is an object ({str(tag).removeprefix(_CORE)}); write a plain number, such as `float(x)`")


def _line(event: Event) -> int:
    return event.start_mark.line + 1
