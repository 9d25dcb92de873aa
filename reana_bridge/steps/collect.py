"""Collect: keep what an ended run left (declared outputs, logs), and read its metrics.

Promises: nothing outside of the workspace is read; sizes and counts are bounded, and what was left out is
said; collecting again after a crash gives the same.
"""

import math
from collections.abc import Iterable
from dataclasses import replace
from io import BytesIO
from typing import Any, cast

from sqlalchemy import and_, delete

from reana_bridge.backends.base import Backend, BackendError, BackendUnavailable
from reana_bridge.crashpoints import reach
from reana_bridge.forges.base import ForgeRefused
from reana_bridge.model.analyses import Analysis, MetricsFile
from reana_bridge.model.codec import from_data, to_data
from reana_bridge.model.globs import matches
from reana_bridge.model.problems import ConfigurationError
from reana_bridge.model.projects import Project
from reana_bridge.model.readings import Reading, Unreadable
from reana_bridge.model.results import Artifact, Failure, Result, Skipped, StepRecord
from reana_bridge.model.runs import FailureKind, RunState
from reana_bridge.model.specification import Specification
from reana_bridge.results.hints import apply_hints
from reana_bridge.results.readers import MetricsContent, read_metrics
from reana_bridge.steps.bridge import Bridge
from reana_bridge.steps.reporting import analysis_of, steps_of
from reana_bridge.steps.sources import fetched, specification_of
from reana_bridge.steps.transitions import move
from reana_bridge.steps.worker import pause
from reana_bridge.store.blobs import TooLarge
from reana_bridge.store.leases import claim
from reana_bridge.store.tables import ArtifactRow, MetricRow, Run

USUAL_METRICS = tuple(
    f"{directory}metrics.{ending}"
    for directory in ("results/", "")
    for ending in ("json", "yaml", "yml", "csv")
)
_ABSENT = "not there"
_run = cast(Any, Run)


class Collect:
    """Works on runs that are `collecting`."""

    name = "collect"
    table: Any = Run

    def __init__(self, bridge: Bridge) -> None:
        self._bridge = bridge
        self.mine = and_(_run.state == RunState.COLLECTING.value, _run.host.in_(["", bridge.host]))

    def claim(self, limit: int) -> list[Run]:
        """Ended runs of backends that this process reaches."""
        database = self._bridge.database
        with database.transaction() as session:
            due = (self.mine, _run.due_at <= database.now(session))
            return claim(database, session, Run, *due, order=[_run.backend_ended_at], limit=limit)

    def act(self, row: Run) -> None:
        """Keep files and logs, read metrics, and hand over to compare (or end a failed run)."""
        bridge = self._bridge
        backend = bridge.backends[row.backend]
        analysis = analysis_of(row)
        before = from_data(Result, row.result) if row.result else Result()
        try:
            fetched(bridge, Project.parse(row.project), row.sha)
            specification, _ = specification_of(bridge, row, analysis)
            artifacts, skipped = self._artifacts(backend, row, _patterns(analysis, specification))
            logs = self._logs(backend, row, steps_of(row))
        except BackendUnavailable as error:
            self._hold_on(row, str(error))
            return
        except BackendError as error:
            self._again(row, str(error))
            return
        except (ConfigurationError, ForgeRefused) as error:
            # It ran, so its specification was there and right; since then it is gone, or read otherwise.
            artifacts, skipped = [], [Skipped(path="*", reason=str(error))]
            logs = self._logs(backend, row, steps_of(row))
        reading = self._reading(analysis, artifacts)
        if row.failure:  # what a failed run did not come to leave is no news
            skipped = [item for item in skipped if item.reason != _ABSENT]
            reading = replace(reading, unreadable=())
        result = Result(
            metrics=reading.metrics,
            unreadable=reading.unreadable,
            artifacts=tuple(artifacts),
            skipped=tuple(skipped),
            environment=before.environment,
        )
        reach("collect.kept")
        self._store(row, result, logs)
        reach("collect.stored")

    def _artifacts(
        self, backend: Backend, row: Run, patterns: list[str]
    ) -> tuple[list[Artifact], list[Skipped]]:
        limits = self._bridge.settings.limits
        kept: list[Artifact] = []
        skipped: list[Skipped] = []
        left = limits.artifacts
        for file in backend.outputs(row.backend_id or "", patterns):
            reason = file.problem
            if not reason and len(kept) >= limits.artifact_count:
                skipped.append(Skipped(path="*", reason=f"more than {limits.artifact_count} files"))
                break
            if not reason and file.size > min(left, limits.artifact):
                reason = f"{file.size} bytes are more than may be kept ({min(left, limits.artifact)})"
            if not reason:
                try:
                    with backend.read(row.backend_id or "", file.path) as source:
                        blob = self._bridge.blobs.put(source, limit=min(left, limits.artifact))
                    left -= blob.size
                    kept.append(Artifact(path=file.path, digest=blob.digest, size=blob.size))
                    continue
                except (FileNotFoundError, TooLarge) as error:
                    reason = f"could not be kept: {error}"
            skipped.append(Skipped(path=file.path, reason=reason))
        found = [item.path for item in kept] + [item.path for item in skipped]
        skipped += [Skipped(path=p, reason=_ABSENT) for p in patterns if not _any_matches(found, p)]
        return sorted(kept, key=lambda a: a.path), skipped

    def _logs(self, backend: Backend, row: Run, steps: Iterable[StepRecord]) -> list[Artifact]:
        kept: list[Artifact] = []
        further: tuple[str, ...] = getattr(backend, "further_logs", ())
        for name in dict.fromkeys([*(step.log for step in steps if step.log), *further]):
            with _LogReader(backend, row.backend_id or "", name) as log:
                blob = self._bridge.blobs.put(log, limit=1 << 30)
            if name in further and not blob.size:
                continue
            kept.append(Artifact(path=name, digest=blob.digest, size=blob.size))
        return kept

    def _reading(self, analysis: Analysis, artifacts: list[Artifact]) -> Reading:
        limit = self._bridge.settings.limits.metrics_file
        readable: list[MetricsContent] = []
        unreadable = _absent(analysis, artifacts)
        for declared, artifact in _metrics_files(analysis, artifacts):
            if artifact.size > limit:
                reason = f"{artifact.size} bytes are more than the {limit} that are read"
                unreadable.append(Unreadable(source=artifact.path, reason=reason))
                continue
            content = self._bridge.blobs.read(artifact.digest, limit)
            form, prefix = declared.format, declared.prefix
            readable.append(MetricsContent(path=artifact.path, content=content, format=form, prefix=prefix))
        reading = read_metrics(readable)
        metrics = apply_hints(reading.metrics, analysis.hints)
        return Reading(metrics=metrics, unreadable=(*reading.unreadable, *unreadable))

    def _hold_on(self, row: Run, message: str) -> None:
        """Wait for a backend that is away: what the run left is still there."""
        limits = self._bridge.settings.limits
        with self._bridge.database.read() as session:
            waited = self._bridge.database.now(session) - (row.backend_ended_at or row.queued_at)
        if waited < limits.queued_seconds:
            row.attempt = min(row.attempt, limits.attempts * 3 - 1)
        self._again(row, message)

    def _again(self, row: Run, message: str) -> None:
        limit = self._bridge.settings.limits.attempts * 3
        with self._bridge.database.transaction() as session:
            if row.attempt >= limit:
                failure = Failure(kind=FailureKind.INFRASTRUCTURE, message=message)
                move(self._bridge, session, row, RunState.FAILED, failure=to_data(failure))
                return
            due = self._bridge.database.now(session) + pause(row.attempt)
            move(self._bridge, session, row, row.state, due_at=due, activity=message, attempt=row.attempt)

    def _store(self, row: Run, result: Result, logs: list[Artifact]) -> None:
        bridge = self._bridge
        with bridge.database.transaction() as session:
            for table in (ArtifactRow, MetricRow):
                session.execute(delete(table).where(cast(Any, table).run_id == row.id))
            session.add_all(_artifact_rows(row, result, logs))
            session.add_all(_metric_rows(row, result))
            after = RunState.FAILED if row.failure else RunState.COMPARING
            move(bridge, session, row, after, result=to_data(result), activity="")


class _LogReader(BytesIO):
    """A step's log as a file to read from, fetched piece by piece."""

    def __init__(self, backend: Backend, identity: str, step: str) -> None:
        super().__init__()
        self._backend, self._identity, self._step = backend, identity, step
        self._offset = 0

    def read(self, size: int | None = -1, /) -> bytes:
        piece = self._backend.log(self._identity, self._step, self._offset, size or 0)
        self._offset += len(piece)
        return piece


def _patterns(analysis: Analysis, specification: Specification) -> list[str]:
    declared = [*specification.output_files, *specification.output_directories, *analysis.artifacts]
    declared += [file.path for file in analysis.metrics]
    return list(dict.fromkeys(declared))


def _any_matches(found: list[str], pattern: str) -> bool:
    directory = pattern.rstrip("/")
    return any(
        path == directory or path.startswith(f"{directory}/") or matches(path, [pattern]) for path in found
    )


def _metrics_files(analysis: Analysis, artifacts: list[Artifact]) -> Iterable[tuple[MetricsFile, Artifact]]:
    declared = analysis.metrics or tuple(MetricsFile(path=path) for path in USUAL_METRICS)
    for file in declared:
        yield from ((file, artifact) for artifact in artifacts if matches(artifact.path, [file.path]))


def _absent(analysis: Analysis, artifacts: list[Artifact]) -> list[Unreadable]:
    paths = [artifact.path for artifact in artifacts]
    absent = [file.path for file in analysis.metrics if not _any_matches(paths, file.path)]
    return [Unreadable(source=path, reason="the run left no such file") for path in absent]


def _artifact_rows(row: Run, result: Result, logs: list[Artifact]) -> list[ArtifactRow]:
    kinds = (("output", result.artifacts), ("log", logs))
    return [
        ArtifactRow(run_id=row.id, kind=kind, path=item.path, digest=item.digest, size=item.size)
        for kind, items in kinds
        for item in items
    ]


def _metric_rows(row: Run, result: Result) -> list[MetricRow]:
    return [
        MetricRow(
            run_id=row.id,
            name=metric.name,
            project=row.project,
            analysis=row.analysis,
            value=float(metric.value),
            uncertainty=metric.uncertainty,
            unit=metric.unit,
        )
        for metric in result.metrics
        if isinstance(metric.value, int | float) and math.isfinite(metric.value)
    ]
