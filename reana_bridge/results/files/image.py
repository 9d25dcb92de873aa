"""Compares pictures pixel by pixel: how many differ, how much at most, and where. Advice, never a gate.

PNG, JPEG, GIF and WebP (their first frame), and SVG, which is drawn without its scripts and without anything
that it refers to outside of itself. Two pictures of different size differ; there is no hash of what they look
like: such hashes call the same plot different and different plots the same.
"""

from pathlib import Path
from typing import Any

from PIL import Image, UnidentifiedImageError

from reana_bridge.model.comparisons import FileComparison, FileVerdict, Measure
from reana_bridge.results.drawing.pictures import Difference, differing, flattened, triptych
from reana_bridge.results.drawing.svg import drawn
from reana_bridge.results.files.pair import NotComparable, Pair
from reana_bridge.results.readers.clean import one_line

MAX_PIXELS = 25_000_000
MAX_SVG = 16 << 20
_FORMATS = ("PNG", "JPEG", "GIF", "WEBP")


def compare(pair: Pair) -> FileComparison:
    """The comparison of two pictures.

    Raises:
        NotComparable: one is none, is damaged, or has too many pixels.
    """
    return compare_pictures(pair, pair.path, opened(pair.baseline, "baseline"), opened(pair.head, "head"))


def compare_pictures(pair: Pair, name: str, before: Any, after: Any) -> FileComparison:
    """The comparison of two opened pictures, which are called `name`, with what was drawn of it."""
    same_size = before.size == after.size
    found = differing(before, after) if same_size else None
    if found and not found.count:
        words = "the same pixels, written otherwise"
        return FileComparison(path=pair.path, verdict=FileVerdict.WITHIN_TOLERANCE, explanation=words)
    words = f"{before.width} x {before.height} pixels, now {after.width} x {after.height}"
    pictures = triptych(before, after, found, name=name, place=pair.drawings) if pair.drawings else ()
    return FileComparison(
        path=pair.path,
        verdict=FileVerdict.DIFFERENT,
        explanation=found.words if found else words,
        measures=_figures(found) if found else (),
        pictures=pictures,
    )


def _figures(found: Difference) -> tuple[Measure, ...]:
    return (
        Measure(name="pixels that differ", value=found.count),
        Measure(name="share of pixels", value=found.share),
        Measure(name="largest difference of a channel", value=found.largest),
    )


def opened(path: Path, side: str) -> Any:
    """The picture at `path`; `side` is `baseline` or `head`, for the message.

    Raises:
        NotComparable: it is none, is damaged, or has too many pixels.
    """
    with path.open("rb") as file:
        start = file.read(512)
    try:
        return _drawn(path) if _looks_like_svg(start) else _loaded(path)
    except NotComparable as error:
        raise NotComparable(f"{side}: {error}") from None
    except UnidentifiedImageError:
        raise NotComparable(f"{side}: is no picture of a known kind") from None
    except MemoryError:
        raise
    except Exception as error:  # decoders raise whatever a damaged file makes them stumble over
        words = one_line(f"{type(error).__name__}: {error}", 120)
        raise NotComparable(f"{side}: is damaged: {words}") from None


def _drawn(path: Path) -> Any:
    if path.stat().st_size > MAX_SVG:
        raise NotComparable(f"is an SVG of more than {MAX_SVG >> 20} MiB")
    return flattened(drawn(path.read_bytes()))


def _loaded(path: Path) -> Any:
    Image.MAX_IMAGE_PIXELS = None  # checked here, before anything is unpacked
    with Image.open(path, formats=_FORMATS) as image:
        if image.width * image.height > MAX_PIXELS:
            size = f"{image.width:,} x {image.height:,} pixels"
            raise NotComparable(f"has {size}, more than {MAX_PIXELS:,} together")
        return flattened(image)


def _looks_like_svg(start: bytes) -> bool:
    text = start.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    return text.startswith((b"<svg", b"<?xml", b"<!doctype svg", b"<!--"))
