"""Compares documents (JSON, YAML) value by value, each found by its path of keys.

An item of a list goes by its `name` where all items have one of their own (samples, channels, variables),
else by its position from 0; so an item that was put in does not move the others.
"""

import json
from collections.abc import Iterable, Iterator

from reana_bridge.model.comparisons import FileComparison, FilePart, FileVerdict, Measure
from reana_bridge.results.files.extent import Extent
from reana_bridge.results.files.pair import MAX_NAME, NotComparable, Pair, compared
from reana_bridge.results.files.tolerances import Number, Tolerance, Tolerances
from reana_bridge.results.readers.clean import one_line
from reana_bridge.results.readers.tree import Branch, Refused, Scalar, Tree

MAX_DEPTH = 100
_NAMES = ("name", "header.name")

Leaves = dict[str, Scalar | Refused]


def compare_trees(pair: Pair, baseline: Tree, head: Tree, *, noun: str = "value") -> FileComparison:
    """The comparison of two documents, one part for each value that differs."""
    before, after = leaves(baseline), leaves(head)
    whole = Extent()
    parts = list(_parts(before, after, pair.tolerances, whole))
    words = whole.words
    one_sided = sum(part.verdict in (FileVerdict.NEW, FileVerdict.MISSING) for part in parts)
    if one_sided:
        words = "; ".join(filter(None, [f"{one_sided:,} new or missing {noun}s", words]))
    measures = (Measure(name="values", value=len(after)), *whole.measures)
    return compared(pair, parts, noun=noun, explanation=words, measures=measures)


def leaves(tree: Tree) -> Leaves:
    """Every value of a document by its path of keys, in its order; empty mappings and lists too."""
    found: Leaves = {}
    for path, value in _walk(tree, ""):
        key, again = path, 1
        while key in found:  # a key that stands there twice, or one with dots in it
            again += 1
            key = f"{path} ({again})"
        found[key] = value
    return found


def _walk(tree: Tree, path: str, depth: int = 0) -> Iterator[tuple[str, Scalar | Refused]]:
    if depth > MAX_DEPTH:
        raise NotComparable(f"is nested deeper than {MAX_DEPTH} levels")
    if not isinstance(tree, Branch):
        yield path or "(all)", tree
    elif not tree.entries:
        yield path or "(all)", "[]" if tree.is_list else "{}"
    else:
        names = _item_names(tree) if tree.is_list else [entry.key for entry in tree]
        for name, entry in zip(names, tree, strict=True):
            yield from _walk(entry.value, f"{path}.{name}" if path else name, depth + 1)


def _item_names(items: Branch) -> list[str]:
    for key in _NAMES:
        names = [_named(entry.value, key) for entry in items]
        if all(names) and len(set(names)) == len(names):
            return names
    return [str(position) for position in range(len(items.entries))]


def _named(tree: Tree, path: str) -> str:
    """The text under `path` of keys; empty where there is none."""
    for key in path.split("."):
        entry = tree.get(key) if isinstance(tree, Branch) and not tree.is_list else None
        tree = entry.value if entry else None
    return tree if isinstance(tree, str) else ""


def _parts(before: Leaves, after: Leaves, tolerances: Tolerances, whole: Extent) -> Iterator[FilePart]:
    for path in after | before:
        tolerance = tolerances.of(path)
        if tolerance is None:
            continue
        if path not in before or path not in after:
            verdict = FileVerdict.NEW if path in after else FileVerdict.MISSING
            value = _text(after[path] if path in after else before[path])
            yield FilePart(name=one_line(path, MAX_NAME), verdict=verdict, explanation=one_line(value, 80))
            continue
        old, new = before[path], after[path]
        extent = Extent()
        take_in([extent, whole], old, new, where=path, tolerance=tolerance)
        if extent.unequal:
            name = one_line(path, MAX_NAME)
            yield FilePart(name=name, verdict=extent.verdict, explanation=extent.example)


def take_in(
    extents: Iterable[Extent],
    old: Scalar | Refused,
    new: Scalar | Refused,
    *,
    where: str,
    tolerance: Tolerance,
) -> None:
    """Let each of `extents` compare two values: numbers by the tolerance, everything else to the letter."""
    first, second = _number(old), _number(new)
    for extent in extents:
        if first is None or second is None:
            extent.texts(_text(old), _text(new), where)
        else:
            extent.numbers(first, second, where, tolerance)


def _number(value: Scalar | Refused) -> Number | None:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _text(value: Scalar | Refused) -> str:
    """As JSON has it, so that a text is never the same as a number."""
    return value.reason if isinstance(value, Refused) else json.dumps(value, ensure_ascii=False)
