"""The API: pages of lists, filters, errors, what is asked for, and that no input makes it stumble."""

import re
from pathlib import Path
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import response_schema_conformance

from reana_bridge.steps import manual
from reana_bridge.web.app import make_app
from tests.web.test_authorisation import bearer
from tests.web.world import HEAD, PRIVATE, World, fill, make_bridge

UPPER_LIMIT = "upper limit (95 % CL)"
LISTS = ["deliveries", "decisions", "projects", "analyses", "runs", "results", "comparisons", "outbox"]


async def get(client: httpx.AsyncClient, world: World, path: str, **params: Any) -> httpx.Response:
    return await client.get(f"/api/v1/{path}", params=params, headers=bearer(world, "operator"))


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize("limit", [1, 2, 3])
async def test_pages_neither_repeat_nor_miss(
    client: httpx.AsyncClient, world: World, name: str, limit: int
) -> None:
    whole = (await get(client, world, name, limit=200)).json()
    assert whole["next_cursor"] is None
    pieces: list[Any] = []
    cursor: str | None = ""
    while cursor is not None:
        page = (await get(client, world, name, limit=limit, cursor=cursor)).json()
        assert 1 <= len(page["items"]) <= limit
        pieces += page["items"]
        cursor = page["next_cursor"]
    assert pieces == whole["items"]
    assert whole["items"]


@pytest.mark.parametrize(
    ("name", "filters", "count"),
    [
        ("runs", {"project": PRIVATE}, 8),
        ("runs", {"project": "local:none"}, 0),
        ("runs", {"state": "failed"}, 1),
        ("runs", {"sha": HEAD}, 1),
        ("runs", {"branch": "more-data"}, 2),
        ("runs", {"branch": "refs/heads/more-data"}, 2),
        ("runs", {"analysis": "fit", "state": "running"}, 1),
        ("decisions", {"sha": HEAD}, 1),
        ("decisions", {"outcome": "skip"}, 0),
        ("deliveries", {"forge": "local"}, 9),
        ("deliveries", {"kind": "synthetic"}, 0),
        ("results", {"branch": "main", "project": PRIVATE}, 4),
        ("comparisons", {"sha": HEAD}, 1),
        ("comparisons", {"project": "local:open/higgs"}, 0),
        ("outbox", {"pending": "true"}, 0),
        ("outbox", {"sha": HEAD, "kind": "status"}, 1),
        ("analyses", {"project": PRIVATE}, 1),
    ],
)
async def test_filters(
    client: httpx.AsyncClient, world: World, name: str, filters: dict[str, str], count: int
) -> None:
    answer = await get(client, world, name, limit=200, **filters)
    assert len(answer.json()["items"]) == count


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/v1/none", 404),
        ("DELETE", "/api/v1/runs", 405),
        ("GET", "/api/v1/runs?limit=0", 422),
        ("GET", "/api/v1/runs?limit=x", 422),
        ("GET", "/api/v1/runs?cursor=x", 422),
        ("GET", "/api/v1/runs?cursor=WyJhIiwiYiJd", 422),
        ("GET", "/api/v1/runs?cursor=WyJcdTAwMDAiXQ", 422),
        ("GET", "/api/v1/runs?sha=%00", 422),
        ("GET", "/api/v1/runs/none/logs?offset=-1", 422),
        ("POST", "/api/v1/runs", 422),
    ],
)
async def test_errors_are_problems(
    client: httpx.AsyncClient, world: World, method: str, path: str, status: int
) -> None:
    answer = await client.request(method, path, headers=bearer(world, "operator") | {"accept": "text/html"})
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert {"type", "title", "status", "detail"} <= set(problem)
    assert problem["status"] == status


async def test_a_body_without_end_is_refused(client: httpx.AsyncClient, world: World) -> None:
    body = b'{"project": "' + b"x" * (1 << 20) + b'"}'
    headers = bearer(world, "operator") | {"content-type": "application/json"}
    assert (await client.post("/api/v1/runs", content=body, headers=headers)).status_code == 413


async def test_nothing_secret_is_shown(client: httpx.AsyncClient, world: World) -> None:
    for name in LISTS:
        text = (await get(client, world, name, limit=200)).text
        assert "private" not in text or name == "projects"
        assert "SECRETKEY" not in text
        assert "rb_" not in text


async def test_numbers_that_json_has_not(client: httpx.AsyncClient, world: World) -> None:
    from reana_bridge.model.metrics import Metric
    from reana_bridge.web.shaping import metric

    shown = [
        metric(Metric(name="m", value=value, uncertainty=value)) for value in (float("nan"), float("-inf"))
    ]
    assert [(one.value, one.uncertainty, one.shown) for one in shown] == [
        (None, None, "NaN"),
        (None, None, "-inf"),
    ]


async def test_alarms_of_rules(client: httpx.AsyncClient, world: World) -> None:
    (found,) = (await get(client, world, "alarms", project=PRIVATE)).json()
    assert (found["pattern"], found["effect"], found["metrics"]) == ("upper limit*", "warn", [UPPER_LIMIT])
    assert [found[key] for key in ("raised", "accepted", "vanished", "false_share", "noisy")] == [
        1,
        0,
        0,
        0,
        False,
    ]
    assert (await get(client, world, "alarms", project=PRIVATE, analysis="other")).json() == []
    page = await client.get("/projects/local/physics/ttbar", headers=bearer(world, "operator"))
    assert 'id="alarms"' in page.text
    assert "<strong>upper limit*</strong> may change by at most 5 %" in page.text


async def test_one_run_in_full(client: httpx.AsyncClient, world: World) -> None:
    run = (await get(client, world, f"runs/{world.failed}")).json()
    assert run["failure"] == {"kind": "analysis", "message": "exit status 1", "step": "fit", "hint": ""}
    assert [step["state"] for step in run["steps"]] == ["finished", "finished", "failed", "waiting"]
    assert run["queued_at"] == "2026-10-26T07:03:20.000Z"
    comparison = (await get(client, world, f"runs/{world.finished}/comparison")).json()
    assert comparison["baseline"]["run_id"] == world.main
    assert comparison["metrics"][0]["verdict"] == "worse"
    assert (await get(client, world, f"runs/{world.failed}/comparison")).status_code == 404


@pytest.mark.parametrize(
    ("error", "status"), [(manual.Refused("no such analysis"), 409), (manual.StillDeciding("d1"), 202)]
)
@pytest.mark.parametrize("what", ["start", "rerun"])
async def test_what_is_not_done_says_why(
    client: httpx.AsyncClient,
    world: World,
    monkeypatch: pytest.MonkeyPatch,
    error: manual.Refused,
    status: int,
    what: str,
) -> None:
    def refuse(*_args: object, **_more: object) -> None:
        raise error

    monkeypatch.setattr(manual, what, refuse)
    path = "/api/v1/runs" if what == "start" else f"/api/v1/runs/{world.finished}/rerun"
    body = {"project": PRIVATE} if what == "start" else {"from_step": "fit", "parameters": {"toys": 5}}
    answer = await client.post(path, json=body, headers=bearer(world, "operator"))
    assert answer.status_code == status
    assert (
        answer.json() == {"runs": [], "delivery": "d1"}
        if status == 202
        else answer.json()["detail"] == "no such analysis"
    )


@pytest.mark.parametrize("path", ["/runs/{run_id}/comparison", "/compare/{before}/{after}"])
@pytest.mark.parametrize("form", ["json", "junit", "markdown", "report"])
def test_each_form_is_as_described(tmp_path: Path, path: str, form: str) -> None:
    bridge = make_bridge(tmp_path)
    world = fill(bridge, history=1)
    schema = schemathesis.openapi.from_asgi("/api/openapi.json", make_app(bridge))
    names = dict.fromkeys(re.findall(r"{(\w+)}", path), world.finished)
    case = schema[f"/api/v1{path}"]["GET"].Case(path_parameters=names, query={"format": form})
    response = case.call(headers=bearer(world, "operator"))
    assert response.status_code == 200
    case.validate_response(response, checks=[response_schema_conformance])
    bridge.close()


def test_no_input_makes_it_stumble(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_args: object, **_more: object) -> None:
        raise manual.Refused("not here")

    for name in ("start", "rerun", "cancel"):
        monkeypatch.setattr(manual, name, refuse)
    bridge = make_bridge(tmp_path)
    world = fill(bridge, history=1)
    schema = schemathesis.openapi.from_asgi("/api/openapi.json", make_app(bridge))
    operations = [found.ok() for found in schema.get_all_operations()]
    assert len(operations) == 22
    for operation in operations:
        _fuzz(operation, world)
    bridge.close()


def _fuzz(operation: Any, world: World) -> None:
    @settings(max_examples=6, suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy(), known=st.booleans())
    def run(case: Any, known: bool) -> None:
        if known and "run_id" in (case.path_parameters or {}):
            case.path_parameters["run_id"] = world.finished
        response = case.call(headers=bearer(world, "operator"))
        case.validate_response(response, checks=[not_a_server_error, response_schema_conformance])

    run()
