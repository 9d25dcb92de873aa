"""The plots and files of a note: pictures side by side, histograms over another, what differs by how much."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from reana_bridge.reports.escape import code, image, inline, link, marked, picture_address, web_address
from reana_bridge.reports.file_rows import FileRow, PartRow, PictureRow, drawn_of
from reana_bridge.reports.layout import Detail, folded, listed, table
from reana_bridge.reports.rows import NOTHING
from reana_bridge.reports.view import ReportView
from reana_bridge.reports.words import plural

_OVERLAYS = 2
"""Pictures of histograms and series that are open; more of them are folded."""
_PARTS = 5


@dataclass(frozen=True, kw_only=True)
class _Beside:
    """A row of pictures, as Markdown; `-` stands where there is none."""

    name: str
    before: str
    after: str
    difference: str = NOTHING


def plots(shown: ReportView, detail: Detail) -> Iterator[str]:
    """Those that the forge keeps a copy of side by side, the others by name."""
    news = [plot for plot in shown.plots if _is_news(plot)]
    rows = {plot.path: list(_rows(plot, shown, detail)) for plot in news}
    pictured = [row for plot in news for row in rows[plot.path]][: detail.names]
    if shown.plots_line:
        others = [plot for plot in shown.plots if not rows.get(plot.path)]
        yield _named("Plots", shown.plots_line, others, detail)
    if pictured and shown.against:
        third = any(row.difference != NOTHING for row in pictured)
        header = ["plot", inline(shown.baseline_label), detail.commit, *(["difference"] if third else [])]
        cells = [[row.name, row.before, row.after, *([row.difference] if third else [])] for row in pictured]
        yield table(header, ["---"] * len(header), cells)
    elif pictured:
        yield table(["plot", ""], ["---"] * 2, [[row.name, row.after] for row in pictured])
    room = detail.names - len(pictured)
    more = [(plot, one) for plot in news for one in plot.contents[1:] if picture_address(one.link)]
    if more[:room]:
        texts = [f"{_name(plot, picture)}\n\n{_drawn(picture)}" for plot, picture in more[:room]]
        yield folded(plural(len(texts), "more page"), "\n\n".join(texts))


def _is_news(plot: FileRow) -> bool:
    return plot.moved or not plot.word


def _rows(plot: FileRow, shown: ReportView, detail: Detail) -> Iterator[_Beside]:
    """Of the whole plot, or of each page that differs, where there is a picture to embed."""
    links = [plot.after_picture, plot.before_picture, *(picture.link for picture in plot.pictures)]
    if any(map(picture_address, links)):
        where = (shown.baseline_label, detail.commit) if shown.against else ("", "")
        yield _Beside(
            name=code(plot.path),
            before=_side(plot, plot.drawn("baseline"), plot.before_picture, plot.before, where[0]),
            after=_side(plot, plot.drawn("head"), plot.after_picture, plot.after, where[1]),
            difference=_drawn(plot.drawn("difference")),
        )
    for page in plot.pages:
        if any(picture_address(picture.link) for picture in page.pictures):
            sides = (drawn_of(page.pictures, side) for side in ("baseline", "head", "difference"))
            before, after, difference = map(_drawn, sides)
            name = f"{code(plot.path)} {inline(page.name)}"
            yield _Beside(name=name, before=before, after=after, difference=difference)
    if plot.contents and picture_address(plot.contents[0].link):
        alone, other = _drawn(plot.contents[0]), link("file", plot.before)
        is_gone = plot.word == "missing"
        yield _Beside(
            name=code(plot.path),
            before=alone if is_gone else other if web_address(plot.before) else NOTHING,
            after=NOTHING if is_gone else alone,
        )


def _name(file: FileRow, content: PictureRow) -> str:
    """The file and which of its pages or histograms it is."""
    return f"{code(file.path)}{inline(content.title.removeprefix(file.path))}"


def _side(plot: FileRow, drawn: PictureRow | None, picture: str, url: str, where: str) -> str:
    """The file's own picture, else what was drawn of it, else a link."""
    if drawn and not picture_address(picture):
        return _drawn(drawn)
    return _picture(f"{plot.path}, {where}" if where else plot.path, picture, url)


def _drawn(picture: PictureRow | None) -> str:
    return _picture(picture.title, picture.link, picture.url) if picture else NOTHING


def _picture(title: str, picture: str, url: str) -> str:
    """The picture, else a link to it, else a dash."""
    if picture_address(picture):
        return image(inline(title), picture)
    return link("picture", url) if web_address(url) else NOTHING


def overlays(shown: ReportView, detail: Detail) -> Iterator[str]:
    """Series and histograms that differ, this commit's over the baseline's, with figures; and new ones."""
    found = [_overlay(f"**{inline(name)}** by step", "", picture) for name, picture in shown.series]
    for file in (*shown.files, *shown.plots):
        for part, figures, picture in file.overlays if file.moved else ():
            name = f"**{inline(part)}** ({code(file.path)})" if part else f"**{inline(file.path)}**"
            found.append(_overlay(name, figures, picture))
        if not file.is_plot:
            found += [_overlay(_name(file, one), "", one) for one in file.contents if _is_news(file)]
    found = [text for text in found if text][: detail.names]
    yield from found[:_OVERLAYS]
    if found[_OVERLAYS:]:
        yield folded(plural(len(found) - _OVERLAYS, "more picture"), "\n\n".join(found[_OVERLAYS:]))


def _overlay(name: str, figures: str, picture: PictureRow) -> str:
    """A picture with its name and figures; empty where there is nowhere to see it."""
    if not (picture_address(picture.link) or web_address(picture.url)):
        return ""
    says = f"{name}: {marked(figures)}" if figures else name
    if picture_address(picture.link):
        return f"{says}\n\n{_drawn(picture)}"
    return f"{says} · {link('picture', picture.url)}"


def files(shown: ReportView, detail: Detail) -> str:
    """How many of the files are what, and by name those that are not as before."""
    return _named("Files", shown.files_line, shown.files, detail) if shown.files_line else ""


def _named(title: str, line: str, rows: Sequence[FileRow], detail: Detail) -> str:
    """`**Files** 11 identical, 1 different: name (3 rows differ; before, after)`; long ones as a list."""
    named = [
        file
        for file in rows
        if file.word != "identical" and (file.moved or file.explanation or not file.word)
    ]
    texts = [_file(file) for file in named]
    if not texts or not detail.names:
        return f"**{title}** {line}"
    if any(file.parts and file.moved for file in named) and len(texts) > 1:
        return f"**{title}** {line}\n\n{listed(texts, detail)}"
    shown = texts[: detail.names]
    more = [f"and {len(texts) - len(shown)} more"] if len(texts) > len(shown) else []
    return f"**{title}** {line}: {', '.join([*shown, *more])}"


def _file(file: FileRow) -> str:
    urls = [("before", file.before), ("after", file.after)]
    links = [link(label, url) for label, url in urls if web_address(url)]
    name, says = code(file.path), _says(file)
    if len(links) == 1:
        name, links = link(name, file.after or file.before), []
    links += [link(label, url) for label, url in _linked(file) if web_address(url)]
    if file.word not in {"", "different"}:
        name = f"{name} {file.word}"
    inside = "; ".join(part for part in (says, ", ".join(links)) if part)
    return f"{name} ({inside})" if inside else name


def _linked(file: FileRow) -> Iterator[tuple[str, str]]:
    """(label, URL) of what was drawn of a plot and cannot be embedded."""
    difference = file.drawn("difference")
    if difference:
        yield "difference", difference.url
    if file.is_plot and file.contents:
        yield "picture", file.contents[0].url


def _says(file: FileRow) -> str:
    """How far apart it is, and the parts that are; why nothing of it was drawn."""
    parts = [_part(part) for part in file.untold_parts[:_PARTS]]
    if len(file.untold_parts) > _PARTS:
        parts.append(f"and {len(file.untold_parts) - _PARTS} more")
    says = ": ".join(text for text in (marked(file.explanation), ", ".join(parts)) if text)
    undrawn = f"not drawn: {inline(file.undrawn)}" if file.undrawn else ""
    return "; ".join(text for text in (says, undrawn) if text)


def _part(part: PartRow) -> str:
    word = "" if part.word == "different" else f" {part.word}"
    difference = drawn_of(part.pictures, "difference")
    linked = f" ({link('difference', difference.url)})" if difference and web_address(difference.url) else ""
    return f"{code(part.name)}{word}" + (f" {marked(part.explanation)}" if part.explanation else "") + linked
