"""A GitHub, a bridge that is connected to it with a token and as an App, and scenes: a repository each.

What a scene ends with is asked of the GitHub, never of the bridge.
"""

import json
import shutil
from collections.abc import Mapping
from contextlib import contextmanager
from itertools import count, pairwise
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import func, select

from reana_bridge.model.runs import FINAL, RunState
from reana_bridge.store.database import Database
from reana_bridge.store.tables import Decision, Delivery, OutboxRow, Run
from reana_bridge.testing.github import FakeGitHub, happenings
from reana_bridge.testing.github.things import CheckRun, Comment, Project, Pull, User
from tests.e2e.gitlab_world import MEASURE, PATIENCE, WORKFLOW, until
from tests.faults.world import Server

SECRET = "a-secret-of-the-whole-forge"
CONTEXT = "reana/analysis"
NOTE, REPLY = "<!-- reana-bridge:v1 note", "<!-- reana-bridge:v1 reply"
RUN: Any = Run
OUTBOX: Any = OutboxRow
DELIVERY: Any = Delivery

SETTINGS = """
[server]
name = "one"
port = 0
public_url = "https://bridge.example.org"
log_format = "json"
drain_seconds = 3
workers = 8
[database]
url = "sqlite:///{root}/bridge.db"
[storage]
artifacts = "{root}/artifacts"
secrets = "{root}/secrets"
runs = "{root}/runs"
repositories = "{root}/repositories"
environments = "{root}/environments"
minimum_free = 1000
[forges.token]
kind = "github"
url = "{url}"
token = "{token}"
webhook_secrets = ["{secret}"]
timeout = {timeout}
settle_seconds = {settle}
poll_seconds = {poll}
[forges.app]
kind = "github"
url = "{url}"
app_id = "{app}"
app_key_file = "{root}/app.pem"
webhook_secrets = ["{secret}"]
timeout = {timeout}
settle_seconds = {settle}
poll_seconds = {poll}
[backends.local]
kind = "local"
sandbox = "off"
concurrency = 4
[[projects]]
match = "*"
backend = "local"
"""


class World:
    """A GitHub and the server of a bridge.

    Args:
        root: Everything lies below it.
        template: A SQLite file with all tables.
        poll: How often the bridge looks for what hooks did not tell, in seconds.
        timeout, settle: Seconds that it waits for an answer, and then for what may still happen.
    """

    def __init__(
        self, root: Path, template: Path, *, poll: float = 3600, timeout: float = 2, settle: float = 6
    ) -> None:
        self.root = root
        self.github = FakeGitHub(root / "github")
        self.bot = self.github.user("reana-bot")
        self.app = self.github.app("reana", hook_secret=SECRET)
        shutil.copy(template, root / "bridge.db")
        (root / "app.pem").write_text(self.app.key)
        values = {"root": root, "url": self.github.url, "secret": SECRET, "poll": poll, "app": self.app.id}
        values |= {"timeout": timeout, "settle": settle}
        self.token = self.github.token(self.bot)
        (root / "one.toml").write_text(SETTINGS.format(**values, token=self.token))
        self.database = Database(f"sqlite:///{root}/bridge.db")
        self.server: Server | None = None
        self._numbers = count(1)

    def __enter__(self) -> "World":
        self.github.__enter__()
        self.start()
        return self

    def start(self) -> None:
        """A server, new or again; hooks lead to it."""
        self.server = Server(self.root / "one.toml", self.root / "one.log").ready()
        self.app.hook.settings["url"] = self.door("app")
        self.app.hook.active = True
        for project in self.github.world.projects.values():
            for hook in project.hooks.values():
                hook.settings["url"] = self.door("token")

    def __exit__(self, *_: Any) -> None:
        if self.server:
            self.server.stop()
        self.database.close()
        self.github.__exit__(None, None, None)

    def door(self, forge: str) -> str:
        assert self.server
        return f"http://127.0.0.1:{self.server.port}/webhooks/{forge}"

    def scene(self, forge: str) -> "Scene":
        return Scene(self, forge, f"atlas/p{next(self._numbers)}")


class Scene:
    """A repository with people, connected with a token or by the App.

    Attributes:
        deleted: How many of our comments people took away.
        refusals: Answers to our writes that are right here beside those that always are.
    """

    secret = SECRET

    def __init__(self, world: World, forge: str, path: str) -> None:
        self.deleted = 0
        self.refusals: set[int] = set()
        self.world, self.github, self.forge = world, world.github, forge
        name = path.partition("/")[2]
        self.dev, self.guest = self.github.user(f"dev-{name}"), self.github.user(f"guest-{name}")
        self.mia = self.github.user(f"mia-{name}")
        members = {self.dev: "write", self.mia: "maintain", world.bot: "admin"}
        self.project = self.github.project(path, members=members, private=False)
        self.github.push(self.project, "main", {"README.md": "An analysis."})
        self.us = world.bot if forge == "token" else world.app.bot
        if forge == "token":
            self.github.hook(self.project, world.door("token"), secret=SECRET)
        else:
            self.github.install(world.app, [self.project])
        self._hold = world.root / f"hold-{name}"
        self._executed = world.root / f"executed-{name}"

    # -- people --

    def push(
        self,
        branch: str = "main",
        value: Any = None,
        *,
        project: Project | None = None,
        by: User | None = None,
        command: str = MEASURE,
        files: Mapping[str, str] | None = None,
        **more: Any,
    ) -> str:
        """A commit that measures `value`."""
        workflow = WORKFLOW.format(executed=self._executed, hold=self._hold, command=json.dumps(command))
        content = {"reana.yaml": workflow, "value": json.dumps(value or {"a": 1.0}), **(files or {})}
        return self.github.push(project or self.project, branch, content, by=by or self.dev, **more)

    def main(self) -> str:
        sha = self.push()
        self.shows(sha, "success")
        return sha

    def request(self, branch: str = "topic", value: Any = None, **more: Any) -> Pull:
        self.push(branch, value or {"a": 2.0}, **more)
        return self.github.pull(self.project, branch, by=self.dev)

    def fork_request(self, **more: Any) -> tuple[Project, Pull]:
        fork = self.github.fork(self.project, f"{self.guest.login}/{self.project.path[6:]}", self.guest)
        self.push("theirs", {"a": 3.0}, project=fork, by=self.guest, **more)
        return fork, self.github.pull(self.project, "theirs", source=fork, by=self.guest)

    def say(self, pull: Pull, text: str, by: User | None = None) -> Comment:
        return self.github.comment(self.project, pull, text, by=by or self.dev)

    def edit(self, pull: Pull, comment: Comment, text: str) -> None:
        """Somebody changes a comment."""
        world = self.github.world
        with world.lock:
            happenings.edit_comment(
                world, self.github.bodies, self.project, pull, comment, comment.author, text
            )

    def post_as(self, user: User, sha: str, state: str, context: str) -> None:
        """A status of somebody else."""
        answer = httpx.post(
            f"{self.github.url}/api/v3/repos/{self.project.path}/statuses/{sha}",
            json={"state": state, "context": context},
            headers={"Authorization": f"token {self.github.token(user)}"},
            trust_env=False,
        )
        assert answer.status_code == 201, answer.text

    def deaf(self) -> None:
        """Nothing that happens is told of from now on, to whoever it would be."""
        self.project.hooks.clear()
        self.world.app.hook.active = False

    def without_hooks(self) -> None:
        """Nothing tells of the repository any more."""
        self.project.hooks.clear()
        for installation in list(self.github.world.installations.values()):
            if self.project in installation.repositories:
                self.github.uninstall(installation)

    @contextmanager
    def held(self) -> Any:
        self._hold.touch()
        try:
            yield
        finally:
            self._hold.unlink(missing_ok=True)

    # -- what is seen --

    def executed(self, sha: str) -> int:
        return self._executed.read_text().split().count(sha) if self._executed.exists() else 0

    def ran(self, sha: str) -> int:
        """How often code of the commit began; that of strangers cannot tell itself."""
        return sum(run.sha == sha and run.started_at is not None for run in self.runs())

    def started(self, sha: str, times: int = 1) -> None:
        until(lambda: self.executed(sha) >= times, lambda: f"{sha} never began\n{self.describe()}")

    def states(self, sha: str) -> list[str]:
        """What was posted to the commit: states of statuses, or conclusions (or status) of checks."""
        if self.forge == "token":
            mine = [one for one in self.project.statuses if one.sha == sha and one.creator is self.us]
            return [one.state for one in mine]
        return [one.conclusion or one.status for one in self.github.checks(self.project, sha)]

    def contexts(self, sha: str) -> set[str]:
        """The names of all that the commit shows."""
        checks = {one.name for one in self.github.checks(self.project, sha)}
        return checks | {one.context for one in self.github.statuses(self.project, sha)}

    def state(self, sha: str) -> str:
        """What the commit shows of us in the end; empty for nothing."""
        return (self.states(sha) or [""])[-1]

    def shows(self, sha: str, *states: str) -> None:
        told = lambda: f"{sha[:8]} shows {self.state(sha)}, not {states}\n{self.describe()}"  # noqa: E731
        until(lambda: self.state(sha) in states, told)

    def check(self, sha: str) -> CheckRun:
        return self.github.checks(self.project, sha)[-1]

    def ours(self, pull: Pull, marker: str = NOTE) -> list[str]:
        return [one.body for one in self.github.notes(self.project, pull, self.us) if marker in one.body]

    def note(self, pull: Pull, word: str, marker: str = NOTE) -> str:
        """The one note (or reply) once it holds `word`."""
        found = lambda: next((body for body in self.ours(pull, marker) if word in body), "")  # noqa: E731
        return until(found, lambda: f"no note with {word}\n{self.describe()}")

    def comments(self) -> list[Comment]:
        """All notes of ours, on any pull request."""
        pulls = self.project.pulls.values()
        return [one for pull in pulls for one in pull.comments.values() if one.author is self.us]

    def outbox(self) -> list[str]:
        with self.world.database.read() as session:
            rows = list(session.execute(select(OutboxRow).where(OUTBOX.project == self.name)).scalars())
        return [f"{row.kind} {row.key} {row.posted_version}/{row.wanted_version} {row.error}" for row in rows]

    def settle_outbox(self) -> None:
        """Wait until all that is wanted now is shown, whatever runs."""
        until(lambda: not self.pending().get("outbox"), lambda: f"still due\n{self.describe()}")

    def writes(self) -> list[str]:
        found = self.github.writes(f"/repos/{self.project.path}/")
        return [f"{one.method} {one.path}" for one in found if one.applied]

    def reads(self) -> list[str]:
        return [f"{one.method} {one.path}" for one in self.github.reads(f"/repos/{self.project.path}(/|$)")]

    def runs(self) -> list[Run]:
        with self.world.database.read() as session:
            return list(session.execute(select(Run).where(RUN.project == self.name)).scalars())

    @property
    def name(self) -> str:
        return f"{self.forge}:{self.project.path}"

    def pending(self) -> dict[str, int]:
        left = {
            "deliveries": select(func.count()).where(DELIVERY.decided_at.is_(None)),
            "runs": select(func.count()).where(
                RUN.project == self.name, RUN.state.not_in([*FINAL, RunState.WAITING])
            ),
            "outbox": select(func.count()).where(
                OUTBOX.project == self.name, OUTBOX.posted_version < OUTBOX.wanted_version
            ),
        }
        with self.world.database.read() as session:
            counts = {name: session.execute(query).scalar_one() for name, query in left.items()}
        return {name: number for name, number in counts.items() if number}

    def settle(self) -> None:
        self.github.deliveries.wait(PATIENCE)
        until(lambda: not self.pending(), lambda: f"never came to rest\n{self.describe()}")

    def finish(self) -> None:
        """Whatever the scene was about: once all has come to rest, this holds."""
        self.settle()
        for pull in self.project.pulls.values():
            assert len(self.ours(pull)) <= 1, self.describe()
            replies = [body.partition("\n")[0] for body in self.ours(pull, REPLY)]
            assert len(set(replies)) == len(replies), self.describe()
        self._check_shown()
        made = [one for one in self.writes() if one.startswith("POST") and one.endswith("/comments")]
        assert len(made) <= len(self.comments()) + self.deleted, f"written twice\n{self.describe()}"
        for one in self.github.writes(f"/repos/{self.project.path}/"):
            right = {0, 200, 201, 202, 204, 502} | self.refusals
            assert one.status in right or not one.applied, f"{one}\n{self.describe()}"

    def _check_shown(self) -> None:
        """Nothing stands twice, and nothing stays unfinished that does not wait for a person."""
        checks = [(one.name, one.head_sha, one.values.get("external_id")) for one in self.project.checks]
        assert len(set(checks)) == len(checks), self.describe()
        waiting = {run.sha for run in self.runs() if run.state == RunState.WAITING}
        for one in self.project.checks:
            assert one.status == "completed" or one.head_sha in waiting, self.describe()
        mine = [one for one in self.project.statuses if one.creator is self.us]
        of = {(one.sha, one.context): one.state for one in mine}
        assert all(state != "pending" or sha in waiting for (sha, _), state in of.items()), self.describe()
        for sha, context in of:
            told = [(s.state, s.description) for s in mine if (s.sha, s.context) == (sha, context)]
            twice = [a for a, b in pairwise(told) if a == b]
            assert not twice, f"told twice: {twice}\n{self.describe()}"

    def describe(self) -> str:
        shown = [
            f"{one.sha[:8]} {one.context} {one.state}: {one.description}" for one in self.project.statuses
        ]
        shown += [
            f"{one.head_sha[:8]} {one.name} {one.status} {one.conclusion}" for one in self.project.checks
        ]
        notes = [one.body for pull in self.project.pulls.values() for one in pull.comments.values()]
        requests = [f"{one.method} {one.path} {one.status}" for one in self.github.requests()[-25:]]
        with self.world.database.read() as session:
            decisions = [
                f"{row.outcome}: {row.event} {row.reason}"
                for row in session.execute(select(Decision)).scalars()
                if row.project == self.name
            ]
        log = (self.world.root / "one.log").read_text()[-4000:]
        return "\n".join(
            [*shown, *notes, *requests, *decisions, *self.outbox(), f"left: {self.pending()}", log]
        )
