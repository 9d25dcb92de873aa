"""Reads MLflow's file store, `mlruns/`, as its own client writes it; nothing of MLflow is needed.

    EXPERIMENT/meta.yaml, EXPERIMENT/RUN/meta.yaml      name, status, lifecycle stage
    EXPERIMENT/RUN/metrics/KEY                          lines `timestamp value step`
    EXPERIMENT/RUN/params/KEY, EXPERIMENT/RUN/tags/KEY  the text

Keys may hold `/` and spaces. What the runs mean together: `mlflow_runs.py`.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from reana_bridge.model.readings import Reading, Unreadable
from reana_bridge.results.readers.branches import text
from reana_bridge.results.readers.folders import Content, Folder
from reana_bridge.results.readers.gathering import MAX_TEXT
from reana_bridge.results.readers.mlflow_runs import Recorded, TrackedRun, reading_of
from reana_bridge.results.readers.tree import Branch, FileUnusable, check_parts, decode
from reana_bridge.results.readers.yaml import load

WANTED = ("*/meta.yaml", "*/*/meta.yaml", *(f"*/*/{kind}/**" for kind in ("metrics", "params", "tags")))
_RUN = re.compile(r"([^/]+)/([^/]+)/(meta\.yaml|metrics/.+|params/.+|tags/.+)")
_STATUS = {"1": "RUNNING", "2": "SCHEDULED", "3": "FINISHED", "4": "FAILED", "5": "KILLED"}


@dataclass
class _Files:
    """What lies in a run's directory: the files of each kind, by key."""

    kinds: dict[str, dict[str, str]] = field(default_factory=dict[str, dict[str, str]])


def read(files: Mapping[str, Content], *, source: str) -> Reading:
    """The metrics of the runs in the store `source`; `files` are those below it."""
    folder = Folder(files, source)
    found: dict[tuple[str, str], _Files] = {}
    for path in sorted(files):
        match = _RUN.fullmatch(path)
        if match and match[1] not in {".trash", "models"}:
            kind, _, key = match[3].partition("/")
            run = found.setdefault((match[1], match[2]), _Files())
            run.kinds.setdefault(kind, {})[key] = path
    runs = [
        _run(folder, experiment, name, run.kinds)
        for (experiment, name), run in found.items()
        if "meta.yaml" in run.kinds
    ]
    if not runs:
        found_none = (
            [] if folder.unreadable else [Unreadable(source=source, reason="has no run of MLflow in it")]
        )
        return Reading(unreadable=(*folder.unreadable[:50], *found_none))
    reading = reading_of([run for run in runs if run], source=source)
    return Reading(metrics=reading.metrics, unreadable=(*reading.unreadable, *folder.unreadable[:50]))


def _run(
    folder: Folder, experiment: str, name: str, kinds: Mapping[str, Mapping[str, str]]
) -> TrackedRun | None:
    meta = _meta(folder, f"{experiment}/{name}/meta.yaml")
    if meta is None:
        return None
    own = _meta(folder, f"{experiment}/meta.yaml") if f"{experiment}/meta.yaml" in folder.files else None
    status = text(meta, "status")
    return TrackedRun(
        run_id=name,
        name=text(meta, "run_name"),
        experiment=text(own, "name") if own else experiment,
        status=_STATUS.get(status, status),
        deleted=text(meta, "lifecycle_stage") == "deleted",
        started=int(text(meta, "start_time")) if text(meta, "start_time").isdigit() else 0,
        metrics={
            key: tuple(_recorded(folder, path)) for key, path in sorted(kinds.get("metrics", {}).items())
        },
        params=_texts(folder, kinds.get("params", {})),
        tags=_texts(folder, kinds.get("tags", {})),
    )


def _meta(folder: Folder, path: str) -> Branch | None:
    content = folder.content(path)
    if content is None:
        return None
    try:
        tree = next(load(content))
    except FileUnusable as error:
        folder.refuse(path, str(error))
    else:
        if isinstance(tree, Branch):
            return tree
        folder.refuse(path, "holds no mapping")
    return None


def _recorded(folder: Folder, path: str) -> Iterator[Recorded]:
    content = folder.content(path)
    if content is None:
        return
    try:
        lines = decode(content).splitlines()
        check_parts(len(lines))
    except FileUnusable as error:
        folder.refuse(path, str(error))
        return
    for number, line in enumerate(lines, 1):
        words = line.split()
        try:
            if not words:
                continue
            timestamp, value, step = int(words[0]), float(words[1]), int(words[2]) if len(words) > 2 else 0
        except (ValueError, IndexError):
            folder.refuse(path, f"line {number}: is no `timestamp value step`")
            return
        yield Recorded(timestamp=timestamp, value=value, step=step)


def _texts(folder: Folder, paths: Mapping[str, str]) -> dict[str, str]:
    contents = {key: folder.content(path) for key, path in paths.items()}
    return {
        key: text[:MAX_TEXT].decode("utf-8", "replace") for key, text in contents.items() if text is not None
    }
