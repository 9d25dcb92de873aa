"""The commit status of a report: a state word and one line."""

from dataclasses import dataclass

from reana_bridge.model.reports import Report
from reana_bridge.model.runs import RunState
from reana_bridge.reports.escape import clean
from reana_bridge.reports.view import view
from reana_bridge.reports.words import short_sha, shorten

LIMIT = 140
"""Characters that every forge shows of a description."""


@dataclass(frozen=True, kw_only=True)
class StatusText:
    """What a commit status says.

    Attributes:
        state: `pending`, `running`, `success`, `failure`, `error` or `cancelled`.
        description: One line within the limit, plain text.
    """

    state: str
    description: str


def status(report: Report, *, limit: int = LIMIT) -> StatusText:
    """The status of `report`: `failure` for failed runs and broken blocking rules only, `error` for ours."""
    line = view(report).headline
    text = _approval(report) if report.state == RunState.WAITING else line.text
    return StatusText(state=line.state, description=shorten(clean(text), limit))


def _approval(report: Report) -> str:
    """Who can do what; the whole commit stands in the note, ready to paste."""
    return f"needs approval: a member comments /reana approve {short_sha(report.sha)}..."
