"""How far apart whole arrays are, with numpy: the same figures as value by value."""

from typing import Any

import numpy as np

from reana_bridge.results.files.extent import Extent
from reana_bridge.results.files.tolerances import Tolerance


def take_in(extent: Extent, old: Any, new: Any, tolerance: Tolerance, *, where: str, start: int = 0) -> None:
    """Let `extent` compare two arrays of the same shape.

    Args:
        extent: What is known so far.
        old: The baseline's: numbers (complex ones too), truth values, texts or times.
        new: This commit's.
        tolerance: How far apart numbers may be.
        where: What a position stands behind, such as `entry`.
        start: Added to positions.
    """
    before, after = np.ravel(old), np.ravel(new)
    numeric = all(np.issubdtype(side.dtype, np.number) for side in (before, after))
    with np.errstate(all="ignore"):
        apart = before != after
        if numeric:
            apart &= ~(np.isnan(before) & np.isnan(after))
        places = np.flatnonzero(apart)
        extent.compared += len(before) - len(places)
        if not len(places):
            return
        before, after, places = before[places], after[places], places + start
        if numeric:
            _numbers(extent, before, after, tolerance, places, where)
        else:
            _others(extent, before, after, f"{where} {int(places[0]):,}")


def _others(extent: Extent, before: Any, after: Any, where: str) -> None:
    extent.texts(str(before[0]), str(after[0]), where)
    more = len(before) - 1
    extent.compared += more
    extent.unequal += more
    extent.beyond += more


def _numbers(extent: Extent, before: Any, after: Any, tolerance: Tolerance, places: Any, where: str) -> None:
    whole = all(np.issubdtype(side.dtype, np.integer) for side in (before, after))
    wide = np.result_type(before, after, np.float64)
    gaps, sizes = np.abs(after.astype(wide) - before.astype(wide)), np.abs(before.astype(wide))
    gaps = np.where(np.isnan(gaps), np.inf, gaps)
    finite = np.isfinite(gaps) & (sizes > 0)
    relative = np.divide(gaps, sizes, out=np.full(gaps.shape, np.inf, dtype=gaps.dtype), where=finite)
    near = np.isfinite(gaps) & (gaps <= tolerance.absolute + tolerance.relative * sizes)
    extent.compared += len(gaps)
    extent.unequal += len(gaps)
    extent.beyond += len(gaps) if whole and not tolerance.whole else int(np.sum(~near))
    for worst in {int(np.argmax(relative)), int(np.argmax(gaps))}:
        extent.farthest(
            relative=float(relative[worst]),
            absolute=float(gaps[worst]),
            where=f"{where} {int(places[worst]):,}",
            example=(before[worst].item(), after[worst].item()),
        )
