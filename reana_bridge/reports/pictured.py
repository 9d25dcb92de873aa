"""Which pictures a report shows, the most telling ones first, and the report with where they are."""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from reana_bridge.model.comparisons import UNMOVED, Comparison, FileComparison
from reana_bridge.model.drawn import Picture
from reana_bridge.model.reports import Report

SPARE = 3


@dataclass(frozen=True, kw_only=True)
class Pictured:
    """A picture that a report shows.

    Attributes:
        rank: 0 for what changed, 1 for what stands alone, 2 for what is shown folded, `SPARE` for what is
            shown only where another one cannot be.
        name: A file name for it that is safe everywhere.
        digest: SHA-256 of its content.
        side: `head` or `baseline` for a file of that side, `drawn` for what was drawn.
        path: Of the file, relative to the workspace; empty for what was drawn.
    """

    rank: int
    name: str
    digest: str
    side: str = "drawn"
    path: str = ""


def pictures_of(report: Report, endings: Collection[str]) -> list[Pictured]:
    """The pictures of `report` by rank; of its artifacts those with one of `endings`, such as `.png`."""
    return sorted(_pictures(report, endings), key=lambda picture: picture.rank)


def drawn_pictures(comparison: Comparison) -> Iterator[Picture]:
    """Everything that was drawn for a comparison: of metrics' series, of files and their parts."""
    for metric in comparison.metrics:
        yield from metric.pictures
    for file in comparison.files:
        yield from _drawn(file)
    for content in comparison.contents.values():
        yield from content.pictures


def with_links(report: Report, links: Mapping[str, str]) -> Report:
    """The report with `links` to embed, by the digests of pictures."""
    comparison = report.comparison
    artifacts = report.result.artifacts if report.result else ()
    head = {a.path: links[a.digest] for a in artifacts if a.digest in links}
    if comparison is None:
        return replace(report, picture_links=head)
    files = comparison.files
    drawn = [picture.digest for picture in drawn_pictures(comparison)]
    return replace(
        report,
        drawn_links={digest: links[digest] for digest in drawn if digest in links},
        picture_links=head | {f.path: links[f.head_digest] for f in files if f.head_digest in links},
        baseline_picture_links={
            f.path: links[f.baseline_digest] for f in files if f.baseline_digest in links
        },
    )


def _pictures(report: Report, endings: Collection[str]) -> Iterator[Pictured]:
    comparison = report.comparison
    artifacts = report.result.artifacts if report.result else ()
    mine = [each for each in artifacts if PurePosixPath(each.path).suffix.lower() in endings]
    compared = comparison is not None and comparison.baseline is not None
    for each in mine:
        if not compared or _told(report, each.path):
            yield _file(each.path, each.digest, "head", rank=1)
    if comparison is None:
        return
    for metric in comparison.metrics:
        for picture in metric.pictures:
            yield Pictured(rank=0, name=f"series-{picture.shows}.png", digest=picture.digest)
    for file in comparison.files:
        if file.verdict not in UNMOVED:
            yield from _changed(file, endings)
    yield from _contents(comparison)


def _changed(file: FileComparison, endings: Collection[str]) -> Iterator[Pictured]:
    is_picture = PurePosixPath(file.path).suffix.lower() in endings
    if is_picture:
        for side, digest in (("head", file.head_digest), ("baseline", file.baseline_digest)):
            if digest:
                yield _file(file.path, digest, side, rank=0)
    for picture in _drawn(file):
        rank = SPARE if is_picture and picture.shows in ("baseline", "head") else 0
        yield Pictured(rank=rank, name=_drawn_name(file.path, picture), digest=picture.digest)


def _file(path: str, digest: str, side: str, *, rank: int) -> Pictured:
    return Pictured(rank=rank, name=_name(path), digest=digest, side=side, path=path)


def _contents(comparison: Comparison) -> Iterator[Pictured]:
    """The first picture of each file that stands alone, then the others."""
    quiet = {file.path for file in comparison.files if file.verdict in UNMOVED}
    for path, content in comparison.contents.items():
        for number, picture in enumerate(content.pictures if path not in quiet else ()):
            yield Pictured(rank=2 if number else 1, name=_drawn_name(path, picture), digest=picture.digest)


def _drawn(file: FileComparison) -> Iterator[Picture]:
    for part in (file, *file.parts):
        yield from part.pictures


def _told(report: Report, path: str) -> bool:
    """Whether the analysis' own text names this file."""
    return report.own_text is not None and PurePosixPath(path).name in report.own_text.text


def _drawn_name(path: str, picture: Picture) -> str:
    return f"{_name(path)[:70]}-{picture.shows}.png"


def _name(path: str) -> str:
    """A name that is safe on every forge."""
    plain = re.sub(r"[^A-Za-z0-9_.-]", "-", PurePosixPath(path).name)
    return plain[-80:].lstrip(".-") or "picture.png"
