"""Pushes, hooks in every order, merge requests, projects and pipelines on a GitLab."""

import json

from tests.e2e.scenarios import scenario

# -- pushes --


@scenario()
def push_to_main(scene):
    sha = scene.push("main", user=scene.mia)
    row = scene.shows(sha, "success")
    assert row.history in (["pending", "running", "success"], ["pending", "success"])
    assert row.ref == "main"
    scene.settle()
    assert scene.writes("notes") == []
    assert len(scene.writes()) <= 3
    assert len(scene.reads()) <= 3


@scenario()
def push_to_a_branch_without_a_merge_request(scene):
    scene.main()
    sha = scene.push("topic")
    scene.settle()
    assert scene.rows(sha) == []


@scenario()
def merge_request_from_first_to_last(scene):
    scene.main({"a": 1.0})
    scene.settle()
    before = len(scene.writes()), len(scene.reads())
    of = scene.request(value={"a": 2.0})
    scene.shows(of.sha, "success")
    scene.note(of, "reana/analysis", of.sha[:7], r"\ba\b")
    scene.settle()
    assert len(scene.writes()) - before[0] <= 4
    assert len(scene.reads()) - before[1] <= 3
    assert len(scene.ours(of)[0].bodies) == 1
    assert scene.executed()[of.sha] == 1


@scenario()
def a_second_push_keeps_the_one_note(scene):
    scene.main()
    of = scene.request()
    scene.shows(of.sha, "success")
    scene.note(of, of.sha[:7])
    second = scene.push("topic", {"a": 5.0})
    scene.shows(second, "success")
    scene.note(of, second[:7])
    third = scene.push("topic", {"a": 6.0})
    scene.note(of, third[:7])
    assert sum(scene.executed().values()) == 4


@scenario()
def a_job_that_fails(scene):
    scene.main()
    of = scene.request(command="echo the reason >&2; exit 3")
    scene.shows(of.sha, "failed")
    scene.note(of, "measure", "the reason", "exit status 3")


@scenario()
def a_wrong_file(scene):
    scene.main()
    of = scene.request(files={".reana-bridge.yaml": "on:\n  push:\n    branch: [main]\n"})
    scene.note(of, "line 3", "branches")
    row = scene.gitlab.statuses(scene.project, of.sha)
    assert [one.state for one in row] == ["failed"]
    assert scene.executed()[of.sha] == 0
    scene.allowed.errors = True


@scenario()
def no_workflow_at_all(scene):
    scene.gitlab.push(scene.project, "main", {"README": "x"}, user=scene.mia)
    scene.gitlab.push(scene.project, "topic", {"a": "x"})
    scene.gitlab.open(scene.project, "topic")
    scene.settle()
    assert scene.writes() == []


@scenario()
def skip_in_the_message(scene):
    scene.main()
    of = scene.request(message="Typo [skip ci]")
    scene.settle()
    assert scene.rows(of.sha) == []
    assert scene.executed()[of.sha] == 0


@scenario()
def an_annotated_tag_means_its_commit(scene):
    files = {".reana-bridge.yaml": "on: {tag: v*}\n"}
    sha = scene.push("main", files=files, user=scene.mia)
    object_sha = scene.gitlab.tag(scene.project, "v1", sha, annotated=True, user=scene.mia)
    assert object_sha != sha
    scene.shows(sha, "success")
    assert scene.rows(object_sha) == []


@scenario()
def more_than_twenty_commits(scene):
    scene.main()
    shas = scene.gitlab.push_many(scene.project, "topic", 25, user=scene.dev)
    of = scene.gitlab.open(scene.project, "topic", user=scene.dev)
    scene.shows(of.sha, "success")
    scene.settle()
    assert [scene.executed()[sha] for sha in shas] == [0] * 24 + [1]


@scenario()
def a_branch_comes_and_goes(scene):
    scene.main()
    scene.push("other")
    scene.gitlab.move(scene.project, {"refs/heads/other": None})
    scene.settle()
    assert len(scene.executed()) == 1


@scenario()
def force_push_in_the_middle(scene):
    scene.main()
    with scene.held():
        of = scene.request()
        old = of.sha
        scene.started(old)
        new = scene.push("topic", {"a": 9.0}, force=True)
        scene.shows(old, "canceled")
    scene.shows(new, "success")
    body = scene.note(of, new[:7])
    assert f"`{old[:7]}`" not in body.partition("<details>")[0]


@scenario()
def many_pushes_while_it_runs(scene):
    scene.main()
    with scene.held():
        of = scene.request()
        shas = [of.sha] + [scene.push("topic", {"a": float(n)}) for n in range(3)]
        for sha in shas[:-1]:
            scene.gitlab.deliveries.wait()
            if scene.rows(sha):
                scene.shows(sha, "canceled")
    scene.shows(shas[-1], "success")
    scene.note(of, shas[-1][:7])
    assert len(scene.ours(of)) == 1


# -- hooks in every order --


@scenario()
def hooks_that_tell_of_a_newer_head(scene):
    scene.main()
    of = scene.request()
    scene.shows(of.sha, "success")
    with scene.gitlab.hooks_held():
        first = scene.push("topic", {"a": 4.0})
        last = scene.push("topic", {"a": 5.0})
    scene.shows(last, "success")
    scene.note(of, last[:7])
    assert scene.executed()[first] == 0
    assert scene.executed()[last] == 1


def resend_all(scene, times=1):
    for event in list(scene.hook.events) * times:
        id = event.request_headers["webhook-id"]
        status = scene.deliver(event.request_data.encode(), event.event, **{"webhook-id": id})
        assert status == 200
    scene.settle()


@scenario()
def the_same_deliveries_again_and_again(scene):
    scene.main()
    of = scene.request()
    scene.note(of, of.sha[:7])
    scene.settle()
    writes = scene.writes()
    resend_all(scene, 3)
    assert scene.writes() == writes
    assert scene.executed()[of.sha] == 1


@scenario()
def the_same_events_as_new_deliveries(scene):
    scene.main()
    of = scene.request()
    scene.note(of, of.sha[:7])
    scene.settle()
    writes = scene.writes()
    for number, event in enumerate(reversed(list(scene.hook.events))):
        headers = {"webhook-id": f"again-{scene.project.id}-{number}"}
        assert scene.deliver(event.request_data.encode(), event.event, **headers) == 202
    scene.settle()
    assert scene.writes() == writes
    assert scene.executed()[of.sha] == 1


@scenario()
def late_hooks_of_an_older_head(scene):
    scene.main()
    of = scene.request()
    old = of.sha
    scene.note(of, old[:7])
    new = scene.push("topic", {"a": 7.0})
    scene.note(of, new[:7])
    scene.settle()
    writes = scene.writes()
    for number, event in enumerate(list(scene.hook.events)):
        if old in event.request_data and new not in event.request_data:
            headers = {"webhook-id": f"late-{scene.project.id}-{number}"}
            assert scene.deliver(event.request_data.encode(), event.event, **headers) == 202
    scene.settle()
    assert scene.writes() == writes
    assert scene.rows(old)[-1].state == "success"


@scenario(hook=False)
def two_hooks_of_one_project(scene):
    for _ in range(2):
        scene.gitlab.hook(scene.project, scene.world.door(), token="a-secret-of-the-whole-forge")
    scene.main()
    of = scene.request()
    scene.shows(of.sha, "success")
    scene.note(of, of.sha[:7])
    scene.settle()
    assert scene.executed()[of.sha] == 1


@scenario()
def a_forged_delivery_leaves_nothing(scene):
    scene.main()
    scene.settle()
    before = len(scene.decisions())
    sha = scene.gitlab.push(scene.project, "evil", {"a": "x"})
    event = scene.hook.events[0]
    body = event.request_data.encode()
    assert scene.deliver(body, event.event, token="wrong", **{"webhook-id": "f1"}) == 401
    assert scene.deliver(body, event.event, token="", **{"webhook-id": "f2"}) == 401
    scene.settle()
    assert len(scene.decisions()) == before + 1
    assert scene.rows(sha) == []


@scenario()
def what_means_nothing_is_taken_all_the_same(scene):
    scene.main()
    bodies = [b"{}", b"[]", b"not json", b"\xff\xfe", json.dumps({"object_kind": "pipeline"}).encode()]
    kinds = ["Pipeline Hook", "Job Hook", "Wiki Page Hook", "", "Push Hook"]
    answers = [scene.deliver(body, kind) for body, kind in zip(bodies, kinds, strict=True)]
    assert set(answers) == {202}


# -- merge requests --


@scenario()
def closed_while_it_runs(scene):
    scene.main()
    with scene.held():
        of = scene.request()
        scene.started(of.sha)
        scene.gitlab.close(scene.project, of)
        scene.shows(of.sha, "canceled")


@scenario()
def closed_and_reopened(scene):
    scene.main()
    of = scene.request()
    scene.note(of, of.sha[:7])
    scene.settle()
    writes = scene.writes()
    scene.gitlab.close(scene.project, of)
    scene.gitlab.reopen(scene.project, of)
    scene.settle()
    assert scene.executed()[of.sha] == 1
    assert scene.writes("statuses") == [one for one in writes if "statuses" in one]


@scenario()
def merged(scene):
    scene.main()
    of = scene.request()
    scene.note(of, of.sha[:7])
    merge_commit = scene.gitlab.merge(scene.project, of, user=scene.mia)
    scene.shows(merge_commit, "success")
    assert scene.executed()[of.sha] == 1


@scenario()
def edits_that_change_no_code(scene):
    scene.main()
    of = scene.request()
    scene.note(of, of.sha[:7])
    scene.settle()
    writes = scene.writes()
    for changed in ({"title": "Draft: x"}, {"title": "x"}, {"labels": ["a"]}, {"description": "x"}):
        scene.gitlab.edit(scene.project, of, **changed)
    scene.settle()
    assert scene.writes() == writes
    assert scene.executed()[of.sha] == 1


@scenario()
def a_draft_that_becomes_ready(scene):
    scene.main(files={".reana-bridge.yaml": "on: {push: true, merge-request: {drafts: false}}\n"})
    of = scene.request(title="Draft: not yet")
    scene.settle()
    assert scene.executed()[of.sha] == 0
    scene.gitlab.edit(scene.project, of, title="Now")
    scene.shows(of.sha, "success")
    scene.note(of, of.sha[:7])


@scenario()
def a_label_that_is_asked_for(scene):
    scene.main(files={".reana-bridge.yaml": "on: {push: true, merge-request: {labels: [physics]}}\n"})
    of = scene.request()
    scene.settle()
    assert scene.executed()[of.sha] == 0
    scene.gitlab.edit(scene.project, of, labels=["physics"])
    scene.shows(of.sha, "success")


@scenario()
def another_target_compares_anew_without_running(scene):
    scene.main({"a": 1.0})
    scene.push("release", {"a": 8.0}, user=scene.mia)
    other = scene.gitlab.open(scene.project, "release", user=scene.mia, title="release")
    scene.shows(other.sha, "success")
    of = scene.request(value={"a": 2.0}, start="release")
    scene.note(of, of.sha[:7], "main")
    scene.settle()
    scene.gitlab.edit(scene.project, of, target_branch="release")
    scene.note(of, of.sha[:7], "release")
    scene.settle()
    assert scene.executed()[of.sha] == 1


@scenario()
def two_merge_requests_with_one_commit(scene):
    scene.main()
    first = scene.request()
    scene.gitlab.move(scene.project, {"refs/heads/twin": first.sha})
    second = scene.gitlab.open(scene.project, "twin", user=scene.dev)
    assert second.sha == first.sha
    scene.shows(first.sha, "success")
    scene.note(first, first.sha[:7])
    scene.note(second, first.sha[:7])
    scene.settle()
    assert scene.executed()[first.sha] == 1


@scenario()
def the_source_branch_is_deleted(scene):
    scene.main()
    of = scene.request()
    scene.note(of, of.sha[:7])
    scene.gitlab.move(scene.project, {"refs/heads/topic": None})
    scene.settle()
    assert [row.state for row in scene.rows(of.sha)] == ["success"]


# -- projects --


@scenario(group="elsewhere")
def a_project_that_is_not_registered(scene):
    scene.push("main", user=scene.mia)
    scene.settle()
    assert scene.writes() == []


@scenario()
def an_archived_project(scene):
    scene.main()
    with scene.held():
        of = scene.request()
        scene.started(of.sha)
        scene.project.archived = True
    scene.allowed.refusals = {403}
    scene.allowed.live = True
    scene.settle()
    assert scene.ours(of) == []


@scenario()
def a_renamed_project(scene):
    sha = scene.main()
    of = scene.request()
    scene.note(of, of.sha[:7])
    scene.settle()
    scene.gitlab.rename(scene.project, scene.project.path + "-renamed")
    new = scene.push("topic", {"a": 4.0})
    scene.shows(new, "success")
    scene.note(of, new[:7], sha[:7])


@scenario(level=30)
def a_protected_branch_that_we_may_not_write_at(scene):
    sha = scene.push("main", user=scene.mia)
    scene.started(sha)
    scene.allowed.refusals = {403}
    scene.settle()
    assert scene.rows(sha) == []
    of = scene.request()
    scene.shows(of.sha, "success")
    scene.note(of, of.sha[:7])


@scenario(group="silent")
def settings_that_want_no_note(scene):
    scene.main()
    of = scene.request()
    scene.shows(of.sha, "success")
    scene.settle()
    assert scene.writes("notes") == []


@scenario(group="failures")
def settings_that_want_a_note_of_failures(scene):
    scene.main()
    of = scene.request()
    scene.shows(of.sha, "success")
    scene.settle()
    assert scene.writes("notes") == []
    bad = scene.push("topic", command="exit 1")
    scene.shows(bad, "failed")
    scene.note(of, bad[:7])
    good = scene.push("topic", {"a": 3.0})
    scene.shows(good, "success")
    scene.note(of, good[:7])


# -- pipelines --


@scenario(ci="merge_request")
def a_merge_request_pipeline_is_joined(scene):
    scene.main()
    of = scene.request(files={".gitlab-ci.yml": "x"})
    row = scene.shows(of.sha, "success")
    assert (row.pipeline.source, row.ref) == ("merge_request_event", of.ref)
    scene.settle()
    assert [p.source for p in scene.project.pipelines if p.sha == of.sha] == ["merge_request_event"]


@scenario(ci="branch")
def a_branch_pipeline_is_joined(scene):
    scene.main()
    of = scene.request(files={".gitlab-ci.yml": "x"})
    row = scene.shows(of.sha, "success")
    assert (row.pipeline.source, row.ref) == ("push", "topic")
    scene.settle()
    assert [p.source for p in scene.project.pipelines if p.sha == of.sha] == ["push"]


@scenario()
def ci_without_a_pipeline_is_not_waited_for_long(scene):
    scene.main()
    of = scene.request(files={".gitlab-ci.yml": "x"})
    row = scene.shows(of.sha, "success")
    assert row.pipeline.source == "external"


@scenario()
def one_external_pipeline_for_several_analyses(scene):
    analyses = "analyses:\n" + "".join(f"  {name}: {{}}\n" for name in ("fit", "limits", "plots"))
    scene.push("main", files={".reana-bridge.yaml": analyses}, user=scene.mia)
    of = scene.request()
    for name in ("fit", "limits", "plots"):
        scene.shows(of.sha, "success", context=f"reana/{name}")
    scene.note(of, "reana/fit", "reana/limits", "reana/plots")
    scene.settle()
    assert len([p for p in scene.project.pipelines if p.sha == of.sha]) == 1
    assert scene.executed()[of.sha] == 3


@scenario()
def a_merged_results_pipeline_is_not_the_heads(scene):
    base = scene.main()
    scene.push("topic", {"a": 2.0}, files={".gitlab-ci.yml": "x"})
    scene.gitlab.pipeline(scene.project, base, "refs/merge-requests/1/merge", source="merge_request_event")
    of = scene.gitlab.open(scene.project, "topic", user=scene.dev)
    row = scene.shows(of.sha, "success")
    assert row.pipeline.sha == of.sha
