"""One poller for many runs: what is wrong with one run holds up no other."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from reana_bridge.backends.base import BackendError, JobState, Observation
from reana_bridge.model.runs import RunState, Wanted
from reana_bridge.steps.follow import Follow
from reana_bridge.store.tables import Run
from tests.web.world import make_bridge


@dataclass
class Backend:
    """Knows the jobs that it was told; cannot cancel `stubborn`."""

    jobs: dict[str, Observation]
    error: Exception
    name: str = "local"
    kind: str = "local"
    cancelled: list[str] = field(default_factory=list[str])

    def follow(self, identities: Sequence[str]) -> dict[str, Observation]:
        return {identity: self.jobs[identity] for identity in identities}

    def cancel(self, identity: str) -> None:
        if identity == "stubborn":
            raise self.error
        self.cancelled.append(identity)


@pytest.mark.parametrize("error", [BackendError("not now"), OSError(28, "the disk is full"), KeyError("x")])
def test_a_run_that_cannot_be_cancelled_holds_up_no_other(
    tmp_path: Path, sqlite_url: str, error: Exception
) -> None:
    now = time.time()
    jobs = {
        "stubborn": Observation(state=JobState.RUNNING, started_at=now),
        "tame": Observation(state=JobState.RUNNING, started_at=now),
        "ended": Observation(state=JobState.FINISHED, started_at=now, ended_at=now),
    }
    backend: Any = Backend(jobs, error)
    bridge = replace(make_bridge(tmp_path, sqlite_url), backends={"local": backend})
    with bridge.database.transaction() as session:
        for name in jobs:
            wanted = Wanted.RUN if name == "ended" else Wanted.CANCEL
            session.add(
                Run(
                    id=name, project="local:p", analysis=name, sha="a" * 40, state=RunState.RUNNING,
                    wanted=wanted, live_key=name, backend="local", backend_id=name, host="here",
                    queued_at=now, started_at=now,
                )
            )  # fmt: skip
    follow = Follow(bridge, backend)
    follow.start()
    deadline = time.monotonic() + 20
    state, sent = "", False
    while time.monotonic() < deadline and (state != RunState.COLLECTING or not sent):
        time.sleep(0.02)
        with bridge.database.read() as session:
            state, sent = session.get_one(Run, "ended").state, session.get_one(Run, "tame").cancel_sent
    follow.stop(10)
    assert (state, sent, backend.cancelled) == (RunState.COLLECTING, True, ["tame"])
    bridge.close()
