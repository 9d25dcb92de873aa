"""Readers of metrics: one module a format, found by name through the entry points `reana_bridge.readers`.

A reader is a function `read(content: bytes, *, source: str) -> Reading`. It never raises for what is in
the file: what it cannot read becomes an `Unreadable` with the reason, and the rest is still read. A
package adds a format by naming such a function in its own entry points.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache
from importlib.metadata import entry_points
from pathlib import PurePosixPath
from typing import Protocol, cast

from reana_bridge.model.metrics import Metric
from reana_bridge.model.readings import Reading, Unreadable
from reana_bridge.results.readers.clean import one_line
from reana_bridge.results.readers.gathering import MAX_COMPLAINTS, MAX_METRICS, MAX_NAME

GROUP = "reana_bridge.readers"
_ENDINGS = {"yml": "yaml", "tsv": "csv"}


class Reader(Protocol):
    """Reads the metrics of one format."""

    def __call__(self, content: bytes, *, source: str) -> Reading:
        """The metrics in `content`; `source` is its path relative to the workspace."""
        ...


class UnknownFormat(Exception):
    """No reader is known for a file; the message names those that are."""


@dataclass(frozen=True, kw_only=True)
class MetricsContent:
    """One metrics file with its content.

    Attributes:
        path: Relative to the workspace.
        content: Its bytes.
        format: A reader's name; empty to go by the file's ending.
        prefix: Put before each name.
    """

    path: str
    content: bytes
    format: str = ""
    prefix: str = ""


def formats() -> tuple[str, ...]:
    """Names of the formats that can be read here, sorted."""
    return tuple(sorted({entry.name for entry in entry_points(group=GROUP)}))


def reader_for(path: str, *, format: str = "") -> Reader:
    """The reader named `format`, or the one for the ending of `path`.

    Raises:
        UnknownFormat: there is none.
    """
    ending = PurePosixPath(path).suffix.lower().removeprefix(".")
    reader = _named(format or _ENDINGS.get(ending, ending))
    if reader is not None:
        return reader
    what = f"the format `{format}` is not known" if format else f"`{path}` has no ending that is known"
    raise UnknownFormat(f"{what}; write `format:` with one of {', '.join(formats())}")


@cache
def _named(name: str) -> Reader | None:
    found = list(entry_points(group=GROUP, name=name)) if name else []
    return cast("Reader", found[0].load()) if found else None


def read_metrics(files: Iterable[MetricsContent]) -> Reading:
    """The metrics of all `files`, in their order; of a name that comes twice the first is kept."""
    metrics: dict[str, Metric] = {}
    unreadable: list[Unreadable] = []
    for file in files:
        reading = _read(file)
        unreadable.extend(reading.unreadable)
        complaints = list[Unreadable]()
        for metric in reading.metrics:
            reason = _reason_against(metric.name, metrics)
            if reason:
                complaints.append(Unreadable(source=file.path, reason=reason))
            else:
                metrics[metric.name] = metric
        unreadable.extend(complaints[:MAX_COMPLAINTS])
    return Reading(metrics=tuple(metrics.values()), unreadable=tuple(unreadable))


def _read(file: MetricsContent) -> Reading:
    try:
        reading = reader_for(file.path, format=file.format)(file.content, source=file.path)
    except UnknownFormat as error:
        return Reading(unreadable=(Unreadable(source=file.path, reason=str(error)),))
    except Exception as error:  # a reader from outside may fail in any way, and must not end the collection
        reason = f"its reader failed: {type(error).__name__}: {error}"
        return Reading(unreadable=(Unreadable(source=file.path, reason=reason),))
    if not file.prefix:
        return reading
    named = [
        replace(metric, name=one_line(file.prefix + metric.name, MAX_NAME)) for metric in reading.metrics
    ]
    return replace(reading, metrics=tuple(named))


def _reason_against(name: str, known: dict[str, Metric]) -> str:
    if name in known:
        return f"`{name}` was already read from `{known[name].source}`; that one was kept"
    if len(known) >= MAX_METRICS:
        return f"`{name}` is beyond the {MAX_METRICS:,} metrics that are kept"
    return ""
