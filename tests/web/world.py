"""A small world to look at: two projects, runs in every state, files, logs, decisions, tokens."""

import io
import math
import struct
import zlib
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from reana_bridge.model.analyses import Analysis, Rule
from reana_bridge.model.codec import to_data
from reana_bridge.model.comparisons import Baseline, BaselineReason, RuleEffect
from reana_bridge.model.metrics import Direction, Metric
from reana_bridge.model.results import Artifact, Failure, Result, StepRecord, StepState
from reana_bridge.model.runs import FailureKind, RunState
from reana_bridge.results.comparison import compare
from reana_bridge.settings import Settings
from reana_bridge.steps.bridge import Bridge
from reana_bridge.steps.comparing.alarms import note_alarms
from reana_bridge.store import schema, tokens
from reana_bridge.store.blobs import Blobs
from reana_bridge.store.database import Database
from reana_bridge.store.inbox import Inbox
from reana_bridge.store.tables import (
    ArtifactRow,
    ComparisonRow,
    Decision,
    Delivery,
    MetricRow,
    OutboxRow,
    ProjectRow,
    Run,
    Want,
)

KEY = bytes(range(32))
SECRET = "a secret of the hooks"
NOW = 1_793_000_000.0
PRIVATE, PUBLIC = "local:physics/ttbar", "local:open/higgs"
MAIN, HEAD, BROKEN = "8d01b7e" + "0" * 33, "3f9c2a1" + "1" * 33, "bad0bad" + "2" * 33


@dataclass
class Logs:
    """Stands in for a backend; only its logs are asked for."""

    name: str = "local"
    kind: str = "local"
    content: dict[tuple[str, str], bytes] = field(default_factory=dict)

    def log(self, identity: str, step: str, offset: int = 0, limit: int = 1 << 20) -> bytes:
        return self.content.get((identity, step), b"")[offset : offset + limit]


def make_bridge(directory: Path, url: str = "", **server: Any) -> Bridge:
    """A bridge on an empty database of its own."""
    settings = Settings.model_validate(
        {
            "server": {"name": "here", "public_url": "http://bridge.test", **server},
            "storage": {"artifacts": directory / "artifacts", "repositories": directory / "repositories"},
            "forges": {
                "local": {"kind": "git", "root": directory, "webhook_secrets": [SECRET]},
                "bare": {"kind": "git", "root": directory},
            },
            "projects": [{"match": "local:open/*", "public": True}, {"match": "local:*"}],
        }
    )
    database = Database(url or f"sqlite:///{directory}/bridge.db")
    schema.upgrade(database)
    return Bridge(
        settings=settings,
        database=database,
        inbox=Inbox(database, limit=settings.server.inbox_limit),
        blobs=Blobs(settings.storage.artifacts),
        forges={},
        backends={"local": Logs()},
        server_key=KEY,
    )


@dataclass(frozen=True)
class World:
    """The names of what was put in."""

    bridge: Bridge
    tokens: dict[str, str]
    main: str
    finished: str
    failed: str
    running: str
    queued: str
    public: str
    comparison: str
    delivery: str


HOSTILE = {
    "results/page.html": b"<script>alert(1)</script>",
    "results/drawing.svg": b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
    'results/a"b\u202e<img src=x>.png': b"\x89PNG\r\n\x1a\n<script>alert(1)</script>",
    "results/data.json": b'{"a": "<script>"}',
    "results/script.js": b"alert(1)",
    "results/unknown": b"\x00\x01",
    "results/h\u00e9.pdf": b"%PDF",
}


def fill(bridge: Bridge, *, history: int = 24, metrics: int = 14) -> World:
    """Put the world into `bridge`'s empty database."""
    grants = {
        "operator": ("admin", "*"),
        "reader": ("read", "*"),
        "physics-reader": ("read", "local:physics/*"),
        "physics-writer": ("write", "local:physics/*"),
        "other-writer": ("write", "local:other/*"),
    }
    made = {
        name: tokens.create(bridge.database, name=name, scope=scope, project=glob)
        for name, (scope, glob) in grants.items()
    }
    with bridge.database.transaction() as session:
        filler = _Filler(bridge, session, metrics)
        return filler.fill(made, history)


class _Filler:
    def __init__(self, bridge: Bridge, session: Session, metrics: int) -> None:
        self._bridge, self._session, self._metrics = bridge, session, metrics
        self._count = 0

    def fill(self, made: dict[str, str], history: int) -> World:
        for name, public in ((PRIVATE, False), (PUBLIC, True)):
            self._session.add(ProjectRow(name=name, default_branch="main", public=public, seen_at=NOW))
        self._session.flush()
        for index in range(history):
            sha = f"{index:07x}" + "a" * 33
            self._finished(sha, "refs/heads/main", NOW - 86400 * (history - index), shift=math.sin(index / 4))
        main = self._finished(MAIN, "refs/heads/main", NOW - 7200)
        head = self._finished(HEAD, "refs/heads/tighter-selection", NOW - 3600, shift=4.0, baseline=main)
        failed = self._failed()
        running = self._live("running", NOW - 120)
        queued = self._live("queued", NOW - 30)
        public = self._finished(MAIN, "refs/heads/main", NOW - 9000, project=PUBLIC)
        comparison = self._comparison(head, main)
        return World(
            bridge=self._bridge,
            tokens=made,
            main=main.id,
            finished=head.id,
            failed=failed.id,
            running=running.id,
            queued=queued.id,
            public=public.id,
            comparison=comparison,
            delivery=head.delivery_id or "",
        )

    def _run(self, **values: Any) -> Run:
        values = {"project": PRIVATE, "analysis": "fit", "backend": "local", **values}
        settings = {"analysis": to_data(Analysis(name=values["analysis"], file="reana.yaml"))}
        self._count += 1
        delivery = Delivery(
            forge="local",
            key=f"delivery-{self._count}",
            received_at=values["queued_at"] - 0.2,
            decided_at=values["queued_at"],
            body=b'{"private": "body of a delivery"}',
            headers={"user-agent": "git"},
            size=33,
        )
        self._session.add(delivery)
        self._session.flush()
        run = Run(settings=settings, delivery_id=delivery.id, pushed_at=values["queued_at"] - 0.2, **values)
        self._session.add(run)
        self._session.flush()
        self._session.add(
            Want(run_id=run.id, project=run.project, kind="branch", ref=run.ref, since=run.queued_at)
        )
        reason = "pushes to `main` run it" if run.ref.endswith("main") else "`fit` runs for proposals to main"
        analyses = [{"analysis": run.analysis, "outcome": "run", "reason": reason, "run": run.id}]
        self._session.add(
            Decision(
                delivery_id=delivery.id,
                decided_at=run.queued_at,
                project=run.project,
                event="push",
                ref=run.ref,
                sha=run.sha,
                actor="marie",
                outcome="run",
                reason=reason,
                analyses=analyses,
            )
        )
        return run

    def _shown(self, run: Run, state: str, description: str) -> None:
        wanted = {
            "state": state,
            "description": description,
            "run": run.id,
            "context": f"reana/{run.analysis}",
        }
        wanted |= {"ref": run.ref, "url": "http://bridge.test/runs/x?key=SECRETKEY"}
        row = OutboxRow(
            project=run.project,
            kind="status",
            key=f"{run.sha}/{run.analysis}",
            sha=run.sha,
            wanted=wanted,
            posted=wanted,
            posted_version=1,
            wanted_at=run.queued_at,
            posted_at=(run.ended_at or run.queued_at) + 0.3,
        )
        self._session.add(row)

    def _keep(self, run: Run, path: str, content: bytes, kind: str = "output") -> Artifact:
        blob = self._bridge.blobs.put(io.BytesIO(content), limit=1 << 24)
        row = ArtifactRow(run_id=run.id, kind=kind, path=path, digest=blob.digest, size=blob.size)
        self._session.add(row)
        return Artifact(path=path, digest=blob.digest, size=blob.size)

    def _finished(
        self,
        sha: str,
        ref: str,
        at: float,
        *,
        shift: float = 0.0,
        baseline: Run | None = None,
        project: str = PRIVATE,
    ) -> Run:
        steps = [
            _step(name, at + 2 + 40 * n, at + 38 + 40 * n)
            for n, name in enumerate(("simulate", "select", "fit", "plot"))
        ]
        run = self._run(
            sha=sha,
            ref=ref,
            project=project,
            target="refs/heads/main" if baseline else "",
            proposal=baseline is not None,
            state=RunState.FINISHED,
            queued_at=at,
            started_at=at + 1,
            backend_ended_at=at + 160,
            ended_at=at + 161,
            steps=to_data(steps),
        )
        kept = [self._keep(run, path, content) for path, content in (HOSTILE | _outputs(shift)).items()]
        for step in steps:
            text = f"\x1b[32m{step.name}\x1b[0m starts\n<b>not bold</b> caf\u00e9\nbell\x07 done\n".encode()
            self._keep(run, step.log, text, kind="log")
        measured = values(self._metrics, shift)
        environment = {"python": "3.11.7", "numpy": "2.2.0" if baseline else "2.1.0", "scipy": "1.16.1"}
        result = Result(
            metrics=tuple(measured),
            artifacts=tuple(sorted(kept, key=lambda a: a.path)),
            environment=environment,
        )
        run.result = to_data(result)
        for metric in measured:
            self._session.add(
                MetricRow(
                    run_id=run.id,
                    name=metric.name,
                    project=run.project,
                    analysis=run.analysis,
                    value=float(metric.value),
                    uncertainty=metric.uncertainty,
                    unit=metric.unit,
                )
            )
        self._shown(
            run,
            "success",
            f"{len(measured)} metrics" if not baseline else "1 of 14 metrics got worse, 1 better",
        )
        return run

    def _comparison(self, head: Run, main: Run) -> str:
        from reana_bridge.model.codec import from_data

        baseline = Baseline(
            run_id=main.id,
            sha=main.sha,
            branch="main",
            reason=BaselineReason.MERGE_BASE,
            ahead=2,
            ended_at=main.ended_at,
        )
        comparison = compare(
            baseline=baseline,
            baseline_result=from_data(Result, main.result),
            head=from_data(Result, head.result),
            made_at=head.ended_at or 0.0,
            rules=(Rule(metric="upper limit*", relative=0.05, effect=RuleEffect.WARN),),
            proposed_rules=(Rule(metric="upper limit*", relative=0.05, effect=RuleEffect.WARN),),
        )
        row = ComparisonRow(
            run_id=head.id,
            baseline_run_id=main.id,
            rules_sha=main.sha,
            made_at=head.ended_at or 0.0,
            document=to_data(comparison),
        )
        self._session.add(row)
        note_alarms(self._session, head, comparison)
        self._session.flush()
        return row.id

    def _failed(self) -> Run:
        at = NOW - 1800
        steps = [
            _step("simulate", at + 2, at + 40),
            _step("select", at + 40, at + 55),
            replace(
                _step("fit", at + 55, at + 175),
                state=StepState.FAILED,
                exit_status=1,
                command="python fit.py --signal 1.0",
            ),
            StepRecord(name="plot"),
        ]
        trace = ('  File "fit.py", line 88, in likelihood', "KeyError: 'n_tracks'")
        failure = Failure(kind=FailureKind.ANALYSIS, message="exit status 1", step="fit", log_tail=trace)
        run = self._run(
            sha=BROKEN,
            ref="refs/heads/break-the-fit",
            proposal=True,
            target="refs/heads/main",
            state=RunState.FAILED,
            queued_at=at,
            started_at=at + 1,
            backend_ended_at=at + 175,
            ended_at=at + 176,
            steps=to_data(steps),
            failure=to_data(failure),
        )
        self._shown(run, "failure", "step 3 of 4, fit, failed after 2 min: exit status 1")
        return run

    def _live(self, state: str, at: float) -> Run:
        sha = state.encode().hex()[:10].ljust(40, "c")
        steps = [
            _step("simulate", at + 2, at + 40),
            StepRecord(
                name="select",
                state=StepState.RUNNING,
                started_at=at + 40,
                log="select",
                command="python select.py",
            ),
            StepRecord(name="fit"),
            StepRecord(name="plot"),
        ]
        running = state == "running"
        run = self._run(
            sha=sha,
            ref="refs/heads/more-data",
            proposal=True,
            target="refs/heads/main",
            state=RunState(state),
            live_key=f"{PRIVATE}|fit|{sha}|",
            queued_at=at,
            started_at=at + 1 if running else None,
            steps=to_data(steps) if running else None,
            host="here" if running else "",
            backend_id="job-1" if running else None,
            backend_name="rb-job-1",
        )
        logs: Any = self._bridge.backends["local"]
        logs.content["job-1", "select"] = (
            b"".join(b"event %d selected\n" % n for n in range(2000)) + "caf\u00e9 \u20ac".encode()
        )
        self._shown(
            run,
            "running" if running else "pending",
            "is running, step 2 of 4: select" if running else "waits for its turn",
        )
        return run


def values(count: int, shift: float = 0.0) -> list[Metric]:
    """Physics-like metrics; `shift` moves the limit and the efficiency."""
    found = [
        Metric(
            name="upper limit (95 % CL)",
            value=4.21 + 0.19 * shift,
            uncertainty=0.12,
            unit="fb",
            direction=Direction.LOWER,
            description="Observed limit on the signal cross section",
        ),
        Metric(
            name="signal efficiency",
            value=31.2 + 0.46 * shift,
            uncertainty=0.25,
            unit="%",
            direction=Direction.HIGHER,
        ),
        Metric(name="chi2 / ndf", value=1.04 + 0.012 * shift),
    ]
    found += [
        Metric(name=f"yield.region_{n:04d}", value=100.0 + n, uncertainty=10.0, unit="events")
        for n in range(count - 3)
    ]
    return found


def _step(name: str, start: float, end: float) -> StepRecord:
    return StepRecord(
        name=name,
        state=StepState.FINISHED,
        started_at=start,
        ended_at=end,
        exit_status=0,
        log=name,
        environment="fit-env (scipy 1.16)",
    )


def _outputs(shift: float) -> dict[str, bytes]:
    return {
        "results/mass_spectrum.png": picture(shift),
        "results/shape.svg": drawing(shift),
        "results/metrics.json": f'{{"shift": {shift}}}'.encode(),
        "results/limits.csv": b"mass,limit\n125,4.2\n",
    }


def drawing(shift: float) -> bytes:
    """A small plot as an SVG."""
    points = " ".join(
        f"{x},{120 - 80 * math.exp(-(((x - 150 - 10 * shift) / 40) ** 2)):.1f}" for x in range(0, 301, 10)
    )
    return (
        "<svg xmlns='http://www.w3.org/2000/svg' width='300' height='140'>"
        "<rect width='300' height='140' fill='#fff'/>"
        f"<polyline fill='none' stroke='#1d4e89' stroke-width='2' points='{points}'/></svg>"
    ).encode()


def picture(shift: float, width: int = 480, height: int = 300) -> bytes:
    """A histogram-like PNG, made without a library."""
    heights = [int(40 + 200 * math.exp(-(((x - 190 - 12 * shift) / 70) ** 2))) for x in range(0, width, 12)]
    rows = bytearray()
    for y in range(height):
        rows.append(0)
        for x in range(width):
            bar = height - 20 - heights[x // 12] < y < height - 20
            rows += b"\x1d\x4e\x89" if bar and x % 12 > 1 else b"\xff\xff\xff"

    def chunk(kind: bytes, content: bytes) -> bytes:
        return (
            struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(bytes(rows)))
        + chunk(b"IEND", b"")
    )
