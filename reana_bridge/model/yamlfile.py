"""A YAML file as plain data that remembers where each value stood.

Reads scalars, lists and mappings only. Refuses, with the line: what is no UTF-8, tabs as indentation, tags,
several documents, an empty file, anything but a mapping at the top, a key given twice, and whatever is larger
than the limits, aliases counted as often as they are used.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from reana_bridge.model.problems import Problem, Severity
from reana_bridge.model.suggestions import shown
from reana_bridge.model.yamlnodes import Limits, Node, build, refuse
from reana_bridge.model.yamlscalars import Reading

__all__ = ["Document", "Limits", "Path", "Reading", "dotted", "load", "path_of"]

Path = Sequence[str | int]

_NO_LIMITS_GIVEN = Limits()
_NOT_TEXT = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")
_PLAIN_KEY = re.compile(r"[^.\[\]`\s]{1,100}")
_PART = re.compile(r"\[(?P<index>\d+)\]|\.?(?P<key>[^.\[\]`\s]+)|.")


@dataclass(frozen=True)
class Document:
    """A loaded file.

    Attributes:
        file: Its path inside the repository, for messages.
        data: The top mapping, as plain data that the caller owns.
        root: The same with places; for the methods here.
    """

    file: str
    data: dict[str, Any]
    root: Node

    def place(self, path: Path) -> tuple[int, int]:
        """Line and column, from 1, of the key or list entry at `path`, or of its nearest parent."""
        return self._walk(path)[1]

    def known(self, path: Path) -> Path:
        """The longest beginning of `path` that stands in the file."""
        return path[: self._walk(path)[0]]

    def text_line(self, path: Path, offset: int) -> int:
        """The line, from 1, of the character at `offset` in the text at `path`; exact for `|` blocks."""
        depth, (line, _), node = self._walk(path)
        if depth < len(path) or not isinstance(node.value, str):
            return line
        return node.line + 1 + node.value.count("\n", 0, offset) if node.style == "|" else node.line

    def written(self, path: Path) -> str:
        """The unquoted word that stands at `path`; empty where there is none."""
        depth, _, node = self._walk(path)
        return node.written if depth == len(path) else ""

    def problem(
        self,
        path: Path,
        message: str,
        *,
        hint: str = "",
        severity: Severity = "error",
        line: int | None = None,
    ) -> Problem:
        """A problem with the key or list entry at `path`; `line` where it is known better."""
        found, column = self.place(path)
        return Problem(
            message=message,
            file=self.file,
            line=line or found,
            column=column if line in (None, found) else None,
            key=dotted(path),
            hint=hint,
            severity=severity,
        )

    def _walk(self, path: Path) -> tuple[int, tuple[int, int], Node]:
        node, place = self.root, (self.root.line, self.root.column)
        for depth, part in enumerate(path):
            if isinstance(node.value, dict) and isinstance(part, str) and part in node.value:
                entry = node.value[part]
                node, place = entry.node, (entry.line, entry.column)
            elif isinstance(node.value, list) and isinstance(part, int) and 0 <= part < len(node.value):
                node = node.value[part]
                place = (node.line, node.column)
            else:
                return depth, place, node
        return len(path), place, node


def dotted(path: Path) -> str:
    """`path` as messages show it: `workflow.specification.steps[0].name`."""
    text = ""
    for part in path:
        if isinstance(part, str) and _PLAIN_KEY.fullmatch(part):
            text += f".{part}" if text else part
        else:
            text += f"[{part}]" if isinstance(part, int) else f"[{shown(part)!r}]"
    return text


def path_of(text: str) -> Path:
    """The path that `dotted` shows as `text`; of one with odd keys the beginning before the first of them."""
    parts: list[str | int] = []
    for found in _PART.finditer(text):
        if found["index"]:
            parts.append(int(found["index"]))
        elif found["key"]:
            parts.append(found["key"])
        else:
            break
    return parts


def load(
    text: bytes | str, *, file: str, reading: Reading = Reading.CORE, limits: Limits = _NO_LIMITS_GIVEN
) -> Document:
    """Read one YAML file whose top is a mapping.

    Args:
        text: The file's content.
        file: Its path inside the repository, for messages.
        reading: What unquoted words and numbers mean.
        limits: How large it may be.

    Raises:
        ConfigurationError: It cannot be read; each problem names the line.
    """
    root = build(_decoded(text, file, limits), file=file, reading=reading, limits=limits)
    if not isinstance(root.value, dict):
        kind = "a list" if isinstance(root.value, list) else "a single value"
        hint = "write lines such as `key: value`"
        refuse(file, f"holds {kind} where keys are expected", root.line, root.column, hint)
    return Document(file, _plain(root), root)


def _decoded(text: bytes | str, file: str, limits: Limits) -> str:
    if len(text) > limits.size:
        refuse(file, f"is larger than {limits.size} bytes", hint="keep data in files of their own")
    if isinstance(text, bytes):
        try:
            text = text.decode("utf-8")
        except UnicodeDecodeError as error:
            line, column = _where(text[: error.start].decode("utf-8"))
            refuse(
                file, f"is not UTF-8: byte 0x{text[error.start]:02x}", line, column, "save the file as UTF-8"
            )
    text = text.removeprefix("\ufeff")
    strange = _NOT_TEXT.search(text)
    if strange:
        line, column = _where(text[: strange.start()])
        refuse(file, f"holds the control character U+{ord(strange.group()):04X}", line, column, "remove it")
    if not text.strip():
        refuse(file, "is empty", hint="remove the file, or write what is to run")
    return text


def _where(before: str) -> tuple[int, int]:
    return before.count("\n") + 1, len(before) - before.rfind("\n")


def _plain(node: Node) -> Any:
    if isinstance(node.value, dict):
        return {key: _plain(entry.node) for key, entry in node.value.items()}
    if isinstance(node.value, list):
        return [_plain(child) for child in node.value]
    return node.value
