"""The inbox: many deliveries, one writer, one commit for all that wait.

Promises: `put` answers only after the delivery's transaction is on disk; the same delivery is stored once,
also when it arrives fifty times at once over several processes; a full queue is said at once (`InboxFull`)
instead of growing. A delivery without an id of its own is known by its digest for ten minutes.
"""

import asyncio
import hashlib
import json
import queue
import sqlite3
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field

import psycopg
import structlog

from reana_bridge.store.database import Database
from reana_bridge.store.ids import new_id
from reana_bridge.store.wake import CHANNEL

SAME_BODY_SECONDS = 600.0
_BATCH = 256
_COLUMNS = "id, forge, hook, kind, key, digest, received_at, headers, body, size, due_at, version, attempt"
_log = structlog.get_logger()


class InboxFull(Exception):
    """As many deliveries wait as may; the sender is told to come again."""


class InboxFailed(Exception):
    """The database did not take the delivery; the sender is told to come again."""


@dataclass(frozen=True, kw_only=True)
class Incoming:
    """A verified delivery on its way to disk.

    Attributes:
        forge: The forge's configured name.
        hook: Which of its hooks; empty for the forge's own.
        delivery_id: The forge's id for it; None where it sends none.
        headers: Only harmless ones.
        body: As received.
        kind: `webhook` or `synthetic`.
    """

    forge: str
    delivery_id: str | None
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    hook: str = ""
    kind: str = "webhook"


@dataclass(frozen=True, kw_only=True)
class Stored:
    """What became of a delivery: its id, and whether it had been stored before."""

    id: str
    duplicate: bool


@dataclass(slots=True)
class _Waiting:
    incoming: Incoming
    id: str
    digest: str
    answer: "Callable[[Stored | Exception], None]"
    duplicate: bool = False

    @property
    def key(self) -> str:
        return self.incoming.delivery_id or f"sha256:{self.digest}"


class Inbox:
    """The one writer of deliveries of this process.

    Args:
        database: Where they go.
        limit: How many may wait; beyond it `InboxFull`.
    """

    def __init__(self, database: Database, *, limit: int = 10_000) -> None:
        self._database = database
        self._queue: queue.Queue[_Waiting | None] = queue.Queue(maxsize=limit)
        self._thread = threading.Thread(target=self._run, name="inbox", daemon=True)
        self._sqlite: sqlite3.Connection | None = None
        self._postgres: psycopg.Connection | None = None

    @property
    def size(self) -> int:
        """How many deliveries wait to be written."""
        return self._queue.qsize()

    def start(self) -> None:
        """Start the writer."""
        self._thread.start()

    def stop(self) -> None:
        """Write what waits, then end the writer."""
        if self._thread.is_alive():
            self._queue.put(None)
            self._thread.join()

    async def put(self, incoming: Incoming) -> Stored:
        """Store a delivery; returns when it is on disk.

        Raises:
            InboxFull: Too many wait.
            InboxFailed: The database refused it.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Stored] = loop.create_future()

        def settle(outcome: Stored | Exception) -> None:
            if future.done():
                return
            if isinstance(outcome, Exception):
                future.set_exception(outcome)
            else:
                future.set_result(outcome)

        self._enqueue(incoming, lambda outcome: loop.call_soon_threadsafe(settle, outcome))
        return await future

    def put_blocking(self, incoming: Incoming) -> Stored:
        """The same from a thread, for findings of our own."""
        future: Future[Stored] = Future()

        def settle(outcome: Stored | Exception) -> None:
            if isinstance(outcome, Exception):
                future.set_exception(outcome)
            else:
                future.set_result(outcome)

        self._enqueue(incoming, settle)
        return future.result()

    def _enqueue(self, incoming: Incoming, answer: "Callable[[Stored | Exception], None]") -> None:
        digest = hashlib.sha256(incoming.body).hexdigest()
        try:
            self._queue.put_nowait(_Waiting(incoming, new_id(), digest, answer))
        except queue.Full:
            raise InboxFull(f"{self._queue.maxsize} deliveries wait to be written") from None

    def _run(self) -> None:
        while (first := self._queue.get()) is not None:
            batch = [first]
            ended = False
            while len(batch) < _BATCH:
                try:
                    waiting = self._queue.get_nowait()
                except queue.Empty:
                    break
                if waiting is None:
                    ended = True
                    break
                batch.append(waiting)
            self._write(batch)
            if ended:
                break
        self._disconnect()

    def _write(self, batch: Sequence[_Waiting]) -> None:
        try:
            if self._database.is_sqlite:
                self._write_sqlite(batch)
            else:
                self._write_postgres(batch)
        except (sqlite3.Error, psycopg.Error) as error:
            _log.error("inbox.failed", error=str(error).strip(), deliveries=len(batch))
            self._disconnect()
            for waiting in batch:
                waiting.answer(InboxFailed(f"the database refused the delivery: {error}"))
            return
        for waiting in batch:
            waiting.answer(Stored(id=waiting.id, duplicate=waiting.duplicate))
        self._database.wake.notify(["decide"])

    def _disconnect(self) -> None:
        for connection in (self._sqlite, self._postgres):
            if connection is not None:
                connection.close()
        self._sqlite = self._postgres = None

    def _values(self, waiting: _Waiting, now: float) -> tuple[object, ...]:
        incoming = waiting.incoming
        return (
            waiting.id,
            incoming.forge,
            incoming.hook,
            incoming.kind,
            waiting.key,
            waiting.digest,
            now,
            json.dumps(dict(incoming.headers)),
            incoming.body,
            len(incoming.body),
            now,
            0,
            0,
        )

    def _write_sqlite(self, batch: Sequence[_Waiting]) -> None:
        with self._database.writing():
            connection = self._sqlite or self._connect_sqlite()
            connection.execute("BEGIN IMMEDIATE")
            try:
                for waiting in batch:
                    self._insert_sqlite(connection, waiting, time.time())
            except sqlite3.Error:
                connection.rollback()
                raise
            connection.execute("COMMIT")

    def _connect_sqlite(self) -> sqlite3.Connection:
        self._sqlite = sqlite3.connect(
            str(self._database.url.database), isolation_level=None, check_same_thread=False, timeout=30
        )
        self._sqlite.execute("PRAGMA synchronous=FULL")
        return self._sqlite

    def _insert_sqlite(self, connection: sqlite3.Connection, waiting: _Waiting, now: float) -> None:
        insert = (
            f"INSERT INTO deliveries ({_COLUMNS}) VALUES ({_marks('?')}) ON CONFLICT (forge, key) DO NOTHING"  # noqa: S608, E501
        )
        forge, key = waiting.incoming.forge, waiting.key
        if waiting.incoming.delivery_id is None:
            connection.execute(
                "UPDATE deliveries SET key = NULL WHERE forge = ? AND key = ? AND received_at < ?",
                (forge, key, now - SAME_BODY_SECONDS),
            )
        if connection.execute(insert, self._values(waiting, now)).rowcount != 1:
            found = connection.execute("SELECT id FROM deliveries WHERE forge = ? AND key = ?", (forge, key))
            waiting.id, waiting.duplicate = found.fetchone()[0], True

    def _write_postgres(self, batch: Sequence[_Waiting]) -> None:
        connection = self._postgres or self._connect_postgres()
        insert = (
            f"INSERT INTO deliveries ({_COLUMNS}) VALUES ({_marks('%s')}) ON CONFLICT (forge, key) DO NOTHING"  # noqa: S608, E501
        )
        with connection.transaction(), connection.cursor() as cursor:
            # In one order everywhere, so that two processes with the same deliveries cannot deadlock.
            ordered = sorted(batch, key=lambda waiting: (waiting.incoming.forge, waiting.key))
            now = float(cursor.execute("SELECT extract(epoch FROM clock_timestamp())").fetchone()[0])  # type: ignore[index]
            unnamed = [
                (waiting.incoming.forge, waiting.key, now - SAME_BODY_SECONDS)
                for waiting in ordered
                if waiting.incoming.delivery_id is None
            ]
            if unnamed:
                cursor.executemany(
                    "UPDATE deliveries SET key = NULL WHERE forge = %s AND key = %s AND received_at < %s",
                    unnamed,
                )
            cursor.executemany(
                f"{insert} RETURNING id", [self._values(w, now) for w in ordered], returning=True
            )
            for waiting in ordered:
                waiting.duplicate = cursor.fetchone() is None
                cursor.nextset()
            for waiting in ordered:
                if waiting.duplicate:
                    cursor.execute(
                        "SELECT id FROM deliveries WHERE forge = %s AND key = %s",
                        (waiting.incoming.forge, waiting.key),
                    )
                    waiting.id = str(cursor.fetchone()[0])  # type: ignore[index]
            cursor.execute(f"NOTIFY {CHANNEL}")

    def _connect_postgres(self) -> psycopg.Connection:
        self._postgres = psycopg.connect(
            self._database.dsn, autocommit=True, options="-c synchronous_commit=on", connect_timeout=10
        )
        return self._postgres


def _marks(mark: str) -> str:
    return ", ".join([mark] * (_COLUMNS.count(",") + 1))
