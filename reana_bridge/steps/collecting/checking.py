"""Judges the scenarios that a specification's `tests.files` declare on what the run left."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, cast

from reana_bridge.forges.source import TooLarge, read_file
from reana_bridge.model.readings import Check, Unreadable
from reana_bridge.model.results import Artifact, StepRecord
from reana_bridge.model.specification import Specification
from reana_bridge.results.gherkin import features
from reana_bridge.results.gherkin.facts import Facts
from reana_bridge.settings import LimitSettings
from reana_bridge.steps.collecting.workspace import Workspace
from reana_bridge.store.blobs import Blobs
from reana_bridge.store.tables import Run

FEATURE_LIMIT = 256 << 10
MAX_FEATURES = 50


def feature_files(specification: Specification) -> tuple[str, ...]:
    """The declared feature files, relative to the repository."""
    tests = cast("dict[str, Any]", specification.document.get("tests") or {})
    return tuple(str(path) for path in tests.get("files") or ())[:MAX_FEATURES]


def judge(
    paths: Sequence[str], facts: Facts, *, cache: Path, sha: str
) -> tuple[tuple[Check, ...], tuple[Unreadable, ...]]:
    """The scenarios of the feature files at a commit, judged; and what could not be read of them.

    Args:
        paths: Relative to the repository.
        facts: The run.
        cache: The bare repository that holds the commit.
        sha: The commit.
    """
    checks: list[Check] = []
    unreadable: list[Unreadable] = []
    for path in paths:
        try:
            content = read_file(cache, sha, path, FEATURE_LIMIT)
        except TooLarge:
            unreadable.append(Unreadable(source=path, reason=f"has more than {FEATURE_LIMIT} bytes"))
            continue
        if content is None:
            unreadable.append(Unreadable(source=path, reason="there is no such file in the commit"))
            continue
        reading = features.read(content.decode("utf-8", "replace"), source=path, facts=facts)
        checks += reading.checks
        unreadable += reading.unreadable
    return tuple(checks), tuple(unreadable)


def in_commit(cache: Path, sha: str, path: str) -> bool:
    """Whether the commit has a file of this name."""
    try:
        return read_file(cache, sha, path, 0) is not None
    except TooLarge:
        return True


def facts_of(
    row: Run,
    workspace: Workspace,
    specification: Specification,
    *,
    steps: Sequence[StepRecord],
    logs: Sequence[Artifact],
    limits: LimitSettings,
) -> Facts:
    """What the scenarios are asked of."""
    readers = {log.path: _reader(workspace.blobs, log.digest, limits.metrics_file) for log in logs}
    engines = [log.path for log in logs if log.path in getattr(workspace.backend, "further_logs", ())]
    ended = row.backend_ended_at
    seconds = ended - row.started_at if ended and row.started_at else None
    return Facts(
        status="failed" if row.failure else "finished",
        sizes={path: file.size for path, file in workspace.listed.items() if not file.problem},
        outputs=(*specification.output_files, *specification.output_directories),
        open=workspace.open,
        most=limits.artifact,
        engine_log=readers[engines[0]] if engines else None,
        job_logs={step.name: readers[step.log] for step in steps if step.log in readers},
        seconds=seconds,
        step_seconds={step.name: _seconds(step) for step in steps},
    )


def _reader(blobs: Blobs, digest: str, limit: int) -> Callable[[], str]:
    return lambda: blobs.read(digest, limit).decode("utf-8", "replace")


def _seconds(step: StepRecord) -> float | None:
    ended, started = step.ended_at, step.started_at
    return ended - started if ended is not None and started is not None else None
