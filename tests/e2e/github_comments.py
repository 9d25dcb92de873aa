"""Comments on a GitHub: commands, who may give them, and the one note among what others write."""

from tests.e2e.github_world import NOTE, REPLY
from tests.e2e.gitlab_comments import NO_COMMANDS
from tests.e2e.gitlab_world import until
from tests.e2e.scenarios import as_app, both


def begun(scene, **more):
    """A pull request with its result and its note."""
    pull = scene.request(**more)
    scene.note(pull, pull.sha[:7])
    scene.settle()
    return pull


def reacted(scene, comment):
    until(lambda: comment.reactions, scene.describe)
    return [content for _, content in comment.reactions]


@both
def a_command_is_answered_once(scene):
    pull = begun(scene)
    said = scene.say(pull, "/reana why")
    scene.note(pull, "", marker=REPLY)
    assert reacted(scene, said) == ["eyes"]
    scene.settle()
    assert len(scene.ours(pull, REPLY)) == 1


@both
def two_commands_in_one_comment_are_one_answer(scene):
    pull = begun(scene)
    scene.say(pull, "/reana status\n\n/reana help")
    scene.note(pull, "/reana approve", marker=REPLY)
    scene.settle()
    assert len(scene.ours(pull, REPLY)) == 1


@both
def run_again(scene):
    pull = begun(scene)
    reacted(scene, scene.say(pull, "/reana run"))
    scene.started(pull.sha, 2)
    scene.settle()
    assert scene.states(pull.sha)[-1] == "success"
    assert scene.executed(pull.sha) == 2
    assert scene.ours(pull, REPLY) == []


@both
def retest_what_failed(scene):
    pull = scene.request(command="exit 1")
    scene.shows(pull.sha, "failure")
    scene.settle()
    reacted(scene, scene.say(pull, "/reana retest"))
    scene.started(pull.sha, 2)
    scene.settle()
    assert scene.state(pull.sha) == "failure"


@both
def cancel_what_runs(scene):
    with scene.held():
        pull = scene.request()
        scene.started(pull.sha)
        scene.say(pull, "/reana cancel")
        scene.shows(pull.sha, "cancelled", "error")
    scene.note(pull, pull.sha[:7])


@both
def a_stranger_may_not(scene):
    pull = begun(scene)
    before = scene.executed(pull.sha)
    assert reacted(scene, scene.say(pull, "/reana run", by=scene.guest)) == ["confused"]
    scene.settle()
    assert scene.executed(pull.sha) == before


@both
def what_is_no_command(scene):
    pull = begun(scene)
    before = scene.writes()
    for body in NO_COMMANDS:
        scene.say(pull, body)
    scene.settle()
    assert (scene.executed(pull.sha), scene.writes()) == (1, before)


@both
def an_edited_comment_is_no_command(scene):
    pull = begun(scene)
    said = scene.say(pull, "nothing")
    before = scene.writes()
    scene.edit(pull, said, "/reana run")
    scene.settle()
    assert (scene.executed(pull.sha), scene.writes()) == (1, before)


@both
def a_mistake_is_answered_with_what_was_meant(scene):
    pull = begun(scene)
    assert reacted(scene, scene.say(pull, "/reana rnu")) == ["confused"]
    scene.note(pull, "did you mean `/reana run`", marker=REPLY)


@both
def our_own_note_is_not_heard(scene):
    pull = begun(scene)
    before = len(scene.writes())
    scene.github.comment(scene.project, pull, "/reana run", by=scene.us)
    scene.settle()
    assert len(scene.writes()) == before


@both
def a_marker_of_somebody_else_takes_nothing_over(scene):
    scene.main()
    scene.github.push(scene.project, "early", {"README.md": "y"}, by=scene.dev)
    pull = scene.request()
    theirs = scene.say(pull, f"{NOTE} -->\nmine")
    scene.note(pull, pull.sha[:7])
    scene.settle()
    assert theirs.body == f"{NOTE} -->\nmine"
    assert len(scene.ours(pull)) == 1


@both
def a_note_that_a_person_deleted_comes_once_more(scene):
    scene.refusals.add(404)
    pull = begun(scene)
    for value in (5.0, 6.0, 7.0):
        for comment in list(scene.github.notes(scene.project, pull, scene.us)):
            scene.github.delete_comment(scene.project, pull, comment, by=scene.dev)
            scene.deleted += 1
        sha = scene.push("topic", {"a": value})
        scene.shows(sha, "success")
        scene.settle()
        assert len(scene.ours(pull)) == (1 if value == 5.0 else 0)


@as_app
def the_button_to_run_again(scene):
    sha = scene.main()
    scene.settle()
    scene.github.press(scene.project, scene.check(sha), by=scene.dev)
    until(lambda: len(scene.github.checks(scene.project, sha)) == 2, scene.describe)
    scene.shows(sha, "success")
    assert scene.executed(sha) == 2
