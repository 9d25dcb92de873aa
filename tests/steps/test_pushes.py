"""What pushes, tags and orders lead to: decisions, runs, who wants them, and what becomes of them."""

import random

import pytest

from reana_bridge.model.runs import RunState, Wanted
from reana_bridge.store.tables import Decision, Want
from tests.steps.house import WORKFLOW, House


def test_a_push_to_the_default_branch_runs_and_is_shown(house: House) -> None:
    decision = house.push()
    sha = house.head()
    assert decision is not None
    assert (decision.outcome, decision.sha, decision.project) == ("run", sha, "f:a/x")
    run = house.run_of(sha)
    assert (run.state, run.proposal, run.ref, run.target) == (
        RunState.RUNNING,
        False,
        "refs/heads/main",
        "refs/heads/main",
    )
    assert house.wants(sha) == [("branch", "refs/heads/main", True)]
    done = house.end(run, {"a": 1.5})
    assert (done.state, done.live_key) == (RunState.FINISHED, None)
    assert house.note(sha).startswith("reana/analysis: success - ")
    assert house.raised == []


def test_the_same_commit_told_again_joins_its_run_and_later_finds_its_result(house: House) -> None:
    house.push()
    run = house.run_of(house.head())
    again = house.push()
    assert again is not None
    assert (again.outcome, again.analyses[0]["run"]) == ("run", run.id)
    assert "is at it already" in again.analyses[0]["reason"]
    house.end(run, {"a": 1})
    third = house.push()
    assert third is not None
    assert (third.outcome, third.analyses[0]["run"]) == ("skip", run.id)
    assert len(house.runs()) == 1


@pytest.mark.parametrize("seed", range(4))
def test_in_whatever_order_they_come_only_the_head_runs(one: House, seed: int) -> None:
    shas = [one.commit("b", {"n": str(number)}) for number in range(4)]
    told = [*shas, shas[2], shas[3]]
    random.Random(seed).shuffle(told)
    for sha in told:
        one.push("b", sha)
    assert [one.states(sha) for sha in shas] == [[], [], [], ["running"]]
    assert len(one.rows(Decision)) == 6
    assert one.wants(shas[3]) == [("branch", "refs/heads/b", True)]


@pytest.mark.parametrize(
    ("branch", "left"), [("b", RunState.CANCELLED), ("main", RunState.FINISHED)], ids=["proposal", "main"]
)
def test_a_newer_commit_ends_a_proposals_run_and_not_the_default_branchs(
    house: House, branch: str, left: RunState
) -> None:
    old = house.commit(branch, {"n": "1"})
    house.push(branch)
    run = house.run_of(old)
    new = house.commit(branch, {"n": "2"})
    house.push(branch)
    if left == RunState.CANCELLED:
        assert house.backend.cancelled == [run.backend_id]
        ended = house.stop(run)
        assert ended.reason == f"superseded: refs/heads/b is now at {new[:7]}"
    else:
        assert house.backend.cancelled == []
        ended = house.end(run, {"a": 1})
    assert ended.state == left
    assert house.wants(old) == [("branch", f"refs/heads/{branch}", False)]
    assert house.states(new) == ["running"]


def test_the_head_tells_even_before_its_own_delivery_comes(one: House) -> None:
    old = one.commit("b", {"n": "1"})
    one.push("b")
    one.commit("b", {"n": "2"})
    late = one.push("b", old)
    assert late is not None
    assert (late.outcome, "superseded" in late.reason) == ("skip", True)
    assert one.run_of(old).wanted == Wanted.CANCEL


@pytest.mark.parametrize("queued", [True, False])
def test_a_deleted_branch_ends_what_it_wanted(one: House, queued: bool) -> None:
    sha = one.commit("b", {"n": "1"})
    one.push("b", work=False)
    one.work(*(["decide"] if queued else []))
    one.repository().push("--delete", "b")
    one.push("b", None, before=sha)
    assert one.run_of(sha).wanted == Wanted.CANCEL
    assert one.wants(sha) == [("branch", "refs/heads/b", False)]
    if queued:
        assert one.states(sha) == ["cancelled"]
        assert one.backend.submitted == []
        assert one.shown(sha) == ["cancelled"]
    else:
        assert len(one.backend.cancelled) == 1


def test_a_head_that_returns_revives_a_run_that_nobody_began_to_end(house: House) -> None:
    first = house.commit("b", {"n": "1"})
    house.push("b", work=False)
    house.work("decide")
    second = house.commit("b", {"n": "2"})
    house.push("b", work=False)
    house.work("decide")
    assert house.run_of(first).wanted == Wanted.CANCEL
    house.repository().git("reset", "--quiet", "--hard", first)
    house.repository().push("--force", "b")
    house.push("b")
    run = house.run_of(first)
    assert (run.wanted, run.state, run.reason) == (Wanted.RUN, RunState.RUNNING, "")
    assert house.wants(first) == [("branch", "refs/heads/b", True)]
    assert house.states(second) == ["cancelled"]


def test_a_head_that_returns_while_its_run_is_being_ended_runs_anew(house: House) -> None:
    first = house.commit("b", {"n": "1"})
    house.push("b")
    old = house.run_of(first)
    house.commit("b", {"n": "2"})
    house.push("b")
    assert house.backend.cancelled == [old.backend_id]
    house.repository().git("reset", "--quiet", "--hard", first)
    house.repository().push("--force", "b")
    waiting = house.push("b")
    assert waiting is None, "decided only when the old run has ended"
    house.stop(old)
    house.later(60)
    house.work()
    assert house.states(first) == ["cancelled", "running"]
    assert house.raised == []


def test_branches_that_share_a_commit_share_its_run_until_the_last_moves_on(one: House) -> None:
    sha = one.commit("b", {"n": "1"})
    one.repository().push("b:c")
    one.repository().git("branch", "c")
    one.push("b")
    one.push("c")
    run = one.run_of(sha)
    assert one.wants(sha) == [("branch", "refs/heads/b", True), ("branch", "refs/heads/c", True)]
    one.repository().push("--delete", "b")
    one.push("b", None, before=sha)
    assert one.run(run.id).wanted == Wanted.RUN
    one.repository().push("--delete", "c")
    one.push("c", None, before=sha)
    assert one.run(run.id).wanted == Wanted.CANCEL


def test_of_ten_quick_pushes_one_survives(house: House) -> None:
    shas = []
    for number in range(10):
        shas.append(house.commit("b", {"n": str(number)}))
        house.push("b", work=number % 3 == 0)
    house.work()
    for run in house.runs():
        if run.wanted == Wanted.CANCEL and run.state == RunState.RUNNING:
            house.stop(run)
    assert house.states(shas[-1]) == ["running"]
    house.end(house.run_of(shas[-1]), {"a": 1})
    live = {str(run.state) for run in house.runs() if run.sha != shas[-1]}
    assert live <= {"cancelled"}
    assert [str(w.ref) for w in house.rows(Want) if w.ended_at is None] == ["refs/heads/b"]


@pytest.mark.parametrize(
    ("tags", "outcome"), [("['v*']", "run"), ("['w*']", "skip"), ("true", "run"), ("false", "skip")]
)
def test_a_tag_runs_where_the_project_says_so(one: House, tags: str, outcome: str) -> None:
    file = f"analyses: {{fit: {{file: reana.yaml, on: {{tag: {tags}}}}}}}"
    sha = one.commit("main", {".reana-bridge.yaml": file})
    one.repository().git("tag", "v1")
    one.repository().push("v1")
    decision = one.tag("v1", sha)
    assert decision is not None
    assert decision.outcome == outcome, decision.reason
    assert one.wants(sha) == ([("tag", "refs/tags/v1", True)] if outcome == "run" else [])


ORDERS = [
    ({"parameters": {"x": 5}}, "run", ""),
    ({"parameters": {"x": 5}, "analysis": "analysis"}, "run", ""),
    ({"parameters": {"nothing": 1}}, "error", "nothing"),
    ({"analysis": "absent"}, "error", "there is no analysis `absent`"),
    ({"ref": "refs/heads/absent"}, "skip", "refs/heads/absent is gone"),
    ({"sha": "0" * 40}, "skip", "no commit"),
]


@pytest.mark.parametrize(("order", "outcome", "says"), ORDERS)
def test_an_order_runs_what_is_asked_for_or_says_why_not(
    one: House, order: dict[str, object], outcome: str, says: str
) -> None:
    decision = one.order(**order)
    assert decision is not None
    assert decision.outcome == outcome
    assert says in decision.reason
    assert len(one.runs()) == (outcome == "run")


def test_runs_with_parameters_stand_beside_the_commits_own_and_are_no_verdict_on_it(house: House) -> None:
    house.push()
    sha = house.head()
    house.order(parameters={"x": 5})
    house.order(parameters={"x": 5})
    house.order(parameters={"x": 6})
    assert [run.parameters for run in house.runs(sha)] == [None, {"x": 5}, {"x": 6}]
    for run in house.runs(sha):
        house.end(run, {"a": 1})
    assert house.note(sha).count("reana/analysis: ") == 2, "one status, one section"
    house.order(parameters={"x": 5})
    assert len(house.runs(sha)) == 4, "asked for again, it runs again"
    assert {status.sha for status in house.forge.statuses} == {sha}
    assert len({status.url for status in house.forge.statuses}) == 1


WRONG = {
    "not YAML": {"reana.yaml": "a: [", ".reana-bridge.yaml": None},
    "an unknown key": {".reana-bridge.yaml": "analyses: {fit: {file: reana.yaml, onn: {}}}"},
    "no such file": {"readme": "", ".reana-bridge.yaml": "analyses: {fit: {file: other.yaml}}"},
    "an unknown type": {"reana.yaml": WORKFLOW.replace("serial", "parallel")},
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_file_is_a_failed_report_with_its_line(one: House, name: str) -> None:
    files = {key: text for key, text in WRONG[name].items() if text is not None}
    sha = one.commit("b", files)
    decision = one.push("b")
    assert decision is not None
    assert decision.outcome == "error"
    run = one.run_of(sha)
    assert (run.state, run.live_key) == (RunState.FAILED, None)
    note = one.note(sha)
    assert one.shown(sha) == ["failure"]
    assert "line " in note or "other.yaml: there is no such file" in note
    assert next(iter(files)) in note or name == "no such file"
    one.push("b")
    assert len(one.runs(sha)) == 1, "told once"


@pytest.mark.parametrize(
    ("message", "outcome"), [("Fix [skip ci]", "skip"), ("Fix\n\n[skip reana]", "skip"), ("Fix ci", "run")]
)
def test_a_commit_that_asks_to_be_skipped_is(one: House, message: str, outcome: str) -> None:
    one.commit("main", {"n": "1"}, message=message)
    decision = one.push()
    assert decision is not None
    assert decision.outcome == outcome


def test_a_project_that_is_not_registered_is_ignored(make_house, sqlite_url: str) -> None:
    house = make_house(sqlite_url, projects=[{"match": "f:b/*"}])
    decision = house.push()
    assert decision is not None
    assert (decision.outcome, house.runs()) == ("ignored", [])


def test_several_analyses_have_a_run_and_a_status_each_and_one_note(one: House) -> None:
    file = "analyses: {fit: {file: reana.yaml}, scan: {file: reana.yaml, parameters: {x: 9}}}"
    sha = one.commit("main", {".reana-bridge.yaml": file})
    one.push()
    fit, scan = sorted(one.runs(sha), key=lambda run: run.analysis)
    assert (fit.parameters, scan.parameters) == (None, None)
    commands = [one.job(run).job.specification.steps[0].commands for run in (fit, scan)]
    assert commands == [("echo 3",), ("echo 9",)]
    one.end(fit, {"a": 1})
    one.fail(scan)
    lines = one.note(sha).splitlines()
    assert [line.partition(" - ")[0] for line in lines[:2]] == ["reana/fit: success", "reana/scan: failure"]
    assert one.note(sha).count("**reana/fit: ") == one.note(sha).count("**reana/scan: ") == 1
