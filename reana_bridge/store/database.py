"""One database holds everything: SQLite for one process, PostgreSQL for any number.

Promises: a committed transaction is on disk (SQLite `synchronous=FULL`, PostgreSQL `synchronous_commit=on`);
write transactions on SQLite queue on one lock of the process instead of failing as busy; a second process
on the same SQLite file is refused.
"""

import fcntl
import os
import socket
import sqlite3
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import PendingRollbackError
from sqlalchemy.orm import Session

from reana_bridge.store.ids import new_id
from reana_bridge.store.wake import CHANNEL, Listener, Wake

_PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA busy_timeout=30000",
    "PRAGMA foreign_keys=ON",
    "PRAGMA cache_size=-8000",
)


class DatabaseUnusable(Exception):
    """The database cannot be used as configured; the message says what to do."""


def process_identity() -> str:
    """Names this process among all that share a database: `host/pid/start/random`."""
    return f"{socket.gethostname()}/{os.getpid()}/{process_start(os.getpid()) or 0}/{new_id()[-8:]}"


def process_start(pid: int) -> int | None:
    """When the process started, in clock ticks since boot; None when there is none of that pid."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as stat:
            return int(stat.read().rpartition(")")[2].split()[19])
    except (FileNotFoundError, ProcessLookupError):
        return None


class Database:
    """Transactions on the one database, and the wakes that follow a commit.

    Args:
        url: `sqlite:///PATH` or `postgresql://...`.
        exclusive: Whether to refuse a SQLite file that another process has open exclusively.
    """

    def __init__(self, url: str, *, exclusive: bool = False) -> None:
        self.url = make_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self.owner = process_identity()
        self.wake = Wake()
        self._lock = threading.Lock()
        self._listener: Listener | None = None
        self._exclusive: IO[str] | None = None
        if self.is_sqlite:
            path = Path(self.url.database or "")
            path.parent.mkdir(parents=True, exist_ok=True)
            self._exclusive = _lock_file(path) if exclusive else None
            self.engine = _sqlite_engine(url)
        else:
            self.url = self.url.set(drivername="postgresql+psycopg")
            self.engine = create_engine(
                self.url,
                pool_size=12,
                max_overflow=20,
                hide_parameters=True,  # else a failed statement takes the keys in links into the log
                pool_pre_ping=True,
                connect_args={"options": "-c synchronous_commit=on -c timezone=UTC", "connect_timeout": 10},
            )
        self._writer = self.engine.execution_options(bridge_write=True)

    @property
    def failures(self) -> tuple[type[Exception], ...]:
        """What the driver itself raises when the database cannot be used now."""
        if self.is_sqlite:
            return (sqlite3.OperationalError,)
        import psycopg

        return (psycopg.OperationalError,)

    @property
    def dsn(self) -> str:
        """The connection string for psycopg itself."""
        return self.url.set(drivername="postgresql").render_as_string(hide_password=False)

    @contextmanager
    def transaction(self) -> Generator[Session, None, None]:
        """A write transaction: committed at the end of the block, rolled back when it raises.

        Topics put into `session.info["wake"]` by `wake_after` are notified after the commit.
        """
        if self.is_sqlite:
            with self._lock:
                yield from self._transaction()
        else:
            yield from self._transaction()

    def _transaction(self) -> Generator[Session, None, None]:
        with Session(self._writer, expire_on_commit=False) as session:
            topics: set[str] = session.info.setdefault("wake", set())
            undo: list[Callable[[], None]] = session.info.setdefault("undo", [])
            try:
                with session.begin(), _given_back_whole(session):
                    yield session
                    session.flush()
                    if topics and not self.is_sqlite:
                        session.execute(text(f"NOTIFY {CHANNEL}"))
            except BaseException:
                for restore in reversed(undo):
                    restore()
                raise
        self.wake.notify(topics)

    @contextmanager
    def writing(self) -> Generator[None, None, None]:
        """Hold the process' write lock around a transaction on a connection of one's own (SQLite only)."""
        with self._lock:
            yield

    @contextmanager
    def read(self) -> Generator[Session, None, None]:
        """A session that only reads."""
        with Session(self.engine, expire_on_commit=False) as session, _given_back_whole(session):
            yield session

    def now(self, session: Session | Connection) -> float:
        """UTC seconds since the epoch by the database's clock."""
        if self.is_sqlite:
            return time.time()
        return float(session.execute(text("SELECT extract(epoch FROM clock_timestamp())")).scalar_one())

    def listen(self) -> None:
        """Hear the commits of other processes from now on (nothing to do on SQLite)."""
        if not self.is_sqlite and self._listener is None:
            self._listener = Listener(self.dsn, self.wake)
            self._listener.start()

    def close(self) -> None:
        """Give everything back."""
        if self._listener:
            self._listener.stop()
        self.engine.dispose()
        if self._exclusive:
            self._exclusive.close()


@contextmanager
def _given_back_whole(session: Session) -> Generator[None, None, None]:
    """Throw a connection away that an interruption (Ctrl-C) left in the middle of a statement.

    In the pool it would keep its old view of a SQLite database, and its next user would find that locked.
    """
    try:
        yield
    except Exception:
        raise
    except BaseException:
        # SQLite keeps a closed connection's transaction as long as one of its statements is held.
        with suppress(PendingRollbackError):  # a flush that was cut off has rolled back itself
            session.connection().connection.rollback()
        session.invalidate()
        raise


def wake_after(session: Session, *topics: str) -> None:
    """Notify the steps `topics` once this transaction has been committed."""
    session.info.setdefault("wake", set()).update(topics)


def undo_after_rollback(session: Session, restore: Callable[[], None]) -> None:
    """Call `restore` if this transaction fails: for what outlives it and was brought up to date in it."""
    session.info.setdefault("undo", []).append(restore)


def _lock_file(path: Path) -> IO[str]:
    lock = open(f"{path}.lock", "a+", encoding="ascii")  # noqa: SIM115 - held open for the process' life
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        raise DatabaseUnusable(
            f"{path} is in use by another reana-bridge process. SQLite serves one process: stop the other "
            "one, or set database.url to a PostgreSQL database to run several."
        ) from None
    return lock


def _sqlite_engine(url: str) -> Engine:
    engine = create_engine(
        url,
        connect_args={"check_same_thread": False, "isolation_level": None},
        pool_size=12,
        max_overflow=20,
        hide_parameters=True,
    )

    def prepare(connection: Any, _record: Any) -> None:
        for pragma in _PRAGMAS:
            connection.execute(pragma)

    def begin(connection: Connection) -> None:
        write = connection.get_execution_options().get("bridge_write")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")

    event.listen(engine, "connect", prepare)
    event.listen(engine, "begin", begin)
    return engine
