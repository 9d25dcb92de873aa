"""Following a REANA: 10,000 unfinished runs over 50 projects, 1,000 of them (or all) on the server.

The rows and the server's workflows are put there directly. What is measured is a whole bridge, started on
them as after a restart, with the default settings. The projects are not registered yet, so that what looking
after fifty repositories' schedules costs is not counted.
"""

import contextlib
import shutil
import statistics
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

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
from reana_bridge.store.tables import OutboxRow, Run
from reana_bridge.testing.reana import FakeReana, Status
from reana_bridge.testing.reana.things import User, Workflow
from reana_bridge.testing.requests import Request
from tests.benchmarks import serving
from tests.benchmarks.runs import SPECIFICATION
from tests.benchmarks.table import Figure
from tests.postgres import Postgres

PROJECTS = 50
_COMMITS = 24
"""Of each project's runs so many are of commits that there are: those that can end or be submitted here."""

_START_SECONDS = 90.0
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
    running: int = 0
    workflows: dict[str, Workflow] = field(default_factory=dict[str, Workflow])

    @contextlib.contextmanager
    def bridges(
        self, count: int = 1, *, concurrency: int, backend: str = ""
    ) -> Iterator[list[serving.Served]]:
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
                stack.enter_context(
                    serving.served(
                        self.place / f"r{n}", config=CONFIG, within=_START_SECONDS, name=f"r{n}", **values
                    )
                )
                for n in range(count)
            ]
            yield replicas

    def fill(self, *, queued: int, waiting: int, running: int) -> None:
        """Runs in the bridge's queue, in REANA's queue, and running there; spread over the projects."""
        self.running = running
        secrets = self.place / "secrets"
        tag, now = tag_of(server_key(secrets)), time.time()
        rows = [self._row(number, now) for number in range(queued + waiting + running)]
        with self.fake.world.lock:
            for number, row in enumerate(rows[: waiting + running]):
                status = Status.RUNNING if number < running else Status.QUEUED
                name = name_of(row["backend_name"], tag, 3600.0)
                made = self.fake.add(self.user, name, specification=_DOCUMENT, status=status)
                row |= {
                    "state": RunState.RUNNING,
                    "backend_id": identity_of("default", made.id),
                    "due_at": None,
                }
                row |= _told(made)
                self.workflows[row["id"]] = made
        with self.database.transaction() as session:
            session.execute(insert(Run), rows)

    def _row(self, number: int, now: float) -> dict[str, object]:
        identity, turn = new_id(), number // PROJECTS
        return {
            "id": identity,
            "project": f"local:p{number % PROJECTS}",
            "analysis": "fit",
            "sha": (self.commits[turn] if turn < _COMMITS else f"{number:040x}"),
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


@dataclass(frozen=True, kw_only=True)
class Watched:
    """What some seconds of following cost.

    Attributes:
        seconds: How long it was watched.
        requests: How many there were.
        others: How many of them did not ask for a page of what lives.
        a_look: Pages of each look, of those that were watched from begin to end.
        period: Seconds from the begin of a look to that of the next.
        core: The processor time of all replicas, as a part of one core.
    """

    seconds: float
    requests: int
    others: int
    a_look: float
    period: float
    core: float


def watch(scene: Scene, replicas: Sequence[serving.Served], seconds: float) -> Watched:
    """Let the bridge follow for so long, and longer until it has looked at all twice."""
    pids = [one.process.pid for one in replicas]
    began, used = time.monotonic(), sum(map(serving.cpu_seconds, pids))
    begins: list[int] = []
    while time.monotonic() - began < seconds or len(begins) < 2:
        time.sleep(1.0)
        asked = scene.requests(began)
        pages = [one for one in asked if _is_page(one)]
        begins = [place for place, one in enumerate(pages) if _is_look(one)]
    took, used = time.monotonic() - began, sum(map(serving.cpu_seconds, pids)) - used
    return Watched(
        seconds=took,
        requests=len(asked),
        others=len(asked) - len(pages),
        a_look=(begins[-1] - begins[0]) / (len(begins) - 1),
        period=(pages[begins[-1]].at - pages[begins[0]].at) / (len(begins) - 1),
        core=used / took,
    )


def settle(scene: Scene, seconds: float) -> None:
    """Wait until a look has asked for nothing but pages: all steps are known again."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        time.sleep(1.0)
        asked = [one.path.rpartition("/")[2] for one in scene.requests(0.0)]
        if "specification" not in asked[-5:] and asked.count("specification") >= scene.running:
            return
    raise RuntimeError(f"not settled within {seconds} s: {asked[-5:]}")


@dataclass(frozen=True, kw_only=True)
class Delays:
    """Seconds after workflows ended there: until the bridge had stored it, until the forge showed it."""

    stored: list[float]
    shown: list[float]


def delays(scene: Scene, count: int, pause: float) -> Delays:
    """End so many workflows, one after the other, and wait for their reports."""
    running = [(id, one) for id, one in scene.workflows.items() if one.status is Status.RUNNING][:count]
    ended, stored, shown = dict[str, float](), dict[str, float](), dict[str, float]()
    began = time.monotonic()
    while len(shown) < count:
        now = time.monotonic() - began
        if now > count * pause + 90:
            raise RuntimeError(f"only {len(shown)} of {count} were reported")
        while running and now >= len(ended) * pause:
            identity, workflow = running.pop(0)
            ended[identity] = time.time()
            scene.fake.finish(workflow)
        with scene.database.read() as session:
            known = session.execute(_STATES.where(_run.id.in_(ended))).all()
            told = session.execute(_POSTED).all()
        for identity, state in known:
            if state != RunState.RUNNING:
                stored.setdefault(identity, time.time() - ended[identity])
        shown = {
            words["run"]: at - ended[words["run"]]
            for words, at in told
            if words and words.get("state") in _LAST and words["run"] in ended
        }
        time.sleep(0.1)
    return Delays(stored=list(stored.values()), shown=list(shown.values()))


_run, _outbox = cast(Any, Run), cast(Any, OutboxRow)
_STATES = select(_run.id, _run.state)
_POSTED = select(_outbox.posted, _outbox.posted_at).where(_outbox.kind == "status")
_LAST = ("success", "failure", "error")


def _is_page(request: Request) -> bool:
    """Whether it asks for a page of what lives."""
    return request.path == "/api/workflows" and "status=queued" in request.query


def _is_look(request: Request) -> bool:
    """Whether it asks for the first page of what lives: the begin of a look."""
    return _is_page(request) and request.query.startswith("page=1&")


def follow(place: Path) -> list[Figure]:
    """1,000 of 10,000 runs are on the server."""
    with scene(place) as here:
        here.fill(queued=9000, waiting=900, running=100)
        with here.bridges(concurrency=1000) as replicas:
            return _followed("10,000 runs, 1,000 on REANA", here, replicas, pages=2)


def follow_by_two(place: Path) -> list[Figure]:
    """The same by two replicas on PostgreSQL."""
    with postgres() as url, scene(place, url=url) as here:
        here.fill(queued=9000, waiting=900, running=100)
        with here.bridges(2, concurrency=1000) as replicas:
            return _followed("the same, two replicas", here, replicas, pages=2)


def follow_all(place: Path) -> list[Figure]:
    """All of them are on the server."""
    with scene(place) as here:
        here.fill(queued=0, waiting=9970, running=30)
        with here.bridges(concurrency=20_000) as replicas:
            return _followed("10,000 runs, all on REANA", here, replicas, pages=20)


@contextlib.contextmanager
def postgres() -> Iterator[str]:
    """The URL of an empty PostgreSQL database, until the block ends."""
    server = Postgres.start(shared=False)
    try:
        yield server.empty()
    finally:
        server.stop()


def _followed(what: str, here: Scene, replicas: Sequence[serving.Served], *, pages: int) -> list[Figure]:
    settle(here, 100)
    began = time.monotonic()
    quiet = watch(here, replicas, 20)
    memory = max(serving.memory(one.process.pid) for one in replicas)
    # The ends are spread over two periods or more: how soon one is seen is a matter of when in one it falls.
    seen = delays(here, 20, max(0.7, quiet.period / 10))
    stored, shown = statistics.median(seen.stored), statistics.median(seen.shown)
    looks = [one.at for one in here.requests(began) if _is_look(one)][-6:]
    period = (looks[-1] - looks[0]) / (len(looks) - 1)
    minute = quiet.requests * 60 / quiet.seconds
    return [
        Figure(f"{what}: requests a minute, nothing changes", f"{minute:.0f}", ""),
        Figure(f"{what}: list calls a look", f"{quiet.a_look:.1f}", f"{pages}", quiet.a_look <= pages),
        Figure(f"{what}: other requests meanwhile", f"{quiet.others}", "none", quiet.others == 0),
        Figure(f"{what}: of a core meanwhile", f"{quiet.core:.1%}", "below 5 %", quiet.core < 0.05),
        Figure(f"{what}: memory", f"{memory:.0f} MiB", ""),
        Figure(
            f"{what}: end on REANA to status on the forge, median",
            f"{shown:.1f} s",
            f"below a period ({period:.1f} s)",
            shown < period,
        ),
        Figure(f"{what}: of that until stored here, median", f"{stored:.1f} s", ""),
    ]


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
    commits = _repositories(place / "git")
    with FakeReana(place / "reana") as fake:
        user = fake.user()
        yield Scene(place=place, fake=fake, user=user, database=database, url=url, commits=commits)
    database.close()


def _repositories(root: Path) -> list[str]:
    """As many equal repositories as there are projects; their commits, of which no branch knows."""
    first = root / "p0.git"
    first.mkdir(parents=True)
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main"], cwd=first, check=True)
    stream = f"blob\nmark :1\ndata {len(SPECIFICATION)}\n{SPECIFICATION}\n"
    for number in range(_COMMITS):
        at = 1_790_000_000 + number
        stream += (
            f"commit refs/bench/{number}\nmark :{number + 2}\ncommitter R <r@example.org> {at} +0000\n"
            f"data 4\n{number:04d}\nM 100644 :1 reana.yaml\n"
        )
    command = ["git", "fast-import", "--quiet", f"--export-marks={first}/marks"]
    subprocess.run(command, cwd=first, input=stream.encode(), check=True)
    for number in range(1, PROJECTS):
        shutil.copytree(first, root / f"p{number}.git")
    marks = dict(line.split() for line in (first / "marks").read_text().splitlines())
    return [marks[f":{number + 2}"] for number in range(_COMMITS)]
