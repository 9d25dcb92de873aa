"""Hooks that went wrong: noticed, named, mended where possible, and what they lost asked for again."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from reana_bridge.forges.base import FailedDelivery, ForgeError, ForgeRefused, RateLimited
from reana_bridge.steps.reconcile import Reconcile
from reana_bridge.steps.reconciling.hooks import look_at_hook
from reana_bridge.store.hooks import hook_of
from reana_bridge.store.tables import Hook, ProjectRow, RateLimit
from tests.steps.hooked import HookedHouse

ID = "0123456789abcdefghjkmnpqrs"
URL = f"http://bridge.test/webhooks/f/{ID}"


@pytest.fixture
def house(make_house: Callable[..., Any], sqlite_url: str) -> HookedHouse:
    """A connected project."""
    house: HookedHouse = make_house(sqlite_url, HookedHouse)
    remote = house.forge.put(URL)
    with house.bridge.database.transaction() as session:
        session.add(ProjectRow(name="f:a/x", seen_at=0.0))
        session.add(Hook(id=ID, forge="f", project="f:a/x", remote_id=remote, made_at=1000.0))
    return house


def look(house: HookedHouse) -> Hook:
    look_at_hook(house.bridge, house.forge, house.project)
    with house.bridge.database.read() as session:
        found = hook_of(session, house.project)
        assert found is not None
        return found


def failed(*times: float) -> list[FailedDelivery]:
    return [FailedDelivery(id=f"d{at:g}", at=at, event="push", status="503") for at in times]


def test_a_good_hook_has_no_problem_and_the_time_is_noted(house: HookedHouse) -> None:
    hook = look(house)
    assert hook.problem == ""
    assert hook.looked_at is not None
    assert hook.looked_at > 1000


def test_a_project_without_hook_costs_nothing(house: HookedHouse) -> None:
    with house.bridge.database.transaction() as session:
        session.delete(session.get_one(Hook, ID))
    look_at_hook(house.bridge, house.forge, house.project)
    assert house.forge.reads == []


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda f: f.there.clear(), "is gone from the forge: run `reana-bridge connect f:a/x`"),
        (lambda f: f.alter_hook("1", problems=("TLS is off",)), "TLS is off: run `reana-bridge connect"),
        (lambda f: f.refuses.add("test_hook") or f.alter_hook("1", disabled="4 failures"), "4 failures"),
    ],
)
def test_a_problem_is_named_until_it_is_mended(
    house: HookedHouse, spoil: Callable[[Any], None], words: str
) -> None:
    spoil(house.forge)
    assert words in look(house).problem
    house.forge.refuses.clear()
    house.forge.there.clear()
    house.forge.put(URL)
    assert look(house).problem == ""


def test_a_disabled_hook_is_enabled_and_its_losses_asked_for(house: HookedHouse) -> None:
    house.forge.alter_hook("1", disabled="40 failures")
    house.forge.failed = failed(2000)
    assert look(house).problem == ""
    assert house.forge.tested == ["1"]
    assert house.forge.resent == ["d2000"]
    look(house)
    assert house.forge.tested == ["1"]
    assert house.forge.resent == ["d2000"]


def test_few_are_asked_for_at_once_and_none_twice(house: HookedHouse) -> None:
    house.forge.failed = failed(*range(9000, 2000, -600))
    most = 0
    for _ in range(4):
        before = len(house.forge.resent)
        look(house)
        most = max(most, len(house.forge.resent) - before)
    assert most == 5
    assert house.forge.resent == [f"d{at}" for at in range(2400, 9600, 600)]


def test_what_is_left_is_asked_for_at_the_next_periods(house: HookedHouse) -> None:
    house.forge.failed = failed(*range(2000, 2012))
    reconcile = Reconcile(house.bridge)
    counts: list[int] = []
    for _ in range(30):
        reconcile.share(house.forge)
        counts.append(len(house.forge.resent))
    assert sorted(set(counts)) == [5, 10, 12]
    assert counts.index(12) <= 20, "within two periods, not two times five"


def test_what_failed_before_connecting_is_not_asked_for(house: HookedHouse) -> None:
    house.forge.failed = failed(100, 800)
    look(house)
    assert house.forge.resent == []


@pytest.mark.parametrize(
    ("error", "asked_again"), [(ForgeRefused("410: too old"), False), (ForgeError("502"), True)]
)
def test_what_cannot_be_resent(
    house: HookedHouse, monkeypatch: Any, error: Exception, asked_again: bool
) -> None:
    house.forge.failed = failed(2000)

    def resend(*_: Any) -> None:
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(house.forge, "resend", resend)
        assert look(house).problem == ""
    look(house)
    assert house.forge.resent == (["d2000"] if asked_again else [])


def test_a_limit_ends_the_turn_and_is_kept_for_all(house: HookedHouse, monkeypatch: Any) -> None:
    def limited(*_: Any) -> Any:
        raise RateLimited("slow down", retry_after=100)

    monkeypatch.setattr(house.forge, "hooks", limited)
    Reconcile(house.bridge).share(house.forge)
    with house.bridge.database.read() as session:
        assert session.get_one(RateLimit, "f").reason == "slow down"
    assert house.forge.reads == []


def test_hooks_are_looked_at_less_often_than_heads(house: HookedHouse) -> None:
    reconcile = Reconcile(house.bridge)
    for _ in range(1 + 10 * 10):
        reconcile.share(house.forge)
    assert house.forge.reads.count("open_merge_requests") == 11
    assert 2 <= house.forge.reads.count("hooks") <= 3


def test_a_rehearsal_asks_nothing_of_the_forge(house: HookedHouse) -> None:
    server = house.bridge.settings.server.model_copy(update={"shadow": True})
    house.bridge = replace(house.bridge, settings=house.bridge.settings.model_copy(update={"server": server}))
    house.forge.failed = failed(2000)
    assert look(house).problem == ""
    house.forge.alter_hook("1", disabled="40 failures")
    assert "disabled" in look(house).problem
    assert house.forge.writes == []
