"""`connect`, `doctor` and what is asked for again, on a GitHub over HTTP: with a token and as an App."""

import json
import logging
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import structlog
from sqlalchemy import select
from typer.testing import CliRunner

from reana_bridge.cli.common import Failure, opened
from reana_bridge.cli.main import app
from reana_bridge.settings import load
from reana_bridge.steps.bridge import Bridge
from reana_bridge.steps.reconcile import Reconcile
from reana_bridge.store.inbox import InboxFull
from reana_bridge.store.tables import Delivery, Hook
from reana_bridge.testing.github import FakeGitHub, things
from tests.cli.test_connect_gitlab import serve
from webhooks import github as kind
from webhooks.events import Push

SECRET = "the secret of the App's webhook"


@dataclass
class World:
    """A GitHub with a repository, an App on it, and a server beside it."""

    github: FakeGitHub
    repository: things.Project
    app: things.App
    bridge: Bridge
    config: Path

    def command(self, *arguments: str) -> tuple[int, str]:
        done = CliRunner().invoke(app, [*arguments, "--config", str(self.config)])
        failure = done.exception
        assert failure is None or isinstance(failure, Failure | SystemExit), done.output
        said = done.output + (str(failure) if isinstance(failure, Failure) else "")
        assert "whsec_" not in said
        return (failure.status if isinstance(failure, Failure) else done.exit_code), said

    def connect(self, *more: str) -> str:
        status, said = self.command("connect", "hub:atlas/ttbar", *more)
        assert status == 0, said
        return said

    def pushed(self) -> list[str | None]:
        self.github.deliveries.wait()
        with self.bridge.database.read() as session:
            rows = list(session.execute(select(Delivery)).scalars())
        events = [kind.parse(r.headers or {}, r.body or b"") for r in rows if r.kind == "webhook"]
        return [event.after for event in events if isinstance(event, Push)]

    def lose(self, monkeypatch: Any, count: int) -> list[str]:
        """Pushes whose deliveries the bridge cannot store."""

        async def full(*_: Any) -> Any:
            raise InboxFull("full")

        with monkeypatch.context() as patch:
            patch.setattr(self.bridge.inbox, "put", full)
            shas = [self.github.push(self.repository, f"b{number}", {"a": "1"}) for number in range(count)]
            self.github.deliveries.wait()
        assert not set(shas) & set(self.pushed())
        return shas

    def resent(self) -> list[str | None]:
        Reconcile(self.bridge).share(self.bridge.forges["hub"])
        return self.pushed()


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """The server's log lines do not come between what the commands say in the same process."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    yield
    structlog.reset_defaults()


@pytest.fixture
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    """With a token, or as the App where the test asks for that."""
    as_app = getattr(request, "param", "") == "app"
    with FakeGitHub(tmp_path / "github") as github:
        listening = socket.create_server(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        bot = github.user("reana-bot")
        repository = github.project("atlas/ttbar", members={bot: "admin"})
        github.push(repository, "main", {"reana.yaml": "{}"})
        made = github.app("reana", hook_url=f"{url}/webhooks/hub", hook_secret=SECRET)
        (tmp_path / "app.pem").write_text(made.key)
        login = f'app_id = "{made.id}"\napp_key_file = "{tmp_path}/app.pem"\nwebhook_secrets = ["{SECRET}"]'
        login = login if as_app else f'token = "{github.token(bot)}"'
        storage = "\n".join(
            f'{name} = "{tmp_path}/{name}"'
            for name in ("artifacts", "runs", "repositories", "environments", "secrets")
        )
        config = tmp_path / "reana-bridge.toml"
        config.write_text(
            f'[server]\npublic_url = "{url}"\n[database]\nurl = "sqlite:///{tmp_path}/bridge.db"\n'
            f'[storage]\n{storage}\n[forges.hub]\nkind = "github"\nurl = "{github.url}"\n{login}\n'
            '[backends.local]\nkind = "local"\nsandbox = "off"\n[[projects]]\nmatch = "hub:*"\n'
        )
        bridge = opened(load(config), exclusive=True)
        bridge.inbox.start()
        server, thread = serve(bridge, listening)
        if as_app:
            github.install(made, [repository])
        yield World(github, repository, made, bridge, config)
        server.should_exit = True
        thread.join(10)
        listening.close()
        bridge.close()


def test_a_token_makes_a_hook_that_is_pinged_and_brings_pushes(world: World) -> None:
    said = world.connect()
    assert "sent by the forge and arrived" in said
    (hook,) = world.repository.hooks.values()
    with world.bridge.database.read() as session:
        (row,) = session.execute(select(Hook)).scalars()
    assert hook.settings["url"].endswith(f"/webhooks/hub/{row.id}")
    assert (hook.settings["insecure_ssl"], row.remote_id) == ("0", str(hook.id))
    sha = world.github.push(world.repository, "main", {"a": "1"})
    assert sha in world.pushed()
    assert "for a README: [![reana](http://" in said
    world.connect()
    assert list(world.repository.hooks) == [hook.id]
    world.connect("--rotate")
    later = world.github.push(world.repository, "main", {"a": "2"})
    assert later in world.pushed()
    world.connect("--remove")
    assert world.repository.hooks == {}


def test_what_a_hook_lost_is_asked_for_again(world: World, monkeypatch: Any) -> None:
    world.connect()
    lost = world.lose(monkeypatch, 3)
    assert set(lost) <= set(world.resent())


def test_a_hook_that_somebody_switched_off_is_named(world: World) -> None:
    world.connect()
    (hook,) = world.repository.hooks.values()
    hook.active = False
    world.resent()
    with world.bridge.database.read() as session:
        (row,) = session.execute(select(Hook)).scalars()
    assert "switched it off" in row.problem
    assert "reana-bridge connect hub:atlas/ttbar" in row.problem
    world.connect()
    assert hook.active
    world.resent()
    with world.bridge.database.read() as session:
        (row,) = session.execute(select(Hook)).scalars()
    assert row.problem == ""


@pytest.mark.parametrize("world", ["app"], indirect=True)
def test_an_app_brings_its_own_webhook(world: World, monkeypatch: Any) -> None:
    said = world.connect()
    assert "events come by the App's own webhook" in said
    assert world.repository.hooks == {}
    sha = world.github.push(world.repository, "main", {"a": "1"})
    assert sha in world.pushed()
    lost = world.lose(monkeypatch, 3)
    assert set(lost) <= set(world.resent())
    _, said = world.command("doctor", "--json")
    problems = [f for f in json.loads(said) if f["problem"] and "hub" in f["subject"]]
    assert problems == []


@pytest.mark.parametrize("world", ["app"], indirect=True)
def test_an_app_whose_webhook_leads_elsewhere_is_named(world: World) -> None:
    world.app.hook.settings["url"] = "https://elsewhere.example.org/"
    _, said = world.command("doctor", "--json")
    assert any("does not lead to" in finding["problem"] for finding in json.loads(said))
