"""The one note of a merge request: what its head came to, what is to be done, what older heads came to.

Promises: what failed stands first, then what waits for a person; a result of an older head is folded and
named as such; it never exceeds its limit, and what had to go is named; commands stand in code spans, so that
the note itself commands nothing; the same content gives the same bytes.
"""

import re
from collections.abc import Iterator

from reana_bridge.model.reports import NoteContent, Report
from reana_bridge.model.runs import FINAL, FailureKind, RunState
from reana_bridge.reports import markdown
from reana_bridge.reports.escape import code, html_text, marked
from reana_bridge.reports.view import view
from reana_bridge.reports.words import plural, short_sha, shorten

_SUPERSEDED_LIMIT = 15_000
_SENTENCE = 500
_PAUSES = 5
_BRANCH = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,99}")


def render(content: NoteContent, *, limit: int) -> str:
    """The note's Markdown, without the forge's hidden marker.

    Args:
        content: What it says.
        limit: Most characters; longer than `markdown.LIMIT` no note becomes.

    Returns:
        The full note; where that is too long, one without older results and with shortened sections.
    """
    limit = min(limit, markdown.LIMIT)
    reports = tuple(sorted(content.reports, key=_rank))
    whole = [markdown.section(report, limit=limit, commands=content.commands) for report in reports]
    older = [_superseded(report, content) for report in content.superseded]
    text = "\n".join([*_above(content), *whole, *older, *_below(content)])
    return text if len(text) <= limit else _shortened(content, reports, limit)


def _shortened(content: NoteContent, reports: tuple[Report, ...], limit: int) -> str:
    """Without what is folded; where even the frame leaves too little room, without the frame."""
    above, below = list(_above(content)), list(_below(content))
    if content.superseded:
        below.insert(0, f"{plural(len(content.superseded), 'result')} of earlier commits left out.\n")
    room = limit - sum(len(part) + 1 for part in (*above, *below))
    if room < limit // 2 and reports:
        above, below, room = [], [], limit
    sections = markdown.note(reports, limit=room, commands=content.commands)
    text = "\n".join(part for part in (*above, sections, *below) if part)
    return text if 0 < len(text) <= limit else _least(content, limit)


def _least(content: NoteContent, limit: int) -> str:
    """What a note says that has room for nothing."""
    for text in (f"reana: {code(short_sha(content.sha))}\n", "reana\n"):
        if len(text) <= limit:
            return text
    return ""


def _rank(report: Report) -> int:
    """What asks for a look stands first; within that the order stays."""
    if report.state == RunState.WAITING:
        return 1
    return 0 if view(report).headline.state in {"failure", "error"} else 2


def _above(content: NoteContent) -> Iterator[str]:
    for reason in filter(None, content.pauses[:_PAUSES]):
        yield f"\N{DOUBLE VERTICAL BAR}\ufe0f **Paused:** {marked(shorten(reason, _SENTENCE))}\n"
    if content.skipped:
        commit = code(short_sha(content.sha))
        yield f"**reana: nothing runs at {commit}:** {marked(shorten(content.skipped, _SENTENCE))}\n"


def _superseded(report: Report, content: NoteContent) -> str:
    """The result of an earlier head, folded, and called so in its title and above it."""
    old, new = short_sha(report.sha), short_sha(content.sha)
    title = f"{html_text(f'reana/{report.analysis}')} at {html_text(old)}, an earlier commit"
    section = markdown.section(report, limit=_SUPERSEDED_LIMIT, commands=False, commit="that commit")
    return (
        f"<details><summary>{title}</summary>\n\n"
        f"This is of {code(old)}, not of {code(new)}, which the merge request has now.\n\n"
        f"{section}\n</details>\n"
    )


def _below(content: NoteContent) -> Iterator[str]:
    if content.commands:
        yield f"<sub>Commands: {', '.join(_commands(content))}.</sub>\n"


def _commands(content: NoteContent) -> Iterator[str]:
    """Those that make sense now, each with what it does."""
    states = {report.state for report in content.reports}
    if not content.reports or states & FINAL:
        yield f"{code('/reana run')} runs {'again' if content.reports else 'it all the same'}"
    if any(map(_may_succeed, content.reports)):
        yield f"{code('/reana retest')} runs what failed again"
    if states - FINAL - {RunState.WAITING}:
        yield f"{code('/reana cancel')} stops it"
    if _BRANCH.fullmatch(content.default_branch) and any(map(_is_uncompared, content.reports)):
        yield f"{code(f'/reana compare {content.default_branch}')} compares with that branch"
    yield f"{code('/reana help')} lists all"


def _may_succeed(report: Report) -> bool:
    """Whether it came to nothing for a reason that another try may not meet."""
    misconfigured = report.failure is not None and report.failure.kind is FailureKind.CONFIGURATION
    return report.state in {RunState.FAILED, RunState.CANCELLED} and not misconfigured


def _is_uncompared(report: Report) -> bool:
    return report.comparison is not None and report.comparison.baseline is None
