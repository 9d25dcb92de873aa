"""From rows and model values to the API's shapes."""

import math
import re
from typing import Any, TypeVar, cast
from urllib.parse import quote

from reana_bridge.model.codec import from_data
from reana_bridge.model.metrics import Metric
from reana_bridge.model.problems import Problem
from reana_bridge.model.results import Failure, Result, StepRecord
from reana_bridge.reports.measured import show_metric
from reana_bridge.store.tables import (
    ArtifactRow,
    Decision,
    Delivery,
    OutboxRow,
    Pause,
    ProjectRow,
    Run,
    Want,
)
from reana_bridge.web import shapes
from reana_bridge.web.templating import iso

_KEY = re.compile(r"[?&]key=[0-9a-f]+")
Number = TypeVar("Number", int, float)


def delivery(row: Delivery) -> shapes.DeliveryShape:
    """A delivery, without its body and headers."""
    return shapes.DeliveryShape(
        id=row.id,
        forge=row.forge,
        hook=row.hook,
        kind=row.kind,
        received_at=iso(row.received_at),
        decided_at=iso(row.decided_at),
        size=row.size,
        attempt=row.attempt,
    )


def decision(row: Decision) -> shapes.DecisionShape:
    """A decision."""
    return shapes.DecisionShape(
        id=row.id,
        delivery_id=row.delivery_id,
        decided_at=iso(row.decided_at),
        project=row.project,
        event=row.event,
        ref=row.ref,
        sha=row.sha,
        actor=row.actor,
        outcome=row.outcome,
        reason=row.reason,
        analyses=row.analyses,
    )


def project(row: ProjectRow, *, public: bool, paused: str) -> shapes.ProjectShape:
    """A project; `public` by the settings as they are now, `paused` why, empty when it is not."""
    return shapes.ProjectShape(
        name=row.name,
        default_branch=row.default_branch,
        public=public,
        paused=paused,
        seen_at=iso(row.seen_at),
        url=project_path(row.name),
    )


def project_path(name: str) -> str:
    """The path of a project's page."""
    forge, _, path = name.partition(":")
    return f"/projects/{quote(forge)}/{quote(path)}"


def analysis(row: Run) -> shapes.AnalysisShape:
    """An analysis, from its newest run."""
    return shapes.AnalysisShape(
        project=row.project,
        name=row.analysis,
        latest_run=row.id,
        latest_state=str(row.state),
        latest_sha=row.sha,
        latest_queued_at=iso(row.queued_at),
    )


def _run_values(row: Run) -> dict[str, Any]:
    return {
        "id": row.id,
        "project": row.project,
        "analysis": row.analysis,
        "sha": row.sha,
        "ref": row.ref,
        "target": row.target,
        "proposal": row.proposal,
        "state": str(row.state),
        "wanted": str(row.wanted),
        "reason": row.reason,
        "activity": row.activity,
        "backend": row.backend,
        "attempt": row.run_attempt,
        "parameters": row.parameters or {},
        "delivery_id": row.delivery_id,
        "pushed_at": iso(row.pushed_at),
        "queued_at": iso(row.queued_at),
        "started_at": iso(row.started_at),
        "ended_at": iso(row.ended_at),
        "url": f"/runs/{row.id}",
        "merge_request": row.merge_request,
        "trusted": row.trusted,
        "approved_by": row.approved_by,
    }


def run(row: Run) -> shapes.RunShape:
    """A run, as lists have it."""
    return shapes.RunShape(**_run_values(row))


def run_detail(row: Run, wants: list[Want]) -> shapes.RunDetail:
    """A run with its steps and what became of it."""
    failure = from_data(Failure, row.failure) if row.failure else None
    result = from_data(Result, row.result) if row.result else Result()
    return shapes.RunDetail(
        **_run_values(row),
        steps=[_step(from_data(StepRecord, item)) for item in row.steps or ()],
        failure=_failure(failure) if failure else None,
        problems=[str(from_data(Problem, item)) for item in row.problems or ()],
        warnings=list(row.warnings or ()),
        environment=result.environment,
        wanted_by=[f"{want.kind} {want.ref}" for want in wants if want.ended_at is None],
    )


def _step(record: StepRecord) -> shapes.StepShape:
    return shapes.StepShape(
        name=record.name,
        state=str(record.state),
        started_at=iso(record.started_at),
        ended_at=iso(record.ended_at),
        exit_status=record.exit_status,
        command=record.command,
        image=record.image,
        environment=record.environment,
        log=record.log,
    )


def _failure(failure: Failure) -> shapes.FailureShape:
    return shapes.FailureShape(
        kind=str(failure.kind), message=failure.message, step=failure.step, hint=failure.hint
    )


def metric(value: Metric) -> shapes.MetricShape:
    """A metric; what JSON has no number for becomes null."""
    plain = value.value
    if isinstance(plain, float) and not math.isfinite(plain):
        plain = None
    return shapes.MetricShape(
        name=value.name,
        value=plain,
        shown=show_metric(value),
        unit=value.unit,
        uncertainty=finite(value.uncertainty),
        up=finite(value.up),
        down=finite(value.down),
        parts=[
            shapes.PartShape(name=one.name, up=finite(one.up), down=finite(one.down)) for one in value.parts
        ],
        direction=str(value.direction),
        target=finite(value.target),
        description=value.description,
        source=value.source,
    )


def finite(number: Number | None) -> Number | None:
    """`number`; None where JSON has none such."""
    return number if number is not None and math.isfinite(number) else None


def artifact(row: ArtifactRow) -> shapes.ArtifactShape:
    """A kept file, with the path to its content."""
    url = f"/api/v1/runs/{row.run_id}/artifacts/{quote(row.path)}"
    return shapes.ArtifactShape(path=row.path, size=row.size, digest=row.digest, url=url)


def result(row: Run) -> shapes.ResultShape:
    """What a run left."""
    left = from_data(Result, row.result)
    return shapes.ResultShape(
        run_id=row.id,
        project=row.project,
        analysis=row.analysis,
        sha=row.sha,
        ended_at=iso(row.ended_at),
        metrics=[metric(one) for one in left.metrics],
        artifact_count=len(left.artifacts),
        skipped=[f"{one.path}: {one.reason}" for one in left.skipped],
        environment=left.environment,
    )


def outbox(row: OutboxRow) -> shapes.OutboxShape:
    """What a forge must show, without addresses that hold keys."""
    wanted: dict[str, Any] = row.wanted or {}
    return shapes.OutboxShape(
        id=row.id,
        project=row.project,
        kind=row.kind,
        sha=row.sha,
        state=str(wanted.get("state", "")),
        description=str(wanted.get("description", "")),
        wanted_version=row.wanted_version,
        posted_version=row.posted_version,
        wanted_at=iso(row.wanted_at),
        posted_at=iso(row.posted_at),
        due_at=iso(row.due_at),
        attempt=row.attempt,
        error=row.error,
        merge_request=row.merge_request,
        shadow=without_keys(row.shadow),
    )


def without_keys(value: Any) -> Any:
    """What a forge was to be written, as JSON has it, but for the keys in its links."""
    if isinstance(value, str):
        return _KEY.sub("", value)
    if isinstance(value, dict):
        return {name: without_keys(part) for name, part in cast(dict[str, Any], value).items()}
    if isinstance(value, list):
        return [without_keys(part) for part in cast(list[Any], value)]
    return value


def pause(row: Pause) -> shapes.PauseShape:
    """What is paused."""
    return shapes.PauseShape(
        kind=row.kind, name=row.name, reason=row.reason, paused_by=row.paused_by, since=iso(row.since)
    )
