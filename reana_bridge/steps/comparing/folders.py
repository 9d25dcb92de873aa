"""The report on two folders with what runs left, without a server: as after a run.

Links are not followed, hidden files and folders are left out, and there is a limit to everything.
"""

import hashlib
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from reana_bridge.model.analyses import Analysis
from reana_bridge.model.comparisons import Baseline, BaselineReason, FileComparison
from reana_bridge.model.drawn import DrawnFile
from reana_bridge.model.reports import OwnText, Report
from reana_bridge.model.results import Artifact, Result, Skipped
from reana_bridge.model.runs import RunState
from reana_bridge.results.comparison import compare
from reana_bridge.results.drawing.contents import Content, draw
from reana_bridge.results.files.artifacts import Side, compare_artifacts
from reana_bridge.settings import LimitSettings
from reana_bridge.steps.collecting.measuring import Measuring, not_read_in_folders
from reana_bridge.steps.comparing.contents import alone_of
from reana_bridge.steps.comparing.limits import isolation_of, limits_of, preview_isolation_of
from reana_bridge.steps.comparing.series import drawn_series, with_pictures
from reana_bridge.steps.showing import OWN_TEXTS

_CHUNK = 1 << 20


def folder_report(
    before: Path,
    after: Path,
    *,
    analysis: Analysis,
    limits: LimitSettings,
    now: float,
    drawings: Path | None = None,
) -> Report:
    """The report on the folder `after`, compared with `before`.

    Args:
        before: The baseline's files.
        after: This side's files.
        analysis: Which metrics files there are, what they mean, and which rules count.
        limits: How large files may be, and how many.
        now: UTC seconds since the epoch.
        drawings: An empty directory for pictures, each under the SHA-256 of its content; None for none.

    Raises:
        OSError: One of them cannot be read.
    """
    (old_files, old), (new_files, new) = (_result(folder, analysis, limits) for folder in (before, after))
    baseline = Baseline(run_id="", sha="", branch=before.name or str(before), reason=BaselineReason.GIVEN)
    sides = old_files.side(analysis), new_files.side(analysis)
    files = compare_artifacts(*sides, rules=analysis.files, limits=limits_of(limits), drawings=drawings)
    comparison = compare(
        baseline=baseline,
        baseline_result=old,
        head=new,
        made_at=now,
        rules=analysis.rules,
        checks=analysis.checks,
        files=files,
        file_rules=analysis.files,
    )
    if drawings:
        series = drawn_series(old, new, output=drawings, limits=isolation_of(limits))
        contents = _contents(files, *sides, limits, drawings)
        comparison = replace(with_pictures(comparison, series), contents=contents)
    return Report(
        project="",
        analysis=analysis.name,
        sha="",
        label=after.name or str(after),
        state=RunState.FINISHED,
        result=new,
        comparison=comparison,
        own_text=_own_text(after, new, limits),
    )


def _contents(
    files: Sequence[FileComparison], old: Side, new: Side, limits: LimitSettings, drawings: Path
) -> dict[str, DrawnFile]:
    """By path, what is in the files that stand alone."""
    mine, theirs = alone_of(files, old.artifacts, new.artifacts)
    places = [*((each, new.place(each)) for each in mine), *((each, old.place(each)) for each in theirs)]
    wanted = [
        Content(path=each.path, place=place) for each, place in places if each.size <= limits.compared_file
    ]
    wanted = wanted[: limits.compared_files]
    until = time.monotonic() + limits.compared_seconds
    found = draw(wanted, output=drawings, limits=preview_isolation_of(limits), until=until)
    return {one.path: each for one, each in zip(wanted, found, strict=True) if each is not None}


def _left(folder: Path, limits: LimitSettings) -> tuple["_Folder", tuple[Skipped, ...]]:
    """What is in a folder, and what was left out."""
    artifacts: dict[str, Artifact] = {}
    for path in _files(folder):
        name = path.relative_to(folder).as_posix()
        if len(artifacts) >= limits.artifact_count:
            skipped = Skipped(path=name, reason=f"there are more than {limits.artifact_count} files")
            return _Folder(folder, artifacts), (skipped,)
        artifacts[name] = _artifact(path, name)
    return _Folder(folder, artifacts), ()


def _result(folder: Path, analysis: Analysis, limits: LimitSettings) -> tuple["_Folder", Result]:
    left, skipped = _left(folder, limits)
    reading = Measuring(left, limits, is_input=lambda _: False).read(
        analysis, logs=(), steps=(), isolation=isolation_of(limits)
    )
    return left, Result(
        metrics=reading.metrics,
        checks=reading.checks,
        unreadable=reading.unreadable,
        artifacts=tuple(left.artifacts.values()),
        skipped=skipped,
    )


@dataclass(frozen=True)
class _Folder:
    """The plain files of a folder, all of them outputs."""

    top: Path
    artifacts: dict[str, Artifact]

    @property
    def paths(self) -> list[str]:
        return sorted(self.artifacts)

    def is_kept(self, path: str) -> bool:
        return path in self.artifacts

    def size(self, path: str) -> int:
        return self.artifacts[path].size

    def content(self, path: str, limit: int) -> bytes:
        with (self.top / path).open("rb") as file:
            content = file.read(limit + 1)
        if len(content) > limit:
            raise OSError(f"more than the {limit} bytes that are read")
        return content

    def place(self, path: str, limit: int) -> Path:
        return self.top / path

    def kept_at(self, artifact: Artifact) -> Path:
        return self.top / artifact.path

    def side(self, analysis: Analysis) -> Side:
        """What of it is compared as files."""
        artifacts = not_read_in_folders(list(self.artifacts.values()), analysis)
        return Side(artifacts=artifacts, place=self.kept_at)


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


def _own_text(folder: Path, result: Result, limits: LimitSettings) -> OwnText | None:
    sizes = {artifact.path: artifact.size for artifact in result.artifacts}
    path = next((path for path in OWN_TEXTS if path in sizes), None)
    if path is None:
        return None
    with (folder / path).open("rb") as file:
        content = file.read(limits.own_text)
    return OwnText(path=path, text=content.decode("utf-8", "replace"), cut=sizes[path] > limits.own_text)
