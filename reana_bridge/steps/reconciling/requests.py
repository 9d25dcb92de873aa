"""Merge requests that appeared, moved, changed or went without a delivery: each told as one of our own.

What is compared is what deliveries and earlier looks told (`MergeRequestRow`) with what the forge has open.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from reana_bridge.forges.base import MergeRequestFacts
from reana_bridge.model.projects import Project
from reana_bridge.steps.bridge import Bridge
from reana_bridge.store.tables import Head, MergeRequestRow
from reana_bridge.store.upsert import upsert
from webhooks.events import Change, MergeRequest

LOOKED = "!"
"""The ref of the row that says: the open merge requests of this project have all been looked at once."""

ACTOR = "reconcile"
_row = cast(Any, MergeRequestRow)


@dataclass(frozen=True, kw_only=True)
class Missed:
    """What no delivery told: the event, and a key that is the same while nothing else happens."""

    event: MergeRequest
    key: str


def known_requests(
    session: Session, project: Project, there: list[MergeRequestFacts]
) -> dict[int, MergeRequestRow] | None:
    """What was told of merge requests that were open then or are `there` now, by number.

    Returns:
        None where the project's merge requests have never been looked at.
    """
    if session.get(Head, (str(project), LOOKED)) is None:
        return None
    now = [facts.number for facts in there]
    concerned = or_(_row.open.is_(True), _row.number.in_(now))
    found = session.execute(select(MergeRequestRow).where(_row.project == str(project), concerned))
    return {row.number: row for row in found.scalars()}


def remember_requests(
    bridge: Bridge, session: Session, project: Project, there: list[MergeRequestFacts]
) -> None:
    """Only remember what a newly connected project has open: nothing of it happened just now."""
    now = bridge.database.now(session)
    for facts in there:
        values = {"project": str(project), "number": facts.number, "seen_at": now}
        upsert(bridge.database, session, MergeRequestRow, values | columns_of(facts))
    looked = {"project": str(project), "ref": LOOKED, "sha": "", "seen_at": now}
    upsert(bridge.database, session, Head, looked)


def columns_of(facts: MergeRequestFacts) -> dict[str, Any]:
    """What a merge request's row holds of it as the forge has it: column -> value."""
    return {
        "ref": facts.ref,
        "sha": facts.sha,
        "source_branch": facts.source_branch,
        "source_project_id": facts.source_project_id,
        "target_branch": facts.target_branch,
        "fork": facts.fork,
        "draft": facts.draft,
        "labels": list(facts.labels),
        "open": facts.open,
        "author": facts.author,
    }


def changes(before: MergeRequestRow | None, now: MergeRequestFacts | None) -> frozenset[Change]:
    """What happened to a merge request between what was told and what the forge has open.

    Args:
        before: What was told; None where nothing was.
        now: As it is; None where it is not open.
    """
    was_open = before is not None and before.open
    if now is None:
        return frozenset({Change.CLOSED} if was_open else ())
    if before is None:
        return frozenset({Change.OPENED})
    compared = {
        Change.REOPENED: not was_open,
        Change.UPDATED: now.sha != before.sha,
        Change.RETARGETED: now.target_branch != before.target_branch,
        Change.LABELLED: sorted(now.labels) != sorted(before.labels or ()),
        Change.DRAFT: now.draft != before.draft,
    }
    return frozenset(change for change, happened in compared.items() if happened)


def missed(
    project: Project, project_id: str, known: Mapping[int, MergeRequestRow], there: list[MergeRequestFacts]
) -> Iterator[Missed]:
    """What happened to the project's merge requests that nobody told of, by number."""
    now = {facts.number: facts for facts in there}
    for number in sorted(known.keys() | now.keys()):
        before, facts = known.get(number), now.get(number)
        happened = changes(before, facts)
        if happened:
            event = _event(project, project_id, happened, before, facts)
            yield Missed(event=event, key=_key(event, before))


def _event(
    project: Project,
    project_id: str,
    happened: frozenset[Change],
    before: MergeRequestRow | None,
    now: MergeRequestFacts | None,
) -> MergeRequest:
    shown: Any = now or before  # both have the same fields
    return MergeRequest(
        project=project.path,
        project_id=project_id,
        actor=ACTOR,
        changes=happened,
        number=shown.number,
        sha=shown.sha,
        before=before.sha if before and Change.UPDATED in happened else None,
        source_branch=shown.source_branch,
        target_branch=shown.target_branch,
        source_project="" if shown.fork else project.path,
        source_project_id=shown.source_project_id,
        labels=tuple(shown.labels or ()),
        draft=shown.draft,
    )


def _key(event: MergeRequest, before: MergeRequestRow | None) -> str:
    """The same at every look until somebody tells of the merge request again."""
    since = before.seen_at if before else "nothing"
    shown = (sorted(event.changes), event.sha, event.target_branch, sorted(event.labels), event.draft)
    digest = hashlib.sha256(repr(shown).encode()).hexdigest()[:16]
    return f"merge-request:{event.project}:{event.number}:{since}:{digest}"
