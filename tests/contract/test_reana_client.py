"""Every request of our REANA backend, and every answer that it reads, against the published descriptions."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from reana_bridge.backends.base import BackendError, BackendRefused, Job, JobState, Limits
from reana_bridge.backends.reana import Account, ReanaSettings
from reana_bridge.backends.reana.backend import ReanaBackend
from reana_bridge.model.reana_yaml import parse
from reana_bridge.model.restarts import Restart
from reana_bridge.testing.reana import FakeReana, How, Plan
from tests.contract.openapi import Contract

TEXT = """
inputs: {files: [in.txt], directories: [data], parameters: {word: hello}, options: {CACHE: 'off'}}
workflow:
  type: serial
  specification:
    steps:
      - {name: copy, environment: 'python:3.11', commands: ['mkdir out; cat in.txt > out/copy.txt']}
      - {name: say, environment: 'python:3.11', commands: ['echo ${word} > out/a.txt']}
outputs: {files: [out/a.txt], directories: [out]}
workspace: {retention_days: {'out/*.tmp': 3}}
"""
FILES = {"in.txt": b"input", "data/a b.bin": bytes(2000), "data/empty": b"", "other": b"x"}


class Bridge:
    """Our backend on a watched fake."""

    def __init__(self, fake: FakeReana, scratch: Path) -> None:
        self.fake, self.user = fake, fake.user()
        account = Account(name="default", token=self.user.token)
        settings = ReanaSettings(
            url=fake.url, accounts=(account,), scratch=scratch, tag="0a1b2c3d", rate=1000.0, timeout=10.0
        )
        self.backend = ReanaBackend("reana", settings=settings, load=lambda job, root: None)

    def submit(self, name: str, restart: Restart | None = None, **parameters: str) -> str:
        specification, _ = parse(TEXT, parameters=parameters)
        job = Job(
            name=name,
            run_id=name,
            sha="0" * 40,
            project="git:team/fit",
            analysis="fit",
            specification=specification,
            limits=Limits(seconds=3600.0),
            restart=restart,
        )
        return self.backend.submit(job, self._checkout)

    def _checkout(self, place: Path) -> None:
        for name, content in FILES.items():
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            (place / name).write_bytes(content)

    def state(self, identity: str, *wanted: JobState) -> JobState:
        until = time.monotonic() + 30
        while time.monotonic() < until:
            seen = self.backend.follow([identity])[identity].state
            if seen in wanted:
                return seen
            time.sleep(0.02)
        raise AssertionError(f"{identity} is {seen}, not one of {wanted}")


@pytest.fixture(params=["released", "next"])
def watched(request, tmp_path, describe) -> Iterator[tuple[Contract, Bridge]]:
    contract = Contract(describe(request.param))
    with FakeReana(tmp_path / "reana", protocol=request.param) as fake:
        bridge = Bridge(fake, tmp_path / "scratch")
        yield contract.watch(fake), bridge
        bridge.backend.close()


def life(bridge: Bridge) -> None:
    bridge.backend.check()
    bridge.backend.describe()
    identity = bridge.submit("rb-one-1", word="bye")
    assert bridge.backend.find("rb-one-1") == identity
    assert bridge.state(identity, JobState.FINISHED)
    (found,) = bridge.backend.outputs(identity, ["out/a.txt"])
    with bridge.backend.read(identity, found.path) as file:
        assert file.read() == b"bye\n"
    bridge.backend.log(identity, "1-copy.log")
    bridge.backend.usage()
    bridge.backend.remove(identity)


def failing(bridge: Bridge) -> None:
    bridge.fake.pretend(Plan(steps=("copy", "say"), outcome="failed", job_log="Traceback: no such file"))
    assert bridge.state(bridge.submit("rb-one-1"), JobState.FAILED)


def restarting(bridge: Bridge) -> None:
    identity = bridge.submit("rb-one-1")
    assert bridge.state(identity, JobState.FINISHED)
    name = bridge.backend.restart_name(identity)
    restart = Restart(run="one", attempt=1, job=identity, step="say")
    again = bridge.submit(name, restart, word="bye")
    assert bridge.state(again, JobState.FINISHED)
    assert (bridge.submit(name, restart), bridge.backend.find(name)) == (again, again)
    with bridge.backend.read(again, "out/a.txt") as file:
        assert file.read() == b"bye\n"
    used = bridge.backend.resources(again)
    assert (used.disk, used.job_seconds is not None) == (2000 + len("inputinputbye\n"), True)
    assert bridge.backend.restart_name(again) == f"{name.partition('.')[0]}.2"


def cancelling(bridge: Bridge) -> None:
    bridge.fake.pretend(Plan(running_seconds=None))
    bridge.fake.schedule(most_running=1)
    running, queued = bridge.submit("rb-one-1"), bridge.submit("rb-two-1")
    assert bridge.state(running, JobState.RUNNING)
    assert bridge.state(queued, JobState.QUEUED)
    for identity in (queued, running):
        bridge.backend.cancel(identity)
        assert bridge.state(identity, JobState.CANCELLED)


def unlucky(bridge: Bridge) -> None:
    """Each changing call fails once after it was done, and the submission is tried again."""
    for path in ("/workflows$|/workflows\\?", "/workspace", "/start"):
        bridge.fake.fail("POST", path, how=How.CLOSE_AFTER)
    for _ in range(10):
        try:
            identity = bridge.submit("rb-one-1")
        except (BackendError, BackendRefused):
            continue
        break
    assert bridge.state(identity, JobState.FINISHED)
    assert sum(one.starts for one in bridge.fake.workflows()) == 1


@pytest.mark.parametrize("way", [life, failing, restarting, cancelling, unlucky])
def test_our_client_keeps_to_the_description(watched, way):
    contract, bridge = watched
    way(bridge)
    assert contract.problems == []
    assert {"get_workflows", "create_workflow", "upload_file", "start_workflow"} <= contract.seen
