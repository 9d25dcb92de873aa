"""A GitLab, a bridge of real processes, and a REANA that its projects run on."""

import re
from collections import Counter
from pathlib import Path
from typing import Any

from reana_bridge.model.runs import RunState
from reana_bridge.steps.reconciling.requests import LOOKED
from reana_bridge.store.tables import Head, Run
from reana_bridge.testing.reana import FakeReana, Status
from reana_bridge.testing.reana.things import Workflow
from tests.e2e.gitlab_world import Scene, World, until
from tests.faults.world import Server

HASTY_SECONDS = 0.3
LOCAL = """\
[backends.local]
kind = "local"
sandbox = "off"
concurrency = 4
"""
BACKEND = """\
[backends.{name}]
kind = "reana"
url = "{url}"
token_file = "{token}"
requests_per_second = 500
timeout = 5
poll_fastest = 0.05
poll_slowest = 0.3
pending_seconds = {pending}
"""
WORKFLOW = """\
inputs: {{files: [value], parameters: {{scale: 1}}}}
workflow:
  type: serial
  specification:
    steps:
    - name: prepare
      environment: python:3.12
      commands: [date +%N > prepared]
    - name: measure
      environment: python:3.12
      commands:
      - while [ -e {hold} ]; do sleep 0.05; done
      - {command}
outputs: {{files: [results/metrics.json, prepared]}}
"""


class ReanaWorld(World):
    """A world whose projects run on a fake REANA; those of the group `hasty` wait for nothing there."""

    def __init__(self, root: Path, template: Path) -> None:
        root.mkdir(exist_ok=True)
        self.reana = FakeReana(root / "reana")
        self.account = self.reana.user("bridge@example.org")
        self.account_token = root / "reana-token"
        self.account_token.write_text(self.account.token)
        self.tokens = [self.account.token]
        self._is_mortal = False
        super().__init__(root, template, poll=5)  # what a dead server was not told is found again

    def __enter__(self) -> "ReanaWorld":
        self.reana.__enter__()
        super().__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        super().__exit__(*error)
        self.reana.__exit__(None, None, None)

    def config(self, host: str = "one") -> Path:
        path = super().config(host)
        where = {"url": self.reana.url, "token": self.account_token}
        text = path.read_text().replace('backend = "local"\n', "")
        assert LOCAL in text
        text = text.replace(LOCAL, BACKEND.format(name="reana", pending=60, **where))
        text = re.sub(r'^match = ".*"$', r'\g<0>\nbackend = "reana"', text, flags=re.MULTILINE)
        hasty = BACKEND.format(name="hasty", pending=HASTY_SECONDS, **where)
        path.write_text(f'{text}\n{hasty}[[projects]]\nmatch = "gitlab:hasty/*"\nbackend = "hasty"\n')
        return path

    def start(self, host: str = "one", *, crash: str = "") -> Server:
        """A server, new or again; one that is to die says where."""
        self._is_mortal = bool(crash)
        self.servers[host] = Server(self.config(host), self.root / f"{host}.log", crash=crash).ready()
        for project in self.gitlab.instance.projects.values():
            for hook in project.hooks.values():
                hook.settings["url"] = self.door(host)
                hook.failures, hook.backoffs, hook.disabled_until = 0, 0, None
        return self.servers[host]

    def recover(self) -> None:
        """See that a server runs that is not to die."""
        if self._is_mortal or not self.servers["one"].alive:
            self.servers["one"].stop()
            self.start()

    def rotate(self) -> None:
        """Another token counts from now on, and the bridge does not know it yet."""
        self.tokens.append(self.reana.rotate(self.account))

    def scene(self, group: str = "open", **more: Any) -> "ReanaScene":
        return ReanaScene(self, f"{group}/p{next(self._numbers)}", **more)


class ReanaScene(Scene):
    """A project whose runs are workflows on REANA."""

    world: ReanaWorld

    def workflow(self, command: str = "") -> str:
        given = command or "mkdir -p results && cp value results/metrics.json"
        return WORKFLOW.format(hold=self._hold, command=given)

    def is_looked_after(self) -> bool:
        """Whether the bridge has seen what the project has, so that it finds by looking what comes later."""
        with self.world.database.read() as session:
            return session.get(Head, (f"gitlab:{self.project.path}", LOOKED)) is not None

    def workflows(self) -> list[Workflow]:
        """This project's, in the order of their creation."""
        ids = [run.id for run in self.runs()]
        return [one for one in self.world.reana.workflows() if any(id in one.name for id in ids)]

    def on_reana(self, *statuses: str) -> Workflow:
        """The newest workflow once it has one of these statuses."""

        def found() -> Workflow | None:
            known = self.workflows()
            return known[-1] if known and known[-1].status in statuses else None

        return until(found, lambda: f"none is {statuses}\n{self.describe()}")

    def run_is(self, state: RunState, sha: str, **values: Any) -> Run:
        """The newest run of a commit once it is so."""

        def found() -> Run | None:
            runs = [run for run in self.runs() if run.sha == sha]
            fits = runs and runs[-1].state == state
            return runs[-1] if fits and all(getattr(runs[-1], k) == v for k, v in values.items()) else None

        return until(found, lambda: f"no run of {sha} is {state}, {values}\n{self.describe()}")

    def describe(self) -> str:
        mine = [f"{one.full_name} {one.status} starts={one.starts} {one.logs}" for one in self.workflows()]
        asked = [f"{one.method} {one.path} {one.status}" for one in self.world.reana.requests()[-25:]]
        runs = [f"{run.state} {run.run_attempt} {run.activity} {run.failure}" for run in self.runs()]
        return "\n".join([*mine, *asked, *runs, super().describe()])

    def check(self) -> None:
        """Also: no workflow was begun twice for one attempt, none is left behind, no token is shown."""
        super().check()
        mine = self.workflows()
        begun = Counter((one.name, one.minor) for one in mine if one.starts)
        assert not [key for key, count in begun.items() if count > 1], self.describe()
        assert all(one.starts <= 1 for one in mine), self.describe()
        left = (Status.CREATED, Status.QUEUED, Status.PENDING, Status.RUNNING)
        assert not [one for one in mine if one.status in left], self.describe()
        shown = self.world.log() + "".join(
            note.body for of in self.project.merge_requests.values() for note in of.notes.values()
        )
        assert not any(token in shown for token in self.world.tokens)
