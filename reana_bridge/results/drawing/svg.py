"""Draws an SVG as pixels. No script runs, nothing outside of it is read, its size is bounded.

The renderer (resvg) knows neither scripts nor animations nor the network; references to files are taken out
before it sees them, and entities are not put in.
"""

import io
import re
from typing import Any

import resvg_py
from PIL import Image

from reana_bridge.results.files.pair import NotComparable

WIDTH = 1200
MAX_HEIGHT = 6_000
_OUTSIDE = re.compile(rb"""href\s*+=\s*+(["'])(?!#|data:)[^"']*+\1""", re.IGNORECASE)
_ROOT = re.compile(r"""<svg\b[^>]*+>""", re.IGNORECASE)
_BOX = re.compile(r"""viewBox\s*+=\s*+["'][^"'\s,]++[\s,]++[^"'\s,]++[\s,]++([\d.]++)[\s,]++([\d.]++)""")
_SIDE = r"""\s{}\s*+=\s*+["']\s*+([\d.]++)"""


def drawn(content: bytes) -> Any:
    """The drawing in `content` as a picture `WIDTH` pixels wide.

    Raises:
        NotComparable: it is no SVG, or too high.
    """
    if b"<!entity" in content.lower():
        raise NotComparable("declares entities, which are not put in")
    text = _OUTSIDE.sub(b"", content).decode("utf-8", "replace")
    root = _ROOT.search(text)
    if not root:
        raise NotComparable("is no SVG")
    if _height(root[0]) > MAX_HEIGHT:
        raise NotComparable(f"would be more than {MAX_HEIGHT:,} pixels high at {WIDTH:,} pixels of width")
    try:
        png = bytes(resvg_py.svg_to_bytes(svg_string=text, width=WIDTH, dpi=96))
    except (ValueError, TypeError, RuntimeError) as error:
        raise NotComparable(f"is an SVG that cannot be drawn: {error}") from None
    with Image.open(io.BytesIO(png), formats=("PNG",)) as image:
        image.load()
        return image


def _height(root: str) -> float:
    """How high the drawing gets, as far as its first tag tells; 0 where it does not."""
    width, height = (re.search(_SIDE.format(side), root) for side in ("width", "height"))
    box = _BOX.search(root)
    try:
        if width and height:
            return WIDTH * float(height[1]) / float(width[1])
        return WIDTH * float(box[2]) / float(box[1]) if box else 0.0
    except (ValueError, ZeroDivisionError):
        return 0.0
