"""Reads metrics from JSON, with `NaN` and `Infinity` as many libraries write them.

Documents of lsst.verify and of pyhf are known by their keys and read as what they mean.
"""

import json
from typing import cast

from reana_bridge.model.readings import Reading
from reana_bridge.results.readers.documents import known
from reana_bridge.results.readers.gathering import Gathering, unusable
from reana_bridge.results.readers.shapes import metrics_of
from reana_bridge.results.readers.tree import (
    MAX_DIGITS,
    Branch,
    Entry,
    FileUnusable,
    Refused,
    Tree,
    check_parts,
    decode,
)


def read(content: bytes, *, source: str) -> Reading:
    """The metrics in the JSON document `content`; `source` is its path, for the messages."""
    try:
        tree = load(content)
        gather = known(tree)
        if gather is None:
            return metrics_of(tree, source=source)
        found = Gathering(source)
        gather(cast("Branch", tree), found)
        return found.reading()
    except FileUnusable as error:
        return unusable(source, str(error))


def load(content: bytes) -> Tree:
    """The JSON document `content`.

    Raises:
        FileUnusable: it is none, or too large.
    """
    text = decode(content)
    # Each part of a document but the first follows one of these; what stands in texts only counts more.
    check_parts(sum(map(text.count, ",{[")))
    try:
        return _tree(json.loads(text, object_pairs_hook=_mapping, parse_int=_whole))
    except json.JSONDecodeError as error:
        raise FileUnusable(f"line {error.lineno}, column {error.colno}: is no JSON: {error.msg}") from None
    except RecursionError:
        raise FileUnusable("is nested too deeply") from None


def _mapping(pairs: list[tuple[str, object]]) -> Branch:
    return Branch([Entry(key, _tree(value)) for key, value in pairs])


def _tree(value: object) -> Tree:
    if isinstance(value, list):
        items = cast("list[object]", value)
        return Branch([Entry(str(i), _tree(item)) for i, item in enumerate(items, 1)], is_list=True)
    return cast("Tree", value)


def _whole(digits: str) -> int | Refused:
    return int(digits) if len(digits) <= MAX_DIGITS else Refused(f"has {len(digits):,} digits")
