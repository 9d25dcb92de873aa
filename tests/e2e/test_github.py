"""From what happens on a GitHub to what it shows in the end, with a token and as an App."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reana_bridge.model.runs import FINAL
from tests.e2e.github_world import NOTE, REPLY, Scene, World
from tests.e2e.gitlab_world import until


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Iterator[World]:
    with World(tmp_path_factory.mktemp("github-world"), sqlite_template) as made:
        yield made


@pytest.fixture
def scene(world: World, request: pytest.FixtureRequest) -> Iterator[Scene]:
    made = world.scene(getattr(request, "param", "app"))
    yield made
    world.github.start()
    made.finish()
    world.github.mend()


both: Any = pytest.mark.parametrize("scene", ["token", "app"], indirect=True)
token: Any = pytest.mark.parametrize("scene", ["token"], indirect=True)


@both
def test_a_push_to_main(scene: Scene) -> None:
    sha = scene.main()
    scene.settle()
    assert scene.executed(sha) == 1
    assert len(scene.writes()) <= 3


@both
def test_a_pull_request(scene: Scene) -> None:
    scene.main()
    scene.settle()
    scene.github.forget_requests()
    pull = scene.request()
    scene.shows(pull.sha, "success")
    scene.note(pull, "2")
    scene.settle()
    assert scene.executed(pull.sha) == 1, "the push and the pull request are one run"
    assert len(scene.writes()) <= 4, scene.writes()
    assert len(scene.reads()) <= 3, scene.reads()


@both
def test_a_failure(scene: Scene) -> None:
    pull = scene.request(command="exit 3")
    scene.shows(pull.sha, "failure")
    assert "failed" in scene.note(pull, "measure")


@both
def test_new_commits_take_the_place_of_old_ones(scene: Scene) -> None:
    with scene.held():
        pull = scene.request()
        first = pull.sha
        until(lambda: scene.executed(first), scene.describe)
        last = scene.push("topic", {"a": 5.0})
        scene.shows(first, "cancelled", "error")
    scene.shows(last, "success")
    scene.note(pull, last[:7])
    scene.settle()
    assert len(scene.ours(pull)) == 1


@both
def test_a_fork_waits_for_a_person(scene: Scene) -> None:
    scene.main()
    _, pull = scene.fork_request()
    scene.shows(pull.sha, "pending" if scene.forge == "token" else "action_required")
    note = scene.note(pull, f"/reana approve {pull.sha}")
    assert note.startswith(NOTE)
    scene.say(pull, f"/reana approve {pull.sha}", by=scene.guest)
    scene.settle()
    assert scene.executed(pull.sha) == 0
    scene.say(pull, f"/reana approve {pull.sha}")
    scene.shows(pull.sha, "success")


def test_the_approve_button(scene: Scene) -> None:
    scene.main()
    _, pull = scene.fork_request()
    scene.shows(pull.sha, "action_required")
    check = scene.check(pull.sha)
    (button,) = check.values["actions"]
    scene.github.press(scene.project, check, button["identifier"], by=scene.dev)
    scene.shows(pull.sha, "success")
    assert scene.check(pull.sha) is check, "the same check goes on"


def test_the_button_to_run_again(scene: Scene) -> None:
    sha = scene.main()
    scene.settle()
    scene.github.press(scene.project, scene.check(sha), by=scene.dev)
    until(lambda: len(scene.github.checks(scene.project, sha)) == 2, scene.describe)
    scene.shows(sha, "success")
    assert scene.executed(sha) == 2


@both
def test_a_command_is_answered_once(scene: Scene) -> None:
    pull = scene.request()
    scene.shows(pull.sha, "success")
    said = scene.say(pull, "/reana why")
    scene.note(pull, "", marker=REPLY)
    until(lambda: said.reactions, scene.describe)
    scene.settle()
    assert len(scene.ours(pull, REPLY)) == 1


@both
@pytest.mark.parametrize("how", ["before", "after"])
def test_a_note_whose_answer_is_lost_is_there_once(scene: Scene, how: str) -> None:
    scene.github.fail("POST", "/issues/1/comments$", how=how)
    pull = scene.request()
    scene.shows(pull.sha, "success")
    scene.note(pull, pull.sha[:7])
    scene.settle()
    assert len(scene.ours(pull)) == 1


@both
def test_a_status_whose_answer_is_lost_is_there_once(scene: Scene) -> None:
    scene.github.fail("POST", "/(statuses/|check-runs)", how="close_after")
    sha = scene.push()
    scene.shows(sha, "success")
    scene.settle()
    posted = [(one.sha, one.state, one.description) for one in scene.project.statuses]
    assert len(set(posted)) == len(posted)


@token
def test_a_limit_only_delays(scene: Scene) -> None:
    scene.github.limit_secondary(retry_after=1)
    sha = scene.push()
    scene.shows(sha, "success")


@both
def test_a_forge_that_is_away_only_delays(scene: Scene) -> None:
    with scene.held():
        sha = scene.push()
        until(lambda: scene.executed(sha), scene.describe)
        scene.github.stop()
    until(lambda: all(run.state in FINAL for run in scene.runs()), scene.describe)
    scene.github.start()
    scene.shows(sha, "success")


@both
def test_a_renamed_repository_is_served_on(scene: Scene) -> None:
    with scene.held():
        pull = scene.request()
        until(lambda: scene.executed(pull.sha), scene.describe)
        scene.github.rename(scene.project, f"{scene.project.path}-renamed")
    until(lambda: scene.state(pull.sha) == "success", lambda: scene.state(pull.sha))


@both
def test_our_own_note_is_not_heard(scene: Scene) -> None:
    pull = scene.request()
    scene.note(pull, pull.sha[:7])
    scene.settle()
    before = len(scene.writes())
    scene.github.comment(scene.project, pull, "/reana run", by=scene.us)
    scene.settle()
    assert len(scene.writes()) == before
