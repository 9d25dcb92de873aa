"""What is fetched from an MLflow tracking server: a real HTTP server that answers as MLflow documents."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from reana_bridge.model.analyses import Analysis, MetricHint
from reana_bridge.model.metrics import Metric
from reana_bridge.model.readings import Reading
from reana_bridge.settings import MlflowSettings
from reana_bridge.steps.collecting import tracking

Answer = Callable[[str, dict[str, Any]], tuple[int, bytes]]
HISTORY = {
    "loss": [
        {"key": "loss", "value": 2.0, "timestamp": "1", "step": "0"},
        {"value": 1.5, "timestamp": "2", "step": "1"},
    ],
    "a b": [{"key": "a b", "value": "NaN", "timestamp": 1, "step": 0}],
    "big": [{"value": 1.7976931348623157e308, "timestamp": 1}],
}
RUN = {
    "info": {"run_id": "r1", "run_name": "run-id", "status": "FINISHED", "start_time": 1},
    "data": {"metrics": [{"key": key} for key in HISTORY], "params": [{"key": "lr", "value": "0.1"}]},
}


def well(path: str, asked: dict[str, Any]) -> tuple[int, bytes]:
    if path.endswith("get-by-name"):
        assert asked == {"experiment_name": "f:a/x/fit"}
        return 200, json.dumps({"experiment": {"experiment_id": "7"}}).encode()
    if path.endswith("runs/search"):
        assert asked["experiment_ids"] == ["7"]
        assert asked["filter"] == "attributes.run_name = 'run-id'"
        return 200, json.dumps({"runs": [RUN]}).encode()
    return 200, json.dumps({"metrics": HISTORY[asked["metric_key"]]}).encode()


@contextmanager
def server(answer: Answer) -> Iterator[tuple[str, list[str]]]:
    seen: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.answer({key: found[0] for key, found in parse_qs(urlsplit(self.path).query).items()})

        def do_POST(self) -> None:
            self.answer(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

        def answer(self, asked: dict[str, Any]) -> None:
            seen.append(self.headers.get("Authorization", ""))
            status, content = answer(urlsplit(self.path).path, asked)
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            if status == 302:
                self.send_header("Location", "http://127.0.0.1:1/")
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{http.server_port}", seen
        finally:
            http.shutdown()
            thread.join()


def fetched(url: str, **more: Any) -> Reading:
    settings = MlflowSettings.model_validate({"url": url, **more})
    return tracking.fetch(settings, experiment="f:a/x/fit", run_name="run-id")


def test_the_run_is_found_by_its_name() -> None:
    with server(well) as (url, seen):
        reading = fetched(url + "/", token="secret")
    assert reading.unreadable == ()
    assert {metric.name: str(metric.value) for metric in reading.metrics} == {
        "a b": "nan",
        "big": "inf",
        "loss": "1.5",
    }
    assert [point.value for point in reading.metrics[2].series] == [2.0, 1.5]
    assert reading.metrics[0].tags["lr"] == "0.1"
    assert set(seen) == {"Bearer secret"}


def says(status: int, document: Any) -> Answer:
    content = document if isinstance(document, bytes) else json.dumps(document).encode()
    return lambda path, asked: (status, content)


def finds(*runs: Any) -> Answer:
    return says(200, {"experiment": {"experiment_id": "7"}, "runs": runs})


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (says(404, {}), ""),
        (finds(), ""),
        (says(403, {}), "it answered 403 to experiments/get-by-name"),
        (says(302, b""), "it answered 302"),
        (says(200, b"<html>"), "the answer is no JSON"),
        (says(200, []), "the answer is no mapping"),
        (says(200, {"experiment": 3}), "the experiment has no id"),
        (says(200, b" " * (9 << 20)), "has more than 8388608 bytes"),
        (finds(3), "otherwise than documented"),
        (finds({"data": {"metrics": [{}]}}), "have no keys"),
        (finds({"info": {}}), "it has no id"),
        (finds({"info": {"run_id": "x"}, "data": {"params": [3]}}), "otherwise than documented"),
        (finds({"data": {"metrics": [{"key": "k"}] * 201}}), "201 metrics"),
    ],
    ids=range(13),
)
def test_what_goes_wrong_is_said(answer: Answer, said: str) -> None:
    with server(answer) as (url, _):
        reading = fetched(url)
    assert reading.metrics == ()
    assert said in " | ".join(item.reason for item in reading.unreadable)
    assert bool(said) == bool(reading.unreadable)


def test_a_server_that_is_away_is_said() -> None:
    (item,) = fetched("http://127.0.0.1:1").unreadable
    assert item.reason == "it cannot be asked: ConnectError"


def test_files_win_and_hints_count() -> None:
    own = Reading(metrics=(Metric(name="a", value=1),))
    tracked = Reading(metrics=(Metric(name="a", value=2), Metric(name="b", value=3)))
    reading = tracking.joined(own, tracked, Analysis(name="x", hints=(MetricHint(name="b", unit="fb"),)))
    assert [(metric.name, metric.value, metric.unit) for metric in reading.metrics] == [
        ("a", 1, ""),
        ("b", 3, "fb"),
    ]
