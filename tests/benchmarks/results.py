"""1,000 metrics against 50 runs of history: the report, and what it takes to read and to store it."""

import json
import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import insert

from reana_bridge.model.codec import from_data, to_data
from reana_bridge.model.comparisons import Baseline, BaselineReason, Comparison, History
from reana_bridge.model.metrics import Direction, Metric
from reana_bridge.model.reports import Report
from reana_bridge.model.results import Result
from reana_bridge.model.runs import RunState
from reana_bridge.reports.markdown import section
from reana_bridge.results.comparison import compare
from reana_bridge.results.histories import Past
from reana_bridge.steps.comparing.history import series_of
from reana_bridge.store.database import Database
from reana_bridge.store.schema import upgrade
from reana_bridge.store.tables import MetricRow, Run
from tests.benchmarks.table import Figure

METRICS, RUNS, ROUNDS = 1000, 50, 7
NAMES = [f"fit.region{number // 50}.parameter{number}" for number in range(METRICS)]


def measure(place: Path) -> list[Figure]:
    """Each part in processor time, of the best of several rounds; judging and writing are the report."""
    draw = random.Random(5)
    database = Database(f"sqlite:///{place / 'results.db'}")
    upgrade(database)
    runs = _fill(database, draw)
    shas = [f"{number:040x}" for number in range(RUNS)]
    history = History(run_ids=tuple(runs), shas=tuple(shas))
    before, after = (Result(metrics=tuple(_metrics(draw))) for _ in range(2))
    baseline = Baseline(run_id=runs[-1], sha=shas[-1], branch="main", reason=BaselineReason.MERGE_BASE)

    def read() -> Past:
        with database.read() as session:
            return Past(runs=history, series=series_of(session, history))

    def judge(past: Past) -> Comparison:
        return compare(baseline=baseline, baseline_result=before, head=after, made_at=1.0, past=past)

    def store(comparison: Comparison) -> str:
        return json.dumps(to_data(comparison))

    def load(text: str) -> Comparison:
        return from_data(Comparison, json.loads(text))

    def show(comparison: Comparison) -> str:
        return section(_report(after, comparison))

    taken, value = dict[str, float](), None
    steps: list[tuple[str, Callable[[Any], Any]]] = [
        ("read the history", lambda _: read()),
        ("judge", judge),
        ("encode to be stored", store),
        ("decode", load),
        ("write the note", show),
    ]
    for name, step in steps:
        value, taken[name] = _best(step, value)
    database.close()
    what = f"{METRICS:,} metrics x {RUNS} runs"
    report = taken["judge"] + taken["write the note"]
    figures = [Figure(f"{what}: {name}", f"{1000 * seconds:.0f} ms", "") for name, seconds in taken.items()]
    return [*figures, Figure(f"{what}: report", f"{1000 * report:.0f} ms", "< 100 ms", report < 0.1)]


def _best(step: Callable[[Any], Any], given: Any) -> tuple[Any, float]:
    rounds: list[float] = []
    for _ in range(ROUNDS):
        start = time.process_time()
        value = step(given)
        rounds.append(time.process_time() - start)
    return value, min(rounds)


def _metrics(draw: random.Random) -> list[Metric]:
    directions = (Direction.HIGHER, Direction.LOWER)
    return [
        Metric(
            name=name,
            value=draw.gauss(100, 2),
            unit="GeV",
            direction=directions[number % 2],
            source="results/metrics.json",
        )
        for number, name in enumerate(NAMES)
    ]


def _fill(database: Database, draw: random.Random) -> list[str]:
    runs = [f"{number:026d}" for number in range(RUNS)]
    project = {"project": "local:group/name", "analysis": "fit"}
    rows = [
        {"run_id": run, "name": metric.name, "value": metric.value, "unit": "GeV", **project}
        for run in runs
        for metric in _metrics(draw)
    ]
    with database.transaction() as session:
        session.add_all([Run(id=run, sha=run, queued_at=1.0, **project) for run in runs])
        session.flush()
        session.execute(insert(MetricRow), rows)
    return runs


def _report(result: Result, comparison: Comparison) -> Report:
    return Report(
        project="local:group/name",
        analysis="fit",
        sha="f" * 40,
        state=RunState.FINISHED,
        run_id="r",
        result=result,
        comparison=comparison,
    )
