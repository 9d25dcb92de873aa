"""Comparing of artifacts: one module a kind, found through the entry points `reana_bridge.comparators`.

A comparator is a function `compare(pair: Pair) -> FileComparison`; see `pair.py`. Its name is the kind, which
a rule may declare, or a file's ending. A package adds a kind by naming such a function in its own entry
points.
"""

from functools import cache
from importlib.metadata import entry_points
from pathlib import PurePosixPath
from typing import cast

from reana_bridge.results.files.pair import Comparator

GROUP = "reana_bridge.comparators"
BYTES = "bytes"
"""The kind of files that are compared by their checksum alone."""
TEXT = "text"
LIGHT = frozenset({"csv", "json", "yaml", "text", "pyhf"})
"""Kinds that need no library beside Python's own, and no process of their own where files are small."""

_KINDS = {
    **dict.fromkeys(("csv", "tsv"), "csv"),
    **dict.fromkeys(("yaml", "yml"), "yaml"),
    **dict.fromkeys(("npy", "npz"), "arrays"),
    **dict.fromkeys(("png", "jpg", "jpeg", "gif", "webp", "svg"), "image"),
    "root": "histograms",
    "txt": TEXT,
}


class UnknownKind(Exception):
    """No comparator is known by that name; the message names those that are."""


# Looking through what is installed takes as long as comparing a hundred small files.
@cache
def kinds() -> tuple[str, ...]:
    """Names of the kinds that can be compared here, sorted."""
    return tuple(sorted({BYTES, *(entry.name for entry in entry_points(group=GROUP))}))


def kind_of(path: str, declared: str = "") -> str:
    """The kind that a file is compared as; empty where its ending says nothing.

    Args:
        path: Its path in the workspace.
        declared: What a rule says; empty for none.

    Raises:
        UnknownKind: there is none of the declared name.
    """
    known = kinds()
    if declared:
        if declared not in known:
            raise UnknownKind(f"the kind `{declared}` is not known here; write one of {', '.join(known)}")
        return declared
    kind = kind_by_ending(path)
    return kind if kind in known else ""


def kind_by_ending(path: str) -> str:
    """What a file's ending says that it is, whether or not such files can be compared here."""
    ending = PurePosixPath(path).suffix.lower().removeprefix(".")
    return _KINDS.get(ending, ending)


@cache
def comparator_of(kind: str) -> Comparator:
    """The comparator named `kind`, with the libraries that it needs.

    Raises:
        UnknownKind: there is none.
        ImportError: a library that it needs is not installed.
    """
    found = next(iter(entry_points(group=GROUP, name=kind)), None)
    if found is None:
        raise UnknownKind(f"the kind `{kind}` is not known here; write one of {', '.join(kinds())}")
    return cast("Comparator", found.load())
