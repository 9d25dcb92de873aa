"""The plots and files of a note: pictures side by side, histograms over another, what differs by how much."""

from collections.abc import Iterator, Sequence

from reana_bridge.reports.escape import code, image, inline, link, picture_address, web_address
from reana_bridge.reports.file_rows import FileRow, PartRow, PictureRow
from reana_bridge.reports.layout import Detail, folded, listed, table
from reana_bridge.reports.rows import NOTHING
from reana_bridge.reports.view import ReportView
from reana_bridge.reports.words import plural

_OVERLAYS = 2
"""Pictures of overlays that are open; more of them are folded."""
_PARTS = 5


def plots(shown: ReportView, detail: Detail) -> Iterator[str]:
    """Those that the forge keeps a copy of side by side, the others by name."""
    pictured = [plot for plot in shown.plots if _is_news(plot) and _embedded(plot)][: detail.names]
    if shown.plots_line:
        others = [plot for plot in shown.plots if plot not in pictured]
        yield _named("Plots", shown.plots_line, others, detail)
    if pictured and shown.against:
        third = any(plot.drawn("difference") for plot in pictured)
        header = ["plot", inline(shown.baseline_label), detail.commit, *(["difference"] if third else [])]
        cells = [_picture_cells(plot, shown, detail, third=third) for plot in pictured]
        yield table(header, ["---"] * len(header), cells)
    elif pictured:
        cells = [[code(plot.path), _picture(plot.path, plot.after_picture, plot.after)] for plot in pictured]
        yield table(["plot", ""], ["---"] * 2, cells)


def _is_news(plot: FileRow) -> bool:
    return plot.moved or not plot.word


def _embedded(plot: FileRow) -> bool:
    links = [plot.after_picture, plot.before_picture, *(picture.link for picture in plot.pictures)]
    return any(map(picture_address, links))


def _picture_cells(plot: FileRow, shown: ReportView, detail: Detail, *, third: bool) -> list[str]:
    was, now, changed = plot.drawn("baseline"), plot.drawn("head"), plot.drawn("difference")
    cells = [
        code(plot.path),
        _side(plot, was, plot.before_picture, plot.before, shown.baseline_label),
        _side(plot, now, plot.after_picture, plot.after, detail.commit),
    ]
    if third:
        cells.append(_drawn(changed) if changed else NOTHING)
    return cells


def _side(plot: FileRow, drawn: PictureRow | None, picture: str, url: str, where: str) -> str:
    """The file's own picture, else what was drawn of it, else a link."""
    if drawn and not picture_address(picture):
        return _drawn(drawn)
    return _picture(f"{plot.path}, {where}", picture, url)


def _drawn(picture: PictureRow) -> str:
    return _picture(picture.title, picture.link, picture.url)


def _picture(title: str, picture: str, url: str) -> str:
    """The picture, else a link to it, else a dash."""
    if picture_address(picture):
        return image(inline(title), picture)
    return link("picture", url) if web_address(url) else NOTHING


def overlays(shown: ReportView, detail: Detail) -> Iterator[str]:
    """Series and histograms that differ, this commit's over the baseline's, each with its figures."""
    found = [_overlay(f"**{inline(name)}** by step", "", picture) for name, picture in shown.series]
    for file in (*shown.files, *shown.plots):
        for part, figures, picture in file.overlays if file.moved else ():
            name = f"**{inline(part)}** ({code(file.path)})" if part else f"**{inline(file.path)}**"
            found.append(_overlay(name, figures, picture))
    found = [text for text in found if text][: detail.names]
    yield from found[:_OVERLAYS]
    if found[_OVERLAYS:]:
        yield folded(plural(len(found) - _OVERLAYS, "more overlay"), "\n\n".join(found[_OVERLAYS:]))


def _overlay(name: str, figures: str, picture: PictureRow) -> str:
    """A picture with its name and figures; empty where there is nowhere to see it."""
    if not (picture_address(picture.link) or web_address(picture.url)):
        return ""
    says = f"{name}: {inline(figures)}" if figures else name
    if picture_address(picture.link):
        return f"{says}\n\n{_drawn(picture)}"
    return f"{says} · {link('overlay', picture.url)}"


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
    if file.word not in {"", "different"}:
        name = f"{name} {file.word}"
    inside = "; ".join(part for part in (says, ", ".join(links)) if part)
    return f"{name} ({inside})" if inside else name


def _says(file: FileRow) -> str:
    """How far apart it is, and the parts that are."""
    parts = [_part(part) for part in file.moved_parts[:_PARTS]]
    if len(file.moved_parts) > _PARTS:
        parts.append(f"and {len(file.moved_parts) - _PARTS} more")
    return ": ".join(text for text in (inline(file.explanation), ", ".join(parts)) if text)


def _part(part: PartRow) -> str:
    word = "" if part.word == "different" else f" {part.word}"
    return f"{code(part.name)}{word}" + (f" {inline(part.explanation)}" if part.explanation else "")
