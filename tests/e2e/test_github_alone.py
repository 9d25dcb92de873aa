"""What needs a GitHub and a bridge of its own: deaths."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.github_world import REPLY, World
from tests.e2e.gitlab_world import until


@pytest.fixture
def world(tmp_path: Path, sqlite_template: Path) -> Iterator[World]:
    with World(tmp_path, sqlite_template, timeout=10, settle=12) as made:
        yield made


@pytest.mark.soak
def test_a_server_that_dies_while_github_takes_its_time(world: World) -> None:
    """What GitHub carries out only after the death is there once: a check, a status, a note, a reply."""
    check, status, note, reply = (world.scene(kind) for kind in ("app", "token", "app", "token"))
    answered = reply.request()
    reply.note(answered, answered.sha[:7])
    for scene in (check, status, note, reply):
        scene.settle()
    paths = {check: "/check-runs$", status: "/statuses/", note: "/comments$", reply: "/comments$"}
    slow = {
        scene: world.github.fail("POST", f"/{scene.project.path}{path}", how="held")
        for scene, path in ((scene, f".*{path}") for scene, path in paths.items())
    }
    noted = note.request()
    until(lambda: slow[note].struck, note.describe)
    shas = {check: check.push(), status: status.push()}
    reply.say(answered, "/reana help")
    until(lambda: all(rule.struck for rule in slow.values()), reply.describe)
    assert world.server
    world.server.kill()
    world.start()
    again = reply.say(answered, "/reana help")
    until(lambda: again.reactions, reply.describe)
    for rule in slow.values():
        rule.let_go()
    reply.note(answered, "/reana run", marker=REPLY)
    for scene, sha in (shas | {note: noted.sha, reply: answered.sha}).items():
        scene.shows(sha, "success")
        scene.finish()
    assert len(check.github.checks(check.project, shas[check])) == 1
    told = [(one.state, one.description) for one in status.project.statuses]
    assert (told[-1][0], len(set(told))) == ("success", len(told))
    assert [len(note.ours(noted)), len(reply.ours(answered)), len(reply.ours(answered, REPLY))] == [1, 1, 2]
    assert len(noted.comments) == 1, "there never was a second one"


@pytest.mark.soak
@pytest.mark.parametrize("forge", ["token", "app"])
def test_hooks_that_are_lost_are_found(tmp_path: Path, sqlite_template: Path, forge: str) -> None:
    with World(tmp_path, sqlite_template, poll=1) as world:
        scene = world.scene(forge)
        first = scene.main()
        scene.settle()
        until(lambda: world.github.reads("/issues/comments$"), scene.describe)
        scene.deaf()
        second = scene.push("main", {"a": 7.0})
        pull = scene.request()
        for sha in (second, pull.sha):
            scene.shows(sha, "success")
        scene.note(pull, pull.sha[:7])
        said = scene.say(pull, "/reana help")
        scene.note(pull, "/reana run", marker=REPLY)
        until(lambda: said.reactions, scene.describe)
        scene.finish()
        assert [scene.executed(sha) for sha in (first, second, pull.sha)] == [1, 1, 1]
        assert len(scene.ours(pull, REPLY)) == 1
