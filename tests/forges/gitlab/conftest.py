"""A server with written-down answers, and a client that asks it."""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any

import pytest

from reana_bridge.forges.gitlab.client import Client
from reana_bridge.forges.gitlab.forge import GitLabForge
from reana_bridge.model.projects import Project
from reana_bridge.testing.gitlab import FakeGitLab, Level, RateLimit
from reana_bridge.testing.gitlab.things import MergeRequest, Token
from reana_bridge.testing.gitlab.things import Project as Fake
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
    forge = GitLabForge("lab", url=script.url, token=TOKEN, timeout=20.0, clock=lambda: NOW)
    script.on("GET /user", {"id": 7, "username": "bot"})
    return forge


@dataclass
class World:
    """A fake GitLab with a project, a token for it, and the forge that uses the token."""

    gitlab: FakeGitLab
    there: Fake
    token: Token
    forge: GitLabForge
    project: Project

    def another_forge(self, token: str | None = None) -> GitLabForge:
        """What a new process would have."""
        return GitLabForge("lab", url=self.gitlab.url, token=token or self.token.value, timeout=20.0)

    def merge_request(self, branch: str = "feature", **more: Any) -> MergeRequest:
        user = self.gitlab.user("alice")
        self.gitlab.push(self.there, branch, {"b": "1"}, user=user)
        return self.gitlab.open(self.there, branch, user=user, **more)


@pytest.fixture(scope="module")
def shared_gitlab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FakeGitLab]:
    with FakeGitLab(tmp_path_factory.mktemp("gitlab")) as fake:
        yield fake


@pytest.fixture
def gitlab(shared_gitlab: FakeGitLab) -> Iterator[FakeGitLab]:
    """Started once for a module, and as good as new for each test."""
    instance = shared_gitlab.instance
    before = {field.name: getattr(instance, field.name) for field in fields(instance)}
    yield shared_gitlab
    shared_gitlab.start()
    shared_gitlab.mend()
    shared_gitlab.forget_requests()
    for name in ("notes_of_a_merge_request", "status_seconds", "request_limit"):
        setattr(instance, name, before[name])
    instance.note_limit = RateLimit(most=300, seconds=60)
    instance.test_limit = RateLimit(most=5, seconds=60)
    instance.quick_actions.clear()
    instance.projects.clear()


@pytest.fixture
def world(gitlab: FakeGitLab) -> World:
    there = gitlab.project("atlas/ttbar", members={gitlab.user("alice"): Level.DEVELOPER})
    gitlab.push(there, "main", {"a": "1"})
    token = gitlab.project_token(there)
    forge = GitLabForge("lab", url=gitlab.url, token=token.value, timeout=20.0)
    project = Project("lab", "atlas/ttbar")
    forge.remember(project, str(there.id))
    return World(gitlab, there, token, forge, project)
