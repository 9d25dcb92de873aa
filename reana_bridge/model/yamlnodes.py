"""YAML text to nodes that know their line and column, within limits that no input passes unseen.

Works on the parser's events, one after the other, so that size, depth and aliases are counted before anything
is built from them. A shared node stands for every use of its alias; `size`, `length` and `height` count what
it expands to.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NoReturn

import yaml

from reana_bridge.model.problems import ConfigurationError, Problem
from reana_bridge.model.suggestions import shown
from reana_bridge.model.yamlscalars import Reading, Scalar, value_of

MAX_BYTES = 1024 * 1024
MAX_NODES = 50_000
MAX_DEPTH = 50
MAX_DUPLICATES = 100

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How large a file may be.

    Attributes:
        size: Bytes of the file, and characters of its texts after aliases are put in.
        nodes: Keys, scalars, lists and mappings together, after aliases are put in.
        depth: Lists and mappings within each other.
    """

    size: int = MAX_BYTES
    nodes: int = MAX_NODES
    depth: int = MAX_DEPTH


@dataclass(slots=True)
class Node:
    """A value and where it stands (from 1).

    `style` is empty for plain words, else the quote, `|` or `>`; `written` is what stands there unquoted.
    """

    line: int
    column: int
    value: "Scalar | list[Node] | dict[str, Entry]"
    style: str = ""
    written: str = ""
    size: int = 1
    length: int = 0
    height: int = 0


@dataclass(slots=True)
class Entry:
    """A key's place (from 1) and its value; `merged` when `<<` brought it."""

    line: int
    column: int
    node: Node
    merged: bool = False


def refuse(
    file: str, message: str, line: int | None = None, column: int | None = None, hint: str = ""
) -> NoReturn:
    """Raise the one problem with `file`.

    Raises:
        ConfigurationError: Always.
    """
    raise ConfigurationError((Problem(message=message, file=file, line=line, column=column, hint=hint),))


def build(text: str, *, file: str, reading: Reading, limits: Limits) -> Node:
    """The one document in `text`.

    Raises:
        ConfigurationError: It is no YAML, larger than the limits, or has tags or keys given twice.
    """
    builder = _Builder(file, reading, limits)
    try:
        loader = _LOADER(text)
        try:
            root = builder.document(_events(loader))
        finally:
            loader.dispose()
    except yaml.YAMLError as error:
        raise ConfigurationError((_syntax_problem(error, file, text),)) from None
    if builder.duplicates:
        raise ConfigurationError(tuple(builder.duplicates))
    return root


@dataclass
class _Builder:
    file: str
    reading: Reading
    limits: Limits
    count: int = 0
    length: int = 0
    depth: int = 0
    anchors: dict[str, Node | None] = field(default_factory=dict[str, Node | None])
    duplicates: list[Problem] = field(default_factory=list[Problem])
    events: Iterator[Any] = field(default_factory=lambda: iter(()))

    def document(self, events: Iterator[Any]) -> Node:
        self.events = events
        next(events)
        if not isinstance(next(events), yaml.DocumentStartEvent):
            refuse(self.file, "is empty")
        root = self.node(next(events))
        next(events)
        after = next(events)
        if isinstance(after, yaml.DocumentStartEvent):
            self.fail(
                after,
                "a second document begins here",
                "keep one document, without `---` after its first line",
            )
        return root

    def node(self, event: Any) -> Node:
        if isinstance(event, yaml.AliasEvent):
            return self.alias(event)
        self.counted(event)
        if event.anchor is not None:
            self.anchors[event.anchor] = None
        node = self.scalar(event) if isinstance(event, yaml.ScalarEvent) else self.collection(event)
        if event.anchor is not None:
            self.anchors[event.anchor] = node
        return node

    def scalar(self, event: Any) -> Node:
        value = event.value if event.style else value_of(event.value, self.reading)
        written = "" if event.style else event.value
        return Node(*_place(event), value, event.style or "", written, length=len(event.value))

    def collection(self, event: Any) -> Node:
        self.depth += 1
        self.deep(event, 0)
        node = Node(*_place(event), None, height=1)
        node.value = self.entries(node) if isinstance(event, yaml.MappingStartEvent) else self.children(node)
        self.depth -= 1
        return node

    def children(self, node: Node) -> list[Node]:
        children: list[Node] = []
        while not isinstance(event := next(self.events), yaml.SequenceEndEvent):
            children.append(self.node(event))
            _grow(node, children[-1])
        return children

    def entries(self, node: Node) -> dict[str, Entry]:
        entries: dict[str, Entry] = {}
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            key, plain = self.key(event)
            child = self.node(next(self.events))
            _grow(node, child)
            node.size += 1
            node.length += len(key)
            if key == "<<" and plain:
                self.merge(event, entries, child)
            elif key in entries and not entries[key].merged:
                self.duplicate(event, key, entries[key])
            else:
                entries[key] = Entry(*_place(event), child)
        return entries

    def key(self, event: Any) -> tuple[str, bool]:
        if isinstance(event, yaml.AliasEvent):
            target = self.alias(event).value
            if not isinstance(target, str):
                self.fail(
                    event, "an alias of something that is no text cannot be a key", "write the key itself"
                )
            return target, False
        self.counted(event)
        if not isinstance(event, yaml.ScalarEvent):
            self.fail(
                event, "a list or mapping cannot be a key", "write a word before the `:`, in quotes if needed"
            )
        if event.anchor is not None:
            self.anchors[event.anchor] = Node(*_place(event), event.value, length=len(event.value))
        return event.value, not event.style

    def merge(self, event: Any, entries: dict[str, Entry], child: Node) -> None:
        for source in child.value if isinstance(child.value, list) else [child]:
            if not isinstance(source.value, dict):
                self.fail(
                    event, "`<<` takes a mapping", "write `<<: *name`, with `&name` before that mapping"
                )
            for key, entry in source.value.items():
                entries.setdefault(key, Entry(entry.line, entry.column, entry.node, merged=True))

    def duplicate(self, event: Any, key: str, first: Entry) -> None:
        if len(self.duplicates) < MAX_DUPLICATES:
            line, column = _place(event)
            message = f"`{shown(key)}` is given twice, in line {first.line} and in line {line}"
            hint = "keep one of them"
            self.duplicates.append(
                Problem(message=message, file=self.file, line=line, column=column, hint=hint)
            )

    def alias(self, event: Any) -> Node:
        name = shown(event.anchor)
        if event.anchor not in self.anchors:
            self.fail(
                event, f"`*{name}` refers to nothing", f"write `&{name}` before the value that is meant"
            )
        target = self.anchors[event.anchor]
        if target is None:
            self.fail(event, f"`*{name}` refers to a value that it is part of", "write the value itself")
        self.counted(event, target.size)
        self.length += target.length
        if self.length > self.limits.size:
            self.fail(
                event, f"is longer than {self.limits.size} characters with its aliases put in", "use fewer"
            )
        self.deep(event, target.height)
        return target

    def counted(self, event: Any, nodes: int = 1) -> None:
        tag = getattr(event, "tag", None)
        if tag is not None:
            shorter = shown(tag.replace("tag:yaml.org,2002:", "!!"))
            self.fail(
                event, f"has the tag `{shorter}`; tags are not read", "remove it, and quote what is a text"
            )
        self.count += nodes
        if self.count > self.limits.nodes:
            hint = "make it shorter; each use of an alias counts in full"
            self.fail(event, f"holds more than {self.limits.nodes} values", hint)

    def deep(self, event: Any, more: int) -> None:
        if self.depth + more > self.limits.depth:
            hint = "make it flatter"
            self.fail(event, f"has lists and mappings more than {self.limits.depth} deep in each other", hint)

    def fail(self, event: Any, message: str, hint: str = "") -> NoReturn:
        refuse(self.file, message, *_place(event), hint)


def _events(loader: Any) -> Iterator[Any]:
    while loader.check_event():
        yield loader.get_event()


def _place(event: Any) -> tuple[int, int]:
    return event.start_mark.line + 1, event.start_mark.column + 1


def _grow(node: Node, child: Node) -> None:
    node.size += child.size
    node.length += child.length
    node.height = max(node.height, child.height + 1)


_HINTS = {
    "mapping values are not allowed": "quote a text that has `: ` in it, or check the indentation",
    "cannot start any token": "quote a text that begins with `@`, a backtick or `%`",
    "could not find expected ':'": "write `key: value`, with a blank after the colon",
    "did not find expected ',' or": "close the `[` or `{`, and put commas between entries",
    "did not find expected key": "check the indentation of this line and the lines before it",
    "did not find expected '-'": "begin each entry of the list with `- ` at the same column",
    "block sequence entries are not allowed": "begin the list on a line of its own",
    "unexpected end of stream": "close the quote",
}


def _syntax_problem(error: yaml.YAMLError, file: str, text: str) -> Problem:
    what = str(getattr(error, "problem", None) or getattr(error, "reason", None) or "cannot be read")
    mark: Any = getattr(error, "problem_mark", None)
    if mark is None or mark.line >= len(
        text.rstrip().split("\n")
    ):  # the end of the file: say what was left open
        mark = getattr(error, "context_mark", None) or mark
    if mark is None:
        return Problem(message=f"is no valid YAML: {shown(what, 200)}", file=file)
    if _is_tab(text, mark):
        what, hint = "a tab where blanks are expected", "indent with blanks"
    else:
        hint = next((hint for start, hint in _HINTS.items() if start in what), "")
    line, column = mark.line + 1, mark.column + 1
    return Problem(
        message=f"is no valid YAML: {shown(what, 200)}", file=file, line=line, column=column, hint=hint
    )


def _is_tab(text: str, mark: Any) -> bool:
    line, column = int(mark.line), int(mark.column)
    here = "".join(text.split("\n")[line : line + 1])
    return "\t" in here[: len(here) - len(here.lstrip())] or here[column : column + 1] == "\t"
