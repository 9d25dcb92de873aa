"""Retain: let go of what has been kept long enough. Ids, decisions, results and reports stay."""

from collections.abc import Callable, Sequence
from typing import Any, cast

import structlog
from sqlalchemy import and_, exists, or_, select, update

from reana_bridge.backends.base import Backend, BackendError
from reana_bridge.model.runs import FINAL, LIVE
from reana_bridge.steps.bridge import Bridge
from reana_bridge.steps.comparing.pair_files import PAIR
from reana_bridge.store.tables import ArtifactRow, Delivery, Run

DAY = 86400.0
_LETTING_GO = ("output", "picture", "preview", PAIR)
STRAY_SECONDS = 3600.0
"""So old is a job before it may count as nobody's."""

_log = structlog.get_logger()
_run, _delivery, _artifact = cast(Any, Run), cast(Any, Delivery), cast(Any, ArtifactRow)


class Retain:
    """What is let go now and then; each method is one turn."""

    def __init__(self, bridge: Bridge) -> None:
        self._bridge = bridge

    def bodies(self) -> None:
        """Drop the bodies of old decided deliveries; their ids stay, so that they are still recognised."""
        database = self._bridge.database
        with database.transaction() as session:
            oldest = database.now(session) - self._bridge.settings.storage.body_days * DAY
            session.execute(
                update(Delivery)
                .where(
                    _delivery.body.is_not(None),
                    _delivery.decided_at.is_not(None),
                    _delivery.received_at < oldest,
                )
                .values(body=None)
                .execution_options(synchronize_session=False)
            )

    def workspaces(self, backend: Backend) -> None:
        """Remove workspaces of ended runs: the old ones, then the oldest while they need too much disk."""
        storage = self._bridge.settings.storage
        try:
            usage = backend.usage()
        except BackendError as error:  # it is away: the next turn comes soon
            _log.warning("retain.usage", backend=backend.name, error=str(error))
            return
        with self._bridge.database.read() as session:
            now = self._bridge.database.now(session)
            identities = [item.identity for item in usage]
            mine = and_(_run.backend == backend.name, _run.backend_id.in_(identities))
            found = session.execute(select(_run.backend_id, _run.id).where(mine, _run.state.in_(FINAL)))
            runs = {row.backend_id: row.id for row in found}
            # A submission that is at work knows its job by name only; lost attempts are named by no run.
            named = or_(mine, _run.backend_name.in_(identities))
            live = select(_run.backend_id, _run.backend_name).where(named, _run.state.in_(LIVE))
            kept = {name for row in session.execute(live) for name in row}
        total = sum(item.size for item in usage)
        for item in usage:
            old = item.ended_at < now - storage.workspace_days * DAY
            if item.identity in kept or not (old or total > storage.workspace_budget):
                continue
            run = runs.get(item.identity, "")
            try:
                backend.remove(item.identity)
            except BackendError as error:
                _log.warning("retain.workspace", run=run, job=item.identity, error=str(error))
                continue
            total -= item.size
            with self._bridge.database.transaction() as session:
                session.execute(update(Run).where(_run.id == run).values(removed_at=now))
            _log.info("retain.workspace", run=run, job=item.identity, size=item.size)

    def strays(self, backend: Backend) -> None:
        """End jobs that a backend still has at work for runs that have ended here."""
        living: Callable[[], Sequence[Any]] = getattr(backend, "living", list[Any])
        try:
            jobs = living()
        except BackendError as error:
            _log.warning("retain.strays", backend=backend.name, error=str(error))
            return
        with self._bridge.database.read() as session:
            now = self._bridge.database.now(session)
            names = [job.name for job in jobs]
            known = select(_run.backend_name).where(_run.backend_name.in_(names), _run.state.in_(LIVE))
            wanted = set(session.execute(known).scalars())
        for job in jobs:
            if job.name in wanted or job.since > now - STRAY_SECONDS:
                continue
            try:
                backend.cancel(job.identity)
                _log.warning("retain.stray", job=job.identity, name=job.name)
            except BackendError as error:
                _log.warning("retain.stray", job=job.identity, name=job.name, error=str(error))

    def artifacts(self) -> None:
        """Remove artifacts of old proposals' runs where the settings say so, and what nothing names."""
        bridge = self._bridge
        days = bridge.settings.storage.artifact_days
        with bridge.database.transaction() as session:
            now = bridge.database.now(session)
            if days:
                is_old = (_run.proposal.is_(True), _run.ended_at < now - days * DAY)
                old = select(_run.id).where(*is_old)
                theirs = and_(_artifact.run_id.in_(old), _artifact.kind.in_(_LETTING_GO))
                # What was made of two runs goes with either of them.
                named = select(_run.id).where(*is_old, _artifact.path.startswith(_run.id.concat("/")))
                beside = and_(_artifact.kind == PAIR, exists(named))
                found = select(ArtifactRow).where(or_(theirs, beside))
                for row in session.execute(found).scalars().all():
                    session.delete(row)
        bridge.blobs.clean(older_than=now - DAY)
        with bridge.database.read() as session:
            named = set(session.execute(select(_artifact.digest).distinct()).scalars())
        for digest in list(bridge.blobs.digests()):
            if digest not in named and bridge.blobs.age(digest, now) > DAY:
                bridge.blobs.remove(digest)
