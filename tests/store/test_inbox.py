import asyncio
import hashlib
import random
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import select, text, update

from reana_bridge.store.database import Database
from reana_bridge.store.inbox import SAME_BODY_SECONDS, Inbox, InboxFailed, InboxFull, Incoming
from reana_bridge.store.tables import Delivery

Opener = Callable[[], Database]


def incoming(body: bytes = b"{}", *, id: str | None = "d1", forge: str = "f", **more: Any) -> Incoming:
    return Incoming(forge=forge, delivery_id=id, body=body, **more)


def rows(database: Database) -> list[Delivery]:
    with database.read() as session:
        return list(session.execute(select(Delivery).order_by(Delivery.__table__.c.id)).scalars())


@pytest.fixture
def inbox(database: Database) -> Any:
    inbox = Inbox(database)
    inbox.start()
    yield inbox
    inbox.stop()


def test_what_was_acknowledged_is_seen_by_another_process_at_once(open_database: Opener) -> None:
    inbox, other = Inbox(open_database()), open_database()
    inbox.start()
    for number in range(30):
        stored = inbox.put_blocking(incoming(b"%d" % number, id=None))
        assert [row.body for row in rows(other) if row.id == stored.id] == [b"%d" % number]
    inbox.stop()


def test_everything_about_a_delivery_is_kept(database: Database, inbox: Inbox) -> None:
    body = bytes(range(256)) * 40
    headers = {"user-agent": "git ✓ \udcff", "webhook-id": "x"}
    stored = inbox.put_blocking(incoming(body, hook="hand-made", kind="synthetic", headers=headers))
    (row,) = rows(database)
    assert (row.id, row.forge, row.hook, row.kind, row.key) == (
        stored.id,
        "f",
        "hand-made",
        "synthetic",
        "d1",
    )
    assert (row.body, row.size, row.headers) == (body, 10240, headers)
    assert row.digest == hashlib.sha256(body).hexdigest()
    assert row.due_at == row.received_at
    assert (row.decided_at, row.lease_owner, row.version, row.attempt) == (None, None, 0, 0)


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        (incoming(), incoming(), True),
        (incoming(b"one"), incoming(b"another"), True),
        (incoming(id="1"), incoming(id="2"), False),
        (incoming(forge="f"), incoming(forge="g"), False),
        (incoming(id=None), incoming(id=None), True),
        (incoming(b"one", id=None), incoming(b"another", id=None), False),
        (incoming(id=None, forge="f"), incoming(id=None, forge="g"), False),
        (incoming(id=None), incoming(id="1"), False),
    ],
)
def test_the_same_delivery_is_stored_once(
    database: Database, inbox: Inbox, first: Incoming, second: Incoming, same: bool
) -> None:
    one, two = inbox.put_blocking(first), inbox.put_blocking(second)
    assert (one.duplicate, two.duplicate) == (False, same)
    assert (one.id == two.id) is same
    assert len(rows(database)) == (1 if same else 2)


@pytest.mark.parametrize(
    ("id", "age", "duplicate"),
    [
        (None, SAME_BODY_SECONDS - 30, True),
        (None, SAME_BODY_SECONDS + 1, False),
        ("d1", SAME_BODY_SECONDS + 1, True),
        ("d1", 10 * 365 * 86400.0, True),
    ],
)
def test_a_digest_is_remembered_for_ten_minutes_and_an_id_for_ever(
    database: Database, inbox: Inbox, id: str | None, age: float, duplicate: bool
) -> None:
    first = inbox.put_blocking(incoming(id=id))
    with database.transaction() as session:
        aged = update(Delivery).values(received_at=Delivery.__table__.c.received_at - age)
        session.execute(aged)
    again = inbox.put_blocking(incoming(id=id))
    assert again.duplicate is duplicate
    assert (again.id == first.id) is duplicate
    assert len(rows(database)) == (1 if duplicate else 2)
    assert inbox.put_blocking(incoming(id=id)).id == again.id


@pytest.mark.parametrize("id", ["d1", None])
def test_fifty_at_once_over_two_inboxes_are_one_row(open_database: Opener, id: str | None) -> None:
    inboxes = [Inbox(open_database()), Inbox(open_database())]
    for inbox in inboxes:
        inbox.start()
    others = [incoming(b"other %d" % number, id=f"other-{number}") for number in range(50)]
    wanted = [incoming(id=id)] * 50 + others
    random.Random(7).shuffle(wanted)
    barrier = threading.Barrier(20)

    def put(share: int) -> list[Any]:
        barrier.wait()
        return [inboxes[share % 2].put_blocking(each) for each in wanted[share::20]]

    with ThreadPoolExecutor(20) as pool:
        stored = [each for some in pool.map(put, range(20)) for each in some]
    for inbox in inboxes:
        inbox.stop()
    assert sorted(each.duplicate for each in stored) == [False] * 51 + [True] * 49
    found = rows(open_database())
    assert sorted({each.id for each in stored}) == [row.id for row in found]
    assert len(found) == 51


async def test_deliveries_that_wait_together_are_answered_after_one_commit(open_database: Opener) -> None:
    database = open_database()
    inbox = Inbox(database)
    puts = [asyncio.ensure_future(inbox.put(incoming(id=f"d{n}"))) for n in range(100)]
    await asyncio.sleep(0)
    assert inbox.size == 100
    assert rows(database) == []
    inbox.start()
    stored = await asyncio.gather(*puts)
    assert len({each.id for each in stored}) == len(rows(database)) == 100
    inbox.stop()
    if database.is_sqlite:
        assert len({row.received_at for row in rows(database)}) == 1


async def test_a_full_inbox_says_so_at_once_and_takes_again_after(database: Database) -> None:
    inbox = Inbox(database, limit=3)
    waiting = [asyncio.ensure_future(inbox.put(incoming(id=f"d{n}"))) for n in range(3)]
    await asyncio.sleep(0)
    with pytest.raises(InboxFull, match="3 deliveries wait"):
        await inbox.put(incoming(id="d4"))
    inbox.start()
    await asyncio.gather(*waiting)
    assert not (await inbox.put(incoming(id="d4"))).duplicate
    assert len(rows(database)) == 4
    inbox.stop()


async def test_a_sender_that_went_away_is_stored_all_the_same(database: Database) -> None:
    inbox = Inbox(database)
    gone = asyncio.ensure_future(inbox.put(incoming(id="gone")))
    stays = asyncio.ensure_future(inbox.put(incoming(id="stays")))
    await asyncio.sleep(0)
    gone.cancel()
    inbox.start()
    await stays
    again = await inbox.put(incoming(id="gone"))
    inbox.stop()
    assert again.duplicate
    assert len(rows(database)) == 2


REFUSED = ["a NUL \0 in the hook", "half of a surrogate pair \udc00"]


@pytest.mark.parametrize("hook", REFUSED)
async def test_what_the_database_refuses_turns_nobody_else_away(database: Database, hook: str) -> None:
    inbox = Inbox(database)
    puts = [asyncio.ensure_future(inbox.put(incoming(id=f"d{n}"))) for n in range(20)]
    bad = asyncio.ensure_future(inbox.put(incoming(id="bad", hook=hook)))
    puts += [asyncio.ensure_future(inbox.put(incoming(id=f"e{n}"))) for n in range(20)]
    await asyncio.sleep(0)
    inbox.start()
    assert not any(stored.duplicate for stored in await asyncio.gather(*puts))
    if database.is_sqlite and "\0" in hook:
        await bad
    else:
        with pytest.raises(InboxFailed):
            await bad
    assert not (await inbox.put(incoming(id="after"))).duplicate
    inbox.stop()
    assert {row.key for row in rows(database)} >= {"after", *(f"{x}{n}" for x in "de" for n in range(20))}


def test_stop_writes_what_waits_and_then_takes_nothing(open_database: Opener) -> None:
    database = open_database()
    inbox = Inbox(database)
    with ThreadPoolExecutor(300) as pool:
        puts = [pool.submit(inbox.put_blocking, incoming(id=f"d{n}")) for n in range(300)]
        while inbox.size < 300:
            threading.Event().wait(0.01)
        inbox.start()
        inbox.stop()
        assert len({put.result().id for put in puts}) == 300
    assert len(rows(database)) == 300
    with pytest.raises(InboxFailed, match="stops"):
        inbox.put_blocking(incoming(id="late"))
    inbox.stop()


def test_the_writer_survives_a_table_that_is_gone_for_a_while(database: Database, inbox: Inbox) -> None:
    inbox.put_blocking(incoming(id="before"))
    with database.transaction() as session:
        session.execute(text("ALTER TABLE deliveries RENAME TO away"))
    with pytest.raises(InboxFailed, match="deliver"):
        inbox.put_blocking(incoming(id="d2"))
    with database.transaction() as session:
        session.execute(text("ALTER TABLE away RENAME TO deliveries"))
    assert not inbox.put_blocking(incoming(id="d2")).duplicate
    assert inbox.put_blocking(incoming(id="before")).duplicate


def test_a_lost_connection_costs_no_delivery(postgres_url: str) -> None:
    database = Database(postgres_url)
    inbox = Inbox(database)
    inbox.start()
    inbox.put_blocking(incoming(id="before"))
    others = "pid <> pg_backend_pid() AND datname = current_database()"
    with database.transaction() as session:
        session.execute(text(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others}"))
    assert not inbox.put_blocking(incoming(id="after")).duplicate
    inbox.stop()
    database.close()


def test_what_is_stored_wakes_decide(database: Database, inbox: Inbox) -> None:
    database.wake.expect("decide")
    inbox.put_blocking(incoming())
    assert database.wake.wait("decide", 5)
