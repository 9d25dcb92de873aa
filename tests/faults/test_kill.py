"""A server killed at random moments under load, and at every named place around commits and calls."""

import random
import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

import reana_bridge
from tests.faults.world import World
from webhooks.events import Push

POINTS = (
    "receive.verified",
    "receive.stored",
    "decide.looked",
    "decide.stored",
    "submit.claimed",
    "submit.intent",
    "submit.started",
    "submit.stored",
    "follow.stored",
    "follow.cancelled",
    "collect.kept",
    "collect.stored",
    "compare.files",
    "compare.made",
    "compare.stored",
    "report.claimed",
    "report.posted",
    "report.stored",
)
SETUPS = [("sqlite", 1), ("postgresql", 1), ("postgresql", 2)]
NAMES = [f"{kind}-{count}" for kind, count in SETUPS]


def test_every_place_in_the_code_is_killed_at() -> None:
    package = Path(reana_bridge.__file__).parent
    # The places within a submission to REANA are tried beside that backend, which is not in this world.
    sources = [path for path in package.rglob("*.py") if "reana" not in path.relative_to(package).parts]
    reached = [name for path in sources for name in re.findall(r'\breach\("([^"]+)"\)', path.read_text())]
    assert sorted(reached) == sorted(POINTS)


@pytest.fixture
def make_world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Any]:
    worlds: list[World] = []

    def make(kind: str) -> World:
        url = str(request.getfixturevalue({"sqlite": "sqlite_url", "postgresql": "postgres_url"}[kind]))
        worlds.append(World(tmp_path / "world", url))
        return worlds[-1]

    yield make
    for world in worlds:
        world.close()


def events(world: World, branches: int) -> list[Push]:
    """Pushes to several branches, some of which move on at once."""
    world.commit("main")
    told = [world.moved("main", None, world.repository.git("rev-parse", "HEAD"))]
    for number in range(branches):
        told.append(world.branch(f"b{number}", seconds=0.05 * (number % 5)))
        if number % 3 == 0:
            before = told[-1].after
            told.append(world.moved(f"b{number}", before, world.commit(f"b{number} again")))
    return told


@pytest.mark.parametrize(("kind", "count"), SETUPS, ids=NAMES)
def test_killed_at_random_moments_under_load(make_world: Any, kind: str, count: int, soak: bool) -> None:
    kills = 10 if soak else 2
    chance = random.Random(f"{kind} {count}")
    world: World = make_world(kind)
    hosts = [f"host{number}" for number in range(count)]
    told = events(world, 4 * kills)
    for host in hosts:
        world.start(host)

    def tell(event: Push) -> None:
        world.tell(event, times=chance.choice([1, 1, 2]))

    with ThreadPoolExecutor(4) as pool:
        pending = [pool.submit(tell, event) for event in told]
        for _ in range(kills):
            time.sleep(chance.uniform(0.05, 1.2))
            host = chance.choice(hosts)
            world.servers[host].kill()
            world.start(host)
        for each in pending:
            each.result()
    world.settle()
    world.check()


@pytest.mark.parametrize(("kind", "count"), SETUPS, ids=NAMES)
def test_killed_at_every_place(make_world: Any, kind: str, count: int, soak: bool) -> None:
    points = list(POINTS)
    if not soak:
        points = random.Random(f"{kind} {count} places").sample(points, 2)
    world: World = make_world(kind)
    told = [world.moved("main", None, world.commit("main"))]
    for number in range(1, count):
        world.start(f"host{number}")
    with ThreadPoolExecutor(40) as pool:
        pending = [pool.submit(world.tell, event) for event in told]
        for point in points:
            # The start recovers what the death before left, and dies at the next place.
            server = world.start("host0", crash=point)
            pending += [pool.submit(world.tell, event) for event in _until_dead(world, point)]
            world.until(lambda server=server: not server.alive, f"nobody came to {point}")
            assert server.process.returncode == -9, server.output()
        world.start("host0")
        for each in pending:
            each.result()
    world.settle()
    world.check()


def _until_dead(world: World, point: str) -> Iterator[Push]:
    """Pushes, until the process has come to the place (another process may have taken the first ones)."""
    for number in range(20):
        if not world.servers["host0"].alive:
            return
        branch = f"{point}-{number}-{uuid4().hex[:6]}"
        slow = point == "follow.cancelled"
        event = world.branch(branch, seconds=3.0 if slow else 0.1)
        yield event
        if slow:
            world.until(
                lambda event=event: _is_running(world, event) or not world.servers["host0"].alive,
                "the run never started",
            )
            yield world.moved(branch, event.after, world.commit("again"))
        deadline = time.monotonic() + 2.0
        while world.servers["host0"].alive and time.monotonic() < deadline:
            time.sleep(0.02)


def _is_running(world: World, event: Push) -> bool:
    return any(run.sha == event.after and run.state == "running" for run in world.runs())
