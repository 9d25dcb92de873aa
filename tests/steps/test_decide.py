"""Every delivery comes to a decision, also one that nothing can be made of."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from reana_bridge.forges.base import ForgeError
from reana_bridge.model.decisions import Outcome
from reana_bridge.steps.bridge import Bridge
from reana_bridge.steps.decide import GIVE_UP_AFTER, OUTAGE_ATTEMPTS, Decide
from reana_bridge.store.tables import Decision, Delivery
from tests.web.world import make_bridge
from webhooks.events import Push
from webhooks.git import body


class Broken:
    """A forge that answers everything with an error."""

    name, kind = "local", "git"

    def __init__(self, error: Exception) -> None:
        self._error = error

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def fail(*_: object) -> None:
            raise self._error

        return fail


def deliver(bridge: Bridge, *, forge: str = "local", attempt: int = 0) -> None:
    push = Push(project="p/x", ref="refs/heads/main", before=None, after="a" * 40)
    with bridge.database.transaction() as session:
        session.add(
            Delivery(id="d", forge=forge, key="d", received_at=0, due_at=0, attempt=attempt, body=body(push))
        )


def decisions(bridge: Bridge) -> list[tuple[str, str]]:
    with bridge.database.read() as session:
        return [(row.outcome, row.reason) for row in session.execute(select(Decision)).scalars()]


@pytest.mark.parametrize(
    ("error", "attempts"),
    [
        (ForgeError("down"), OUTAGE_ATTEMPTS),
        (KeyError("a defect"), GIVE_UP_AFTER),
        (ValueError("\ud800\x00"), GIVE_UP_AFTER),
    ],
)
def test_it_is_tried_often_and_then_decided_to_be_an_error(
    tmp_path: Path, database_url: str, error: Exception, attempts: int
) -> None:
    forge: Any = Broken(error)
    bridge = replace(make_bridge(tmp_path, database_url), forges={"local": forge})
    step = Decide(bridge)
    deliver(bridge, attempt=attempts - 2)
    (row,) = step.claim(1)
    with pytest.raises(type(error)):
        step.act(row)
    assert decisions(bridge) == []
    with bridge.database.transaction() as session:
        session.get_one(Delivery, "d").lease_until = 0.0
    (row,) = step.claim(1)
    step.act(row)
    ((outcome, reason),) = decisions(bridge)
    assert (outcome, f"{attempts} times" in reason) == (Outcome.ERROR, True)
    assert step.claim(1) == []
    bridge.close()


@pytest.mark.parametrize("kind", ["webhook", "synthetic"])
def test_a_delivery_of_a_forge_that_left_the_settings_is_ignored(
    tmp_path: Path, sqlite_url: str, kind: str
) -> None:
    bridge = make_bridge(tmp_path, sqlite_url)
    deliver(bridge, forge="gone")
    with bridge.database.transaction() as session:
        session.get_one(Delivery, "d").kind = kind
    step = Decide(bridge)
    for row in step.claim(1):
        step.act(row)
    ((outcome, reason),) = decisions(bridge)
    assert (outcome, reason) == (Outcome.IGNORED, "there is no forge gone in the settings any more")
    bridge.close()
