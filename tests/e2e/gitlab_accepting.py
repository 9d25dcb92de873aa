"""Differences that are accepted on a GitLab: by whom, up to where, and what a merge makes of them."""

from tests.e2e.scenarios import scenario

RULES = "analyses: {analysis: {rules: [{metric: a, absolute: 0.5, effect: block}]}}\n"
CALLED = "accepted by mia-.*: the new trigger has more"
LINE = "/reana accept a the new trigger has more"


def red(scene):
    """A merge request that moves a metric from 1 to 2, where a rule lets it move by 0.5."""
    scene.main(files={".reana-bridge.yaml": RULES})
    of = scene.request()
    scene.shows(of.sha, "failed")
    scene.note(of, "/reana accept a reason")
    return of


def accepted(scene, of):
    scene.allowed.rows[of.sha] = 1
    scene.say(of, LINE, scene.mia)
    scene.shows(of.sha, "success")
    return scene.note(of, CALLED)


@scenario()
def accepted_pushed_further_accepted_again(scene):
    of = red(scene)
    said = scene.say(of, LINE, scene.dev)
    scene.reply(of, "merge into protected branches .Maintainer")
    scene.reacted(said, "eyes")
    assert scene.shows(of.sha, "failed")
    accepted(scene, of)
    assert scene.executed()[of.sha] == 1
    further = scene.push("topic", {"a": 2.2})
    scene.shows(further, "failed")
    scene.note(of, further[:7], "/reana accept a reason")
    accepted(scene, of)
    assert len(scene.ours(of, "")) == 1


@scenario()
def its_author_alone_may_not(scene):
    scene.main(files={".reana-bridge.yaml": RULES})
    scene.push("topic", {"a": 2.0}, user=scene.mia)
    of = scene.gitlab.open(scene.project, "topic", user=scene.mia)
    scene.shows(of.sha, "failed")
    scene.note(of, of.sha[:7])
    scene.say(of, LINE, scene.mia)
    scene.reply(of, "somebody else has to accept", "Maintainer on GitLab")
    assert scene.shows(of.sha, "failed")


@scenario()
def carried_to_main_by_a_merge_commit(scene):
    carried(scene, "merge")


@scenario()
def carried_to_main_by_a_squash_commit(scene):
    carried(scene, "squash")


@scenario()
def carried_to_main_by_moving_it(scene):
    carried(scene, "fast-forward")


def carried(scene, method):
    of = red(scene)
    accepted(scene, of)
    scene.settle()
    with scene.held():  # the forge tells of the merge before the commit has a result, or after
        merged = scene.gitlab.merge(scene.project, of, user=scene.mia, method=method)
    scene.allowed.rows[merged] = 2
    scene.settle()
    scene.shows(merged, "success")
    following = scene.request("after", {"a": 2.3})
    scene.shows(following.sha, "success")
    scene.note(following, merged[:7])
    beyond = scene.push("after", {"a": 1.0})
    scene.shows(beyond, "failed")


@scenario()
def the_same_words_twice_are_one_acceptance(scene):
    of = red(scene)
    accepted(scene, of)
    told = next(one for one in scene.hook.events if one.event == "Note Hook" and LINE in one.request_data)
    for number in range(3):
        headers = {"webhook-id": f"accept-{scene.project.id}-{number}"}
        assert scene.deliver(told.request_data.encode(), told.event, **headers) == 202
    scene.settle()
    assert len(scene.acceptances()) == 1
    assert scene.ours(of, "") == []


@scenario()
def a_hostile_reason_is_only_text(scene):
    of = red(scene)
    scene.allowed.rows[of.sha] = 1
    scene.say(
        of, "/reana accept a <img src=x> @all ![p](https://evil.example/x.png) [x](javascript:y)", scene.mia
    )
    scene.shows(of.sha, "success")
    body = scene.note(of, "accepted by mia-")
    assert "<img" not in body
    assert "![p]" not in body
    assert "@all" not in body
    assert "](javascript:" not in body.replace("\\](", "")
