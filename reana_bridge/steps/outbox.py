"""What forges must be made to show: rows of the outbox, written in the transaction of what they tell of."""

from collections.abc import Mapping
from typing import Any, cast

from sqlalchemy import select
from sqlalchemy.orm import Session

from reana_bridge.steps.bridge import Bridge
from reana_bridge.store.database import insert, wake_after
from reana_bridge.store.ids import new_id
from reana_bridge.store.tables import OutboxRow
from reana_bridge.store.wake import topic


def want(
    bridge: Bridge,
    session: Session,
    *,
    project: str,
    kind: str,
    key: str,
    sha: str,
    wanted: dict[str, Any],
    merge_request: int | None = None,
) -> None:
    """Make the forge show `wanted`; nothing happens where it is wanted already.

    Args:
        bridge: The database.
        session: A write transaction.
        project: `forge:path`.
        kind: `status`, `note`, `reply` or `reaction`.
        key: Names the thing among those of its kind: what is wanted later takes the place of this.
        sha: The commit that it is of.
        wanted: JSON-able.
        merge_request: Where it is shown; None for the commit itself.
    """
    table = cast(Any, OutboxRow)
    now = bridge.database.now(session)
    identity = {"project": project, "kind": kind, "key": key}
    absent = {"id": new_id(), **identity, "sha": sha, "wanted_version": 0, "posted_version": 0}
    absent |= {"wanted_at": now, "version": 0, "attempt": 0, "error": "", "merge_request": merge_request}
    session.execute(insert(bridge.database, OutboxRow).values(absent).on_conflict_do_nothing())
    found = select(OutboxRow).where(table.project == project, table.kind == kind, table.key == key)
    if not bridge.database.is_sqlite:
        found = found.with_for_update()
    row = session.execute(found.execution_options(populate_existing=True)).scalar_one()
    if row.wanted == wanted:
        return
    row.wanted, row.wanted_at, row.due_at, row.error, row.sha = wanted, now, now, "", sha
    row.wanted_version += 1
    session.flush()
    wake_after(session, topic("report", project.partition(":")[0]))


def want_reply(
    bridge: Bridge,
    session: Session,
    *,
    project: str,
    number: int,
    sha: str,
    comment: str,
    body: str,
    said: Mapping[str, str] | None = None,
) -> None:
    """Answer the comment `comment` of merge request `number` with the Markdown `body`, once.

    `said` keeps what `body` is made of, by the place of the command that it answers.
    """
    want(
        bridge,
        session,
        project=project,
        kind="reply",
        key=f"{number}/{comment}",
        sha=sha,
        wanted={"comment": comment, "body": body, "said": dict(said or {})},
        merge_request=number,
    )


def want_reaction(
    bridge: Bridge, session: Session, *, project: str, number: int, sha: str, comment: str, reaction: str
) -> None:
    """Put `eyes`, `rocket` or `confused` on the comment `comment` of merge request `number`."""
    want(
        bridge,
        session,
        project=project,
        kind="reaction",
        key=f"{number}/{comment}",
        sha=sha,
        wanted={"comment": comment, "reaction": reaction},
        merge_request=number,
    )
