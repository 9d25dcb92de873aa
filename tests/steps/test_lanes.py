"""Each forge has workers of its own: none takes a row of another, and no row is left to nobody."""

import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, true

from reana_bridge.forges.base import RateLimited
from reana_bridge.model.pauses import PauseKind
from reana_bridge.steps.bridge import Bridge
from reana_bridge.steps.decide import Decide
from reana_bridge.steps.limiting import REST, hold, left_alone
from reana_bridge.steps.pausing import pause_work
from reana_bridge.steps.report import ReportStep
from reana_bridge.steps.runtime import Runtime
from reana_bridge.steps.worker import Worker
from reana_bridge.store.tables import Delivery, OutboxRow
from tests.web.world import make_bridge

FORGES = ("local", "bare", "gone", "Local", "locals")


@pytest.fixture
def bridge(tmp_path: Path, database_url: str) -> Any:
    made = make_bridge(tmp_path, database_url)
    with made.database.transaction() as session:
        for forge in FORGES:
            session.add(Delivery(id=forge, forge=forge, key=forge, received_at=1.0, due_at=1.0))
            session.add(
                OutboxRow(
                    id=forge, project=f"{forge}:p", kind="status", key="k", sha="s", wanted_at=1.0, due_at=1.0
                )
            )
    yield made
    made.close()


@pytest.mark.parametrize("step", [Decide, ReportStep])
@pytest.mark.parametrize(
    ("forge", "taken"),
    [
        ("local", {"local"}),
        ("bare", {"bare"}),
        (REST, {"gone", "Local", "locals"}),
        (None, set(FORGES)),
        ("unheard", set()),
    ],
)
def test_whose_rows_are_taken(bridge: Bridge, step: Any, forge: str | None, taken: set[str]) -> None:
    assert {row.id for row in step(bridge, forge).claim(10)} == taken


@pytest.mark.parametrize("step", [Decide, ReportStep])
@pytest.mark.parametrize("how", ["paused", "limited"])
def test_nothing_of_a_forge_that_is_left_alone_is_taken(bridge: Bridge, step: Any, how: str) -> None:
    if how == "paused":
        pause_work(bridge, PauseKind.FORGE, "local", reason="r", by="me")
    else:
        with bridge.database.transaction() as session:
            hold(bridge, session, "local", RateLimited("r", retry_after=60))
    assert step(bridge, "local").claim(10) == []
    assert [row.id for row in step(bridge, "bare").claim(10)] == ["bare"]
    assert {row.id for row in step(bridge).claim(10)} == {"gone", "Local", "locals"}


@pytest.mark.parametrize(
    ("asked", "least", "most"), [(None, 59, 61), (0.0, 0, 2), (300.0, 299, 301), (1e9, 7199, 7201)]
)
def test_how_long_a_forge_is_left_alone(
    bridge: Bridge, asked: float | None, least: float, most: float
) -> None:
    with bridge.database.transaction() as session:
        now = bridge.database.now(session)
        until = hold(bridge, session, "local", RateLimited("r", retry_after=asked))
        assert least <= until - now <= most
        assert left_alone(session, until - 0.001) == {"local"}
        assert left_alone(session, until + 0.001) == set()


def test_a_shorter_wait_does_not_end_a_longer_one(bridge: Bridge) -> None:
    with bridge.database.transaction() as session:
        longer = hold(bridge, session, "local", RateLimited("long", retry_after=600))
        assert hold(bridge, session, "local", RateLimited("short", retry_after=5)) == longer


def test_a_process_has_workers_for_every_forge_and_for_the_rest(house: Any) -> None:
    names = set(Runtime(house.bridge)._parts)
    expected = {f"{step} {forge}" for step in ("decide", "report") for forge in ("f", "of other forges")}
    assert expected <= names


def test_a_wake_before_the_first_wait_is_not_lost(bridge: Bridge) -> None:
    taken = threading.Event()

    class Once:
        name = "decide x"
        table = Delivery
        mine = true()
        sweeps = 0

        def claim(self, limit: int) -> list[Any]:
            self.sweeps += 1
            if self.sweeps == 1:
                bridge.database.wake.notify(["decide"])  # after the look, before the wait
            else:
                taken.set()
            return []

        def act(self, row: Any) -> None:
            raise AssertionError

    worker = Worker(Once(), bridge.database, size=1, topic="decide/x")
    began = time.monotonic()
    worker.start()
    assert taken.wait(10)
    assert time.monotonic() - began < 10
    worker.stop(1)


class PlainForge:
    """Shows statuses, after it has been let."""

    kind = "plain"
    note_limit = 1000

    def __init__(self, name: str) -> None:
        self.name = name
        self.open = threading.Event()
        self.shown = threading.Event()

    def post_status(self, project: Any, status: Any) -> Any:
        assert self.open.wait(30)
        self.shown.set()
        return {}


def test_a_forge_that_does_not_answer_delays_no_other(bridge: Bridge) -> None:
    slow, fast = PlainForge("local"), PlainForge("bare")
    fast.open.set()
    bridge = replace(bridge, forges={"local": slow, "bare": fast})
    with bridge.database.transaction() as session:
        wanted = {"ref": "r", "context": "c", "state": "pending", "description": "d", "url": "u"}
        for row in session.execute(select(OutboxRow)).scalars():
            row.wanted = wanted
        for number in range(20):  # more than one worker takes at once
            values: dict[str, Any] = {"kind": "status", "key": f"k{number}", "sha": f"s{number}"}
            due: dict[str, Any] = {"wanted_at": 0.5, "due_at": 0.5, "wanted": wanted}
            session.add(OutboxRow(project="local:p", **values, **due))
    workers = [Worker(ReportStep(bridge, name), bridge.database, size=2) for name in bridge.forges]
    for worker in workers:
        worker.start()
    assert fast.shown.wait(30)
    assert not slow.shown.is_set()
    slow.open.set()
    for worker in workers:
        worker.stop(30)
