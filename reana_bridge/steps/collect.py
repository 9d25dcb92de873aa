"""Collect: keep what an ended run left (declared outputs, logs), and read its metrics.

Promises: nothing outside of the workspace is read; sizes and counts are bounded, and what was left out is
said; collecting again after a crash gives the same.
"""

import math
import tempfile
from collections.abc import Iterable
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any, cast

import structlog
from sqlalchemy import and_, delete

from reana_bridge.backends.base import Backend, BackendError, BackendUnavailable, Metering, OutputFile
from reana_bridge.crashpoints import reach
from reana_bridge.forges.base import ForgeRefused
from reana_bridge.model.analyses import Analysis
from reana_bridge.model.codec import from_data, to_data
from reana_bridge.model.globs import matches
from reana_bridge.model.problems import ConfigurationError
from reana_bridge.model.projects import Project
from reana_bridge.model.readings import Reading
from reana_bridge.model.results import Artifact, Failure, Resources, Result, Skipped, StepRecord
from reana_bridge.model.runs import FailureKind, RunState
from reana_bridge.model.specification import Specification
from reana_bridge.steps.bridge import Bridge
from reana_bridge.steps.collecting import checking, measuring, tracking
from reana_bridge.steps.collecting.arriving import Arriving
from reana_bridge.steps.collecting.workspace import Workspace, is_declared
from reana_bridge.steps.reporting import analysis_of, steps_of
from reana_bridge.steps.sources import fetched, specification_of
from reana_bridge.steps.transitions import move
from reana_bridge.steps.worker import pause
from reana_bridge.store.artifacts import artifact_row
from reana_bridge.store.blobs import TooLarge
from reana_bridge.store.leases import claim_of, due_rows
from reana_bridge.store.tables import ArtifactRow, MetricRow, Run

_ABSENT = "not there"
_log = structlog.get_logger()
_run = cast(Any, Run)


class Collect:
    """Works on runs that are `collecting`."""

    name = "collect"
    table: Any = Run

    def __init__(self, bridge: Bridge) -> None:
        self._bridge = bridge
        self.mine = and_(_run.state == RunState.COLLECTING.value, _run.host.in_(["", bridge.host]))
        self._due = due_rows(_run, self.mine, order=[_run.backend_ended_at])

    def claim(self, limit: int) -> list[Run]:
        """Ended runs of backends that this process reaches."""
        database = self._bridge.database
        with database.transaction() as session:
            return claim_of(database, session, Run, self._due, limit=limit)

    def act(self, row: Run) -> None:
        """Keep files and logs, read metrics, and hand over to compare (or end a failed run)."""
        bridge = self._bridge
        backend = bridge.backends[row.backend]
        analysis = analysis_of(row)
        before = from_data(Result, row.result) if row.result else Result()
        try:
            cache = fetched(bridge, Project.parse(row.project), row.sha)
            specification, _ = specification_of(bridge, row, analysis)
            patterns = _patterns(analysis, specification)
            listed = self._listed(backend, row, patterns, analysis, specification)
            artifacts, skipped = self._artifacts(backend, row, patterns, listed)
            logs = self._logs(backend, row, steps_of(row))
            found = self._found(row, cache, analysis, specification, listed, artifacts, logs)
        except BackendUnavailable as error:
            self._hold_on(row, str(error))
            return
        except BackendError as error:
            self._again(row, str(error))
            return
        except (ConfigurationError, ForgeRefused) as error:
            # It ran, so its specification was there and right; since then it is gone, or read otherwise.
            artifacts, skipped, found = [], [Skipped(path="*", reason=str(error))], Reading()
            logs = self._logs(backend, row, steps_of(row))
        if row.failure:  # what a failed run did not come to leave is no news
            skipped = [item for item in skipped if item.reason != _ABSENT]
            found = replace(found, unreadable=())
        result = Result(
            metrics=found.metrics,
            checks=found.checks,
            unreadable=found.unreadable,
            artifacts=tuple(artifacts),
            skipped=tuple(skipped),
            environment=before.environment,
            resources=self._resources(backend, row),
        )
        reach("collect.kept")
        self._store(row, result, logs)
        reach("collect.stored")

    def _listed(
        self,
        backend: Backend,
        row: Run,
        patterns: list[str],
        analysis: Analysis,
        specification: Specification,
    ) -> list[OutputFile]:
        """The workspace's files that are kept or read; all of them where scenarios ask for them."""
        wanted = (
            ["**"] if checking.feature_files(specification) else [*patterns, *measuring.looked_for(analysis)]
        )
        return list(backend.outputs(row.backend_id or "", wanted))

    def _artifacts(
        self, backend: Backend, row: Run, patterns: list[str], listed: list[OutputFile]
    ) -> tuple[list[Artifact], list[Skipped]]:
        limits, arriving = self._bridge.settings.limits, Arriving(self._bridge, row)
        kept: list[Artifact] = []
        skipped: list[Skipped] = []
        left = limits.artifacts
        for file in listed:
            if not is_declared(file.path, patterns):
                continue
            reason = file.problem
            if not reason and len(kept) >= limits.artifact_count:
                skipped.append(Skipped(path="*", reason=f"more than {limits.artifact_count} files"))
                break
            if not reason and file.size > min(left, limits.artifact):
                reason = f"{file.size} bytes are more than may be kept ({min(left, limits.artifact)})"
            if not reason:
                try:
                    kept.append(self._one(backend, row, file, arriving, limit=min(left, limits.artifact)))
                    left -= kept[-1].size
                    continue
                except (FileNotFoundError, TooLarge) as error:
                    reason = f"could not be kept: {error}"
            skipped.append(Skipped(path=file.path, reason=reason))
        found = [item.path for item in kept] + [item.path for item in skipped]
        skipped += [Skipped(path=p, reason=_ABSENT) for p in patterns if not _any_matches(found, p)]
        return sorted(kept, key=lambda a: a.path), skipped

    def _one(
        self, backend: Backend, row: Run, file: OutputFile, arriving: Arriving, *, limit: int
    ) -> Artifact:
        """The file, kept now or before collecting broke off."""
        artifact = arriving.find(file.path, file.size)
        if artifact is None:
            with backend.read(row.backend_id or "", file.path) as source:
                blob = self._bridge.blobs.put(source, limit=limit)
            artifact = Artifact(path=file.path, digest=blob.digest, size=blob.size)
            arriving.add(artifact)
        return artifact

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

    def _resources(self, backend: Backend, row: Run) -> Resources:
        """What it used, where that is known: no result waits for it."""
        if not isinstance(backend, Metering):
            return Resources()
        try:
            return backend.resources(row.backend_id or "")
        except BackendError as error:
            _log.warning("collect.resources", run=row.id, error=str(error))
            return Resources()

    def _found(
        self,
        row: Run,
        cache: Path,
        analysis: Analysis,
        specification: Specification,
        listed: list[OutputFile],
        artifacts: list[Artifact],
        logs: list[Artifact],
    ) -> Reading:
        """Metrics and checks of the run, and what of them could not be read."""
        bridge, steps = self._bridge, steps_of(row)
        limits = bridge.settings.limits
        with tempfile.TemporaryDirectory(prefix="reana-bridge-") as scratch:
            workspace = Workspace(
                backend=bridge.backends[row.backend],
                identity=row.backend_id or "",
                blobs=bridge.blobs,
                listed={file.path: file for file in listed},
                kept={artifact.path: artifact for artifact in artifacts},
                scratch=Path(scratch),
            )
            measured = measuring.Measuring(
                workspace, limits, is_input=lambda path: checking.in_commit(cache, row.sha, path)
            ).read(analysis, logs=logs, steps=steps, isolation=bridge.isolation)
            measured = tracking.joined(measured, self._tracked(row), analysis)
            facts = checking.facts_of(row, workspace, specification, steps=steps, logs=logs, limits=limits)
            paths = checking.feature_files(specification)
            checks, unreadable = checking.judge(paths, facts, cache=cache, sha=row.sha)
        return Reading(
            metrics=measured.metrics,
            checks=(*checks, *measured.checks),
            unreadable=(*measured.unreadable, *unreadable),
        )

    def _tracked(self, row: Run) -> Reading:
        """What the run logged to the tracking server, where the settings name one."""
        settings = self._bridge.settings.mlflow
        if not settings.url or row.failure:
            return Reading()
        return tracking.fetch(settings, experiment=f"{row.project}/{row.analysis}", run_name=row.id)

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
    declared += measuring.kept_for(analysis)
    return list(dict.fromkeys(declared))


def _any_matches(found: list[str], pattern: str) -> bool:
    directory = pattern.rstrip("/")
    return any(
        path == directory or path.startswith(f"{directory}/") or matches(path, [pattern]) for path in found
    )


def _artifact_rows(row: Run, result: Result, logs: list[Artifact]) -> list[ArtifactRow]:
    kinds = (("output", result.artifacts), ("log", logs))
    return [artifact_row(row.id, kind, item) for kind, items in kinds for item in items]


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
