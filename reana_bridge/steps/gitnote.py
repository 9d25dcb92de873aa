"""The note of a commit on plain git: one section an analysis, that of its newest run."""

from sqlalchemy.orm import Session

from reana_bridge.reports import markdown
from reana_bridge.steps.bridge import Bridge
from reana_bridge.steps.reporting import newest_runs, report_of
from reana_bridge.steps.showing import with_own_text
from reana_bridge.store.tables import OutboxRow


def body_of_commit(bridge: Bridge, session: Session, row: OutboxRow, *, limit: int) -> str:
    """The Markdown, of runs with default parameters, in at most `limit` characters."""
    runs = newest_runs(session, row.project, row.sha)
    return markdown.note(
        [with_own_text(bridge, report_of(bridge, session, run)) for run in runs], limit=limit
    )
