"""What forges must be made to show: rows of the outbox, written in the transaction of what they tell of."""

from collections.abc import Mapping
from typing import Any, cast

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from reana_bridge.steps.bridge import Bridge
from reana_bridge.store.database import wake_after
from reana_bridge.store.ids import new_id
from reana_bridge.store.tables import OutboxRow
from reana_bridge.store.upsert import upsert
from reana_bridge.store.wake import topic

_outbox = cast(Any, OutboxRow)
_FOUND = (
    select(OutboxRow)
    .where(*(getattr(_outbox, name) == bindparam(name) for name in ("project", "kind", "key")))
    .execution_options(populate_existing=True)
)


class Wish:
    """One thing that a forge is to show, as far as it has been wanted before; found and held by that.

    Args:
        bridge: The database.
        session: A write transaction.
        project: `forge:path`.
        kind: `status`, `note`, `reply` or `reaction`.
        key: Names the thing among those of its kind.
    """

    def __init__(self, bridge: Bridge, session: Session, *, project: str, kind: str, key: str) -> None:
        self._bridge = bridge
        self._session = session
        self._identity = {"project": project, "kind": kind, "key": key}
        self._row: OutboxRow | None = self._found().scalar_one_or_none()

    @property
    def wanted(self) -> dict[str, Any]:
        """What is wanted so far; empty for nothing."""
        return (self._row.wanted if self._row else None) or {}

    def want(self, wanted: dict[str, Any], *, sha: str, merge_request: int | None = None) -> None:
        """Make the forge show `wanted`; nothing happens where it is wanted already.

        Args:
            wanted: JSON-able; takes the place of what was wanted before.
            sha: The commit that it is of.
            merge_request: Where it is shown; None for the commit itself.
        """
        now = self._bridge.database.now(self._session)
        values = {"wanted": wanted, "wanted_at": now, "due_at": now, "error": "", "sha": sha}
        if self._row is None and self._made(merge_request=merge_request, **values):
            self._wake()
            return
        row = self._row or self._found().scalar_one()
        if row.wanted == wanted:
            return
        values["due_at"] = max(now, row.settled_at or now)  # news does not shorten a wait for a lost answer
        for name, value in values.items():
            setattr(row, name, value)
        row.wanted_version += 1
        self._session.flush()
        self._wake()

    def _found(self) -> Any:
        found = _FOUND if self._bridge.database.is_sqlite else _FOUND.with_for_update()
        return self._session.execute(found, self._identity)

    def _made(self, **values: Any) -> bool:
        """Make the row; False where somebody else has done so meanwhile."""
        fresh = {"id": new_id(), "version": 0, "attempt": 0, "wanted_version": 1, "posted_version": 0}
        return upsert(self._bridge.database, self._session, OutboxRow, fresh | self._identity | values)

    def _wake(self) -> None:
        wake_after(self._session, topic("report", self._identity["project"].partition(":")[0]))


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
    """Make the forge show `wanted`; see `Wish` and its `want`."""
    wish = Wish(bridge, session, project=project, kind=kind, key=key)
    wish.want(wanted, sha=sha, merge_request=merge_request)


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
