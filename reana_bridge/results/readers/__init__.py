"""Readers of metrics and checks: one module a format, found by name through entry points.

The group of the entry point says what the reader is given. None raises for what is in a file: what cannot be
read becomes an `Unreadable` with the reason, and the rest is still read.

* `reana_bridge.readers`: `read(content: bytes, *, source) -> Reading`, for light formats.
* `reana_bridge.folder_readers`: `read(files: Mapping[str, Content], *, source) -> Reading`, for folders; what
  of a folder is wanted stands beside it as `WANTED`, globs within the folder.
* `reana_bridge.isolated_readers`: `read(path: Path, *, source) -> Reading`, called in a process of its own,
  for whatever needs a heavy or native library.
"""

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path, PurePosixPath
from typing import Any, cast

from reana_bridge.model.codec import from_data
from reana_bridge.model.metrics import Metric
from reana_bridge.model.readings import Check, Reading, Unreadable
from reana_bridge.results.isolation import IsolationLimits, Item, run_each
from reana_bridge.results.readers.clean import one_line
from reana_bridge.results.readers.folders import Content
from reana_bridge.results.readers.gathering import MAX_CHECKS, MAX_COMPLAINTS, MAX_METRICS, MAX_NAME, unusable

PATTERN = "pattern"
"""The format of free text that a regular expression is put to; declared by the key `pattern` alone."""
_ENDINGS = {
    **{"yml": "yaml", "tsv": "csv", "xml": "junit", "prom": "openmetrics", "om": "openmetrics"},
    **{"npy": "numpy", "npz": "numpy", "db": "mlflow", "sqlite": "mlflow"},
}
_FOLDERS = {"mlruns": "mlflow", "dvclive": "dvc"}


class Group(StrEnum):
    """What a reader is given."""

    CONTENT = "reana_bridge.readers"
    FOLDER = "reana_bridge.folder_readers"
    ISOLATED = "reana_bridge.isolated_readers"


class UnknownFormat(Exception):
    """No reader is known for a file; the message names those that are."""


@dataclass(frozen=True, kw_only=True)
class Found:
    """A reader.

    Attributes:
        group: What it is given.
        name: The format.
    """

    group: Group
    name: str

    def load(self) -> Callable[..., Reading]:
        """The function itself."""
        return _loaded(self.group, self.name)

    @property
    def wanted(self) -> tuple[str, ...]:
        """Of a folder: globs of the files in it that are read."""
        return getattr(sys.modules[self.load().__module__], "WANTED", ("**",))


@dataclass(frozen=True, kw_only=True)
class MetricsContent:
    """One metrics file or folder with what is in it: `content`, `file` or `files`, as its reader wants it.

    Attributes:
        path: Relative to the workspace.
        content: Its bytes.
        file: Where it lies, for a reader in a process of its own.
        files: Of a folder: the content of each file, by its path in the folder.
        format: A reader's name; empty to go by the name's ending.
        prefix: Put before each name.
        options: Further arguments of the reader, JSON.
    """

    path: str
    content: bytes = b""
    file: Path | None = None
    files: Mapping[str, Content] = field(default_factory=dict[str, Content])
    format: str = ""
    prefix: str = ""
    options: Mapping[str, str] = field(default_factory=dict[str, str])


def formats() -> tuple[str, ...]:
    """Names of the formats that can be read here, sorted."""
    names = {entry.name for group in Group for entry in entry_points(group=group)}
    return tuple(sorted(names - {PATTERN}))


def reader_for(path: str, *, format: str = "", folder: bool = False) -> Found:
    """The reader named `format`, or the one for the ending of `path`.

    Raises:
        UnknownFormat: there is none.
    """
    place = PurePosixPath(path)
    ending = place.suffix.lower().removeprefix(".")
    name = format or (_FOLDERS.get(place.name, "") if folder else _ENDINGS.get(ending, ending))
    for group in (Group.FOLDER,) if folder else (Group.CONTENT, Group.ISOLATED):
        if name and _entry(group, name):
            return Found(group=group, name=name)
    if folder:
        raise UnknownFormat(f"`{path}` is a folder of no known format; write the path of a file in it")
    what = f"the format `{format}` is not known" if format else f"`{path}` has no ending that is known"
    raise UnknownFormat(f"{what}; write `format:` with one of {', '.join(formats())}")


def folder_reader(path: str, format: str = "") -> Found | None:
    """The reader of the folder that `path` names, by the format or by its last name; None for a file."""
    name = format or _FOLDERS.get(PurePosixPath(path).name, "")
    is_folder = bool(name and _entry(Group.FOLDER, name)) and not PurePosixPath(path).suffix
    return Found(group=Group.FOLDER, name=name) if is_folder else None


@cache
def _entry(group: Group, name: str) -> EntryPoint | None:
    return next(iter(entry_points(group=group, name=name)), None)


@cache
def _loaded(group: Group, name: str) -> Callable[..., Reading]:
    entry = cast("EntryPoint", _entry(group, name))
    return cast("Callable[..., Reading]", entry.load())


def read_metrics(files: Iterable[MetricsContent], *, limits: IsolationLimits | None = None) -> Reading:
    """The metrics and checks of all `files`, in their order; of a name that comes twice the first is kept.

    Args:
        files: With their content.
        limits: What the process may use that opens those of heavy formats.
    """
    files = list(files)
    isolated = _isolated([file for file in files if file.file is not None], limits)
    metrics: dict[str, Metric] = {}
    checks: list[Check] = []
    unreadable: list[Unreadable] = []
    for file in files:
        reading = _prefixed(next(isolated) if file.file is not None else _read(file), file.prefix)
        unreadable.extend(reading.unreadable)
        complaints = list[Unreadable]()
        for metric in reading.metrics:
            reason = _reason_against(metric.name, metrics)
            if reason:
                complaints.append(Unreadable(source=file.path, reason=reason))
            else:
                metrics[metric.name] = metric
        unreadable.extend(complaints[:MAX_COMPLAINTS])
        checks.extend(reading.checks)
    if len(checks) > MAX_CHECKS:
        reason = f"beyond the {MAX_CHECKS:,} checks that are kept, {len(checks) - MAX_CHECKS:,} were left out"
        unreadable.append(Unreadable(source=checks[MAX_CHECKS].source, reason=reason))
    return Reading(
        metrics=tuple(metrics.values()), checks=tuple(checks[:MAX_CHECKS]), unreadable=tuple(unreadable)
    )


def _read(file: MetricsContent) -> Reading:
    try:
        found = reader_for(file.path, format=file.format, folder=bool(file.files))
        given = file.files if found.group is Group.FOLDER else file.content
        return found.load()(given, source=file.path)
    except UnknownFormat as error:
        return unusable(file.path, str(error))
    except Exception as error:  # a reader from outside may fail in any way, and must not end the collection
        return unusable(file.path, f"its reader failed: {type(error).__name__}: {error}")


def _isolated(files: Sequence[MetricsContent], limits: IsolationLimits | None) -> Iterator[Reading]:
    """The readings of files that are opened in a process of its own."""
    items = [_item(file) for file in files]
    answers = run_each("read", items, limits=limits)
    for file, answer in zip(files, answers, strict=True):
        yield unusable(file.path, answer.problem) if answer.problem else from_data(Reading, answer.value)


def _item(file: MetricsContent) -> Item:
    name = PATTERN if file.options else reader_for(file.path, format=file.format).name
    job: dict[str, Any] = {"format": name, "source": file.path, "options": dict(file.options)}
    return Item(job=job, inputs={"file": cast("Path", file.file)})


def _prefixed(reading: Reading, prefix: str) -> Reading:
    if not prefix:
        return reading
    named = [replace(metric, name=one_line(prefix + metric.name, MAX_NAME)) for metric in reading.metrics]
    return replace(reading, metrics=tuple(named))


def _reason_against(name: str, known: dict[str, Metric]) -> str:
    if name in known:
        return f"`{name}` was already read from `{known[name].source}`; that one was kept"
    if len(known) >= MAX_METRICS:
        return f"`{name}` is beyond the {MAX_METRICS:,} metrics that are kept"
    return ""
