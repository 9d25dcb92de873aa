"""Nothing stays pending for ever: deadlines of runs in each state."""

import time
from pathlib import Path
from typing import Any

import pytest

from reana_bridge.model.analyses import Analysis
from reana_bridge.model.codec import to_data
from reana_bridge.model.runs import RunState
from reana_bridge.steps.reconcile import Reconcile
from reana_bridge.store.tables import Run
from tests.web.world import make_bridge

LONG_AGO = time.time() - 30 * 86400
RECENTLY = time.time() - 600


@pytest.mark.parametrize(
    ("state", "times", "ends"),
    [
        (RunState.QUEUED, {"queued_at": LONG_AGO}, True),
        (RunState.SUBMITTING, {"queued_at": LONG_AGO}, True),
        (RunState.RUNNING, {"queued_at": LONG_AGO, "started_at": LONG_AGO}, True),
        (RunState.RUNNING, {"queued_at": LONG_AGO}, True),  # its host went before it told of a start
        (RunState.COLLECTING, {"queued_at": LONG_AGO, "backend_ended_at": LONG_AGO}, True),
        (RunState.COMPARING, {"queued_at": LONG_AGO}, True),  # its backend told no time
        (RunState.QUEUED, {"queued_at": RECENTLY}, False),
        (RunState.RUNNING, {"queued_at": RECENTLY}, False),
        (RunState.RUNNING, {"queued_at": LONG_AGO, "started_at": RECENTLY}, False),
        (RunState.COLLECTING, {"queued_at": LONG_AGO, "backend_ended_at": RECENTLY}, False),
    ],
)
def test_a_deadline_ends_what_waits_too_long(
    tmp_path: Path, sqlite_url: str, state: RunState, times: dict[str, Any], ends: bool
) -> None:
    bridge = make_bridge(tmp_path, sqlite_url)
    settings = {"analysis": to_data(Analysis(name="fit", file="reana.yaml", timeout=60.0))}
    with bridge.database.transaction() as session:
        session.add(
            Run(
                id="r", project="local:p", analysis="fit", sha="a" * 40, state=state, live_key="k",
                backend="local", host="elsewhere", settings=settings, **times,
            )
        )  # fmt: skip
    Reconcile(bridge).deadlines()
    with bridge.database.read() as session:
        run = session.get_one(Run, "r")
        assert (run.state, run.live_key) == ((RunState.FAILED, None) if ends else (state, "k"))
    bridge.close()
