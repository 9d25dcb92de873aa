"""Code of strangers on a GitLab: it waits, somebody with rights reads it, exactly that commit runs."""

from reana_bridge.model.runs import RunState
from reana_bridge.testing.gitlab import Level
from tests.e2e.gitlab_world import CONTEXT, MEASURE, until
from tests.e2e.scenarios import scenario


def waiting(scene, **more):
    """A merge request from a fork that waits for approval."""
    scene.main()
    of = scene.fork_request(scene.fork(), **more)
    scene.note(of, "waits for approval", f"/reana approve {of.sha}")
    scene.settle()
    assert scene.ran(of.sha) == 0
    return of


def refused(scene, of):
    scene.settle()
    assert scene.ran(of.sha) == 0
    assert any(run.state == RunState.WAITING for run in scene.runs() if run.sha == of.sha)


@scenario()
def a_fork_waits_and_the_note_says_for_whom(scene):
    of = waiting(scene)
    scene.allowed.refusals = {404}
    refused(scene, of)


@scenario()
def a_fork_runs_after_approval(scene):
    scene.allowed.refusals = {404}
    of = waiting(scene)
    scene.reacted(scene.say(of, f"/reana approve {of.sha}", scene.dev), "eyes")
    scene.note(of, of.sha[:7], r"\ba\b", absent=("waits for approval",))
    scene.settle()
    assert scene.ran(of.sha) == 1
    (run,) = [run for run in scene.runs() if run.sha == of.sha]
    assert (run.trusted, run.approved_by) == (False, scene.dev.username)


@scenario()
def approval_for_one_commit_and_push_of_another(scene):
    scene.allowed.refusals = {404}
    of = waiting(scene, command=f"sleep 2; {MEASURE}")
    fork = of.source_project
    first = of.sha
    scene.say(of, f"/reana approve {first}", scene.dev)
    scene.started(first)
    second = scene.push("theirs", {"a": 9.0}, project=fork, user=scene.guest)
    scene.note(of, "waits for approval", f"/reana approve {second}")
    scene.settle()
    assert scene.ran(second) == 0


@scenario()
def approval_of_an_older_head(scene):
    scene.allowed.refusals = {404}
    of = waiting(scene)
    old = of.sha
    new = scene.push("theirs", {"a": 9.0}, project=of.source_project, user=scene.guest)
    scene.note(of, f"/reana approve {new}")
    note = scene.say(of, f"/reana approve {old}", scene.dev)
    scene.reacted(note, "eyes")
    scene.reply(of, new)
    refused(scene, of)
    assert scene.ran(old) == 0


@scenario()
def approval_by_who_may_not(scene):
    scene.allowed.refusals = {403}
    scene.project.visibility = "public"
    of = waiting(scene)
    for user in (scene.guest, scene.gitlab.user(f"passer-{scene.project.name}")):
        scene.reacted(scene.say(of, f"/reana approve {of.sha}", user), "confused")
    refused(scene, of)


@scenario()
def approval_of_half_a_sha(scene):
    scene.allowed.refusals = {404}
    of = waiting(scene)
    scene.reacted(scene.say(of, f"/reana approve {of.sha[:12]}", scene.dev), "confused")
    scene.reply(of, "40")
    refused(scene, of)


@scenario()
def run_does_not_go_round_the_approval(scene):
    scene.allowed.refusals = {404}
    of = waiting(scene)
    scene.say(of, "/reana run", scene.guest)
    refused(scene, of)


@scenario()
def the_targets_file_counts_not_the_forks(scene):
    scene.allowed.refusals = {404}
    scene.main(files={".reana-bridge.yaml": "name: fit\n"}, context="reana/fit")
    of = scene.fork_request(scene.fork(), files={".reana-bridge.yaml": "name: theirs\n"})
    scene.note(of, "reana/fit", "waits for approval", absent=("reana/theirs",))
    scene.say(of, f"/reana approve {of.sha}", scene.dev)
    scene.note(of, "reana/fit", absent=("waits for approval", "reana/theirs"))


@scenario()
def a_fork_where_we_may_write(scene):
    scene.main()
    fork = scene.fork()
    fork.members[scene.world.bot.id] = Level.DEVELOPER
    of = scene.fork_request(fork)
    scene.shows(of.sha, "pending", project=fork)
    scene.settle()
    scene.say(of, f"/reana approve {of.sha}", scene.dev)
    row = scene.shows(of.sha, "success", project=fork)
    assert row.ref == "theirs"
    scene.note(of, of.sha[:7], absent=("waits for approval",))
    assert scene.rows(of.sha) == []


@scenario()
def a_fork_is_closed_while_it_waits(scene):
    scene.allowed.refusals = {404}
    of = waiting(scene)
    scene.gitlab.close(scene.project, of)
    until(
        lambda: [run.state for run in scene.runs() if run.sha == of.sha] == [RunState.CANCELLED],
        lambda: f"it still waits\n{scene.describe()}",
    )


@scenario()
def a_fork_that_is_deleted_while_it_waits(scene):
    scene.allowed.refusals = {404}
    of = waiting(scene)
    scene.gitlab.remove(of.source_project)
    scene.gitlab.edit(scene.project, of, labels=["orphan"])
    refused(scene, of)
    scene.say(of, f"/reana approve {of.sha}", scene.dev)
    scene.note(of, of.sha[:7], absent=("waits for approval",))
    scene.settle()
    assert scene.ran(of.sha) == 1


@scenario()
def a_forks_result_is_nobodys_baseline(scene):
    scene.allowed.refusals = {404}
    of = waiting(scene)
    scene.say(of, f"/reana approve {of.sha}", scene.dev)
    scene.note(of, absent=("waits for approval",))
    scene.gitlab.merge(scene.project, of, user=scene.mia)
    merged = scene.project.repository.commit_of("main")
    scene.shows(merged, "success")


@scenario(group="never")
def forks_that_never_run(scene):
    scene.main()
    of = scene.fork_request(scene.fork())
    scene.settle()
    assert scene.ran(of.sha) == 0
    assert not any("approve" in note.body for note in scene.ours(of))
    scene.say(of, f"/reana approve {of.sha}", scene.mia)
    scene.settle()
    assert scene.ran(of.sha) == 0


@scenario(group="members")
def a_members_fork_runs_at_once_when_a_member_pushes(scene):
    scene.allowed.refusals = {403}
    scene.main()
    of = scene.fork_request(scene.fork(scene.dev, visibility="public"), user=scene.dev)
    scene.settle()
    second = scene.push("theirs", {"a": 8.0}, project=of.source_project, user=scene.dev)
    scene.note(of, second[:7], absent=("waits for approval",))
    scene.settle()
    assert scene.ran(second) == 1


@scenario(group="members")
def a_strangers_fork_waits_though_members_would_not(scene):
    scene.allowed.refusals = {404}
    scene.main()
    of = scene.fork_request(scene.fork())
    second = scene.push("theirs", {"a": 8.0}, project=of.source_project, user=scene.guest)
    scene.note(of, f"/reana approve {second}")
    scene.gitlab.edit(scene.project, of, labels=["ok-to-test"], user=scene.dev)
    refused(scene, of)


@scenario()
def a_branch_of_the_project_itself_needs_no_approval(scene):
    scene.main()
    of = scene.request()
    row = scene.shows(of.sha, "success")
    assert row.name == CONTEXT
    assert all(run.trusted for run in scene.runs())
