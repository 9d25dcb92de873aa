"""A server with written-down answers, and a client that asks it."""

from collections.abc import Iterator

import pytest

from reana_bridge.forges.gitlab.client import Client
from reana_bridge.forges.gitlab.forge import GitLabForge
from tests.forges.gitlab.scripted import Scripted, serve

NOW = 1_790_000_000.0
TOKEN = "glpat-s3cret"


@pytest.fixture
def script() -> Iterator[Scripted]:
    with serve() as scripted:
        yield scripted


@pytest.fixture
def client(script: Scripted) -> Client:
    return Client("lab", url=script.url, token=TOKEN, timeout=2.0, clock=lambda: NOW)


@pytest.fixture
def scripted_forge(script: Scripted) -> GitLabForge:
    forge = GitLabForge("lab", url=script.url, token=TOKEN, timeout=2.0, clock=lambda: NOW)
    script.on("GET /user", {"id": 7, "username": "bot"})
    return forge
