"""A report as one section of a note, in the Markdown that GitLab and GitHub share.

The first line is the verdict; a table and a few lines follow, each there only when it says something.
The same report gives the same bytes. Nothing from outside does anything in it (`escape.py`), no line
starts with a slash, and a section never exceeds its limit: what had to be left out is named.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from reana_bridge.model.reports import Report
from reana_bridge.model.runs import RunState
from reana_bridge.reports.escape import (
    block,
    code,
    fenced,
    image,
    inline,
    link,
    marked,
    picture_address,
    web_address,
)
from reana_bridge.reports.rows import NOTHING, FileRow, Row, RuleLine, Tone
from reana_bridge.reports.view import ReportView, view
from reana_bridge.reports.words import plural, short_sha, shorten

LIMIT = 60_000
"""Characters that every forge accepts in one note, with room to spare."""

_SIGNS = {
    "failure": "\N{CROSS MARK}",
    "error": "\N{WARNING SIGN}\ufe0f",
    "cancelled": "\N{HEAVY MINUS SIGN}",
    "pending": "\N{HOURGLASS WITH FLOWING SAND}",
    "running": "\N{HOURGLASS WITH FLOWING SAND}",
}
_SUCCESS_SIGNS = {
    Tone.GOOD: "\N{WHITE HEAVY CHECK MARK}",
    Tone.NEUTRAL: "\N{INFORMATION SOURCE}\ufe0f",
    Tone.WARN: "\N{WARNING SIGN}\ufe0f",
}


@dataclass(frozen=True)
class _Detail:
    """How much is shown: most rows of a table, names in a list, lines of a log; and in which words."""

    rows: int = 1_000_000
    names: int = 12
    log: int = 20
    folded: bool = True
    shortened: bool = False
    commands: bool = True
    commit: str = "this commit"


_LEVELS = (
    _Detail(),
    _Detail(folded=False, shortened=True),
    _Detail(rows=50, names=5, log=10, folded=False, shortened=True),
    _Detail(rows=10, names=3, log=5, folded=False, shortened=True),
    _Detail(rows=0, names=0, log=0, folded=False, shortened=True),
)


def section(report: Report, *, limit: int = LIMIT, commands: bool = True, commit: str = "this commit") -> str:
    """The section of `report`.

    Args:
        report: What it says.
        limit: Most characters; what does not fit is shortened.
        commands: Whether people can answer with commands.
        commit: Heads the column of the commit's values; plain words of our own.

    Returns:
        Markdown that ends with a newline; empty where not even one line fits.
    """
    shown = view(report)
    for level in _LEVELS:
        detail = replace(level, commands=commands, commit=commit)
        text = "\n\n".join(_blocks(shown, detail)) + "\n"
        if len(text) <= limit:
            return text
    return _one_line(shown, limit)


def note(reports: Sequence[Report], *, limit: int = LIMIT, commands: bool = True) -> str:
    """One note with a section for each of `reports`, in their order, within `limit` characters.

    A section that needs less than its share leaves the rest to the others.
    """
    whole = [section(report, commands=commands) for report in reports]
    left = limit
    for position, index in enumerate(sorted(range(len(whole)), key=lambda index: len(whole[index]))):
        room = left // (len(whole) - position) - 1
        if len(whole[index]) > room:
            whole[index] = section(reports[index], limit=max(room, 0), commands=commands)
        left -= len(whole[index]) + 1
    return "\n".join(part for part in whole if part)


def _one_line(shown: ReportView, limit: int) -> str:
    """The verdict and the link to it, else the verdict alone; as much of it as fits."""
    address = web_address(shown.report.run_url)
    for more in ([f" · {link('run', address)}"] if address else []) + [""]:
        for length in (200, 100, 60, 40) if more else (200, 100, 60, 40, 30, 15, 5):
            context, text = (shorten(words, length) for words in (shown.context, shown.headline.text))
            line = f"**{inline(context)}: {marked(text)}**{more}\n"
            if len(line) <= limit:
                return line
    return ""


def _blocks(shown: ReportView, detail: _Detail) -> Iterator[str]:
    yield _first_line(shown)
    yield from _explanations(shown, detail)
    yield from _tables(shown, detail)
    yield from _rules(shown, detail)
    yield from _plots(shown, detail)
    yield from (text for text in (_files(shown, detail), _drift(shown, detail)) if text)
    yield from _cautions(shown, detail)
    yield from _small_print(shown, detail)


def _first_line(shown: ReportView) -> str:
    headline = shown.headline
    sign = _SIGNS.get(headline.state) or _SUCCESS_SIGNS[headline.tone]
    parts = [f"{sign} **{inline(shown.context)}: {marked(headline.text)}**", _commit(shown)]
    if web_address(shown.report.run_url):
        parts.append(link("run", shown.report.run_url))
    return " · ".join(parts)


def _commit(shown: ReportView) -> str:
    commit = code(short_sha(shown.sha)) if shown.sha else "working tree"
    comparison = shown.report.comparison
    if comparison is None or comparison.baseline is None:
        return commit
    baseline = comparison.baseline
    place = f" on {inline(baseline.branch)}" if baseline.branch else ""
    return f"{commit} against {code(short_sha(baseline.sha))}{place}"


def _explanations(shown: ReportView, detail: _Detail) -> Iterator[str]:
    """What stands above a table: mistakes, the failure, why there is no baseline, what is waited for."""
    if len(shown.problems) > 1 and not shown.report.metrics:
        yield _listed([marked(line) for line in shown.problems], detail)
    if shown.report.state == RunState.WAITING:
        yield from _approval(shown, detail)
    if shown.failure:
        yield from _failure(shown, detail)
    if shown.waiting:
        yield block(marked(shown.waiting))
    if shown.baseline_line and not shown.against:
        yield block(f"{marked(shown.baseline_line)}.")


def _approval(shown: ReportView, detail: _Detail) -> Iterator[str]:
    """Who can do what about code that has not run."""
    if shown.report.reason:
        reason = shorten(shown.report.reason, 500).rstrip(".")
        yield block(f"{marked(reason[:1].upper() + reason[1:])}.")
    address = web_address(shown.report.changes_url)
    read = link("what it changes", address) if address else "what it changes"
    stands = "Its code is not the project's own and has not run."
    if not detail.commands:
        yield f"{stands} Commands are switched off here: nobody can let it run."
    elif shown.approve:
        yield (
            f"{stands} Somebody who may push to this project can let exactly this commit run, "
            f"after reading {read}: {code(shown.approve)}"
        )


def _failure(shown: ReportView, detail: _Detail) -> Iterator[str]:
    failure = shown.failure
    if failure is None:
        return
    if failure.log and detail.log:
        yield "\n".join(fenced(failure.log[-detail.log :]))
    if failure.ours:
        yield "This is not the fault of the commit."
    if failure.hint:
        yield block(marked(failure.hint))
    if failure.reproduce:
        yield f"The same on your machine: {code(failure.reproduce)}"


def _tables(shown: ReportView, detail: _Detail) -> Iterator[str]:
    if shown.values:
        yield _values_table(shown.values, detail)
    if shown.attention and detail.rows:
        yield _change_table(shown, shown.attention, detail)
    folds = [
        (shown.noise, f"{plural(len(shown.noise), 'metric')} moved within noise (below 3 sigma)", True),
        (shown.unchanged, f"{plural(len(shown.unchanged), 'metric')} unchanged", False),
    ]
    for rows, title, changed in folds:
        if rows and detail.folded:
            table = _change_table(shown, rows, detail) if changed else _values_table(rows, detail)
            yield _folded(title, table)
    left_out = _left_out(shown, detail)
    if left_out:
        yield left_out


def _left_out(shown: ReportView, detail: _Detail) -> str:
    if not detail.shortened:
        return ""
    cut = max(len(shown.attention or shown.values) - detail.rows, 0)
    counts = [
        (cut, plural(cut, "row")),
        (len(shown.noise), f"{plural(len(shown.noise), 'metric')} within noise"),
        (len(shown.unchanged), f"{plural(len(shown.unchanged), 'unchanged metric')}"),
    ]
    what = ", ".join(words for count, words in counts if count) or "some lists"
    address = web_address(shown.report.run_url)
    where = f", see {link('the page of the run', address)}" if address else ""
    return f"Shortened to fit this note: {what} left out{where}."


def _table(header: Sequence[str], align: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [header, align, *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _name(row: Row) -> str:
    name = f"**{inline(row.name)}**" if row.tone in {Tone.BAD, Tone.WARN} else inline(row.name)
    return f"{name} {inline(f'[{row.unit}]')}" if row.unit else name


def _values_table(rows: Sequence[Row], detail: _Detail) -> str:
    noted = any(_says(row) for row in rows)
    header, align = ["metric", "value"], ["---", "--:"]
    if noted:
        header, align = [*header, ""], [*align, "---"]
    cells = [[_name(row), inline(row.head), *([_says(row)] if noted else [])] for row in rows[: detail.rows]]
    return _table(header, align, cells) if cells else ""


def _change_table(shown: ReportView, rows: Sequence[Row], detail: _Detail) -> str:
    header = ["metric", inline(shown.baseline_label), detail.commit, "change", ""]
    align = ["---", "--:", "--:", "--:", "---"]
    return _table(header, align, [_change_cells(row) for row in rows[: detail.rows]])


def _change_cells(row: Row) -> list[str]:
    head = inline(row.head)
    return [
        _name(row),
        inline(row.baseline),
        f"**{head}**" if row.tone in {Tone.BAD, Tone.WARN} and row.head != NOTHING else head,
        inline(row.change),
        ", ".join(part for part in (_verdict(row), _says(row)) if part),
    ]


def _verdict(row: Row) -> str:
    return "" if row.word == "within noise" else inline(row.label)


def _says(row: Row) -> str:
    broken = "breaks a rule" if row.blocks else "outside a rule" if row.broken else ""
    return ", ".join(part for part in (inline(row.note), broken) if part)


def _folded(title: str, content: str) -> str:
    return f"<details><summary>{title}</summary>\n\n{content}\n\n</details>"


def _listed(lines: Sequence[str], detail: _Detail) -> str:
    most = max(detail.names, 1)
    shown = [f"- {block(line)}" for line in lines[:most]]
    if len(lines) > most:
        shown.append(f"- and {len(lines) - most} more")
    return "\n".join(shown)


def _titled(title: str, lines: Sequence[str], detail: _Detail) -> str:
    if not lines:
        return ""
    return f"**{title}** {lines[0]}" if len(lines) == 1 else f"**{title}**\n\n{_listed(lines, detail)}"


def _rule(line: RuleLine) -> str:
    effect = {"block": "fails the status", "warn": "warns", "inform": "for information"}[line.effect]
    return f"{code(line.metric)} {inline(line.text)} ({effect})"


def _rules(shown: ReportView, detail: _Detail) -> Iterator[str]:
    if shown.rules:
        yield _titled("Rules broken", [_rule(line) for line in shown.rules], detail)
    proposed = [_rule(line) for line in shown.proposed if line.state == "broken"]
    if proposed:
        yield _titled("Rules of this commit, which do not count yet, would be broken", proposed, detail)


def _plots(shown: ReportView, detail: _Detail) -> Iterator[str]:
    """Those that the forge keeps a copy of side by side, the others by name."""
    pictured = [
        plot
        for plot in shown.plots
        if plot.word != "identical" and picture_address(plot.after_picture or plot.before_picture)
    ][: detail.names]
    if shown.plots_line:
        others = [plot for plot in shown.plots if plot not in pictured]
        yield _named_files("Plots", shown.plots_line, others, detail)
    if pictured and shown.against:
        header = ["plot", inline(shown.baseline_label), detail.commit]
        yield _table(header, ["---"] * 3, [_picture_cells(plot, shown, detail) for plot in pictured])
    elif pictured:
        cells = [[code(plot.path), _picture(plot, plot.after_picture, plot.after, "")] for plot in pictured]
        yield _table(["plot", ""], ["---"] * 2, cells)


def _picture_cells(plot: FileRow, shown: ReportView, detail: _Detail) -> list[str]:
    return [
        code(plot.path),
        _picture(plot, plot.before_picture, plot.before, shown.baseline_label),
        _picture(plot, plot.after_picture, plot.after, detail.commit),
    ]


def _picture(plot: FileRow, picture: str, url: str, where: str) -> str:
    """The picture, else a link to it, else a dash."""
    if picture_address(picture):
        return image(inline(f"{plot.path}, {where}" if where else plot.path), picture)
    return link("picture", url) if web_address(url) else NOTHING


def _named_files(title: str, line: str, files: Sequence[FileRow], detail: _Detail) -> str:
    """`**Files** 11 identical, 1 different: name (before, after)`: those that are not identical by name."""
    moved = [file for file in files if file.word != "identical"]
    names = [_file(file) for file in moved[: detail.names]]
    if len(moved) > len(names) > 0:
        names.append(f"and {len(moved) - len(names)} more")
    return f"**{title}** {line}" + (f": {', '.join(names)}" if names else "")


def _file(file: FileRow) -> str:
    urls = [("before", file.before), ("after", file.after)]
    links = [link(label, url) for label, url in urls if web_address(url)]
    only = file.after or file.before
    name = code(file.path)
    if len(links) == 2:
        name += f" ({', '.join(links)})"
    elif links:
        name = link(name, only)
    return f"{name} {file.word}" if file.word not in {"", "different"} else name


def _files(shown: ReportView, detail: _Detail) -> str:
    return _named_files("Files", shown.files_line, shown.files, detail) if shown.files_line else ""


def _drift(shown: ReportView, detail: _Detail) -> str:
    if not shown.drift:
        return ""
    most = max(detail.names, 1)
    more = f", and {len(shown.drift) - most} more" if len(shown.drift) > most else ""
    return f"**Environment differs** {', '.join(inline(line) for line in shown.drift[:most])}{more}"


def _cautions(shown: ReportView, detail: _Detail) -> Iterator[str]:
    lines = [*(shown.problems if shown.report.metrics else ()), *shown.cautions]
    if lines:
        yield _titled("Note", [marked(line) for line in lines], detail)


def _small_print(shown: ReportView, detail: _Detail) -> Iterator[str]:
    parts: list[str] = []
    if shown.against:
        parts.append(f"Baseline: {inline(shown.baseline_line)}")
    if shown.rules_line:
        parts.append(f"Rules: {inline(shown.rules_line)}")
    if shown.parameters and detail.names:
        given = ", ".join(
            f"{name} = {shorten(value, 60)}" for name, value in shown.parameters[: detail.names]
        )
        parts.append(f"Parameters: {inline(given)}")
    parts.extend(
        inline(line[:1].upper() + line[1:]) for line in (shown.unsure, shown.approved, shown.took) if line
    )
    if parts:
        yield f"<sub>{'. '.join(parts)}.</sub>"
