"""Pauses: an administrator stops work on a forge, a backend or a project, with a reason for everyone.

Promises: nothing is lost meanwhile. Of a paused forge deliveries are stored but not decided, and what it is
to show waits; of a paused backend, project or forge queued runs wait, and say why. What has been submitted
goes on. Resuming takes everything up at once.
"""

from collections.abc import Collection
from typing import Any, cast

from sqlalchemy import bindparam, or_, select
from sqlalchemy.orm import Session

from reana_bridge.model.pauses import PauseKind
from reana_bridge.model.projects import Project
from reana_bridge.steps.bridge import Bridge
from reana_bridge.store.database import wake_after
from reana_bridge.store.tables import Pause
from reana_bridge.store.upsert import upsert

REASON_LIMIT = 500
_pause = cast(Any, Pause)


_PAUSED = select(_pause.kind, _pause.name)
_CONCERNED = (
    select(Pause)
    .where(or_(*((_pause.kind == str(kind)) & (_pause.name == bindparam(str(kind))) for kind in PauseKind)))
    .order_by(_pause.kind)
)


class CannotPause(Exception):
    """There is nothing of that name, or the reason is not one; the message says what to write instead."""


def pause_work(bridge: Bridge, kind: PauseKind, name: str, *, reason: str, by: str) -> None:
    """Stop work on `name` until it is resumed; a pause that is there already gets the new reason.

    Args:
        bridge: Settings and database.
        kind: What `name` is.
        name: A forge or backend of the settings, or a registered project as `forge:path`.
        reason: One sentence that everyone sees, at most `REASON_LIMIT` characters.
        by: Who pauses.

    Raises:
        CannotPause: There is no such thing, or no reason.
    """
    reason = " ".join(reason.split())
    if not reason or len(reason) > REASON_LIMIT or not reason.isprintable():
        raise CannotPause(f"say why in one line of at most {REASON_LIMIT} characters: everyone will read it")
    _require_known(bridge, kind, name)
    with bridge.database.transaction() as session:
        values = {"reason": reason, "paused_by": by, "since": bridge.database.now(session)}
        row = {"kind": str(kind), "name": name, **values}
        upsert(bridge.database, session, Pause, row, key=["kind", "name"], change=list(values))


def resume_work(bridge: Bridge, kind: PauseKind, name: str) -> bool:
    """Take the work on `name` up again; whether it was paused."""
    with bridge.database.transaction() as session:
        row = session.get(Pause, (str(kind), name))
        if row is None:
            return False
        session.delete(row)
        wake_after(session, "decide", "submit", "report")
    return True


def all_pauses(session: Session) -> list[Pause]:
    """What is paused now, by kind and name."""
    return list(session.execute(select(Pause).order_by(_pause.kind, _pause.name)).scalars())


def paused(session: Session) -> dict[PauseKind, set[str]]:
    """The names of what is paused, by its kind."""
    found = {kind: set[str]() for kind in PauseKind}
    for kind, name in session.execute(_PAUSED):
        found[PauseKind(kind)].add(name)
    return found


def pauses_on(session: Session, project: str, backend: str = "") -> tuple[str, ...]:
    """Why work for a project is stopped, one sentence a pause.

    Args:
        session: Any.
        project: `forge:path`.
        backend: The one that its run waits for; empty where none does.
    """
    named = {
        PauseKind.FORGE: project.partition(":")[0],
        PauseKind.BACKEND: backend,
        PauseKind.PROJECT: project,
    }
    found = session.execute(_CONCERNED, {str(kind): name for kind, name in named.items()})
    return tuple(sentence(row) for row in found.scalars())


def pauses_seen(session: Session, projects: Collection[str] | None) -> list[Pause]:
    """What is paused, but for projects other than `projects` (None: all may be seen)."""
    return [
        row
        for row in all_pauses(session)
        if projects is None or row.kind != PauseKind.PROJECT or row.name in projects
    ]


def sentence(row: Pause) -> str:
    """What a pause says, without a full stop."""
    return f"the {row.kind} {row.name} is paused: {row.reason}"


def _require_known(bridge: Bridge, kind: PauseKind, name: str) -> None:
    settings = bridge.settings
    if kind is PauseKind.PROJECT:
        try:
            known = settings.project(Project.parse(name)) is not None
        except ValueError as error:
            raise CannotPause(str(error)) from None
        if not known:
            raise CannotPause(f"the settings register no project {name}; write it as forge:path")
        return
    names = list(settings.forges if kind is PauseKind.FORGE else settings.backends)
    if name not in names:
        raise CannotPause(f"the settings have no {kind} {name!r}; it is one of {', '.join(names) or 'none'}")
