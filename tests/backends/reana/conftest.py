"""A backend on a fake REANA of its own, and few words for a job."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from reana_bridge.backends.base import Job, JobState, Limits, Observation
from reana_bridge.backends.reana import Account, ReanaSettings
from reana_bridge.backends.reana.backend import ReanaBackend
from reana_bridge.model.reana_yaml import parse
from reana_bridge.model.specification import Specification
from reana_bridge.testing.reana import FakeReana
from reana_bridge.testing.reana.things import User, Workflow

TAG = "0a1b2c3d"
LIVE = (JobState.QUEUED, JobState.RUNNING)
HELLO = {
    "inputs": {"files": ["hello.py"], "directories": ["data"], "parameters": {"who": "world"}},
    "workflow": {
        "type": "serial",
        "specification": {
            "steps": [
                {"name": "make", "environment": "python:3.12", "commands": ["mkdir -p results", "echo made"]},
                {
                    "name": "greet",
                    "environment": "python:3.12",
                    "commands": ['python3 hello.py "${who}" > results/greeting.txt'],
                },
            ]
        },
    },
    "outputs": {"files": ["results/greeting.txt"]},
}
FILES = {
    "hello.py": b"import sys\nprint('hello', sys.argv[1])\n",
    "data/numbers.txt": b"1\n2\n",
    "data/empty": b"",
    "data/deep/er/name with space.txt": b"deep",
    "other.txt": b"not declared",
}


def serial(*commands: str, image: str = "python:3.12", **more: Any) -> dict[str, Any]:
    """A document with a step for each command."""
    steps = [
        {"name": f"step{i}", "environment": image, "commands": [command]}
        for i, command in enumerate(commands, start=1)
    ]
    return {"workflow": {"type": "serial", "specification": {"steps": steps}}, **more}


def specification(document: dict[str, Any], parameters: dict[str, Any] | None = None) -> Specification:
    return parse(yaml.safe_dump(document), parameters=parameters or {})[0]


@dataclass(kw_only=True)
class Bench:
    """A backend, its fake, and jobs for it."""

    fake: FakeReana
    user: User
    scratch: Path
    settings: ReanaSettings
    backend: ReanaBackend
    files: dict[str, bytes] = field(default_factory=lambda: dict(FILES))
    opened: list[ReanaBackend] = field(default_factory=list[ReanaBackend])

    def job(
        self,
        document: dict[str, Any] | None = None,
        *,
        name: str = "rb-one-1",
        parameters: dict[str, Any] | None = None,
        **values: Any,
    ) -> Job:
        return Job(
            **{
                "name": name,
                "run_id": "one",
                "sha": "0" * 40,
                "project": "git:team/fit",
                "analysis": "fit",
                "specification": specification(document or HELLO, parameters),
                "limits": Limits(seconds=3600.0),
            }
            | values
        )

    def checkout(self, place: Path) -> None:
        for name, content in self.files.items():
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            (place / name).write_bytes(content)

    def submit(self, job: Job | None = None) -> str:
        return self.backend.submit(job or self.job(), self.checkout)

    def see(self, identity: str) -> Observation:
        return self.backend.follow([identity])[identity]

    def end(self, identity: str, seconds: float = 30.0) -> Observation:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            seen = self.backend.follow([identity]).get(identity)
            if seen is not None and seen.state not in LIVE:
                return seen
            time.sleep(0.01)
        raise AssertionError(f"{identity} did not end: {self.fake.workflows()}")

    def workflow(self, identity: str) -> Workflow:
        return self.fake.workflow(identity.rpartition("/")[2])

    def another(self, **changes: Any) -> "Bench":
        """The same fake with another backend, as after a restart, or with other settings."""
        settings = replace(self.settings, **changes)
        made = replace(self, settings=settings, backend=backend_of(settings))
        self.opened.append(made.backend)
        return made


def backend_of(settings: ReanaSettings, load: Callable[..., Any] = lambda job, root: None) -> ReanaBackend:
    return ReanaBackend("reana", settings=settings, load=load)


@pytest.fixture(params=["released"])
def protocol(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def bench(tmp_path: Path, protocol: str) -> Iterator[Bench]:
    with FakeReana(tmp_path / "reana", protocol=protocol) as fake:
        user = fake.user("team@example.org")
        settings = ReanaSettings(
            url=fake.url,
            accounts=(Account(name="default", token=user.token),),
            scratch=tmp_path / "scratch",
            tag=TAG,
            rate=1000.0,
            timeout=10.0,
        )
        made = Bench(
            fake=fake, user=user, scratch=settings.scratch, settings=settings, backend=backend_of(settings)
        )
        made.opened.append(made.backend)
        yield made
        for backend in made.opened:
            backend.close()
