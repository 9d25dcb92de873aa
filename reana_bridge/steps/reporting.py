"""From rows to a report: gathers what one run's section of a note, status and page are rendered from."""

from typing import Any, cast
from urllib.parse import quote

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from reana_bridge.model.analyses import Analysis
from reana_bridge.model.codec import from_data
from reana_bridge.model.comparisons import Comparison
from reana_bridge.model.problems import Problem
from reana_bridge.model.reports import Report
from reana_bridge.model.results import Artifact, Failure, Result, StepRecord
from reana_bridge.model.runs import RunState
from reana_bridge.reports.words import short_ref
from reana_bridge.steps.bridge import Bridge
from reana_bridge.steps.pausing import pauses_on
from reana_bridge.steps.showing import drawn_urls, with_advice
from reana_bridge.store.tables import ComparisonRow, ProjectRow, Run

_COMPARISON = select(ComparisonRow).where(cast(Any, ComparisonRow).run_id == bindparam("run"))


def report_of(bridge: Bridge, session: Session, run: Run, *, paused: str | None = None) -> Report:
    """Everything that there is to say of `run` now; `paused` is its `paused_reason` where that is known."""
    project = session.get(ProjectRow, run.project)
    row = comparison_row(session, run.id) if run.result else None
    comparison = from_data(Comparison, row.document) if row else None
    result = from_data(Result, run.result) if run.result else None
    parameters: dict[str, object] = run.parameters or {}
    baseline = session.get(Run, row.baseline_run_id) if row and row.baseline_run_id else None
    steps, run_url = steps_of(run), bridge.run_url(project, run.id)
    return Report(
        project=run.project,
        analysis=run.analysis,
        sha=run.sha,
        state=RunState(run.state),
        run_id=run.id,
        run_url=run_url,
        comparison_url=_comparison_url(bridge, row, run_url),
        branch=short_ref(run.ref),
        reason=run.reason or (paused_reason(session, run) if paused is None else paused) or run.activity,
        steps=steps,
        result=result,
        comparison=comparison,
        failure=with_advice(from_data(Failure, run.failure), steps) if run.failure else None,
        problems=tuple(from_data(Problem, item) for item in run.problems or ()),
        warnings=tuple(run.warnings or ()),
        attempt=run.run_attempt,
        parameters={name: str(value) for name, value in parameters.items()},
        backend=run.backend,
        queued_at=run.queued_at,
        started_at=run.started_at,
        ended_at=run.backend_ended_at or run.ended_at,
        artifact_urls=artifact_urls(bridge, project, run),
        file_urls=file_urls(bridge, project, run),
        baseline_file_urls=file_urls(bridge, project, baseline) if baseline else {},
        drawn_urls=drawn_urls(comparison, run_url),
        merge_request=run.merge_request,
        approved_by=run.approved_by,
        changes_url=_changes_url(bridge, run),
    )


def _comparison_url(bridge: Bridge, row: ComparisonRow | None, run_url: str) -> str:
    """The address of a comparison's page, with the key that its run's has."""
    if row is None or not run_url:
        return ""
    key = run_url.partition("?")[2]
    return f"{bridge.address}/comparisons/{row.id}" + (f"?{key}" if key else "")


def paused_reason(session: Session, run: Run) -> str:
    """Why a queued run is not started while an administrator wants it so; empty else."""
    if run.state != RunState.QUEUED:
        return ""
    return "; ".join(pauses_on(session, run.project, run.backend))


def steps_of(run: Run) -> tuple[StepRecord, ...]:
    """The run's step records so far."""
    return tuple(from_data(StepRecord, item) for item in run.steps or ())


def analysis_of(run: Run) -> Analysis:
    """The analysis as it was when the run was decided, within the server's limits."""
    return from_data(Analysis, (run.settings or {})["analysis"])


def comparison_row(session: Session, run_id: str) -> ComparisonRow | None:
    """The run's comparison; None before it was made."""
    return session.execute(_COMPARISON, {"run": run_id}).scalar_one_or_none()


def newest_runs(session: Session, project: str, sha: str) -> list[Run]:
    """Each analysis' newest run of the commit with default parameters, by name."""
    table = cast(Any, Run)
    same = (table.project == project, table.sha == sha, table.parameters_digest == "")
    found = session.execute(select(Run).where(*same).order_by(table.queued_at, table.id)).scalars()
    newest = {run.analysis: run for run in found}
    return [newest[name] for name in sorted(newest)]


_CHANGES = {"gitlab": "-/merge_requests/{number}/diffs", "github": "pull/{number}/files"}


def _changes_url(bridge: Bridge, run: Run) -> str:
    """The forge's page of what the run's merge request changes; empty without one."""
    forge, _, path = run.project.partition(":")
    entry = bridge.settings.forges.get(forge)
    if run.merge_request is None or entry is None or not entry.url or entry.kind not in _CHANGES:
        return ""
    return f"{entry.url.rstrip('/')}/{quote(path)}/{_CHANGES[entry.kind].format(number=run.merge_request)}"


def artifact_urls(bridge: Bridge, project: ProjectRow | None, run: Run) -> dict[str, str]:
    """Artifact path -> the address of its content, with the key of its run; empty without a server."""
    return _urls(bridge, project, run, "artifacts")


def file_urls(bridge: Bridge, project: ProjectRow | None, run: Run) -> dict[str, str]:
    """Artifact path -> the address of the page that shows it, with the key of its run."""
    return _urls(bridge, project, run, "files")


def _urls(bridge: Bridge, project: ProjectRow | None, run: Run, room: str) -> dict[str, str]:
    page, _, key = bridge.run_url(project, run.id).partition("?")
    if not run.result or not page:
        return {}
    suffix = f"?{key}" if key else ""
    # The artifacts alone: a result may have thousands of metrics.
    artifacts = (from_data(Artifact, item) for item in run.result.get("artifacts", ()))
    return {item.path: f"{page}/{room}/{quote(item.path)}{suffix}" for item in artifacts}
