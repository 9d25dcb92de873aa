"""The webhook door: what comes in whichever way, and the one right answer to it."""

import asyncio
import gzip
import json
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select
from starlette.types import ASGIApp

from reana_bridge.steps.bridge import Bridge
from reana_bridge.store.inbox import InboxFailed, InboxFull
from reana_bridge.store.tables import Delivery
from reana_bridge.web.app import make_app
from tests.web.world import SECRET, make_bridge
from webhooks.signatures import signed_headers

BODY = b'{"project": "physics/ttbar", "ping": true}'
JSON = {"content-type": "application/json"}
LIMIT = 2000


@pytest.fixture(scope="module")
def bridge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bridge]:
    bridge = make_bridge(tmp_path_factory.mktemp("door"), body_limit=LIMIT, body_seconds=0.05)
    bridge.inbox.start()
    yield bridge
    bridge.close()


@pytest.fixture(scope="module")
def app(bridge: Bridge) -> ASGIApp:
    return make_app(bridge)


async def knock(
    app: ASGIApp,
    path: str = "/webhooks/local",
    *,
    headers: dict[str, str] | None = None,
    pieces: tuple[bytes | None, ...] = (BODY,),
    slow: float = 0.0,
) -> tuple[int, dict[str, Any], dict[str, str]]:
    """One request in pieces; None stands for a sender that hangs up."""
    messages: list[dict[str, Any]] = []
    for place, piece in enumerate(pieces, 1):
        if piece is None:
            messages.append({"type": "http.disconnect"})
        else:
            messages.append({"type": "http.request", "body": piece, "more_body": place < len(pieces)})

    async def receive() -> Any:
        if slow:
            await asyncio.sleep(slow)
        return messages.pop(0)

    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    raw = [(name.encode(), value.encode("latin-1")) for name, value in (headers or {}).items()]
    scope = {"type": "http", "method": "POST", "path": path, "raw_path": path.encode(), "query_string": b""}
    scope |= {"headers": raw, "http_version": "1.1", "scheme": "http", "server": ("bridge.test", 80)}
    scope |= {"client": ("127.0.0.1", 1), "root_path": "", "asgi": {"version": "3.0"}, "state": {}}
    await app(scope, receive, send)
    assert [message["type"] for message in sent] == ["http.response.start", "http.response.body"]
    answered = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], json.loads(sent[1]["body"]), answered


def signed(
    body: bytes = BODY, *, delivery: str = "d-1", secret: str = SECRET, age: int = 0
) -> dict[str, str]:
    timestamp = int(time.time()) - age
    return JSON | signed_headers(secret=secret, delivery=delivery, timestamp=timestamp, body=body)


def rows(bridge: Bridge) -> int:
    with bridge.database.read() as session:
        return session.execute(select(func.count()).select_from(Delivery)).scalar_one()


REFUSED: dict[str, tuple[dict[str, str], tuple[bytes | None, ...], int]] = {
    "unsigned": (JSON, (BODY,), 401),
    "wrong secret": (signed(secret="another"), (BODY,), 401),
    "another body": (signed(b"{}"), (BODY,), 401),
    "old": (signed(age=3600), (BODY,), 401),
    "non-ASCII signature": (signed() | {"webhook-signature": "v1,\xe9\xff"}, (BODY,), 401),
    "non-ASCII id": (signed() | {"webhook-id": "\xe9"}, (BODY,), 401),
    "huge timestamp": (signed() | {"webhook-timestamp": "9" * 400}, (BODY,), 401),
    "no content type": ({}, (BODY,), 415),
    "form": ({"content-type": "application/x-www-form-urlencoded"}, (BODY,), 415),
    "odd content type": ({"content-type": "\xe9\xe9"}, (BODY,), 415),
    "gzip": (signed() | {"content-encoding": "gzip"}, (gzip.compress(BODY),), 415),
    "announced too large": (JSON | {"content-length": str(LIMIT + 1)}, (), 413),
    "announced absurd": (JSON | {"content-length": "9" * 5000}, (), 413),
    "too large": (JSON, (b"x" * LIMIT, b"y"), 413),
    "too large in one piece": (JSON, (b"x" * (LIMIT + 1),), 413),
    "no length": (JSON | {"content-length": "-1"}, (), 400),
    "truncated": (signed() | {"content-length": str(len(BODY))}, (BODY[:5], None), 400),
    "gone at once": (signed(), (None,), 400),
    "bad UTF-8, unsigned": (JSON, (b"\xff\xfe{",), 401),
}


@pytest.mark.parametrize("case", REFUSED)
@pytest.mark.parametrize("path", ["/webhooks/local", "/webhooks/local/team"])
async def test_what_is_refused_leaves_no_row(app: ASGIApp, bridge: Bridge, case: str, path: str) -> None:
    headers, pieces, status = REFUSED[case]
    before = rows(bridge)
    answer = await knock(app, path, headers=headers, pieces=pieces)
    assert answer[0] == status
    assert answer[2]["content-type"] == "application/problem+json"
    assert answer[1]["status"] == status
    assert SECRET not in str(answer)
    assert rows(bridge) == before


async def test_a_slow_sender_is_not_waited_for(app: ASGIApp) -> None:
    status, _, headers = await knock(app, headers=signed(), pieces=(BODY[:1], BODY[1:]), slow=0.1)
    assert (status, headers["connection"]) == (408, "close")


@pytest.mark.parametrize("forge", ["nobody", "bare", "local%00", "..", "\u00e9"])
async def test_an_unknown_forge_answers_as_an_unsigned_request(app: ASGIApp, forge: str) -> None:
    unsigned = await knock(app, headers=JSON)
    assert await knock(app, f"/webhooks/{forge}", headers=signed()) == unsigned


@pytest.mark.parametrize("body", [BODY, b"", b"null", b"\xff\xfe", b"[" * 900, b'{"project": "\\ud800"}'])
async def test_what_is_authentic_is_taken_whatever_it_means(
    app: ASGIApp, bridge: Bridge, body: bytes
) -> None:
    headers = signed(body, delivery=f"taken-{len(body)}-{body[:3].hex()}")
    pieces = (body[:1], body[1:3], body[3:])
    first = await knock(app, headers=headers, pieces=pieces)
    again = await knock(app, "/webhooks/local/team", headers=headers, pieces=(body,))
    assert (first[0], again[0]) == (202, 200)
    assert first[1]["delivery"] == again[1]["delivery"]
    with bridge.database.read() as session:
        stored = session.get_one(Delivery, first[1]["delivery"])
    assert stored.body == body
    assert "signature" not in str(stored.headers)


@pytest.mark.parametrize("error", [InboxFull("10 wait"), InboxFailed("disk full at /secret/place")])
async def test_what_cannot_be_stored_is_to_come_again(
    app: ASGIApp, bridge: Bridge, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    async def put(_incoming: object) -> None:
        raise error

    monkeypatch.setattr(bridge.inbox, "put", put)
    status, content, headers = await knock(app, headers=signed(delivery="never"))
    assert (status, headers["retry-after"]) == (503, "10")
    assert str(error) not in str(content)


async def test_memory_for_bodies_is_bounded(app: ASGIApp) -> None:
    announced = signed(delivery="many") | {"content-length": str(LIMIT)}
    waiting = [knock(app, headers=announced, pieces=(BODY, b""), slow=0.02) for _ in range(12)]
    statuses = [status for status, _, _ in await asyncio.gather(*waiting)]
    assert statuses.count(503) == 4
    assert (await knock(app, headers=signed(delivery="after")))[0] == 202


@given(
    body=st.binary(max_size=300),
    path=st.text(st.characters(exclude_characters="/?#", exclude_categories=["Cs"]), min_size=1, max_size=20),
    names=st.dictionaries(
        st.sampled_from(
            [
                "content-type",
                "content-length",
                "content-encoding",
                "transfer-encoding",
                "webhook-id",
                "webhook-timestamp",
                "webhook-signature",
            ]
        ),
        st.text(st.characters(max_codepoint=255), max_size=60),
    ),
    honest=st.booleans(),
)
def test_no_bytes_make_it_stumble(
    app: ASGIApp, body: bytes, path: str, names: dict[str, str], honest: bool
) -> None:
    headers = (signed(body) if honest else JSON) | names
    status, _, _ = asyncio.run(knock(app, f"/webhooks/{path}", headers=headers, pieces=(body,)))
    assert status in {200, 202, 400, 401, 413, 415}


async def test_other_methods_and_addresses(app: ASGIApp) -> None:
    from httpx import ASGITransport, AsyncClient

    async with AsyncClient(transport=ASGITransport(app=app), base_url="http://bridge.test") as client:
        answers = {
            path: (await client.request(method, path)).status_code
            for method, path in (
                ("GET", "/webhooks/local"),
                ("POST", "/webhooks/a/b/c"),
                ("POST", "/webhooks"),
            )
        }
    assert answers == {"/webhooks/local": 405, "/webhooks/a/b/c": 404, "/webhooks": 404}


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[str]:
    from tests.web.serving import serving

    bridge = make_bridge(tmp_path, body_limit=LIMIT)
    bridge.inbox.start()
    with serving(make_app(bridge)) as url:
        yield url
    bridge.close()


async def test_over_a_real_socket(served: str) -> None:
    import httpx

    url = f"{served}/webhooks/local"
    async with httpx.AsyncClient() as client:
        assert (await client.post(url, content=BODY, headers=signed())).status_code == 202
        assert (await client.post(url, content=BODY, headers=signed())).status_code == 200
        assert (await client.post(url, content=BODY, headers=JSON)).status_code == 401
        assert (await client.post(url, content=b"x" * LIMIT * 50, headers=JSON)).status_code == 413
        chunks = (b"x" * 1000 for _ in range(50))
        assert (await client.post(url, content=_async(chunks), headers=JSON)).status_code == 413
        assert (await client.get(f"{served}/healthz")).json() == {"status": "alive"}


async def _async(chunks: Iterator[bytes]) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk
