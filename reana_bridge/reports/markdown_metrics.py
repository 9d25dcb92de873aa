"""The metrics of a note: what changed above, what did not folded below, and what the rules say."""

import re
from collections.abc import Iterator, Sequence

from reana_bridge.reports.escape import code, inline, link, marked, web_address
from reana_bridge.reports.layout import Detail, folded, table, titled
from reana_bridge.reports.rows import NOTHING, Row, RuleLine, Tone
from reana_bridge.reports.view import ReportView
from reana_bridge.reports.words import plural

_BREAKS = re.compile(r"(?<!\)) ")
_NUMBER = re.compile(r"[-+(]?\d[^A-DF-Za-df-z]*(?:\([^)]*\)[^A-Za-z]*)*$")


def tables(shown: ReportView, detail: Detail) -> Iterator[str]:
    """Changed, new and missing metrics; those within noise and unchanged ones folded."""
    if shown.values:
        yield _values_table(shown.values[: detail.rows])
    if shown.attention and detail.rows:
        yield _change_table(shown, shown.attention[: detail.rows], detail)
    for rows, title, changed in (
        (shown.noise, f"{plural(len(shown.noise), 'metric')} moved within noise", True),
        (shown.unchanged, f"{plural(len(shown.unchanged), 'metric')} unchanged", False),
    ):
        part = rows[: detail.folded]
        if part:
            more = f"\n\nAnd {len(rows) - len(part)} more." if len(rows) > len(part) else ""
            content = _change_table(shown, part, detail) if changed else _values_table(part)
            yield folded(title, f"{content}{more}")
    left_out = _left_out(shown, detail)
    if left_out:
        yield left_out


def _left_out(shown: ReportView, detail: Detail) -> str:
    cut = max(len(shown.attention or shown.values) - detail.rows, 0)
    if not detail.shortened and not cut:
        return ""
    counts = [(cut, plural(cut, "row"))]
    if not detail.folded:
        counts.append((len(shown.noise), f"{plural(len(shown.noise), 'metric')} within noise"))
        counts.append((len(shown.unchanged), plural(len(shown.unchanged), "unchanged metric")))
    what = ", ".join(words for count, words in counts if count) or "some lists"
    address = web_address(shown.report.run_url)
    where = f", see {link('the page of the run', address)}" if address else ""
    return f"Shortened to fit this note: {what} left out{where}."


def _name(row: Row) -> str:
    name = f"**{inline(row.name)}**" if row.tone in {Tone.BAD, Tone.WARN} else inline(row.name)
    return f"{name} {inline(f'[{row.unit}]')}" if row.unit else name


def _values_table(rows: Sequence[Row]) -> str:
    if not rows:
        return ""
    noted = any(_says(row) for row in rows)
    header, align = ["metric", "value"], ["---", "--:"]
    if noted:
        header, align = [*header, ""], [*align, "---"]
    cells = [[_name(row), _whole(row.head), *([_says(row)] if noted else [])] for row in rows]
    return table(header, align, cells)


def _change_table(shown: ReportView, rows: Sequence[Row], detail: Detail) -> str:
    header = ["metric", inline(shown.baseline_label), detail.commit, "change", ""]
    align = ["---", "--:", "--:", "--:", "---"]
    return table(header, align, [_change_cells(row) for row in rows])


def _change_cells(row: Row) -> list[str]:
    head = _whole(row.head)
    return [
        _name(row),
        _whole(row.baseline),
        f"**{head}**" if row.tone in {Tone.BAD, Tone.WARN} and row.head != NOTHING else head,
        " · ".join(map(_whole, row.figures.split(" · "))),
        ", ".join(part for part in (_verdict(row), _says(row)) if part),
    ]


def _whole(text: str) -> str:
    """A number that no narrow column breaks, but between the sources of its uncertainty; texts may break."""
    escaped = inline(text)
    return _BREAKS.sub("\N{NO-BREAK SPACE}", escaped) if _NUMBER.match(text) else escaped


def _verdict(row: Row) -> str:
    return "" if row.word == "within noise" else inline(row.label)


def _says(row: Row) -> str:
    broken = "breaks a rule" if row.blocks else "outside a rule" if row.broken else ""
    accepted = "accepted" if row.accepted else ""
    return ", ".join(part for part in (inline(row.note), broken, accepted) if part)


def rules(shown: ReportView, detail: Detail) -> Iterator[str]:
    """The rules that are broken: those that count, accepted ones, those of this commit."""
    if shown.rules:
        yield titled("Rules broken", [_rule(line) for line in shown.rules], detail)
    if shown.accepted:
        lines = [f"{code(one.metric)} {marked(one.text)}; {inline(one.accepted)}" for one in shown.accepted]
        yield titled("Accepted", lines, detail)
    proposed = [_rule(line) for line in shown.proposed if line.state == "broken"]
    if proposed:
        yield titled("Rules of this commit, which do not count yet, would be broken", proposed, detail)


def _rule(line: RuleLine) -> str:
    effect = {"block": "fails the status", "warn": "warns", "inform": "for information"}[line.effect]
    return f"{code(line.metric)} {marked(line.text)} ({effect})"
