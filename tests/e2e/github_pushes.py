"""Pushes, tags and hooks of every kind on a GitHub."""

from tests.e2e.scenarios import both


@both
def a_push_to_main(scene):
    sha = scene.main()
    scene.settle()
    assert scene.executed(sha) == 1
    assert len(scene.writes()) <= 3
    assert scene.comments() == []


@both
def a_push_to_a_branch_without_a_pull_request(scene):
    scene.main()
    sha = scene.push("topic")
    scene.settle()
    assert (scene.states(sha), scene.executed(sha)) == ([], 0)


@both
def an_annotated_tag_means_its_commit(scene):
    sha = scene.push("main", files={".reana-bridge.yaml": "on: {tag: v*}\n"})
    scene.settle()
    assert scene.executed(sha) == 0
    scene.github.tag(scene.project, "v1", sha, annotated=True)
    scene.shows(sha, "success")
    assert scene.executed(sha) == 1


@both
def a_branch_comes_and_goes(scene):
    first = scene.main()
    scene.settle()
    before = scene.writes()
    scene.github.point(scene.project, "refs/heads/other", first)
    scene.github.point(scene.project, "refs/heads/other", None)
    scene.settle()
    assert scene.writes() == before


@both
def words_in_the_message_skip_it(scene):
    sha = scene.push(message="Typo [skip ci]")
    scene.settle()
    assert (scene.states(sha), scene.executed(sha)) == ([], 0)


@both
def no_workflow_at_all(scene):
    scene.github.push(scene.project, "main", {"README.md": "x"}, by=scene.dev)
    scene.github.push(scene.project, "topic", {"a": "x"}, by=scene.dev)
    scene.github.pull(scene.project, "topic", by=scene.dev)
    scene.settle()
    assert scene.writes() == []


@both
def a_wrong_file(scene):
    pull = scene.request(files={".reana-bridge.yaml": "on:\n  push:\n    branch: [main]\n"})
    scene.note(pull, "line 3")
    scene.settle()
    assert scene.states(pull.sha)[-1:] == ["failure"]
    assert scene.executed(pull.sha) == 0


@both
def two_hooks_tell_of_the_same(scene):
    """One made by hand beside the one that is there: every event comes twice, with two ids."""
    scene.github.hook(scene.project, scene.world.door(scene.forge), secret=scene.secret)
    sha = scene.main()
    pull = scene.request()
    scene.shows(pull.sha, "success")
    scene.note(pull, pull.sha[:7])
    scene.settle()
    assert (scene.executed(sha), scene.executed(pull.sha)) == (1, 1)


@both
def a_hook_with_a_wrong_secret_is_not_heard(scene):
    scene.main()
    scene.settle()
    before = scene.writes()
    scene.without_hooks()
    hook = scene.github.hook(scene.project, scene.world.door(scene.forge), secret="another")
    scene.push("main", {"a": 3.0})
    scene.settle()
    assert {attempt.status_code for attempt in hook.deliveries} == {401}
    assert scene.writes() == before


@both
def a_renamed_repository_is_served_on(scene):
    with scene.held():
        pull = scene.request()
        scene.started(pull.sha)
        scene.github.rename(scene.project, f"{scene.project.path}-renamed")
    scene.shows(pull.sha, "success")
    scene.note(pull, pull.sha[:7])


@both
def a_schedule_of_pushes_in_a_row(scene):
    """Only the last of many quick pushes has to be run; each that began has an end."""
    with scene.held():
        shas = [scene.push("main", {"a": float(number)}) for number in range(5)]
        scene.github.deliveries.wait()
    scene.shows(shas[-1], "success")
    scene.settle()
    assert all(scene.executed(sha) <= 1 for sha in shas)
