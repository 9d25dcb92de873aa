"""The whole life of a run on a real REANA, where one is named."""

import os
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest

from reana_bridge.backends.base import JobState
from reana_bridge.backends.reana import Account, ReanaSettings
from reana_bridge.backends.reana.backend import ReanaBackend
from tests.backends.reana.conftest import HELLO, LIVE, Bench, serial

URL, TOKEN = os.environ.get("REANA_SERVER_URL", ""), os.environ.get("REANA_ACCESS_TOKEN", "")
pytestmark = pytest.mark.skipif(
    not URL or not TOKEN, reason="needs a REANA: set REANA_SERVER_URL and REANA_ACCESS_TOKEN"
)
MINUTES = 20


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Bench]:
    settings = ReanaSettings(
        url=URL,
        accounts=(Account(name="default", token=TOKEN),),
        scratch=tmp_path,
        tag=uuid4().hex[:8],
        rate=8.0,
    )
    backend = ReanaBackend("reana", settings=settings, load=lambda job, root: None)
    yield Bench(fake=None, user=None, scratch=tmp_path, settings=settings, backend=backend)  # type: ignore[arg-type]
    for one in backend.usage():
        backend.remove(one.identity)
    backend.close()


def ended(live: Bench, identity: str) -> JobState:
    until = time.monotonic() + MINUTES * 60
    while time.monotonic() < until:
        seen = live.backend.follow([identity]).get(identity)
        if seen is not None and seen.state not in LIVE:
            return seen.state
        time.sleep(5)
    raise AssertionError(f"{identity} did not end within {MINUTES} min")


def test_set_up(live: Bench) -> None:
    assert live.backend.check() == []
    assert live.backend.describe()


def test_from_start_to_outputs(live: Bench) -> None:
    live.files["data/big.bin"] = os.urandom(5_000_000)
    document = HELLO | {"outputs": {"files": ["results/greeting.txt"], "directories": ["data"]}}
    job = live.job(document, name=f"rb-{uuid4().hex[:12]}-1", parameters={"who": "live"})
    identity = live.backend.submit(job, live.checkout)
    assert live.backend.submit(job, live.checkout) == identity
    assert ended(live, identity) == JobState.FINISHED
    sizes = {one.path: one.size for one in live.backend.outputs(identity, ["results", "data"])}
    assert sizes["data/big.bin"] == 5_000_000
    with live.backend.read(identity, "results/greeting.txt") as file:
        assert file.read() == b"hello live\n"
    with live.backend.read(identity, "data/big.bin") as file:
        assert file.read() == live.files["data/big.bin"]
    assert live.backend.log(identity, "1-make.log")


def test_a_failure(live: Bench) -> None:
    job = replace(live.job(serial("echo why; exit 3")), name=f"rb-{uuid4().hex[:12]}-1")
    identity = live.backend.submit(job, live.checkout)
    assert ended(live, identity) == JobState.FAILED


def test_cancel(live: Bench) -> None:
    job = replace(live.job(serial("sleep 3000")), name=f"rb-{uuid4().hex[:12]}-1")
    identity = live.backend.submit(job, live.checkout)
    live.backend.cancel(identity)
    assert ended(live, identity) == JobState.CANCELLED
