"""What the forges are made to show: the newest state alone, whatever fails between, never backwards."""

from typing import Any

import pytest

from reana_bridge.forges.base import ForgeError, ForgeRefused
from reana_bridge.model.projects import Project
from reana_bridge.store.tables import OutboxRow
from tests.steps.house import House

RANK = {"pending": 0, "running": 1, "success": 2, "failure": 2, "error": 2, "cancelled": 2}


def open_rows(house: House) -> list[Any]:
    return [row for row in house.rows(OutboxRow) if row.posted_version < row.wanted_version]


def test_statuses_of_a_commit_only_go_forwards(house: House) -> None:
    house.push(work=False)
    for _ in range(20):
        house.once()
    run = house.run_of(house.head())
    house.end(run, {"a": 1})
    shown = [RANK[state] for state in house.shown(run.sha)]
    assert shown == sorted(shown)
    assert shown[-1] == 2
    assert open_rows(house) == []


def test_what_happened_while_a_forge_was_away_is_posted_as_one(house: House) -> None:
    house.forge.errors = [ForgeError("away") for _ in range(2)]
    house.push()
    run = house.run_of(house.head())
    assert house.shown(run.sha) == []
    assert {row.error for row in open_rows(house)} == {"away"}
    house.end(run, {"a": 1})
    house.later(1000)
    house.work()
    assert house.shown(run.sha) == ["success"]
    assert {row.error for row in house.rows(OutboxRow)} == {""}


def test_a_forge_says_when_to_come_again(one: House) -> None:
    one.forge.errors = [ForgeError("too many requests", retry_after=900.0)] * 2
    one.push()
    one.later(800)
    one.work()
    assert one.forge.statuses == []
    one.later(200)
    one.work()
    assert len(one.forge.statuses) == 1


def test_what_a_forge_refuses_for_good_is_kept_with_the_reason_and_not_repeated(one: House) -> None:
    one.forge.errors = [ForgeRefused("no rights")]
    one.push()
    (row,) = [row for row in one.rows(OutboxRow) if row.error]
    assert (row.error, row.due_at) == ("no rights", None)
    one.later(10_000)
    one.work()
    assert len([s for s in one.forge.statuses if s.sha == one.head()]) == (0 if row.kind == "status" else 1)
    one.end(one.run_of(one.head()), {"a": 1})
    assert one.shown(one.head())[-1] == "success", "the next state is tried anew"


def test_what_is_wanted_while_it_is_posted_is_posted_next(
    one: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    one.push()
    run = one.run_of(one.head())
    posted = one.forge.post_status
    ending = [run]

    def post(project: Project, status: Any) -> None:
        posted(project, status)
        if ending and str(status.state) == "running":
            one.end(ending.pop(), {"a": 1})

    monkeypatch.setattr(one.forge, "post_status", post)
    with one.bridge.database.transaction() as session:
        for row in one.rows(OutboxRow):
            fresh = session.get_one(OutboxRow, row.id)
            fresh.wanted_version += 1
            fresh.due_at = 0.0
    one.work()
    assert one.shown(run.sha)[-1] == "success"
    assert open_rows(one) == []


def test_a_process_that_died_after_it_posted_posts_the_same_again(
    one: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    def die_at(name: str) -> None:
        if name == "report.posted":
            raise Killed

    one.push(work=False)
    with monkeypatch.context() as patch:
        patch.setattr("reana_bridge.steps.report.reach", die_at)
        with pytest.raises(Killed):
            one.work()
    before = one.note(one.head())
    one.later(100)
    one.work()
    assert before.splitlines()[0].split(" - ")[0] in {"reana/analysis: pending", "reana/analysis: running"}
    assert one.note(one.head()).count("reana/analysis: running") == 1
    one.end(one.run_of(one.head()), {"a": 1})
    assert one.note(one.head()).count("reana/analysis: ") == 2, "one status, one section"


def test_the_same_report_is_the_same_byte_for_byte(one: House) -> None:
    one.push()
    run = one.end(one.run_of(one.head()), {"a": 1})
    first = one.note(run.sha)
    with one.bridge.database.transaction() as session:
        for row in one.rows(OutboxRow):
            session.get_one(OutboxRow, row.id).due_at = 0.0
    one.work()
    assert one.note(run.sha) == first


def test_two_rows_of_a_commit_are_never_claimed_by_two_processes(house: House) -> None:
    house.push(work=False)
    house.work("decide")
    assert len(open_rows(house)) == 2
    first = house.steps["report"].claim(10)
    assert (len(first), house.steps["report"].claim(10)) == (1, [])
