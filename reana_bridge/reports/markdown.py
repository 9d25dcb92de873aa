"""A report as one section of a note, in the Markdown that GitLab and GitHub share.

The first line is the verdict; a table and a few lines follow, each there only when it says something.
The same report gives the same bytes. Nothing from outside does anything in it (`escape.py`), no line
starts with a slash, and a section never exceeds its limit: what had to be left out is named.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from reana_bridge.model.reports import Report
from reana_bridge.model.runs import RunState
from reana_bridge.reports import markdown_files, markdown_metrics
from reana_bridge.reports.escape import block, code, fenced, inline, link, marked, web_address
from reana_bridge.reports.layout import LEVELS, Detail, folded, listed, titled
from reana_bridge.reports.own_text import own_markdown
from reana_bridge.reports.rows import Tone
from reana_bridge.reports.view import ReportView, view
from reana_bridge.reports.words import short_sha, shorten

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


def section(report: Report, *, limit: int = LIMIT, commands: bool = True, commit: str = "") -> str:
    """The section of `report`.

    Args:
        report: What it says.
        limit: Most characters; what does not fit is shortened.
        commands: Whether people can answer with commands.
        commit: Heads the column of the commit's values, in plain words of our own; empty for the usual.

    Returns:
        Markdown that ends with a newline; empty where not even one line fits.
    """
    shown = view(report)
    for level in LEVELS:
        detail = replace(level, commands=commands, commit=commit or inline(shown.head_label))
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


def _blocks(shown: ReportView, detail: Detail) -> Iterator[str]:
    yield _first_line(shown)
    yield from _explanations(shown, detail)
    yield from markdown_metrics.tables(shown, detail)
    yield from markdown_metrics.rules(shown, detail)
    yield from markdown_files.plots(shown, detail)
    yield from markdown_files.overlays(shown, detail)
    parts = (markdown_files.files(shown, detail), _checks(shown, detail), _drift(shown, detail))
    yield from (text for text in parts if text)
    yield from _own_text(shown, detail)
    yield from _cautions(shown, detail)
    yield from _small_print(shown, detail)
    yield from _next(shown, detail)


def _first_line(shown: ReportView) -> str:
    headline = shown.headline
    sign = _SIGNS.get(headline.state) or _SUCCESS_SIGNS[headline.tone]
    parts = [f"{sign} **{inline(shown.context)}: {marked(headline.text)}**", _commit(shown)]
    if web_address(shown.report.run_url):
        parts.append(link("run", shown.report.run_url))
    if shown.against and web_address(shown.report.comparison_url):
        parts.append(link("compare", shown.report.comparison_url))
    return " · ".join(parts)


def _commit(shown: ReportView) -> str:
    commit = code(short_sha(shown.sha) or shown.report.label) or "working tree"
    comparison = shown.report.comparison
    if comparison is None or comparison.baseline is None:
        return commit
    baseline = comparison.baseline
    if not baseline.sha:
        return f"{commit} against {code(baseline.branch)}"
    place = f" on {inline(baseline.branch)}" if baseline.branch else ""
    return f"{commit} against {code(short_sha(baseline.sha))}{place}"


def _explanations(shown: ReportView, detail: Detail) -> Iterator[str]:
    """What stands above a table: mistakes, the failure, why there is no baseline, what is waited for."""
    if len(shown.problems) > 1 and not shown.report.metrics:
        yield listed([marked(line) for line in shown.problems], detail)
    if shown.report.state == RunState.WAITING:
        yield from _approval(shown, detail)
    if shown.failure:
        yield from _failure(shown, detail)
    if shown.unreadable:
        yield titled("Not readable", [marked(line) for line in shown.unreadable], detail)
    if shown.waiting:
        yield block(marked(shown.waiting))
    if shown.baseline_line and not shown.against:
        yield block(f"{marked(shown.baseline_line)}.")


def _approval(shown: ReportView, detail: Detail) -> Iterator[str]:
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


def _failure(shown: ReportView, detail: Detail) -> Iterator[str]:
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


def _checks(shown: ReportView, detail: Detail) -> str:
    """How many passed, and which did not, and why."""
    rows = [row for row in shown.checks if row.word != "passes"]
    lines = [
        f"{code(row.name)} {row.word}" + (f": {inline(shorten(row.message, 300))}" if row.message else "")
        for row in rows
    ]
    if not lines or not detail.names:
        return f"**Checks** {shown.checks_line}" if shown.checks_line else ""
    if len(lines) == 1:
        return f"**Checks** {shown.checks_line}: {lines[0]}"
    return f"**Checks** {shown.checks_line}\n\n{listed(lines, detail)}"


def _own_text(shown: ReportView, detail: Detail) -> Iterator[str]:
    """What the analysis itself says, folded."""
    own = shown.report.own_text
    if own is None or not detail.own:
        return
    links = {**shown.report.artifact_urls, **shown.report.picture_links}
    text = own_markdown(own, lambda path: links.get(path, ""), limit=detail.own)
    if text:
        yield folded("From the analysis", text)


def _drift(shown: ReportView, detail: Detail) -> str:
    if not shown.drift:
        return ""
    most = max(detail.names, 1)
    more = f", and {len(shown.drift) - most} more" if len(shown.drift) > most else ""
    return f"**Environment differs** {', '.join(inline(line) for line in shown.drift[:most])}{more}"


def _cautions(shown: ReportView, detail: Detail) -> Iterator[str]:
    lines = [*(shown.problems if shown.report.metrics else ()), *shown.cautions]
    if lines:
        yield titled("Note", [marked(line) for line in lines], detail)


def _small_print(shown: ReportView, detail: Detail) -> Iterator[str]:
    parts: list[str] = []
    if shown.against:
        parts.append(f"Baseline: {inline(shown.baseline_line)}")
    if shown.limits_line:
        parts.append(f"Limits: {inline(shown.limits_line)}")
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


def _next(shown: ReportView, detail: Detail) -> Iterator[str]:
    """What to do about a difference that fails the status, ready to paste but for the reason."""
    if not shown.accept or not detail.commands or not detail.names:
        return
    commands = ", ".join(code(line) for line in shown.accept[:3])
    more = f" (and {len(shown.accept) - 3} more)" if len(shown.accept) > 3 else ""
    address = web_address(shown.report.comparison_url)
    why = f" · why these limits: {link('rules', f'{address}#rules')}" if address else ""
    yield f"Expected? {commands}{more}{why}"
