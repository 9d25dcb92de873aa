"""Statuses on a GitLab that is as strict as the real one."""

import threading
from typing import Any

import pytest

from reana_bridge.forges.base import (
    NOTHING,
    CommitGone,
    ForgeError,
    ForgeRefused,
    Posted,
    RateLimited,
    Status,
    StatusState,
    Unanswered,
)
from reana_bridge.forges.gitlab import statuses
from reana_bridge.testing.gitlab import Level
from tests.forges.gitlab.conftest import World

P, R, S, F, E, C = (
    StatusState.PENDING,
    StatusState.RUNNING,
    StatusState.SUCCESS,
    StatusState.FAILURE,
    StatusState.ERROR,
    StatusState.CANCELLED,
)
CI = {".gitlab-ci.yml": "test: {script: 'true'}"}
POSTS = "/statuses/"


def sha_of(world: World, branch: str = "main") -> str:
    return world.there.repository.refs()[f"refs/heads/{branch}"]


def status(world: World, state: StatusState = P, **changes: Any) -> Status:
    values: dict[str, Any] = {
        "ref": "refs/heads/main",
        "context": "reana/fit",
        "state": state,
        "description": f"it is {state}",
        "url": "https://bridge.example.org/runs/1",
    }
    sha = changes.pop("sha", None) or sha_of(world)
    return Status(sha=sha, **(values | changes))


def say(world: World, *states: StatusState, posted: Posted = NOTHING, **changes: Any) -> Posted:
    for state in states:
        posted = world.forge.post_status(world.project, status(world, state, **changes), posted)
    return posted


def shown(world: World, context: str = "reana/fit", sha: str = "") -> str | None:
    row = world.gitlab.status(world.there, sha or sha_of(world), context)
    return row.state if row else None


@pytest.mark.parametrize(
    ("states", "end", "writes"),
    [
        ([P], "pending", 1),
        ([P, R, S], "success", 3),
        ([P, R, F], "failed", 3),
        ([P, R, E], "failed", 3),
        ([P, C], "canceled", 2),
        ([P, S], "success", 2),
        ([S], "success", 1),
        ([R], "running", 1),
        ([P, P, R, R, S, S], "success", 3),
        ([P, R, P], "running", 2),
        ([P, R, S, R], "success", 3),
        ([P, R, S, P], "success", 3),
        ([P, R, S, F], "success", 3),
        ([R, S, C], "success", 2),
    ],
)
def test_one_attempt(world: World, states: list[StatusState], end: str, writes: int):
    say(world, *states)
    assert shown(world) == end
    assert len(world.gitlab.writes(POSTS)) == writes
    assert len(world.there.statuses) == 1, "never a second row"
    assert world.gitlab.reads() == []


def test_what_is_shown(world: World):
    say(world, P, R, S)
    [row] = world.gitlab.statuses(world.there, sha_of(world))
    assert (row.ref, row.name, row.description) == ("main", "reana/fit", "it is success")
    assert row.target_url == "https://bridge.example.org/runs/1"
    assert len(world.there.pipelines) == 1


def test_the_pipeline_of_the_first_answer_is_kept(world: World):
    posted = say(world, P)
    other = world.gitlab.pipeline(world.there, sha_of(world), "main")
    say(world, R, S, posted=posted)
    [row] = world.there.statuses
    assert row.pipeline.id == posted["pipeline"] != other.id
    assert row.state == "success"


def test_two_analyses_share_the_pipeline(world: World):
    say(world, P, R, S, context="reana/a")
    say(world, P, R, F, context="reana/b")
    assert {row.name: row.state for row in world.there.statuses} == {
        "reana/a": "success",
        "reana/b": "failed",
    }
    assert len(world.there.pipelines) == 1


def test_another_attempt(world: World):
    posted = say(world, P, R, F)
    say(world, P, R, S, posted=posted, attempt=2)
    assert shown(world) == "success"
    assert len(world.there.statuses) == 2
    assert len(world.there.pipelines) == 1


def test_a_late_answer_of_the_attempt_before(world: World):
    posted = say(world, P, attempt=2)
    assert say(world, F, posted=posted, attempt=1) == posted
    assert shown(world) == "pending"


def test_another_attempt_while_the_last_one_never_ended(world: World):
    posted = say(world, P, R)
    posted = say(world, P, R, S, posted=posted, attempt=2)
    assert shown(world) == "success"
    assert len(world.there.statuses) == 1


@pytest.mark.parametrize("lost", [P, R, S])
@pytest.mark.parametrize("how", ["after", "close_after"])
def test_a_lost_answer_is_looked_for(world: World, lost: StatusState, how: str):
    before = {P: [], R: [P], S: [P, R]}[lost]
    posted = say(world, *before)
    world.gitlab.fail("POST", POSTS, how=how)
    with pytest.raises(Unanswered):
        say(world, lost, posted=posted)
    posted = say(world, lost, posted=posted)
    posted = say(world, P, R, S, posted=posted)
    assert shown(world) == "success"
    assert len(world.there.statuses) == 1
    assert world.there.statuses[0].history[-1] == "success"
    assert len(set(world.there.statuses[0].history)) == len(world.there.statuses[0].history)


def test_a_lost_answer_before_a_restart_is_looked_for(world: World):
    posted = say(world, P, R)
    world.gitlab.fail("POST", POSTS, how="close_after")
    with pytest.raises(Unanswered):
        say(world, S, posted=posted)
    world.forge = world.another_forge()
    posted = say(world, S, posted={**posted, "unsure": True})
    assert "unsure" not in posted
    assert len(world.there.statuses) == 1


@pytest.mark.parametrize("late", [P, R])
def test_a_state_that_came_late_is_ended_again(world: World, late: StatusState):
    posted = say(world, P, R, S)
    world.another_forge().post_status(world.project, status(world, late), NOTHING)
    assert shown(world) == late
    assert say(world, S, posted=posted) == posted, "it is not looked at without a doubt"
    posted = say(world, S, posted={**posted, "unsure": True})
    assert (shown(world), "unsure" in posted) == ("success", False)
    world.gitlab.forget_requests()
    say(world, R, posted={**posted, "unsure": True})
    assert shown(world) == "success"
    assert world.gitlab.writes() == []


def test_an_end_that_got_lost_is_not_followed_by_another(world: World):
    posted = say(world, P, R)
    world.gitlab.fail("POST", POSTS, how="close_after")
    with pytest.raises(Unanswered):
        say(world, S, posted=posted)
    say(world, C, posted=posted)
    assert shown(world) == "success"
    assert len(world.there.statuses) == 1


@pytest.mark.parametrize("how", ["before", "close_before"])
def test_a_request_that_got_lost_is_sent_again(world: World, how: str):
    world.gitlab.fail("POST", POSTS, how=how)
    with pytest.raises(Unanswered):
        say(world, P)
    say(world, P, R, S)
    assert shown(world) == "success"


def test_what_was_remembered_got_lost(world: World):
    say(world, P, R)
    posted = say(world, P)
    assert posted["state"] == "running"
    say(world, R, S, posted=posted)
    assert shown(world) == "success"
    assert len(world.there.statuses) == 1


def test_a_transition_that_another_identity_stands_in_the_way_of(world: World):
    """The row of the token before cannot be ended; ours is shown instead."""
    posted = say(world, P, R)
    world.forge = world.another_forge(world.gitlab.project_token(world.there).value)
    posted = say(world, S, posted=posted)
    assert shown(world) == "success"
    assert posted["user"] == world.gitlab.status(world.there, sha_of(world), "reana/fit").user.id


def test_a_rotated_token_ends_what_it_began(world: World):
    posted = say(world, P, R)
    world.forge = world.another_forge(world.gitlab.rotate(world.token.value))
    say(world, S, posted=posted)
    assert len(world.there.statuses) == 1
    assert world.gitlab.reads("statuses") == []


def test_a_refused_transition_that_shows_something_else(world: World):
    body = '{"message": "Cannot transition status via :run from :running"}'
    world.gitlab.fail("POST", POSTS, status=400, body=body)
    with pytest.raises(ForgeError, match="shows nothing"):
        say(world, R)
    say(world, R)
    assert shown(world) == "running"


def test_a_lock_is_waited_for(world: World, monkeypatch):
    waits: list[float] = []
    world.forge._statuses = statuses.Statuses(  # pyright: ignore
        world.forge._client, world.forge._id_of, sleep=waits.append, chance=lambda: 0.5
    )
    world.gitlab.fail("POST", POSTS, status=409, times=3, body='{"message": "409 Conflict"}')
    say(world, P)
    assert shown(world) == "pending"
    assert waits == pytest.approx([0.15, 0.3, 0.6])


def test_a_lock_that_is_held_for_long(world: World, monkeypatch):
    monkeypatch.setattr(statuses, "_LOCKED", 1)
    world.gitlab.fail("POST", POSTS, status=409, times=None, body='{"message": "409 Conflict"}')
    with pytest.raises(ForgeError, match="409") as raised:
        say(world, P)
    assert type(raised.value) is ForgeError


def test_many_at_once(world: World):
    world.gitlab.instance.status_seconds = 0.02
    threads = [
        threading.Thread(target=say, args=(world, P, R, S), kwargs={"context": f"reana/{n}"})
        for n in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {row.state for row in world.there.statuses} == {"success"}
    assert len(world.there.statuses) == 6
    assert len(world.there.pipelines) == 1


def test_a_pipeline_that_is_gone(world: World):
    posted = say(world, P)
    world.there.pipelines.clear()
    world.there.statuses.clear()
    posted = say(world, R, S, posted=posted)
    assert shown(world) == "success"
    assert posted["pipeline"] == world.there.pipelines[0].id


@pytest.mark.parametrize("source", ["push", "merge_request_event"])
def test_the_pipeline_of_the_merge_request_is_joined(world: World, source: str):
    merge_request = world.merge_request()
    ref = merge_request.ref if source == "merge_request_event" else "feature"
    own = world.gitlab.pipeline(world.there, merge_request.sha, ref, source=source)
    own.merge_request = merge_request.iid
    changes = {
        "sha": merge_request.sha,
        "ref": merge_request.ref,
        "source_branch": "feature",
        "merge_request": merge_request.iid,
        "has_pipelines": True,
    }
    say(world, P, R, S, **changes)
    [row] = world.there.statuses
    assert (row.pipeline, row.state, row.ref) == (own, "success", ref)
    assert len(world.gitlab.reads()) == 1


def test_a_pipeline_is_waited_for_and_never_our_own_taken(world: World):
    merge_request = world.merge_request()
    now = [0.0]
    world.forge._statuses = statuses.Statuses(  # pyright: ignore
        world.forge._client, world.forge._id_of, monotonic=lambda: now[0]
    )
    changes: dict[str, Any] = {
        "sha": merge_request.sha,
        "ref": merge_request.ref,
        "source_branch": "feature",
        "merge_request": merge_request.iid,
        "has_pipelines": True,
    }
    world.gitlab.pipeline(world.there, merge_request.sha, "feature", source="external")
    for _ in range(2):
        with pytest.raises(ForgeError, match="no pipeline") as raised:
            say(world, P, **changes)
        assert raised.value.retry_after == 1.0
        assert world.gitlab.writes() == []
    now[0] = 5.0
    say(world, P, R, S, **changes)
    assert shown(world, sha=merge_request.sha) == "success"


def test_a_branch_pipeline_is_waited_for_too(world: World):
    sha = world.gitlab.push(world.there, "main", CI)
    with pytest.raises(ForgeError, match="no pipeline"):
        say(world, P, sha=sha, has_pipelines=True)
    own = world.gitlab.pipeline(world.there, sha, "main")
    say(world, P, R, S, sha=sha, has_pipelines=True)
    assert {row.pipeline for row in world.there.statuses} == {own}


def fork_of(world: World, *, ours: bool) -> tuple[Any, dict[str, Any]]:
    user = world.gitlab.user("stranger")
    world.there.members[user.id] = Level.REPORTER
    fork = world.gitlab.fork(world.there, "stranger/ttbar", user)
    if ours:
        fork.members[world.token.user.id] = Level.DEVELOPER
    sha = world.gitlab.push(fork, "feature", {"c": "1"}, user=user)
    merge_request = world.gitlab.open(world.there, "feature", source=fork, user=user)
    return fork, {
        "sha": sha,
        "ref": merge_request.ref,
        "source_branch": "feature",
        "source_project_id": str(fork.id),
        "merge_request": merge_request.iid,
    }


def test_a_fork_gets_the_status_itself(world: World):
    fork, changes = fork_of(world, ours=True)
    say(world, P, R, S, **changes)
    assert [row.state for row in fork.statuses] == ["success"]
    assert fork.statuses[0].ref == "feature"
    assert world.there.statuses == []


@pytest.mark.parametrize("visible", [False, True])
def test_a_fork_that_takes_no_status(world: World, visible: bool):
    world.there.visibility = "public" if visible else "private"
    fork, changes = fork_of(world, ours=False)
    fork.visibility = "public" if visible else "private"
    with pytest.raises(ForgeRefused, match="the fork takes no status"):
        say(world, P, **changes)
    assert world.there.statuses == [], "never the target blindly"


def test_the_project_itself_named_as_source(world: World):
    posted = say(world, P, R, source_project_id=str(world.there.id))
    say(world, S, posted=posted)
    assert [row.state for row in world.there.statuses] == ["success"]


def with_level(world: World, level: Level) -> None:
    world.there.members[world.token.user.id] = level


def limited(world: World, headers: dict[str, str]) -> None:
    world.gitlab.fail("POST", POSTS, status=429, headers=headers)


@pytest.mark.parametrize(
    ("change", "error", "said"),
    [
        (
            lambda world: world.there.members.update({world.token.user.id: Level.REPORTER}),
            ForgeRefused,
            "role",
        ),
        (
            lambda world: world.there.members.update({world.token.user.id: Level.DEVELOPER}),
            ForgeRefused,
            "role",
        ),
        (lambda world: setattr(world.there, "archived", True), ForgeRefused, "403"),
        (lambda world: world.gitlab.remove(world.there), ForgeRefused, "404"),
        (lambda world: world.gitlab.revoke(world.token.value), ForgeError, "forges.lab.token"),
        (
            lambda world: world.gitlab.fail("POST", POSTS, status=429, headers={"Retry-After": "9"}),
            RateLimited,
            "9",
        ),
        (lambda world: world.gitlab.fail("POST", POSTS, status=429), RateLimited, "asks to wait"),
        (lambda world: world.gitlab.stop(), ForgeError, "no connection"),
    ],
)
def test_refusals(world: World, change: Any, error: type[Exception], said: str):
    sent = status(world)
    change(world)
    with pytest.raises(error, match=said) as raised:
        world.forge.post_status(world.project, sent)
    assert type(raised.value) is error
    assert world.token.value not in str(raised.value)


def test_a_commit_that_is_gone(world: World):
    with pytest.raises(CommitGone):
        say(world, P, sha="1" * 40)


def test_a_renamed_project(world: World):
    posted = say(world, P)
    world.gitlab.rename(world.there, "atlas/top")
    say(world, R, S, posted=posted)
    assert shown(world) == "success"


def test_a_project_whose_id_nobody_told_and_that_was_renamed(world: World):
    world.gitlab.rename(world.there, "atlas/top")
    world.forge = world.another_forge()
    say(world, P, R, S)
    assert shown(world) == "success"
    assert len(world.gitlab.reads()) == 2
