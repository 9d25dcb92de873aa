"""Draws what is in one file: the first pages of a PDF, the first histograms of a ROOT file."""

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from reana_bridge.model.drawn import DrawnFile, Picture
from reana_bridge.results.extras import extra_of
from reana_bridge.results.files.pair import NotComparable
from reana_bridge.results.readers.clean import one_line

MAX_PAGES = 5
MAX_HISTOGRAMS = 12


def preview(path: Path, kind: str, *, place: Path) -> DrawnFile:
    """What is in the file at `path`, its pictures kept in the directory `place`.

    Args:
        path: The file.
        kind: One of `KINDS`.
        place: A directory.
    """
    try:
        return KINDS[kind](path, place)
    except NotComparable as error:
        return DrawnFile(problem=str(error))
    except ImportError as error:  # no fault of the file's
        extra = extra_of(error) or "plots"
        return DrawnFile(problem=f"needs the extra `{extra}` on the server ({error})", lasting=False)


def _pdf(path: Path, place: Path) -> DrawnFile:
    from reana_bridge.results.drawing.pdf import pages
    from reana_bridge.results.drawing.pictures import keep_image

    with pages(path) as document:
        count = len(document)
        found = tuple(
            keep_image(document.drawn(number), place=place, shows="head", title=f"Page {number + 1}")
            for number in range(min(count, MAX_PAGES))
        )
    return DrawnFile(pictures=found, cut=_more(count, MAX_PAGES, "page"))


def _root(path: Path, place: Path) -> DrawnFile:
    from reana_bridge.results.files.binned import is_histogram
    from reana_bridge.results.files.objects import objects, opened

    with opened(path) as file:
        names = [name for name, kind in objects(file).items() if is_histogram(kind)]
        drawn = [_histogram(file, name, place) for name in names[:MAX_HISTOGRAMS]]
    if not names:
        return DrawnFile(problem="there is no histogram in it")
    found = tuple(one for one in drawn if isinstance(one, Picture))
    cuts = [*(one for one in drawn if isinstance(one, str)), _more(len(names), MAX_HISTOGRAMS, "histogram")]
    return DrawnFile(pictures=found, cut=", ".join(filter(None, cuts)))


def _histogram(file: Any, name: str, place: Path) -> Picture | str:
    """Its picture; where it cannot be read, its name and why: it takes nothing from the others."""
    from reana_bridge.results.drawing.histograms import alone
    from reana_bridge.results.files.binned import binned
    from reana_bridge.results.files.objects import brief

    try:
        histogram = binned(file[name])
    except MemoryError:
        raise
    except NotComparable as error:
        return f"{one_line(name, 80)}, which {error}"
    except Exception as error:  # uproot raises whatever a damaged file makes it stumble over
        return f"{one_line(name, 80)}, which cannot be read ({brief(error)})"
    return alone(histogram, name=name, place=place)


def _more(count: int, most: int, noun: str) -> str:
    more = count - most
    return f"{more:,} more {noun}{'s' if more > 1 else ''}" if more > 0 else ""


KINDS: Mapping[str, Callable[[Path, Path], DrawnFile]] = MappingProxyType({"pdf": _pdf, "histograms": _root})
"""Kinds of files that are drawn, as comparators name them."""
