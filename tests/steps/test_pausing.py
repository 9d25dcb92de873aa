"""Pauses: everybody sees why, nothing is lost, and what belongs to others goes on."""

from typing import Any

import pytest

from reana_bridge.model.pauses import PauseKind
from reana_bridge.model.runs import RunState
from reana_bridge.steps.pausing import CannotPause, pause_work, pauses_on, resume_work
from reana_bridge.steps.reporting import report_of
from reana_bridge.store.tables import OutboxRow, Pause
from tests.steps.house import House

FORGE, BACKEND, PROJECT = (PauseKind.FORGE, "f"), (PauseKind.BACKEND, "play"), (PauseKind.PROJECT, "f:a/x")
REASON = "maintenance until Tuesday"


def paused(house: House, what: tuple[PauseKind, str], reason: str = REASON) -> None:
    pause_work(house.bridge, *what, reason=reason, by="jane")


def resumed(house: House, what: tuple[PauseKind, str]) -> bool:
    return resume_work(house.bridge, *what)


def reason_of(house: House, run: Any) -> str:
    with house.bridge.database.read() as session:
        return report_of(house.bridge, session, run).reason


def test_deliveries_of_a_paused_forge_are_kept_and_decided_later(house: House) -> None:
    paused(house, FORGE)
    assert house.push() is None
    house.later(10_000)
    house.work()
    assert house.runs() == []
    assert resumed(house, FORGE)
    house.work()
    assert house.states() == ["running"]


def test_what_a_paused_forge_is_to_show_waits(one: House) -> None:
    one.push()
    run = one.run_of(one.head())
    posted = len(one.forge.statuses)
    paused(one, FORGE)
    one.end(run, {"a": 1})
    assert one.run(run.id).state == RunState.FINISHED, "what has begun goes on"
    assert len(one.forge.statuses) == posted
    resumed(one, FORGE)
    one.work()
    assert one.shown(run.sha)[-1] == "success"


@pytest.mark.parametrize("what", [FORGE, BACKEND, PROJECT], ids=["forge", "backend", "project"])
def test_queued_runs_wait_and_say_why(house: House, what: tuple[PauseKind, str]) -> None:
    house.push(work=False)
    house.work("decide")
    paused(house, what)
    house.work()
    (run,) = house.runs()
    assert run.state == RunState.QUEUED
    assert reason_of(house, run) == f"the {what[0]} {what[1]} is paused: {REASON}"
    resumed(house, what)
    house.work()
    assert house.states() == ["running"]
    assert REASON not in reason_of(house, house.runs()[0])


def test_a_cancelled_run_ends_although_its_backend_is_paused(one: House) -> None:
    one.push(work=False)
    one.work("decide")
    paused(one, BACKEND)
    one.commit("main", {"f": "2"})
    one.push("main", None)
    assert "cancelled" in one.states() or one.states() == ["queued"]


def test_other_projects_go_on(make_house: Any, sqlite_url: str) -> None:
    house = make_house(sqlite_url)
    house.repository("a/y").commit({"reana.yaml": b"version: 1"}, "First")
    paused(house, PROJECT)
    house.push()
    house.commit("main", {"reana.yaml": house.repository().git("show", "HEAD:reana.yaml")}, "a/y")
    house.push("main", path="a/y")
    by_project = {run.project: str(run.state) for run in house.runs()}
    assert by_project["f:a/x"] == "queued"
    assert by_project["f:a/y"] != "queued"


@pytest.mark.parametrize(
    ("kind", "name", "reason", "says"),
    [
        (PauseKind.FORGE, "g", REASON, "one of f"),
        (PauseKind.BACKEND, "", REASON, "one of play"),
        (PauseKind.PROJECT, "g:x", REASON, "registers? no project"),
        (PauseKind.PROJECT, "nonsense", REASON, "nonsense"),
        (PauseKind.FORGE, "f", "", "say why"),
        (PauseKind.FORGE, "f", "x" * 501, "500"),
        (PauseKind.FORGE, "f", "a\x1bb", "say why"),
    ],
)
def test_what_cannot_be_paused(one: House, kind: PauseKind, name: str, reason: str, says: str) -> None:
    with pytest.raises(CannotPause, match=says):
        paused(one, (kind, name), reason)
    assert one.rows(Pause) == []


def test_a_second_pause_has_the_new_reason_and_one_resume_ends_it(one: House) -> None:
    paused(one, FORGE, "first")
    paused(one, FORGE, "second\n  line")
    (row,) = one.rows(Pause)
    assert (row.reason, row.paused_by) == ("second line", "jane")
    assert resumed(one, FORGE)
    assert not resumed(one, FORGE)


def test_a_project_names_every_pause_that_concerns_it(one: House) -> None:
    for what in (FORGE, BACKEND, PROJECT):
        paused(one, what)
    with one.bridge.database.read() as session:
        assert len(pauses_on(session, "f:a/x", "play")) == 3
        assert len(pauses_on(session, "f:a/x")) == 2
        assert len(pauses_on(session, "f:a/y", "other")) == 1
        assert pauses_on(session, "g:a/x") == ()


@pytest.mark.parametrize("what", [BACKEND, PROJECT], ids=["backend", "project"])
def test_a_status_says_why_its_run_waits(one: House, what: tuple[PauseKind, str]) -> None:
    paused(one, what)
    one.push()
    (wanted,) = [row.wanted for row in one.rows(OutboxRow) if row.kind == "status"]
    assert (wanted["state"], f"is paused: {REASON}" in wanted["description"]) == ("pending", True)
    resumed(one, what)
    one.work()
    (wanted,) = [row.wanted for row in one.rows(OutboxRow) if row.kind == "status"]
    assert (wanted["state"], wanted["description"]) == ("running", "running")


def test_nothing_is_said_twice_by_a_pause(one: House) -> None:
    one.push(work=False)
    one.work("decide", "report")
    before = {row.id: row.wanted_version for row in one.rows(OutboxRow)}
    paused(one, BACKEND)
    one.work()
    assert {row.id: row.wanted_version for row in one.rows(OutboxRow)} == before
