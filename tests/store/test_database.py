import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from reana_bridge.store.database import Database, process_start, wake_after
from reana_bridge.store.tables import ProjectRow

Opener = Callable[[], Database]


def put(session: Session, name: str = "f:x") -> None:
    session.add(ProjectRow(name=name, seen_at=0.0))


def names(database: Database) -> list[str]:
    with database.read() as session:
        return list(session.execute(text("SELECT name FROM projects ORDER BY name")).scalars())


def test_a_transaction_is_committed_at_its_end_and_seen_by_others(open_database: Opener) -> None:
    one, other = open_database(), open_database()
    with one.transaction() as session:
        put(session)
        session.flush()
        assert names(other) == []
    assert names(other) == ["f:x"]


def test_a_transaction_that_raises_leaves_nothing_and_wakes_nobody(database: Database) -> None:
    with pytest.raises(RuntimeError), database.transaction() as session:  # noqa: PT012
        put(session)
        wake_after(session, "decide")
        raise RuntimeError
    assert names(database) == []
    assert not database.wake.wait("decide", 0)


WAITERS = ("submit", "follow/local", "report/a", "report/b", "report/")


@pytest.mark.parametrize(
    ("topics", "woken"),
    [
        (["submit"], {"submit"}),
        (["submit/a"], {"submit"}),
        (["submit", "follow"], {"submit", "follow/local"}),
        (["report"], {"report/a", "report/b", "report/"}),
        (["report/a"], {"report/a"}),
        (["report/"], {"report/"}),
        (["report/gone"], {"report/a", "report/b", "report/"}),
        (["nobody", "nobody/a"], set()),
    ],
)
def test_a_commit_wakes_who_waits_for_the_topic(
    database: Database, topics: list[str], woken: set[str]
) -> None:
    for waiter in WAITERS:
        database.wake.expect(waiter)
    with database.transaction() as session:
        put(session)
        wake_after(session, *topics)
    assert {waiter for waiter in WAITERS if database.wake.wait(waiter, 0)} == woken
    assert not any(database.wake.wait(waiter, 0) for waiter in WAITERS), "a wake is told once"


def test_a_commit_wakes_other_processes_on_postgresql(postgres_url: str) -> None:
    one, other = Database(postgres_url), Database(postgres_url)
    other.wake.expect("decide")
    other.listen()
    try:
        assert other.wake.wait("decide", 10), "after it connected"
        with one.transaction() as session:
            put(session)
            wake_after(session, "decide")
        assert other.wake.wait("decide", 10)
    finally:
        one.close()
        other.close()


@pytest.mark.parametrize("how", ["read", "transaction"])
def test_what_an_interruption_left_in_the_middle_stands_in_nobodys_way(
    open_database: Opener, how: str
) -> None:
    ours, others = open_database(), open_database()
    cut_off: list[object] = []

    def add(database: Database, *added: str) -> None:
        with database.transaction() as session:
            for name in added:
                put(session, name)

    def read_one_of_two() -> None:
        with getattr(ours, how)() as session:
            found = session.connection().connection.cursor()
            found.execute("SELECT name FROM projects")
            cut_off.append((found, found.fetchone()))
            raise KeyboardInterrupt

    add(ours, "f:a", "f:b")
    with pytest.raises(KeyboardInterrupt):
        read_one_of_two()
    add(others, "f:c")
    add(ours, "f:d")
    assert names(ours) == ["f:a", "f:b", "f:c", "f:d"]


def test_an_interruption_while_writing_leaves_nothing(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), database.transaction() as session:  # noqa: PT012
        put(session)
        monkeypatch.setattr(session, "_flush", interrupt)
    assert names(database) == []
    with database.transaction() as session:
        put(session, "f:y")
    assert names(database) == ["f:y"]


def test_writers_queue_instead_of_failing_as_busy(database: Database) -> None:
    with database.transaction() as session:
        put(session)

    def add() -> None:
        for _ in range(10):
            with database.transaction() as session:
                session.execute(text("UPDATE projects SET key_generation = key_generation + 1"))

    threads = [threading.Thread(target=add) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.read() as session:
        assert session.get_one(ProjectRow, "f:x").key_generation == 61


@pytest.mark.parametrize(
    ("pragma", "value"),
    [("journal_mode", "wal"), ("synchronous", 2), ("foreign_keys", 1), ("busy_timeout", 30_000)],
)
def test_sqlite_is_set_to_keep_what_it_committed(sqlite_url: str, pragma: str, value: object) -> None:
    database = Database(sqlite_url)
    with database.read() as session:
        assert session.execute(text(f"PRAGMA {pragma}")).scalar_one() == value
    database.close()


def test_postgresql_is_set_to_keep_what_it_committed(postgres_url: str) -> None:
    database = Database(postgres_url)
    with database.read() as session:
        assert session.execute(text("SHOW synchronous_commit")).scalar_one() == "on"
        assert session.execute(text("SHOW timezone")).scalar_one() == "UTC"
    database.close()


def test_a_second_server_on_a_sqlite_file_is_refused_and_a_command_beside_it_is_not(sqlite_url: str) -> None:
    first = Database(sqlite_url, exclusive=True)
    program = "import sys; from reana_bridge.store.database import *; Database(sys.argv[1], exclusive=True)"
    second = subprocess.run([sys.executable, "-c", program, sqlite_url], capture_output=True, text=True)
    assert "is in use by another reana-bridge process" in second.stderr
    Database(sqlite_url).close()
    first.close()
    Database(sqlite_url, exclusive=True).close()


def test_the_file_of_a_new_sqlite_database_is_made_with_its_directory(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/a/b/bridge.db")
    with database.transaction() as session:
        session.execute(text("CREATE TABLE x (y)"))
    database.close()
    assert (tmp_path / "a/b/bridge.db").exists()


def test_a_process_is_known_by_pid_and_start() -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    assert process_start(child.pid)
    child.communicate(b"\n")
    assert process_start(child.pid) is None
