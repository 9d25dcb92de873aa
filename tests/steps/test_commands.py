"""Commands in comments and buttons at checks: who may, what they do, and what is answered."""

from typing import Any

import pytest

from reana_bridge.forges.base import Access, ForgeError
from reana_bridge.model.orders import Order
from reana_bridge.model.runs import RunState, Wanted
from reana_bridge.store.tables import Decision, Delivery, MergeRequestRow, OutboxRow
from tests.steps.hosted import HostedHouse
from webhooks.events import Change, Comment

TWO = (
    "analyses: {fit: {file: reana.yaml}, plot: {file: reana.yaml, on: {comment: false, merge-request: true}}}"
)


@pytest.fixture
def opened(hosted: HostedHouse) -> HostedHouse:
    """With an open merge request !5 whose head runs."""
    hosted.commit("b", {"n": "1"})
    hosted.open()
    hosted.told(Change.OPENED)
    return hosted


def reply(house: HostedHouse) -> str:
    return house.forge.replies[-1][2] if house.forge.replies else ""


def orders(house: HostedHouse) -> list[tuple[str, str]]:
    """Outcome and reason of each command."""
    found = [row for row in house.rows(Decision) if row.event == "command order"]
    return [(row.outcome, row.reason) for row in sorted(found, key=lambda row: row.decided_at)]


def test_run_runs_the_head_again(opened: HostedHouse) -> None:
    sha = opened.merge_request().sha
    opened.end(opened.run_of(sha), {"a": 1})
    decision = opened.comment("/reana run")
    assert (decision.outcome, decision.reason) == ("command", "jane asks for `run`")
    assert opened.states(sha) == ["finished", "running"]
    assert opened.runs(sha)[-1].merge_request == 5
    assert opened.forge.reactions == [(5, "1", "eyes")]
    assert opened.forge.replies == []


def test_run_with_other_parameters_is_linked_and_no_verdict(opened: HostedHouse) -> None:
    sha = opened.merge_request().sha
    opened.comment("/reana run analysis x=9")
    run = opened.runs(sha)[-1]
    assert (run.parameters, run.state) == ({"x": 9}, RunState.RUNNING)
    assert opened.job(run).job.specification.steps[0].commands == ("echo 9",)
    assert f"/runs/{run.id}" in reply(opened)
    assert opened.wants(sha)[0][0] == "manual"


@pytest.mark.parametrize(
    ("comment", "said"),
    [
        ("/reana run analysis y=9", "Nothing runs"),
        ("/reana run other", "there is no analysis `other`"),
        ("/reana retest", "Nothing has failed"),
        ("/reana approve " + "a" * 40, "/reana approve HEAD"),
        ("/reana approve HEAD", "needs no approval"),
        ("/reana approve abc", "needs all 40"),
        ("/reana compare nowhere", "There is no branch, tag or commit `nowhere`"),
        ("/reana compare " + "e" * 40, "There is no branch, tag or commit"),
        ("/reana compare b", "That is the head itself"),
        ("/reana help", "/reana approve SHA"),
        ("/reana", "/reana approve SHA"),
        ("/reana rnu", "did you mean `/reana run`?"),
        ("/reana status", "`reana/analysis`"),
        ("/reana why", "`analysis` runs: merge request"),
    ],
)
def test_what_is_answered(opened: HostedHouse, comment: str, said: str) -> None:
    sha = opened.merge_request().sha
    opened.comment(comment.replace("HEAD", sha))
    assert said.replace("HEAD", sha) in reply(opened)
    assert len(opened.forge.replies) == 1
    assert len(opened.runs(sha)) == 1
    assert opened.raised == []


def test_retest_runs_what_failed_alone(hosted: HostedHouse) -> None:
    file = "analyses: {fit: {file: reana.yaml}, plot: {file: reana.yaml}}"
    sha = hosted.commit("b", {".reana-bridge.yaml": file})
    hosted.open()
    hosted.told(Change.OPENED)
    fit, plot = sorted(hosted.runs(sha), key=lambda run: run.analysis)
    hosted.end(fit, {"a": 1})
    hosted.fail(plot)
    hosted.comment("/reana retest")
    assert [run.analysis for run in hosted.runs(sha)[2:]] == ["plot"]


def test_an_analysis_that_takes_no_comments_is_left_alone(hosted: HostedHouse) -> None:
    sha = hosted.commit("b", {".reana-bridge.yaml": TWO})
    hosted.open()
    hosted.told(Change.OPENED)
    for run in hosted.runs(sha):
        hosted.end(run, {"a": 1})
    hosted.comment("/reana run")
    hosted.comment("/reana run plot", id="2")
    assert [run.analysis for run in hosted.runs(sha)[2:]] == ["fit"]
    assert "`on.comment` is off" in reply(hosted)


def test_cancel_stops_what_runs(opened: HostedHouse) -> None:
    run = opened.run_of(opened.merge_request().sha)
    opened.comment("/reana cancel")
    run = opened.run(run.id)
    assert (run.wanted, run.reason) == (Wanted.CANCEL, "cancelled by jane")
    opened.stop(run)
    opened.comment("/reana cancel", id="2")
    assert "runs or waits" in reply(opened)


@pytest.mark.parametrize("how", ["branch", "tag", "sha"])
def test_compare_runs_the_other_commit_first_and_then_compares_again(hosted: HostedHouse, how: str) -> None:
    other = hosted.commit("main", {"m": "1"})
    hosted.commit("main", {"m": "2"})
    name = {"branch": "other", "tag": "v1", "sha": other}[how]
    hosted.repository().git("push", "--quiet", "origin", f"{other}:refs/heads/other")
    hosted.repository().git("push", "--quiet", "origin", f"{other}:refs/tags/v1")
    hosted.commit("b", {"n": "1"})
    sha = hosted.open()
    hosted.told(Change.OPENED)
    run = hosted.end(hosted.run_of(sha), {"a": 2})
    assert hosted.comparison(run).get("baseline") is None
    hosted.comment(f"/reana compare {name}")
    assert hosted.run(run.id).state == RunState.FINISHED
    assert hosted.comparison(run)["waiting_for"] == other
    first = hosted.end(hosted.run_of(other), {"a": 1})
    assert first.trusted
    baseline = hosted.comparison(run)["baseline"]
    assert (baseline["sha"], baseline["reason"]) == (other, "asked for")
    assert not hosted.run(run.id).compare_again
    assert hosted.raised == []


def test_compare_with_a_commit_that_has_a_result_runs_nothing(hosted_house: HostedHouse) -> None:
    house = hosted_house
    house.push()
    first = house.end(house.run_of(house.head()), {"a": 1})
    house.commit("main", {"m": "1"})
    house.push()
    house.end(house.run_of(house.head()), {"a": 3})
    house.commit("b", {"n": "1"})
    sha = house.open()
    house.told(Change.OPENED)
    run = house.end(house.run_of(sha), {"a": 2})
    house.comment(f"/reana compare {first.sha}")
    assert house.comparison(run)["baseline"]["run_id"] == first.id
    assert len(house.runs()) == 3


def test_compare_while_it_runs_counts_at_its_end(opened: HostedHouse) -> None:
    main = opened.head("main")
    run = opened.run_of(opened.merge_request().sha)
    opened.comment("/reana compare main")
    opened.end(opened.run_of(main), {"a": 1})
    opened.end(run, {"a": 2})
    assert opened.comparison(run)["baseline"]["reason"] == "asked for"


def test_compare_runs_no_strangers_code(opened: HostedHouse) -> None:
    theirs = opened.fork_commit(6)
    opened.comment(f"/reana compare {theirs}")
    assert opened.runs(theirs) == []
    assert "is on no branch or tag" in reply(opened)


@pytest.mark.parametrize("comment", ["/reana run", "/reana cancel", "/reana compare main", "/reana retest"])
def test_who_may_not_push_may_not_command(opened: HostedHouse, comment: str) -> None:
    before = len(opened.runs())
    for id in ("1", "2"):
        decision = opened.comment(comment, actor="rita", id=id)
        assert decision.outcome == "skip"
    assert [reaction for _, _, reaction in opened.forge.reactions] == ["confused", "confused"]
    assert len(opened.forge.replies) == 1, "refused in words only once"
    assert (len(opened.runs()), opened.runs()[0].wanted) == (before, Wanted.RUN)


@pytest.mark.parametrize("comment", ["/reana status", "/reana why", "/reana help"])
def test_everybody_may_ask(opened: HostedHouse, comment: str) -> None:
    assert opened.comment(comment, actor="stranger").outcome == "command"
    assert len(opened.forge.replies) == 1
    assert not [read for read in opened.forge.reads if read.startswith("access")]


@pytest.mark.parametrize(
    ("body", "more"),
    [
        ("looks good", {}),
        ("    /reana run", {}),
        ("> /reana run", {}),
        ("`/reana run`", {}),
        ("/reana run", {"actor": "bridge-bot"}),
        ("/reana run", {"actor": "renamed", "actor_id": "99"}),
        ("<!-- reana-bridge:note v1 -->\n\n/reana run", {}),
    ],
)
def test_what_is_no_command(opened: HostedHouse, body: str, more: dict[str, Any]) -> None:
    decision = opened.comment(body, **more)
    assert decision.outcome == "ignored"
    assert orders(opened) == []
    assert opened.forge.reactions == []


def test_several_commands_are_obeyed_each_and_answered_together(opened: HostedHouse) -> None:
    opened.comment("/reana status\n\nand then\n\n/reana why\n/reana cancel")
    assert len(orders(opened)) == 3
    assert opened.runs()[0].wanted == Wanted.CANCEL
    said = opened.outbox("reply")["5/1"]["body"]
    assert "reana/analysis" in said
    assert "`analysis` runs: merge request" in said


def test_answers_stand_in_the_order_of_the_commands(opened: HostedHouse) -> None:
    opened.comment("/reana status\n/reana why\n/reana help", work=False)
    opened.work("decide")
    with opened.bridge.database.transaction() as session:
        rows = [row for row in session.query(Delivery) if row.kind == "order"]
        for row in rows:  # decided in any order: here backwards
            row.decided_at, row.due_at = None, 10.0 - Order.read(row.body or b"").place
        session.query(Decision).filter(Decision.delivery_id.in_([row.id for row in rows])).delete()
        session.query(OutboxRow).filter(OutboxRow.kind == "reply").delete()
    opened.work("decide")
    said = opened.outbox("reply")["5/1"]["body"].split("\n---\n")
    assert [
        words in part for words, part in zip(["At `", "runs: merge", "| comment |"], said, strict=True)
    ] == [True] * 3


def test_why_names_the_analysis_that_somebody_asked_for(opened: HostedHouse) -> None:
    opened.end(opened.runs()[0], {"a": 1})
    opened.comment("/reana run", id="2")
    opened.comment("/reana why", id="3")
    assert "- `analysis`: run, jane asked for it" in opened.outbox("reply")["5/3"]["body"]


def test_a_storm_is_answered_once(make_house: Any, sqlite_url: str) -> None:
    house = make_house(sqlite_url, HostedHouse, projects=[{"match": "f:*", "commands_per_hour": 3}])
    house.commit("b", {"n": "1"})
    house.open()
    for id in range(6):
        house.comment("/reana why", id=str(id))
    assert len(orders(house)) == 3
    assert sum("more than 3 commands" in body for _, _, body in house.forge.replies) == 1
    assert house.comment("/reana why", id="7", actor="rita").outcome == "command"


def test_no_commands_where_the_settings_say_so(make_house: Any, sqlite_url: str) -> None:
    house = make_house(sqlite_url, HostedHouse, projects=[{"match": "f:*", "commands_per_hour": 0}])
    house.commit("b", {"n": "1"})
    house.open()
    assert house.comment("/reana why").outcome == "skip"
    assert (house.forge.replies, house.forge.reactions) == ([], [])


def test_a_closed_one_takes_none(opened: HostedHouse) -> None:
    opened.alter(open=False)
    opened.comment("/reana run")
    assert "is not open" in reply(opened)
    assert len(opened.runs()) == 1


def test_the_same_comment_twice_is_obeyed_once(opened: HostedHouse) -> None:
    event = Comment(project="a/x", number=5, comment="1", body="/reana run x=4", actor="jane")
    for id in ("same", "same", "other hook"):
        opened.event(event, id=id)
    assert len([row for row in opened.rows(Delivery) if row.kind == "order"]) == 1


def test_a_command_that_a_new_head_overtakes_runs_nothing(opened: HostedHouse) -> None:
    sha = opened.merge_request().sha
    opened.stop(opened.run_of(sha))
    opened.comment("/reana retest", work=False)
    with opened.bridge.database.transaction() as session:
        row = session.get_one(MergeRequestRow, ("f:a/x", 5))
        row.seen_at, row.sha = row.seen_at + 3600, "e" * 40
    opened.work()
    ((outcome, reason),) = orders(opened)
    assert (outcome, "has moved on" in reason) == ("skip", True)
    assert len(opened.runs(sha)) == 1


def test_rights_that_cannot_be_asked_for_now_are_asked_for_again(opened: HostedHouse) -> None:
    opened.forge.errors.append(ForgeError("502"))
    assert opened.comment("/reana cancel") is None
    opened.later(20)
    opened.work()
    assert opened.runs()[0].wanted == Wanted.CANCEL


def test_answers_show_names_as_text(opened: HostedHouse) -> None:
    opened.forge.people["a*b@c"] = Access.WRITE
    opened.comment("/reana compare @all", actor="a*b@c")
    assert "`@all`" in reply(opened)
    opened.comment("/reana cancel", actor="a*b@c", id="2")
    opened.stop(opened.runs()[0])
    opened.comment("/reana status", id="3")
    assert "a*b@c" not in reply(opened)


@pytest.mark.parametrize("action", ["", "run", "retest"])
def test_the_rerun_button(opened: HostedHouse, action: str) -> None:
    sha = opened.merge_request().sha
    opened.fail(opened.run_of(sha))
    decision = opened.rerun(sha, context="reana/analysis", action=action)
    assert (decision.outcome, opened.states(sha)) == ("command", ["failed", "running"])
    assert opened.forge.replies == []


def test_buttons_that_approve_and_cancel(hosted: HostedHouse) -> None:
    sha = hosted.fork_commit()
    hosted.told(Change.OPENED)
    assert hosted.rerun(sha, context="reana/analysis", action="approve", actor="rita").outcome == "skip"
    hosted.comment("/reana run", actor="rita", id="8")
    assert [comment for _, comment, body in hosted.forge.replies if "may push" in body] == ["8"], "said once"
    assert hosted.states(sha) == ["waiting"]
    hosted.rerun(sha, context="reana/analysis", action="approve")
    assert hosted.states(sha) == ["running"]
    hosted.rerun(sha, context="reana/analysis", action="cancel")
    assert hosted.run_of(sha).wanted == Wanted.CANCEL


@pytest.mark.parametrize(
    ("more", "outcome"),
    [({"action": "explode"}, "ignored"), ({"context": "other/ci"}, "ignored"), ({"actor": ""}, "skip")],
)
def test_other_buttons_do_nothing(opened: HostedHouse, more: dict[str, Any], outcome: str) -> None:
    sha = opened.merge_request().sha
    decision = opened.rerun(sha, **more)
    assert (decision.outcome, len(opened.runs(sha))) == (outcome, 1)


def test_the_button_at_a_pushed_commit(hosted: HostedHouse) -> None:
    hosted.push()
    sha = hosted.head()
    hosted.fail(hosted.run_of(sha))
    hosted.rerun(sha, context="reana/analysis")
    assert hosted.states(sha) == ["failed", "running"]
    assert hosted.runs(sha)[-1].trusted


def test_the_button_at_an_older_head_does_nothing(opened: HostedHouse) -> None:
    old = opened.merge_request().sha
    opened.commit("b", {"n": "2"})
    opened.follow_branch()
    opened.told(Change.UPDATED)
    opened.stop(opened.run_of(old))
    opened.rerun(old)
    assert opened.states(old) == ["cancelled"]
    assert orders(opened)[-1][0] == "skip"


def test_an_installation_is_only_noted(hosted: HostedHouse) -> None:
    decision = hosted.installed()
    assert (decision.outcome, "App" in decision.reason) == ("ignored", True)
