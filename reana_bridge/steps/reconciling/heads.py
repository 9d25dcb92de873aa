"""What forges have that nobody told of: branches, tags and merge requests, project by project.

Promises: what a project had when it was connected is only remembered, what came later is told; each finding
goes through the same door as a webhook, under a key that is the same until somebody tells of it again; a
forge that wants to be left alone, or does not answer, ends its turn and no other forge's.
"""

import time
from typing import Any, cast

import structlog
from sqlalchemy import select

from reana_bridge.forges.base import Forge
from reana_bridge.forges.hosted import HostedForge, is_hosted
from reana_bridge.model.projects import Project
from reana_bridge.steps.bridge import Bridge
from reana_bridge.steps.reconciling.requests import (
    ACTOR,
    Missed,
    known_requests,
    missed,
    remember_requests,
)
from reana_bridge.store.inbox import OURS, Incoming
from reana_bridge.store.tables import Delivery, Head, ProjectRow
from reana_bridge.store.upsert import upsert
from webhooks import git, synthetic
from webhooks.events import Push, Tag

_FIRST_LOOK = ""
"""The ref of the row that says: the heads of this project have all been looked at once."""

_OURS = ("refs/heads/", "refs/tags/")
_SETTLING_SECONDS = 2.0
_log = structlog.get_logger()


def remember(bridge: Bridge, forge: Forge, project: Project) -> None:
    """Note what the project has now, where that was never done: all that comes later is news.

    Raises:
        ForgeError: The forge did not answer.
        ForgeRefused: It will not say.
    """
    looking = Looking(bridge)
    looking.heads(forge, project, only_first=True)
    if is_hosted(forge):
        looking.merge_requests(forge, project, only_first=True)


class Looking:
    """Compares one project after the other with what is known of it."""

    def __init__(self, bridge: Bridge) -> None:
        self._bridge = bridge

    def heads(self, forge: Forge, project: Project, *, only_first: bool = False) -> None:
        """Tell of the project's branches and tags that moved, appeared or went without a delivery."""
        there = forge.heads(project)
        known = self._known(project)
        if _FIRST_LOOK not in known:
            self._first_look(project, there, known)
            return
        if only_first or not _moved(known, there):
            return
        self._let_settle(project.forge)
        known = self._known(project)
        for ref in _moved(known, there):
            self._tell(project, ref, known.get(ref), there.get(ref))

    def merge_requests(self, forge: HostedForge, project: Project, *, only_first: bool = False) -> None:
        """Tell of what happened to the project's merge requests without a delivery."""
        there = forge.open_merge_requests(project)
        with self._bridge.database.read() as session:
            known = known_requests(session, project, there)
        if known is None:
            with self._bridge.database.transaction() as session:
                remember_requests(self._bridge, session, project, there)
            return
        project_id = self._forge_id(project)
        if only_first or not any(missed(project, project_id, known, there)):
            return
        self._let_settle(project.forge)
        with self._bridge.database.read() as session:
            known = known_requests(session, project, there) or {}
        for found in missed(project, project_id, known, there):
            self._tell_request(project, found)

    def _known(self, project: Project) -> dict[str, Head]:
        """The heads that deliveries or earlier looks have told of, by ref."""
        with self._bridge.database.read() as session:
            found = session.execute(select(Head).where(cast(Any, Head).project == str(project)))
            # Of a merge request's head the list of merge requests tells.
            return {head.ref: head for head in found.scalars() if head.ref.startswith(_OURS) or not head.ref}

    def _first_look(self, project: Project, there: dict[str, str], known: dict[str, Head]) -> None:
        """Only remember what a newly connected repository has: its old branches did not just move."""
        with self._bridge.database.transaction() as session:
            now = self._bridge.database.now(session)
            for ref, sha in [*there.items(), (_FIRST_LOOK, "")]:
                if ref not in known:
                    row = {"project": str(project), "ref": ref, "sha": sha, "seen_at": now}
                    upsert(self._bridge.database, session, Head, row)

    def _forge_id(self, project: Project) -> str:
        with self._bridge.database.read() as session:
            row = session.get(ProjectRow, str(project))
            return row.forge_id if row else ""

    def _let_settle(self, forge: str) -> None:
        """Wait shortly for what the forge has told already and nobody has decided yet."""
        until = time.monotonic() + _SETTLING_SECONDS
        while has_undecided(self._bridge, forge) and time.monotonic() < until:
            time.sleep(0.1)

    def _tell(self, project: Project, ref: str, before: Head | None, sha: str | None) -> None:
        event: Push | Tag
        if ref.startswith("refs/tags/"):
            event = Tag(project=project.path, ref=ref, sha=sha, actor=ACTOR)
        else:
            old = before.sha if before else None
            event = Push(project=project.path, ref=ref, before=old or None, after=sha, actor=ACTOR)
        since = f"{before.sha}@{before.seen_at}" if before else "nothing"
        _log.info("reconcile.found", project=str(project), ref=ref, sha=sha, before=since)
        tell(self._bridge, project, f"head:{project.path}:{ref}:{since}:{sha}", git.body(event))

    def _tell_request(self, project: Project, found: Missed) -> None:
        event = found.event
        words = ", ".join(sorted(event.changes))
        _log.info("reconcile.found", project=str(project), number=event.number, changes=words, sha=event.sha)
        tell(self._bridge, project, found.key, synthetic.body(event))


def _moved(known: dict[str, Head], there: dict[str, str]) -> list[str]:
    """The refs that are elsewhere than was told."""
    refs = sorted((known.keys() | there.keys()) - {_FIRST_LOOK})
    return [ref for ref in refs if (known[ref].sha if ref in known else "") != there.get(ref, "")]


def has_undecided(bridge: Bridge, forge: str) -> bool:
    """Whether a delivery of the forge waits for its first decision."""
    table = cast(Any, Delivery)
    with bridge.database.read() as session:
        # One that has failed already may go on failing for long: it holds up nothing.
        fresh = (table.forge == forge, table.decided_at.is_(None), table.attempt <= 1)
        return session.execute(select(table.id).where(*fresh).limit(1)).scalar_one_or_none() is not None


def tell(bridge: Bridge, project: Project, key: str, body: bytes, kind: str = "synthetic") -> None:
    """Put a finding of our own into the inbox; the same key again changes nothing."""
    name = f"{OURS}{key}"
    bridge.inbox.put_blocking(Incoming(forge=project.forge, delivery_id=name, body=body, kind=kind))
