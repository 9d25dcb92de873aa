"""Compares the trees of ROOT files entry by entry, in the branches that hold plain numbers."""

from dataclasses import replace
from typing import Any

import numpy as np

from reana_bridge.model.comparisons import FilePart, FileVerdict, Measure
from reana_bridge.results.files.extent import Extent
from reana_bridge.results.files.many import take_in
from reana_bridge.results.files.tolerances import Tolerance
from reana_bridge.results.readers.clean import one_line

MAX_VALUES = 50_000_000
_STEP = 100_000


def compare_ntuples(part: FilePart, before: Any, after: Any, tolerance: Tolerance) -> FilePart:
    """The part `part` with what became of two trees.

    Args:
        part: With its name.
        before: The baseline's tree, as uproot opened it.
        after: This commit's.
        tolerance: How far apart values may be.
    """
    entries = int(before.num_entries), int(after.num_entries)
    names = set(map(str, before.keys())), set(map(str, after.keys()))
    measures = (Measure(name="entries", value=entries[1]), Measure(name="branches", value=len(names[1])))
    said = [f"{entries[0]:,} entries, now {entries[1]:,}"] if entries[0] != entries[1] else []
    for word, some in (("missing", names[0] - names[1]), ("new", names[1] - names[0])):
        if some:
            said.append(f"{len(some):,} {word} branches, such as {one_line(min(some), 60)}")
    if said:
        return replace(part, verdict=FileVerdict.DIFFERENT, explanation="; ".join(said), measures=measures)
    plain = [name for name in sorted(names[0]) if _is_plain(before[name]) and _is_plain(after[name])]
    if len(plain) * entries[0] > MAX_VALUES:
        reason = f"has more than {MAX_VALUES:,} values"
        return replace(part, verdict=FileVerdict.NOT_COMPARABLE, explanation=reason, measures=measures)
    found = _values(before, after, plain, tolerance)
    passed_over = len(names[0]) - len(plain)
    verdict, words = found.verdict, found.words
    if passed_over:
        said = f"{passed_over:,} branches of other than plain numbers passed over"
        words = f"{words}; {said}" if words else said
        verdict = FileVerdict.NOT_COMPARABLE if verdict is FileVerdict.IDENTICAL else verdict
    return replace(part, verdict=verdict, explanation=words, measures=(*measures, *found.measures))


def _values(before: Any, after: Any, names: list[str], tolerance: Tolerance) -> Extent:
    found = Extent()
    if not names:
        return found
    pieces = (tree.iterate(names, step_size=_STEP, library="np") for tree in (before, after))
    start = 0
    for old, new in zip(*pieces, strict=True):
        for name in names:
            take_in(found, old[name], new[name], tolerance, where=f"{name}, entry", start=start)
        start += len(old[names[0]])
    return found


def _is_plain(branch: Any) -> bool:
    dtype = getattr(branch.interpretation, "to_dtype", None)
    return dtype is not None and dtype.shape == () and np.issubdtype(dtype, np.number)
