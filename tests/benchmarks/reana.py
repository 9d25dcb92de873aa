"""Following a REANA: 10,000 unfinished runs over 50 projects, 1,000 of them (or all) on the server.

The rows and the server's workflows are put there directly. What is measured is a whole bridge, started on
them as after a restart, with the default settings unless a text says otherwise.
"""

import contextlib
import shutil
import statistics
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import insert, select

from reana_bridge.backends.reana.layout import layout_of, while_running
from reana_bridge.backends.reana.names import identity_of, name_of, tag_of
from reana_bridge.backends.reana.values import Progress
from reana_bridge.model.analyses import Analysis
from reana_bridge.model.codec import to_data
from reana_bridge.model.runs import RunState
from reana_bridge.settings import server_key
from reana_bridge.store.database import Database
from reana_bridge.store.ids import new_id
from reana_bridge.store.schema import upgrade
from reana_bridge.store.tables import OutboxRow, ProjectRow, Run
from reana_bridge.testing.reana import FakeReana, Status
from reana_bridge.testing.reana.things import User, Workflow
from reana_bridge.testing.reana.world import Request
from tests.benchmarks import serving
from tests.benchmarks.runs import SPECIFICATION
from tests.benchmarks.table import Figure
from tests.postgres import Postgres

PROJECTS = 50
CONFIG = """\
[server]
public_url = "http://127.0.0.1:{port}"
port = {port}
name = "{name}"
log_format = "json"
[database]
url = "{database}"
[storage]
artifacts = "{shared}/artifacts"
secrets = "{shared}/secrets"
runs = "{place}/runs"
repositories = "{place}/fetched"
environments = "{place}/environments"
minimum_free = "10MB"
[forges.local]
kind = "git"
root = "{shared}/git"
webhook_secrets = ["{secret}"]
poll_seconds = 3600
[backends.reana]
kind = "reana"
url = "{reana}"
token = "{token}"
concurrency = {concurrency}
{backend}
[[projects]]
match = "local:*"
"""
_DOCUMENT = {
    "workflow": {
        "type": "serial",
        "specification": {"steps": [{"name": "only", "environment": "python:3.11", "commands": ["true"]}]},
    }
}


@dataclass(kw_only=True)
class Scene:
    """A fake REANA, a database, repositories, and what was put into them."""

    place: Path
    fake: FakeReana
    user: User
    database: Database
    url: str
    commits: list[str]
    workflows: dict[str, Workflow] = field(default_factory=dict[str, Workflow])

    @contextlib.contextmanager
    def bridges(self, count: int = 1, *, concurrency: int, backend: str = "") -> Iterator[list[serving.Served]]:
        """So many replicas that serve, until the block ends."""
        values = {
            "database": self.url,
            "shared": self.place,
            "reana": self.fake.url,
            "token": self.user.token,
            "concurrency": concurrency,
            "backend": backend,
        }
        with contextlib.ExitStack() as stack:
            replicas = [
                stack.enter_context(serving.served(self.place / f"r{n}", config=CONFIG, name=f"r{n}", **values))
                for n in range(count)
            ]
            yield replicas

    def fill(self, *, queued: int, waiting: int, running: int) -> None:
        """Runs in the bridge's queue, in REANA's queue, and running there; spread over the projects."""
        secrets = self.place / "secrets"
        tag, now = tag_of(server_key(secrets)), time.time()
        rows = [self._row(number, now) for number in range(queued + waiting + running)]
        with self.fake.world.lock:
            for number, row in enumerate(rows[: waiting + running]):
                status = Status.QUEUED if number < waiting else Status.RUNNING
                name = name_of(row["backend_name"], tag, 3600.0)
                made = self.fake.add(self.user, name, specification=_DOCUMENT, status=status)
                row |= {"state": RunState.RUNNING, "backend_id": identity_of("default", made.id), "due_at": None}
                row |= _told(made)
                self.workflows[row["id"]] = made
        with self.database.transaction() as session:
            for project in range(PROJECTS):
                session.add(ProjectRow(name=f"local:p{project}", default_branch="main", seen_at=now))
            session.execute(insert(Run), rows)

    def _row(self, number: int, now: float) -> dict[str, object]:
        identity = new_id()
        return {
            "id": identity,
            "project": f"local:p{number % PROJECTS}",
            "analysis": "fit",
            "sha": self.commits[number // PROJECTS],
            "ref": "refs/heads/main",
            "live_key": identity,
            "state": RunState.QUEUED,
            "backend": "reana",
            "backend_name": f"rb-{identity}-1",
            "backend_id": None,
            "settings": {"analysis": to_data(Analysis(name="fit"))},
            "due_at": now,
            "queued_at": now,
            "started_at": None,
            "activity": "",
            "steps": None,
        }

    def requests(self, since: float) -> list[Request]:
        """What the server was asked since then (seconds of the monotonic clock)."""
        with self.fake.world.lock:
            return [one for one in self.fake.world.requests if one.at >= since]


def lists(requests: Sequence[Request]) -> list[Request]:
    """Pages of lists of workflows."""
    return [one for one in requests if one.path == "/api/workflows"]


def _told(workflow: Workflow) -> dict[str, object]:
    """What the bridge knew of a workflow before it was started again."""
    if workflow.status is Status.QUEUED:
        return {"activity": "in REANA's queue"}
    steps = while_running(layout_of(_DOCUMENT), Progress())
    return {"started_at": workflow.started, "steps": to_data(steps)}


@contextlib.contextmanager
def scene(place: Path, *, url: str = "") -> Iterator[Scene]:
    """An empty scene, until the block ends; `url` names another database than a SQLite of its own."""
    url = url or f"sqlite:///{place}/bridge.db"
    database = Database(url)
    upgrade(database)
    commits = _repositories(place / "git", 10_000 // PROJECTS)
    with FakeReana(place / "reana") as fake:
        user = fake.user()
        yield Scene(place=place, fake=fake, user=user, database=database, url=url, commits=commits)
    database.close()


def _repositories(root: Path, commits: int) -> list[str]:
    """As many equal repositories as there are projects; their commits, of which no branch knows."""
    first = root / "p0.git"
    first.mkdir(parents=True)
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main"], cwd=first, check=True)
    stream = f"blob\nmark :1\ndata {len(SPECIFICATION)}\n{SPECIFICATION}\n"
    for number in range(commits):
        stream += (
            f"commit refs/bench\nmark :{number + 2}\ncommitter R <r@example.org> {1_790_000_000 + number} +0000\n"
            f"data 4\n{number:04d}\nM 100644 :1 reana.yaml\n"
        )
    command = ["git", "fast-import", "--quiet", f"--export-marks={first}/marks"]
    subprocess.run(command, cwd=first, input=stream.encode(), check=True)
    for number in range(1, PROJECTS):
        shutil.copytree(first, root / f"p{number}.git")
    marks = dict(line.split() for line in (first / "marks").read_text().splitlines())
    return [marks[f":{number + 2}"] for number in range(commits)]
