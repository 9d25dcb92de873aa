"""Rare orders of events on a hosted forge: outages, merged forks, two runs of one commit, forged names."""

from collections.abc import Callable
from typing import Any

import pytest

from reana_bridge.forges.base import FailedDelivery, ForgeError, RateLimited
from reana_bridge.model.pauses import PauseKind
from reana_bridge.model.projects import Project
from reana_bridge.model.runs import RunState
from reana_bridge.steps.decide import GIVE_UP_AFTER, OUTAGE_ATTEMPTS
from reana_bridge.steps.pausing import pause_work
from reana_bridge.steps.reconcile import Reconcile
from reana_bridge.steps.reconciling.hooks import look_at_hook
from reana_bridge.steps.runtime import Runtime
from reana_bridge.store.tables import Approval, Delivery, Hook, MergeRequestRow, ProjectRow, RateLimit
from tests.steps.hooked import HookedHouse
from tests.steps.hosted import HostedHouse
from webhooks.events import Change, Push
from webhooks.fields import is_identity

# -- statuses --


@pytest.mark.parametrize("live", [False, True])
def test_a_merged_forks_status_is_shown_on_the_project_itself(hosted: HostedHouse, live: bool) -> None:
    sha = hosted.fork_commit()
    hosted.told(Change.OPENED)
    hosted.comment(f"/reana approve {sha}")
    if not live:
        hosted.end(hosted.run_of(sha), {"a": 1})
    assert hosted.forge.statuses[-1].source_project_id == "77"
    hosted.repository().git("push", "--quiet", "origin", f"{sha}:refs/heads/main")
    hosted.push("main", sha)
    hosted.end(hosted.runs(sha)[-1], {"a": 1})
    last = hosted.forge.statuses[-1]
    assert (str(last.state), last.source_project_id, last.ref) == ("success", "", "refs/heads/main")
    assert (last.merge_request, last.source_branch) == (None, "")


def test_an_older_run_that_is_compared_again_does_not_hide_the_newer_one(hosted: HostedHouse) -> None:
    other = hosted.commit("main", {"m": "1"})
    hosted.commit("b", {"n": "1"})
    sha = hosted.open()
    hosted.told(Change.OPENED)
    first = hosted.end(hosted.run_of(sha), {"a": 2})
    hosted.comment("/reana compare main")
    hosted.comment("/reana run", id="2")
    newer = hosted.runs(sha)[-1]
    assert (newer.id != first.id, newer.state) == (True, RunState.RUNNING)
    hosted.end(hosted.run_of(other), {"a": 1})
    assert hosted.comparison(first)["baseline"]["sha"] == other, "it was compared again"
    last = [status for status in hosted.forge.statuses if status.sha == sha][-1]
    assert (last.run, str(last.state)) == (newer.id, "running")


# -- trust --


def test_an_approval_does_not_outlive_the_permission(make_house: Any, sqlite_url: str) -> None:
    house = make_house(sqlite_url, HostedHouse, projects=[{"match": "f:*", "forks": "never"}])
    sha = house.fork_commit()
    house.told(Change.OPENED)
    approval = Approval(project="f:a/x", number=5, sha=sha, approved_by="jane", approved_at=1.0)
    with house.bridge.database.transaction() as session:
        session.add(approval)
    house.order(sha=sha, merge_request=5)
    house.order(sha=sha)
    assert house.runs(sha) == []


def test_a_command_that_a_closing_overtakes_runs_nothing(hosted: HostedHouse) -> None:
    hosted.commit("b", {"n": "1"})
    sha = hosted.open()
    hosted.told(Change.OPENED)
    hosted.stop(hosted.run_of(sha))
    hosted.comment("/reana retest", work=False)
    with hosted.bridge.database.transaction() as session:
        row = session.get_one(MergeRequestRow, ("f:a/x", 5))
        row.seen_at, row.open = row.seen_at + 3600, False
    hosted.work()
    assert len(hosted.runs(sha)) == 1


def test_a_name_that_is_not_the_projects_is_not_remembered_as_it(hosted: HostedHouse) -> None:
    def push(path: str) -> Any:
        return Push(project=path, project_id="42", ref="refs/heads/main", before=None, after=hosted.head())

    hosted.event(push("a/x"))
    hosted.repository("c/z").commit({"reana.yaml": b"x"}, "Other")
    facts = hosted.forge.facts
    hosted.forge.facts = lambda project: facts(Project("f", "a/x"))  # type: ignore[method-assign]
    hosted.event(push("c/z"))
    assert hosted.forge.ids == {"a/x": "42"}


def test_no_sender_can_take_the_name_of_a_finding_or_command(hosted: HostedHouse) -> None:
    hosted.commit("b", {"n": "1"})
    hosted.open()
    hosted.told(Change.OPENED)
    hosted.comment("/reana status")
    reconcile = Reconcile(hosted.bridge)
    reconcile.heads(hosted.forge)
    hosted.commit("c", {"n": "2"})
    hosted.open("c", 6)
    reconcile.heads(hosted.forge)
    ours = [row.key for row in hosted.rows(Delivery) if row.kind != "webhook"]
    assert len(ours) >= 3
    assert not any(is_identity(key) for key in ours)


# -- outages --


def test_a_forge_that_is_away_for_hours_loses_no_command(hosted: HostedHouse) -> None:
    hosted.commit("b", {"n": "1"})
    sha = hosted.open()
    hosted.told(Change.OPENED)
    hosted.stop(hosted.run_of(sha))
    hosted.comment("/reana retest", work=False)
    hosted.forge.errors = [ForgeError("401: the token is not valid")] * (GIVE_UP_AFTER + 5)
    for _ in range(GIVE_UP_AFTER + 5):
        hosted.work("decide")
        hosted.later(400)
    hosted.work()
    assert len(hosted.runs(sha)) == 2


def test_a_finding_that_was_given_up_is_found_again(hosted: HostedHouse) -> None:
    hosted.push()
    reconcile = Reconcile(hosted.bridge)
    reconcile.heads(hosted.forge)
    sha = hosted.commit("main", {"f": "1"})
    reconcile.heads(hosted.forge)
    with hosted.bridge.database.transaction() as session:
        found = next(row for row in session.query(Delivery) if row.decided_at is None)
        found.attempt = OUTAGE_ATTEMPTS - 1
    ask, hosted.forge.head = hosted.forge.head, _away  # type: ignore[method-assign]
    hosted.work()
    hosted.forge.head = ask  # type: ignore[method-assign]
    assert hosted.runs(sha) == []
    reconcile.heads(hosted.forge)
    hosted.work()
    assert hosted.states(sha) == ["running"]


def _away(*_: Any) -> Any:
    raise ForgeError("502")


def test_projects_that_fail_do_not_hide_the_others(hosted: HostedHouse, monkeypatch: Any) -> None:
    broken = [f"a/{name}" for name in "abcd"]
    with hosted.bridge.database.transaction() as session:
        session.add_all(ProjectRow(name=f"f:{path}", seen_at=0.0) for path in [*broken, "a/x"])
    looked: list[str] = []

    def open_merge_requests(project: Project) -> Any:
        looked.append(project.path)
        if project.path in broken:
            raise ForgeError("500")
        return []

    monkeypatch.setattr(hosted.forge, "open_merge_requests", open_merge_requests)
    reconcile = Reconcile(hosted.bridge)
    for _ in range(2):
        reconcile.heads(hosted.forge)
    assert "a/x" in looked


# -- schedules --

SCHEDULED = "analyses: {fit: {file: reana.yaml, on: {schedule: [{cron: '0 3 * * *'}]}}}"


def asked(house: HostedHouse, monkeypatch: Any, error: Exception | None = None) -> list[str]:
    """The projects that the forge is asked for from now on."""
    found: list[str] = []
    for name in ("head", "default_branch"):
        real = getattr(house.forge, name)

        def ask(project: Project, *more: Any, real: Callable[..., Any] = real) -> Any:
            found.append(project.path)
            if error:
                raise error
            return real(project, *more)

        monkeypatch.setattr(house.forge, name, ask)
    return found


def test_schedules_are_read_of_what_is_known_already(hosted: HostedHouse, monkeypatch: Any) -> None:
    hosted.commit("main", {".reana-bridge.yaml": SCHEDULED})
    hosted.push()
    found = asked(hosted, monkeypatch)
    Reconcile(hosted.bridge).schedules()
    assert found == []


def test_schedules_ask_nothing_of_a_paused_forge(hosted: HostedHouse, monkeypatch: Any) -> None:
    with hosted.bridge.database.transaction() as session:
        session.add(ProjectRow(name="f:a/x", seen_at=0.0))
    pause_work(hosted.bridge, PauseKind.FORGE, "f", reason="It moves.", by="ann")
    found = asked(hosted, monkeypatch)
    Reconcile(hosted.bridge).schedules()
    assert found == []


@pytest.mark.parametrize(("error", "times"), [(ForgeError("502"), 3), (RateLimited("later"), 1)])
def test_schedules_leave_a_forge_that_fails(
    hosted: HostedHouse, monkeypatch: Any, error: Exception, times: int
) -> None:
    with hosted.bridge.database.transaction() as session:
        session.add_all(ProjectRow(name=f"f:a/{name}", seen_at=0.0) for name in "abcdef")
    found = asked(hosted, monkeypatch, error)
    Reconcile(hosted.bridge).schedules()
    assert len(found) == times
    assert len(hosted.rows(RateLimit)) == (times == 1)


def test_each_forge_has_its_own_turns(hosted: HostedHouse) -> None:
    names = set(Runtime(hosted.bridge)._parts)  # pyright: ignore[reportPrivateUsage]
    assert {"schedules f", "heads f"} <= names


# -- hooks --


def test_a_delivery_that_cannot_be_resent_does_not_hold_up_the_others(
    make_house: Callable[..., Any], sqlite_url: str, monkeypatch: Any
) -> None:
    house: HookedHouse = make_house(sqlite_url, HookedHouse)
    remote = house.forge.put("http://bridge.test/webhooks/f/h")
    with house.bridge.database.transaction() as session:
        session.add(ProjectRow(name="f:a/x", seen_at=0.0))
        session.add(Hook(id="h", forge="f", project="f:a/x", remote_id=remote, made_at=1000.0))
    house.forge.failed = [
        FailedDelivery(id=f"d{at}", at=at, event="push", status="413") for at in (2000, 2600, 3200)
    ]
    real = house.forge.resend

    def resend(project: Project, hook: str, delivery: str) -> None:
        if delivery == "d2000":
            raise ForgeError("422: it failed again")
        real(project, hook, delivery)

    monkeypatch.setattr(house.forge, "resend", resend)
    look_at_hook(house.bridge, house.forge, house.project)
    assert house.forge.resent == ["d2600", "d3200"]
