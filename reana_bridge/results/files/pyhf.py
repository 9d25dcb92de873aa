"""Compares pyhf workspaces by channel, sample and modifier, in the words of the HistFactory schema.

Each sample, modifier, observation and measurement is one part, found by its names, so that their order means
nothing: `SR / background / lumi (normsys)`. The format: https://scikit-hep.org/pyhf/likelihood.html
"""

from collections.abc import Iterator

from reana_bridge.model.comparisons import FileComparison, FilePart, FileVerdict, Measure
from reana_bridge.results.files.documents import leaves, take_in
from reana_bridge.results.files.extent import Extent
from reana_bridge.results.files.pair import MAX_NAME, NotComparable, Pair, compared
from reana_bridge.results.files.tolerances import Tolerance
from reana_bridge.results.files.trees import json_tree
from reana_bridge.results.readers.clean import one_line
from reana_bridge.results.readers.tree import Branch, Tree

_KEYS = ("channels", "measurements", "observations", "version")


def is_workspace(tree: Tree) -> bool:
    """Whether a JSON document has what every pyhf workspace has."""
    return isinstance(tree, Branch) and not tree.is_list and all(tree.get(key) for key in _KEYS)


def compare(pair: Pair) -> FileComparison:
    """The comparison of two pyhf workspaces.

    Raises:
        NotComparable: one is none.
    """
    baseline, head = json_tree(pair.baseline, "baseline"), json_tree(pair.head, "head")
    for tree, side in ((baseline, "baseline"), (head, "head")):
        if not is_workspace(tree):
            raise NotComparable(f"{side}: is no pyhf workspace (it lacks one of {', '.join(_KEYS)})")
    return compare_workspaces(pair, baseline, head)


def compare_workspaces(pair: Pair, baseline: Tree, head: Tree) -> FileComparison:
    """The comparison of two documents that are workspaces."""
    before, after = dict(_pieces(baseline)), dict(_pieces(head))
    parts: list[FilePart] = []
    for name in after | before:
        tolerance = pair.tolerances.of(name)
        if tolerance is None:
            continue
        if name in before and name in after:
            parts.append(_part(name, before[name], after[name], tolerance))
        else:
            verdict = FileVerdict.NEW if name in after else FileVerdict.MISSING
            parts.append(FilePart(name=one_line(name, MAX_NAME), verdict=verdict))
    measures = (Measure(name="parts of the model", value=len(after)),)
    return compared(pair, parts, noun="part", measures=measures)


def _pieces(workspace: Tree) -> Iterator[tuple[str, Tree]]:
    """Name and content of every part of the model."""
    for channel, content in _named(_get(workspace, "channels")):
        for sample, inner in _named(_get(content, "samples")):
            yield f"{channel} / {sample}", _get(inner, "data")
            for modifier, data in _named(_get(inner, "modifiers"), "type"):
                yield f"{channel} / {sample} / {modifier}", _get(data, "data")
    for key in ("observations", "measurements"):
        for name, content in _named(_get(workspace, key)):
            yield f"{key.removesuffix('s')} {name}", content
    yield "version", _get(workspace, "version")


def _named(items: Tree, further: str = "") -> Iterator[tuple[str, Tree]]:
    """The items of a list by their names; a name that comes again gets its position."""
    seen: set[str] = set()
    for position, entry in enumerate(items if isinstance(items, Branch) else ()):
        name = str(_get(entry.value, "name") or position)
        name = f"{name} ({_get(entry.value, further)})" if further else name
        name = f"{name} #{position}" if name in seen else name
        seen.add(name)
        yield name, entry.value


def _get(tree: Tree, key: str) -> Tree:
    entry = tree.get(key) if isinstance(tree, Branch) and not tree.is_list else None
    return entry.value if entry else None


def _part(name: str, before: Tree, after: Tree, tolerance: Tolerance) -> FilePart:
    """The part with this name, of values that both sides have."""
    shown = one_line(name, MAX_NAME)
    old, new = leaves(before), leaves(after)
    if old.keys() != new.keys():
        words = f"{len(old):,} values, now {len(new):,}" if len(old) != len(new) else "has other entries"
        return FilePart(name=shown, verdict=FileVerdict.DIFFERENT, explanation=words)
    extent = Extent()
    for path, value in old.items():
        take_in([extent], value, new[path], where=path, tolerance=tolerance)
    return extent.part(shown)
