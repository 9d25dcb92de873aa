"""Accepted differences: who may accept, which difference, and for which values."""

import re
from typing import Any

import pytest
from sqlalchemy import update

from reana_bridge.forges.base import Access
from reana_bridge.store.tables import AcceptanceRow, Delivery, Run
from tests.steps.accepted import LINE, RULE, accept, begun, pushed, reply, state, why
from tests.steps.hosted import HostedHouse
from webhooks.events import Change


@pytest.fixture
def red(hosted: HostedHouse) -> HostedHouse:
    """With a merge request !5 by jane that moves `a` from 1 to 2, which fails; mia maintains."""
    return begun(hosted)


def test_an_accepted_difference_is_green_with_name_and_reason(hosted_house: HostedHouse) -> None:
    red = begun(hosted_house)
    assert state(red) == "failure"
    run = red.run_of(red.merge_request().sha)
    accept(red)
    assert (state(red), red.raised) == ("success", [])
    assert "accepted by mia: the new trigger has a higher rate" in red.forge.notes[-1].body
    assert why(red) == "mia accepts `a` up to 2.0: the new trigger has a higher rate"
    (row,) = red.rows(AcceptanceRow)
    assert (row.metric, row.value, row.baseline, row.sha, row.run_id) == ("a", 2.0, 1.0, run.sha, run.id)
    assert red.forge.replies == []
    assert len(red.backend.submitted) == 2


@pytest.mark.parametrize(
    ("value", "shown"), [(1.8, "success"), (2.0, "success"), (2.1, "failure"), (0.2, "failure")]
)
def test_up_to_the_accepted_value_and_no_farther(red: HostedHouse, value: float, shown: str) -> None:
    accept(red)
    run = pushed(red, value)
    assert state(red) == shown
    if shown == "failure":
        accept(red, id="2")
        assert (state(red), len(red.rows(AcceptanceRow))) == ("success", 2)
        assert not red.comparison(run)["blocked"]


NOT_HERS = "the right to merge into protected branches"
OWN, WRITE = {"accept_own": True}, {"accept_by": "write"}
ACCEPTS = "accepts `a`|is accepted already"


def test_who_may_accept(red: HostedHouse) -> None:
    table: list[tuple[str, Access, dict[str, Any], str]] = [
        ("jane", Access.MAINTAIN, {}, "jane opened the merge request"),
        ("Jane", Access.MAINTAIN, WRITE, "Jane opened the merge request"),
        ("jane", Access.WRITE, OWN, NOT_HERS),
        ("tim", Access.WRITE, {}, NOT_HERS),
        ("tim", Access.READ, WRITE, "may not give the command `accept`"),
        ("zoe", Access.NONE, {}, "may not give the command `accept`"),
        ("jane", Access.MAINTAIN, OWN, ACCEPTS),
        ("jane", Access.WRITE, OWN | WRITE, ACCEPTS),
        ("mia", Access.MAINTAIN, {}, ACCEPTS),
        ("tim", Access.WRITE, WRITE, ACCEPTS),
    ]
    for number, (by, rights, rule, said) in enumerate(table):
        red.with_rule(**rule)
        red.forge.people[by] = rights
        accept(red, by=by, id=f"{number}")
        assert re.search(said, why(red)), (by, rights, rule, why(red))
        assert len(red.rows(AcceptanceRow)) == (number > 5)
    said = "\n".join(body for *_, body in red.forge.replies)
    assert "so somebody else has to accept what it changes: anybody with the right to merge" in said
    assert "is for people who may merge" in said


def test_what_cannot_be_accepted_is_answered(red: HostedHouse) -> None:
    table = [
        ("a", "say why `a` may differ"),
        ("sam so", "did you mean `/reana accept same reason`"),
        ("b so", 'did you mean `/reana accept "b c" reason`'),
        ("zzzzzz so", "There is no metric or file `zzzzzz`"),
        ("* so", "one command accepts one metric"),
        ("other/a so", "There is no metric or file `other/a`"),
        ("same so", "`same` breaks no rule"),
    ]
    for number, (line, said) in enumerate(table):
        accept(red, f"/reana accept {line}", id=f"{number}")
        assert said in reply(red)
    assert (red.rows(AcceptanceRow), red.raised) == ([], [])


def test_what_is_accepted_already_says_by_whom(red: HostedHouse) -> None:
    accept(red)
    accept(red, "/reana accept a once more", id="2")
    assert "is accepted already, by mia: the new trigger" in reply(red)
    assert len(red.rows(AcceptanceRow)) == 1


@pytest.mark.parametrize("line", ['"b c" so', "\u201cb c\u201d so", 'fit/a so\n/reana accept "fit/b c" so'])
def test_each_broken_metric_is_accepted_by_itself(hosted: HostedHouse, line: str) -> None:
    house = begun(hosted, 2.0 if "fit" in line else 1.0, **{"b c": 10.0})
    accept(house, f"/reana accept {line}")
    assert state(house) == "success"


def test_a_result_that_came_after_the_comment_is_not_accepted(red: HostedHouse) -> None:
    red.comment(LINE, actor="mia", work=False)
    with red.bridge.database.transaction() as session:
        session.execute(update(Run).values(ended_at=4e9))
    red.work()
    assert "came after your comment" in reply(red)
    assert red.rows(AcceptanceRow) == []


def test_nothing_to_accept_before_there_is_a_result(hosted: HostedHouse) -> None:
    hosted.forge.people["mia"] = Access.MAINTAIN
    hosted.commit("b", {"n": "1"})
    hosted.open()
    hosted.told(Change.OPENED)
    accept(hosted)
    assert "its result is not there yet" in reply(hosted)


def test_a_missing_metric_is_accepted_as_long_as_it_is_missing(red: HostedHouse) -> None:
    red.commit("b", {"n": "2"})
    red.follow_branch()
    red.told(Change.UPDATED)
    red.end(red.run_of(red.merge_request().sha), {"same": 1.0, "b c": 1.0})
    assert "/reana accept a reason" in red.forge.notes[-1].body
    accept(red)
    assert (state(red), reply(red)) == ("success", "")
    assert why(red) == "mia accepts that `a` is missing: the new trigger has a higher rate"
    pushed(red, 2.0)
    assert state(red) == "failure"


def test_a_file_is_accepted_as_it_is(hosted: HostedHouse) -> None:
    house = hosted
    house.forge.people["mia"] = Access.MAINTAIN
    rule = "files: [{path: 'results/*.txt', effect: block}]"
    house.commit("main", {".reana-bridge.yaml": f"analyses: {{fit: {{file: reana.yaml, {rule}}}}}"})
    house.push()
    house.end(house.run_of(house.head()), {"a": 1.0}, files={"results/table.txt": b"old"})
    house.commit("b", {"n": "1"})
    house.open()
    house.told(Change.OPENED)
    for number, (content, said) in enumerate([(b"new", "success"), (b"newer", "failure")]):
        house.end(house.run_of(house.merge_request().sha), {"a": 1.0}, files={"results/table.txt": content})
        if number == 0:
            assert state(house) == "failure"
            assert "/reana accept results/table.txt reason" in house.forge.notes[-1].body
            accept(house, "/reana accept results/table.txt one more digit")
            assert "accepted by mia: one more digit" in house.forge.notes[-1].body
            assert why(house) == "mia accepts `results/table.txt` as it is: one more digit"
        assert state(house) == said
        house.commit("b", {"n": f"{number + 2}"})
        house.follow_branch()
        house.told(Change.UPDATED)


def test_what_is_accepted_elsewhere_does_not_count(red: HostedHouse) -> None:
    accept(red)
    red.commit("c", {"m": "1"})
    red.open("c", 6, author="rita")
    red.told(Change.OPENED, number=6)
    sha = red.merge_request(6).sha
    red.end(red.run_of(sha), {"a": 2.0, "same": 1.0, "b c": 1.0})
    assert state(red, sha) == "failure"


def test_a_result_of_another_merge_request_is_accepted_there(red: HostedHouse) -> None:
    red.open("b", 6, author="rita")
    red.told(Change.OPENED, number=6)
    red.comment(LINE, actor="mia", number=6)
    assert "so it cannot be accepted here" in reply(red)
    assert red.rows(AcceptanceRow) == []


def test_one_of_several_analyses_is_named(hosted: HostedHouse) -> None:
    one = f"{{file: reana.yaml, rules: [{RULE}]}}"
    hosted.forge.people["mia"] = Access.MAINTAIN
    hosted.commit("main", {".reana-bridge.yaml": f"analyses: {{fit: {one}, scan: {one}}}"})
    hosted.push()
    for run in hosted.runs(hosted.head()):
        hosted.end(run, {"a": 1.0})
    hosted.commit("b", {"n": "1"})
    sha = hosted.open()
    hosted.told(Change.OPENED)
    for run in hosted.runs(sha):
        hosted.end(run, {"a": 2.0})
    accept(hosted)
    assert "/reana accept fit/a reason" in reply(hosted)
    assert "/reana accept scan/a reason" in reply(hosted)
    accept(hosted, "/reana accept fit/a so", id="2")
    accept(hosted, id="3")  # only one is left
    assert {row.analysis for row in hosted.rows(AcceptanceRow)} == {"fit", "scan"}
    assert [hosted.comparison(run)["blocked"] for run in hosted.runs(sha)] == [False, False]


def test_one_comment_told_twice_is_one_acceptance(red: HostedHouse) -> None:
    for _ in range(2):
        accept(red)
    orders = [row for row in red.rows(Delivery) if row.kind == "order"]
    assert (len(orders), len(red.rows(AcceptanceRow))) == (1, 1)


def test_hostile_reasons_are_only_text(red: HostedHouse) -> None:
    accept(
        red,
        "/reana accept a <img src=x> @all ![p](http://x/y.png) <!-- x --> `/merge` | x",
    )
    body = red.forge.notes[-1].body
    assert state(red) == "success"
    line = next(line for line in body.splitlines() if "accepted by mia" in line)
    assert "<img" not in line
    assert "<!--" not in line
    assert "![" not in line.replace("!\\[", "")
    assert "@all" not in line
