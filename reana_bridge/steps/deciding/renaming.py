"""Projects that were renamed on their forge: known again by the forge's own id, moved with all their rows.

Promises: the forge itself is asked before anything is moved, an event alone moves nothing; everything moves
in the one transaction of the decision that found it out, or nothing does.
"""

from dataclasses import dataclass
from typing import Any, cast

import structlog
from sqlalchemy import Integer, bindparam, delete, func, literal, select, update
from sqlalchemy.orm import Session

from reana_bridge.forges.hosted import is_hosted
from reana_bridge.model.projects import Project
from reana_bridge.steps.bridge import Bridge
from reana_bridge.store.tables import (
    AcceptanceRow,
    Approval,
    Decision,
    Head,
    Hook,
    MergeRequestRow,
    MetricRow,
    OutboxRow,
    Pause,
    ProjectRow,
    Run,
    Schedule,
    Upload,
    Want,
)
from webhooks.events import Event

_UNIQUE: tuple[Any, ...] = (AcceptanceRow, Approval, Head, MergeRequestRow, OutboxRow, Schedule, Upload)
"""Tables where a row of the new name would be in the way of the old one's."""

_TABLES: tuple[Any, ...] = (
    AcceptanceRow,
    Approval,
    Decision,
    Head,
    MergeRequestRow,
    MetricRow,
    Schedule,
    Upload,
    Want,
)

_project, _run, _outbox = cast(Any, ProjectRow), cast(Any, Run), cast(Any, OutboxRow)
_hook, _pause = cast(Any, Hook), cast(Any, Pause)
_KNOWN = (
    select(_project.name)
    .where(_project.forge_id == bindparam("forge_id"))
    .where(func.substr(_project.name, 1, bindparam("length", type_=Integer)) == bindparam("before"))
    .order_by(_project.name)
)
_log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True)
class Whose:
    """Which project an event is of.

    Attributes:
        project: Under its present name.
        forge_id: The forge's own id; empty where unknown.
        before: The name (`forge:path`) that it is known under so far; empty where that is its present one.
        problem: What the administrator has to do, where the settings do not register the new name.
    """

    project: Project
    forge_id: str = ""
    before: str = ""
    problem: str = ""


def whose(bridge: Bridge, project: Project, event: Event) -> Whose:
    """Which project `event` is of; `project` is the one that it names.

    Raises:
        ForgeError: The forge did not answer.
        ForgeRefused: It will not say.
    """
    forge = bridge.forges[project.forge]
    if not event.project_id or not is_hosted(forge):
        return Whose(project=project)
    known = _known(bridge, project.forge, event.project_id)
    if known in ("", str(project)):
        forge.remember(project, event.project_id)
        return Whose(project=project, forge_id=event.project_id)
    before = Project.parse(known)
    forge.remember(before, event.project_id)
    # Asked by its id, so it is that project whatever its name; the name that the event says is only its word.
    facts = forge.facts(before)
    if facts.id != event.project_id:
        return Whose(project=project)
    current = Project.parse(f"{project.forge}:{facts.path}")
    forge.remember(current, event.project_id)
    if str(current) == known:  # told before it was renamed, and heard only now
        return Whose(project=current, forge_id=event.project_id)
    if bridge.settings.project(current) is None:
        problem = (
            f"the project `{known}` is called `{current}` now, and the settings register no such project: "
            f'write match = "{current}" into its [[projects]]'
        )
        return Whose(project=current, problem=problem)
    return Whose(project=current, forge_id=event.project_id, before=known)


def _known(bridge: Bridge, forge: str, forge_id: str) -> str:
    place = {"forge_id": forge_id, "before": f"{forge}:", "length": len(forge) + 1}
    with bridge.database.read() as session:
        return next(iter(session.execute(_KNOWN, place).scalars()), "")


def rename(session: Session, before: str, project: Project) -> None:
    """Move everything that is known of the project `before` to its new name.

    Where there are runs of the new name already, they are another history: it stays as it is, and the old
    name keeps its own.

    Args:
        session: A write transaction.
        before: The name so far, `forge:path`.
        project: Its name now.
    """
    now = str(project)
    if session.get(ProjectRow, before) is None:
        return  # another process did it meanwhile
    if session.execute(select(_run.id).where(_run.project == now).limit(1)).scalar_one_or_none():
        _log.warning("project.not_renamed", project=now, before=before)
        session.execute(update(ProjectRow).where(_project.name == before).values(forge_id=""))
        return
    for table in _UNIQUE:
        _do(session, delete(table).where(table.project == now))
    _do(session, delete(ProjectRow).where(_project.name == now))
    for table in _TABLES:
        _do(session, update(table).where(table.project == before).values(project=now))
    _do(session, update(ProjectRow).where(_project.name == before).values(name=now))
    _move_leased(session, before, now)
    # What somebody made for the new name already is the newer.
    _move_unless_there(session, Hook, _hook.project, before, now)
    _move_unless_there(session, Pause, _pause.name, before, now, _pause.kind == "project")
    session.expire_all()
    _log.info("project.renamed", project=now, before=before)


def _move_leased(session: Session, before: str, now: str) -> None:
    """Runs and what forges are to show: who works on one under its old name loses it to who comes next."""
    taken = {"lease_owner": None, "lease_until": None}
    moved_key = literal(now) + func.substr(_run.live_key, len(before) + 1)
    runs = update(Run).where(_run.project == before)
    _do(session, runs.values(project=now, live_key=moved_key, version=_run.version + 1, **taken))
    rows = update(OutboxRow).where(_outbox.project == before)
    _do(session, rows.values(project=now, version=_outbox.version + 1, **taken))


def _move_unless_there(session: Session, table: Any, column: Any, before: str, now: str, *more: Any) -> None:
    is_there = session.execute(select(column).where(column == now, *more).limit(1)).scalar_one_or_none()
    if is_there is None:
        _do(session, update(table).where(column == before, *more).values({column: now}))
    else:
        _do(session, delete(table).where(column == before, *more))


def _do(session: Session, statement: Any) -> None:
    session.execute(statement.execution_options(synchronize_session=False))
