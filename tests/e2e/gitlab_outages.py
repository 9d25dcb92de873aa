"""A GitLab that errs, hangs, cuts off, limits and forgets: in the end it shows the right thing, once."""

from tests.e2e.gitlab_world import CONTEXT, TIMEOUT, until
from tests.e2e.scenarios import scenario


def statuses(scene):
    return rf"/projects/{scene.project.id}/statuses/"


def notes(scene):
    return rf"/projects/{scene.project.id}/merge_requests/\d+/notes$"


def ends_well(scene, of):
    """The one status and the one note are there."""
    row = scene.shows(of.sha, "success", seconds=90)
    scene.note(of, of.sha[:7])
    scene.settle(90)
    assert len([r for r in scene.rows(of.sha) if not r.retried and r.name == CONTEXT]) == 1
    assert len(scene.ours(of)) == 1
    return row


@scenario()
def errors_before_a_status_is_stored(scene):
    scene.main()
    rule = scene.gitlab.fail("POST", statuses(scene), times=3)
    ends_well(scene, scene.request())
    assert rule.struck == 3


@scenario()
def errors_after_a_status_is_stored(scene):
    scene.main()
    rule = scene.gitlab.fail("POST", statuses(scene), how="after", times=3)
    of = scene.request()
    row = ends_well(scene, of)
    assert rule.struck >= 1
    assert len(scene.rows(of.sha)) == 1
    assert row.history[-1] == "success"


@scenario()
def the_final_status_is_stored_and_its_answer_lost(scene):
    scene.main()
    with scene.held():
        of = scene.request()
        scene.shows(of.sha, "running")
        scene.settle_statuses()
        rule = scene.gitlab.fail("POST", statuses(scene), how="close_after")
    ends_well(scene, of)
    assert rule.struck == 1
    assert len(scene.rows(of.sha)) == 1


@scenario()
def a_lock_that_others_hold(scene):
    scene.main()
    body = '{"message":"409 Conflict: Resource lock"}'
    rule = scene.gitlab.fail("POST", statuses(scene), status=409, times=6, body=body)
    ends_well(scene, scene.request())
    assert rule.struck == 6


@scenario()
def an_error_before_the_note_is_stored(scene):
    scene.main()
    rule = scene.gitlab.fail("POST", notes(scene))
    ends_well(scene, scene.request())
    assert rule.struck == 1


@scenario()
def an_error_after_the_note_is_stored(scene):
    scene.main()
    rule = scene.gitlab.fail("POST", notes(scene), how="after")
    of = scene.request()
    ends_well(scene, of)
    assert rule.struck == 1
    assert scene.writes("notes") == [f"POST merge_requests/{of.iid}/notes"]


@scenario()
def a_note_that_is_stored_and_never_answered(scene):
    scene.main()
    rule = scene.gitlab.fail("POST", notes(scene), how="hang_after", seconds=TIMEOUT + 1)
    of = scene.request()
    ends_well(scene, of)
    assert rule.struck == 1
    assert len(scene.writes("notes")) == 1


@scenario()
def a_note_whose_connection_is_cut_before(scene):
    scene.main()
    scene.gitlab.fail("POST", notes(scene), how="close_before")
    of = scene.request()
    ends_well(scene, of)
    assert len(scene.writes("notes")) == 1


@scenario()
def an_edit_of_the_note_is_lost(scene):
    scene.main()
    of = scene.request()
    scene.note(of, of.sha[:7])
    scene.settle()
    rule = scene.gitlab.fail("PUT", rf"/projects/{scene.project.id}/.*/notes/", how="after")
    scene.allowed.repeats = 1  # to edit once more does no harm
    scene.push("topic", {"a": 4.0})
    ends_well(scene, of)
    assert rule.struck == 1


@scenario()
def a_limit_that_says_how_long(scene):
    scene.main()
    rule = scene.gitlab.fail(
        "POST", statuses(scene), status=429, headers={"Retry-After": "2"}, body="Retry later"
    )
    ends_well(scene, scene.request())
    assert rule.struck == 1


@scenario()
def a_limit_without_headers(scene):
    scene.main()
    rule = scene.gitlab.fail("POST", notes(scene), status=429, body="Retry later")
    ends_well(scene, scene.request())
    assert rule.struck == 1


@scenario()
def the_merge_request_cannot_be_asked_for_a_while(scene):
    scene.main()
    rule = scene.gitlab.fail("GET", rf"/projects/{scene.project.id}/merge_requests/\d+$", times=3, status=503)
    ends_well(scene, scene.request())
    assert rule.struck == 3


@scenario()
def code_cannot_be_fetched_for_a_while(scene):
    scene.main()
    rule = scene.gitlab.fail("*", rf"/{scene.project.path}\.git/", times=3, status=503)
    ends_well(scene, scene.request())
    assert rule.struck == 3


@scenario()
def answers_that_take_their_time(scene):
    scene.main()
    scene.gitlab.fail("*", f"/projects/{scene.project.id}/", how="slow", seconds=0.5, times=None)
    ends_well(scene, scene.request())


@scenario()
def the_token_is_revoked_in_the_middle(scene):
    scene.main()
    with scene.held():
        of = scene.request()
        scene.started(of.sha)
        scene.gitlab.revoke(scene.world.token)
    until(
        lambda: any("401" in line for line in scene.outbox()),
        lambda: f"nobody noticed\n{scene.describe()}",
    )
    scene.gitlab.restore(scene.world.token)
    scene.allowed.refusals = {401}
    ends_well(scene, of)


@scenario()
def what_we_began_was_ended_by_another(scene):
    scene.main()
    with scene.held():
        of = scene.request()
        scene.shows(of.sha, "running")
        scene.settle_statuses()
        pipeline = scene.rows(of.sha)[0].pipeline
        assert pipeline.source == "external"
    ends_well(scene, of)


@scenario()
def another_tool_posts_to_the_same_commit(scene):
    scene.main()
    with scene.held():
        of = scene.request()
        scene.shows(of.sha, "running")
        scene.post_as(scene.mia, of.sha, "success", "other/tool")
    ends_well(scene, of)
    assert {row.name for row in scene.rows(of.sha)} == {"reana/analysis", "other/tool"}
    assert len({row.pipeline.id for row in scene.rows(of.sha)}) == 1


@scenario()
def a_deleted_merge_request_cannot_be_told(scene):
    scene.main()
    with scene.held():
        of = scene.request()
        scene.started(of.sha)
        del scene.project.merge_requests[of.iid]
    scene.allowed.refusals = {404}
    scene.shows(of.sha, "success")
    scene.settle()
