"""Stores as MLflow's own clients write them, and what the same clients read from them."""

import json
import subprocess
from pathlib import Path

import pytest

from reana_bridge.model.readings import Reading
from reana_bridge.results.readers import MetricsContent, read_metrics
from reana_bridge.results.readers.mlflow_runs import Recorded, TrackedRun, reading_of
from tests.results.oracles import ORACLES, interpreter

CLIENTS = {
    "2.22": ("mlflow-skinny==2.22.0",),
    "3": ("mlflow-skinny>=3,<4", "sqlalchemy", "alembic"),
}


def folder(place: Path) -> Reading:
    files = {str(file.relative_to(place)): file.read_bytes for file in place.rglob("*") if file.is_file()}
    return read_metrics([MetricsContent(path="mlruns", files=files)])


def database(place: Path) -> Reading:
    return read_metrics([MetricsContent(path="mlflow.db", file=place)])


@pytest.mark.parametrize(
    ("client", "store"),
    [pytest.param("2.22", "mlruns", marks=pytest.mark.soak), ("3", "mlflow.db"), ("3", "mlruns")],
)
def test_the_client_reads_the_same(
    client: str, store: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    python = interpreter(request.config, f"mlflow-{client}", *CLIENTS[client])
    place = tmp_path / store
    uri = f"sqlite:///{place}" if store == "mlflow.db" else place.as_uri()
    argv = [str(python), str(ORACLES / "mlflow_client.py"), uri]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=300, cwd=tmp_path)
    assert done.returncode == 0, done.stderr[-2000:]
    theirs = json.loads(done.stdout.splitlines()[-1])
    reading = database(place) if store == "mlflow.db" else folder(place)
    assert reading.unreadable == ()
    ours = {
        metric.name: [
            str(metric.value),
            [[int(point.step), str(point.value)] for point in metric.series] or theirs[metric.name][1],
        ]
        for metric in reading.metrics
    }
    assert ours == theirs
    tags = reading.metrics[0].tags
    assert (tags["experiment"], tags["lr/rate of it"], tags["data"]) == ("fit all/really", "0.1", "small set")


def run(
    identity: str, name: str, started: int, *, status: str = "FINISHED", deleted: bool = False
) -> TrackedRun:
    metrics = {"a": (Recorded(timestamp=1, value=1.0, step=0),)}
    return TrackedRun(
        run_id=identity,
        name=name,
        experiment="e",
        status=status,
        deleted=deleted,
        started=started,
        metrics=metrics,
    )


@pytest.mark.parametrize(
    ("runs", "names"),
    [
        ([run("1", "any", 1)], ["a"]),
        ([run("1", "fit", 2), run("2", "train", 1)], ["train.a", "fit.a"]),
        ([run("1", "fit", 1), run("2", "fit", 2)], ["fit#1.a", "fit#2.a"]),
        ([run("1", "bold-cat-12", 1), run("2", "fit", 2)], ["run.a", "fit.a"]),
        ([run("1", "0" * 26, 2), run("2", "0" * 26, 1)], ["run#1.a", "run#2.a"]),
        ([run("1", "fit", 1), run("2", "old", 2, deleted=True)], ["a"]),
        ([], []),
    ],
)
def test_names_do_not_change_from_one_run_of_the_workflow_to_the_next(
    runs: list[TrackedRun], names: list[str]
) -> None:
    assert [metric.name for metric in reading_of(runs, source="mlruns").metrics] == names


def test_a_run_that_never_ended_is_named() -> None:
    reading = reading_of([run("1", "fit", 1, status="RUNNING")], source="mlruns")
    assert "`fit` is a run that never ended" in reading.unreadable[0].reason
