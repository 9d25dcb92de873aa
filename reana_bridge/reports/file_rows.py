"""One artifact of a report as ready-made words: how far apart it is, which parts, what was drawn."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from types import MappingProxyType

from reana_bridge.model.comparisons import FileComparison, FilePart, FileVerdict, Measure, RuleEffect
from reana_bridge.model.drawn import DrawnFile, Picture
from reana_bridge.model.reports import Report
from reana_bridge.reports.numbers import show
from reana_bridge.reports.rows import RuleLine, Tone, rule_line

PICTURES: Mapping[str, str] = MappingProxyType(
    {
        ".png": "image/png",
        ".jpg": "image/jpeg",
        ".jpeg": "image/jpeg",
        ".gif": "image/gif",
        ".webp": "image/webp",
        ".svg": "image/svg+xml",
    }
)
"""Ending of a file that is a picture by itself -> its media type. In an `<img>` none runs a script."""
DOCUMENTS = frozenset({".pdf"})
"""Endings of plots that pictures are made of."""
_SIDES = ("baseline", "head", "difference")
_QUIET = frozenset({"", FileVerdict.IDENTICAL.value, FileVerdict.WITHIN_TOLERANCE.value})


@dataclass(frozen=True, kw_only=True)
class PictureRow:
    """A picture that was made of a file.

    Attributes:
        shows: `baseline`, `head`, `difference` or `overlay`.
        title: Its text alternative.
        digest: SHA-256 of the PNG.
        link: To embed, where the forge keeps a copy; empty else.
        url: Where the bridge shows it; empty without a server.
    """

    shows: str
    title: str
    digest: str
    link: str = ""
    url: str = ""


def drawn_of(pictures: Sequence[PictureRow], *shows: str) -> PictureRow | None:
    """The first of `pictures` that shows one of these; None for none."""
    return next((picture for picture in pictures if picture.shows in shows), None)


@dataclass(frozen=True, kw_only=True)
class PartRow:
    """One part of a file: a histogram, a column, a key."""

    name: str
    word: str
    tone: Tone
    explanation: str = ""
    figures: tuple[tuple[str, str], ...] = ()
    pictures: tuple[PictureRow, ...] = ()


@dataclass(frozen=True, kw_only=True)
class FileRow:
    """One artifact.

    Attributes:
        path: Relative to the workspace.
        word: What became of it; empty where nothing is compared.
        tone: How it is coloured.
        before: URL of the baseline's file; empty where there is none.
        after: URL of this commit's.
        before_picture: Link to embed of the baseline's picture; empty where the forge has no copy.
        after_picture: The same of this commit's.
        kind: What it was compared as; empty for bare bytes.
        explanation: How far apart, or why not comparable; empty where nothing is to say.
        figures: Name and value of what was measured of the whole file.
        parts: Those that differ first.
        pictures: Drawn of the whole file.
        rules: What the rule on it says.
        contents: What is in it, where it stands alone: pages, histograms.
        cut: What of it was not drawn, such as `3 more pages`; empty for nothing.
        undrawn: Why nothing of it was drawn; empty for no such reason.
    """

    path: str
    word: str
    tone: Tone
    before: str = ""
    after: str = ""
    before_picture: str = ""
    after_picture: str = ""
    kind: str = ""
    explanation: str = ""
    figures: tuple[tuple[str, str], ...] = ()
    parts: tuple[PartRow, ...] = ()
    pictures: tuple[PictureRow, ...] = ()
    rules: tuple[RuleLine, ...] = ()
    contents: tuple[PictureRow, ...] = ()
    cut: str = ""
    undrawn: str = ""

    @property
    def is_plot(self) -> bool:
        """Whether it is a picture, a document of such, or something that was drawn as one."""
        ending = PurePosixPath(self.path).suffix.lower()
        return ending in {*PICTURES, *DOCUMENTS} or self.drawn("head", "baseline") is not None

    @property
    def moved(self) -> bool:
        """Whether what became of it is news."""
        return self.word not in _QUIET

    @property
    def moved_parts(self) -> tuple[PartRow, ...]:
        """The parts whose verdict is news."""
        return tuple(part for part in self.parts if part.word not in _QUIET)

    @property
    def untold_parts(self) -> tuple[PartRow, ...]:
        """Those of them that are not the example which the explanation of the whole ends with."""
        return tuple(
            part
            for part in self.moved_parts
            if not part.explanation or f"{part.name}: {part.explanation}" not in self.explanation
        )

    @property
    def blocks(self) -> bool:
        """Whether it breaks a rule that fails the status."""
        return any(rule.counts and rule.effect == RuleEffect.BLOCK for rule in self.rules)

    def drawn(self, *shows: str) -> PictureRow | None:
        """The first picture of the whole file that shows one of these; None for none."""
        return drawn_of(self.pictures, *shows)

    @property
    def pages(self) -> tuple[PartRow, ...]:
        """The parts whose two sides were drawn beside each other, such as pages."""
        return tuple(part for part in self.parts if drawn_of(part.pictures, *_SIDES))

    @property
    def overlays(self) -> Iterator[tuple[str, str, PictureRow]]:
        """(part's name, its figures, picture) of what lays both sides over another; the file's own first."""
        yield from (
            ("", self.explanation, picture) for picture in self.pictures if picture.shows == "overlay"
        )
        for part in self.parts:
            yield from ((part.name, part.explanation, one) for one in part.pictures if one.shows == "overlay")


_TONES = {
    FileVerdict.DIFFERENT: Tone.NEUTRAL,
    FileVerdict.MISSING: Tone.WARN,
    FileVerdict.NEW: Tone.NEUTRAL,
    FileVerdict.NOT_COMPARABLE: Tone.WARN,
}


def file_rows(report: Report) -> tuple[FileRow, ...]:
    """The artifacts of `report`, compared where there is a baseline."""
    comparison = report.comparison
    contents = comparison.contents if comparison is not None else {}
    if comparison is not None and comparison.baseline is not None:
        rows = (_compared(file, report) for file in comparison.files)
        return tuple(_with_content(row, contents.get(row.path), report) for row in rows)
    rows = (
        FileRow(
            path=artifact.path,
            word="",
            tone=Tone.NEUTRAL,
            after=report.file_urls.get(artifact.path, ""),
            after_picture=report.picture_links.get(artifact.path, ""),
        )
        for artifact in (report.result.artifacts if report.result else ())
    )
    return tuple(_with_content(row, contents.get(row.path), report) for row in rows)


def _with_content(row: FileRow, content: DrawnFile | None, report: Report) -> FileRow:
    if content is None:
        return row
    contents = tuple(
        replace(picture, title=f"{row.path}, {picture.title[:1].lower()}{picture.title[1:]}")
        for picture in picture_rows(content.pictures, report)
    )
    return replace(row, contents=contents, cut=content.cut, undrawn=content.problem)


def _compared(file: FileComparison, report: Report) -> FileRow:
    was, is_there = bool(file.baseline_digest), bool(file.head_digest)
    rules = tuple(rule_line(file.path, outcome) for outcome in file.rules)
    broken = [rule.tone for rule in rules if rule.counts]
    tone = Tone.BAD if Tone.BAD in broken else Tone.WARN if Tone.WARN in broken else None
    return FileRow(
        path=file.path,
        word=file.verdict.value,
        tone=tone or _TONES.get(file.verdict, Tone.MUTED),
        before=report.baseline_file_urls.get(file.path, "") if was else "",
        after=report.file_urls.get(file.path, "") if is_there else "",
        before_picture=report.baseline_picture_links.get(file.path, "") if was else "",
        after_picture=report.picture_links.get(file.path, "") if is_there else "",
        kind=file.kind,
        explanation=file.explanation,
        figures=_figures(file.measures),
        parts=tuple(_part(part, report) for part in file.parts),
        pictures=picture_rows(file.pictures, report),
        rules=rules,
    )


def _part(part: FilePart, report: Report) -> PartRow:
    return PartRow(
        name=part.name,
        word=part.verdict.value,
        tone=_TONES.get(part.verdict, Tone.MUTED),
        explanation=part.explanation,
        figures=_figures(part.measures),
        pictures=picture_rows(part.pictures, report),
    )


def _figures(measures: Sequence[Measure]) -> tuple[tuple[str, str], ...]:
    return tuple((measure.name, show(measure.value)) for measure in measures)


def picture_rows(pictures: Sequence[Picture], report: Report) -> tuple[PictureRow, ...]:
    """The pictures with where `report` has them."""
    links: Mapping[str, str] = report.drawn_links
    return tuple(
        PictureRow(
            shows=picture.shows,
            title=picture.title,
            digest=picture.digest,
            link=links.get(picture.digest, ""),
            url=report.drawn_urls.get(picture.digest, ""),
        )
        for picture in pictures
    )


def files_line(files: Sequence[FileRow]) -> str:
    """`11 identical, 1 different`; only their number where nothing is compared."""
    words = [file.word for file in files]
    if not any(words):
        return str(len(files)) if files else ""
    counts = [(words.count(verdict.value), verdict.value) for verdict in FileVerdict]
    return ", ".join(f"{count} {word}" for count, word in counts if count)
