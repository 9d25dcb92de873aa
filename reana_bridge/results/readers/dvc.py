"""Reads the folder that DVCLive writes: `metrics.json`, and a table for each series below `plots/metrics`.

The last value is that of `metrics.json` where it is there, else the last of the series. A series of `a/b`
lies in `plots/metrics/a/b.tsv` with the columns `step` and `b` (perhaps `timestamp` too).
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import PurePosixPath

from reana_bridge.model.metrics import Metric
from reana_bridge.model.readings import Reading, Unreadable
from reana_bridge.results.readers import csv, json
from reana_bridge.results.readers.folders import Content, Folder
from reana_bridge.results.readers.gathering import MAX_COMPLAINTS

WANTED = ("metrics.json", "plots/metrics/**")
_PLOTS = PurePosixPath("plots/metrics")


def read(files: Mapping[str, Content], *, source: str) -> Reading:
    """The metrics in the folder `source`; `files` are those below it."""
    folder = Folder(files, source)
    main = folder.content("metrics.json")
    plain = json.read(main, source=folder.path("metrics.json")) if main is not None else Reading()
    metrics = {metric.name: metric for metric in plain.metrics if metric.name != "step"}
    unreadable: list[Unreadable] = list(plain.unreadable)
    for path in sorted(files):
        place = PurePosixPath(path)
        if place.is_relative_to(_PLOTS) and place.suffix == ".tsv":
            content = folder.content(path)
            table = csv.read(content, source=folder.path(path)) if content is not None else Reading()
            unreadable += table.unreadable
            _join(place.relative_to(_PLOTS), table, metrics)
    unreadable += folder.unreadable
    return Reading(metrics=tuple(metrics.values()), unreadable=tuple(unreadable[:MAX_COMPLAINTS]))


def _join(place: PurePosixPath, table: Reading, metrics: dict[str, Metric]) -> None:
    # In metrics.json `a/b` is the mapping `a` with the key `b`, which is read as `a.b`.
    name = ".".join(place.with_suffix("").parts)
    series = next((metric for metric in table.metrics if metric.name == place.stem), None)
    if series is not None:
        metric = metrics.get(name) or replace(series, name=name)
        metrics[name] = replace(metric, series=series.series)
