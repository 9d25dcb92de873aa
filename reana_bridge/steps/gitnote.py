"""The note of a commit on plain git: one section an analysis, that of its newest run."""

from typing import Any, cast

from sqlalchemy import select
from sqlalchemy.orm import Session

from reana_bridge.reports import markdown
from reana_bridge.steps.bridge import Bridge
from reana_bridge.steps.reporting import report_of
from reana_bridge.store.tables import OutboxRow, Run

_run = cast(Any, Run)


def body_of_commit(bridge: Bridge, session: Session, row: OutboxRow, *, limit: int) -> str:
    """The Markdown, of runs with default parameters, in at most `limit` characters."""
    runs = session.execute(
        select(Run)
        .where(_run.project == row.project, _run.sha == row.sha, _run.parameters_digest == "")
        .order_by(_run.queued_at, _run.id)
    ).scalars()
    newest = {run.analysis: run for run in runs}
    reports = [report_of(bridge, session, newest[name]) for name in sorted(newest)]
    return markdown.note(reports, limit=limit)
