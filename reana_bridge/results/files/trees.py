"""Documents as trees, with the limits that the readers of metrics have."""

from pathlib import Path

from reana_bridge.results.files.pair import NotComparable
from reana_bridge.results.readers import json, yaml
from reana_bridge.results.readers.tree import MAX_BYTES, Branch, Entry, FileUnusable, Tree


def json_tree(path: Path, side: str) -> Tree:
    """The JSON document at `path`; `side` is `baseline` or `head`, for the message.

    Raises:
        NotComparable: it is none, or too large.
    """
    try:
        return json.load(_content(path))
    except FileUnusable as error:
        raise _named(error, side) from None


def yaml_tree(path: Path, side: str) -> Tree:
    """The YAML document at `path`; several of them as a list. As `json_tree` otherwise."""
    try:
        documents = list(yaml.load(_content(path)))
    except FileUnusable as error:
        raise _named(error, side) from None
    if len(documents) == 1:
        return documents[0]
    return Branch([Entry(str(number), tree) for number, tree in enumerate(documents)], is_list=True)


def _content(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(MAX_BYTES + 1)


def _named(error: FileUnusable, side: str) -> NotComparable:
    return NotComparable(f"{side}: {str(error).partition(';')[0]}")  # without the advice on metrics
