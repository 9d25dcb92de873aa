"""Report: make the forges show what the outbox wants, one thing at a time for each commit, until they agree.

Promises: only the newest wanted state is posted; what the forge shows already is not posted again; a forge
that is away keeps its rows waiting and delays no other; what it refuses for good is kept with the reason.
"""

from typing import Any, cast

import structlog
from sqlalchemy import and_, select
from sqlalchemy.orm import Session, aliased

from reana_bridge.crashpoints import reach
from reana_bridge.forges.base import ForgeError, ForgeRefused, Note, Status, StatusState
from reana_bridge.model.projects import Project
from reana_bridge.reports import markdown
from reana_bridge.steps.bridge import Bridge
from reana_bridge.steps.reporting import report_of
from reana_bridge.steps.worker import pause
from reana_bridge.store.leases import is_free, lock_key, save, take
from reana_bridge.store.tables import OutboxRow, Run

NOTE_LIMIT = 60_000
_log = structlog.get_logger()
_outbox = cast(Any, OutboxRow)
_run = cast(Any, Run)


class ReportStep:
    """Works on outbox rows whose wanted version is ahead of the posted one."""

    name = "report"
    table: Any = OutboxRow

    def __init__(self, bridge: Bridge) -> None:
        self._bridge = bridge

    def claim(self, limit: int) -> list[OutboxRow]:
        """Due rows, at most one a commit, and none of a commit whose other row is at work."""
        database = self._bridge.database
        with database.transaction() as session:
            lock_key(database, session, "report")  # else two processes could each take a row of one commit
            now = database.now(session)
            other = aliased(OutboxRow)
            o = cast(Any, other)
            busy = (
                select(o.id)
                .where(and_(o.project == _outbox.project, o.sha == _outbox.sha, o.lease_until >= now))
                .exists()
            )
            due = select(_outbox.id, _outbox.project, _outbox.sha).where(
                _outbox.due_at <= now, is_free(_outbox, now), ~busy
            )
            # Statuses before notes: they are what a person waits for.
            due = due.order_by(_outbox.kind.desc(), _outbox.due_at).limit(limit * 4)
            if not database.is_sqlite:
                due = due.with_for_update(skip_locked=True)
            first: dict[tuple[str, str], str] = {}
            for found in session.execute(due):
                first.setdefault((found.project, found.sha), found.id)
            return take(database, session, OutboxRow, list(first.values())[:limit])

    def act(self, row: OutboxRow) -> None:
        """Post it, and note that it was posted."""
        bridge = self._bridge
        project = Project.parse(row.project)
        version, posted = row.wanted_version, row.wanted
        reach("report.claimed")
        error = ""
        try:
            self._post(project, row)
        except ForgeRefused as refused:
            error = str(refused)
            _log.warning("report.refused", project=row.project, sha=row.sha, error=error)
        except ForgeError as failed:
            self._again(row, failed)
            return
        reach("report.posted")
        with bridge.database.transaction() as session:
            # Locked, so that what is wanted meanwhile is seen here or sets the due time itself.
            fresh = select(_outbox.wanted_version).where(_outbox.id == row.id)
            newer = session.execute(fresh.with_for_update()).scalar_one() != version
            now = bridge.database.now(session)
            save(
                session,
                row,
                due_at=now if newer else None,
                posted=posted,
                posted_version=version,
                posted_at=now,
                first_posted_at=row.first_posted_at or now,
                attempt=0,
                error=error,
            )
        reach("report.stored")

    def _post(self, project: Project, row: OutboxRow) -> None:
        forge = self._bridge.forges.get(project.forge)
        if forge is None:
            raise ForgeRefused(f"there is no forge {project.forge} in the settings any more")
        wanted: dict[str, Any] = row.wanted or {}
        if row.kind == "status":
            forge.post_status(
                project,
                Status(
                    sha=row.sha,
                    ref=wanted["ref"],
                    context=wanted["context"],
                    state=StatusState(wanted["state"]),
                    description=wanted["description"],
                    url=wanted["url"],
                ),
            )
        else:
            with self._bridge.database.read() as session:
                body = self._body(session, row)
            forge.post_note(project, Note(sha=row.sha, merge_request=None, body=body))

    def _body(self, session: Session, row: OutboxRow) -> str:
        """One section an analysis: that of its newest run with default parameters."""
        runs = session.execute(
            select(Run)
            .where(_run.project == row.project, _run.sha == row.sha, _run.parameters_digest == "")
            .order_by(_run.queued_at, _run.id)
        ).scalars()
        newest = {run.analysis: run for run in runs}
        reports = [report_of(self._bridge, session, newest[name]) for name in sorted(newest)]
        return markdown.note(reports, limit=NOTE_LIMIT)

    def _again(self, row: OutboxRow, failed: ForgeError) -> None:
        seconds = max(pause(row.attempt), failed.retry_after or 0.0)
        _log.warning("report.again", project=row.project, sha=row.sha, error=str(failed), retry_in=seconds)
        with self._bridge.database.transaction() as session:
            save(session, row, due_at=self._bridge.database.now(session) + seconds, error=str(failed))
