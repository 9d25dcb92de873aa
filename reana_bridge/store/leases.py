"""Leases: one worker at a time on a row, fenced by owner and version.

A claim sets owner, end and a new version in a short transaction. The work happens outside of it. What is
written back holds only when owner and version are still the claim's; otherwise somebody else took over
and `LeaseLost` tells the worker to drop its outcome. A worker renews while it works, so a lease is short
although work may be long.
"""

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any, TypeVar, cast

from sqlalchemy import ColumnElement, Float, Select, String, Update, bindparam, or_, select, update
from sqlalchemy.orm import Session

from reana_bridge.store.database import Database, process_start, undo_after_rollback
from reana_bridge.store.tables import Delivery, Leased, Lock, OutboxRow, Run
from reana_bridge.store.upsert import upsert

LEASE_SECONDS = 60.0
_AMONG = bindparam("ids", expanding=True, type_=String)
Row = TypeVar("Row", bound=Leased)
LEASED_TABLES: tuple[Any, ...] = (Delivery, Run, OutboxRow)


class LeaseLost(Exception):
    """Somebody else works on this row now: what this worker found out is dropped."""


NOW: Any = bindparam("now", type_=Float)
"""The time by the database's clock, in statements that are put together once and asked often."""


def is_free(table: Any, now: float = NOW) -> ColumnElement[bool]:
    """The condition that nobody works on a row of `table`."""
    return or_(table.lease_until.is_(None), table.lease_until < now)


def due_rows(table: Any, *conditions: ColumnElement[bool], order: Sequence[Any]) -> Select[Any]:
    """The ids of the free rows of `table` that are due at `NOW` and meet `conditions`, in `order`."""
    return select(table.id).where(table.due_at <= NOW, is_free(table), *conditions).order_by(*order)


def claim(
    database: Database,
    session: Session,
    table: type[Row],
    *conditions: ColumnElement[bool],
    order: Sequence[Any],
    limit: int,
    values: dict[str, Any] | None = None,
) -> list[Row]:
    """Take up to `limit` free rows that meet `conditions`, in `order`.

    Args:
        database: Whose clock and owner count.
        session: A write transaction.
        table: One of the leased tables.
        conditions: What makes a row due.
        order: Columns to order by.
        limit: At most so many.
        values: Also set on each row taken.
    """
    kind: Any = table
    chosen = select(kind.id).where(is_free(table), *conditions).order_by(*order)
    return claim_of(database, session, table, chosen, limit=limit, values=values)


def claim_of(
    database: Database,
    session: Session,
    table: type[Row],
    chosen: Select[Any],
    *,
    limit: int,
    values: dict[str, Any] | None = None,
) -> list[Row]:
    """Take up to `limit` of the rows whose ids `chosen` gives, such as `due_rows`; else as `claim`."""
    chosen = chosen.limit(limit)
    if not database.is_sqlite:
        chosen = chosen.with_for_update(skip_locked=True)
    ids = list(session.execute(chosen, {"now": database.now(session)}).scalars())
    return take(database, session, table, ids, values=values)


def take(
    database: Database,
    session: Session,
    table: type[Row],
    ids: Sequence[str],
    *,
    values: dict[str, Any] | None = None,
) -> list[Row]:
    """Take the rows `ids`, which the caller has found free in this very transaction; in that order."""
    if not ids:
        return []
    kind: Any = table
    taking, taken = _statements(kind)
    if values:
        taking = taking.values(**values)
    until = database.now(session) + LEASE_SECONDS
    session.flush()
    session.execute(taking, {"ids": ids, "owner": database.owner, "until": until})
    rows: dict[str, Any] = {row.id: row for row in session.execute(taken, {"ids": ids}).scalars()}
    return [rows[id] for id in ids if id in rows]


@cache
def _statements(table: Any) -> tuple[Update, Select[Any]]:
    """What takes the rows `ids` until the time `until`, and what reads them."""
    columns = table.__table__.c
    taking = update(table.__table__).where(columns.id.in_(_AMONG))
    taking = taking.values(
        lease_owner=bindparam("owner"),
        lease_until=bindparam("until"),
        version=columns.version + 1,
        attempt=columns.attempt + 1,
    )
    return taking, select(table).where(table.id.in_(_AMONG)).execution_options(populate_existing=True)


def save(session: Session, row: Leased, *, release: bool = True, **values: Any) -> None:
    """Write back what the work on a claimed row came to, and give the row back.

    Args:
        session: A write transaction.
        row: As `claim` returned it; brought up to date, and as before if the transaction fails.
        release: Whether the lease ends. If not, the row's next `save` is fenced by the new version.
        values: The columns to set.

    Raises:
        LeaseLost: Another worker owns the row now, or this one has given it back already.
    """
    kind: Any = type(row)
    identity: str = getattr(row, "id")  # noqa: B009 - each leased table has one, their base has none
    if row.lease_owner is None:
        raise LeaseLost(f"{kind.__tablename__} {identity} was given back")
    if release:
        values |= {"lease_owner": None, "lease_until": None}
    values["version"] = row.version + 1
    session.flush()
    fence = {"of_id": identity, "of_version": row.version, "of_owner": row.lease_owner}
    written: Any = session.execute(_fenced(kind, tuple(sorted(values))), fence | values)
    if written.rowcount != 1:
        raise LeaseLost(f"{kind.__tablename__} {identity}")
    before = {name: getattr(row, name) for name in values}
    undo_after_rollback(session, lambda: _set(row, before))
    _set(row, values)


@cache
def _fenced(table: Any, names: tuple[str, ...]) -> Update:
    """What sets the columns `names` of a row that is still the one that was claimed."""
    columns = table.__table__.c
    owned = columns.version == bindparam("of_version"), columns.lease_owner == bindparam("of_owner")
    written = update(table.__table__).where(columns.id == bindparam("of_id"), *owned)
    return written.values({name: bindparam(name) for name in names})


def _set(row: Leased, values: dict[str, Any]) -> None:
    for name, value in values.items():
        setattr(row, name, value)


def renew(database: Database, session: Session, table: Any, ids: Iterable[str]) -> None:
    """Push the end of this process' leases on the rows `ids` out again."""
    session.execute(
        update(table)
        .where(table.id.in_(list(ids)), table.lease_owner == database.owner)
        .values(lease_until=database.now(session) + LEASE_SECONDS)
        .execution_options(synchronize_session=False)
    )


def free_the_dead(database: Database, session: Session) -> int:
    """Free what processes of this host that are gone had claimed; how many rows.

    On SQLite there is one process only, so every lease of another owner is of a dead one. Of other hosts
    nothing is known: their leases run out. So does, at once, that of a row of the outbox: `report` has to
    see that its owner died over it, as what was sent to a forge may still come to be.
    """
    freed = 0
    tables: tuple[Any, ...] = (*LEASED_TABLES, Lock)
    for table in tables:
        owners = session.execute(select(table.lease_owner).where(table.lease_owner.is_not(None)).distinct())
        dead = [owner for owner in owners.scalars() if _is_dead(owner, database)]
        if dead:
            statement = update(table).where(table.lease_owner.in_(dead))
            if table is OutboxRow:
                now = database.now(session)
                held = cast(Any, OutboxRow).lease_until > now
                statement = statement.where(held).values(lease_until=now)
            else:
                statement = statement.values(lease_owner=None, lease_until=None)
            result: Any = session.execute(statement)
            freed += result.rowcount
    return freed


def _is_dead(owner: str, database: Database) -> bool:
    if owner == database.owner:
        return False
    if database.is_sqlite:
        return True
    host, pid, start, _ = owner.split("/")
    return host == database.owner.split("/")[0] and process_start(int(pid)) != int(start)


def lock_key(database: Database, session: Session, key: str) -> None:
    """Let one process at a time go on to this transaction's end; on SQLite all of them do so anyway."""
    if not database.is_sqlite:
        upsert(database, session, Lock, {"key": key})
        session.get_one(Lock, key, with_for_update=True)


def hold(database: Database, key: str, *, seconds: float = 15.0) -> bool:
    """Take or renew the named lock; whether this process holds it now for `seconds`."""
    with database.transaction() as session:
        now = database.now(session)
        upsert(database, session, Lock, {"key": key})
        lock = session.get_one(Lock, key, with_for_update=not database.is_sqlite)
        if lock.lease_owner not in (None, database.owner) and (lock.lease_until or 0) >= now:
            return False
        lock.lease_owner, lock.lease_until = database.owner, now + seconds
        return True


def release(database: Database, key: str) -> None:
    """Give the named lock back, if this process holds it."""
    with database.transaction() as session:
        lock: Any = Lock
        session.execute(
            update(lock)
            .where(lock.key == key, lock.lease_owner == database.owner)
            .values(lease_owner=None, lease_until=None)
            .execution_options(synchronize_session=False)
        )
