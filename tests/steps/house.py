"""The steps on a real database and real repositories, round by round, with a backend to play on."""

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, BinaryIO
from uuid import uuid4

from sqlalchemy import select, update

from reana_bridge.backends.base import BackendError, Job, JobState, Observation, OutputFile, Usage
from reana_bridge.forges.base import NOTHING, Note, Posted, Status
from reana_bridge.forges.git import GitForge
from reana_bridge.model.globs import matches
from reana_bridge.model.orders import Order, OrderKind
from reana_bridge.model.projects import Project
from reana_bridge.model.results import Failure, StepRecord, StepState
from reana_bridge.model.runs import FailureKind
from reana_bridge.settings import Settings
from reana_bridge.steps.bridge import Bridge
from reana_bridge.steps.collect import Collect
from reana_bridge.steps.compare import Compare
from reana_bridge.steps.decide import Decide
from reana_bridge.steps.follow import Follow
from reana_bridge.steps.report import ReportStep
from reana_bridge.steps.submit import Submit
from reana_bridge.store.blobs import Blobs
from reana_bridge.store.database import Database
from reana_bridge.store.inbox import Inbox, Incoming
from reana_bridge.store.leases import LeaseLost, save
from reana_bridge.store.tables import (
    ComparisonRow,
    Decision,
    Delivery,
    Lock,
    OutboxRow,
    Run,
    Want,
)
from tests.forges.conftest import Repository
from webhooks.events import Push, Tag
from webhooks.git import body

WORKFLOW = """
inputs: {parameters: {x: 3}}
workflow:
  type: serial
  specification:
    steps: [{name: only, environment: none, commands: ["echo ${x}"]}]
outputs: {directories: [results]}
"""


@dataclass
class Played:
    """One job of the backend: what it was given, and what the test lets become of it."""

    job: Job
    workspace: Path
    observation: Observation
    ended_at: float = 0.0


@dataclass
class PlayBackend:
    """A backend whose jobs run as the test says; state is kept as a real one keeps it."""

    root: Path
    name: str = "play"
    kind: str = "play"
    jobs: dict[str, Played] = field(default_factory=dict[str, Played])
    submitted: list[str] = field(default_factory=list[str])
    cancelled: list[str] = field(default_factory=list[str])
    removed: list[str] = field(default_factory=list[str])
    sizes: dict[str, int] = field(default_factory=dict[str, int])
    problems: dict[str, str] = field(default_factory=dict[str, str])
    errors: list[Exception] = field(default_factory=list[Exception])
    broken: Exception | None = None

    def _fail(self) -> None:
        if self.errors:
            raise self.errors.pop(0)
        if self.broken:
            raise self.broken

    def check(self) -> list[str]:
        return []

    def submit(self, job: Job, checkout: Callable[[Path], None]) -> str:
        self.submitted.append(job.name)
        self._fail()
        if job.name not in self.jobs:
            workspace = self.root / job.name
            workspace.mkdir(parents=True)
            checkout(workspace)
            running = Observation(state=JobState.RUNNING, started_at=time.time())
            self.jobs[job.name] = Played(job, workspace, running)
        return job.name

    def find(self, name: str) -> str | None:
        return name if name in self.jobs else None

    def follow(self, identities: Sequence[str]) -> dict[str, Observation]:
        lost = Observation(state=JobState.LOST)
        return {i: self.jobs[i].observation if i in self.jobs else lost for i in identities}

    def cancel(self, identity: str) -> None:
        self.cancelled.append(identity)

    def outputs(self, identity: str, patterns: Sequence[str]) -> Iterator[OutputFile]:
        self._fail()
        workspace = self.jobs[identity].workspace
        for path in sorted(path for path in workspace.rglob("*") if path.is_file()):
            name = path.relative_to(workspace).as_posix()
            if any(name.startswith(f"{p.rstrip('/')}/") or matches(name, [p]) for p in patterns):
                problem = self.problems.get(name, "")
                yield OutputFile(path=name, size=path.stat().st_size, problem=problem)

    def read(self, identity: str, path: str) -> BinaryIO:
        return (self.jobs[identity].workspace / path).open("rb")

    def log(self, identity: str, step: str, offset: int = 0, limit: int = 1 << 20) -> bytes:
        return f"log of {step}\n".encode()[offset : offset + limit]

    def usage(self) -> Sequence[Usage]:
        ended = [name for name, played in self.jobs.items() if played.ended_at]
        found = [
            Usage(identity=name, size=self.sizes.get(name, 1), ended_at=self.jobs[name].ended_at)
            for name in ended
        ]
        return sorted(found, key=lambda usage: usage.ended_at)

    def remove(self, identity: str) -> None:
        if identity == "stubborn":
            raise BackendError("it cannot be removed now")
        self.removed.append(identity)
        self.jobs.pop(identity, None)


class WatchedForge(GitForge):
    """Plain git that remembers what it was made to show, and fails as the test says."""

    def __init__(self, name: str, root: Path) -> None:
        super().__init__(name, root=root)
        self.statuses: list[Status] = []
        self.notes: list[Note] = []
        self.errors: list[Exception] = []

    def _fail(self) -> None:
        if self.errors:
            raise self.errors.pop(0)

    def post_status(self, project: Project, status: Status, posted: Posted = NOTHING) -> Posted:
        self._fail()
        super().post_status(project, status)
        self.statuses.append(status)
        return NOTHING

    def post_note(self, project: Project, note: Note, posted: Posted = NOTHING) -> Posted:
        self._fail()
        super().post_note(project, note)
        self.notes.append(note)
        return NOTHING


class House:
    """One bridge; `work` lets every step act until nothing is due."""

    kind = "git"
    make_forge: Callable[..., Any] = WatchedForge

    def __init__(self, place: Path, url: str, *, projects: Sequence[Any] = (), **sections: Any) -> None:
        self.place = place
        storage = {name: place / name for name in ("artifacts", "runs", "repositories", "secrets")}
        settings = Settings.model_validate(
            {
                "server": {"name": "here", "public_url": "http://bridge.test"},
                "storage": {**storage, **sections.pop("storage", {})},
                "forges": {"f": {"kind": self.kind, "root": place / "forge", "webhook_secrets": ["s"]}},
                "backends": {"play": {"kind": "play", "concurrency": sections.pop("concurrency", 100)}},
                "projects": list(projects) or [{"match": "f:*"}],
                **sections,
            }
        )
        database = Database(url)
        self.backend = PlayBackend(place / "jobs")
        self.forge = self.make_forge("f", place / "forge")
        self.bridge = Bridge(
            settings=settings,
            database=database,
            inbox=Inbox(database),
            blobs=Blobs(settings.storage.artifacts),
            forges={"f": self.forge},
            backends={"play": self.backend},
            server_key=b"k" * 32,
        )
        self.bridge.inbox.start()
        self.raised: list[Exception] = []
        self._use(self.bridge)
        (place / "copies").mkdir()
        self.repositories: dict[str, Repository] = {}
        self.repository("a/x", {"reana.yaml": WORKFLOW.encode()})

    def _use(self, bridge: Bridge) -> None:
        steps = (Decide(bridge), Submit(bridge), Collect(bridge), Compare(bridge), ReportStep(bridge))
        self.steps: dict[str, Any] = {step.name: step for step in steps}
        backend = bridge.backends["play"]
        (account,) = getattr(backend, "accounts", ("",))
        self.follow = Follow(bridge, backend, account)

    def on_another_host(self) -> None:
        """From now on the steps run on a host that shares only the database and the artifacts."""
        old = self.bridge.settings
        settings = old.model_copy(
            update={
                "server": old.server.model_copy(update={"name": "there"}),
                "storage": old.storage.model_copy(update={"repositories": self.place / "elsewhere"}),
            }
        )
        self.bridge = replace(self.bridge, settings=settings)
        self._use(self.bridge)

    def with_rule(self, **rule: Any) -> None:
        """From now on the settings say this of every project."""
        projects = Settings.model_validate({"projects": [{"match": "f:*", **rule}]}).projects
        settings = self.bridge.settings.model_copy(update={"projects": projects})
        self.bridge = replace(self.bridge, settings=settings)
        self._use(self.bridge)

    def close(self) -> None:
        self.bridge.close()

    # -- the forge --

    def repository(self, path: str = "a/x", first: Mapping[str, bytes] | None = None) -> Repository:
        if path not in self.repositories:
            copy = self.place / "copies" / path.replace("/", "-")
            self.repositories[path] = Repository(self.place / f"forge/{path}.git", copy, first)
        return self.repositories[path]

    def commit(
        self,
        branch: str = "main",
        files: Mapping[str, str | None] | None = None,
        path: str = "a/x",
        **more: Any,
    ) -> str:
        """A commit on a branch (a new one starts where the copy is), pushed; told to nobody."""
        repository = self.repository(path)
        repository.branch(branch)
        given = {name: text if text is None else text.encode() for name, text in (files or {}).items()}
        return repository.commit(given, **more)

    def head(self, branch: str = "main", path: str = "a/x") -> str:
        return self.repository(path).git("rev-parse", branch)

    # -- deliveries --

    def deliver(self, data: bytes, *, kind: str = "webhook", id: str = "") -> str:
        incoming = Incoming(forge="f", delivery_id=id or uuid4().hex, body=data, kind=kind)
        return self.bridge.inbox.put_blocking(incoming).id

    def push(
        self,
        branch: str = "main",
        sha: str | None = "head",
        *,
        before: str | None = None,
        path: str = "a/x",
        work: bool = True,
    ) -> Decision | None:
        """Tell of a branch, by default of where it is; its decision, when the steps were let work."""
        after = self.head(branch, path) if sha == "head" else sha
        before = "f" * 40 if after is None and before is None else before
        event = Push(project=path, ref=f"refs/heads/{branch}", before=before, after=after)
        return self._told(self.deliver(body(event)), work)

    def tag(self, name: str, sha: str | None) -> Decision | None:
        return self._told(self.deliver(body(Tag(project="a/x", ref=f"refs/tags/{name}", sha=sha))), True)

    def order(self, path: str = "a/x", *, work: bool = True, **order: Any) -> Decision | None:
        wish = Order(kind=order.pop("kind", OrderKind.MANUAL), project=path, actor="jane", **order)
        return self._told(self.deliver(wish.body(), kind="order"), work)

    def _told(self, id: str, work: bool) -> Decision | None:
        if work:
            self.work()
        return self.decision(id)

    # -- what the steps do --

    def work(self, *names: str) -> None:
        """Let the steps (or those named) act until nothing is due."""
        for _ in range(200):
            if not self.once(*names):
                return
        raise AssertionError("the steps never came to rest")

    def once(self, *names: str) -> bool:
        """One round; whether there was anything to do."""
        before = self._writes()
        acted = False
        for name, step in self.steps.items():
            if not names or name in names:
                for row in step.claim(100):
                    acted = True
                    self.act(name, row)
            if name == "submit" and (not names or "follow" in names):
                self.follow.poll()
        return acted or self._writes() != before

    def act(self, name: str, row: Any) -> None:
        """Act as the worker around a step does."""
        try:
            self.steps[name].act(row)
        except LeaseLost:
            pass
        except Exception as error:
            self.raised.append(error)
            with self.bridge.database.transaction() as session:
                save(session, row, due_at=self.bridge.database.now(session) + 10)

    def _writes(self) -> list[int]:
        with self.bridge.database.read() as session:
            return list(session.execute(select(Run.version).order_by(Run.id)).scalars())  # type: ignore[call-overload]

    def later(self, seconds: float) -> None:
        """Let time pass: everything that is due, leased or began then lies `seconds` further back."""
        kept: dict[Any, tuple[str, ...]] = {
            Delivery: ("due_at", "lease_until", "received_at"),
            Run: ("due_at", "lease_until", "queued_at", "started_at", "backend_ended_at", "ended_at"),
            OutboxRow: ("due_at", "lease_until", "settled_at"),
            Lock: ("lease_until",),
        }
        with self.bridge.database.transaction() as session:
            for table, columns in kept.items():
                values = {name: getattr(table, name) - seconds for name in columns}
                session.execute(update(table).values(values).execution_options(synchronize_session=False))

    # -- the backend --

    def job(self, run: Run) -> Played:
        return self.backend.jobs[self.run(run.id).backend_id or ""]

    def end(self, run: Run, metrics: Any = None, files: Mapping[str, bytes] | None = None) -> Run:
        """Let the run's job finish and leave files; the run after all steps have worked."""
        played = self.job(run)
        written = dict(files or {})
        if metrics is not None:
            written["results/metrics.json"] = json.dumps(metrics).encode()
        for name, content in written.items():
            path = played.workspace / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        return self._ended(run, JobState.FINISHED)

    def fail(self, run: Run, kind: FailureKind = FailureKind.ANALYSIS) -> Run:
        """Let the run's job fail; the run after all steps have worked."""
        failure = Failure(kind=kind, message="exit status 3", step="only", log_tail=("oh",))
        return self._ended(run, JobState.FAILED, failure)

    def stop(self, run: Run) -> Run:
        """Let the backend obey a cancellation; the run after all steps have worked."""
        return self._ended(run, JobState.CANCELLED)

    def lose(self, run: Run) -> Run:
        """Let the backend lose the run's job; the run after all steps have worked."""
        self.backend.jobs.pop(self.run(run.id).backend_id or "")
        self.work()
        return self.run(run.id)

    def _ended(self, run: Run, state: JobState, failure: Failure | None = None) -> Run:
        played = self.job(run)
        played.ended_at = time.time()
        done = StepState.FAILED if failure else StepState.FINISHED
        steps = (StepRecord(name="only", state=done, log="only"),)
        played.observation = replace(
            played.observation, state=state, failure=failure, steps=steps, ended_at=played.ended_at
        )
        self.work()
        return self.run(run.id)

    # -- what is there now --

    def run(self, id: str) -> Run:
        with self.bridge.database.read() as session:
            return session.get_one(Run, id)

    def runs(self, sha: str | None = None) -> list[Run]:
        table: Any = Run
        found = select(Run).order_by(table.queued_at, table.id)
        with self.bridge.database.read() as session:
            rows = list(session.execute(found).scalars())
        return [row for row in rows if sha in (None, row.sha)]

    def run_of(self, sha: str) -> Run:
        (run,) = self.runs(sha)
        return run

    def states(self, sha: str | None = None) -> list[str]:
        return [str(run.state) for run in self.runs(sha)]

    def decision(self, delivery: str) -> Decision | None:
        table: Any = Decision
        with self.bridge.database.read() as session:
            found = select(Decision).where(table.delivery_id == delivery)
            return session.execute(found).scalar_one_or_none()

    def rows(self, table: Any) -> list[Any]:
        with self.bridge.database.read() as session:
            return list(session.execute(select(table)).scalars())

    def wants(self, sha: str) -> list[tuple[str, str, bool]]:
        """(kind, ref, whether it lasts) of everybody who wants or wanted the commit's runs."""
        runs = {run.id for run in self.runs(sha)}
        return sorted((w.kind, w.ref, w.ended_at is None) for w in self.rows(Want) if w.run_id in runs)

    def comparison(self, run: Run) -> dict[str, Any]:
        (row,) = [row for row in self.rows(ComparisonRow) if row.run_id == run.id]
        return row.document

    def note(self, sha: str, path: str = "a/x") -> str:
        return self.forge.read_note(Project("f", path), sha) or ""

    def artifacts(self, run: Run) -> dict[str, bytes]:
        result: dict[str, Any] = self.run(run.id).result or {}
        return {a["path"]: self.bridge.blobs.read(a["digest"]) for a in result.get("artifacts", [])}

    def shown(self, sha: str) -> list[str]:
        """The states that the commit's statuses went through."""
        return [str(status.state) for status in self.forge.statuses if status.sha == sha]
