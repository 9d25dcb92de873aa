"""A fake GitHub with one repository, and forges that use it: with a token and as an App."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from reana_bridge.forges.base import Status, StatusState
from reana_bridge.forges.github.forge import GithubForge
from reana_bridge.model.projects import Project
from reana_bridge.testing.github import FakeGitHub
from reana_bridge.testing.github.things import App, Pull, User
from reana_bridge.testing.github.things import Project as Repository
from tests.forges.github.receiver import Receiver

PROJECT = Project("github", "atlas/ttbar")


@dataclass
class Place:
    """The fake and what is in it."""

    github: FakeGitHub
    repository: Repository
    alice: User
    bot: User
    token: str
    app: App
    sha: str
    pull: Pull

    def with_token(self, **more: Any) -> GithubForge:
        values = {"timeout": 30, "settled_after": 0.1, "token": self.token, **more}
        return GithubForge("github", url=self.github.url, **values)

    def with_app(self, **more: Any) -> GithubForge:
        values = {"timeout": 30, "settled_after": 0.1, "app_id": str(self.app.id), "app_key": self.app.key}
        return GithubForge("github", url=self.github.url, **(values | more))

    def status(self, state: StatusState = StatusState.PENDING, **more: Any) -> Status:
        values = {
            "sha": self.sha,
            "ref": "refs/heads/main",
            "context": "reana/fit",
            "description": f"it is {state}",
            "url": "https://bridge.example.org/runs/r1",
            "run": "r1",
        }
        return Status(state=state, **(values | more))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FakeGitHub]:
    with FakeGitHub(tmp_path_factory.mktemp("github")) as github:
        yield github


@pytest.fixture
def place(server: FakeGitHub) -> Iterator[Place]:
    alice, bot = server.user("alice"), server.user("reana-bot")
    repository = server.project("atlas/ttbar", members={alice: "write", bot: "admin"})
    server.push(repository, "main", {"reana.yaml": "version: 0.9"})
    sha = server.push(repository, "change")
    known = [app for app in server.world.apps.values() if app.slug == "reana"]
    app = known[0] if known else server.app("reana")
    server.install(app, [repository])
    pull = server.pull(repository, "change", by=alice)
    yield Place(server, repository, alice, bot, server.token(bot), app, sha, pull)
    server.start()
    server.mend()
    server.latency = 0.0
    server.forget_requests()
    server.world.projects.clear()
    server.world.installations.clear()
    server.world.tokens.clear()


@pytest.fixture(params=["token", "app"])
def forge(request: pytest.FixtureRequest, place: Place) -> GithubForge:
    """Both ways of using a GitHub."""
    make: dict[str, Callable[[], GithubForge]] = {"token": place.with_token, "app": place.with_app}
    return make[request.param]()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.close()
