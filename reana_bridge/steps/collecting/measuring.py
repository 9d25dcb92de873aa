"""Reads the metrics of an ended run: from the files that its analysis declares, or from the usual places.

A usual place counts where the run made the file: one that the commit itself holds is an input, and may be
old.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath

from reana_bridge.model.analyses import Analysis, MetricsFile
from reana_bridge.model.globs import matches
from reana_bridge.model.readings import Reading, Unreadable
from reana_bridge.model.results import Artifact, StepRecord
from reana_bridge.results.hints import apply_hints
from reana_bridge.results.isolation import IsolationLimits
from reana_bridge.results.readers import (
    Found,
    Group,
    MetricsContent,
    UnknownFormat,
    folder_reader,
    read_metrics,
    reader_for,
)
from reana_bridge.results.readers.folders import Content
from reana_bridge.settings import LimitSettings
from reana_bridge.steps.collecting.workspace import Files, is_declared

USUAL = tuple(
    f"{directory}{name}"
    for directory in ("results/", "")
    for name in (
        *(f"metrics.{ending}" for ending in ("json", "yaml", "yml", "csv")),
        *("metrics.openmetrics", "metrics.prom", "junit.xml", "dvclive", "mlruns", "mlflow.db"),
    )
)
MAX_FILES = 5_000
"""Most files of a folder that are read."""


def places(analysis: Analysis) -> tuple[MetricsFile, ...]:
    """What is read: what the analysis declares, or the usual places."""
    return analysis.metrics or tuple(MetricsFile(path=path) for path in USUAL)


def looked_for(analysis: Analysis) -> list[str]:
    """Patterns of what is read without being kept: folders, and the usual places."""
    usual = () if analysis.metrics else USUAL
    in_folders = [f"{top}/{glob}" for top, wanted in _folders(analysis) for glob in wanted]
    return [*in_folders, *(path for path in usual if folder_reader(path) is None)]


def _folders(analysis: Analysis) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Folders that are read as one thing, such as a store of MLflow, with globs of what is read in them."""
    for place in places(analysis):
        folder = folder_reader(place.path, place.format) if place.path else None
        if folder is not None:
            yield place.path.rstrip("/"), folder.wanted


def not_read_in_folders(artifacts: Sequence[Artifact], analysis: Analysis) -> list[Artifact]:
    """The artifacts that are compared as files.

    Those of a folder of metrics are not: what is in them is compared as metrics, and their names are
    different in every run.
    """
    folders = [(f"{top}/", wanted) for top, wanted in _folders(analysis)]

    def is_read(path: str) -> bool:
        return any(
            path.startswith(top) and matches(path.removeprefix(top), wanted) for top, wanted in folders
        )

    return [artifact for artifact in artifacts if not is_read(artifact.path)]


def kept_for(analysis: Analysis) -> list[str]:
    """Patterns of declared metrics files, which are kept as artifacts too; folders are only read."""
    files = [file for file in analysis.metrics if file.path]
    return [file.path for file in files if folder_reader(file.path, file.format) is None]


class Measuring:
    """Gathers what is to be read of one run.

    Args:
        workspace: The run's files.
        limits: The server's.
        is_input: Whether a path of the workspace is a file of the commit.
    """

    def __init__(self, workspace: Files, limits: LimitSettings, *, is_input: Callable[[str], bool]) -> None:
        self._workspace = workspace
        self._limits = limits
        self._is_input = is_input
        self._unreadable: list[Unreadable] = []

    def read(
        self,
        analysis: Analysis,
        *,
        logs: Sequence[Artifact],
        steps: Sequence[StepRecord],
        isolation: IsolationLimits,
    ) -> Reading:
        """The metrics and checks of the run, with the project's hints on them."""
        contents: list[MetricsContent] = []
        for place in places(analysis):
            found = list(self._log(place, logs, steps) if place.log else self._at(place, analysis))
            if not found and analysis.metrics and not self._said(place):
                what = f"no step `{place.log}` left a log" if place.log else "the run left no such file"
                self._refuse(place.path or place.log, what)
            contents += found
        reading = read_metrics(contents, limits=isolation)
        return Reading(
            metrics=apply_hints(reading.metrics, analysis.hints),
            checks=reading.checks,
            unreadable=(*reading.unreadable, *self._unreadable),
        )

    def _refuse(self, source: str, reason: str) -> None:
        self._unreadable.append(Unreadable(source=source, reason=reason))

    def _said(self, place: MetricsFile) -> bool:
        return any(is_declared(item.source, [place.path]) for item in self._unreadable if place.path)

    def _log(
        self, place: MetricsFile, logs: Sequence[Artifact], steps: Sequence[StepRecord]
    ) -> Iterator[MetricsContent]:
        names = {step.log: step.name for step in steps if step.log}
        for log in logs:
            step = names.get(log.path, log.path)
            if place.log in {"*", step, log.path}:
                file = self._workspace.kept_at(log)
                yield _by_pattern(place, source=f"log of {step}", file=file, name=step)

    def _at(self, place: MetricsFile, analysis: Analysis) -> Iterator[MetricsContent]:
        folder = folder_reader(place.path, place.format)
        if folder is not None:
            yield from self._folder(place, folder, declared=bool(analysis.metrics))
            return
        for path in self._workspace.paths:
            if is_declared(path, [place.path]) and self._counts(path, declared=bool(analysis.metrics)):
                content = self._file(place, path)
                if content is not None:
                    yield content

    def _counts(self, path: str, *, declared: bool) -> bool:
        return declared or self._workspace.is_kept(path) or not self._is_input(path)

    def _file(self, place: MetricsFile, path: str) -> MetricsContent | None:
        try:
            isolated = bool(place.pattern) or reader_for(path, format=place.format).group is Group.ISOLATED
            limit = self._limits.artifact if isolated else self._limits.metrics_file
            if self._workspace.size(path) > limit:
                self._refuse(
                    path, f"{self._workspace.size(path)} bytes are more than the {limit} that are read"
                )
            elif place.pattern:
                file = self._workspace.place(path, limit)
                return _by_pattern(place, source=path, file=file, name=PurePosixPath(path).stem)
            elif isolated:
                file = self._workspace.place(path, limit)
                return MetricsContent(path=path, file=file, format=place.format, prefix=place.prefix)
            else:
                content = self._workspace.content(path, limit)
                return MetricsContent(path=path, content=content, format=place.format, prefix=place.prefix)
        except UnknownFormat as error:
            self._refuse(path, str(error))
        except OSError as error:
            self._refuse(path, f"cannot be read: {error}")
        return None

    def _folder(self, place: MetricsFile, folder: Found, *, declared: bool) -> Iterator[MetricsContent]:
        top = place.path.rstrip("/")
        wanted = [f"{top}/{glob}" for glob in folder.wanted]
        paths = [path for path in self._workspace.paths if is_declared(path, wanted)]
        if not paths or not any(self._counts(path, declared=declared) for path in paths[:1]):
            return
        if len(paths) > MAX_FILES:
            self._refuse(top, f"has {len(paths):,} files; {MAX_FILES:,} of them were read")
        files = _Budget(self._workspace, self._limits.metrics_file).contents(top, paths[:MAX_FILES])
        yield MetricsContent(path=top, files=files, format=folder.name, prefix=place.prefix)


class _Budget:
    """The files of a folder together are bounded as one metrics file is."""

    def __init__(self, workspace: Files, limit: int) -> None:
        self._workspace = workspace
        self._left = limit

    def contents(self, top: str, paths: Sequence[str]) -> Mapping[str, Content]:
        return {path.removeprefix(f"{top}/"): self._reader(path) for path in paths}

    def _reader(self, path: str) -> Content:
        def read() -> bytes:
            content = self._workspace.content(path, self._left)
            self._left -= len(content)
            return content

        return read


def _by_pattern(place: MetricsFile, *, source: str, file: Path, name: str) -> MetricsContent:
    options = {"pattern": place.pattern, "name": place.name or name}
    return MetricsContent(path=source, file=file, prefix=place.prefix, options=options)
