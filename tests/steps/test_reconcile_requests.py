"""What the reconciler makes of merge requests that nobody told of."""

from typing import Any

import pytest
from sqlalchemy import select, update

from reana_bridge.forges.base import ForgeError, MergeRequestFacts, RateLimited
from reana_bridge.steps.reconcile import Reconcile
from reana_bridge.steps.reconciling.heads import remember
from reana_bridge.steps.reconciling.requests import changes
from reana_bridge.store.tables import Delivery, Head, MergeRequestRow, ProjectRow, RateLimit
from tests.steps.hosted import HostedHouse
from webhooks import synthetic
from webhooks.events import Change, Event, MergeRequest, Push

SHA, OTHER = "a" * 40, "b" * 40


def row(**more: Any) -> MergeRequestRow:
    values = {"ref": "r", "sha": SHA, "target_branch": "main", "labels": ["x", "y"], "seen_at": 1.0}
    return MergeRequestRow(project="f:a/x", number=5, **{**values, **more})


def facts(**more: Any) -> MergeRequestFacts:
    values = {"ref": "r", "sha": SHA, "source_branch": "b", "target_branch": "main", "labels": ("y", "x")}
    return MergeRequestFacts(number=5, **{**values, **more})


@pytest.mark.parametrize(
    ("before", "now", "happened"),
    [
        (row(), facts(), ""),
        (None, facts(), "opened"),
        (row(), None, "closed"),
        (row(open=False), None, ""),
        (None, None, ""),
        (row(open=False), facts(), "reopened"),
        (row(open=False), facts(sha=OTHER), "reopened updated"),
        (row(), facts(sha=OTHER), "updated"),
        (row(), facts(target_branch="next"), "retargeted"),
        (row(), facts(labels=("x",)), "labelled"),
        (row(labels=None), facts(labels=()), ""),
        (row(), facts(draft=True), "draft"),
        (row(draft=True), facts(draft=True), ""),
        (
            row(),
            facts(draft=True, sha=OTHER, labels=(), target_branch="n"),
            "draft labelled retargeted updated",
        ),
    ],
)
def test_what_happened(before: MergeRequestRow | None, now: MergeRequestFacts | None, happened: str) -> None:
    assert " ".join(sorted(changes(before, now))) == happened


def told(house: HostedHouse) -> list[Event]:
    """The findings that wait to be decided; from now on they are."""
    with house.bridge.database.transaction() as session:
        found = select(Delivery).where(Delivery.decided_at.is_(None))  # type: ignore[union-attr]
        rows = list(session.execute(found.order_by(Delivery.id)).scalars())  # type: ignore[arg-type]
        for each in rows:
            each.decided_at = 1.0
        assert all(each.kind == "synthetic" for each in rows)
        return [synthetic.parse({}, each.body or b"") for each in rows]


@pytest.fixture
def looked(hosted: HostedHouse) -> HostedHouse:
    """A project with one open merge request, connected a moment ago."""
    hosted.commit("b", {"new": "1"})
    hosted.open("b")
    with hosted.bridge.database.transaction() as session:
        session.add(ProjectRow(name="f:a/x", seen_at=0.0, forge_id="7"))
    remember(hosted.bridge, hosted.forge, hosted.project)
    assert told(hosted) == []
    return hosted


def turn(house: HostedHouse) -> list[Event]:
    Reconcile(house.bridge).share(house.forge)
    return told(house)


def test_what_was_there_is_no_news(looked: HostedHouse) -> None:
    assert turn(looked) == []
    assert looked.forge.ids == {"a/x": "7"}


def test_a_first_look_by_itself_only_remembers(hosted: HostedHouse) -> None:
    hosted.commit("b", {"new": "1"})
    hosted.open("b")
    with hosted.bridge.database.transaction() as session:
        session.add(ProjectRow(name="f:a/x", seen_at=0.0))
    assert turn(hosted) == []
    assert turn(hosted) == []
    hosted.alter(draft=True)
    assert [event.changes for event in turn(hosted) if isinstance(event, MergeRequest)] == [{Change.DRAFT}]


@pytest.mark.parametrize(
    ("match", "found"), [("f:a/x", True), ("f:a/*", False), ("f:a/[x]", False), ("f:../x", False)]
)
def test_a_project_that_the_settings_name_needs_no_hook(
    make_house: Any, sqlite_url: str, match: str, found: bool
) -> None:
    hosted = make_house(sqlite_url, HostedHouse, projects=[{"match": match}, {"match": "f:*"}])
    hosted.commit("b", {"new": "1"})
    assert turn(hosted) == []
    hosted.commit("b", {"new": "2"})
    hosted.open("b")
    hosted.follow_branch()
    assert len(turn(hosted)) == (2 if found else 0)


def test_a_push_after_connecting_is_found_at_the_very_first_look(looked: HostedHouse) -> None:
    sha = looked.commit("b", {"new": "2"})
    looked.follow_branch()
    request, push = sorted(turn(looked), key=lambda event: type(event).__name__)
    assert isinstance(request, MergeRequest)
    assert isinstance(push, Push)
    assert (request.changes, request.sha, request.project_id) == ({Change.UPDATED}, sha, "7")
    assert (push.ref, push.after) == ("refs/heads/b", sha)


def test_an_opened_fork_and_a_closed_one(looked: HostedHouse) -> None:
    sha = looked.fork_commit(6)
    looked.alter(open=False)
    closed, opened = sorted(turn(looked), key=lambda event: sorted(getattr(event, "changes")))  # noqa: B009
    assert isinstance(closed, MergeRequest)
    assert isinstance(opened, MergeRequest)
    assert (closed.number, closed.changes) == (5, {Change.CLOSED})
    assert (opened.number, opened.changes, opened.sha) == (6, {Change.OPENED}, sha)
    assert (opened.source_project, opened.source_project_id) == ("", "77")


def test_the_same_finding_is_told_once_until_somebody_tells_of_it(looked: HostedHouse) -> None:
    looked.alter(labels=("run",))
    assert len(turn(looked)) == 1
    assert turn(looked) == []
    values = {"labels": ["run"], "seen_at": 2.0}
    with looked.bridge.database.transaction() as session:
        session.execute(update(MergeRequestRow).values(values))
    looked.alter(labels=())
    assert len(turn(looked)) == 1


def test_what_a_waiting_delivery_tells_is_not_told_again(looked: HostedHouse, monkeypatch: Any) -> None:
    """A finding waits shortly for the deliveries that came before it."""
    sha = looked.commit("b", {"new": "2"})
    looked.follow_branch()
    values = {"sha": sha, "seen_at": 2.0}
    states = [True, False]

    def undecided(*_: Any) -> bool:
        with looked.bridge.database.transaction() as session:
            session.execute(update(MergeRequestRow).values(values))
        return states.pop(0) if states else False

    monkeypatch.setattr("reana_bridge.steps.reconciling.heads.has_undecided", undecided)
    assert [type(event) for event in turn(looked)] == [Push]


@pytest.mark.parametrize(
    ("error", "asked"), [(RateLimited("wait", retry_after=60), 1), (ForgeError("500"), 3)]
)
def test_a_forge_that_does_not_answer_ends_its_turn(
    looked: HostedHouse, error: Exception, asked: int
) -> None:
    with looked.bridge.database.transaction() as session:
        for number in range(6):
            session.add(ProjectRow(name=f"f:a/y{number}", seen_at=0.0))
    looked.forge.errors = [error] * 10
    assert turn(looked) == []
    assert len(looked.forge.errors) == 10 - asked


def test_a_limited_forge_is_not_asked(looked: HostedHouse) -> None:
    with looked.bridge.database.transaction() as session:
        session.add(RateLimit(forge="f", until=looked.bridge.database.now(session) + 60, seen_at=0.0))
    looked.forge.reads.clear()
    looked.alter(draft=True)
    assert turn(looked) == []
    assert looked.forge.reads == []


def test_every_project_is_looked_at_once_a_period(looked: HostedHouse) -> None:
    names = [f"a/y{number}" for number in range(12)]
    for name in names:
        looked.repository(name).commit({"reana.yaml": b""}, "First")
    with looked.bridge.database.transaction() as session:
        session.add_all(ProjectRow(name=f"f:{name}", seen_at=0.0) for name in names)
    reconcile = Reconcile(looked.bridge)
    looked.forge.reads.clear()
    reconcile.share(looked.forge)
    assert len(looked.forge.reads) == 13
    looked.forge.reads.clear()
    counts = []
    for _ in range(10):
        reconcile.share(looked.forge)
        counts.append(len(looked.forge.reads))
    assert counts[-1] == 13
    assert counts[0] < 13
    assert reconcile.seconds(looked.forge) * 10 == looked.bridge.settings.forges["f"].poll_seconds


def test_a_new_project_is_looked_at_in_the_next_turn(looked: HostedHouse) -> None:
    reconcile = Reconcile(looked.bridge)
    reconcile.share(looked.forge)
    for number in range(4):
        name = f"a/z{number}"
        looked.repository(name).commit({"reana.yaml": b""}, "First")
        with looked.bridge.database.transaction() as session:
            session.add(ProjectRow(name=f"f:{name}", seen_at=0.0))
        reconcile.share(looked.forge)
        with looked.bridge.database.read() as session:
            assert session.get(Head, (f"f:{name}", "")) is not None
