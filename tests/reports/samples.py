"""One report for each outcome that a reader can meet; the golden files show what becomes of them."""

from dataclasses import replace

from reana_bridge.model.analyses import Rule
from reana_bridge.model.comparisons import Baseline, BaselineReason, RuleEffect
from reana_bridge.model.metrics import Direction, Metric
from reana_bridge.model.problems import Problem
from reana_bridge.model.readings import Unreadable
from reana_bridge.model.reports import NoteContent, Report
from reana_bridge.model.results import Artifact, Failure, Result, Skipped, StepRecord, StepState
from reana_bridge.model.runs import FailureKind, RunState
from reana_bridge.results.comparison import compare

SHA, BASE = "3f9c2a17c0b5d1e84a6f2b90d7c3e5a1f8b4d602", "8d01b7e4a9c2f63015be7d84c0a1f92e6b3d5870"
NOON = 1795348800.0  # 2026-11-22 12:00 UTC
URL = "https://bridge.example.org/runs/r-2f81"
BASELINE = Baseline(
    run_id="r-1c07", sha=BASE, branch="main", reason=BaselineReason.MERGE_BASE, ahead=2, ended_at=NOON + 7500
)


def metric(name, value, uncertainty=None, unit="", direction=Direction.NONE, **more):
    return Metric(name=name, value=value, uncertainty=uncertainty, unit=unit, direction=direction, **more)


def metrics(limit=4.2134, width=0.1234, efficiency=31.2, chi2=1.04, mu=1.02, **more):
    return (
        metric(
            "upper limit (95 % CL)", limit, width, "fb", Direction.LOWER, description="Expected upper limit"
        ),
        metric("signal_efficiency", efficiency, 0.25, "%", Direction.HIGHER),
        metric("chi2/ndf", chi2),
        metric("mu", mu, 0.08, direction=Direction.TARGET, target=1.0),
        metric("fit.converged", True, direction=Direction.HIGHER),
        metric("generator", "pythia 8.312"),
        metric("n_events", 125000),
        *(metric(name, value) for name, value in more.items()),
    )


def artifacts(tag):
    return (
        Artifact(path="results/fit.json", digest="f", size=1200),
        Artifact(path="results/limits.csv", digest=f"l{tag}", size=310),
        Artifact(path="results/mass.png", digest=f"m{tag}", size=18_000),
        Artifact(path="results/yields.csv", digest="y", size=90),
    )


def steps(*states, names=("simulate", "select", "fit", "plot")):
    records, at = [], NOON + 10
    for name, state in zip(names, states, strict=True):
        started = None if state is StepState.WAITING else at
        ended = at + 120 if state in {StepState.FINISHED, StepState.FAILED} else None
        status = {StepState.FINISHED: 0, StepState.FAILED: 1}.get(state)
        records.append(
            StepRecord(name=name, state=state, started_at=started, ended_at=ended, exit_status=status)
        )
        at += 120
    return tuple(records)


W, R, F, X = StepState.WAITING, StepState.RUNNING, StepState.FINISHED, StepState.FAILED
BEFORE = Result(
    metrics=metrics(stale=1.0), artifacts=artifacts("1"), environment={"numpy": "2.1.0", "python": "3.11.7"}
)
AFTER = Result(
    metrics=metrics(
        limit=4.98, width=0.13, efficiency=33.05, chi2=1.09, mu=1.04, **{"background yield": 812}
    ),
    artifacts=artifacts("2"),
    environment={"numpy": "2.2.0", "python": "3.11.7"},
)
COMMON = Report(
    project="local:physics/bump",
    analysis="fit",
    run_id="r-2f81",
    run_url=URL,
    sha=SHA,
    branch="tighter-cuts",
    state=RunState.FINISHED,
    backend="local",
    queued_at=NOON,
    started_at=NOON + 10,
    ended_at=NOON + 490,
    steps=steps(F, F, F, F),
    file_urls={f.path: f"{URL}/files/{f.path}?key=k2" for f in artifacts("2")},
    baseline_file_urls={
        f.path: f"https://bridge.example.org/runs/r-1c07/files/{f.path}" for f in artifacts("1")
    },
)


def compared(after=AFTER, before=BEFORE, baseline=BASELINE, waiting_for="", **more):
    made = compare(
        baseline=baseline,
        baseline_result=before if baseline else None,
        head=after,
        made_at=NOON + 500,
        **more,
    )
    return replace(made, interim=bool(waiting_for), waiting_for=waiting_for)


def finished(after=AFTER, **more):
    comparison = compared(after, **{k: v for k, v in more.items() if k not in Report.__dataclass_fields__})
    fields = {k: v for k, v in more.items() if k in Report.__dataclass_fields__}
    return replace(COMMON, result=after, comparison=comparison, **fields)


def failed(failure, **more):
    return replace(COMMON, state=RunState.FAILED, failure=failure, file_urls={}, **more)


BLOCK = Rule(metric="upper limit*", relative=0.05, effect=RuleEffect.BLOCK)
WARN = Rule(metric="chi2/ndf", maximum=1.05)
HOSTILE = "</details> @everyone [x](http://evil.example) | `#1`\n/merge"

SAMPLES = {
    "moved": finished(),
    "blocked": finished(
        rules=[BLOCK, WARN],
        proposed_rules=[replace(BLOCK, relative=0.25), WARN, Rule(metric="mu", sigmas=0.1)],
    ),
    "same": finished(replace(BEFORE)),
    "within-noise": finished(replace(BEFORE, metrics=metrics(limit=4.3, efficiency=31.4, stale=1.0))),
    "better": finished(replace(BEFORE, metrics=metrics(limit=3.1, stale=1.0))),
    "not-a-number": finished(
        replace(
            BEFORE,
            metrics=(
                metric("mu", float("nan")),
                metric("n_events", "many"),
                metric("chi2/ndf", float("inf")),
            ),
        )
    ),
    "first-run": finished(
        baseline=None,
        no_baseline="main has no successful run at the merge-base 8d01b7e or before it",
        rules=[WARN],
    ),
    "ancestor": finished(
        baseline=replace(BASELINE, reason=BaselineReason.ANCESTOR, distance=3, ahead=None),
        warnings=("step fit ran without its container image docker.io/library/python:3.12",),
        problems=(
            Problem(
                message="is not known",
                file=".reana-bridge.yaml",
                line=12,
                key="on.push.branch",
                hint="did you mean `branches`?",
                severity="warning",
            ),
        ),
        parameters={"events": "5000", "seed": "7"},
        attempt=2,
    ),
    "interim": finished(
        baseline=replace(BASELINE, reason=BaselineReason.ANCESTOR, distance=1), waiting_for=BASE
    ),
    "no-metrics": finished(
        Result(
            artifacts=artifacts("2")[:2],
            unreadable=(
                Unreadable(
                    source="results/metrics.json", reason="line 3, column 1: is no JSON: Expecting value"
                ),
            ),
            skipped=(Skipped(path="results/big.root", reason="is larger than 1 GiB"),),
        ),
        before=Result(artifacts=artifacts("1")),
    ),
    "failed": failed(
        Failure(
            kind=FailureKind.ANALYSIS,
            message="exit status 1",
            step="fit",
            log_tail=(
                "Traceback (most recent call last):",
                '  File "fit.py", line 88, in likelihood',
                "    tracks = events['n_tracks']",
                "\x1b[31mKeyError\x1b[0m: 'n_tracks'",
            ),
        ),
        steps=steps(F, F, X, W),
    ),
    "limit": failed(
        Failure(
            kind=FailureKind.LIMIT,
            message="used more than its 2 GiB of memory",
            step="select",
            log_tail=("reading 125000 events", "```", "/close"),
            hint="Ask for more with `limits.memory`, or read the events in chunks.",
        ),
        steps=steps(F, X, W, W),
    ),
    "infrastructure": failed(
        Failure(
            kind=FailureKind.INFRASTRUCTURE,
            message="the disk of the server is full",
            hint="It is tried again.",
        ),
        steps=steps(F, W, W, W),
        attempt=3,
    ),
    "configuration": replace(
        failed(
            Failure(kind=FailureKind.CONFIGURATION, message="its configuration is wrong"),
            problems=(
                Problem(
                    message="is not known",
                    file=".reana-bridge.yaml",
                    line=12,
                    key="on.push.branch",
                    hint="did you mean `branches`?",
                ),
                Problem(
                    message="is missing",
                    file="reana.yaml",
                    line=1,
                    key="workflow.type",
                    hint="write `type: serial`",
                ),
            ),
            steps=(),
        ),
        run_id="",
        run_url="",
        started_at=None,
        ended_at=None,
    ),
    "cancelled": replace(
        COMMON,
        state=RunState.CANCELLED,
        reason="5 newer commits were pushed to tighter-cuts",
        steps=steps(F, R, W, W),
    ),
    "waiting": replace(
        COMMON,
        state=RunState.QUEUED,
        reason="2 runs of this project are running, at most 2 may",
        started_at=None,
        ended_at=None,
        steps=(),
    ),
    "running": replace(COMMON, state=RunState.RUNNING, ended_at=None, steps=steps(F, R, W, W)),
    "working-tree": replace(
        finished(), sha="", run_url="", run_id="", file_urls={}, baseline_file_urls={}, branch=""
    ),
    "hostile": replace(
        finished(
            replace(
                AFTER,
                metrics=(metric(HOSTILE, HOSTILE, unit=HOSTILE), metric("@bob", 3.0), metric("#12", 1e-7)),
            ),
            before=replace(
                BEFORE, metrics=(metric(HOSTILE, "x"), metric("@bob", 1.0), metric("!1|2", "<img src=x>"))
            ),
            baseline=replace(BASELINE, branch=HOSTILE),
            warnings=(HOSTILE,),
            parameters={HOSTILE: HOSTILE},
        ),
        analysis=HOSTILE,
        branch=HOSTILE,
    ),
}

OLD = "b1c2d3e4f5061728394a5b6c7d8e9f0a1b2c3d4e"
WAITING = replace(
    COMMON,
    state=RunState.WAITING,
    changes_url="https://bridge.example.org/as/if/a/forge/merge_requests/5/diffs",
    merge_request=5,
    started_at=None,
    ended_at=None,
    steps=(),
)
SAMPLES["needs-approval"] = WAITING
SAMPLES["approved"] = replace(SAMPLES["better"], merge_request=5, approved_by="alice")


def content(*reports, **more):
    return NoteContent(
        project="gitlab:physics/bump", number=5, sha=SHA, default_branch="main", reports=reports, **more
    )


NOTES = {
    "several": content(
        replace(SAMPLES["better"], analysis="a-fit"),
        replace(SAMPLES["failed"], analysis="b-toys"),
        replace(SAMPLES["blocked"], analysis="c-limits"),
        replace(SAMPLES["needs-approval"], analysis="d-scan"),
    ),
    "head-is-running": content(SAMPLES["running"], superseded=(replace(SAMPLES["moved"], sha=OLD),)),
    "nothing-runs": content(
        skipped="only files changed that no analysis reads (`docs/*`)",
        superseded=(replace(SAMPLES["first-run"], sha=OLD),),
    ),
    "paused": content(
        SAMPLES["waiting"], pauses=("gitlab:physics/bump is paused by the administrator: new disks",)
    ),
    "without-commands": content(SAMPLES["failed"], SAMPLES["needs-approval"], commands=False),
    "first": content(SAMPLES["first-run"]),
    "hostile": content(
        SAMPLES["hostile"],
        skipped=HOSTILE,
        pauses=(HOSTILE,),
        superseded=(SAMPLES["hostile"],),
    ),
}
