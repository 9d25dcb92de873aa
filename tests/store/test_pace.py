"""Processes on one database take moments one after the other, and hold still together."""

from collections.abc import Iterator

import pytest

from reana_bridge.store.database import Database
from reana_bridge.store.pace import SharedPace


@pytest.fixture
def both(postgres_url: str) -> Iterator[tuple[SharedPace, SharedPace]]:
    databases = Database(postgres_url), Database(postgres_url)
    yield SharedPace(databases[0], "reana"), SharedPace(databases[1], "reana")
    for database in databases:
        database.close()


def test_moments_are_taken_in_turns(both: tuple[SharedPace, SharedPace]) -> None:
    one, other = both
    waits = [pace.reserve(100.0, 0.0) for pace in (one, other, one, other)]
    assert [round(wait, -1) for wait in waits] == [0.0, 100.0, 200.0, 300.0]


def test_what_nobody_took_may_be_taken_for_a_while(both: tuple[SharedPace, SharedPace]) -> None:
    one, other = both
    one.hold(-1000.0)
    waits = [pace.reserve(100.0, 250.0) for pace in (one, other, one, other)]
    assert [round(wait, -1) for wait in waits] == [0.0, 0.0, 0.0, 50.0]


def test_nobody_goes_on_while_the_server_wants_to_be_left_alone(both: tuple[SharedPace, SharedPace]) -> None:
    one, other = both
    one.hold(1000.0)
    other.hold(10.0)
    assert round(other.reserve(1.0, 0.0), -1) == 1000.0


def test_each_goes_its_own_way_while_the_database_is_away(sqlite_url: str) -> None:
    class Away(Database):
        def now(self, session: object) -> float:
            from sqlalchemy.exc import OperationalError

            raise OperationalError("SELECT", None, Exception("gone"))

    database = Away(sqlite_url)
    assert SharedPace(database, "reana").reserve(1.0, 0.0) == 0.0
    SharedPace(database, "reana").hold(5.0)
    database.close()
