"""What all drawings of numbers share: colours that everybody can tell apart, sizes, and how they are kept.

The colours are Okabe and Ito's (Color Universal Design, 2008). The baseline is filled and dashed, the head is
solid or dots, so that the two differ without colour too.
"""

import io
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from reana_bridge.model.drawn import Picture
from reana_bridge.results.drawing.keeping import keep
from reana_bridge.results.readers.clean import one_line

BASELINE = "#0072B2"
HEAD = "#D55E00"
GREY = "#595959"
WIDTH = 7.0  # inches at 110 dots: a note's width
DOTS = 110
STYLE: Any = {
    "font.size": 12,
    "axes.titlesize": 12,
    "axes.labelsize": 12,
    "xtick.labelsize": 11,
    "ytick.labelsize": 11,
    "legend.fontsize": 11,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "hatch.linewidth": 0.6,
}


def keep_figure(figure: Any, *, place: Path, shows: str, title: str) -> Picture:
    """The figure as `keep` has it; the same figure gives the same bytes."""
    written = io.BytesIO()
    # Without the name and version of the library among the bytes.
    figure.savefig(written, format="png", dpi=DOTS, metadata={"Software": None})
    return keep(written.getvalue(), place=place, shows=shows, title=title)


def new_figure(height: float) -> Any:
    """An empty figure of a note's width, `height` inches high; to be filled within `style()`."""
    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def style() -> Any:
    """The context in which figures are made and written."""
    context: Any = matplotlib.rc_context  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType]
    return context(STYLE)


def wrapped(text: str, width: int = 62) -> str:
    """A title in at most two lines."""
    line = one_line(text, 2 * width)
    if len(line) <= width:
        return line
    cut = line.rfind(" ", 0, width)
    return f"{line[: max(cut, 20)]}\n{line[max(cut, 20) :].strip()[:width]}"
