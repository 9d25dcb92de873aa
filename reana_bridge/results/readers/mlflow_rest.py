"""What an MLflow tracking server answers, as recorded runs. Pure: documents in, values out."""

import json
import math
from collections.abc import Mapping
from typing import Any, cast

from reana_bridge.results.readers.gathering import MAX_TEXT
from reana_bridge.results.readers.mlflow_runs import Recorded, TrackedRun
from reana_bridge.results.readers.scalars import special_number

Document = Mapping[str, Any]


class Unexpected(Exception):
    """The answer is not what MLflow's interface documents; the message says where."""


def document(content: bytes) -> Document:
    """An answer's JSON mapping.

    Raises:
        Unexpected: It is none.
    """
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        raise Unexpected("the answer is no JSON") from None
    if not isinstance(found, dict):
        raise Unexpected("the answer is no mapping")
    return cast("Document", found)


def experiment_id(answer: Document) -> str:
    """The id in the answer of `experiments/get-by-name`.

    Raises:
        Unexpected: There is none.
    """
    try:
        return str(answer["experiment"]["experiment_id"])
    except (KeyError, TypeError):
        raise Unexpected("the experiment has no id") from None


def runs_in(answer: Document) -> list[Document]:
    """The runs in the answer of `runs/search`.

    Raises:
        Unexpected: They are no mappings.
    """
    runs: Any = answer.get("runs", [])
    if not isinstance(runs, list) or not all(isinstance(run, dict) for run in cast("list[object]", runs)):
        raise Unexpected("the runs are described otherwise than documented")
    return cast("list[Document]", runs)


def run_id(run: Document) -> str:
    """The id of a run.

    Raises:
        Unexpected: There is none.
    """
    try:
        return str(run["info"]["run_id"])
    except (KeyError, TypeError):
        raise Unexpected("the run is described otherwise than documented: it has no id") from None


def run_of(run: Document, histories: Mapping[str, Document], *, experiment: str) -> TrackedRun:
    """One run with the histories of its metrics, by key.

    Raises:
        Unexpected: Something in it is missing.
    """
    try:
        info, data = run["info"], run.get("data", {})
        return TrackedRun(
            run_id=str(info["run_id"]),
            name=str(info.get("run_name", "")),
            experiment=experiment,
            status=str(info.get("status", "")),
            started=int(info.get("start_time", 0)),
            metrics={
                key: tuple(_recorded(point) for point in history.get("metrics", ()))
                for key, history in sorted(histories.items())
            },
            params={str(p["key"]): str(p["value"])[:MAX_TEXT] for p in data.get("params", ())},
            tags={str(t["key"]): str(t["value"])[:MAX_TEXT] for t in data.get("tags", ())},
        )
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise Unexpected(f"the run is described otherwise than documented ({error!r})") from None


def keys_of(run: Document) -> list[str]:
    """The keys of a run's metrics.

    Raises:
        Unexpected: They are missing.
    """
    try:
        return [str(metric["key"]) for metric in run.get("data", {}).get("metrics", ())]
    except (KeyError, TypeError, AttributeError):
        raise Unexpected("the run's metrics have no keys") from None


def _recorded(point: Document) -> Recorded:
    value = point.get("value", 0.0)
    number = special_number(value) if isinstance(value, str) else value
    if number is None:
        number = float(value)
    # An infinity is kept as the largest number, since a database has none.
    number = math.copysign(math.inf, number) if abs(number) >= 1.7976931348623157e308 else float(number)
    return Recorded(timestamp=int(point.get("timestamp", 0)), value=number, step=int(point.get("step", 0)))
