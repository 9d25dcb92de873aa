from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from reana_bridge.forges.base import ForgeError
from reana_bridge.testing.reana import FakeReana
from tests.steps.hosted import HostedHouse
from tests.steps.house import House
from tests.steps.reana import ReanaHouse


@pytest.fixture
def make_house(tmp_path: Path) -> Iterator[Callable[..., House]]:
    houses: list[House] = []

    def make(url: str, kind: type[House] = House, **settings: Any) -> House:
        place = tmp_path / f"house{len(houses)}"
        place.mkdir()
        houses.append(kind(place, url, **settings))
        return houses[-1]

    yield make
    for house in houses:
        house.close()
    defects = [
        e for h in houses if isinstance(h, HostedHouse) for e in h.raised if not isinstance(e, ForgeError)
    ]
    assert defects == [], "a step raised what it did not foresee"


@pytest.fixture
def house(make_house: Callable[..., House], database_url: str) -> House:
    """On each kind of database."""
    return make_house(database_url)


@pytest.fixture
def one(make_house: Callable[..., House], sqlite_url: str) -> House:
    """On SQLite, for what does not depend on the database."""
    return make_house(sqlite_url)


@pytest.fixture
def hosted(make_house: Callable[..., Any], sqlite_url: str) -> HostedHouse:
    """With a forge that has merge requests, on SQLite."""
    return make_house(sqlite_url, HostedHouse)


@pytest.fixture
def hosted_house(make_house: Callable[..., Any], database_url: str) -> HostedHouse:
    """With a forge that has merge requests, on each kind of database."""
    return make_house(database_url, HostedHouse)


@pytest.fixture
def reana(make_house: Callable[..., Any], sqlite_url: str, tmp_path: Path) -> Iterator[ReanaHouse]:
    house = make_house(sqlite_url, ReanaHouse)
    with FakeReana(tmp_path / "reana") as fake:
        house.use(fake)
        yield house
        house.reana.close()
