import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text
from sqlmodel import SQLModel

from reana_bridge.store import schema, tables
from reana_bridge.store.database import Database, DatabaseUnusable
from tests.postgres import Postgres


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/bridge.db"
        return
    server: Postgres = request.getfixturevalue("postgres")
    url = server.empty()
    yield url
    server.drop(url)


def test_an_empty_database_is_brought_to_the_head_and_stays_there(empty_url: str) -> None:
    database = Database(empty_url)
    assert schema.current(database) is None
    assert schema.upgrade(database) == (None, schema.HEAD)
    with database.transaction() as session:
        session.add(tables.ProjectRow(name="f:x", seen_at=0.0))
    assert schema.upgrade(database) == (schema.HEAD, schema.HEAD)
    assert schema.current(database) == schema.HEAD
    with database.read() as session:
        assert session.get(tables.ProjectRow, "f:x") is not None
    database.close()


def test_the_migrations_make_exactly_the_tables_that_the_program_knows(database: Database) -> None:
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, SQLModel.metadata) == []


def test_the_head_is_the_newest_migration_and_there_is_one_line_of_them() -> None:
    scripts = ScriptDirectory(str(Path(schema.__file__).parent / "migrations"))
    assert scripts.get_heads() == [schema.HEAD]


def test_a_database_of_a_newer_version_is_refused_and_left_alone(database: Database) -> None:
    with database.transaction() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(DatabaseUnusable, match="revision 9999, which this version"):
        schema.upgrade(database)
    assert schema.current(database) == "9999"


def test_processes_that_upgrade_at_once_do_it_once(postgres: Postgres) -> None:
    url = postgres.empty()
    databases = [Database(url) for _ in range(4)]
    barrier = threading.Barrier(len(databases))
    failed: list[Exception] = []

    def run(database: Database) -> None:
        barrier.wait()
        try:
            schema.upgrade(database)
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=run, args=(database,)) for database in databases]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert schema.current(databases[0]) == schema.HEAD
    for database in databases:
        database.close()
    postgres.drop(url)


def test_nothing_of_a_failed_upgrade_remains(empty_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from alembic.operations import Operations

    database = Database(empty_url)
    create = Operations.create_table

    def break_at(self: Operations, name: str, *columns: object, **more: object) -> object:
        if name == "runs":
            raise OSError("the power went")
        return create(self, name, *columns, **more)

    with monkeypatch.context() as patch:
        patch.setattr(Operations, "create_table", break_at)
        with pytest.raises(OSError, match="the power went"):
            schema.upgrade(database)
    assert schema.upgrade(database)[1] == schema.HEAD
    database.close()
