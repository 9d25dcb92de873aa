"""Histograms of ROOT files as plain arrays, whatever class they are of."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from reana_bridge.results.files.goodness import Array
from reana_bridge.results.files.pair import NotComparable
from reana_bridge.results.readers.clean import one_line

MAX_BINS = 4_000_000
_CLASSES = ("TH1", "TH2", "TH3", "TProfile")


@dataclass(frozen=True, kw_only=True)
class Binned:
    """One histogram.

    Attributes:
        title: For people, one line.
        labels: Of each axis, one line each.
        edges: Of each axis, without the overflows.
        contents: With underflow and overflow at both ends of each dimension.
        variances: Squares of the uncertainties, of the same shape.
    """

    title: str
    labels: tuple[str, ...]
    edges: tuple[Array, ...]
    contents: Array
    variances: Array

    @property
    def inner(self) -> tuple[Array, Array]:
        """Contents and variances without underflow and overflow."""
        cut = tuple(slice(1, -1) for _ in self.edges)
        return self.contents[cut], self.variances[cut]

    def bin(self, position: int) -> str:
        """Where the bin at this position of the flattened contents lies, such as `10 to 20`."""
        places = np.unravel_index(position, self.contents.shape)
        return ", ".join(_range(edges, int(place)) for edges, place in zip(self.edges, places, strict=True))


def is_histogram(kind: str) -> bool:
    """Whether objects of the ROOT class `kind` are histograms."""
    return kind.startswith(_CLASSES) and not kind.startswith("TH2Poly")


def binned(thing: Any) -> Binned:
    """The histogram that uproot read.

    Raises:
        NotComparable: it has too many bins, or another shape than its axes say.
    """
    axes = thing.axes
    edges = tuple(np.asarray(axis.edges(), dtype=float) for axis in axes)
    if np.prod([len(each) + 1.0 for each in edges]) > MAX_BINS:
        raise NotComparable(f"has more than {MAX_BINS:,} bins")
    contents = np.asarray(thing.values(flow=True), dtype=float)
    errors = np.asarray(thing.errors(flow=True), dtype=float)
    if contents.shape != tuple(len(each) + 1 for each in edges) or errors.shape != contents.shape:
        raise NotComparable("has other numbers of bins than its axes say")
    return Binned(
        title=one_line(str(thing.title or ""), 120),
        labels=tuple(one_line(str(axis.member("fTitle") or ""), 80) for axis in axes),
        edges=edges,
        contents=contents,
        variances=errors**2,
    )


def _range(edges: Array, place: int) -> str:
    if place == 0:
        return f"below {edges[0]:g}"
    if place > len(edges) - 1:
        return f"above {edges[-1]:g}"
    return f"{edges[place - 1]:g} to {edges[place]:g}"
