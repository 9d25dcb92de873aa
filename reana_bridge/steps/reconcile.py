"""Reconcile: ask forges what they have, look at the clock, and find what nobody told us.

Each finding goes through the same door as a webhook, as a synthetic delivery: a branch that moved while
nobody listened, a schedule that is due. Besides, nothing may stay pending for ever: deadlines end here.
"""

from typing import Any, cast

import structlog
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from reana_bridge.forges.base import Forge, ForgeError, ForgeRefused
from reana_bridge.model.codec import to_data
from reana_bridge.model.decisions import schedule_due
from reana_bridge.model.orders import Order, OrderKind
from reana_bridge.model.problems import ConfigurationError
from reana_bridge.model.projects import Project
from reana_bridge.model.results import Failure
from reana_bridge.model.runs import FailureKind, RunState
from reana_bridge.steps.bridge import Bridge
from reana_bridge.steps.reporting import analysis_of
from reana_bridge.steps.sources import project_file_at
from reana_bridge.steps.transitions import move
from reana_bridge.store.database import insert
from reana_bridge.store.inbox import Incoming
from reana_bridge.store.leases import claim, free_the_dead
from reana_bridge.store.tables import Delivery, Head, ProjectRow, Run, Schedule
from webhooks import git
from webhooks.events import Push, Tag

GRACE_SECONDS = 3600.0
_FIRST_LOOK = ""
"""The ref of the row that says: the heads of this project have all been looked at once."""

DAY = 86400.0
_log = structlog.get_logger()
_run = cast(Any, Run)


class Reconcile:
    """What is looked at now and then; each method is one turn."""

    def __init__(self, bridge: Bridge) -> None:
        self._bridge = bridge

    def heads(self, forge: Forge) -> None:
        """Tell of the forge's branches and tags that moved, appeared or went without a delivery."""
        if self._has_undecided(forge.name):
            return
        for project in self._projects(forge.name):
            try:
                there = forge.heads(project)
            except (ForgeError, ForgeRefused) as error:
                _log.warning("reconcile.heads", project=str(project), error=str(error))
                continue
            known = self._known(project)
            if _FIRST_LOOK not in known:
                self._first_look(project, there, known)
                continue
            for ref in sorted((known.keys() | there.keys()) - {_FIRST_LOOK}):
                before = known.get(ref)
                if (before.sha if before else "") != there.get(ref, ""):
                    self._tell(project, ref, before, there.get(ref))

    def _known(self, project: Project) -> dict[str, Head]:
        """The heads that deliveries or earlier looks have told of, by ref."""
        with self._bridge.database.read() as session:
            found = session.execute(select(Head).where(cast(Any, Head).project == str(project)))
            return {head.ref: head for head in found.scalars()}

    def _first_look(self, project: Project, there: dict[str, str], known: dict[str, Head]) -> None:
        """Only remember what a newly connected repository has: its old branches did not just move."""
        with self._bridge.database.transaction() as session:
            now = self._bridge.database.now(session)
            for ref, sha in [*there.items(), (_FIRST_LOOK, "")]:
                if ref not in known:
                    row = insert(self._bridge.database, Head).values(
                        project=str(project), ref=ref, sha=sha, seen_at=now
                    )
                    session.execute(row.on_conflict_do_nothing())

    def _has_undecided(self, forge: str) -> bool:
        table = cast(Any, Delivery)
        with self._bridge.database.read() as session:
            # One that has failed already may go on failing for long: it holds up nothing.
            fresh = (table.forge == forge, table.decided_at.is_(None), table.attempt <= 1)
            waiting = select(table.id).where(*fresh).limit(1)
            return session.execute(waiting).scalar_one_or_none() is not None

    def _projects(self, forge: str) -> list[Project]:
        with self._bridge.database.read() as session:
            names = session.execute(select(cast(Any, ProjectRow).name)).scalars()
            projects = [Project.parse(name) for name in names]
        settings = self._bridge.settings
        return [p for p in projects if p.forge == forge and settings.project(p) is not None]

    def _tell(self, project: Project, ref: str, before: Head | None, sha: str | None) -> None:
        event: Push | Tag
        if ref.startswith("refs/tags/"):
            event = Tag(project=project.path, ref=ref, sha=sha, actor="reconcile")
        else:
            old = before.sha if before else None
            event = Push(project=project.path, ref=ref, before=old or None, after=sha, actor="reconcile")
        since = f"{before.sha}@{before.seen_at}" if before else "nothing"
        _log.info("reconcile.found", project=str(project), ref=ref, sha=sha, before=since)
        self._put(project, f"head:{project.path}:{ref}:{since}:{sha}", git.body(event))

    def _put(self, project: Project, key: str, body: bytes, kind: str = "synthetic") -> None:
        incoming = Incoming(forge=project.forge, delivery_id=key, body=body, kind=kind)
        self._bridge.inbox.put_blocking(incoming)

    def schedules(self) -> None:
        """Order the runs whose time has come; after a pause only the newest tick of each schedule."""
        for forge in self._bridge.forges.values():
            for project in self._projects(forge.name):
                try:
                    self._schedules_of(forge, project)
                except (ForgeError, ForgeRefused, ConfigurationError) as error:
                    _log.info("reconcile.schedules", project=str(project), error=str(error))

    def _schedules_of(self, forge: Forge, project: Project) -> None:
        bridge = self._bridge
        rule = bridge.settings.project(project)
        branch = f"refs/heads/{forge.default_branch(project)}"
        sha = forge.head(project, branch)
        if rule is None or sha is None:
            return
        forge.fetch(project, sha, bridge.cache(project))
        file = project_file_at(bridge.cache(project), sha, rule.file)
        with bridge.database.transaction() as session:
            now = bridge.database.now(session)
            fresh = insert(bridge.database, Schedule).values(project=str(project), looked_at=now)
            session.execute(fresh.on_conflict_do_nothing())
            last = session.get_one(Schedule, str(project)).looked_at
        if file is None:
            return
        for analysis, schedule, at in schedule_due(file, last=last, now=now):
            order = Order(
                kind=OrderKind.SCHEDULE,
                project=project.path,
                ref=branch,
                analysis=analysis.name,
                parameters=schedule.parameters,
                actor="schedule",
            )
            key = f"schedule:{project.path}:{analysis.name}:{schedule.cron}:{schedule.timezone}:{at}"
            self._put(project, key, order.body(), kind="order")
        # After the deliveries: dying in between tells them again under the same key.
        with bridge.database.transaction() as session:
            session.get_one(Schedule, str(project)).looked_at = now

    def deadlines(self) -> None:
        """End what waits longer than it may, and free what dead processes of this host had claimed."""
        bridge = self._bridge
        with bridge.database.transaction() as session:
            freed = free_the_dead(bridge.database, session)
            now = bridge.database.now(session)
            oldest = now - bridge.settings.limits.queued_seconds
            waiting = (_run.state.in_([RunState.QUEUED, RunState.SUBMITTING]), _run.queued_at < oldest)
            for run in claim(bridge.database, session, Run, *waiting, order=[_run.queued_at], limit=100):
                self._give_up(session, run, "nothing could start it before its deadline")
            oldest = now - bridge.settings.limits.waiting_seconds - DAY
            since = func.coalesce(_run.backend_ended_at, _run.started_at, _run.queued_at)
            ended = _run.state.in_([RunState.COLLECTING, RunState.COMPARING]), since < oldest
            for run in claim(bridge.database, session, Run, *ended, order=[_run.queued_at], limit=100):
                self._give_up(session, run, "what it left could not be read and compared before its deadline")
            # What its backend never told to have begun may wait there as long as it might have waited here.
            began = func.coalesce(_run.started_at, _run.queued_at + bridge.settings.limits.queued_seconds)
            running = (_run.state == RunState.RUNNING, began < now - GRACE_SECONDS)
            for run in session.execute(select(Run).where(*running)).scalars().all():
                self._overdue(session, run, now)
        if freed:
            bridge.database.wake.notify_all()

    def _overdue(self, session: Session, run: Run, now: float) -> None:
        """A run whose backend or host tells nothing long after its time is over."""
        seconds = analysis_of(run).timeout or self._bridge.settings.limits.seconds
        began = run.started_at or run.queued_at + self._bridge.settings.limits.queued_seconds
        if began + seconds + GRACE_SECONDS < now:
            taken = claim(self._bridge.database, session, Run, _run.id == run.id, order=[_run.id], limit=1)
            for row in taken:
                where = f"the host {row.host}" if row.host else f"the backend {row.backend}"
                self._give_up(session, row, f"{where} has not told of it since long after its time limit")

    def _give_up(self, session: Session, run: Run, message: str) -> None:
        _log.warning("reconcile.deadline", run=run.id, state=str(run.state), why=message)
        failure = to_data(Failure(kind=FailureKind.INFRASTRUCTURE, message=message))
        move(self._bridge, session, run, RunState.FAILED, failure=failure)
