"""Fetches what a run logged to the MLflow tracking server that the settings name.

Promises: only that server is asked, for that run alone; no redirect is followed; answers and their number are
bounded; what went wrong is a visible "not readable", and the rest of the run's results stands.
"""

import ssl
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from reana_bridge.model.analyses import Analysis
from reana_bridge.model.readings import Reading, Unreadable
from reana_bridge.results.hints import apply_hints
from reana_bridge.results.readers import mlflow_rest
from reana_bridge.results.readers.gathering import MAX_METRICS
from reana_bridge.results.readers.mlflow_runs import TrackedRun, reading_of
from reana_bridge.settings import MlflowSettings

SOURCE = "MLflow's tracking server"
MAX_RUNS = 5
MAX_KEYS = 200
_ANSWER = 8 << 20
_CHUNK = 1 << 16


class _NoAnswer(Exception):
    """The server did not say what was asked; the message is a clause."""


def joined(own: Reading, tracked: Reading, analysis: Analysis) -> Reading:
    """Both readings; of a name that both have the files' metric is kept."""
    known = {metric.name for metric in own.metrics}
    further = tuple(metric for metric in tracked.metrics if metric.name not in known)
    metrics = (*own.metrics, *apply_hints(further, analysis.hints))[:MAX_METRICS]
    return Reading(metrics=metrics, checks=own.checks, unreadable=(*own.unreadable, *tracked.unreadable))


def fetch(settings: MlflowSettings, *, experiment: str, run_name: str) -> Reading:
    """The metrics of the runs called `run_name` in the experiment; nothing where there are none."""
    try:
        with _client(settings) as client:
            return reading_of(list(_runs(client, experiment, run_name)), source=SOURCE, required=False)
    except (_NoAnswer, mlflow_rest.Unexpected) as error:
        return Reading(unreadable=(Unreadable(source=SOURCE, reason=str(error)),))


@contextmanager
def _client(settings: MlflowSettings) -> Generator[httpx.Client]:
    headers = {"Authorization": f"Bearer {settings.token.get_secret_value()}"} if settings.token else {}
    trusted = ssl.create_default_context(cafile=str(settings.ca_file)) if settings.ca_file else True
    base = f"{settings.url.rstrip('/')}/api/2.0/mlflow/"
    with httpx.Client(base_url=base, headers=headers, verify=trusted, timeout=settings.timeout) as client:
        yield client


def _runs(client: httpx.Client, experiment: str, run_name: str) -> Iterator[TrackedRun]:
    found = _ask(client, "GET", "experiments/get-by-name", params={"experiment_name": experiment})
    if found is None:
        return
    order: dict[str, Any] = {
        "experiment_ids": [mlflow_rest.experiment_id(found)],
        "filter": f"attributes.run_name = '{run_name}'",
        "max_results": MAX_RUNS,
    }
    for run in mlflow_rest.runs_in(_ask(client, "POST", "runs/search", json=order) or {}):
        keys = mlflow_rest.keys_of(run)
        if len(keys) > MAX_KEYS:
            raise _NoAnswer(f"a run has {len(keys)} metrics, at most {MAX_KEYS} are fetched")
        identity = mlflow_rest.run_id(run)
        histories = {
            key: _ask(
                client,
                "GET",
                "metrics/get-history",
                params={"run_id": identity, "metric_key": key, "max_results": "10000"},
            )
            or {}
            for key in keys
        }
        yield mlflow_rest.run_of(run, histories, experiment=experiment)


def _ask(client: httpx.Client, method: str, path: str, **more: Any) -> mlflow_rest.Document | None:
    """An answer; None where there is no such thing.

    Raises:
        _NoAnswer: The server is away, refuses, or says too much.
    """
    content = bytearray()
    try:
        with client.stream(method, path, **more) as answer:
            if answer.status_code == 404:
                return None
            if answer.status_code != 200:
                raise _NoAnswer(f"it answered {answer.status_code} to {path}")
            for piece in answer.iter_bytes(_CHUNK):
                content += piece
                if len(content) > _ANSWER:
                    raise _NoAnswer(f"its answer to {path} has more than {_ANSWER} bytes")
    except httpx.HTTPError as error:
        raise _NoAnswer(f"it cannot be asked: {type(error).__name__}") from None
    return mlflow_rest.document(bytes(content))
