"""The report on two folders with what runs left, without a server: the usual metrics files, and all files.

Links are not followed, hidden files and folders are left out, and there is a limit to everything.
"""

import hashlib
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from reana_bridge.model.analyses import Analysis, MetricsFile
from reana_bridge.model.comparisons import Baseline, BaselineReason
from reana_bridge.model.globs import matches
from reana_bridge.model.readings import Reading, Unreadable
from reana_bridge.model.reports import OwnText, Report
from reana_bridge.model.results import Artifact, Result, Skipped
from reana_bridge.model.runs import RunState
from reana_bridge.results.comparison import compare
from reana_bridge.results.hints import apply_hints
from reana_bridge.results.readers import Group, MetricsContent, UnknownFormat, read_metrics, reader_for
from reana_bridge.settings import LimitSettings
from reana_bridge.steps.collecting.measuring import places
from reana_bridge.steps.showing import OWN_TEXTS

_CHUNK = 1 << 20


def folder_report(
    before: Path, after: Path, *, analysis: Analysis, limits: LimitSettings, now: float
) -> Report:
    """The report on the folder `after`, compared with `before`.

    Args:
        before: The baseline's files.
        after: This side's files.
        analysis: Which metrics files there are, what they mean, and which rules count.
        limits: How large files may be, and how many.
        now: UTC seconds since the epoch.

    Raises:
        OSError: One of them cannot be read.
    """
    sides = [_result(folder, analysis, limits) for folder in (before, after)]
    baseline = Baseline(run_id="", sha="", branch=before.name or str(before), reason=BaselineReason.GIVEN)
    comparison = compare(
        baseline=baseline,
        baseline_result=sides[0],
        head=sides[1],
        made_at=now,
        rules=analysis.rules,
    )
    return Report(
        project="",
        analysis=analysis.name,
        sha="",
        label=after.name or str(after),
        state=RunState.FINISHED,
        result=sides[1],
        comparison=comparison,
        own_text=_own_text(after, sides[1], limits),
    )


def _result(folder: Path, analysis: Analysis, limits: LimitSettings) -> Result:
    artifacts: list[Artifact] = []
    skipped: list[Skipped] = []
    for path in _files(folder):
        name = path.relative_to(folder).as_posix()
        if len(artifacts) >= limits.artifact_count:
            skipped.append(Skipped(path=name, reason=f"there are more than {limits.artifact_count} files"))
            break
        artifacts.append(_artifact(path, name))
    reading = _reading(folder, artifacts, analysis, limits)
    return Result(
        metrics=apply_hints(reading.metrics, analysis.hints),
        checks=reading.checks,
        unreadable=reading.unreadable,
        artifacts=tuple(artifacts),
        skipped=tuple(skipped),
    )


def _files(folder: Path) -> Iterator[Path]:
    """The plain files in a folder and below, by path, without hidden ones."""
    for place, folders, names in os.walk(folder, onerror=_refuse):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            path = Path(place, name)
            if not name.startswith(".") and path.is_file() and not path.is_symlink():
                yield path


def _refuse(error: OSError) -> None:
    raise error


def _artifact(path: Path, name: str) -> Artifact:
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
            size += len(chunk)
    return Artifact(path=name, digest=digest.hexdigest(), size=size)


def _reading(folder: Path, artifacts: list[Artifact], analysis: Analysis, limits: LimitSettings) -> Reading:
    wanted: list[MetricsContent] = []
    refused: list[Unreadable] = []
    for file in places(analysis):
        for artifact in artifacts:
            if not matches(artifact.path, [file.path]):
                continue
            if artifact.size > limits.metrics_file:
                reason = f"{artifact.size} bytes are more than the {limits.metrics_file} that are read"
                refused.append(Unreadable(source=artifact.path, reason=reason))
                continue
            try:
                wanted.append(_content(folder / artifact.path, artifact.path, file))
            except UnknownFormat as error:
                refused.append(Unreadable(source=artifact.path, reason=str(error)))
    reading = read_metrics(wanted)
    return Reading(metrics=reading.metrics, checks=reading.checks, unreadable=(*reading.unreadable, *refused))


def _content(place: Path, path: str, declared: MetricsFile) -> MetricsContent:
    """A metrics file as its reader wants it: where it lies for one in another process, else its bytes."""
    named = MetricsContent(path=path, format=declared.format, prefix=declared.prefix)
    if reader_for(path, format=declared.format).group is Group.ISOLATED:
        return replace(named, file=place)
    return replace(named, content=place.read_bytes())


def _own_text(folder: Path, result: Result, limits: LimitSettings) -> OwnText | None:
    sizes = {artifact.path: artifact.size for artifact in result.artifacts}
    path = next((path for path in OWN_TEXTS if path in sizes), None)
    if path is None:
        return None
    with (folder / path).open("rb") as file:
        content = file.read(limits.own_text)
    return OwnText(path=path, text=content.decode("utf-8", "replace"), cut=sizes[path] > limits.own_text)
