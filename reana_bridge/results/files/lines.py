"""Lines of a file of any size, read so that none of them can fill the memory."""

from collections.abc import Iterator
from pathlib import Path

from reana_bridge.results.files.pair import NotComparable

MAX_LINE = 1 << 20
"""Longest line, in characters."""


def lines_of(path: Path, side: str) -> Iterator[str]:
    """The lines of the text at `path`, with their ends.

    UTF-8, or UTF-16 with a byte order mark; bytes that are no such text stay what they are (as lone
    surrogates).

    Args:
        path: The file.
        side: `baseline` or `head`, for the message.

    Raises:
        NotComparable: a line is longer than `MAX_LINE`.
    """
    with path.open("rb") as file:
        mark = file.read(2)
    encoding = "utf-16" if mark in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    errors = "replace" if encoding == "utf-16" else "surrogateescape"
    with path.open(encoding=encoding, errors=errors, newline="") as file:
        number = 0
        while line := file.readline(MAX_LINE + 1):
            number += 1
            if len(line) > MAX_LINE:
                raise NotComparable(f"{side}: line {number:,} is longer than {MAX_LINE:,} characters")
            yield line
