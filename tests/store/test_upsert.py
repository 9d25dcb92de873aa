"""A row that may be there already: written or not, and the caller is told which."""

from typing import Any, cast

import pytest
from sqlalchemy import ColumnElement, select

from reana_bridge.store.database import Database
from reana_bridge.store.tables import Head
from reana_bridge.store.upsert import upsert

head = cast(Any, Head)


def is_no_older(told: Any) -> ColumnElement[bool]:
    return head.seen_at <= told.seen_at


def put(database: Database, sha: str, seen_at: float, **how: Any) -> bool:
    values = {"project": "local:demo/x", "ref": "refs/heads/b", "sha": sha, "seen_at": seen_at}
    with database.transaction() as session:
        return upsert(database, session, Head, values, **how)


def stored(database: Database) -> str:
    with database.read() as session:
        return session.execute(select(head.sha)).scalar_one()


ON = {"key": ["project", "ref"], "change": ["sha", "seen_at"]}


@pytest.mark.parametrize(
    ("how", "seen_at", "written"),
    [
        pytest.param({}, 3.0, False, id="there already: stays"),
        pytest.param(ON, 1.0, True, id="changed always"),
        pytest.param(ON | {"where": is_no_older}, 3.0, True, id="changed: newer"),
        pytest.param(ON | {"where": is_no_older}, 2.0, True, id="changed: as old"),
        pytest.param(ON | {"where": is_no_older}, 1.0, False, id="not changed: older"),
    ],
)
def test_it_says_whether_anything_was_written(
    database: Database, how: dict[str, Any], seen_at: float, written: bool
) -> None:
    assert put(database, "before", 2.0, **how)
    assert put(database, "after", seen_at, **how) is written
    assert stored(database) == ("after" if written else "before")
