"""Deliveries as networks and people make them: many times, in any order, of commits that are gone by then."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from reana_bridge.model.runs import RunState
from reana_bridge.store.tables import Decision, Run
from tests.faults.world import World
from webhooks.git import body

LONG = 60.0
"""Seconds of a job that only a cancellation ends in time."""


@pytest.fixture(params=["sqlite", "postgresql"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    """One server on SQLite, two on PostgreSQL, and `main` with its run."""
    url = request.getfixturevalue({"sqlite": "sqlite_url", "postgresql": "postgres_url"}[request.param])
    world = World(tmp_path / "world", url)
    for host in ["one", "two"][: 1 if request.param == "sqlite" else 2]:
        world.start(host)
    world.tell(world.moved("main", None, world.commit("main")))
    yield world
    world.close()


def run_of(world: World, sha: str | None) -> list[Run]:
    return [run for run in world.runs() if run.sha == sha]


def states(world: World, sha: str | None) -> list[str]:
    return [str(run.state) for run in run_of(world, sha)]


def decisions(world: World, sha: str | None) -> list[str]:
    """Outcomes of all decisions on the commit, in their order."""
    table: Any = Decision
    with world.database.read() as session:
        found = select(table.outcome).where(table.sha == sha).order_by(table.decided_at)
        return list(session.execute(found).scalars())


def until_running(world: World, sha: str | None) -> None:
    world.until(lambda: RunState.RUNNING in states(world, sha), f"no run of {sha} began")


def test_fifty_at_once_have_one_effect(world: World) -> None:
    event = world.branch("b")
    servers = list(world.servers.values())
    with ThreadPoolExecutor(50) as pool:
        sent = [pool.submit(servers[n % len(servers)].deliver, body(event), "same") for n in range(50)]
        answers = Counter(each.result() for each in sent)
    assert answers == {202: 1, 200: 49}
    world.acknowledged.append("same")
    world.settle()
    assert decisions(world, event.after) == ["run"]
    assert states(world, event.after) == ["finished"]
    world.check()


@pytest.mark.soak
def test_out_of_order_and_told_again_only_the_head_runs(world: World) -> None:
    first = world.branch("b")
    second = world.moved("b", first.after, world.commit("b 2"))
    third = world.moved("b", second.after, world.commit("b 3"))
    for event in (third, first, second, third, first):
        world.tell(event)
    world.settle()
    found = {event.after: states(world, event.after) for event in (first, second, third)}
    assert found == {first.after: [], second.after: [], third.after: ["finished"]}
    assert decisions(world, first.after) == ["skip", "skip"]
    world.check()


@pytest.mark.soak
def test_a_deleted_branch_ends_its_run(world: World) -> None:
    event = world.branch("b", seconds=LONG)
    world.tell(event)
    until_running(world, event.after)
    world.repository.push("--delete", "b")
    world.tell(world.moved("b", event.after, None))
    world.settle()
    assert states(world, event.after) == ["cancelled"]
    world.check()


def test_a_force_push_ends_the_old_run_and_starts_the_new(world: World) -> None:
    old = world.branch("b", seconds=LONG)
    world.tell(old)
    until_running(world, old.after)
    world.repository.git("branch", "--quiet", "--move", "b", "old")
    new = world.branch("c")
    world.repository.push("--force", "c:b")
    world.repository.push("--delete", "c")
    world.tell(world.moved("b", old.after, new.after))
    world.settle()
    assert states(world, old.after) == ["cancelled"]
    assert states(world, new.after) == ["finished"]
    world.check()


def test_a_commit_that_is_gone_before_anybody_looked_is_skipped(world: World) -> None:
    event = world.branch("b")
    world.repository.push("--delete", "b")
    world.repository.git("--git-dir", str(world.repository.bare), "gc", "--quiet", "--prune=now")
    world.tell(event)
    world.settle()
    assert decisions(world, event.after) == ["skip"]
    assert states(world, event.after) == []
    world.check()


def test_of_ten_quick_pushes_one_survives(world: World) -> None:
    pushed = [world.branch("b", seconds=LONG)]
    world.tell(pushed[0])
    for number in range(1, 10):
        seconds = LONG if number < 9 else 0.1
        before = pushed[-1].after
        pushed.append(world.moved("b", before, world.commit(f"b {number}", seconds=seconds)))
        world.tell(pushed[-1])
    world.settle()
    assert states(world, pushed[-1].after) == ["finished"]
    for event in pushed[:-1]:
        # Decided after the branch had moved on: no run at all.
        assert states(world, event.after) in ([], ["cancelled"])
    world.check()


@pytest.mark.soak
def test_a_head_that_returns_runs_again(world: World) -> None:
    first = world.branch("b", seconds=2.0)
    world.tell(first)
    until_running(world, first.after)
    second = world.moved("b", first.after, world.commit("b 2"))
    world.tell(second)
    world.until(lambda: states(world, first.after) == ["cancelled"], "the old head's run did not end")
    world.repository.git("reset", "--quiet", "--hard", str(first.after))
    world.repository.push("--force", "b")
    world.tell(world.moved("b", second.after, first.after))
    world.settle()
    assert sorted(states(world, first.after)) == ["cancelled", "finished"]
