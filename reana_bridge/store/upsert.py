"""A row that may be there already, written by one statement; each kind of statement is put together once."""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from reana_bridge.store.database import Database

Where = Callable[[Any], ColumnElement[bool]]
"""Given the columns of what would have been inserted: whether the row that is there is changed."""


def upsert(
    database: Database,
    session: Session,
    table: Any,
    values: Mapping[str, Any],
    *,
    key: Sequence[str] = (),
    change: Sequence[str] = (),
    where: Where | None = None,
) -> bool:
    """Insert a row, or change the one that is there already; whether anything was written.

    Args:
        database: Whose words for it are used.
        session: A write transaction.
        table: One of the tables.
        values: By column; whatever may not be NULL is among them.
        key: The columns by which it is the same row.
        change: Those that a row which is there gets anew; without any it stays as it is.
        where: On which condition it gets them, a function of a module; always without it.
    """
    session.flush()
    statement = _upsert(database.is_sqlite, table, tuple(key), tuple(change), where)
    written: Any = session.execute(statement, dict(values))
    return written.rowcount > 0


@cache
def _upsert(
    is_sqlite: bool, table: Any, key: tuple[str, ...], change: tuple[str, ...], where: Where | None
) -> Any:
    statement: Any = (sqlite if is_sqlite else postgresql).insert(table.__table__)
    # Else psycopg's cursor is closed before it is asked, and says -1 of every INSERT.
    statement = statement.execution_options(preserve_rowcount=True)
    if not change:
        return statement.on_conflict_do_nothing(index_elements=key or None)
    new = statement.excluded
    return statement.on_conflict_do_update(
        index_elements=key, set_={name: new[name] for name in change}, where=where and where(new)
    )
