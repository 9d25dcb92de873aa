"""Pictures that go along with a report: within its one page, or in a folder beside it.

The report's links to them are `pictures/<name>`, relative to where it is written.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from types import MappingProxyType

from reana_bridge.model.reports import Report
from reana_bridge.reports.file_rows import PICTURES
from reana_bridge.reports.pictured import SPARE, Pictured, pictures_of, with_links
from reana_bridge.reports.words import plural, size

FOLDER = "pictures"


@dataclass(frozen=True, kw_only=True)
class Copy:
    """A picture that goes along.

    Attributes:
        kind: Its media type.
        content: Its bytes.
    """

    kind: str
    content: bytes


NO_COPIES: Mapping[str, Copy] = MappingProxyType({})


@dataclass(frozen=True, kw_only=True)
class Enclosed:
    """A report and its pictures.

    Attributes:
        report: With links to them; what had to be left out is among its warnings.
        pictures: By link.
    """

    report: Report
    pictures: Mapping[str, Copy]


def enclose(report: Report, content: Callable[[Pictured], bytes | None], *, limit: int) -> Enclosed:
    """The report with its pictures, the most telling ones first.

    Args:
        report: What it says.
        content: Gives the bytes of a picture; None for one that is not at hand.
        limit: Bytes of all pictures together.
    """
    copies: dict[str, Copy] = {}
    links: dict[str, str] = {}
    left_out: set[str] = set()
    room = limit
    for picture in pictures_of(report, tuple(PICTURES)):
        if picture.rank == SPARE or picture.digest in links or picture.digest in left_out:
            continue
        found = content(picture)
        if found is None:
            continue
        if len(found) > room:
            left_out.add(picture.digest)
            continue
        room -= len(found)
        links[picture.digest] = link = _link(picture)
        copies[link] = Copy(kind=PICTURES[PurePosixPath(link).suffix], content=found)
    return Enclosed(report=_saying(with_links(report, links), len(left_out), limit), pictures=copies)


def _link(picture: Pictured) -> str:
    """`pictures/mass-1f2e3d4c.png`: told apart by their content."""
    name = PurePosixPath(picture.name)
    return f"{FOLDER}/{name.stem}-{picture.digest[:8]}{name.suffix.lower()}"


def _saying(report: Report, count: int, limit: int) -> Report:
    if not count:
        return report
    words = f"{plural(count, 'picture')} left out here: all together may take {size(limit)} (`--pictures`)"
    return replace(report, warnings=(*report.warnings, words))
