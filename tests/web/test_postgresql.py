"""The same pages and lists on PostgreSQL."""

from collections.abc import Iterator

import httpx
import pytest

from tests.postgres import Postgres
from tests.web.test_api import LISTS
from tests.web.test_authorisation import bearer
from tests.web.test_pages import SAYS
from tests.web.world import World, fill, make_bridge


@pytest.fixture(scope="module")
def world(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    url = postgres.upgraded()
    bridge = make_bridge(tmp_path_factory.mktemp("world"), url)
    yield fill(bridge, history=3)
    bridge.close()
    postgres.drop(url)


@pytest.mark.parametrize("path", SAYS)
async def test_what_it_says(client: httpx.AsyncClient, world: World, path: str) -> None:
    names = {name: getattr(world, name) for name in ("finished", "failed", "running", "queued", "comparison")}
    answer = await client.get(path.format(**names), headers=bearer(world, "operator"))
    assert answer.status_code == 200
    assert [text for text in SAYS[path] if text not in answer.text] == []


HOSTILE = [
    "?project=%00",
    "?cursor=WyJcdTAwMDAiXQ",
    "?project=%ED%A0%80&sha='%22%25_",
    "?branch=%F0%9F%92%A9",
]


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize("query", ["?limit=1", *HOSTILE])
@pytest.mark.parametrize("who", ["operator", "physics-reader", ""])
async def test_lists(client: httpx.AsyncClient, world: World, name: str, query: str, who: str) -> None:
    answer = await client.get(f"/api/v1/{name}{query}", headers=bearer(world, who))
    assert answer.status_code in {200, 404, 422}


@pytest.mark.parametrize(
    "path",
    [
        "/projects/local/%00",
        "/projects/local/physics/ttbar?branch=%00&before=%00&from=%00",
        "/projects/local/physics/ttbar?branch=%ED%A0%80",
        "/runs/%00",
        "/runs/{finished}/artifacts/%00",
        "/runs/{finished}/artifacts/%ED%A0%80",
        "/runs/{finished}/logs/%00",
        "/runs/{finished}/baseline/%00.png",
        "/comparisons/%00",
        "/commits/local/physics/ttbar/%00%00%00%00%00%00%00",
        "/badges/local/physics/ttbar.svg?metric=%00",
        "/badges/local/%00.svg",
        "/badges/local/physics/ttbar.svg?metric=%ED%A0%80&branch=%F0%9F%92%A9",
        "/api/v1/runs/%00",
        "/api/v1/runs/{finished}/logs?step=%00",
        "/api/v1/runs/{finished}/artifacts/%00",
        "/sign-in?next=/%00",
    ],
)
async def test_text_that_no_database_holds(client: httpx.AsyncClient, world: World, path: str) -> None:
    headers = bearer(world, "operator") | {"cookie": "reana_bridge_session=a\x7f.1.2"}
    answer = await client.get(path.format(finished=world.finished), headers=headers)
    nobody = await client.get(path.format(finished=world.finished), headers={"authorization": "Bearer \x00"})
    assert {answer.status_code, nobody.status_code} <= {200, 404, 422}
