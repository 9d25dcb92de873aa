from collections.abc import Callable
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import select, text, update

from reana_bridge.store import leases
from reana_bridge.store.database import Database
from reana_bridge.store.leases import LEASE_SECONDS, LeaseLost, claim, free_the_dead, hold, renew, save
from reana_bridge.store.tables import Delivery, Lock, OutboxRow, Run

Opener = Callable[[], Database]
DELIVERY: Any = Delivery
KEYS = ("a", "b", "c")


def fill(database: Database, keys: tuple[str, ...] = KEYS) -> None:
    with database.transaction() as session:
        for number, key in enumerate(keys):
            session.add(Delivery(id=key, forge="f", key=key, received_at=0.0, due_at=float(number)))


def take_all(database: Database, limit: int = 10) -> list[Delivery]:
    with database.transaction() as session:
        due = DELIVERY.due_at <= database.now(session)
        return claim(database, session, Delivery, due, order=[DELIVERY.due_at], limit=limit)


def finish(database: Database, row: Delivery, **values: Any) -> None:
    with database.transaction() as session:
        save(session, row, **values)


def row_of(database: Database, key: str) -> Delivery:
    with database.read() as session:
        return session.get_one(Delivery, key)


def let_time_pass(database: Database, seconds: float) -> None:
    """Leases run by the database's clock, so what moves is every lease's end."""
    with database.transaction() as session:
        session.execute(update(Delivery).values(lease_until=DELIVERY.lease_until - seconds))


def test_a_claim_takes_due_free_rows_in_order_and_up_to_the_limit(open_database: Opener) -> None:
    one, other = open_database(), open_database()
    fill(one)
    first = take_all(one, limit=2)
    assert [row.id for row in first] == ["a", "b"]
    assert [(row.lease_owner, row.version, row.attempt) for row in first] == [(one.owner, 1, 1)] * 2
    assert [row.id for row in take_all(other)] == ["c"]
    assert take_all(one) == take_all(other) == []


def test_what_is_not_due_or_has_no_due_time_is_not_taken(database: Database) -> None:
    fill(database)
    with database.transaction() as session:
        session.execute(update(Delivery).where(DELIVERY.id == "a").values(due_at=None))
        session.execute(update(Delivery).where(DELIVERY.id == "b").values(due_at=4e9))
    assert [row.id for row in take_all(database)] == ["c"]


def test_a_lease_ends_by_the_databases_clock_and_the_late_owner_is_fenced(open_database: Opener) -> None:
    one, other = open_database(), open_database()
    fill(one, ("a",))
    (mine,) = take_all(one)
    with one.read() as session:
        assert abs((mine.lease_until or 0) - one.now(session) - LEASE_SECONDS) < LEASE_SECONDS / 2
    let_time_pass(one, LEASE_SECONDS - 20)
    assert take_all(other) == []
    let_time_pass(one, 21)
    (theirs,) = take_all(other)
    assert (theirs.version, theirs.attempt) == (2, 2)
    with pytest.raises(LeaseLost, match="deliveries a"):
        finish(one, mine, due_at=None)
    finish(other, theirs, due_at=None, decided_at=1.0)
    assert row_of(one, "a").decided_at == 1.0


def test_even_the_same_process_is_fenced_from_its_own_older_claim(database: Database) -> None:
    fill(database, ("a",))
    (old,) = take_all(database)
    let_time_pass(database, LEASE_SECONDS + 1)
    (new,) = take_all(database)
    with pytest.raises(LeaseLost):
        finish(database, old)
    finish(database, new)


def test_progress_is_saved_under_the_same_lease_and_moves_the_fence(database: Database) -> None:
    fill(database, ("a",))
    (row,) = take_all(database)
    finish(database, row, release=False, hook="half-way")
    assert (row.version, row.hook, row.lease_owner) == (2, "half-way", database.owner)
    assert take_all(database) == []
    finish(database, row, due_at=None)
    stored = row_of(database, "a")
    assert (stored.version, stored.hook, stored.lease_owner, stored.lease_until) == (
        3,
        "half-way",
        None,
        None,
    )


def test_a_save_that_is_rolled_back_can_be_made_again(database: Database) -> None:
    fill(database, ("a",))
    (row,) = take_all(database)
    with pytest.raises(RuntimeError), database.transaction() as session:  # noqa: PT012
        save(session, row, hook="never stored", due_at=None)
        raise RuntimeError
    assert (row.version, row.hook, row.lease_owner) == (1, "", database.owner)
    finish(database, row, due_at=5.0)
    assert row_of(database, "a").due_at == 5.0


def test_a_renewal_keeps_ones_own_rows_only(open_database: Opener) -> None:
    one, other = open_database(), open_database()
    fill(one)
    (mine,) = take_all(one, limit=1)
    (theirs,) = take_all(other, limit=1)
    let_time_pass(one, LEASE_SECONDS - 5)
    with one.transaction() as session:
        renew(one, session, Delivery, [mine.id, theirs.id, "c"])
    let_time_pass(one, 10)
    assert [row.id for row in take_all(one)] == ["b", "c"]
    finish(one, mine, due_at=None)


def dead(database: Database, *, host: str | None = None, pid: int = 2**22 + 7) -> str:
    return f"{host or database.owner.split('/')[0]}/{pid}/1/dead"


@pytest.mark.parametrize(
    ("host", "freed_on_postgres"), [(None, True), ("another-host", False)], ids=["this host", "another host"]
)
def test_what_dead_processes_of_this_host_held_is_free_at_once(
    open_database: Opener, host: str | None, freed_on_postgres: bool
) -> None:
    one, other = open_database(), open_database()
    owner = dead(one, host=host)
    fill(one)
    held = {"lease_owner": owner, "lease_until": 4e9}
    with one.transaction() as session:
        session.execute(update(Delivery).where(DELIVERY.id == "a").values(held))
        session.add(Lock(key="k", **held))
    (alive,) = take_all(other, limit=1)
    with one.transaction() as session:
        freed = free_the_dead(one, session)
    if one.is_sqlite:  # one process only: whoever else holds a lease cannot live
        assert freed == 3
        return
    assert freed == (2 if freed_on_postgres else 0)
    assert [row.id for row in take_all(one)] == (["a", "c"] if freed_on_postgres else ["c"])
    assert hold(one, "k") is freed_on_postgres
    finish(other, alive, due_at=None)


def test_who_died_over_a_row_of_the_outbox_is_known_until_somebody_looks(database: Database) -> None:
    owner = dead(database)
    row = OutboxRow(id="o", project="f:a/x", kind="note", key="!1", sha="a" * 40, wanted_at=1.0)
    row.lease_owner, row.lease_until = owner, 4e9
    with database.transaction() as session:
        session.add(row)
    with database.transaction() as session:
        assert free_the_dead(database, session) == 1
        now = database.now(session)
    with database.transaction() as session:
        assert free_the_dead(database, session) == 0, "its end stays as it is"
        found = session.get_one(OutboxRow, "o")
        assert (found.lease_owner, found.lease_until) == (owner, pytest.approx(now, abs=60))


def test_every_leased_table_is_freed() -> None:
    assert set(leases.LEASED_TABLES) == {Delivery, Run, OutboxRow}


def test_a_named_lock_has_one_holder_until_it_ends(open_database: Opener) -> None:
    one, other = open_database(), open_database()
    assert hold(one, "k")
    assert not hold(other, "k")
    assert hold(other, "another")
    assert hold(one, "k"), "the holder renews"
    with one.transaction() as session:
        session.execute(update(Lock).values(lease_until=1.0))
    assert hold(other, "k")
    assert not hold(one, "k")


class OneOwner(RuleBasedStateMachine):
    """Several processes claim, work, renew, die and come late, while time passes.

    The model: whose latest claim of a row has not ended owns it. Nobody else's outcome is ever stored.
    """

    processes: ClassVar[list[Database]]

    @initialize()
    def start(self) -> None:
        with self.processes[0].transaction() as session:
            session.execute(text("DELETE FROM deliveries"))
        fill(self.processes[0])
        self.hands: list[tuple[int, Delivery]] = []
        self.owner: dict[str, tuple[int, Delivery] | None] = dict.fromkeys(KEYS)
        self.left: dict[str, float] = dict.fromkeys(KEYS, 0.0)
        self.done: dict[str, list[int]] = {key: [] for key in KEYS}

    @rule(who=st.integers(0, 2), limit=st.integers(1, 3))
    def claim(self, who: int, limit: int) -> None:
        free = [key for key in KEYS if self.owner[key] is None or self.left[key] < 0]
        rows = take_all(self.processes[who], limit)
        assert [row.id for row in rows] == free[:limit]
        for row in rows:
            self.hands.append((who, row))
            self.owner[row.id], self.left[row.id] = (who, row), LEASE_SECONDS

    @rule(data=st.data(), release=st.booleans())
    def write(self, data: st.DataObject, release: bool) -> None:
        if not self.hands:
            return
        who, row = data.draw(st.sampled_from(self.hands))
        held = self.owner[row.id]
        number = len(self.done[row.id]) + 1
        try:
            finish(self.processes[who], row, release=release, size=number)
        except LeaseLost:
            assert held is None or held[1] is not row
            return
        # A lease that has run out, but that nobody took over, still holds: the row is as it was claimed.
        assert held is not None
        assert held[1] is row
        self.done[row.id].append(number)
        if release:
            self.owner[row.id] = None

    @rule(who=st.integers(0, 2))
    def renew(self, who: int) -> None:
        with self.processes[who].transaction() as session:
            renew(self.processes[who], session, Delivery, list(KEYS))
        for key, held in self.owner.items():
            if held is not None and held[0] == who:
                self.left[key] = LEASE_SECONDS

    # Never close to a lease's end: the real clock goes on between the steps.
    @rule(leases=st.sampled_from([0.4, 1.4]))
    def pass_time(self, leases: float) -> None:
        let_time_pass(self.processes[0], leases * LEASE_SECONDS)
        for key in KEYS:
            self.left[key] -= leases * LEASE_SECONDS

    @rule(who=st.integers(0, 2))
    def crash(self, who: int) -> None:
        """Its memory is gone, its leases stay until they end."""
        self.hands = [(other, row) for other, row in self.hands if other != who]

    @invariant()
    def each_outcome_is_the_owners_last(self) -> None:
        if not hasattr(self, "done"):
            return
        with self.processes[0].read() as session:
            for row in session.execute(select(Delivery)).scalars():
                assert row.size == (self.done[row.id][-1] if self.done[row.id] else 0)
                held = self.owner[row.id]
                assert row.lease_owner == (self.processes[held[0]].owner if held else None)


def test_no_row_ever_has_two_owners(open_database: Opener, soak: bool) -> None:
    class Machine(OneOwner):
        processes: ClassVar[list[Database]] = [open_database() for _ in range(3)]

    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=300 if soak else 15,
            stateful_step_count=40 if soak else 20,
            derandomize=not soak,
            suppress_health_check=list(HealthCheck),
        ),
    )
