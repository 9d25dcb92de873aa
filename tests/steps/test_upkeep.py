"""What is looked at now and then: missed pushes, schedules, and what is let go."""

import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import update

from reana_bridge.model.projects import Project
from reana_bridge.steps.reconcile import Reconcile
from reana_bridge.steps.retain import Retain
from reana_bridge.store.tables import ArtifactRow, Decision, Delivery, Schedule
from tests.steps.house import House

Maker = Callable[..., House]
DAY = 86_400.0


def reconcile(house: House) -> None:
    Reconcile(house.bridge).heads(house.forge)
    house.work()


def test_what_moved_while_nobody_listened_is_found_once(house: House) -> None:
    house.push()
    house.end(house.run_of(house.head()), {"a": 1})
    old = house.commit("older-than-the-bridge", {"n": "0"})
    reconcile(house)
    missed = {branch: house.commit(branch, {"n": branch}) for branch in ("main", "b")}
    house.repository().git("tag", "v1")
    house.repository().push("v1")
    for _ in range(3):
        reconcile(house)
    for branch, sha in missed.items():
        assert house.states(sha) == ["running"], branch
    assert house.states(old) == [], "the first look only remembers"
    found = [d for d in house.rows(Delivery) if d.kind == "synthetic"]
    assert len(found) == 3
    assert {d.actor for d in house.rows(Decision) if d.ref == "refs/tags/v1"} == {"reconcile"}


def test_a_branch_that_went_without_a_word_ends_its_run(one: House) -> None:
    one.push()
    sha = one.commit("b", {"n": "1"})
    one.push("b")
    reconcile(one)
    one.repository().push("--delete", "b")
    reconcile(one)
    assert len(one.backend.cancelled) == 1
    assert one.wants(sha) == [("branch", "refs/heads/b", False)]


def test_what_was_told_is_not_found_again(one: House) -> None:
    one.push()
    one.commit("b", {"n": "1"})
    one.push("b")
    reconcile(one)
    reconcile(one)
    assert {d.kind for d in one.rows(Delivery)} == {"webhook"}


def test_only_known_projects_are_looked_at(one: House) -> None:
    """A project is known from its first delivery on."""
    reconcile(one)
    assert one.rows(Delivery) == []


SCHEDULED = "analyses: {fit: {file: reana.yaml, on: {schedule: [{cron: '0 3 * * *', parameters: {x: 7}}]}}}"


def test_a_schedule_runs_the_head_once_for_each_time_that_came(one: House) -> None:
    sha = one.commit("main", {".reana-bridge.yaml": SCHEDULED})
    one.push()
    upkeep = Reconcile(one.bridge)
    upkeep.schedules()
    one.work()
    assert one.runs(sha) == [], "nothing is due yet"
    yesterday = time.time() - 3 * DAY
    with one.bridge.database.transaction() as session:
        session.execute(update(Schedule).values(looked_at=yesterday))
    for _ in range(3):
        upkeep.schedules()
        one.work()
    run = one.run_of(sha)
    assert run.parameters == {"x": 7}
    assert one.wants(sha) == [("schedule", "refs/heads/main", True)]
    (order,) = [d for d in one.rows(Delivery) if d.kind == "order"]
    assert datetime.fromtimestamp(float(order.key.rpartition(":")[2]), UTC).hour == 3


# -- letting go --


def old_run(house: House, branch: str, days: float, size: int = 10) -> Any:
    sha = house.commit(branch, {"n": branch})
    house.push(branch)
    run = house.end(house.run_of(sha), {"a": 1})
    identity = run.backend_id or ""
    house.backend.jobs[identity].ended_at = time.time() - days * DAY
    house.backend.sizes[identity] = size
    return run


@pytest.mark.parametrize(
    ("budget", "gone"),
    [(1000, {"old"}), (25, {"old"}), (15, {"old", "middle"}), (0, {"old", "middle", "young"})],
)
def test_workspaces_go_when_they_are_old_or_too_large_together(
    make_house: Maker, sqlite_url: str, budget: int, gone: set[str]
) -> None:
    house = make_house(sqlite_url, storage={"workspace_days": 7, "workspace_budget": budget})
    runs = {
        name: old_run(house, name, days) for name, days in (("old", 8.0), ("middle", 3.0), ("young", 1.0))
    }
    Retain(house.bridge).workspaces(house.backend)
    assert set(house.backend.removed) == {runs[name].backend_id for name in gone}
    assert {name for name, run in runs.items() if house.run(run.id).removed_at} == gone


def test_the_workspace_of_a_live_run_stays_and_that_of_a_lost_attempt_goes(one: House) -> None:
    one.push()
    run = one.run_of(one.head())
    lost = one.backend.jobs[run.backend_id or ""]
    again = one.lose(run)
    one.backend.jobs[f"rb-{run.id}-1"] = lost
    for played in one.backend.jobs.values():
        played.ended_at = 1.0
    Retain(one.bridge).workspaces(one.backend)
    assert one.backend.removed == [f"rb-{run.id}-1"]
    assert again.backend_id in one.backend.jobs


@pytest.mark.parametrize(
    ("days", "decided", "kept"), [(29, True, True), (31, True, False), (31, False, True)]
)
def test_bodies_go_after_their_time_once_decided_and_ids_stay(
    house: House, days: int, decided: bool, kept: bool
) -> None:
    house.push(work=decided)
    house.later(days * DAY)
    Retain(house.bridge).bodies()
    (delivery,) = house.rows(Delivery)
    assert (delivery.body is not None) is kept
    assert delivery.key


@pytest.mark.parametrize(("days", "branch", "kept"), [(0, "b", True), (7, "b", False), (7, "main", True)])
def test_artifacts_of_old_proposals_go_where_the_settings_say_so(
    make_house: Maker, sqlite_url: str, days: float, branch: str, kept: bool
) -> None:
    house = make_house(sqlite_url, storage={"artifact_days": days})
    run = old_run(house, branch, 1.0)
    house.later(8 * DAY)
    for path in house.bridge.blobs.root.glob("??/*"):
        os.utime(path, (1000, 1000))
    Retain(house.bridge).artifacts()
    kinds = {row.kind for row in house.rows(ArtifactRow) if row.run_id == run.id}
    assert kinds == ({"output", "log"} if kept else {"log"})
    assert len(list(house.bridge.blobs.digests())) == len(kinds)


def test_artifacts_that_nothing_names_go_when_they_are_old(one: House) -> None:
    import io

    young = one.bridge.blobs.put(io.BytesIO(b"young"), limit=10)
    old = one.bridge.blobs.put(io.BytesIO(b"old"), limit=10)
    os.utime(one.bridge.blobs.root / old.digest[:2] / old.digest[2:], (1000, 1000))
    Retain(one.bridge).artifacts()
    assert list(one.bridge.blobs.digests()) == [young.digest]


def test_a_project_path_leads_to_its_own_cache(one: House) -> None:
    caches = {one.bridge.cache(Project("f", path)) for path in ("a/b", "a-b", "A/b")}
    assert len(caches) == 3
