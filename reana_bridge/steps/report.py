"""Report: make the forges show what the outbox wants, one thing at a time for each commit, until they agree.

Promises: only the newest wanted state is posted; what the forge shows already is not posted again; a forge
that is away keeps its rows waiting and delays no other; a call without an answer is looked for before it is
repeated, and what came of the doubt once more later; what a forge refuses for good is kept with the reason.

A claim is the durable mark that something is being sent: a row that was claimed and never given back is left
alone until what its owner may have sent has happened or not.
"""

from typing import Any, cast

import structlog
from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session, aliased

from reana_bridge.crashpoints import reach
from reana_bridge.forges.base import ForgeError, ForgeRefused, RateLimited, Unanswered
from reana_bridge.forges.hosted import is_hosted
from reana_bridge.steps.bridge import Bridge
from reana_bridge.steps.limiting import heed, hold, lane, may_be_asked, step_name
from reana_bridge.steps.notes import want_notes_at
from reana_bridge.steps.posting import Done, Posting, refused
from reana_bridge.steps.worker import pause
from reana_bridge.store.leases import NOW, due_rows, lock_key, save, take
from reana_bridge.store.tables import OutboxRow

_log = structlog.get_logger()
_outbox = cast(Any, OutboxRow)
_other: Any = aliased(OutboxRow)
_BUSY = (
    select(_other.id)
    .where(_other.project == _outbox.project, _other.sha == _outbox.sha, _other.lease_until >= NOW)
    .exists()
)
"""Another row of the same commit is at work."""

_VERSION = select(_outbox.wanted_version).where(_outbox.id == bindparam("id")).with_for_update()


class ReportStep:
    """Works on outbox rows whose wanted version is ahead of the posted one.

    Args:
        bridge: What the steps share.
        forge: Whose; `limiting.REST` for those of forges that the settings have no more, None for all.
    """

    table: Any = OutboxRow

    def __init__(self, bridge: Bridge, forge: str | None = None) -> None:
        self._bridge = bridge
        self._forge = forge
        self._posting = Posting(bridge)
        self.name = step_name("report", forge)
        self.mine = lane(bridge, forge, _outbox.project)
        # Statuses before notes: they are what a person waits for.
        order = [_outbox.kind.desc(), _outbox.due_at]
        due = due_rows(_outbox, ~_BUSY, self.mine, order=order)
        self._due = due.add_columns(_outbox.project, _outbox.sha, _outbox.lease_until)

    def claim(self, limit: int) -> list[OutboxRow]:
        """Due rows, at most one a commit, and none of a commit whose other row is at work."""
        database = self._bridge.database
        with database.transaction() as session:
            # Else two processes could each take a row of one commit.
            lock_key(database, session, self.name)
            now = database.now(session)
            asked = may_be_asked(session, self._forge, now, _outbox.project)
            due = self._due.where(*asked).limit(limit * 4)
            if not database.is_sqlite:
                due = due.with_for_update(skip_locked=True)
            first: dict[tuple[str, str], str] = {}
            for found in session.execute(due, {"now": now}).all():
                seconds = self._settle_seconds(found.project)
                if found.lease_until is None or not seconds:
                    first.setdefault((found.project, found.sha), found.id)
                else:
                    _put_aside(session, found.id, until=found.lease_until + seconds)
            return take(database, session, OutboxRow, list(first.values())[:limit])

    def act(self, row: OutboxRow) -> None:
        """Post it, and note that it was posted."""
        version = row.wanted_version
        reach("report.claimed")
        error = ""
        try:
            done = self._posting.post(row)
        except ForgeRefused as reason:
            error = str(reason)
            done = Done(remembered=refused(row, error))
            _log.warning("report.refused", project=row.project, sha=row.sha, error=error)
        except RateLimited as limited:
            self._limited(row, limited)
            return
        except Unanswered as lost:
            self._again(row, lost, unsettled=lost.settled_after)
            return
        except ForgeError as failed:
            self._again(row, failed)
            return
        reach("report.posted")
        with self._bridge.database.transaction() as session:
            self._store(session, row, done, version, error)
        reach("report.stored")

    def _store(self, session: Session, row: OutboxRow, done: Done, version: int, error: str) -> None:
        # Locked, so that what is wanted meanwhile is seen here or sets the due time itself.
        newer = session.execute(_VERSION, {"id": row.id}).scalar_one() != version
        now = self._bridge.database.now(session)
        values: dict[str, Any] = {"posted_version": version, "attempt": 0, "error": error, "settled_at": None}
        due_at = now if newer else None
        if done.posted is not None and row.settled_at is not None:
            # A forge may have done it later still: looked at once more, for a second one or an older state.
            values["attempt"] = 1
            due_at = due_at or now + self._settle_seconds(row.project)
        if done.posted is not None:
            values |= {"posted": done.posted, "posted_at": now}
            values["first_posted_at"] = row.first_posted_at or now
        if done.remembered is not None:
            values["remembered"] = done.remembered
        if done.shadow is not None:
            values["shadow"] = done.shadow
        if done.forgotten and not newer:
            values["wanted"] = None
        save(session, row, due_at=due_at, **values)
        forge = self._bridge.forges.get(row.project.partition(":")[0])
        if forge is not None and is_hosted(forge):
            heed(self._bridge, session, forge.name, forge.allowance())
            if error and row.kind == "status":
                want_notes_at(self._bridge, session, row.project, row.sha)

    def _limited(self, row: OutboxRow, limited: RateLimited) -> None:
        with self._bridge.database.transaction() as session:
            until = hold(self._bridge, session, row.project.partition(":")[0], limited)
            save(session, row, due_at=until, error=str(limited))

    def _again(self, row: OutboxRow, failed: ForgeError, *, unsettled: float = 0.0) -> None:
        seconds = max(pause(row.attempt), failed.retry_after or 0.0)
        _log.warning("report.again", project=row.project, sha=row.sha, error=str(failed), retry_in=seconds)
        with self._bridge.database.transaction() as session:
            now = self._bridge.database.now(session)
            settled_at = now + unsettled if unsettled else row.settled_at
            save(session, row, due_at=now + seconds, settled_at=settled_at, error=str(failed))

    def _settle_seconds(self, project: str) -> float:
        """How long what was sent to the project's forge may take to come to be; 0 where nothing is sent."""
        name = project.partition(":")[0]
        forge = self._bridge.forges.get(name)
        return self._bridge.settings.forges[name].settle_seconds if forge and is_hosted(forge) else 0.0


def _put_aside(session: Session, id: str, *, until: float) -> None:
    """Leave a row whose owner died over it alone until then."""
    values = {"settled_at": until, "due_at": until, "lease_owner": None, "lease_until": None}
    session.execute(update(OutboxRow).where(_outbox.id == id).values(version=_outbox.version + 1, **values))
