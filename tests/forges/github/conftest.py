"""A fake GitHub with one repository, and forges that use it: with a token and as an App."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from reana_bridge.forges.base import Status, StatusState
from reana_bridge.forges.github.forge import GithubForge
from reana_bridge.model.projects import Project
from reana_bridge.testing.github import FakeGitHub
from reana_bridge.testing.github.things import App, Pull, User
from reana_bridge.testing.github.things import Project as Repository

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
        values = {"timeout": 5, "settled_after": 0.1, "token": self.token, **more}
        return GithubForge("github", url=self.github.url, **values)

    def with_app(self, **more: Any) -> GithubForge:
        values = {"timeout": 5, "settled_after": 0.1, "app_id": str(self.app.id), "app_key": self.app.key}
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


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    with FakeGitHub(tmp_path / "github") as github:
        alice, bot = github.user("alice"), github.user("reana-bot")
        repository = github.project("atlas/ttbar", members={alice: "write", bot: "admin"})
        github.push(repository, "main", {"reana.yaml": "version: 0.9"})
        sha = github.push(repository, "change")
        app = github.app("reana")
        github.install(app, [repository])
        pull = github.pull(repository, "change", by=alice)
        yield Place(github, repository, alice, bot, github.token(bot), app, sha, pull)


@pytest.fixture(params=["token", "app"])
def forge(request: pytest.FixtureRequest, place: Place) -> GithubForge:
    """Both ways of using a GitHub."""
    make: dict[str, Callable[[], GithubForge]] = {"token": place.with_token, "app": place.with_app}
    return make[request.param]()
