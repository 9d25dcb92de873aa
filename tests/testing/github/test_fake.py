"""The fake is as strict as the real one, and tells what the bridge understands."""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from reana_bridge.testing.github import FakeGitHub
from reana_bridge.testing.github.things import Project, Pull
from tests.forges.github.receiver import Receiver
from webhooks import github as hooks
from webhooks.events import (
    Change,
    Comment,
    Event,
    Ignored,
    Installation,
    MergeRequest,
    Ping,
    Push,
    Rerun,
    Tag,
)

SECRET = "a secret"
SHA = "0123456789" * 4


class Stage:
    """A repository with a pull request, and a hook that leads to a receiver."""

    def __init__(self, github: FakeGitHub, receiver: Receiver) -> None:
        self.github, self.receiver = github, receiver
        self.alice = github.user("alice")
        self.project = github.project("atlas/ttbar", members={self.alice: "write"})
        github.push(self.project, "main")
        self.sha = github.push(self.project, "change")
        self.pull: Pull = github.pull(self.project, "change", by=self.alice)
        self.token = github.token(github.owner)

    def ask(self, method: str, path: str, data: Any = None, token: str | None = None) -> httpx.Response:
        headers = {"authorization": f"token {self.token if token is None else token}"}
        url = f"{self.github.url}/api/v3/repos/{self.project.path}{path}"
        return httpx.request(method, url, json=data, headers=headers if token != "" else {}, trust_env=False)

    def installed(self, **permissions: str) -> str:
        app = self.github.app("reana", permissions=permissions or None)
        installation = self.github.install(app, [self.project])
        token = self.github.world.add_token(app.bot, installation=installation, permissions=app.permissions)
        return token.value

    def heard(self) -> list[Event]:
        self.github.deliveries.wait()
        events: list[Event] = []
        for headers, body in zip(self.receiver.headers, self.receiver.bodies, strict=True):
            hooks.verify(headers, body, secrets=[SECRET], now=0.0)
            events.append(hooks.parse(headers, body))
        return events


@pytest.fixture(scope="module")
def github(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FakeGitHub]:
    with FakeGitHub(tmp_path_factory.mktemp("github")) as made:
        yield made


@pytest.fixture
def stage(github: FakeGitHub) -> Iterator[Stage]:
    receiver = Receiver()
    yield Stage(github, receiver)
    github.deliveries.wait()
    github.mend()
    github.forget_requests()
    for kept in (github.world.projects, github.world.installations, github.world.tokens):
        kept.clear()
    receiver.close()


PROJECT = {"project": "atlas/ttbar"}
HAPPENINGS: list[tuple[Callable[[Stage], object], type[Event], dict[str, Any]]] = [
    (lambda s: s.github.push(s.project, "main"), Push, {"ref": "refs/heads/main", "default_branch": "main"}),
    (lambda s: s.github.push(s.project, "new", by=s.alice), Push, {"before": None, "actor": "alice"}),
    (lambda s: s.github.point(s.project, "refs/heads/main", None), Push, {"after": None}),
    (lambda s: s.github.tag(s.project, "v1", s.sha), Tag, {"ref": "refs/tags/v1"}),
    (lambda s: s.github.tag(s.project, "v2", s.sha, annotated=True), Tag, {"ref": "refs/tags/v2"}),
    (lambda s: s.github.pull(s.project, "main"), MergeRequest, {"changes": {Change.OPENED}, "number": 2}),
    (lambda s: s.github.close(s.project, s.pull), MergeRequest, {"changes": {Change.CLOSED}}),
    (lambda s: s.github.close(s.project, s.pull, merged=True), MergeRequest, {"changes": {Change.MERGED}}),
    (lambda s: s.github.reopen(s.project, s.pull), MergeRequest, {"changes": {Change.REOPENED}}),
    (lambda s: s.github.label(s.project, s.pull, "x"), MergeRequest, {"labels": ("x",)}),
    (lambda s: s.github.set_draft(s.project, s.pull, True), MergeRequest, {"draft": True}),
    (lambda s: s.github.set_draft(s.project, s.pull, False), MergeRequest, {"changes": {Change.DRAFT}}),
    (lambda s: s.github.retarget(s.project, s.pull, "dev"), MergeRequest, {"changes": {Change.RETARGETED}}),
    (lambda s: s.github.comment(s.project, s.pull, "/x", by=s.alice), Comment, {"body": "/x"}),
]  # fmt: skip


@pytest.mark.parametrize(("act", "kind", "values"), HAPPENINGS)
def test_what_happens_is_told(
    stage: Stage, act: Callable[[Stage], object], kind: type[Event], values: dict[str, Any]
) -> None:
    stage.github.hook(stage.project, stage.receiver.url, secret=SECRET)
    act(stage)
    (event,) = stage.heard()
    assert isinstance(event, kind)
    assert event.project == "atlas/ttbar"
    assert event.project_id == str(stage.project.id)
    assert {name: getattr(event, name) for name in values} == values


def test_a_push_moves_its_pull_request(stage: Stage) -> None:
    stage.github.hook(stage.project, stage.receiver.url, secret=SECRET)
    sha = stage.github.push(stage.project, "change")
    push, moved = stage.heard()
    assert isinstance(push, Push)
    assert isinstance(moved, MergeRequest)
    assert (moved.sha, moved.before, moved.changes) == (sha, stage.sha, {Change.UPDATED})
    assert stage.project.repository.commit_of("refs/pull/1/head") == sha


def test_a_forks_push_is_told_as_a_pull_request_alone(stage: Stage) -> None:
    stranger = stage.github.user("stranger")
    fork = stage.github.fork(stage.project, "stranger/ttbar", stranger)
    stage.github.push(fork, "theirs", by=stranger)
    stage.github.pull(stage.project, "theirs", source=fork, by=stranger)
    stage.github.hook(stage.project, stage.receiver.url, secret=SECRET)
    stage.github.push(fork, "theirs", by=stranger)
    (event,) = stage.heard()
    assert isinstance(event, MergeRequest)
    assert event.source_project == "stranger/ttbar"


def test_edited_and_deleted_comments(stage: Stage) -> None:
    comment = stage.github.comment(stage.project, stage.pull, "hello")
    stage.github.hook(stage.project, stage.receiver.url, secret=SECRET)
    assert stage.ask("PATCH", f"/issues/comments/{comment.id}", {"body": "/reana run"}).status_code == 200
    assert stage.ask("DELETE", f"/issues/comments/{comment.id}").status_code == 204
    assert all(isinstance(event, Ignored) for event in stage.heard())


def test_an_app_hears_of_itself_and_of_its_buttons(stage: Stage) -> None:
    app = stage.github.app("reana", hook_url=stage.receiver.url, hook_secret=SECRET)
    installation = stage.github.install(app, [stage.project])
    token = stage.github.world.add_token(
        app.bot, installation=installation, permissions=app.permissions
    ).value
    data = {"name": "reana/fit", "head_sha": stage.sha, "external_id": "r1/1"}
    assert stage.ask("POST", "/check-runs", data, token).status_code == 201
    (check,) = stage.github.checks(stage.project, stage.sha)
    stage.github.press(stage.project, check, by=stage.alice)
    stage.github.press(stage.project, check, "approve", by=stage.alice)
    stage.github.uninstall(installation)
    installed, again, pressed, removed = stage.heard()
    assert isinstance(installed, Installation)
    assert installed.added == ("atlas/ttbar",)
    assert isinstance(again, Rerun)
    assert (again.context, again.external_id, again.action) == ("reana/fit", "r1/1", "")
    assert isinstance(pressed, Rerun)
    assert (pressed.action, pressed.actor) == ("approve", "alice")
    assert isinstance(removed, Installation)
    assert removed.removed == ("atlas/ttbar",)


def test_hooks_that_are_held_tell_of_the_state_of_then(stage: Stage) -> None:
    stage.github.hook(stage.project, stage.receiver.url, secret=SECRET, events=["pull_request"])
    with stage.github.hooks_held():
        stage.github.push(stage.project, "change")
        last = stage.github.push(stage.project, "change")
    assert [event.sha for event in stage.heard() if isinstance(event, MergeRequest)] == [last, last]


def test_hooks_that_are_dropped(stage: Stage) -> None:
    stage.github.hook(stage.project, stage.receiver.url, secret=SECRET)
    stage.github.deliveries.dropped = lambda number: True
    try:
        stage.github.push(stage.project, "main")
    finally:
        stage.github.deliveries.dropped = lambda number: False
    assert stage.heard() == []


def test_a_new_hook_is_pinged(stage: Stage) -> None:
    config = {"url": stage.receiver.url, "content_type": "json", "secret": SECRET}
    assert stage.ask("POST", "/hooks", {"config": config, "events": ["push"]}).status_code == 201
    assert stage.ask("POST", "/hooks", {"config": config, "events": ["push"]}).status_code == 422
    (event,) = stage.heard()
    assert isinstance(event, Ping)


CHECK = {"name": "reana/fit", "head_sha": "SHA"}
LONG = {"title": "t", "summary": "x" * 65_536}
NOTES = [{"path": "a", "start_line": 1, "end_line": 1, "annotation_level": "failure", "message": "m"}]


@pytest.mark.parametrize(
    ("method", "path", "data", "status"),
    [
        ("POST", "/statuses/SHA", {"state": "success", "description": "x" * 140}, 201),
        ("POST", "/statuses/SHA", {"state": "success", "description": "x" * 141}, 422),
        ("POST", "/statuses/SHA", {"state": "running"}, 422),
        ("POST", f"/statuses/{SHA}", {"state": "success"}, 422),
        ("POST", "/statuses/main", {"state": "success"}, 422),
        ("POST", "/issues/1/comments", {"body": "x" * 65_536}, 201),
        ("POST", "/issues/1/comments", {"body": "x" * 65_537}, 422),
        ("POST", "/issues/1/comments", {"body": " "}, 422),
        ("POST", "/issues/1/comments", [1], 400),
        ("POST", "/issues/9/comments", {"body": "x"}, 404),
        ("PATCH", "/issues/comments/9", {"body": "x"}, 404),
        ("POST", "/check-runs", CHECK, 403),
        ("GET", "/pulls/9", None, 404),
        ("GET", "/pulls/x", None, 404),
        ("GET", "/no-such-thing", None, 404),
        ("POST", "/hooks", {"config": {"url": "ftp://x"}}, 422),
    ],
)
def test_what_a_person_may_send(stage: Stage, method: str, path: str, data: Any, status: int) -> None:
    assert stage.ask(method, path.replace("SHA", stage.sha), data).status_code == status


@pytest.mark.parametrize(
    ("data", "status"),
    [
        ({}, 201),
        ({"name": ""}, 422),
        ({"head_sha": SHA}, 422),
        ({"status": "running"}, 422),
        ({"conclusion": "passed"}, 422),
        ({"status": "completed"}, 422),
        ({"status": "completed", "conclusion": "success"}, 201),
        ({"output": {"title": "t"}}, 422),
        ({"output": LONG}, 422),
        ({"output": {"title": "t", "summary": "s", "annotations": NOTES * 50}}, 201),
        ({"output": {"title": "t", "summary": "s", "annotations": NOTES * 51}}, 422),
        ({"output": {"title": "t", "summary": "s", "annotations": [{"path": "a"}]}}, 422),
        ({"actions": [{"identifier": "i", "label": "l", "description": "d"}] * 3}, 201),
        ({"actions": [{"identifier": "i", "label": "l", "description": "d"}] * 4}, 422),
        ({"actions": [{"identifier": "i", "label": "l" * 21, "description": "d"}]}, 422),
    ],
)
def test_what_an_app_may_send(stage: Stage, data: dict[str, Any], status: int) -> None:
    token = stage.installed()
    sent = {"name": "reana/fit", "head_sha": stage.sha, **data}
    assert stage.ask("POST", "/check-runs", sent, token).status_code == status


@pytest.mark.parametrize(
    ("who", "method", "path", "status"),
    [
        ("nobody", "GET", "", 404),
        ("forged", "GET", "", 401),
        ("stranger", "GET", "", 404),
        ("reader", "GET", "", 200),
        ("reader", "POST", "/statuses/SHA", 403),
        ("reader", "POST", "/issues/1/comments", 201),
        ("writer", "POST", "/statuses/SHA", 201),
        ("writer", "GET", "/hooks", 403),
        ("writer without scope", "POST", "/statuses/SHA", 404),
        ("app", "POST", "/issues/1/comments", 201),
        ("app", "POST", "/check-runs", 201),
        ("app", "POST", "/statuses/SHA", 403),
        ("weak app", "POST", "/check-runs", 403),
        ("app elsewhere", "GET", "", 404),
    ],
)
def test_who_may_what(stage: Stage, who: str, method: str, path: str, status: int) -> None:
    github, project = stage.github, stage.project
    reader = github.user("reader")
    project.members[reader.id] = "read"
    tokens: dict[str, Callable[[], str]] = {
        "nobody": lambda: "",
        "forged": lambda: "ghp_forged",
        "stranger": lambda: github.token(github.user("stranger")),
        "reader": lambda: github.token(reader),
        "writer": lambda: github.token(stage.alice),
        "writer without scope": lambda: github.token(stage.alice, []),
        "app": stage.installed,
        "weak app": lambda: stage.installed(contents="read", checks="read"),
        "app elsewhere": lambda: elsewhere(stage),
    }
    data = {"body": "x", "state": "success", "name": "n", "head_sha": stage.sha}
    sent = None if method == "GET" else data
    assert stage.ask(method, path.replace("SHA", stage.sha), sent, tokens[who]()).status_code == status


def elsewhere(stage: Stage) -> str:
    app = stage.github.app("elsewhere")
    other: Project = stage.github.project("atlas/other")
    installation = stage.github.install(app, [other])
    return stage.github.world.add_token(app.bot, installation=installation, permissions=app.permissions).value


def test_an_archived_repository_is_read_only(stage: Stage) -> None:
    stage.project.archived = True
    assert stage.ask("GET", "").json()["archived"] is True
    assert stage.ask("POST", f"/statuses/{stage.sha}", {"state": "success"}).status_code == 403


def test_a_renamed_repository(stage: Stage) -> None:
    stage.github.rename(stage.project, "atlas/top")
    url = f"{stage.github.url}/api/v3/repos/atlas/ttbar"
    headers = {"authorization": f"token {stage.token}"}
    for method, path, status in [("GET", "/pulls/1", 301), ("POST", f"/statuses/{stage.sha}", 307)]:
        moved = httpx.request(method, url + path, headers=headers, trust_env=False)
        assert moved.status_code == status
        assert f"/repositories/{stage.project.id}{path}" in moved.headers["location"]


def test_what_did_not_change_costs_nothing(stage: Stage) -> None:
    stage.github.limit(2)
    first = stage.ask("GET", "/pulls")
    headers = {"authorization": f"token {stage.token}", "if-none-match": first.headers["etag"]}
    url = f"{stage.github.url}/api/v3/repos/atlas/ttbar/pulls"
    for _ in range(3):
        assert httpx.get(url, headers=headers, trust_env=False).status_code == 304
    assert stage.ask("GET", "/pulls").status_code == 200
    refused = stage.ask("GET", "/pulls")
    assert (refused.status_code, refused.headers["x-ratelimit-remaining"]) == (403, "0")


@pytest.mark.parametrize("right", [True, False])
def test_git(stage: Stage, tmp_path: Path, right: bool) -> None:
    token = stage.token if right else stage.github.token(stage.github.user("stranger"))
    url = f"{stage.github.url.replace('//', f'//x:{token}@')}/atlas/ttbar.git"
    identity = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    clone = subprocess.run(["git", "clone", "-q", url, tmp_path / "c"], capture_output=True)
    assert (clone.returncode == 0) == right
    if not right:
        return
    stage.github.hook(stage.project, stage.receiver.url, secret=SECRET)
    git = ["git", "-C", tmp_path / "c", *identity]
    subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "x"], check=True)
    subprocess.run([*git, "push", "-q", "origin", "HEAD:theirs"], check=True, capture_output=True)
    hidden = subprocess.run([*git, "push", "-q", "origin", "HEAD:refs/pull/1/head"], capture_output=True)
    assert hidden.returncode != 0
    (event,) = stage.heard()
    assert isinstance(event, Push)
    assert (event.branch, event.actor) == ("theirs", "owner")
