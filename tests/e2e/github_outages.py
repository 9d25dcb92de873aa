"""A GitHub that errs, hangs, cuts off, limits and forgets: in the end it shows the right thing, once."""

from reana_bridge.model.runs import FINAL
from tests.e2e.gitlab_world import until
from tests.e2e.scenarios import both, with_token

STATUSES = "/(statuses/|check-runs)"
NOTES = r"/issues/\d+/comments$"


def ends_well(scene, pull):
    """The one status or check and the one note are there."""
    scene.shows(pull.sha, "success")
    scene.note(pull, pull.sha[:7])
    scene.settle()
    assert len(scene.comments()) == 1


def fail(scene, method, path, **how):
    return scene.github.fail(method, f"/{scene.project.path}{path}", **how)


@both
def errors_before_a_note_is_stored(scene):
    rule = fail(scene, "POST", NOTES)
    ends_well(scene, scene.request())
    assert rule.struck == 1


@both
def errors_after_a_note_is_stored(scene):
    rule = fail(scene, "POST", NOTES, how="after")
    ends_well(scene, scene.request())
    assert rule.struck == 1


@both
def a_note_that_is_stored_and_never_answered(scene):
    rule = fail(scene, "POST", NOTES, how="hang_after", seconds=3)
    ends_well(scene, scene.request())
    assert rule.struck == 1


@both
def a_note_whose_connection_is_cut_before(scene):
    fail(scene, "POST", NOTES, how="close_before")
    ends_well(scene, scene.request())


@both
def an_edit_of_the_note_is_lost(scene):
    pull = scene.request()
    scene.note(pull, pull.sha[:7])
    scene.settle()
    rule = fail(scene, "PATCH", "/issues/comments/", how="after")
    scene.push("topic", {"a": 4.0})
    ends_well(scene, pull)
    assert rule.struck == 1


@both
def errors_before_a_status_is_stored(scene):
    fail(scene, "POST", STATUSES, status=503)
    ends_well(scene, scene.request())


@both
def a_status_whose_answer_is_lost(scene):
    rule = fail(scene, "POST", STATUSES, how="close_after")
    ends_well(scene, scene.request())
    assert rule.struck == 1


@both
def a_final_status_whose_answer_is_lost(scene):
    with scene.held():
        pull = scene.request()
        scene.started(pull.sha)
        scene.settle_outbox()
        rule = fail(scene, "*", STATUSES, how="after")
    ends_well(scene, pull)
    assert rule.struck == 1


@with_token
def a_secondary_limit_only_delays(scene):
    scene.refusals.add(403)
    scene.github.limit_secondary(retry_after=1)
    ends_well(scene, scene.request())


@both
def a_forge_that_is_away_when_a_run_ends(scene):
    with scene.held():
        pull = scene.request()
        scene.started(pull.sha)
        scene.settle_outbox()
        scene.github.stop()
    until(lambda: all(run.state in FINAL for run in scene.runs()), scene.describe)
    scene.github.start()
    ends_well(scene, pull)


@both
def a_pull_request_that_cannot_be_asked_for_a_while(scene):
    rule = fail(scene, "GET", r"/pulls/\d+$", times=2, status=503)
    ends_well(scene, scene.request())
    assert rule.struck == 2


@both
def code_that_cannot_be_fetched_for_a_while(scene):
    rule = scene.github.fail("*", rf"/{scene.project.path}\.git/", times=2, status=503)
    ends_well(scene, scene.request())
    assert rule.struck == 2


@both
def answers_that_take_their_time(scene):
    fail(scene, "*", "/", how="slow", seconds=0.3, times=None)
    ends_well(scene, scene.request())


@with_token
def the_token_is_revoked_in_the_middle(scene):
    scene.refusals.add(401)
    with scene.held():
        pull = scene.request()
        scene.started(pull.sha)
        scene.github.revoke(scene.world.token)
    try:
        until(lambda: any("401" in line for line in scene.outbox()), scene.describe)
    finally:
        scene.github.restore(scene.world.token)
    ends_well(scene, pull)


@both
def another_tool_posts_to_the_same_commit(scene):
    pull = scene.request()
    scene.post_as(scene.dev, pull.sha, "failure", "other/tool")
    ends_well(scene, pull)
    assert scene.contexts(pull.sha) == {"reana/analysis", "other/tool"}
