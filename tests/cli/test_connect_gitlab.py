"""`connect` and `doctor` as people run them, on a GitLab over HTTP, beside a server that takes its hooks."""

import json
import logging
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import structlog
import uvicorn
from sqlalchemy import select
from typer.testing import CliRunner

from reana_bridge.cli.common import Failure, opened
from reana_bridge.cli.main import app
from reana_bridge.model.projects import Project
from reana_bridge.settings import load
from reana_bridge.steps.bridge import Bridge
from reana_bridge.steps.reconcile import Reconcile
from reana_bridge.steps.reconciling.hooks import look_at_hook
from reana_bridge.store.hooks import hook_of
from reana_bridge.store.inbox import InboxFull
from reana_bridge.store.tables import Delivery, Head, Hook, ProjectRow
from reana_bridge.testing.gitlab import FakeGitLab, Level, things
from reana_bridge.web.app import make_app
from tests import processes
from webhooks import gitlab as kind
from webhooks import synthetic
from webhooks.events import MergeRequest, Push

PROJECT = Project("lab", "atlas/ttbar")


@dataclass
class World:
    """A GitLab with a project, a server beside it, and the settings of both."""

    gitlab: FakeGitLab
    project: things.Project
    bridge: Bridge
    config: Path

    def command(self, *arguments: str) -> tuple[int, str]:
        """Status and output, as `main` makes them of what the command does."""
        done = CliRunner().invoke(app, [*arguments, "--config", str(self.config)])
        failure = done.exception
        assert failure is None or isinstance(failure, Failure | SystemExit), done.output
        said = done.output + (str(failure) if isinstance(failure, Failure) else "")
        assert "whsec_" not in said
        return (failure.status if isinstance(failure, Failure) else done.exit_code), said

    def connect(self, *more: str) -> str:
        status, said = self.command("connect", str(PROJECT), *more)
        assert status == 0, said
        return said

    @property
    def hook(self) -> things.Hook:
        (hook,) = self.project.hooks.values()
        return hook

    def row(self) -> Hook:
        with self.bridge.database.read() as session:
            found = hook_of(session, PROJECT)
            assert found is not None
            return found

    def deliveries(self, kind: str = "webhook") -> list[Delivery]:
        with self.bridge.database.read() as session:
            found = select(Delivery).order_by(Delivery.id)  # type: ignore[arg-type]
            return [row for row in session.execute(found).scalars() if row.kind == kind]

    def pushed(self) -> list[str | None]:
        self.gitlab.deliveries.wait()
        events = [kind.parse(row.headers or {}, row.body or b"") for row in self.deliveries()]
        return [event.after for event in events if isinstance(event, Push)]

    def told(self) -> None:
        """Let what deliveries told be known, as deciding does."""
        with self.bridge.database.transaction() as session:
            for row in session.execute(select(Delivery)).scalars():
                event = kind.parse(row.headers or {}, row.body or b"")
                row.decided_at = 1.0
                if isinstance(event, Push):
                    head = session.merge(Head(project=str(PROJECT), ref=event.ref, sha="", seen_at=0.0))
                    head.sha, head.seen_at = event.after or "", row.received_at


def serve(bridge: Bridge, listening: socket.socket) -> Any:
    config = uvicorn.Config(make_app(bridge), log_config=None, access_log=False, lifespan="off")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    return server, thread


def make_world(tmp_path: Path, gitlab: FakeGitLab, port: int) -> World:
    project = gitlab.project("atlas/ttbar", members={gitlab.user("alice"): Level.DEVELOPER})
    gitlab.push(project, "main", {"reana.yaml": "{}"})
    storage = "\n".join(
        f'{name} = "{tmp_path}/{name}"'
        for name in ("artifacts", "runs", "repositories", "environments", "secrets")
    )
    token = gitlab.project_token(project).value
    config = tmp_path / "reana-bridge.toml"
    config.write_text(
        f'[server]\npublic_url = "http://127.0.0.1:{port}"\n'
        f'[database]\nurl = "sqlite:///{tmp_path}/bridge.db"\n[storage]\n{storage}\n'
        f'[forges.lab]\nkind = "gitlab"\nurl = "{gitlab.url}"\ntoken = "{token}"\n'
        '[backends.local]\nkind = "local"\nsandbox = "off"\n[[projects]]\nmatch = "lab:atlas/*"\n'
    )
    return World(gitlab, project, opened(load(config), exclusive=True), config)


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """The server's log lines do not come between what the commands say in the same process."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    yield
    structlog.reset_defaults()


@pytest.fixture(params=["19.1.0"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    with FakeGitLab(tmp_path / "gitlab", version=request.param) as gitlab:
        gitlab.instance.test_limit = None
        listening = socket.create_server(("127.0.0.1", 0))
        made = make_world(tmp_path, gitlab, listening.getsockname()[1])
        made.bridge.inbox.start()
        server, thread = serve(made.bridge, listening)
        yield made
        server.should_exit = True
        thread.join(10)
        listening.close()
        made.bridge.close()


@pytest.mark.parametrize("world", ["19.1.0", "18.2.0", "16.0.0"], indirect=True)
def test_connect_makes_all_and_a_push_arrives(world: World) -> None:
    done = processes.run("connect", str(PROJECT), "--config", str(world.config))
    assert (done.returncode, done.stderr) == (0, "")
    said = done.stdout
    assert "sent by the forge and arrived" in said
    hook = world.hook
    assert hook.url.endswith(f"/webhooks/lab/{world.row().id}")
    assert world.row().signed == (world.gitlab.instance.release >= (19, 0))
    assert hook.settings["enable_ssl_verification"]
    (badge,) = world.project.badges.values()
    assert badge.name == "reana-bridge"
    sha = world.gitlab.push(world.project, "main", {"a": "1"})
    assert sha in world.pushed()
    assert {row.hook for row in world.deliveries()} == {world.row().id}
    assert [event.status for _, event in world.gitlab.deliveries.sent] == ["202", "202"]


def test_twice_is_once_and_json_says_the_same(world: World) -> None:
    world.connect()
    first = world.hook.id
    document = json.loads(world.connect("--json"))
    assert document["project"] == "lab:atlas/ttbar"
    assert all(step["good"] for step in document["steps"])
    assert world.hook.id == first
    assert len(world.project.badges) == 1


def test_rotation_and_removal(world: World) -> None:
    world.connect()
    before = world.hook.signing_token
    world.connect("--rotate")
    assert world.hook.signing_token != before
    sha = world.gitlab.push(world.project, "main", {"a": "1"})
    assert sha in world.pushed()
    kept = world.hook
    world.connect("--remove")
    assert (world.project.hooks, world.project.badges) == ({}, {})
    world.project.hooks[kept.id] = kept  # a forge that has kept it
    count = len(world.deliveries())
    world.bridge.hooks.read("lab", kept.url.rpartition("/")[2])  # what was in memory is old after seconds
    world.gitlab.push(world.project, "main", {"a": "2"})
    world.gitlab.deliveries.wait()
    assert kept.events[-1].status == "401"
    assert len(world.deliveries()) == count


def test_a_disabled_hook_is_enabled_and_what_it_lost_comes(world: World, monkeypatch: Any) -> None:
    world.connect()

    async def full(*_: Any) -> Any:
        raise InboxFull("full")

    with monkeypatch.context() as patch:
        patch.setattr(world.bridge.inbox, "put", full)
        lost = [world.gitlab.push(world.project, f"b{number}", {"a": str(number)}) for number in range(4)]
        world.gitlab.deliveries.wait()
    assert world.gitlab.deliveries.disabled(world.hook)
    status, said = world.command("doctor")
    assert (status, "the forge has disabled it" in said) == (1, True)
    forge: Any = world.bridge.forges["lab"]
    look_at_hook(world.bridge, forge, PROJECT)
    assert not world.gitlab.deliveries.disabled(world.hook)
    look_at_hook(world.bridge, forge, PROJECT)
    assert set(lost) <= set(world.pushed())
    assert world.row().problem == ""


def test_what_was_dropped_is_found_within_one_period(world: World) -> None:
    world.connect()
    world.gitlab.deliveries.dropped = lambda number: number % 2 == 0
    pushed = {world.gitlab.push(world.project, f"b{number}", {"a": str(number)}) for number in range(6)}
    opened = [world.gitlab.open(world.project, f"b{number}") for number in range(3)]
    arrived = set(world.pushed())
    assert len(pushed & arrived) == 3
    world.told()
    Reconcile(world.bridge).share(world.bridge.forges["lab"])
    found = [synthetic.parse({}, row.body or b"") for row in world.deliveries("synthetic")]
    assert {event.after for event in found if isinstance(event, Push)} == pushed - arrived
    requests = [event for event in found if isinstance(event, MergeRequest)]
    assert {event.number for event in requests} == {one.iid for one in opened}


def test_nothing_new_is_one_request_a_period(world: World) -> None:
    world.connect()
    world.told()
    reconcile = Reconcile(world.bridge)
    reconcile.share(world.bridge.forges["lab"])
    world.gitlab.forget_requests()
    for _ in range(10):
        reconcile.share(world.bridge.forges["lab"])
    reads = world.gitlab.reads()
    assert [one.path.partition("?")[0].rpartition("/")[2] for one in reads] == ["merge_requests"]
    assert world.gitlab.writes() == []
    assert world.deliveries("synthetic") == []


def test_a_template_cannot_speak_for_another_project(world: World) -> None:
    """A maintainer may write the body that the hook of their project sends, and it is signed all the same."""
    world.connect()
    other = world.gitlab.project("atlas/other")
    with world.bridge.database.transaction() as session:
        session.add(ProjectRow(name="lab:atlas/other", forge_id=str(other.id), seen_at=0.0))
    count = len(world.deliveries())
    sha = "a" * 40
    body = {"object_kind": "push", "ref": "refs/heads/main", "before": sha, "after": sha, "checkout_sha": sha}
    for id, path, status in (
        (other.id, other.path, "401"),
        (world.project.id, other.path, "401"),
        (world.project.id, "atlas/renamed", "202"),  # who it really is will be asked of the forge
        (world.project.id, world.project.path, "202"),
    ):
        about = {"project_id": id, "project": {"id": id, "path_with_namespace": path}}
        event = world.gitlab.deliveries.send_now(world.hook, "push_events", json.dumps(body | about).encode())
        assert event.status == status, (id, path)
    assert len(world.deliveries()) == count + 2


@pytest.mark.parametrize(
    ("name", "status", "words"),
    [
        ("lab:atlas/nothing", 2, "atlas/nothing"),
        ("lab:../x", 2, "is not a repository path"),
        ("elsewhere:a/b", 2, "there is no forge 'elsewhere'"),
    ],
)
def test_wrong_names(world: World, name: str, status: int, words: str) -> None:
    done, said = world.command("connect", name)
    assert (done, words in said) == (status, True), said


def test_a_token_without_rights_is_told_what_to_ask_for(world: World) -> None:
    weak = world.gitlab.project_token(world.project, Level.DEVELOPER).value
    text = world.config.read_text()
    token = text.partition('token = "')[2].partition('"')[0]
    world.config.write_text(text.replace(token, weak))
    status, said = world.command("connect", str(PROJECT))
    assert (status, "Maintainer" in said) == (1, True), said
    assert world.project.hooks == {}


def test_the_doctor_is_content(world: World) -> None:
    world.connect()
    _, said = world.command("doctor", "--json")
    findings = {f["subject"]: f["problem"] for f in json.loads(said)}
    about = {
        subject: problem for subject, problem in findings.items() if "forge" in subject or "hook" in subject
    }
    assert not any(about.values()), about
    assert any(subject.startswith("hook of lab:atlas/ttbar (last delivery") for subject in about)


def test_beside_another_database_nothing_is_changed(world: World, tmp_path: Path) -> None:
    world.connect()
    before = (world.hook.url, world.hook.signing_token, *world.project.badges.values())
    text = world.config.read_text()
    elsewhere = text.replace(str(world.bridge.settings.storage.secrets), str(tmp_path / "elsewhere"))
    assert elsewhere != text
    world.config.write_text(elsewhere)
    written = world.gitlab.writes()
    status, said = world.command("connect", str(PROJECT))
    assert (status, "nothing was changed" in said, "another key" in said) == (1, True, True), said
    assert (world.hook.url, world.hook.signing_token, *world.project.badges.values()) == before
    assert world.gitlab.writes() == written
    assert "another key" in world.command("doctor")[1]


def test_a_project_without_a_commit_is_no_fault_of_the_network(world: World) -> None:
    empty = world.gitlab.project(
        "atlas/empty",
        members={world.gitlab.instance.users[id]: level for id, level in world.project.members.items()},
    )
    status, said = world.command("connect", "lab:atlas/empty")
    assert (status, "has no commit yet" in said, "proxy" in said) == (1, True, False), said
    assert len(empty.hooks) == 1
