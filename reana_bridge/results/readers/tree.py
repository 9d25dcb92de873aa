"""A metrics file as a plain tree with line numbers, within limits, whatever format it came from."""

from collections.abc import Iterator
from dataclasses import dataclass, field

MAX_BYTES = 16 * 1024**2
"""Largest metrics file that is read."""
MAX_PARTS = 500_000
"""Most keys, items and separators of one file; a bound on memory and time, not on metrics."""
MAX_DEPTH = 30
"""Deepest nesting."""
MAX_DIGITS = 300
"""Longest whole number; longer ones would not even fit a float."""

Scalar = str | int | float | bool | None


class FileUnusable(Exception):
    """Nothing of a file can be read; the message says why, with the line where one is known."""


@dataclass(frozen=True)
class Refused:
    """A part that is no value: a number with a million digits, an object of another language."""

    reason: str


@dataclass(frozen=True)
class Entry:
    """One key of a mapping, or one item of a list (its key is its position, from 1)."""

    key: str
    value: "Tree"
    line: int | None = None


@dataclass
class Branch:
    """A mapping or a list, in the file's order; a mapping keeps keys that stand there twice."""

    entries: list[Entry] = field(default_factory=list[Entry])
    is_list: bool = False

    def __iter__(self) -> Iterator[Entry]:
        return iter(self.entries)

    def get(self, *keys: str) -> Entry | None:
        """The first entry under any of the `keys` (lower case), or None."""
        return next((entry for entry in self.entries if entry.key.lower() in keys), None)


Tree = Scalar | Refused | Branch


def decode(content: bytes) -> str:
    """`content` as text: UTF-8, or UTF-16 with a byte order mark (as spreadsheets write it).

    Raises:
        FileUnusable: too large, empty, or no such text.
    """
    if len(content) > MAX_BYTES:
        raise FileUnusable(f"is larger than {MAX_BYTES // 1024**2} MiB; write only the metrics to it")
    encoding = "utf-16" if content.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise FileUnusable(f"line {line}: is no {encoding.upper().removesuffix('-SIG')} text") from None
    if not text.strip():
        raise FileUnusable("is empty")
    return text


def check_parts(count: int) -> None:
    """Refuse a file of more than `MAX_PARTS` parts.

    Raises:
        FileUnusable: `count` is above it.
    """
    if count > MAX_PARTS:
        raise FileUnusable(f"has more than {MAX_PARTS:,} parts; write only the metrics to it")
