"""What the doctor finds on a forge with hooks, and what it says to do."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from reana_bridge.cli import hosted_checks
from reana_bridge.cli.finding import Finding
from reana_bridge.forges.base import Allowance, ForgeError
from reana_bridge.model.pauses import PauseKind
from reana_bridge.steps.pausing import pause_work
from reana_bridge.store.tables import Delivery, Hook, OutboxRow, RateLimit
from tests.steps.hooked import HookedHouse

ID = "0123456789abcdefghjkmnpqrs"
URL = f"http://bridge.test/webhooks/f/{ID}"


@pytest.fixture
def house(tmp_path: Path, sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[HookedHouse]:
    """A connected project whose hook brought something a minute ago."""
    monkeypatch.setattr("reana_bridge.steps.hooking.unreachable", lambda site: "")
    house = HookedHouse(tmp_path, sqlite_url)
    remote = house.forge.put(URL)
    with house.bridge.database.transaction() as session:
        session.add(Hook(id=ID, forge="f", project="f:a/x", remote_id=remote, made_at=1000.0))
        session.add(Delivery(id="d", forge="f", hook=ID, key="d", received_at=time.time() - 60))
    yield house
    house.close()


def found(house: HookedHouse) -> list[Finding]:
    return [*hosted_checks.hosted_forges(house.bridge), *hosted_checks.waiting(house.bridge)]


def wrong(house: HookedHouse) -> str:
    return "\n".join(f"{f.subject}: {f.problem}" for f in found(house) if f.problem)


def edit(house: HookedHouse, table: Any, id: str, **values: Any) -> None:
    with house.bridge.database.transaction() as session:
        row = session.get_one(table, id)
        for name, value in values.items():
            setattr(row, name, value)


def add(house: HookedHouse, *rows: Any) -> None:
    with house.bridge.database.transaction() as session:
        session.add_all(rows)


def test_a_good_forge(house: HookedHouse) -> None:
    assert wrong(house) == ""
    subjects = [finding.subject for finding in found(house)]
    assert "forge f: we are bridge-bot" in subjects
    assert any(subject.startswith("hook of f:a/x (last delivery 2") for subject in subjects)
    assert house.forge.tested == []


def late(house: Any, seconds: float = 700) -> OutboxRow:
    at = time.time() - seconds
    return OutboxRow(project="f:a/x", kind="status", key="k", sha="a", wanted_at=at, error="403 no rights")


def refused(source: str, seconds: float = 60) -> OutboxRow:
    row = late(None, seconds)
    row.wanted, row.wanted_version, row.posted_version = {"source_project_id": source}, 2, 2
    return row


CASES: dict[str, tuple[Callable[[HookedHouse], Any], str]] = {
    "rights": (lambda h: setattr(h.forge, "missing_rights", ("give it api",)), "forge f: give it api"),
    "clock": (lambda h: setattr(h.forge, "clock_offset", lambda: -400.0), "its clock is -400 s off ours"),
    "allowance": (
        lambda h: setattr(h.forge, "allowance", lambda: Allowance(remaining=3, limit=600)),
        "only 3 of 600 calls are left",
    ),
    "gone": (lambda h: h.forge.there.clear(), "is gone from the forge: run `reana-bridge connect f:a/x`"),
    "disabled": (
        lambda h: h.forge.alter_hook("1", disabled="4 failures", disabled_until=0.0 + 1793000000),
        "disabled it until 2026-10-26",
    ),
    "for good": (lambda h: h.forge.alter_hook("1", disabled="40 failures"), "disabled it for good"),
    "altered": (lambda h: h.forge.alter_hook("1", problems=("TLS is off",)), "TLS is off: run"),
    "unreachable": (
        lambda h: (edit(h, Delivery, "d", received_at=1.0), h.forge.refuses.add("test_hook")),
        "test delivery: none arrived (403",
    ),
    "no answer": (lambda h: setattr(h.forge, "errors", [ForgeError("502")]), "does not answer: 502"),
    "paused": (
        lambda h: pause_work(h.bridge, PauseKind.FORGE, "f", reason="upgrade", by="ada"),
        "the forge f is paused: upgrade (by ada",
    ),
    "limited": (
        lambda h: add(h, RateLimit(forge="f", until=time.time() + 60, reason="429", seen_at=1.0)),
        "wants to be left alone until",
    ),
    "stuck": (lambda h: add(h, late(h)), "1 reports have not been shown for 10 min: 403 no rights"),
    "refused": (lambda h: add(h, refused("")), "1 reports were refused within a day, the last one so: 403"),
    "refused by a fork": (lambda h: add(h, refused("77")), ""),
    "refused long ago": (lambda h: add(h, refused("", 90_000)), ""),
    "not yet stuck": (lambda h: add(h, late(h, 60)), ""),
}


@pytest.mark.parametrize("case", CASES)
def test_what_is_wrong_is_named(house: HookedHouse, case: str) -> None:
    spoil, words = CASES[case]
    spoil(house)
    said = wrong(house)
    assert words in said
    assert bool(words) == bool(said)


def test_no_hook_at_all(house: HookedHouse) -> None:
    with house.bridge.database.transaction() as session:
        session.delete(session.get_one(Hook, ID))
    assert wrong(house) == ""  # the forge has a secret of its own
    entry = house.bridge.settings.forges["f"]
    house.bridge.settings.forges["f"] = entry.model_copy(update={"webhook_secrets": ()})
    assert "`reana-bridge connect f:GROUP/NAME` makes one" in wrong(house)
