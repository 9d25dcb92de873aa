from collections.abc import AsyncIterator, Iterator

import httpx
import pytest
from fastapi import FastAPI

from reana_bridge.web.app import make_app
from tests.web.world import World, fill, make_bridge


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A world that tests of this module share; they only read it, or add to it."""
    bridge = make_bridge(tmp_path_factory.mktemp("world"))
    bridge.inbox.start()
    yield fill(bridge, history=3)
    bridge.close()


@pytest.fixture(scope="module")
def world_app(world: World) -> FastAPI:
    return make_app(world.bridge)


@pytest.fixture
async def client(world_app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=world_app)
    async with httpx.AsyncClient(transport=transport, base_url="http://bridge.test") as client:
        yield client
