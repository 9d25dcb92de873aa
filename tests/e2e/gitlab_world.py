"""A GitLab, a bridge of real processes that is connected to it, and scenes: a project each, with people.

What a scene ends with is asked of the GitLab, never of the bridge: statuses, notes, and every request.
"""

import json
import re
import shutil
import socket
import time
from collections import Counter
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import func, select

from reana_bridge.model.runs import FINAL, RunState
from reana_bridge.store.database import Database
from reana_bridge.store.tables import AcceptanceRow, Decision, Delivery, OutboxRow, Run
from reana_bridge.testing.gitlab import FakeGitLab, Level
from reana_bridge.testing.gitlab.things import CommitStatus, Hook, MergeRequest, Note, Project, Token, User
from tests import processes
from tests.faults.world import Server

SECRET = "a-secret-of-the-whole-forge"
CONTEXT = "reana/analysis"
PATIENCE = 45.0
TIMEOUT = 3.0
SETTLE = 6.0
MARKER = "<!-- reana-bridge:note"
DELIVERY: Any = Delivery
RUN: Any = Run
OUTBOX: Any = OutboxRow
ACCEPTANCE: Any = AcceptanceRow

SETTINGS = """
[server]
name = "{host}"
port = {port}
public_url = "{public}"
log_format = "json"
drain_seconds = 3
metrics_public = true
workers = 8
{server}
[database]
url = "{database}"
[storage]
artifacts = "{root}/artifacts"
secrets = "{root}/secrets"
runs = "{root}/{host}/runs"
repositories = "{root}/{host}/repositories"
environments = "{root}/{host}/environments"
minimum_free = 1000
[forges.gitlab]
kind = "gitlab"
url = "{url}"
token = "{token}"
webhook_secrets = ["{secret}"]
timeout = {timeout}
settle_seconds = {settle}
poll_seconds = {poll}
{forges}
[backends.local]
kind = "local"
sandbox = "off"
concurrency = 4
[[projects]]
match = "gitlab:unregistered/*"
backend = "local"
[[projects]]
match = "gitlab:members/*"
forks = "members"
[[projects]]
match = "gitlab:never/*"
forks = "never"
[[projects]]
match = "gitlab:silent/*"
note = "never"
[[projects]]
match = "gitlab:failures/*"
note = "on-failure"
[[projects]]
match = "gitlab:few/*"
commands_per_hour = 2
[[projects]]
match = "gitlab:open/*"
{projects}
"""

WORKFLOW = """\
inputs:
  parameters: {{x: 1}}
workflow:
  type: serial
  specification:
    steps:
    - name: measure
      environment: none
      commands:
      - echo $$REANA_BRIDGE_SHA >> {executed} || true
      - while [ -e {hold} ]; do sleep 0.05; done
      - {command}
outputs: {{files: [results/metrics.json]}}
"""
MEASURE = "mkdir -p results && cp value results/metrics.json"


def until(condition: Callable[[], Any], otherwise: Callable[[], str], seconds: float = PATIENCE) -> Any:
    """What `condition` gives once it gives something."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, otherwise()
        time.sleep(0.03)
    return found


def free_port() -> int:
    """A port that nobody listens at now."""
    with socket.socket() as trying:
        trying.bind(("127.0.0.1", 0))
        return trying.getsockname()[1]


class World:
    """A GitLab and the servers of a bridge.

    Args:
        root: Everything lies below it.
        template: A SQLite file with all tables.
        poll: How often the bridge looks for what hooks did not tell, in seconds.
        database: Of another kind.
        server, forges, projects: More lines of those sections of the settings.
        reachable: Whether the bridge's public address is where it listens, as `connect` wants it.
        timeout, settle: Seconds that the bridge waits for an answer, and then for what may still happen.
    """

    def __init__(
        self,
        root: Path,
        template: Path,
        *,
        poll: float = 3600,
        database: str = "",
        server: str = "",
        forges: str = "",
        projects: str = "",
        reachable: bool = False,
        timeout: float = TIMEOUT,
        settle: float = SETTLE,
    ) -> None:
        self.root = root
        root.mkdir(exist_ok=True)
        self.gitlab = FakeGitLab(root / "gitlab")
        self.gitlab.instance.test_limit = None
        self.bot = self.gitlab.user("reana-bot")
        self.token = self.gitlab.token(self.bot)
        if not database:
            shutil.copy(template, root / "bridge.db")
        port = free_port() if reachable else 0
        self._settings = {
            "port": str(port),
            "public": f"http://127.0.0.1:{port}" if reachable else "https://bridge.example.org",
            "root": str(root),
            "database": database or f"sqlite:///{root}/bridge.db",
            "url": self.gitlab.url,
            "token": self.token,
            "secret": SECRET,
            "timeout": str(timeout),
            "settle": str(settle),
            "poll": str(poll),
            "server": server,
            "forges": forges,
            "projects": projects,
        }
        self.database = Database(self._settings["database"])
        self.servers: dict[str, Server] = {}
        self._numbers = count(1)

    def __enter__(self) -> "World":
        self.gitlab.__enter__()
        return self

    def __exit__(self, *_: Any) -> None:
        for server in self.servers.values():
            server.stop()
        self.database.close()
        self.gitlab.__exit__(None, None, None)

    def config(self, host: str = "one") -> Path:
        """The settings file of a host."""
        path = self.root / f"{host}.toml"
        path.write_text(SETTINGS.format(host=host, **self._settings))
        return path

    def start(self, host: str = "one") -> Server:
        """A server, new or again; hooks lead to it."""
        self.servers[host] = Server(self.config(host), self.root / f"{host}.log").ready()
        for project in self.gitlab.instance.projects.values():
            for hook in project.hooks.values():
                if hook.token == SECRET:
                    hook.settings["url"] = self.door(host)
        return self.servers[host]

    def use(self, token: Token) -> None:
        """Let servers that start from now on be somebody else on the GitLab."""
        self.token, self.bot = token.value, token.user
        self._settings["token"] = token.value

    def door(self, host: str = "one") -> str:
        return f"http://127.0.0.1:{self.servers[host].port}/webhooks/gitlab"

    def operator(self, method: str, path: str, data: Mapping[str, Any] | None = None) -> tuple[int, Any]:
        """Status and JSON of a request to the bridge's API."""
        token = (self.root / "secrets" / "operator.token").read_text().strip()
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        server = next(server for server in self.servers.values() if server.alive)
        status, body = server.ask(method, path, json.dumps(data or {}).encode() if data else b"", headers)
        return status, json.loads(body) if body else None

    def command(self, *arguments: str) -> str:
        """What a command of the bridge prints."""
        done = processes.run(*arguments, "--config", str(self.config()))
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def scene(self, group: str = "open", **more: Any) -> "Scene":
        """A project of its own with people, connected by a hook."""
        return Scene(self, f"{group}/p{next(self._numbers)}", **more)

    def log(self) -> str:
        return "\n".join(f"== {log.name}\n{log.read_text()[-5000:]}" for log in self.root.glob("*.log"))


@dataclass
class Allowed:
    """What a scene may end with beside what is always right."""

    refusals: set[int] = field(default_factory=set[int])
    rows: Counter[str] = field(default_factory=Counter[str])
    errors: bool = False
    repeats: int = 0
    live: bool = False


class Scene:
    """A project, people, and what the GitLab shows of it."""

    def __init__(
        self,
        world: World,
        path: str,
        *,
        visibility: str = "private",
        level: int = Level.MAINTAINER,
        hook: bool = True,
        ci: str = "",
    ) -> None:
        self.world, self.gitlab = world, world.gitlab
        name = path.rpartition("/")[2]
        self.mia = self.gitlab.user(f"mia-{name}")
        self.dev = self.gitlab.user(f"dev-{name}")
        self.guest = self.gitlab.user(f"guest-{name}")
        members = {self.mia: Level.MAINTAINER, self.dev: Level.DEVELOPER, world.bot: level}
        self.project = self.gitlab.project(path, members=members, visibility=visibility, ci=ci)
        self.hook: Hook | None = None
        if hook:
            self.hook = self.gitlab.hook(self.project, world.door(next(iter(world.servers))), token=SECRET)
        self.allowed = Allowed()
        self._hold = world.root / f"hold-{name}"
        self._executed = world.root / f"executed-{name}"

    # -- people --

    def workflow(self, command: str = MEASURE) -> str:
        return WORKFLOW.format(executed=self._executed, hold=self._hold, command=command)

    def push(
        self,
        branch: str = "main",
        value: Any = None,
        *,
        files: Mapping[str, str | None] | None = None,
        user: User | None = None,
        project: Project | None = None,
        command: str = MEASURE,
        **more: Any,
    ) -> str:
        """A commit that measures `value`."""
        content = {"reana.yaml": self.workflow(command), "value": json.dumps(value or {"a": 1.0})}
        return self.gitlab.push(
            project or self.project, branch, {**content, **(files or {})}, user=user or self.dev, **more
        )

    def main(self, value: Any = None, *, context: str = CONTEXT, **more: Any) -> str:
        """A result on main, to compare with."""
        sha = self.push("main", value, user=self.mia, **more)
        self.shows(sha, "success", context=context)
        return sha

    def request(self, branch: str = "topic", value: Any = None, **more: Any) -> MergeRequest:
        """A merge request with one commit of its own."""
        named = {key: more.pop(key) for key in ("title", "labels", "target_branch") if key in more}
        self.push(branch, value or {"a": 2.0}, **more)
        return self.gitlab.open(self.project, branch, user=self.dev, **named)

    def fork(self, owner: User | None = None, **more: Any) -> Project:
        owner = owner or self.guest
        return self.gitlab.fork(self.project, f"{owner.username}/{self.project.name}", owner, **more)

    def fork_request(
        self,
        fork: Project,
        branch: str = "theirs",
        value: Any = None,
        *,
        user: User | None = None,
        **more: Any,
    ) -> MergeRequest:
        user = user or self.guest
        self.push(branch, value or {"a": 3.0}, project=fork, user=user, **more)
        return self.gitlab.open(self.project, branch, source=fork, user=user)

    def say(self, on: MergeRequest, body: str, user: User | None = None, **more: Any) -> Note:
        return self.gitlab.comment(self.project, on, user or self.dev, body, **more)

    @contextmanager
    def held(self) -> Generator[None]:
        """Runs that begin inside do not end before this does."""
        self._hold.touch()
        try:
            yield
        finally:
            self._hold.unlink(missing_ok=True)

    def deliver(self, body: bytes, kind: str, *, token: str = SECRET, **headers: str) -> int:
        """What the bridge's door answers to a delivery of our own making."""
        server = next(iter(self.world.servers.values()))
        given = {
            "X-Gitlab-Event": kind,
            "X-Gitlab-Token": token,
            "Content-Type": "application/json",
            **headers,
        }
        return server.ask("POST", "/webhooks/gitlab", body, given)[0]

    # -- what is seen --

    def executed(self) -> Counter[str]:
        """Commit -> how often its workflow began."""
        path = self._executed
        return Counter(path.read_text().split() if path.exists() else [])

    def ran(self, sha: str) -> int:
        """How often code of the commit began; that of strangers is locked in and cannot tell itself."""
        return sum(run.sha == sha and run.started_at is not None for run in self.runs())

    def started(self, sha: str, times: int = 1) -> None:
        until(
            lambda: max(self.executed()[sha], self.ran(sha)) >= times,
            lambda: f"{sha} never began\n{self.describe()}",
        )

    def rows(self, sha: str, project: Project | None = None) -> list[CommitStatus]:
        return [row for row in (project or self.project).statuses if row.sha == sha]

    def shows(
        self,
        sha: str,
        state: str,
        *,
        context: str = CONTEXT,
        project: Project | None = None,
        seconds: float = PATIENCE,
    ) -> CommitStatus:
        """The status of a commit once it is `state`."""

        def found() -> CommitStatus | None:
            row = self.gitlab.status(project or self.project, sha, context)
            return row if row is not None and row.state == state else None

        return until(found, lambda: f"{sha[:8]} does not show {state}\n{self.describe()}", seconds)

    def ours(self, on: MergeRequest, marker: str = MARKER) -> list[Note]:
        """Notes of the bridge: its one note, or with another marker something else."""
        notes = self.gitlab.notes(self.project, on, self.world.bot)
        return [note for note in notes if (MARKER in note.body) == (marker == MARKER)]

    def note(self, on: MergeRequest, *words: str, absent: tuple[str, ...] = ()) -> str:
        """The text of the one note once it holds `words`, of which each is a regular expression."""

        def found() -> str | None:
            notes = self.ours(on)
            if not notes or not all(re.search(word, notes[0].body, re.DOTALL) for word in words):
                return None
            return None if any(word in notes[0].body for word in absent) else notes[0].body

        return until(found, lambda: f"no note with {words} without {absent}\n{self.describe()}")

    def reply(self, on: MergeRequest, *words: str, number: int = 1) -> str:
        """The text of the `number`-th reply once it is there and holds `words`."""

        def found() -> str | None:
            replies = self.ours(on, "")
            body = replies[number - 1].body if len(replies) >= number else ""
            return body if body and all(re.search(word, body, re.DOTALL) for word in words) else None

        return until(found, lambda: f"no reply with {words}\n{self.describe()}")

    def reacted(self, to: Note, reaction: str) -> None:
        until(lambda: reaction in to.reactions, lambda: f"no {reaction}, {to.reactions}\n{self.describe()}")

    def connect(self) -> Hook:
        """A hook made by `connect`; the world is one that is reachable."""
        self.gitlab.push(self.project, "main", {"README": "x"}, user=self.mia)  # a test delivery tells of it
        assert "sent by the forge and arrived" in self.world.command("connect", self.name)
        (self.hook,) = self.project.hooks.values()
        return self.hook

    def writes(self, pattern: str = "") -> list[str]:
        """Method and path of each request that wrote something, below the project."""
        found = self.gitlab.writes(f"/projects/{self.project.id}/.*{pattern}")
        return [
            f"{one.method} {one.path.partition(f'/{self.project.id}/')[2]}" for one in found if one.applied
        ]

    def reads(self) -> list[str]:
        found = self.gitlab.reads(f"/projects/({self.project.id}|{re.escape(self.project.path)})")
        return [one.path for one in found]

    def describe(self) -> str:
        """Everything that helps to see what went wrong."""
        statuses = [
            f"{row.sha[:8]} {row.name} {row.history} on {row.ref} pipeline {row.pipeline.id}"
            f"{' (hidden)' if row.retried else ''}: {row.description}"
            for row in self.project.statuses
        ]
        notes = [
            f"!{of.iid} at {of.sha[:8]}, {note.author.username}: {note.body} {note.reactions}"
            for of in self.project.merge_requests.values()
            for note in of.notes.values()
        ]
        requests = [
            f"{one.method} {one.path}?{one.query} {one.status}" for one in self.gitlab.requests()[-25:]
        ]
        parts = [*statuses, *notes, *requests, *self.decisions(), *self.outbox(), f"left: {self.pending()}"]
        return "\n".join([*parts, self.world.log()])

    # -- what must hold --

    @property
    def name(self) -> str:
        return f"gitlab:{self.project.path}"

    def runs(self) -> list[Run]:
        with self.world.database.read() as session:
            found = select(Run).where(RUN.project == self.name).order_by(RUN.queued_at)
            return list(session.execute(found).scalars())

    def decisions(self) -> list[str]:
        with self.world.database.read() as session:
            rows = list(session.execute(select(Decision)).scalars())
        return [f"{row.outcome}: {row.event} {row.reason}" for row in rows if row.project == self.name]

    def outbox(self) -> list[str]:
        with self.world.database.read() as session:
            rows = list(session.execute(select(OutboxRow).where(OUTBOX.project == self.name)).scalars())
        return [
            f"{row.kind} {row.key} {row.posted_version}/{row.wanted_version} {row.error} {row.remembered}"
            for row in rows
        ]

    def acceptances(self) -> list[AcceptanceRow]:
        with self.world.database.read() as session:
            here = select(AcceptanceRow).where(ACCEPTANCE.project == f"gitlab:{self.project.path}")
            return list(session.execute(here).scalars())

    def pending(self) -> dict[str, int]:
        """What is left to do; runs that wait for a person do not count."""
        resting = [*FINAL, RunState.WAITING]
        left = {
            "deliveries": select(func.count()).where(DELIVERY.decided_at.is_(None)),
            "runs": select(func.count()).where(RUN.project == self.name, RUN.state.not_in(resting)),
            "comparisons": select(func.count()).where(RUN.project == self.name, RUN.compare_again.is_(True)),
            "outbox": select(func.count()).where(
                OUTBOX.project == self.name, OUTBOX.posted_version < OUTBOX.wanted_version
            ),
        }
        with self.world.database.read() as session:
            counts = {name: session.execute(query).scalar_one() for name, query in left.items()}
        return {name: number for name, number in counts.items() if number}

    def settle(self, seconds: float = PATIENCE) -> None:
        """Wait until nothing is left to do."""
        self.gitlab.deliveries.wait(PATIENCE)
        until(lambda: not self.pending(), lambda: f"never came to rest\n{self.describe()}", seconds)

    def settle_statuses(self) -> None:
        """Wait until every status that is wanted now is shown, whatever runs."""
        posted = lambda: not self.pending().get("outbox")  # noqa: E731
        until(posted, lambda: f"statuses are still due\n{self.describe()}")

    def post_as(self, user: User, sha: str, state: str, name: str, ref: str = "topic") -> None:
        """A status of somebody else."""
        answer = httpx.post(
            f"{self.gitlab.url}/api/v4/projects/{self.project.id}/statuses/{sha}",
            json={"state": state, "name": name, "ref": ref},
            headers={"PRIVATE-TOKEN": self.gitlab.token(user)},
            trust_env=False,
        )
        assert answer.status_code == 201, answer.text

    def check(self) -> None:
        """Whatever a scene was about: once all has come to rest, this holds."""
        self.settle()
        places = [self.project, *self._forks()]
        for place in places:
            self._check_statuses(place)
        for of in self.project.merge_requests.values():
            self._check_notes(of)
        said = [one for one in self.gitlab.quick_actions if one.user == self.world.bot.username]
        assert not said, f"commands to GitLab itself: {said}"
        for one in self.gitlab.writes(f"/projects/({'|'.join(str(p.id) for p in places)})/"):
            if one.user == self.world.bot.username and one.applied:
                right = one.status in {0, 200, 201, 204, 502} | self.allowed.refusals
                assert right, f"{one}\n{self.describe()}"
        if not self.allowed.errors:
            wrong = [decision for decision in self.decisions() if decision.startswith("error")]
            assert not wrong, self.describe()

    def _forks(self) -> list[Project]:
        return [one for one in self.gitlab.instance.projects.values() if one.forked_from is self.project]

    def _check_statuses(self, place: Project) -> None:
        mine = [row for row in place.statuses if row.user is self.world.bot]
        of = Counter((row.sha, row.name, row.ref) for row in mine)
        for (sha, name, _), number in of.items():
            assert number <= 1 + self.allowed.rows[sha], (
                f"{sha} has {number} rows of {name}\n{self.describe()}"
            )
        shown = Counter((row.sha, row.name) for row in mine if not row.retried)
        assert not [key for key, number in shown.items() if number > 1], self.describe()
        for row in mine:
            ended = row.state not in {"pending", "running"}
            waits = any(run.sha == row.sha and run.state == RunState.WAITING for run in self.runs())
            assert ended or waits or self.allowed.live, f"{row.sha} stays {row.state}\n{self.describe()}"

    def _check_notes(self, of: MergeRequest) -> None:
        notes = self.ours(of)
        assert len(notes) <= 1, self.describe()
        for note in notes:
            same = [a for a, b in zip(note.bodies, note.bodies[1:], strict=False) if a == b]
            assert len(same) <= self.allowed.repeats, f"the same was written twice: {same}\n{self.describe()}"
        replies = [note.body for note in self.ours(of, "")]
        markers = [re.findall(r"<!--.*?-->", body)[-1:] for body in replies]
        assert len(markers) == len({str(marker) for marker in markers}), f"two replies\n{self.describe()}"
