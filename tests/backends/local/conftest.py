"""A bench to run real jobs on: a backend in a directory of its own, and few words for a job."""

import os
import shutil
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from reana_bridge.backends.base import Job, JobState, Limits, Observation
from reana_bridge.backends.local import Environment, LocalBackend, LocalSettings
from reana_bridge.backends.local.supervisor import records
from reana_bridge.model.specification import SerialStep, Specification, WorkflowType

LIVE = (JobState.QUEUED, JobState.RUNNING)
HAS_BWRAP = shutil.which("bwrap") is not None
needs_bwrap = pytest.mark.skipif(not HAS_BWRAP, reason="needs bubblewrap: apt-get install bubblewrap")
both = pytest.mark.parametrize("sandbox", [pytest.param("required", marks=needs_bwrap), "off"])


def no_checkout(_: Path) -> None:
    """A commit without files."""


def serial(*commands: str, image: str = "", one_step: bool = False) -> Specification:
    """A serial workflow with a step for each command, or with one step for all."""
    groups = [commands] if one_step else [(command,) for command in commands]
    steps = tuple(
        SerialStep(name=f"step {number}", commands=tuple(group), environment=image)
        for number, group in enumerate(groups, start=1)
    )
    return Specification(type=WorkflowType.SERIAL, steps=steps)


def eventually(found: Callable[[], Any], seconds: float = 30.0) -> Any:
    """What `found` answers as soon as it is true."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if answer := found():
            return answer
        time.sleep(0.01)
    raise AssertionError(f"nothing came of {found} within {seconds} s")


def processes_with(token: str) -> list[int]:
    """Processes whose command line has `token` in it."""
    found: list[int] = []
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                line = Path(f"/proc/{entry}/cmdline").read_bytes()
            except OSError:
                continue
            if token.encode() in line and int(entry) != os.getpid():
                found.append(int(entry))
    return found


class Bench:
    """One backend, and what is done with it in tests."""

    def __init__(self, root: Path, **settings: Any) -> None:
        self.root = root
        self.settings = LocalSettings(**({"minimum_free": 1 << 20, "grace": 0.3} | settings))
        self.backend = LocalBackend("local", root=root, settings=self.settings)

    def fresh(self) -> LocalBackend:
        """Another backend on the same directory, as after a restart."""
        return LocalBackend("local", root=self.root, settings=self.settings)

    def job(self, *commands: str, specification: Specification | None = None, **fields: Any) -> Job:
        limits = fields.pop("limits", {})
        image = fields.pop("image", "")
        one_step = fields.pop("one_step", False)
        job = Job(
            name=fields.pop("name", f"run-{uuid.uuid4().hex[:12]}"),
            run_id="r-1",
            sha="c0ffee" + "0" * 34,
            project="forge:group/name",
            analysis="fit",
            specification=specification or serial(*commands, image=image, one_step=one_step),
            limits=replace(Limits(seconds=60.0), **limits),
        )
        return replace(job, **fields)

    def submit(self, *commands: str, checkout: Callable[[Path], None] = no_checkout, **fields: Any) -> str:
        return self.backend.submit(self.job(*commands, **fields), checkout)

    def end(self, identity: str, seconds: float = 40.0) -> Observation:
        """What is said of the run when it is over."""

        def over() -> Observation | None:
            seen = self.backend.follow([identity])[identity]
            return None if seen.state in LIVE else seen

        return eventually(over, seconds)

    def run(self, *commands: str, **fields: Any) -> Observation:
        return self.end(self.submit(*commands, **fields))

    def printed(self, *commands: str, **fields: Any) -> str:
        """What the first step of a run that has to succeed prints."""
        identity = self.submit(*commands, **fields)
        seen = self.end(identity)
        text = self.backend.log(identity, seen.steps[0].log).decode()
        assert seen.state is JobState.FINISHED, (seen.failure, text)
        return text

    def wait_for_step(self, identity: str) -> Observation:
        """The first observation with a running step."""

        def begun() -> Observation | None:
            seen = self.backend.follow([identity])[identity]
            return (
                seen if seen.state is JobState.RUNNING and seen.steps and seen.steps[0].started_at else None
            )

        return eventually(begun)

    def workspace(self, identity: str) -> Path:
        return self.root / identity / records.WORKSPACE

    def supervisor(self, identity: str) -> int:
        """The pid of the run's supervisor."""
        place = str(self.root / identity)
        return int(eventually(lambda: records.read(place, records.SUPERVISOR))["pid"])


@pytest.fixture
def make_bench(tmp_path: Path) -> Iterator[Callable[..., Bench]]:
    """Makes benches below the test's directory; their runs are ended with the test."""
    benches: list[Bench] = []

    def make(**settings: Any) -> Bench:
        bench = Bench(tmp_path / f"runs{len(benches)}", **settings)
        benches.append(bench)
        return bench

    yield make
    for bench in benches:
        for entry in bench.root.iterdir():
            if (entry / records.JOB).exists():
                bench.backend.cancel(entry.name)
                bench.end(entry.name)
                # pytest's own tidying cannot remove what some of these jobs leave.
                bench.backend.remove(entry.name)


@pytest.fixture
def bench(make_bench: Callable[..., Bench]) -> Bench:
    """A bench with a sandbox."""
    if not HAS_BWRAP:
        pytest.skip("needs bubblewrap: apt-get install bubblewrap")
    return make_bench()


def environment_cache() -> Path:
    """Where environments for tests are kept from one session to the next."""
    given = os.environ.get("REANA_BRIDGE_TEST_CACHE")
    return Path(given) if given else Path.home() / ".cache" / "reana-bridge" / "tests-environments"


def tool(name: str, text: str, place: Path) -> Environment:
    """An existing environment with one program of that text."""
    program = place / "bin" / name
    program.parent.mkdir(parents=True)
    program.write_text(text)
    program.chmod(0o755)
    return Environment(name=place.name, prefix=place)
