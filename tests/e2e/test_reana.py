"""From a push to GitLab over REANA to a note, and every fault on the way, with a bridge of real processes."""

import random
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path

import pytest

from reana_bridge.model.runs import RunState
from reana_bridge.testing.reana import How, Status
from tests.e2e.gitlab_world import until
from tests.e2e.reana_world import HASTY_SECONDS, ReanaScene, ReanaWorld

CALLS = {
    "ping": ("GET", "/api/ping"),
    "looked for": ("GET", r"/api/workflows\?.*search"),
    "create": ("POST", r"/api/workflows\?"),
    "upload": ("POST", "/workspace"),
    "listed inputs": ("GET", r"/workspace\?"),
    "start": ("POST", "/start"),
    "followed": ("GET", r"/api/workflows\?.*status"),
    "logs": ("GET", "/logs"),
    "specification": ("GET", "/specification"),
    "outputs": ("GET", "/workspace/"),
    "disk usage": ("GET", "/disk_usage"),
}
FAULTS = [(call, how) for call in CALLS for how in ("before", "after", "close_before", "close_after")]
ONLY_SCALED = "test ${scale} -gt 1 && mkdir -p results && cp value results/metrics.json"
POINTS = (
    "submit.claimed",
    "submit.intent",
    "reana.created",
    "reana.uploaded",
    "reana.started",
    "submit.started",
    "submit.stored",
    "follow.stored",
    "collect.kept",
    "collect.stored",
    "compare.stored",
    "report.posted",
)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Iterator[ReanaWorld]:
    with ReanaWorld(tmp_path_factory.mktemp("reana-world"), sqlite_template) as world:
        world.start()
        yield world


@pytest.fixture
def scene(world: ReanaWorld) -> Iterator[ReanaScene]:
    scene = world.scene()
    yield scene
    try:
        scene.check()
    finally:
        world.reana.mend()
        world.reana.release()
        world.reana.schedule(most_running=30, requeue_seconds=15.0, most_requeues=200)


def sampled(cases: list, config: pytest.Config, share: int) -> list:
    """All with `--soak`, else a share, the same each time."""
    if config.getoption("--soak"):
        return list(cases)
    return random.Random("reana faults").sample(list(cases), max(1, len(cases) // share))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "fault" in metafunc.fixturenames:
        cases = sampled(FAULTS, metafunc.config, 16)
        metafunc.parametrize("fault", cases, ids=["-".join(case) for case in cases])
    if "why" in metafunc.fixturenames:
        ways = product(["cancelled", "superseded"], ["running", "pending", "queued"])
        metafunc.parametrize(("why", "when"), sampled(list(ways), metafunc.config, 3))
    if "away" in metafunc.fixturenames:
        metafunc.parametrize("away", sampled(list(AWAY), metafunc.config, 3))


# -- the way --


def test_push_to_note(scene: ReanaScene) -> None:
    scene.main({"a": 1.0})
    of = scene.request(value={"a": 2.0})
    scene.shows(of.sha, "success")
    body = scene.note(of, "reana/analysis", of.sha[:7], r"\ba\b")
    assert "on reana" in body
    assert "of disk" in body
    assert "container image" not in body
    assert [one.number for one in scene.workflows()] == ["1", "1"]


def test_the_failing_step_and_its_last_lines(scene: ReanaScene) -> None:
    scene.main()
    of = scene.request(command="echo no such tree ntuple >&2; false")
    scene.shows(of.sha, "failed")
    scene.note(of, "step 2 of 2", "measure", "no such tree ntuple")


def test_an_end_before_the_end(scene: ReanaScene, when: str, why: str) -> None:
    reana = scene.world.reana
    scene.main()
    if when == "pending":
        reana.hold()
    if when == "queued":
        reana.schedule(most_running=0)
    with scene.held():
        of = scene.request()
        workflow = scene.on_reana(when)
        # The first answer is that of a server on which the run has just moved on.
        reana.fail("PUT", f"{workflow.id}/status", status=409, times=1)
        if why == "cancelled":
            scene.say(of, "/reana cancel")
            scene.shows(of.sha, "canceled")
        else:
            scene.push("topic", {"a": 7.0})
        until(lambda: workflow.status in ("stopped", "deleted"), scene.describe)
    assert workflow.status == ("stopped" if when == "running" else "deleted")
    reana.release()
    reana.schedule(most_running=30)


@pytest.mark.soak
def test_again_as_a_whole_and_from_the_failed_step(scene: ReanaScene) -> None:
    sha = scene.push("main", user=scene.mia, command=ONLY_SCALED)
    scene.shows(sha, "failed")
    scene.settle()
    (first,) = scene.runs()
    how = {"from_step": "measure", "parameters": {"scale": 2}}
    status, told = scene.world.operator("POST", f"/api/v1/runs/{first.id}/rerun", how)
    assert status == 201, told
    restarted = scene.run_is(RunState.FINISHED, sha)
    assert (restarted.id, [one.number for one in scene.workflows()]) == (told["runs"][0], ["1", "1.1"])
    assert (
        f"restarted from `measure`: what the steps before it left is that of attempt 1 of run `{first.id}`"
        in (restarted.warnings)
    )
    printed = scene.world.command("rerun", first.id, "-p", "scale=3")
    assert printed.endswith(f"runs {first.id} again\n")
    whole = scene.run_is(RunState.FINISHED, sha, parameters={"scale": 3})
    assert whole.warnings == []
    # Neither is a verdict on the commit as it stands.
    assert scene.gitlab.status(scene.project, sha, "reana/analysis").state == "failed"


def test_a_token_that_runs_out_in_the_middle(scene: ReanaScene) -> None:
    world = scene.world
    with scene.held():
        sha = scene.push("main", user=scene.mia)
        scene.on_reana("running")
        world.rotate()
    asked = len(world.reana.requests())
    until(lambda: any(one.status == 403 for one in world.reana.requests()[asked:]), scene.describe)
    world.account_token.write_text(world.tokens[-1])
    scene.shows(sha, "success")


def test_deleted_by_hand(scene: ReanaScene) -> None:
    scene.world.reana.hold()
    sha = scene.push("main", user=scene.mia)
    scene.world.reana.delete(scene.on_reana("pending"))
    scene.shows(sha, "canceled")


def test_no_room_for_too_long_is_no_failure_of_the_analysis(scene: ReanaScene) -> None:
    scene.allowed.refusals.add(400)  # a GitLab shows no run as pending that it showed as running
    reana = scene.world.reana
    reana.schedule(most_running=0, requeue_seconds=0.05, most_requeues=2)
    sha = scene.push("main", user=scene.mia)
    until(lambda: any(one.status == Status.FAILED for one in scene.workflows()), scene.describe)
    reana.schedule(most_running=30, requeue_seconds=15.0, most_requeues=200)
    scene.shows(sha, "success")
    run = scene.run_is(RunState.FINISHED, sha)
    assert run.run_attempt > 1
    assert run.settings["without_room"] == run.run_attempt - 1
    assert [one.number for one in scene.workflows() if one.starts] == [f"1.{run.run_attempt - 1}"]
    assert "restarted in the workspace of attempt" in run.warnings[0]


def test_pending_that_never_ends_is_ended_here(world: ReanaWorld) -> None:
    scene = world.scene("hasty")
    scene.allowed.refusals.add(400)  # a GitLab shows no run as pending that it showed as running
    scene.main()
    world.reana.hold()
    try:
        of = scene.request()
        scene.shows(of.sha, "failed")
        # A slot that the hanging workflow kept is free again, and the budget was used, no more.
        assert [one.status for one in scene.workflows()][1:] == [Status.DELETED] * 3
        why = rf"REANA did not bring it from pending to running within {HASTY_SECONDS} s"
        scene.note(of, "reana/analysis", why, "tried 3 times")
    finally:
        world.reana.release()
    scene.check()


# -- faults --


def test_a_call_fails(scene: ReanaScene, fault: tuple[str, str]) -> None:
    call, how = fault
    method, path = CALLS[call]
    scene.world.reana.fail(method, path, how=How(how), times=2)
    sha = scene.push("main", user=scene.mia)
    scene.shows(sha, "success")
    (run,) = scene.runs()
    assert (run.state, run.run_attempt) == (RunState.FINISHED, 1)


def _at_submit(scene: ReanaScene) -> str:
    scene.world.reana.stop()
    sha = scene.push("main", user=scene.mia)
    until(lambda: any("no connection" in run.activity for run in scene.runs()), scene.describe)
    return sha


def _after(path: str) -> Callable[[ReanaScene], str]:
    """Away as soon as a certain thing was done, whose answer is lost."""

    def act(scene: ReanaScene) -> str:
        reana = scene.world.reana
        reana.fail("POST", path, how=How.CLOSE_AFTER, times=1)
        before = len(reana.requests())
        sha = scene.push("main", user=scene.mia)
        cut = lambda: any(one.applied and not one.status for one in reana.requests()[before:])  # noqa: E731
        until(cut, scene.describe)
        reana.stop()
        return sha

    return act


def _while_running(scene: ReanaScene) -> str:
    with scene.held():
        sha = scene.push("main", user=scene.mia)
        scene.on_reana("running")
        scene.run_is(RunState.RUNNING, sha)
        scene.world.reana.stop()
    return sha


def _while_collecting(scene: ReanaScene) -> str:
    reana = scene.world.reana
    reana.fail("GET", "/workspace/", how=How.CLOSE_BEFORE, times=3)
    sha = scene.push("main", user=scene.mia)
    scene.run_is(RunState.COLLECTING, sha)
    reana.stop()
    return sha


AWAY = {
    "at submit": _at_submit,
    "after create": _after(r"/api/workflows\?"),
    "after an upload": _after("/workspace"),
    "after start": _after("/start"),
    "while running": _while_running,
    "while collecting": _while_collecting,
}


def test_the_server_is_away(scene: ReanaScene, away: str) -> None:
    reana = scene.world.reana
    sha = AWAY[away](scene)
    try:
        until(lambda: scene.runs() and scene.runs()[-1].state != RunState.FINISHED, scene.describe)
    finally:
        reana.start()
    scene.shows(sha, "success")
    (run,) = scene.runs()
    assert (run.state, run.run_attempt) == (RunState.FINISHED, 1)


def test_every_place_of_the_backend_is_killed_at() -> None:
    import re

    import reana_bridge.backends.reana as backend

    sources = Path(backend.__file__).parent.rglob("*.py")
    reached = {name for path in sources for name in re.findall(r'\breach\("([^"]+)"\)', path.read_text())}
    assert reached == {*(point for point in POINTS if point.startswith("reana.")), "reana.restarted"}


@pytest.fixture
def mortal(world: ReanaWorld) -> Iterator[ReanaScene]:
    """A scene whose servers are killed; the next one finds a sound one."""
    yield world.scene()
    world.recover()


def test_killed_at_every_place(world: ReanaWorld, mortal: ReanaScene, request: pytest.FixtureRequest) -> None:
    points = sampled(list(POINTS), request.config, 6)
    scene, shas = mortal, []
    scene.main()
    until(scene.is_looked_after, scene.describe)
    world.servers["one"].kill()
    for point in points:
        # Each start takes up what the death before left, and dies at the next place.
        server = world.start(crash=point)
        shas.append(scene.push(f"b-{point}", user=scene.mia))
        scene.gitlab.open(scene.project, f"b-{point}", user=scene.dev)
        until(lambda server=server: not server.alive, lambda point=point: f"nobody came to {point}")
        assert server.process.returncode == -9, server.output()
    world.start()
    for sha in shas:
        scene.shows(sha, "success", seconds=90)
    assert all(run.run_attempt == 1 for run in scene.runs())
    scene.check()


def test_killed_when_a_restart_has_begun(world: ReanaWorld, mortal: ReanaScene) -> None:
    """The restart is found by its run number: it is not asked for again, nor does anything else begin."""
    scene = mortal
    sha = scene.push(
        "main",
        user=scene.mia,
        command="test ${scale} -gt 1 && mkdir results && cp value results/metrics.json",
    )
    scene.shows(sha, "failed")
    scene.settle()
    (first,) = scene.runs()
    world.servers["one"].kill()
    server = world.start(crash="reana.restarted")
    how = {"from_step": "measure", "parameters": {"scale": 2}}
    world.operator("POST", f"/api/v1/runs/{first.id}/rerun", how)
    until(lambda: not server.alive, scene.describe)
    world.start()
    scene.run_is(RunState.FINISHED, sha, parameters={"scale": 2})
    assert [one.number for one in scene.workflows()] == ["1", "1.1"]
    scene.check()
