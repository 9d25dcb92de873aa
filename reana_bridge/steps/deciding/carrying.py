"""Carries what was accepted in a merge request to the commit by which it came to its target.

Promises: told once or ten times, before or after that commit has run, it comes to the same: what was red for
want of it is compared anew.
"""

from typing import Any, cast

import structlog
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from reana_bridge.model.runs import LIVE, RunState
from reana_bridge.steps.bridge import Bridge
from reana_bridge.steps.deciding.again import compare_anew
from reana_bridge.steps.deciding.looked import Looked
from reana_bridge.store.tables import AcceptanceRow, ComparisonRow, Run

MOST_ANEW = 100
"""Runs that are compared anew when an acceptance arrives late, the newest."""

_row, _run, _comparison = cast(Any, AcceptanceRow), cast(Any, Run), cast(Any, ComparisonRow)
_log = structlog.get_logger()


def carry(bridge: Bridge, session: Session, looked: Looked) -> None:
    """Note by which commit a merged merge request's acceptances came to its target.

    Args:
        bridge: The database.
        session: A write transaction.
        looked: With the merge request as the forge has it.
    """
    facts = looked.merge_request
    if facts is None or not facts.merged_sha or looked.project is None:
        return
    here = (_row.project == str(looked.project), _row.merge_request == facts.number)
    late = select(AcceptanceRow).where(*here, _row.merged_sha != facts.merged_sha)
    rows = session.execute(late).scalars().all()
    if not rows:
        return
    for row in rows:
        row.merged_sha = facts.merged_sha
    session.flush()
    _log.info("accepted.merged", project=str(looked.project), number=facts.number, sha=facts.merged_sha)
    since = min(row.accepted_at for row in rows)
    analyses = {row.analysis for row in rows}
    for run_id in _waiting(session, str(looked.project), analyses, facts.merged_sha, since):
        compare_anew(bridge, session, run_id)


def _waiting(session: Session, project: str, analyses: set[str], sha: str, since: float) -> list[str]:
    """The runs whose verdict the acceptances may change: of the very commit, and what is red since then."""
    red = select(_comparison.run_id).where(_comparison.blocked.is_(True), _comparison.made_at >= since)
    found = select(_run.id).where(
        _run.project == project,
        _run.analysis.in_(analyses),
        _run.state.in_([*LIVE, RunState.FINISHED]),
        or_(_run.sha == sha, _run.id.in_(red)),
    )
    newest = found.order_by(_run.queued_at.desc(), _run.id.desc()).limit(MOST_ANEW)
    return list(session.execute(newest).scalars())
