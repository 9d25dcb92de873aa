"""A difference that is accepted on a GitHub, and comes to main with its pull request."""

from tests.e2e.github_world import REPLY
from tests.e2e.scenarios import both

RULES = "analyses: {analysis: {rules: [{metric: a, absolute: 0.5, effect: block}]}}\n"
LINE = "/reana accept a the new trigger has more"


@both
def accepted_and_merged(scene):
    base = scene.push(files={".reana-bridge.yaml": RULES})
    scene.shows(base, "success")
    pull = scene.request()
    scene.shows(pull.sha, "failure")
    scene.note(pull, "/reana accept a reason")
    scene.say(pull, LINE)
    scene.note(pull, "merge into protected branches", REPLY)
    scene.say(pull, LINE, scene.mia)
    scene.shows(pull.sha, "success")
    scene.note(pull, "the new trigger has more")
    scene.settle()
    merged = scene.github.merge(scene.project, pull, by=scene.mia, method="squash")
    scene.settle()
    assert scene.state(merged) == "success"
    following = scene.request("after", {"a": 2.3})
    scene.shows(following.sha, "success")
    scene.note(following, merged[:7])
