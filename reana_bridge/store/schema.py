"""The database's schema: brought up to date by Alembic, at each start and by `reana-bridge db upgrade`."""

from pathlib import Path

from sqlalchemy import inspect, text

from reana_bridge.store.database import Database, DatabaseUnusable

HEAD = "0007"
"""The newest revision under `migrations/versions`."""

_LOCK = 7_264_190_511


def current(database: Database) -> str | None:
    """The revision that the database is at; None for an empty one."""
    with database.engine.connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        return connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()


def upgrade(database: Database) -> tuple[str | None, str]:
    """Bring the database to `HEAD`; the revision before and after. One process at a time does so.

    Raises:
        DatabaseUnusable: The database is newer than this program.
    """
    before = current(database)
    if before == HEAD:
        return before, HEAD
    # Imported here: a start with nothing to do should not pay for it.
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    known = {revision.revision for revision in ScriptDirectory.from_config(config).walk_revisions()}
    if before is not None and before not in known:
        raise DatabaseUnusable(
            f"the database is at revision {before}, which this version of reana-bridge does not know: "
            "it was upgraded by a newer one. Install that one, or restore the backup made before."
        )
    with database.engine.connect() as connection:
        if not database.is_sqlite:
            connection.execute(text(f"SELECT pg_advisory_lock({_LOCK})"))
            connection.commit()
        try:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
        finally:
            if not database.is_sqlite:
                connection.rollback()
                connection.execute(text(f"SELECT pg_advisory_unlock({_LOCK})"))
                connection.commit()
    return before, HEAD
