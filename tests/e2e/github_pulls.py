"""Pull requests on a GitHub: one run a commit, one note a pull request, the newest head alone."""

from tests.e2e.scenarios import as_app, both


@both
def a_pull_request_from_first_to_last(scene):
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
def a_job_that_fails(scene):
    pull = scene.request(command="echo the reason >&2; exit 3")
    scene.shows(pull.sha, "failure")
    scene.note(pull, "the reason")


@both
def what_a_job_prints_mentions_nobody(scene):
    pull = scene.request(command="echo '@everybody <b>x</b> ![](https://evil.example/x.png)' >&2; exit 3")
    body = scene.note(pull, "everybody")
    outside = "".join(body.split("```")[::2])
    assert "@everybody" not in outside
    assert "<b>x</b>" not in outside
    assert "![](https://evil" not in outside


@as_app
def a_failure_names_the_line(scene):
    """Where the log says which file and line of the repository failed, the check points to it."""
    script = "import sys\n\nraise SystemExit(sys.version_info.nothing)\n"
    pull = scene.request(files={"fit.py": script}, command="python3 fit.py")
    scene.shows(pull.sha, "failure")
    scene.settle()
    places = [(one["path"], one["start_line"]) for one in scene.check(pull.sha).annotations]
    assert places == [("fit.py", 3)]


@both
def new_commits_take_the_place_of_old_ones(scene):
    with scene.held():
        pull = scene.request()
        first = pull.sha
        scene.started(first)
        last = scene.push("topic", {"a": 5.0})
        scene.shows(first, "cancelled", "error")
    scene.shows(last, "success")
    scene.note(pull, last[:7])


@both
def a_forced_push_in_the_middle(scene):
    scene.main()
    with scene.held():
        pull = scene.request()
        first = pull.sha
        scene.started(first)
        last = scene.push("topic", {"a": 9.0}, start="main")
        scene.shows(first, "cancelled", "error")
    scene.shows(last, "success")
    assert f"`{first[:7]}`" not in scene.note(pull, last[:7]).partition("<details>")[0]


@both
def three_pushes_and_one_note(scene):
    scene.main()
    pull = scene.request()
    scene.note(pull, pull.sha[:7])
    for value in (5.0, 6.0):
        sha = scene.push("topic", {"a": value})
        scene.note(pull, sha[:7])
        scene.shows(sha, "success")
    scene.settle()
    assert len(scene.comments()) == 1


@both
def labels_and_titles_start_nothing(scene):
    pull = scene.request()
    scene.note(pull, pull.sha[:7])
    scene.settle()
    before = scene.writes()
    for name in ("bug", "physics"):
        scene.github.label(scene.project, pull, name)
    scene.github.set_draft(scene.project, pull, True)
    scene.github.set_draft(scene.project, pull, False)
    scene.settle()
    assert (scene.executed(pull.sha), scene.writes()) == (1, before)


@both
def a_label_that_is_asked_for(scene):
    scene.push(files={".reana-bridge.yaml": "on: {merge-request: {labels: [run-it]}}\n"})
    scene.settle()
    pull = scene.request()
    scene.settle()
    assert scene.states(pull.sha) == []
    scene.github.label(scene.project, pull, "run-it")
    scene.shows(pull.sha, "success")
    scene.note(pull, pull.sha[:7])
    assert scene.executed(pull.sha) == 1


@both
def two_pull_requests_with_one_commit(scene):
    scene.main()
    first = scene.request()
    scene.github.point(scene.project, "refs/heads/twin", first.sha)
    second = scene.github.pull(scene.project, "twin", by=scene.dev)
    for pull in (first, second):
        scene.note(pull, first.sha[:7])
    scene.shows(first.sha, "success")
    scene.settle()
    assert scene.executed(first.sha) == 1
    assert len(scene.comments()) == 2


@both
def closed_and_opened_again(scene):
    pull = scene.request()
    scene.note(pull, pull.sha[:7])
    scene.settle()
    before = scene.writes()
    scene.github.close(scene.project, pull)
    scene.github.reopen(scene.project, pull)
    scene.settle()
    assert (scene.executed(pull.sha), scene.writes()) == (1, before)


@both
def closed_while_it_runs(scene):
    with scene.held():
        pull = scene.request()
        scene.started(pull.sha)
        scene.github.close(scene.project, pull)
        scene.shows(pull.sha, "cancelled", "error")
    scene.settle()
    assert scene.ours(pull) == []


@both
def its_branch_is_deleted(scene):
    with scene.held():
        pull = scene.request()
        scene.started(pull.sha)
        scene.github.point(scene.project, "refs/heads/topic", None, by=scene.dev)
        scene.shows(pull.sha, "cancelled", "error")


@both
def merged_and_run_on_main(scene):
    scene.main()
    pull = scene.request()
    scene.shows(pull.sha, "success")
    scene.note(pull, pull.sha[:7])
    scene.settle()
    scene.github.close(scene.project, pull, merged=True)
    scene.github.point(scene.project, "refs/heads/main", pull.sha, by=scene.dev)
    scene.settle()
    assert scene.executed(pull.sha) == 1, "it was run already"
    assert scene.state(pull.sha) == "success"


@both
def another_target_is_another_comparison(scene):
    scene.main()
    scene.github.point(scene.project, "refs/heads/release", scene.project.repository.commit_of("main"))
    pull = scene.request()
    scene.note(pull, "on main")
    scene.settle()
    scene.github.retarget(scene.project, pull, "release")
    scene.note(pull, "release")
    scene.settle()
    assert scene.executed(pull.sha) == 1
    assert len(scene.comments()) == 1
