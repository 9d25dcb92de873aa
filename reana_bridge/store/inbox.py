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
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import structlog

from reana_bridge.store.database import Database
from reana_bridge.store.ids import new_id
from reana_bridge.store.wake import CHANNEL, topic

SAME_BODY_SECONDS = 600.0
OURS = "!"
"""What the keys of our own findings and orders begin with: no forge's id of a delivery holds it."""

_BATCH = 256
_INSERT = """
    INSERT INTO deliveries (id, forge, hook, kind, key, digest, received_at, headers, body, size, due_at,
                            version, attempt)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, 0) ON CONFLICT (forge, key) DO NOTHING"""
_FORGET = "UPDATE deliveries SET key = NULL WHERE forge = ? AND key = ? AND received_at < ?"
_FIND = "SELECT id FROM deliveries WHERE forge = ? AND key = ?"
_POSTGRES_INSERT = f"{_INSERT} RETURNING id".replace("?", "%s").encode()
_POSTGRES_FORGET = _FORGET.replace("?", "%s").encode()
_POSTGRES_FIND = _FIND.replace("?", "%s").encode()
_log = structlog.get_logger()

if TYPE_CHECKING:
    from psycopg import Connection


class InboxFull(Exception):
    """As many deliveries wait as may; the sender is told to come again."""


class InboxFailed(Exception):
    """The database did not take the delivery; the sender is told to come again."""


@dataclass(frozen=True, kw_only=True)
class Incoming:
    """A verified delivery on its way to disk.

    Attributes:
        forge: The forge's configured name.
        delivery_id: The forge's id for it; None where it sends none.
        body: As received.
        headers: Only harmless ones.
        hook: Which of the forge's hooks; empty for the forge's own.
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
    """A delivery in the queue; `loop` is where its sender waits, None for a thread that does."""

    incoming: Incoming
    id: str
    digest: str
    future: asyncio.Future[Stored] | Future[Stored]
    loop: asyncio.AbstractEventLoop | None
    outcome: Stored | Exception | None = None

    def stored(self, id: str) -> None:
        """Note under which id it is on disk: another than its own is that of the same delivery before it."""
        self.outcome = Stored(id=id, duplicate=id != self.id)

    def settle(self) -> None:
        """Tell the sender, if it still waits."""
        if self.future.done():
            return
        if isinstance(self.outcome, Stored):
            self.future.set_result(self.outcome)
        else:
            self.future.set_exception(self.outcome or InboxFailed("the delivery was not stored"))

    @property
    def name(self) -> tuple[str, str]:
        """What makes it the same delivery: its forge, and its id or digest there."""
        return self.incoming.forge, self.incoming.delivery_id or f"sha256:{self.digest}"

    def values(self, now: float) -> tuple[object, ...]:
        """For the placeholders of the insert."""
        incoming = self.incoming
        headers = json.dumps(dict(incoming.headers))
        size = len(incoming.body)
        hook, kind = incoming.hook, incoming.kind
        forge, key = self.name
        return (self.id, forge, hook, kind, key, self.digest, now, headers, incoming.body, size, now)


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
        self._guard = threading.Lock()
        self._stopping = False
        self._sqlite: sqlite3.Connection | None = None
        self._postgres: Connection | None = None

    @property
    def size(self) -> int:
        """How many deliveries wait to be written."""
        return self._queue.qsize()

    def start(self) -> None:
        """Start the writer."""
        self._thread.start()

    def stop(self) -> None:
        """Write what waits, take nothing more, then end the writer."""
        with self._guard:
            self._stopping = True
        if self._thread.is_alive():
            self._queue.put(None)
            self._thread.join()

    async def put(self, incoming: Incoming) -> Stored:
        """Store a delivery; returns when it is on disk.

        Raises:
            InboxFull: Too many wait.
            InboxFailed: The database refused it, or this process stops.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Stored] = loop.create_future()
        self._enqueue(incoming, future, loop)
        return await future

    def put_blocking(self, incoming: Incoming) -> Stored:
        """The same from a thread, for findings of our own."""
        future: Future[Stored] = Future()
        self._enqueue(incoming, future, None)
        return future.result()

    def _enqueue(
        self,
        incoming: Incoming,
        future: asyncio.Future[Stored] | Future[Stored],
        loop: asyncio.AbstractEventLoop | None,
    ) -> None:
        waiting = _Waiting(incoming, new_id(), hashlib.sha256(incoming.body).hexdigest(), future, loop)
        with self._guard:
            if self._stopping:
                raise InboxFailed("this process stops; send the delivery again to the next one")
            try:
                self._queue.put_nowait(waiting)
            except queue.Full:
                raise InboxFull(f"{self._queue.maxsize} deliveries wait to be written") from None

    def _run(self) -> None:
        ended = False
        while not ended:
            first = self._queue.get()
            batch = [first, *self._more()]
            ended = None in batch
            self._write([waiting for waiting in batch if waiting is not None])
        self._disconnect()

    def _more(self) -> list[_Waiting | None]:
        more: list[_Waiting | None] = []
        try:
            while len(more) < _BATCH:
                more.append(self._queue.get_nowait())
        except queue.Empty:
            return more
        return more

    def _write(self, batch: Sequence[_Waiting]) -> None:
        if not batch:
            return
        # A sender that has gone meanwhile is stored all the same: it will not know, and send again.
        self._store(batch)
        self._database.wake.notify({topic("decide", waiting.incoming.forge) for waiting in batch})
        # One wake-up of a loop for all that wait in it.
        for loop in {waiting.loop for waiting in batch}:
            group = [waiting for waiting in batch if waiting.loop is loop]
            if loop is None:
                _settle(group)
                continue
            try:
                loop.call_soon_threadsafe(_settle, group)
            except RuntimeError:  # the loop has ended, and whoever waited in it
                _log.warning("inbox.nobody_waits", deliveries=len(group))

    def _store(self, batch: Sequence[_Waiting], *, again: bool = True) -> None:
        try:
            self._transact(batch)
        except self._database.failures as error:
            self._disconnect()
            if again:  # the connection may have been cut since the last batch
                self._store(batch, again=False)
            else:
                self._fail(batch, error)
        except Exception as error:
            # Whatever is wrong with one delivery must neither end the writer nor turn the others away.
            self._disconnect()
            if len(batch) == 1:
                self._fail(batch, error)
            else:
                for waiting in batch:
                    self._store([waiting])

    def _fail(self, batch: Sequence[_Waiting], error: Exception) -> None:
        _log.error("inbox.failed", error=str(error).strip(), deliveries=len(batch))
        for waiting in batch:
            waiting.outcome = InboxFailed(f"the database refused the delivery: {error}")

    def _transact(self, batch: Sequence[_Waiting]) -> None:
        if self._database.is_sqlite:
            with self._database.writing():
                self._write_sqlite(self._sqlite or self._connect_sqlite(), batch)
        else:
            self._write_postgres(self._postgres or self._connect_postgres(), batch)

    def _disconnect(self) -> None:
        for connection in (self._sqlite, self._postgres):
            if connection is not None:
                connection.close()
        self._sqlite = self._postgres = None

    def _connect_sqlite(self) -> sqlite3.Connection:
        path = str(self._database.url.database)
        self._sqlite = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=30)
        self._sqlite.execute("PRAGMA synchronous=FULL")
        return self._sqlite

    def _write_sqlite(self, connection: sqlite3.Connection, batch: Sequence[_Waiting]) -> None:
        connection.execute("BEGIN IMMEDIATE")
        try:
            now = time.time()
            for waiting in batch:
                if waiting.incoming.delivery_id is None:
                    connection.execute(_FORGET, (*waiting.name, now - SAME_BODY_SECONDS))
                if connection.execute(_INSERT, waiting.values(now)).rowcount == 1:
                    waiting.stored(waiting.id)
                else:
                    waiting.stored(connection.execute(_FIND, waiting.name).fetchone()[0])
            connection.execute("COMMIT")
        except Exception:
            if connection.in_transaction:
                connection.rollback()
            raise

    def _connect_postgres(self) -> "Connection":
        import psycopg  # not for SQLite: it takes a fifth of a second and 7 MiB

        self._postgres = psycopg.connect(
            self._database.dsn, autocommit=True, options="-c synchronous_commit=on", connect_timeout=10
        )
        return self._postgres

    def _write_postgres(self, connection: "Connection", batch: Sequence[_Waiting]) -> None:
        # In one order everywhere, so that two processes with the same deliveries cannot deadlock.
        ordered = sorted(batch, key=lambda waiting: waiting.name)
        with connection.transaction(), connection.cursor() as cursor:
            clock: Any = cursor.execute("SELECT extract(epoch FROM clock_timestamp())").fetchone()
            now = float(clock[0])
            unnamed = [w.name for w in ordered if w.incoming.delivery_id is None]
            if unnamed:
                cursor.executemany(_POSTGRES_FORGET, [(*name, now - SAME_BODY_SECONDS) for name in unnamed])
            cursor.executemany(_POSTGRES_INSERT, [w.values(now) for w in ordered], returning=True)
            known: list[_Waiting] = []
            for waiting in ordered:
                waiting.stored(waiting.id)
                if cursor.fetchone() is None:
                    known.append(waiting)
                cursor.nextset()
            for waiting in known:
                found: Any = cursor.execute(_POSTGRES_FIND, waiting.name).fetchone()
                waiting.stored(str(found[0]))
            cursor.execute(f"NOTIFY {CHANNEL}")


def _settle(group: Sequence[_Waiting]) -> None:
    for waiting in group:
        waiting.settle()
