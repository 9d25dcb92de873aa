"""What MLflow recorded, whatever store it came from, as metrics.

The last value of a key is the one with the highest step, then timestamp, then value, as MLflow itself has it.
With one run that counts its keys are the names; with several each name begins with the run's. Parameters
and the run's name and status become tags of each metric. Deleted runs are passed over.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from reana_bridge.model.metrics import Point
from reana_bridge.model.readings import Reading
from reana_bridge.results.readers.clean import one_line
from reana_bridge.results.readers.gathering import MAX_NAME, MAX_TAGS, MAX_UNIT, Gathering, thinned

_OWN_TAGS = "mlflow."
# MLflow's own (`bold-cat-12`), and the bridge's run id, which a job has as its run's name.
_GENERATED = re.compile(r"[a-z]+-[a-z]+-\d{1,4}|0[0-9a-hjkmnp-tv-z]{25}")
UNENDED = frozenset({"RUNNING", "SCHEDULED"})


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """One value of a metric.

    Attributes:
        timestamp: Milliseconds since the epoch.
        value: It; may be NaN or an infinity.
        step: As the training counts.
    """

    timestamp: int
    value: float
    step: int


@dataclass(frozen=True, kw_only=True)
class TrackedRun:
    """One run of an experiment, as MLflow keeps it."""

    run_id: str
    name: str
    experiment: str
    status: str
    deleted: bool = False
    started: int = 0
    metrics: Mapping[str, tuple[Recorded, ...]] = field(default_factory=dict[str, tuple[Recorded, ...]])
    params: Mapping[str, str] = field(default_factory=dict[str, str])
    tags: Mapping[str, str] = field(default_factory=dict[str, str])


def reading_of(runs: Sequence[TrackedRun], *, source: str, required: bool = True) -> Reading:
    """The metrics of `runs`, the one that started first at the front.

    Args:
        runs: In any order.
        source: Where they were found.
        required: Whether it is worth a word that there are none.
    """
    found = Gathering(source)
    live = [run for run in sorted(runs, key=lambda run: (run.started, run.run_id)) if not run.deleted]
    prefixes = _prefixes([run for run in live if run.metrics])
    for run in live:
        if not run.metrics:
            continue
        prefix, tags = prefixes[run.run_id], _tags(run)
        for key, recorded in run.metrics.items():
            if recorded:
                _add(found, prefix + key, recorded, tags)
        if run.status in UNENDED:
            found.complain(run.name or run.run_id, f"is a run that never ended (its status is {run.status})")
    if required and not found.metrics:
        found.complain("*", "has no metric: none of its runs logged one, or all are deleted")
    return found.reading()


def _add(found: Gathering, name: str, recorded: Sequence[Recorded], tags: dict[str, str]) -> None:
    last = max(recorded, key=lambda one: (one.step, one.timestamp, one.value))
    series: tuple[Point, ...] = ()
    if len(recorded) > 1:
        ordered = sorted(recorded, key=lambda one: (one.step, one.timestamp))
        series = thinned([Point(step=float(one.step), value=one.value) for one in ordered])
    found.add(name, last.value, series=series, tags=tags)


def _prefixes(runs: Sequence[TrackedRun]) -> dict[str, str]:
    """What stands before the names of each run's metrics: nothing for a single one, else the run's name."""
    if len(runs) == 1:
        return {runs[0].run_id: ""}
    names = Counter(_name(run) for run in runs)
    seen: Counter[str] = Counter()
    prefixes: dict[str, str] = {}
    for run in runs:
        name = _name(run)
        seen[name] += 1
        # By its place and not by its id, which is another one in each run of the workflow.
        again = f"#{seen[name]}" if names[name] > 1 else ""
        prefixes[run.run_id] = f"{name}{again}."
    return prefixes


def _name(run: TrackedRun) -> str:
    """The run's name; `run` for one that nobody gave it, which is another one each time."""
    return run.name if run.name and not _GENERATED.fullmatch(run.name) else "run"


def _tags(run: TrackedRun) -> dict[str, str]:
    own = {key: text for key, text in run.tags.items() if not key.startswith(_OWN_TAGS)}
    known = {"run": _name(run), "experiment": run.experiment, "status": run.status, **run.params, **own}
    return {one_line(key, MAX_UNIT): one_line(text, MAX_NAME) for key, text in list(known.items())[:MAX_TAGS]}
