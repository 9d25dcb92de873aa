"""A project that is renamed on its forge keeps everything, under its new name."""

from typing import Any

import pytest

from reana_bridge.forges.base import ProjectFacts
from reana_bridge.model.pauses import PauseKind
from reana_bridge.model.projects import Project
from reana_bridge.model.runs import RunState
from reana_bridge.steps.pausing import pause_work
from reana_bridge.store.tables import (
    AcceptanceRow,
    Approval,
    Decision,
    Head,
    Hook,
    MergeRequestRow,
    MetricRow,
    OutboxRow,
    Pause,
    ProjectRow,
    Run,
    Schedule,
    Upload,
    Want,
)
from tests.steps.hosted import HostedHouse
from webhooks.events import Change, Push

OLD, NEW = "f:a/x", "f:b/y"
TABLES = (
    AcceptanceRow,
    Approval,
    Decision,
    Head,
    Hook,
    MergeRequestRow,
    MetricRow,
    OutboxRow,
    Run,
    Schedule,
    Upload,
    Want,
)


def push(house: HostedHouse, path: str = "a/x", id: str = "42", **more: Any) -> Decision | None:
    sha = house.head()
    event = Push(project=path, project_id=id, ref="refs/heads/main", before=None, after=sha)
    return house.event(event, **more)


def renamed(house: HostedHouse) -> None:
    """Let the forge know the repository as b/y, also by its old name, as forges do."""
    (house.place / "forge/b").mkdir()
    (house.place / "forge/b/y.git").symlink_to(house.place / "forge/a/x.git")

    def facts(project: Project) -> ProjectFacts:
        house.forge.reads.append("facts")
        return ProjectFacts(id="42", path="b/y", default_branch="main", private=False)

    house.forge.facts = facts  # type: ignore[method-assign]


def lived_in(house: HostedHouse) -> Run:
    """With a run and a row in every table; the run is not over."""
    push(house)
    house.end(house.runs()[0], {"a": 1})
    house.commit("b", {"n": "1"})
    house.open()
    house.told(Change.OPENED)
    pause_work(house.bridge, PauseKind.PROJECT, OLD, reason="We move.", by="ann")
    with house.bridge.database.transaction() as session:
        run = house.runs()[-1].id
        said = {"analysis": "analysis", "metric": "a", "value": 1.0, "reason": "so", "accepted_by": "mia"}
        said |= {"accepted_at": 1.0, "sha": "a" * 40, "run_id": run, "comment": "1"}
        session.add(AcceptanceRow(project=OLD, merge_request=5, **said))
        session.add(Approval(project=OLD, number=5, sha="a" * 40, approved_by="jane", approved_at=1.0))
        session.add(Hook(id="h", forge="f", project=OLD, made_at=1.0))
        session.merge(Schedule(project=OLD, looked_at=1.0))
        session.add(Upload(project=OLD, digest="d", link="/uploads/1/x.png", uploaded_at=1.0))
    return house.runs()[-1]


def test_everything_moves_in_one_go(hosted_house: HostedHouse) -> None:
    house = hosted_house
    run = lived_in(house)
    counts = {table: len(house.rows(table)) for table in TABLES}
    renamed(house)
    decision = push(house, "b/y")
    assert decision is not None
    assert (decision.project, decision.outcome) == (NEW, "skip"), "the commit has its result already"
    assert {row.project for table in TABLES for row in house.rows(table)} == {NEW}
    after = {table: len(house.rows(table)) for table in TABLES}
    assert after == {**counts, Decision: counts[Decision] + 1}
    assert [(row.name, row.forge_id) for row in house.rows(ProjectRow)] == [(NEW, "42")]
    assert [row.name for row in house.rows(Pause)] == [NEW]
    assert house.run(run.id).live_key == f"{NEW}|analysis|{run.sha}|"
    assert house.end(run, {"a": 2}).state == RunState.FINISHED
    assert {row.project for row in house.rows(OutboxRow)} == {NEW}
    assert house.raised == []


def test_an_event_from_before_it_is_heard_under_the_new_name(hosted: HostedHouse) -> None:
    push(hosted)
    renamed(hosted)
    push(hosted, "b/y")
    late = push(hosted, "a/x")
    assert late is not None
    assert late.project == NEW
    assert [row.name for row in hosted.rows(ProjectRow)] == [NEW]


def test_an_event_alone_moves_nothing(hosted: HostedHouse) -> None:
    push(hosted)
    hosted.repository("c/z").commit({"reana.yaml": b"x"}, "Other")

    def facts(project: Project) -> ProjectFacts:
        return ProjectFacts(id="42", path="a/x", default_branch="main", private=False)

    hosted.forge.facts = facts  # type: ignore[method-assign]
    push(hosted, "c/z")
    assert [row.name for row in hosted.rows(ProjectRow)] == [OLD]


def test_settings_that_do_not_know_the_new_name_are_told_so(make_house: Any, sqlite_url: str) -> None:
    house = make_house(sqlite_url, HostedHouse, projects=[{"match": "f:a/*"}])
    push(house)
    renamed(house)
    decision = push(house, "b/y")
    assert decision is not None
    assert decision.outcome == "ignored"
    assert f'match = "{NEW}"' in decision.reason
    assert [row.name for row in house.rows(ProjectRow)] == [OLD]


def test_two_histories_are_not_mixed(hosted: HostedHouse) -> None:
    push(hosted)
    renamed(hosted)
    hosted.event(
        Push(project="b/y", ref="refs/heads/main", before=None, after=hosted.head())
    )  # without an id: the new name is taken for another project
    push(hosted, "b/y")
    assert sorted(run.project for run in hosted.runs()) == [OLD, NEW]
    assert sorted((row.name, row.forge_id) for row in hosted.rows(ProjectRow)) == [(OLD, ""), (NEW, "42")]


@pytest.mark.parametrize("id", ["42", ""])
def test_the_id_is_remembered_and_given_to_the_forge(hosted: HostedHouse, id: str) -> None:
    push(hosted, id=id)
    push(hosted, id="")
    assert [row.forge_id for row in hosted.rows(ProjectRow)] == [id]
    assert hosted.forge.ids == ({"a/x": "42"} if id else {})
    assert "facts" not in hosted.forge.reads
