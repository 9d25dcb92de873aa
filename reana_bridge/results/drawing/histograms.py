"""Draws two histograms over another with their ratio below; of two dimensions, side by side with pulls."""

from pathlib import Path
from typing import Any

import numpy as np

from reana_bridge.model.drawn import Picture
from reana_bridge.results.drawing.canvas import (
    BASELINE,
    GREY,
    HEAD,
    keep_figure,
    new_figure,
    style,
    wrapped,
)
from reana_bridge.results.files.binned import Binned
from reana_bridge.results.files.goodness import Array, ratios

_LARGEST_RATIO = 3.0


def overlay(before: Binned, after: Binned, *, title: str, place: Path) -> Picture:
    """The picture of two histograms with the same bins, kept in `place`.

    Args:
        before: The baseline's.
        after: This commit's.
        title: What they are and how far apart, for the heading and for those who do not see the picture.
        place: A directory.
    """
    with style(), np.errstate(all="ignore"):
        draw = _curves if len(before.edges) == 1 else _maps
        figure = draw(_flat(before), _flat(after), title)
        said = f"Overlay of baseline and head. {title}"
        return keep_figure(figure, place=place, shows="overlay", title=said)


def alone(histogram: Binned, *, name: str, place: Path) -> Picture:
    """The picture of one histogram, kept in `place`; `name` is how the file calls it."""
    with style(), np.errstate(all="ignore"):
        flat = _flat(histogram)
        title = f"{name}: {flat.title}" if flat.title and flat.title != name else name
        figure = new_figure(3.8)
        panel = figure.subplots()
        (_curve if len(flat.edges) == 1 else _map)(figure, panel, flat)
        panel.set_title(wrapped(title), loc="left", parse_math=False)
        panel.set_xlabel(flat.labels[0], parse_math=False)
        return keep_figure(figure, place=place, shows="head", title=f"The histogram {title}")


def _curve(figure: Any, panel: Any, histogram: Binned) -> None:
    edges, (contents, variances) = histogram.edges[0], histogram.inner
    panel.stairs(contents, edges, color=HEAD, linewidth=1.6)
    middles = (edges[1:] + edges[:-1]) / 2
    filled = contents != 0
    spread = np.sqrt(variances)
    panel.errorbar(middles[filled], contents[filled], yerr=spread[filled], fmt="none", color=HEAD)
    panel.set_ylabel("entries")


def _map(figure: Any, panel: Any, histogram: Binned) -> None:
    contents, _ = histogram.inner
    mesh = panel.pcolormesh(*histogram.edges, contents.T, cmap="cividis", rasterized=True)
    panel.set_ylabel(histogram.labels[1], parse_math=False)
    figure.colorbar(mesh, ax=panel)


def _flat(histogram: Binned) -> Binned:
    """A histogram of three dimensions without its third, which is added up."""
    if len(histogram.edges) < 3:
        return histogram
    return Binned(
        title=histogram.title,
        labels=histogram.labels[:2],
        edges=histogram.edges[:2],
        contents=histogram.contents.sum(axis=2),
        variances=histogram.variances.sum(axis=2),
    )


def _curves(before: Binned, after: Binned, title: str) -> Any:
    figure = new_figure(5.2)
    top, below = figure.subplots(2, 1, sharex=True, gridspec_kw={"height_ratios": [3, 1]})
    edges = before.edges[0]
    middles = (edges[1:] + edges[:-1]) / 2
    (old, old_variances), (new, new_variances) = before.inner, after.inner
    top.stairs(old, edges, fill=True, color=BASELINE, alpha=0.25)
    top.stairs(old, edges, color=BASELINE, linestyle="--", linewidth=1.6, label="baseline")
    spread = np.sqrt(new_variances)
    filled = (old != 0) | (new != 0)
    dots = {"fmt": "o", "markersize": 4, "color": HEAD, "elinewidth": 1.2}
    top.errorbar(middles[filled], new[filled], yerr=spread[filled], label="head", **dots)
    top.set_title(wrapped(title), loc="left", parse_math=False)
    top.set_ylabel("entries")
    top.legend(frameon=False)
    _ratio_panel(below, edges, middles, old, old_variances, new, spread)
    below.set_xlabel(before.labels[0] or before.title, parse_math=False)
    return figure


def _ratio_panel(
    panel: Any, edges: Array, middles: Array, old: Array, old_variances: Array, new: Array, spread: Array
) -> None:
    """Their ratio with the head's uncertainty as bars and the baseline's as a hatched band around 1."""
    ratio = ratios(old, new)
    bars = np.abs(ratios(old, spread))
    band = np.nan_to_num(np.abs(ratios(old, np.sqrt(old_variances))))
    panel.stairs(
        1 + band, edges, baseline=1 - band, fill=True, facecolor="none", edgecolor=GREY, hatch="////"
    )
    panel.axhline(1.0, color=BASELINE, linestyle="--", linewidth=1.4)
    panel.errorbar(middles, ratio, yerr=bars, fmt="o", markersize=4, color=HEAD, elinewidth=1.2)
    finite = ratio[np.isfinite(ratio)]
    far = float(np.max(np.abs(finite - 1))) if finite.size else 0.1
    reach = min(max(1.3 * far, 0.05), _LARGEST_RATIO)
    # Where no ratio is negative there is nothing to see below 0.
    low, high = max(1 - reach, float(np.min(finite, initial=0.0))), 1 + reach
    panel.set_ylim(low, high)
    # What lies beyond the panel is marked at its edge.
    for beyond, mark, edge in ((ratio > high, "^", high), (ratio < low, "v", low)):
        panel.plot(middles[beyond], np.full(int(beyond.sum()), edge), mark, color=HEAD, clip_on=False)
    panel.set_ylabel("head /\nbaseline")


def _maps(before: Binned, after: Binned, title: str) -> Any:
    figure = new_figure(3.4)
    panels = figure.subplots(1, 3, sharex=True, sharey=True)
    (old, old_variances), (new, new_variances) = before.inner, after.inner
    spread = np.sqrt(old_variances + new_variances)
    pulls = np.divide(new - old, spread, out=np.zeros_like(new), where=spread > 0)
    highest = float(np.nanmax([old, new])) or 1.0
    reach = max(float(np.nanmax(np.abs(pulls))), 1.0)
    shown = (
        ("baseline", old, {"cmap": "cividis", "vmax": highest}),
        ("head", new, {"cmap": "cividis", "vmax": highest}),
        ("pull", pulls, {"cmap": "PuOr_r", "vmin": -reach, "vmax": reach}),
    )
    for panel, (name, content, options) in zip(panels, shown, strict=True):
        mesh = panel.pcolormesh(before.edges[0], before.edges[1], content.T, rasterized=True, **options)
        panel.set_title(name)
        panel.set_xlabel(before.labels[0], parse_math=False)
        figure.colorbar(mesh, ax=panel, orientation="horizontal", shrink=0.9)
    panels[0].set_ylabel(before.labels[1], parse_math=False)
    figure.suptitle(wrapped(title), x=0.01, ha="left", fontsize=12, parse_math=False)
    return figure
