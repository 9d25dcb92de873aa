"""A merge request that breaks a rule, and what people say and do about it."""

from typing import Any

from reana_bridge.forges.base import Access
from reana_bridge.store.tables import Decision, Run
from tests.steps.hosted import HostedHouse
from webhooks.events import Change

RULE = "{metric: a, absolute: 0.5, effect: block}"
FILE = (
    f"analyses: {{fit: {{file: reana.yaml, rules: [{RULE}, {{metric: 'b *', maximum: 9, effect: block}}]}}}}"
)
LINE = "/reana accept a the new trigger has a higher rate"


def begun(house: HostedHouse, value: float = 2.0, **more: float) -> HostedHouse:
    house.forge.people["mia"] = Access.MAINTAIN
    house.commit("main", {".reana-bridge.yaml": FILE})
    house.push()
    house.end(house.run_of(house.head()), {"a": 1.0, "same": 1.0, "b c": 1.0})
    house.commit("b", {"n": "1"})
    house.open()
    house.told(Change.OPENED)
    finish(house, value, **more)
    return house


def finish(house: HostedHouse, value: float, **more: float) -> Run:
    return house.end(house.run_of(house.merge_request().sha), {"a": value, "same": 1.0, "b c": 1.0, **more})


def pushed(house: HostedHouse, value: float) -> Run:
    """A further push to the merge request."""
    house.commit("b", {"n": f"{value}"})
    house.follow_branch()
    house.told(Change.UPDATED)
    return finish(house, value)


def accept(house: HostedHouse, line: str = LINE, *, by: str = "mia", id: str = "1") -> Any:
    return house.comment(line, actor=by, id=id)


def state(house: HostedHouse, sha: str = "") -> str:
    return house.shown(sha or house.merge_request().sha)[-1]


def reply(house: HostedHouse) -> str:
    return house.forge.replies[-1][2] if house.forge.replies else ""


def why(house: HostedHouse) -> str:
    """Why the last comment, or its command, came to what it did."""
    found = [row for row in house.rows(Decision) if row.event in ("command order", "comment")]
    return max(found, key=lambda row: (row.decided_at, row.event == "command order")).reason
