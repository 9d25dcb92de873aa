"""Code of strangers on a GitHub: it waits, somebody with rights reads it, exactly that commit runs."""

from tests.e2e.github_world import NOTE, REPLY
from tests.e2e.scenarios import as_app, both


def waiting(scene, **more):
    """A pull request from a fork that waits for approval."""
    scene.main()
    _, pull = scene.fork_request(**more)
    scene.shows(pull.sha, "pending" if scene.forge == "token" else "action_required")
    assert scene.note(pull, f"/reana approve {pull.sha}").startswith(NOTE)
    scene.settle()
    assert scene.ran(pull.sha) == 0
    return pull


@both
def a_fork_waits_for_a_person(scene):
    pull = waiting(scene)
    scene.say(pull, f"/reana approve {pull.sha}", by=scene.guest)
    scene.settle()
    assert scene.ran(pull.sha) == 0
    scene.say(pull, f"/reana approve {pull.sha}")
    scene.shows(pull.sha, "success")
    assert scene.ran(pull.sha) == 1


@both
def approval_of_an_older_head(scene):
    pull = waiting(scene)
    old = pull.sha
    new = scene.push("theirs", {"a": 9.0}, project=pull.source, by=scene.guest)
    scene.note(pull, f"/reana approve {new}")
    scene.say(pull, f"/reana approve {old}")
    scene.note(pull, new, marker=REPLY)
    scene.settle()
    assert (scene.ran(old), scene.ran(new)) == (0, 0)


@both
def approval_of_one_commit_and_push_of_another(scene):
    pull = waiting(scene)
    old = pull.sha
    scene.say(pull, f"/reana approve {old}")
    scene.shows(old, "success")
    new = scene.push("theirs", {"a": 9.0}, project=pull.source, by=scene.guest)
    scene.note(pull, f"/reana approve {new}")
    scene.settle()
    assert (scene.ran(old), scene.ran(new)) == (1, 0)


@both
def the_fork_is_deleted_while_it_waits(scene):
    pull = waiting(scene)
    scene.github.delete(pull.source)
    scene.github.label(scene.project, pull, "x")
    scene.settle()
    scene.say(pull, f"/reana approve {pull.sha}")
    scene.shows(pull.sha, "success")
    assert scene.ran(pull.sha) == 1


@both
def the_targets_file_counts_not_the_forks(scene):
    scene.push(files={".reana-bridge.yaml": "name: fit\n"})
    _, pull = scene.fork_request(files={".reana-bridge.yaml": "name: theirs\n"})
    body = scene.note(pull, "reana/fit")
    assert "reana/theirs" not in body
    scene.settle()
    assert scene.contexts(pull.sha) == {"reana/fit"}


@both
def run_does_not_go_round_the_approval(scene):
    pull = waiting(scene)
    scene.say(pull, "/reana run", by=scene.guest)
    scene.settle()
    assert scene.ran(pull.sha) == 0


@as_app
def the_approve_button(scene):
    pull = waiting(scene)
    check = scene.check(pull.sha)
    (button,) = check.values["actions"]
    scene.github.press(scene.project, check, button["identifier"], by=scene.guest)
    scene.settle()
    assert scene.ran(pull.sha) == 0
    scene.github.press(scene.project, check, button["identifier"], by=scene.dev)
    scene.shows(pull.sha, "success")
    assert scene.check(pull.sha) is check, "the same check goes on"
