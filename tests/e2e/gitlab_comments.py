"""Commands in comments on a GitLab: who may give them, what they do, and what is no command at all."""

import json
import re

from tests.e2e.gitlab_world import CONTEXT
from tests.e2e.scenarios import scenario


def begun(scene, **more):
    """A merge request with its result and its note."""
    scene.main()
    of = scene.request(**more)
    scene.note(of, of.sha[:7])
    scene.settle()
    return of


@scenario()
def run_again(scene):
    of = begun(scene)
    scene.allowed.rows[of.sha] = 1
    note = scene.say(of, "/reana run")
    scene.reacted(note, "eyes")
    scene.started(of.sha, 2)
    scene.settle()
    assert [row.state for row in scene.rows(of.sha)] == ["success", "success"]
    assert scene.executed()[of.sha] == 2
    assert scene.ours(of, "") == []


@scenario()
def run_one_analysis(scene):
    analyses = "analyses: {fit: {}, limits: {}}\n"
    scene.push("main", files={".reana-bridge.yaml": analyses}, user=scene.mia)
    of = scene.request()
    scene.note(of, "reana/fit", "reana/limits")
    scene.settle()
    scene.allowed.rows[of.sha] = 1
    scene.say(of, "Once more, please.\n\n/reana run fit\n\nThanks")
    scene.started(of.sha, 3)
    scene.settle()
    assert [len([r for r in scene.rows(of.sha) if r.name == f"reana/{n}"]) for n in ("fit", "limits")] == [
        2,
        1,
    ]


@scenario()
def run_with_other_parameters_is_no_verdict(scene):
    of = begun(scene)
    writes = scene.writes("statuses")
    note = scene.say(of, "/reana run analysis x=5")
    scene.reacted(note, "eyes")
    scene.started(of.sha, 2)
    scene.settle()
    assert scene.writes("statuses") == writes


@scenario()
def a_parameter_that_is_not_declared(scene):
    of = begun(scene)
    scene.say(of, "/reana run analysis nonsense=5")
    scene.reply(of, "nonsense")
    scene.allowed.errors = True
    assert scene.executed()[of.sha] == 1


@scenario()
def retest_what_failed(scene):
    scene.main()
    of = scene.request(command="exit 1")
    scene.shows(of.sha, "failed")
    scene.settle()
    scene.allowed.rows[of.sha] = 1
    note = scene.say(of, "/reana retest")
    scene.reacted(note, "eyes")
    scene.started(of.sha, 2)
    scene.settle()
    assert scene.gitlab.status(scene.project, of.sha, CONTEXT).state == "failed"


@scenario()
def retest_when_nothing_failed(scene):
    of = begun(scene)
    scene.say(of, "/reana retest")
    scene.reply(of, "failed|nothing")
    assert scene.executed()[of.sha] == 1


@scenario()
def cancel_what_runs(scene):
    scene.main()
    with scene.held():
        of = scene.request()
        scene.started(of.sha)
        scene.reacted(scene.say(of, "/reana cancel"), "eyes")
        scene.shows(of.sha, "canceled")
    scene.note(of, of.sha[:7])


@scenario()
def help_is_one_reply(scene):
    of = begun(scene)
    scene.say(of, "/reana help", scene.dev)
    scene.reply(of, "/reana run", "/reana approve")
    scene.settle()
    assert len(scene.ours(of, "")) == 1


@scenario()
def status_and_why(scene):
    of = begun(scene)
    scene.say(of, "/reana status")
    scene.reply(of, "reana/analysis")
    push = next(one for one in reversed(scene.hook.events) if one.event == "Push Hook")
    headers = {"webhook-id": f"push-{scene.project.id}"}  # told last, whatever came first at first
    assert scene.deliver(push.request_data.encode(), push.event, **headers) == 202
    scene.settle()
    scene.say(of, "/reana why")
    scene.reply(of, "merge request", number=2)
    assert len(scene.ours(of, "")) == 2


@scenario()
def a_mistake_is_answered_with_what_was_meant(scene):
    of = begun(scene)
    note = scene.say(of, "/reana rnu")
    scene.reply(of, "did you mean `/reana run`")
    scene.reacted(note, "confused")


@scenario()
def compare_with_another_commit_without_running(scene):
    first = scene.main({"a": 1.0})
    scene.main({"a": 5.0})
    of = scene.request(value={"a": 6.0})
    scene.note(of, of.sha[:7])
    scene.settle()
    scene.say(of, f"/reana compare {first}")
    scene.note(of, of.sha[:7], first[:7])
    scene.settle()
    assert scene.executed()[of.sha] == 1
    assert [row.state for row in scene.rows(of.sha)] == ["success"]


@scenario()
def compare_runs_what_has_no_result(scene):
    scene.main({"a": 1.0})
    scene.push("other", {"a": 4.0})
    of = scene.request(value={"a": 6.0})
    scene.note(of, of.sha[:7])
    scene.settle()
    other = scene.project.repository.commit_of("other")
    scene.say(of, "/reana compare other")
    scene.note(of, of.sha[:7], other[:7])
    scene.settle()
    assert (scene.executed()[other], scene.executed()[of.sha]) == (1, 1)


@scenario(visibility="public")
def a_stranger_may_not(scene):
    of = begun(scene)
    writes = scene.writes("statuses")
    note = scene.say(of, "/reana run", scene.guest)
    scene.reacted(note, "confused")
    scene.settle()
    assert scene.executed()[of.sha] == 1
    assert scene.writes("statuses") == writes


NO_COMMANDS = [
    "use `/reana run` for that",
    "```\n/reana run\n```",
    "> /reana run",
    "    /reana run",
    "see /reana run",
    "<!--\n/reana run\n-->",
]


@scenario()
def what_is_no_command(scene):
    of = begun(scene)
    writes = scene.writes()
    for body in NO_COMMANDS:
        scene.say(of, body)
    scene.settle()
    assert scene.writes() == writes
    assert scene.executed()[of.sha] == 1


@scenario()
def edited_system_and_internal_notes(scene):
    of = begun(scene)
    note = scene.say(of, "nothing")
    scene.settle()
    writes = scene.writes()
    scene.gitlab.edit_comment(scene.project, of, note, scene.dev, "/reana run")
    scene.say(of, "/reana run", system=True)
    scene.settle()
    assert scene.writes() == writes
    assert scene.executed()[of.sha] == 1


@scenario()
def our_own_words_are_no_commands(scene):
    of = begun(scene)
    writes = scene.writes()
    scene.say(of, "/reana run", scene.world.bot)
    quoted = scene.ours(of)[0].body + "\n\n/reana run"
    scene.say(of, quoted, scene.dev)
    scene.settle()
    assert [one for one in scene.writes() if "award_emoji" not in one] == writes
    assert scene.executed()[of.sha] == 1
    of.notes.popitem()  # it holds our marker, and is another's


@scenario()
def the_same_comment_twice(scene):
    of = begun(scene)
    scene.allowed.rows[of.sha] = 1
    scene.say(of, "/reana run")
    scene.started(of.sha, 2)
    scene.settle()
    event = scene.hook.events[-1]
    named = next(e for e in scene.hook.events if e.event == "Note Hook" and '"/reana run"' in e.request_data)
    for number in range(3):
        headers = {"webhook-id": f"comment-{scene.project.id}-{number}"}
        assert scene.deliver(named.request_data.encode(), named.event, **headers) == 202
    scene.settle()
    assert event is not None
    assert scene.executed()[of.sha] == 2


@scenario()
def a_command_on_a_closed_merge_request(scene):
    of = begun(scene)
    scene.gitlab.close(scene.project, of)
    scene.settle()
    scene.say(of, "/reana run")
    scene.settle()
    assert scene.executed()[of.sha] == 1
    assert len(scene.ours(of, "")) <= 1


@scenario(group="few")
def so_many_commands_an_hour(scene):
    of = begun(scene)
    for _ in range(4):
        scene.say(of, "/reana help")
        scene.settle()
    replies = [note.body for note in scene.ours(of, "")]
    assert len([body for body in replies if "/reana approve" in body]) == 2


@scenario()
def several_commands_in_one_comment(scene):
    of = begun(scene)
    scene.say(of, "/reana help\n/reana status\n/reana help")
    scene.settle()
    assert 1 <= len(scene.ours(of, "")) <= 2
    assert scene.executed()[of.sha] == 1


# -- what is said --


HOSTILE = {
    "@all look": 1.0,
    "/merge": 2.0,
    "x\n/close\n": 3.0,
    "<script>alert(1)</script>": 4.0,
    "[click](javascript:alert(1))": 5.0,
    "#1 !1 GH-1": 6.0,
    "| a | b |": 7.0,
    "```": 8.0,
    "<!-- reana-bridge:note v1 1 !1 -->": 9.0,
    "\u202e right to left": 10.0,
}


@scenario()
def hostile_names_are_only_text(scene):
    of = begun(scene, value=HOSTILE)
    body = scene.note(of, of.sha[:7])
    written = re.sub(r"`[^`\n]+`", "", body)  # within a code span nothing is markup
    assert "<script>" not in written, body
    assert "](javascript:" not in written.replace("\\](", ""), body
    assert not [line for line in body.splitlines() if line.startswith(("/merge", "/close"))]
    assert body.count("<!-- reana-bridge:note") == 1
    assert of.state == "opened"


@scenario()
def a_hostile_log(scene):
    scene.main()
    lines = "@all\\n/merge\\n\\`\\`\\`\\n/close\\n<img src=x>\\n"
    of = scene.request(command=f'printf "{lines}" >&2; exit 1')
    scene.note(of, of.sha[:7])
    assert of.state == "opened"


@scenario()
def a_very_large_result(scene):
    scene.main()
    of = scene.request(value={f"metric {number}": float(number) for number in range(3000)})
    body = scene.note(of, of.sha[:7])
    assert len(body) < 1_000_000
    row = scene.shows(of.sha, "success")
    assert len(row.description) <= 255


@scenario()
def another_with_our_marker(scene):
    scene.main()
    scene.push("topic", {"a": 2.0})
    with scene.gitlab.hooks_held():
        of = scene.gitlab.open(scene.project, "topic", user=scene.dev)
        fake = scene.say(of, f"<!-- reana-bridge:note v1 {scene.project.id} !{of.iid} -->")
    scene.note(of, of.sha[:7])
    scene.settle()
    assert fake.bodies == [fake.body]
    assert len(scene.ours(of)) == 1


@scenario()
def a_note_that_a_person_deleted(scene):
    of = begun(scene)
    (note,) = scene.ours(of)
    del of.notes[note.id]
    scene.allowed.refusals = {404}
    second = scene.push("topic", {"a": 4.0})
    scene.note(of, second[:7])
    scene.settle()
    assert len(scene.ours(of)) == 1


@scenario()
def the_note_speaks_of_the_head_only(scene):
    of = begun(scene)
    old = of.sha
    with scene.held():
        new = scene.push("topic", {"a": 4.0})
        scene.started(new)
    scene.note(of, new[:7])
    body = scene.ours(of)[0].body
    assert json.dumps(old[:7])[1:-1] not in body.partition("<details>")[0]
