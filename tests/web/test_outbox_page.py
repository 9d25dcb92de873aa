"""The outbox' page, pauses by the API, and what pages say of a pause and of a rehearsal."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from reana_bridge.model.pauses import PauseKind
from reana_bridge.model.runs import RunState
from reana_bridge.steps.pausing import pause_work, resume_work
from reana_bridge.store.tables import OutboxRow, RateLimit, Run
from reana_bridge.web.app import make_app
from tests.web.test_authorisation import (
    EVERYBODY,
    NOBODY,
    OPERATOR,
    OTHER,
    READER,
    WRITER,
    bearer,
)
from tests.web.world import HEAD, PRIVATE, PUBLIC, World

KEY = "ab" * 16


def put(world: World, **values: Any) -> None:
    given = {"project": PRIVATE, "kind": "note", "key": f"k{values}", "sha": HEAD, "wanted_at": 1.0}
    with world.bridge.database.transaction() as session:
        session.add(OutboxRow(**{**given, "posted_version": 1, **values}))


@pytest.fixture
def paused(world: World) -> Iterator[Any]:
    """Pause something for the length of a test."""
    done: list[tuple[PauseKind, str]] = []

    def pause(kind: PauseKind, name: str, reason: str = "maintenance") -> None:
        pause_work(world.bridge, kind, name, reason=reason, by="jane")
        done.append((kind, name))

    yield pause
    for kind, name in done:
        resume_work(world.bridge, kind, name)


async def page(client: httpx.AsyncClient, world: World, path: str, who: str = OPERATOR) -> str:
    answer = await client.get(path, headers=bearer(world, who))
    assert answer.status_code == 200
    return answer.text


@pytest.mark.parametrize(
    ("row", "only", "says"),
    [
        ({"posted_version": 0, "due_at": 1.0}, "pending", 'nowrap">to be posted'),
        ({"error": "403 <b>no rights</b>"}, "failing", "403 &lt;b&gt;no rights&lt;/b&gt;"),
        ({"shadow": {"body": "**reana/fit**"}}, "shadow", "**reana/fit**"),
        ({"shadow": {"state": "success"}, "kind": "status"}, "shadow", "&#34;state&#34;: &#34;success&#34;"),
        ({"merge_request": 17}, "", "of !17"),
        (
            {"kind": "reaction", "wanted": {"comment": "4", "reaction": "eyes"}, "merge_request": 18},
            "",
            "of !18",
        ),
        ({"kind": "reply", "wanted": {"comment": "4", "body": "x"}, "merge_request": 19}, "", "of !19"),
    ],
)
async def test_what_the_page_shows(
    client: httpx.AsyncClient, world: World, row: dict[str, Any], only: str, says: str
) -> None:
    put(world, **row)
    assert says in await page(client, world, "/outbox")
    assert PRIVATE in await page(client, world, f"/commits/local/physics/ttbar/{HEAD}")
    for other in {"pending", "failing", "shadow"}:
        found = says in await page(client, world, f"/outbox?only={other}")
        assert found or other != only
    assert says not in await page(client, world, "/outbox", OTHER)


async def test_a_key_is_never_shown(client: httpx.AsyncClient, world: World) -> None:
    put(world, shadow={"body": f"[run](http://x/runs/1?key={KEY})", "more": [{"url": f"http://x?key={KEY}"}]})
    assert KEY not in await page(client, world, "/outbox")
    text = await page(client, world, "/api/v1/outbox?limit=200")
    assert "[run](http://x/runs/1)" in text
    assert KEY not in text


async def test_the_page_goes_on(client: httpx.AsyncClient, world: World) -> None:
    for number in range(60):
        put(world, key=f"many{number}", kind="reply")
    first = await page(client, world, "/outbox")
    before = first.partition("before=")[2].partition('"')[0]
    assert before
    assert "Older" not in await page(client, world, f"/outbox?before={before}&only=failing")
    assert await page(client, world, f"/outbox?before={before}") != first


async def test_a_forge_that_asked_to_wait_is_named_to_administrators(
    client: httpx.AsyncClient, world: World
) -> None:
    with world.bridge.database.transaction() as session:
        session.add(RateLimit(forge="local", until=9e9, reason="too many requests", seen_at=1.0))
    assert "too many requests" in await page(client, world, "/outbox")
    assert "too many requests" not in await page(client, world, "/outbox", NOBODY)


PLACES = ["/", "/projects/local/physics/ttbar", f"/commits/local/physics/ttbar/{HEAD}", "/runs/{queued}"]


@pytest.mark.parametrize("path", PLACES)
@pytest.mark.parametrize(
    ("kind", "name"),
    [(PauseKind.FORGE, "local"), (PauseKind.BACKEND, "local"), (PauseKind.PROJECT, PRIVATE)],
)
async def test_every_page_concerned_says_why(
    client: httpx.AsyncClient, world: World, paused: Any, path: str, kind: PauseKind, name: str
) -> None:
    with world.bridge.database.transaction() as session:
        session.get_one(Run, world.queued).backend = "local"
    path = path.format(queued=world.queued)
    assert "is paused" not in await page(client, world, path)
    paused(kind, name, "new disks <soon>")
    assert f"the {kind} {name} is paused: new disks &lt;soon&gt;" in await page(client, world, path)


async def test_other_projects_pauses_are_not_told(
    client: httpx.AsyncClient, world: World, paused: Any
) -> None:
    paused(PauseKind.PROJECT, PRIVATE)
    assert "is paused" not in await page(client, world, "/", NOBODY)
    assert "is paused" not in await page(client, world, "/projects/local/open/higgs")
    projects = (await client.get("/api/v1/projects", headers=bearer(world, READER))).json()["items"]
    assert {p["name"]: p["paused"] for p in projects} == {PRIVATE: "maintenance", PUBLIC: ""}
    for who, seen in ((READER, 1), (NOBODY, 0)):
        assert len((await client.get("/api/v1/pauses", headers=bearer(world, who))).json()) == seen


WISHES = [
    ({"kind": "project", "name": PRIVATE, "reason": "r"}, {OPERATOR, WRITER}),
    ({"kind": "project", "name": PUBLIC, "reason": "r"}, {OPERATOR}),
    ({"kind": "forge", "name": "local", "reason": "r"}, {OPERATOR}),
    ({"kind": "backend", "name": "local", "reason": "r"}, {OPERATOR}),
]


@pytest.mark.parametrize("who", EVERYBODY)
@pytest.mark.parametrize(("wish", "may"), WISHES)
async def test_who_may_pause_and_resume(
    client: httpx.AsyncClient, world: World, who: str, wish: dict[str, str], may: set[str]
) -> None:
    headers = bearer(world, who)
    address = f"/api/v1/pauses/{wish['kind']}/{wish['name']}"
    answer = await client.post("/api/v1/pauses", json=wish, headers=headers)
    assert answer.status_code == (201 if who in may else 404)
    if who in may:
        assert answer.json()["paused_by"] == who
        assert (await client.delete(address, headers=headers)).json() == {"resumed": True}
    answer = await client.delete(address, headers=headers)
    assert answer.status_code == (200 if who in may else 404)


@pytest.mark.parametrize(
    ("wish", "status"),
    [
        ({"kind": "forge", "name": "absent", "reason": "r"}, 409),
        ({"kind": "forge", "name": "local", "reason": " "}, 409),
        ({"kind": "moon", "name": "local", "reason": "r"}, 422),
        ({"kind": "forge", "name": "local"}, 422),
        ({"kind": "forge", "name": "local", "reason": "r" * 501}, 422),
    ],
)
async def test_a_wrong_wish_is_told_so(
    client: httpx.AsyncClient, world: World, wish: dict[str, str], status: int
) -> None:
    answer = await client.post("/api/v1/pauses", json=wish, headers=bearer(world, OPERATOR))
    assert answer.status_code == status


async def test_a_run_from_a_fork_says_so(client: httpx.AsyncClient, world: World) -> None:
    with world.bridge.database.transaction() as session:
        run = session.get_one(Run, world.queued)
        run.state, run.trusted, run.merge_request, run.approved_by = RunState.QUEUED, False, 17, "rita"
    text = await page(client, world, f"/runs/{world.queued}")
    assert [
        say for say in ("!17", "from a fork", "let run by rita", "never a baseline") if say not in text
    ] == []
    run_ = (await client.get(f"/api/v1/runs/{world.queued}", headers=bearer(world, OPERATOR))).json()
    assert (run_["merge_request"], run_["trusted"], run_["approved_by"]) == (17, False, "rita")


@pytest.mark.parametrize("ref", ["refs/merge-requests/17/head", "refs/pull/17/head"])
async def test_a_merge_request_is_named_by_its_number(
    client: httpx.AsyncClient, world: World, ref: str
) -> None:
    with world.bridge.database.transaction() as session:
        session.get_one(Run, world.queued).ref = ref
    assert "on !17</span>" in await page(client, world, f"/runs/{world.queued}")


async def test_a_rehearsal_says_that_it_is_one(world: World, tmp_path: Path) -> None:
    settings = world.bridge.settings
    server = settings.server.model_copy(update={"shadow": True})
    bridge = replace(world.bridge, settings=settings.model_copy(update={"server": server}))
    transport = httpx.ASGITransport(app=make_app(bridge))
    async with httpx.AsyncClient(transport=transport, base_url="http://bridge.test") as client:
        assert "This is a rehearsal" in await page(client, world, "/")
