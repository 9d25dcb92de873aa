"""A report for a terminal, laid out with rich: the note's words, readable at 80 columns without colours."""

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.box import SIMPLE_HEAD
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from reana_bridge.model.reports import Report
from reana_bridge.reports.escape import clean, fenced
from reana_bridge.reports.file_rows import FileRow
from reana_bridge.reports.numbers import SIGMA
from reana_bridge.reports.rows import Row, RuleLine, Tone
from reana_bridge.reports.view import ReportView, view
from reana_bridge.reports.words import plural, short_sha

_STYLES = {
    Tone.GOOD: "green",
    Tone.BAD: "bold red",
    Tone.WARN: "yellow",
    Tone.NEUTRAL: "",
    Tone.MUTED: "dim",
}
_LOG_LINES = 20
_UNCHANGED = 8
_NAMES = 12
_PARTS = 5
_FIGURE = 18
"""Figures of so many characters are never broken."""
_LEAST = 20
"""Columns that a name and a verdict need beside the figures."""


def render(report: Report) -> RenderableType:
    """The report for `Console.print(..., crop=False)`; nothing in it is taken for markup."""
    return Group(*_parts(view(report)))


def to_text(report: Report, *, width: int = 80) -> str:
    """The report as plain text of that many columns, without colours."""
    target = io.StringIO()
    console = Console(file=target, width=width, color_system=None, force_terminal=False, legacy_windows=False)
    console.print(render(report), crop=False)
    return "\n".join(line.rstrip() for line in target.getvalue().splitlines()) + "\n"


def _parts(shown: ReportView) -> Iterator[RenderableType]:
    yield _headline(shown)
    for part in (_explanations, _tables, _lists, _small_print):
        lines = list(part(shown))
        if lines:
            yield Text("")
            yield from lines


def _explanations(shown: ReportView) -> Iterator[RenderableType]:
    if len(shown.problems) > 1 and not shown.report.metrics:
        yield Text("\n".join(f"  {clean(line)}" for line in shown.problems), style="red")
    yield from _failure(shown)
    yield from _listed("Not readable", [clean(line) for line in shown.unreadable], "red")
    if shown.approve:
        yield Text("Its code is not the project's own and has not run. A member lets it run by a comment:")
        yield _whole(f"  {shown.approve}")
    if shown.waiting:
        yield Text(shown.waiting)
    if shown.baseline_line and not shown.against:
        yield Text(f"{clean(shown.baseline_line)}.")


def _headline(shown: ReportView) -> Text:
    line = Text()
    line.append(f"{clean(shown.context)}: ", style="bold")
    line.append(clean(shown.headline.text), style=_STYLES[shown.headline.tone] or "bold")
    commit = short_sha(shown.sha) or clean(shown.report.label) or "working tree"
    against = f" against {clean(shown.against)}" if shown.against else ""
    line.append(f"\n{commit}{against}", style="dim")
    return line


def _failure(shown: ReportView) -> Iterator[RenderableType]:
    failure = shown.failure
    if failure is None:
        return
    if failure.log:
        lines = fenced(failure.log[-_LOG_LINES:])[1:-1]
        yield Padding(Text("\n".join(lines), style="default"), (0, 0, 1, 4))
    if failure.ours:
        yield Text("This is not the fault of the commit.")
    if failure.hint:
        yield Text(clean(failure.hint))
    if failure.reproduce:
        yield Text("The same on your machine:")
        yield _whole(f"  {clean(failure.reproduce)}")


def _tables(shown: ReportView) -> Iterator[RenderableType]:
    if shown.values:
        yield _values(shown.values)
    moved = [*shown.attention, *shown.noise]
    if moved:
        yield _Changes(shown, moved)
    if shown.unchanged:
        names = ", ".join(clean(row.name) for row in shown.unchanged[:_UNCHANGED])
        more = f" and {len(shown.unchanged) - _UNCHANGED} more" if len(shown.unchanged) > _UNCHANGED else ""
        yield Text(f"{plural(len(shown.unchanged), 'metric')} unchanged: {names}{more}", style="dim")


def _new_table() -> Table:
    return Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), header_style="dim", show_edge=False)


def _name(row: Row) -> Text:
    return Text(clean(f"{row.name} [{row.unit}]" if row.unit else row.name), style=_STYLES[row.tone])


def _values(rows: Sequence[Row]) -> Table:
    table = _new_table()
    table.add_column("metric")
    table.add_column("value", justify="right")
    table.add_column("")
    for row in rows:
        table.add_row(_name(row), Text(clean(row.head)), Text(_says(row), style=_STYLES[row.tone]))
    return table


@dataclass(frozen=True)
class _Changes:
    """The table of changes, as wide as the console: names and verdicts are broken before figures are."""

    shown: ReportView
    rows: Sequence[Row]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        figures = [
            (clean(self.shown.baseline_label), clean(self.shown.head_label), "change", SIGMA),
            *map(_figures, self.rows),
        ]
        columns = list(zip(*figures, strict=True))
        names = [_name(row) for row in self.rows]
        verdicts = [Text(_verdict(row), style=_STYLES[row.tone]) for row in self.rows]
        taken = sum(max(map(len, column)) for column in columns) + 2 * (len(columns) + 1)
        first, last = _widths(names, verdicts, room=options.max_width - taken)
        table = _new_table()
        table.add_column("metric", width=first, overflow="fold")
        for column in columns:
            short = first is not None and max(map(len, column)) <= _FIGURE
            table.add_column(Text(column[0]), justify="right", overflow="fold", no_wrap=short)
        table.add_column("", width=last, overflow="fold")
        for name, cells, verdict in zip(names, figures[1:], verdicts, strict=True):
            table.add_row(name, *map(Text, cells), verdict)
        yield table


def _widths(first: Sequence[Text], last: Sequence[Text], *, room: int) -> tuple[int | None, int | None]:
    """The widths of the outer columns, which share `room`; None where the table must find its own."""
    if room < _LEAST:
        return None, None
    wanted = max(cell.cell_len for cell in last)
    width = min(wanted, max(room - _longest_word(first), min(_longest_word(last), room // 2)))
    return min(room - width, max(max(cell.cell_len for cell in first), len("metric"))), width


def _verdict(row: Row) -> str:
    return ", ".join(part for part in (row.label, _says(row)) if part)


def _longest_word(cells: Sequence[Text]) -> int:
    return max((cell_len(word) for cell in cells for word in cell.plain.split()), default=1)


def _figures(row: Row) -> tuple[str, str, str, str]:
    change = ", ".join(part for part in (row.difference, row.relative) if part)
    return clean(row.baseline), clean(row.head), change, row.sigmas.removesuffix(SIGMA).strip()


def _says(row: Row) -> str:
    broken = "breaks a rule" if row.blocks else "outside a rule" if row.broken else ""
    return ", ".join(part for part in (clean(row.note), broken) if part)


def _lists(shown: ReportView) -> Iterator[RenderableType]:
    proposed = [line for line in shown.proposed if line.state == "broken"]
    yield from _listed("Rules broken", [_rule(line) for line in shown.rules], "red")
    yield from _listed("Accepted", [f"{_rule(line)}, {clean(line.accepted)}" for line in shown.accepted], "")
    yield from _listed(
        "Rules of this commit, which do not count yet, would be broken",
        [_rule(line) for line in proposed],
        "",
    )
    for title, line, files in (
        ("Plots", shown.plots_line, shown.plots),
        ("Files", shown.files_line, shown.files),
    ):
        yield from _files(title, line, [file for file in files if file.word != "identical"])
    yield from _checks(shown)
    yield from _listed("Environment differs", [clean(line) for line in shown.drift], "yellow")
    cautions = [*(shown.problems if shown.report.metrics else ()), *shown.cautions]
    yield from _listed("Note", [clean(line) for line in cautions], "yellow")


def _rule(line: RuleLine) -> str:
    return clean(f"{line.metric}: {line.text} ({line.effect})")


def _files(title: str, line: str, files: Sequence[FileRow]) -> Iterator[RenderableType]:
    """In one line by name; one line each where there is more to say of them."""
    if not line:
        return
    if not any(file.explanation or file.untold_parts for file in files):
        names = ", ".join(_file(file) for file in files[:_NAMES])
        more = f" and {len(files) - _NAMES} more" if len(files) > _NAMES else ""
        yield from _listed(title, [f"{line}{names and ': '}{names}{more}"], "")
        return
    lines = [_file(file) for file in files[:_NAMES]]
    if len(files) > _NAMES:
        lines.append(f"and {len(files) - _NAMES} more")
    yield Text.assemble((f"{title}: ", "bold"), line, *(f"\n  {each}" for each in lines))


def _file(file: FileRow) -> str:
    name = file.path if file.word == "different" else f"{file.path} {file.word}"
    parts = ", ".join(f"{part.name} {part.explanation}".strip() for part in file.untold_parts[:_PARTS])
    says = "; ".join(text for text in (file.explanation, parts) if text)
    return clean(f"{name} ({says})" if says else name)


def _checks(shown: ReportView) -> Iterator[RenderableType]:
    rows = [row for row in shown.checks if row.word != "passes"]
    if not shown.checks_line:
        return
    lines = [(f"{row.word}: {row.name}" + (f", {row.message}" if row.message else ""), row) for row in rows]
    styled = [(f"\n  {clean(line)}", _STYLES[row.tone]) for line, row in lines]
    yield Text.assemble(("Checks: ", "bold"), shown.checks_line, *styled)


def _listed(title: str, lines: Sequence[str], style: str) -> Iterator[RenderableType]:
    if len(lines) == 1:
        yield Text.assemble((f"{title}: ", "bold"), (lines[0], style))
    elif lines:
        yield Text.assemble((f"{title}:", "bold"), *((f"\n  {line}", style) for line in lines))


def _small_print(shown: ReportView) -> Iterator[RenderableType]:
    lines = [f"Baseline: {clean(shown.baseline_line)}"] if shown.against else []
    lines += [f"Limits: {shown.limits_line}"] if shown.limits_line else []
    lines += [f"Rules: {shown.rules_line}"] if shown.rules_line else []
    given = ", ".join(f"{name} = {value}" for name, value in shown.parameters)
    lines += [f"Parameters: {clean(given)}"] if given else []
    lines += [
        line[:1].upper() + line[1:] for line in map(clean, (shown.unsure, shown.approved, shown.took)) if line
    ]
    if lines:
        yield Text("\n".join(lines), style="dim", overflow="fold")
    if shown.report.run_url:
        yield _whole(clean(shown.report.run_url), style="dim")


def _whole(line: str, *, style: str = "") -> Text:
    """A line to copy from: never broken, where the console is told not to crop."""
    return Text(line, style=style, no_wrap=True, overflow="ignore")
