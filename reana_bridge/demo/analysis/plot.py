"""Draw the mass spectrum with its fit, and write the yields of each bin."""

import csv
import json
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure  # without pyplot: no window system, and quicker to import

BLUE, ORANGE, GREY = "#9ecae1", "#d9480f", "#5c5f66"


def write_yields(path, bins):
    """One line a bin: edges, data, fitted background and its uncertainty, fitted signal."""
    with open(path, "w", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["low", "high", "data", "background", "background_uncertainty", "signal"])
        edges = bins["edges"]
        names = ("data", "background", "background_uncertainty", "signal")
        for row in zip(edges[:-1], edges[1:], *(bins[name] for name in names), strict=True):
            table.writerow(f"{number:.6g}" for number in row)


def draw(bins, metrics, selection):
    """The figure: spectrum above, distance from the background in standard deviations below."""
    edges, data, background, signal = (bins[name] for name in ("edges", "data", "background", "signal"))
    centres = 0.5 * (edges[:-1] + edges[1:])
    figure = Figure(figsize=(7.2, 6.2), dpi=150)
    top, bottom = figure.subplots(2, sharex=True, height_ratios=(3, 1))
    figure.subplots_adjust(left=0.1, right=0.97, bottom=0.09, top=0.93, hspace=0.06)

    top.stairs(background, edges, fill=True, color=BLUE, label="Background")
    top.stairs(background + signal, edges, baseline=background, fill=True, color=ORANGE, label="Signal")
    spread = bins["background_uncertainty"]
    band = {"fill": True, "facecolor": "none", "edgecolor": GREY, "hatch": "//////", "linewidth": 0}
    top.stairs(
        background + spread, edges, baseline=background - spread, label="Background uncertainty", **band
    )
    points = {"fmt": "o", "color": "black", "markersize": 4.5, "elinewidth": 1.2}
    # Poisson intervals in Gehrels' approximation; also a bin without events has one.
    errors = np.array([np.sqrt(np.maximum(data - 0.25, 0.0)), 1.0 + np.sqrt(data + 0.75)])
    top.errorbar(centres, data, yerr=errors, label="Data", zorder=5, **points)
    top.set_ylim(0, 1.08 * np.max(data + errors[1]))
    top.set_ylabel(f"Events / {edges[1] - edges[0]:g} GeV", loc="top", size=12)
    handles, labels = top.get_legend_handles_labels()
    order = [labels.index(name) for name in ("Data", "Signal", "Background", "Background uncertainty")]
    place = {"loc": "upper left", "bbox_to_anchor": (0.58, 0.99)}
    top.legend([handles[i] for i in order], [labels[i] for i in order], frameon=False, **place)

    mu, limit = metrics["fit"]["mu"], metrics["limit"]["observed"]["value"]
    above = {"transform": top.transAxes, "va": "bottom"}
    top.text(0.0, 1.015, "Toy measurement", weight="bold", size=13, **above)
    cuts = f"score > {selection['score_min']:.2f},  tracks ≤ {selection['tracks_max']}"
    top.text(1.0, 1.015, cuts, ha="right", **above)
    lines = [
        f"μ = {mu['value']:.2f} ± {mu['uncertainty']:.2f}",
        f"significance {metrics['fit']['significance']['value']:.1f} σ",  # noqa: RUF001
        f"μ < {limit:.2f} at 95 % CL",
    ]
    top.text(0.605, 0.69, "\n".join(lines), transform=top.transAxes, va="top", linespacing=1.6)

    unit = np.sqrt(background)
    pulls = (data - background) / unit
    bottom.axhspan(-1, 1, color="#f1f3f5", zorder=0)
    bottom.axhline(0, color=GREY, linewidth=1)
    bottom.stairs(signal / unit, edges, color=ORANGE, linewidth=1.8, baseline=None)
    bottom.errorbar(centres, pulls, yerr=errors / unit, **points)
    bottom.set_ylim(-3.4, max(4.0, 1.1 * np.max(pulls + errors[1] / unit)))
    bottom.set_ylabel("(Data - bkg) / √bkg", size=10)
    bottom.set_xlabel("mᵧᵧ [GeV]", loc="right", size=12)
    for axes in (top, bottom):
        axes.set_xlim(edges[0], edges[-1])
        axes.tick_params(direction="in", which="both", top=True, right=True)
    figure.align_ylabels()
    return figure


def main():
    bins = {name: np.array(values) for name, values in json.loads(Path("data/fit.json").read_text()).items()}
    metrics = json.loads(Path("results/metrics.json").read_text())
    selection = json.loads(Path("data/selection.json").read_text())
    write_yields("results/yields.csv", bins)
    # Without the version of matplotlib in it, the same numbers give the same file.
    draw(bins, metrics, selection).savefig("results/spectrum.png", metadata={"Software": None})
    print("results/spectrum.png, results/yields.csv")


if __name__ == "__main__":
    main()
