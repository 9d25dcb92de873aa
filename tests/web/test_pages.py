"""What the pages say, and what goes with every answer."""

import re
import time
from collections.abc import Iterator

import httpx
import pytest
import structlog
from structlog.testing import capture_logs

from reana_bridge.model.runs import RunState
from reana_bridge.store import tokens
from reana_bridge.store.tables import Hook, ProjectRow, Run
from reana_bridge.web.app import make_app
from tests.web.test_authorisation import bearer
from tests.web.world import BROKEN, HEAD, KEY, PRIVATE, World, fill, make_bridge


@pytest.fixture(autouse=True)
def _logging() -> Iterator[None]:
    yield
    structlog.contextvars.clear_contextvars()


SAYS = {
    "/": ["Projects", "local:physics/ttbar", "Recent runs", "1 queued", "1 running"],
    "/projects/local/physics/ttbar": [
        "upper limit (95 % CL)",
        "<polyline",
        'role="img"',
        "as a table",
        "Decisions",
    ],
    "/projects/local/physics/ttbar?branch=break-the-fit": ["bad0bad", "selected>break-the-fit"],
    "/runs/{finished}": [
        "1 of 14 metrics got worse",
        "4.97 \u00b1 0.12",
        "the merge-base",
        "numpy 2.1.0",
        "runs for proposals to main",
        "11 metrics unchanged",
    ],
    "/runs/{failed}": ["step 3 of 4", "KeyError: &#39;n_tracks&#39;", f"reana-bridge run --commit {BROKEN}"],
    "/runs/{running}": ["step 2 of 4", "event 1999 selected", "<noscript><meta", 'data-live="yes"'],
    "/runs/{queued}": ["queued"],
    "/comparisons/{comparison}": ["worse", "against", "Rules"],
    f"/commits/local/physics/ttbar/{HEAD[:8]}": [HEAD, "runs for proposals to main", "reana/fit", "shown"],
    "/runs/{running}/logs/select": ["event 0 selected", "caf\u00e9"],
    "/metrics": [
        'reana_bridge_runs{state="running"} 1.0',
        "reana_bridge_end_to_report_seconds_bucket",
        "reana_bridge_push_to_status_seconds_bucket",
    ],
    "/badges/local/physics/ttbar.svg": ["passed"],
    "/badges/local/physics/ttbar.svg?branch=break-the-fit&analysis=fit": ["reana/fit", "failed"],
    "/badges/local/physics/ttbar.svg?metric=upper limit (95 % CL)": ["4.21 \u00b1 0.12 fb"],
    "/badges/local/physics/ttbar.svg?metric=none": ["unknown"],
    "/badges/local/physics/ttbar.svg?branch=none": ["no run"],
    "/schemas/reana-bridge.json": ["$schema"],
}


@pytest.mark.parametrize("path", SAYS)
async def test_what_it_says(client: httpx.AsyncClient, world: World, path: str) -> None:
    names = {name: getattr(world, name) for name in ("finished", "failed", "running", "queued", "comparison")}
    answer = await client.get(path.format(**names), headers=bearer(world, "operator"))
    assert answer.status_code == 200
    assert [text for text in SAYS[path] if text not in answer.text] == []


async def test_a_run_that_waits_says_who_can_do_what(client: httpx.AsyncClient, world: World) -> None:
    with world.bridge.database.transaction() as session:
        run = session.get_one(Run, world.queued)
        run.state = RunState.WAITING
        sha = run.sha
    page = (await client.get(f"/runs/{world.queued}", headers=bearer(world, "operator"))).text
    assert "waits for approval" in page
    assert f"<code>/reana approve {sha}</code>" in page
    assert "needs approval" in (await client.get("/", headers=bearer(world, "operator"))).text
    address = "/badges/local/physics/ttbar.svg?branch=more-data&analysis=fit"
    assert "waiting" in (await client.get(address, headers=bearer(world, "operator"))).text


@pytest.mark.parametrize("path", ["/", "/runs/{finished}", "/absent", "/api/v1/runs", "/healthz", "/metrics"])
@pytest.mark.parametrize("who", ["operator", ""])
async def test_what_goes_with_every_answer(
    client: httpx.AsyncClient, world: World, path: str, who: str
) -> None:
    answer = await client.get(path.format(finished=world.finished), headers=bearer(world, who))
    headers = answer.headers
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"] == "no-store"
    assert headers["x-request-id"]
    assert " style=" not in answer.text
    assert not re.search(r"<script(?! src=)|\son\w+=", answer.text)


async def test_the_log_names_the_path_and_never_a_key(client: httpx.AsyncClient, world: World) -> None:
    with world.bridge.database.read() as session:
        key = tokens.link_key(KEY, session.get_one(ProjectRow, PRIVATE), world.finished)
    with capture_logs() as lines:
        await client.get(f"/runs/{world.finished}?key={key}")
        await client.get(f"/runs/{world.finished}", headers=bearer(world, "operator"))
    assert [(line["path"], line["status"]) for line in lines] == [
        (f"/runs/{world.finished}", 303),
        (f"/runs/{world.finished}", 200),
    ]
    assert key not in str(lines)
    assert world.tokens["operator"] not in str(lines)


async def test_a_failure_is_an_answer_with_an_id_and_a_log_entry(
    client: httpx.AsyncClient, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    from reana_bridge.web import queries

    def broken(*_args: object, **_more: object) -> None:
        raise RuntimeError("a secret inside")

    monkeypatch.setattr(queries, "newest_runs", broken)
    with capture_logs() as lines:
        answers = [
            await client.get(path, headers=bearer(world, "operator") | {"accept": accept})
            for path, accept in (("/", "text/html"), ("/api/v1/runs", "*/*"))
        ]
    assert [answer.status_code for answer in answers] == [500, 500]
    assert "<h1>Internal error</h1>" in answers[0].text
    assert answers[1].headers["content-type"] == "application/problem+json"
    assert all("secret" not in answer.text for answer in answers)
    failures = [line["error"] for line in lines if line["event"] == "request.failed"]
    assert len(failures) == 2
    assert all("a secret inside" in failure for failure in failures)
    assert answers[1].json()["request"] == answers[1].headers["x-request-id"]


async def test_badges_and_our_own_files_are_not_sent_twice(client: httpx.AsyncClient, world: World) -> None:
    page = (await client.get("/sign-in")).text
    for path in [*re.findall(r'(/static/[^"]+)"', page), "/badges/local/open/higgs.svg"]:
        first = await client.get(path)
        assert first.status_code == 200
        again = await client.get(path, headers={"if-none-match": first.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")


class Sick:
    def start(self) -> None: ...

    def stop(self) -> None: ...

    def problems(self) -> list[str]:
        return ["the decide thread does not answer"]


async def test_not_ready_says_why(world: World) -> None:
    app = make_app(world.bridge, runtime=Sick())
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://x") as client:
        answer = await client.get("/readyz")
        assert (answer.status_code, answer.json()["problems"]) == (503, Sick().problems())
        assert (await client.get("/healthz")).status_code == 200


async def test_a_worker_only_says_how_it_is(world: World) -> None:
    app = make_app(world.bridge, takes_webhooks=False)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://x") as client:
        answers = {path: (await client.get(path)).status_code for path in ("/healthz", "/", "/api/v1/runs")}
        answers["hook"] = (await client.post("/webhooks/local")).status_code
    assert answers == {"/healthz": 200, "/": 404, "/api/v1/runs": 404, "hook": 404}


async def test_a_thousand_metrics(tmp_path_factory: pytest.TempPathFactory) -> None:
    bridge = make_bridge(tmp_path_factory.mktemp("thousand"))
    world = fill(bridge, history=1, metrics=1000)
    app = make_app(bridge)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://x") as client:
        for path in (f"/runs/{world.finished}", f"/runs/{world.main}", f"/comparisons/{world.comparison}"):
            started = time.perf_counter()
            answer = await client.get(path, headers=bearer(world, "operator"))
            print(f"{path.split('/')[1]} with 1000 metrics: {time.perf_counter() - started:.3f} s")
            assert answer.text.count("yield.region_") == 997
    bridge.close()


async def test_a_broken_hook_is_shown_to_who_can_mend_it(client: httpx.AsyncClient, world: World) -> None:
    words = "is gone from the forge: run <code>reana-bridge connect</code>"
    problem = "the hook is gone from the forge: run `reana-bridge connect`"
    with world.bridge.database.transaction() as session:
        session.add(Hook(id="h", forge="local", project=PRIVATE, problem=problem, made_at=1.0))
    pages = ("/", f"/projects/{PRIVATE.replace(':', '/')}")
    for name, shown in (("operator", True), ("physics-writer", True), ("physics-reader", False)):
        for path in pages:
            text = (await client.get(path, headers=bearer(world, name))).text
            assert (words in text) == shown, (name, path)
    with world.bridge.database.transaction() as session:
        session.delete(session.get_one(Hook, "h"))
