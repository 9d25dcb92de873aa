"""Connecting a hosted project: what is there afterwards, after a second time, and after dying half-way."""

from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from reana_bridge.forges.base import ForgeError, ForgeRefused, ProjectFacts
from reana_bridge.steps import connecting
from reana_bridge.steps.hooking import Step
from reana_bridge.steps.reconcile import Reconcile
from reana_bridge.store.hooks import hook_of, hook_secret
from reana_bridge.store.inbox import Incoming
from reana_bridge.store.tables import Delivery, Hook, ProjectRow
from tests.steps.hooked import HookedHouse

URL = "http://bridge.test/webhooks/f"


@pytest.fixture
def house(make_house: Callable[..., Any], sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> HookedHouse:
    """The bridge answers at its public address, and takes what the forge sends there."""
    house: HookedHouse = make_house(sqlite_url, HookedHouse)
    monkeypatch.setattr("reana_bridge.steps.hooking.unreachable", lambda site: "")
    monkeypatch.setattr("reana_bridge.steps.connecting.another_bridge", lambda site, key: "")

    def arrives(hook: str) -> None:
        id = house.forge.there[hook].url.rpartition("/")[2]
        house.bridge.inbox.put_blocking(Incoming(forge="f", delivery_id=uuid4().hex, body=b"{}", hook=id))

    house.forge.on_test = arrives
    return house


def connect(house: HookedHouse, *, rotate: bool = False, wait: float = 5.0) -> dict[str, Step]:
    steps = connecting.connect(house.bridge, house.forge, house.project, rotate=rotate, wait=wait)
    return {step.what: step for step in steps}


def disconnect(house: HookedHouse) -> dict[str, Step]:
    return {s.what: s for s in connecting.disconnect(house.bridge, house.forge, house.project)}


def row(house: HookedHouse) -> Hook:
    with house.bridge.database.read() as session:
        found = hook_of(session, house.project)
        assert found is not None
        return found


def secret(house: HookedHouse, generation: int = 1) -> str:
    return hook_secret(house.bridge.server_key, "f", row(house).id, generation)


def bad(steps: dict[str, Step]) -> set[str]:
    return {what for what, step in steps.items() if not step.good}


def test_everything_is_there_and_good(house: HookedHouse) -> None:
    steps = connect(house)
    assert bad(steps) == set()
    hook = row(house)
    assert (hook.project, hook.project_id, hook.generation) == ("f:a/x", "1", 1)
    assert [facts.url for facts in house.forge.there.values()] == [f"{URL}/{hook.id}"]
    assert house.forge.secrets == {hook.remote_id: secret(house)}
    link, image = house.forge.badges["reana-bridge"]
    assert link == "http://bridge.test/projects/f/a/x"
    assert image.startswith("http://bridge.test/badges/f/a/x.svg?key=")
    assert "arrived" in steps["test delivery"].message
    assert f"[![reana]({image})]({link})" in steps["badge"].message
    with house.bridge.database.read() as session:
        project = session.get_one(ProjectRow, "f:a/x")
    assert (project.forge_id, project.private, project.default_branch) == ("1", False, "main")


def test_no_secret_is_shown(house: HookedHouse) -> None:
    assert "whsec_" not in "".join(step.message for step in connect(house).values())


def test_the_second_time_repairs_and_adds_nothing(house: HookedHouse) -> None:
    connect(house)
    before, hook = row(house), row(house).remote_id
    house.forge.alter_hook(hook, problems=("the event note_events is off",))
    steps = connect(house)
    assert bad(steps) == set()
    assert list(house.forge.there) == [hook]
    assert (row(house).id, row(house).generation) == (before.id, 1)


@pytest.mark.parametrize("call", ["install_hook", "hooks"])
def test_dying_half_way_leaves_one_hook_after_the_next_time(
    house: HookedHouse, monkeypatch: Any, call: str
) -> None:
    """Before the forge has the hook, and after, when nobody heard of it."""
    original = getattr(house.forge, call)

    def dies(*arguments: Any) -> Any:
        if call == "install_hook":
            original(*arguments)
        raise ForgeError("cut off")

    monkeypatch.setattr(house.forge, call, dies)
    with pytest.raises(ForgeError):
        connect(house)
    first = row(house).id
    monkeypatch.setattr(house.forge, call, original)
    assert bad(connect(house)) == set()
    assert row(house).id == first
    assert [facts.url for facts in house.forge.there.values()] == [f"{URL}/{first}"]


def test_rotation_gives_the_same_hook_a_new_secret(house: HookedHouse) -> None:
    connect(house)
    hook = row(house)
    connect(house, rotate=True)
    assert house.forge.secrets == {hook.remote_id: secret(house, 2)}
    assert (row(house).id, row(house).generation) == (hook.id, 2)
    assert row(house).rotated_at is not None


def test_hooks_of_former_times_go_and_one_made_by_hand_is_named(house: HookedHouse) -> None:
    house.forge.put(f"{URL}/former")
    by_hand = house.forge.put(URL)
    other = house.forge.put("https://elsewhere.test/webhooks/f/former")
    messages = [
        step.message
        for step in connecting.connect(house.bridge, house.forge, house.project, rotate=False)
        if step.what == "hook"
    ]
    assert any("1 older ones" in message for message in messages)
    assert any("made by hand" in message for message in messages)
    assert set(house.forge.there) == {by_hand, other, row(house).remote_id}


def test_a_server_that_moved_leads_its_hook_to_the_new_address(house: HookedHouse) -> None:
    connect(house)
    hook = row(house)
    house.forge.alter_hook(hook.remote_id, url=f"http://old.test/webhooks/f/{hook.id}")
    connect(house)
    assert [(h.id, h.url) for h in house.forge.there.values()] == [(hook.remote_id, f"{URL}/{hook.id}")]


def test_a_renamed_project_keeps_its_hook(house: HookedHouse) -> None:
    connect(house)
    hook = row(house)
    with house.bridge.database.transaction() as session:
        session.get_one(Hook, hook.id).project = "f:a/before"
    connect(house)
    assert (row(house).id, row(house).project) == (hook.id, "f:a/x")
    assert len(house.forge.there) == 1


def test_another_name_is_told_and_nothing_done(house: HookedHouse, monkeypatch: Any) -> None:
    facts = ProjectFacts(id="1", path="a/new", default_branch="main", private=True)
    monkeypatch.setattr(house.forge, "facts", lambda project: facts)
    steps = connect(house)
    assert set(steps) == {"project"}
    assert "is called f:a/new now" in steps["project"].message
    assert house.forge.writes == []


@pytest.mark.parametrize(
    ("spoil", "what", "words"),
    [
        (lambda f: setattr(f, "missing_rights", ("the token lacks api",)), "token", "lacks api"),
        (lambda f: f.refuses.add("install_hook"), "hook", "Maintainer"),
        (lambda f: f.refuses.add("install_badge"), "badge", "Maintainer"),
        (lambda f: f.refuses.add("test_hook"), "test delivery", "none arrived (403"),
        (lambda f: setattr(f, "on_test", lambda hook: None), "test delivery", "none arrived: the forge has"),
    ],
)
def test_what_is_missing_is_said(
    house: HookedHouse, spoil: Callable[[Any], None], what: str, words: str
) -> None:
    spoil(house.forge)
    steps = connect(house, wait=0.3)
    assert bad(steps) == {what}
    assert words in steps[what].message


def test_an_unregistered_project_is_told_what_to_write(
    make_house: Callable[..., Any], sqlite_url: str, tmp_path: Path
) -> None:
    house: HookedHouse = make_house(sqlite_url, HookedHouse, projects=[{"match": "f:other/*"}])
    steps = connect(house, wait=0.1)
    assert 'match = "f:a/x"' in steps["registration"].message
    assert "not tried: the bridge does not answer at http://bridge.test" in steps["test delivery"].message


def test_a_missed_push_after_connecting_is_found(house: HookedHouse) -> None:
    connect(house)
    sha = house.commit("main", {"new": "1"})
    Reconcile(house.bridge).share(house.forge)
    with house.bridge.database.read() as session:
        bodies = [d.body for d in session.query(Delivery).all() if d.kind == "synthetic"]
    assert [sha.encode() in (body or b"") for body in bodies] == [True]


def test_removal_ends_the_trust_first(house: HookedHouse, monkeypatch: Any) -> None:
    connect(house)
    id = row(house).id

    def away(*_: Any) -> Any:
        raise ForgeError("away")

    with monkeypatch.context() as patch:
        patch.setattr(house.forge, "hooks", away)
        with pytest.raises(ForgeError):
            disconnect(house)
    assert house.bridge.hooks.read("f", id) is None
    assert disconnect(house)["hook"].message == "removed"
    assert (house.forge.there, house.forge.badges) == ({}, {})
    assert disconnect(house)["hook"].message == "there was none"


def test_an_app_has_no_hook_of_the_project(make_house: Callable[..., Any], sqlite_url: str) -> None:
    house: HookedHouse = make_house(sqlite_url, HookedHouse)
    entry = house.bridge.settings.forges["f"].model_copy(update={"app_id": "1"})
    house.bridge.settings.forges["f"] = entry
    steps = connect(house)
    assert URL in steps["hook"].message
    assert house.forge.there == {}
    house.bridge.settings.forges["f"] = entry.model_copy(update={"webhook_secrets": ()})
    assert "webhook_secrets is empty" in connect(house)["hook"].message


def test_a_project_that_is_not_there(house: HookedHouse, monkeypatch: Any) -> None:
    def gone(project: Any) -> Any:
        raise ForgeRefused("404")

    monkeypatch.setattr(house.forge, "facts", gone)
    with pytest.raises(ForgeRefused):
        connect(house)


def test_on_each_kind_of_database(
    make_house: Callable[..., Any], database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    house: HookedHouse = make_house(database_url, HookedHouse)
    house.commit("b", {"new": "1"})
    house.open("b")
    assert bad(connect(house, wait=0.1)) == {"test delivery"}
    assert bad(connect(house, rotate=True, wait=0.1)) == {"test delivery"}
    assert row(house).generation == 2
    house.alter(labels=("run",))
    house.commit("main", {"new": "2"})
    Reconcile(house.bridge).share(house.forge)
    with house.bridge.database.read() as session:
        kinds = sorted(str(d.key).lstrip("!").partition(":")[0] for d in session.query(Delivery).all())
    assert kinds == ["head", "merge-request"]
    assert disconnect(house)["hook"].message == "removed"


def test_a_rehearsal_leaves_the_badge_to_the_other_bridge(house: HookedHouse) -> None:
    server = house.bridge.settings.server.model_copy(update={"shadow": True})
    object.__setattr__(house.bridge.settings, "server", server)
    steps = connect(house)
    assert (steps["badge"].good, "rehearses" in steps["badge"].message) == (True, True)
    assert house.forge.badges == {}
    assert len(house.forge.there) == 1


def test_a_hook_that_is_refused_is_not_looked_after(house: HookedHouse) -> None:
    house.forge.refuses.add("install_hook")
    assert bad(connect(house)) == {"hook"}
    with house.bridge.database.read() as session:
        assert hook_of(session, house.project) is None
    house.forge.refuses.clear()
    connect(house)
    house.forge.refuses.add("install_hook")
    assert bad(connect(house)) == {"hook"}
    assert row(house).remote_id
