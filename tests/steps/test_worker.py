"""What a worker makes of a step that fails: the row comes back later, and the log says why in few words."""

import time
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import true
from structlog.testing import capture_logs

from reana_bridge.backends.base import BackendError
from reana_bridge.forges.base import ForgeError
from reana_bridge.steps.worker import SWEEP_SECONDS, Worker
from reana_bridge.store.leases import claim
from reana_bridge.store.tables import Delivery
from tests.web.world import make_bridge


class Failing:
    """A step that fails at each row in one way."""

    name = "failing"
    table: Any = Delivery
    mine = true()

    def __init__(self, database: Any, error: Exception) -> None:
        self._database, self._error = database, error

    def claim(self, limit: int) -> list[Any]:
        with self._database.transaction() as session:
            due = Delivery.due_at <= self._database.now(session)  # type: ignore[operator]
            return claim(self._database, session, Delivery, due, order=[Delivery.id], limit=limit)

    def act(self, row: Any) -> None:
        raise self._error


class Counting:
    """A step of which nothing can be had, whatever is due."""

    name = "counting"
    table: Any = Delivery
    mine = Delivery.forge == "local"

    def __init__(self) -> None:
        self.claims = 0

    def claim(self, limit: int) -> list[Any]:
        self.claims += 1
        return []

    def act(self, row: Any) -> None:
        raise AssertionError


@pytest.mark.parametrize(
    ("row", "claims", "least", "most"),
    [
        ({"due_at": 1.0}, 1, SWEEP_SECONDS, SWEEP_SECONDS),
        ({"due_at": None}, 0, SWEEP_SECONDS, SWEEP_SECONDS),
        ({"due_at": time.time() + 1e6}, 0, 1e5, 1e6),
        ({"due_at": 1.0, "forge": "another"}, 0, SWEEP_SECONDS, SWEEP_SECONDS),
        ({"due_at": 1.0, "lease_owner": "o", "lease_until": time.time() + 1e6}, 0, *2 * [SWEEP_SECONDS]),
        ({"due_at": 1.0, "lease_owner": "o", "lease_until": 1.0}, 1, SWEEP_SECONDS, SWEEP_SECONDS),
    ],
)
def test_rows_are_claimed_only_where_one_is_due(
    tmp_path: Path, database_url: str, row: dict[str, Any], claims: int, least: float, most: float
) -> None:
    bridge = make_bridge(tmp_path, database_url)
    with bridge.database.transaction() as session:
        session.add(Delivery(**{"id": "d", "forge": "local", "key": "d", "received_at": 1.0, **row}))
    step = Counting()
    assert least <= Worker(step, bridge.database, size=1)._sweep() <= most
    assert step.claims == claims
    bridge.close()


@pytest.mark.parametrize(
    ("error", "event", "least"),
    [
        (ForgeError("the token has ended"), "step.again", 0.5),
        (ForgeError("busy", retry_after=120.0), "step.again", 100.0),
        (BackendError("no disk"), "step.again", 0.5),
        (KeyError("a defect"), "step.failed", 0.5),
    ],
)
def test_what_fails_is_tried_later(
    tmp_path: Path, sqlite_url: str, error: Exception, event: str, least: float
) -> None:
    bridge = make_bridge(tmp_path, sqlite_url)
    with bridge.database.transaction() as session:
        session.add(Delivery(id="d", forge="local", key="d", received_at=1.0, due_at=1.0))
    worker = Worker(Failing(bridge.database, error), bridge.database, size=1)
    with capture_logs() as logs:
        worker.start()
        until = time.monotonic() + 30
        while not logs and time.monotonic() < until:
            time.sleep(0.01)
        worker.stop(10)
    (first, *_) = logs
    assert (first["event"], "exc_info" in first) == (event, event == "step.failed")
    assert event == "step.failed" or str(error) in first["error"]
    with bridge.database.read() as session:
        row = session.get_one(Delivery, "d")
        assert row.decided_at is None
        assert row.due_at is not None
        assert row.due_at >= bridge.database.now(session) + least - 1
    bridge.close()
