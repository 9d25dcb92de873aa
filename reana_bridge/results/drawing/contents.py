"""Draws what is in files that stand alone, in isolation: what `previews.py` does, for many of them.

Promises: whatever is in a file, this process goes on; each file that was tried has its pictures or a reason.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from reana_bridge.model.codec import CodecError, from_data
from reana_bridge.model.drawn import DrawnFile
from reana_bridge.results import files
from reana_bridge.results.drawing.previews import KINDS
from reana_bridge.results.isolation import Answer, IsolationLimits, Item, run_each

PLOTS = "pdf"
"""The kind of files that are plots by themselves: drawn also where they are the same on both sides."""
TASK = "preview"
AT_ONCE = 8
"""Files of one process, between two looks at the clock."""


@dataclass(frozen=True, kw_only=True)
class Content:
    """A file to draw.

    Attributes:
        path: Its path in the workspace, which says its kind.
        place: Where its content lies.
    """

    path: str
    place: Path


def is_drawn(path: str) -> bool:
    """Whether a file of this name is shown by pictures that are made of it."""
    return files.kind_by_ending(path) in KINDS


def is_plot(path: str) -> bool:
    """Whether a file of this name is a plot, of which pictures are made."""
    return files.kind_by_ending(path) == PLOTS


def draw(
    contents: Sequence[Content],
    *,
    output: Path,
    limits: IsolationLimits,
    until: float,
    clock: Callable[[], float] = time.monotonic,
) -> list[DrawnFile | None]:
    """What is in each of `contents`, in their order; None for those that no time was left for.

    Args:
        contents: Files of drawn kinds.
        output: A directory for the pictures.
        limits: What each file may take.
        until: On `clock`; what was begun before is ended.
        clock: Seconds that pass.
    """
    found: list[DrawnFile | None] = []
    for start in range(0, len(contents), AT_ONCE):
        group = contents[start : start + AT_ONCE]
        if clock() >= until:
            found += [None] * len(group)
            continue
        items = [
            Item(job={"kind": files.kind_by_ending(one.path)}, inputs={"file": one.place}) for one in group
        ]
        found += map(_read, run_each(TASK, items, output=output, limits=limits))
    return found


def _read(answer: Answer) -> DrawnFile:
    if answer.problem:
        return DrawnFile(problem=answer.problem)
    try:
        return from_data(DrawnFile, answer.value)
    except CodecError:  # what has read a hostile file is not trusted to answer well
        return DrawnFile(problem="what drew it gave no answer that can be read")
