"""A fake GitLab for each test file, a project of its own for each test."""

import atexit
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count

import gitlab as python_gitlab
import httpx
import pytest

from reana_bridge.testing.gitlab import FakeGitLab, Level
from reana_bridge.testing.gitlab.things import MergeRequest, Project, User
from tests.testing.receiver import Receiver

_NUMBERS = count(1)
CLIENT = httpx.Client(trust_env=False, timeout=10)
atexit.register(CLIENT.close)


class Clock:
    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Api:
    """A person's way to the API."""

    fake: FakeGitLab
    token: str

    def ask(self, method, path, **params):
        files = params.pop("files", None)
        headers = {"PRIVATE-TOKEN": self.token} if self.token else {}
        headers |= params.pop("headers", {})
        given = (
            {"params": params} if method == "GET" else {"json": params} if files is None else {"files": files}
        )
        return CLIENT.request(method, f"{self.fake.url}/api/v4{path}", headers=headers, **given)

    @property
    def client(self) -> python_gitlab.Gitlab:
        return python_gitlab.Gitlab(self.fake.url, private_token=self.token, timeout=10, keep_base_url=True)


@dataclass
class Place:
    """A project with a main branch, a topic branch with a merge request, and people of every level."""

    fake: FakeGitLab
    project: Project
    people: dict[str, User]
    base: str
    head: str
    merge_request: MergeRequest

    def api(self, who="maintainer", scopes=("api",)) -> Api:
        return Api(self.fake, self.fake.token(self.people[who], scopes) if who else "")

    @property
    def path(self) -> str:
        return f"/projects/{self.project.id}"


@pytest.fixture(scope="module")
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="module")
def fake(tmp_path_factory, clock) -> Iterator[FakeGitLab]:
    with FakeGitLab(tmp_path_factory.mktemp("gitlab"), clock=clock) as gitlab:
        yield gitlab


@pytest.fixture
def place(fake, clock) -> Iterator[Place]:
    clock.now += 1000
    number = next(_NUMBERS)
    names = ("stranger", "guest", "reporter", "developer", "maintainer")
    people = {name: fake.user(f"{name}{number}") for name in names}
    levels = {people[name]: Level[name.upper()] for name in names[1:]}
    project = fake.project(f"group/name{number}", members=levels)
    base = fake.push(project, "main", {"a": "1"})
    head = fake.push(project, "topic", {"b": "2"}, user=people["developer"])
    yield Place(fake, project, people, base, head, fake.open(project, "topic", user=people["developer"]))
    fake.mend()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.close()
