"""One poller for many runs: what is wrong with one run holds up no other."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from reana_bridge.backends.base import BackendError, JobState, Observation
from reana_bridge.model.runs import RunState, Wanted
from reana_bridge.steps.follow import Follow
from reana_bridge.steps.following import differs
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


@dataclass
class Distant:
    """A backend over a network with two accounts, of which one may be in trouble; counts who looks."""

    name: str = "local"
    kind: str = "reana"
    accounts: tuple[str, ...] = ("good", "bad")
    poll_bounds: tuple[float, float] = (0.2, 0.4)
    looks: list[tuple[str, ...]] = field(default_factory=list[tuple[str, ...]])
    state: JobState = JobState.RUNNING

    def follow(self, identities: Sequence[str]) -> dict[str, Observation]:
        self.looks.append(tuple(sorted(identities)))
        if any(one.startswith("bad/") for one in identities):
            raise BackendError("the token is not accepted")
        return {one: Observation(state=self.state, started_at=1.0) for one in identities}

    def cancel(self, identity: str) -> None:
        raise AssertionError(identity)


def put(bridge: Any, *identities: str, **values: Any) -> None:
    with bridge.database.transaction() as session:
        for name in identities:
            session.add(
                Run(
                    id=name, project="local:p", analysis=name, sha="a" * 40, state=RunState.RUNNING,
                    live_key=name, backend="local", backend_id=name, queued_at=1.0, **values,
                )
            )  # fmt: skip


def until(check: Any, seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_accounts_are_followed_each_for_itself(tmp_path: Path, sqlite_url: str) -> None:
    backend: Any = Distant()
    bridge = replace(make_bridge(tmp_path, sqlite_url), backends={"local": backend})
    put(bridge, "good/1", "good/2", "bad/1", "former/1", "goods/1")
    pollers = {name: Follow(bridge, backend, name) for name in ("good", "bad", "")}
    assert pollers["good"].poll() <= 0.5
    with pytest.raises(BackendError):
        pollers["bad"].poll()
    pollers[""].poll()
    assert backend.looks == [("good/1", "good/2"), ("bad/1",), ("former/1", "goods/1")]
    bridge.close()


def test_what_it_stores_lets_it_not_look_at_once(tmp_path: Path, sqlite_url: str) -> None:
    backend: Any = Distant(poll_bounds=(30.0, 60.0))
    bridge = replace(make_bridge(tmp_path, sqlite_url), backends={"local": backend})
    put(bridge, *(f"good/{n}" for n in range(40)))
    follow = Follow(bridge, backend, "good")
    follow.start()

    def stored() -> bool:
        with bridge.database.read() as session:
            return all(run.started_at for run in session.execute(select(Run)).scalars())

    until(stored)
    time.sleep(0.3)
    assert len(backend.looks) == 1
    follow.stop(10)
    bridge.close()


def test_one_process_follows_and_another_takes_over(
    tmp_path: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reana_bridge.steps.follow._OTHERS_SECONDS", 0.05)
    places = [tmp_path / "one", tmp_path / "two"]
    backends: list[Any] = [Distant(), Distant()]
    bridges = []
    for place, backend in zip(places, backends, strict=True):
        place.mkdir()
        bridges.append(replace(make_bridge(place, postgres_url), backends={"local": backend}))
    put(bridges[0], "good/1", started_at=1.0)
    pollers = [Follow(bridge, backend, "good") for bridge, backend in zip(bridges, backends, strict=True)]
    pollers[0].start()
    until(lambda: backends[0].looks)
    pollers[1].start()
    until(lambda: len(backends[0].looks) > 3)
    assert backends[1].looks == []
    pollers[0].stop(10)
    until(lambda: backends[1].looks)
    pollers[1].stop(10)
    for bridge in bridges:
        bridge.close()


@pytest.mark.parametrize(
    ("state", "started_at", "changes"),
    [(JobState.QUEUED, None, True), (JobState.QUEUED, 1.0, False), (JobState.RUNNING, 1.0, True)],
)
def test_a_state_that_goes_back_means_nothing(
    state: JobState, started_at: float | None, changes: bool
) -> None:
    run = Run(project="p", analysis="a", sha="b", queued_at=0.0, started_at=started_at)
    assert differs(run, Observation(state=state, activity="other")) is changes
