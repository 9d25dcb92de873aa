"""Logs as text: cut nowhere in a character, nothing hidden, live and kept."""

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reana_bridge.web.logs import readable, whole_characters
from tests.web.test_authorisation import bearer
from tests.web.world import World


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"plain\n", "plain\n"),
        (b"\x1b[1;32mgreen\x1b[0m", "green"),
        (b"\x1b]0;title\x07", "\u241b]0;title\u2407"),
        (b"10 %\r20 %\r\ndone", "10 %\n20 %\ndone"),
        (b"bad \xff byte", "bad \ufffd byte"),
        ("caf\u00e9 \u20ac".encode(), "caf\u00e9 \u20ac"),
        ("a\u202eb\u200bc".encode(), "a\u25a1202Eb\u25a1200Bc"),
        (b"nul\x00\x7f\ttab", "nul\u2400\u2421\ttab"),
    ],
)
def test_bytes_become_readable(content: bytes, text: str) -> None:
    assert readable(content) == text


@given(st.text(), st.integers(0, 200))
def test_a_character_is_never_cut(text: str, size: int) -> None:
    content = text.encode("utf-8", "replace")
    piece = whole_characters(content[:size])
    assert content.startswith(piece)
    assert len(content[:size]) - len(piece) <= 3
    assert piece.decode("utf-8")[:1] == text[:1] if piece else True


@given(st.binary())
def test_any_bytes_are_taken(content: bytes) -> None:
    assert len(content) - len(whole_characters(content)) <= 3
    assert "\x1b" not in readable(content)


async def test_a_live_log_is_read_piece_by_piece(client: httpx.AsyncClient, world: World) -> None:
    path, headers = f"/api/v1/runs/{world.running}/logs", bearer(world, "reader")
    text, offset = "", 0
    for _ in range(60):
        piece = (
            await client.get(
                path, params={"step": "select", "offset": offset, "limit": 1009}, headers=headers
            )
        ).json()
        text, before, offset = text + piece["text"], offset, piece["next_offset"]
        assert piece["complete"] is False
        if offset == before:
            break
    assert text.endswith("event 1999 selected\ncaf\u00e9 \u20ac")
    assert text.count("\n") == 2000


async def test_a_kept_log_is_complete(client: httpx.AsyncClient, world: World) -> None:
    path, headers = f"/api/v1/runs/{world.finished}/logs", bearer(world, "reader")
    piece = (await client.get(path, headers=headers)).json()
    assert (piece["step"], piece["complete"], piece["offset"]) == ("simulate", True, 0)
    assert piece["text"] == "simulate starts\n<b>not bold</b> caf\u00e9\nbell\u2407 done\n"
    page = await client.get(f"/runs/{world.finished}/logs/fit", headers=headers)
    assert "&lt;b&gt;not bold&lt;/b&gt;" in page.text
    raw = await client.get(f"/runs/{world.finished}/logs/fit?raw&offset=4", headers=headers)
    assert raw.headers["content-type"] == "text/plain; charset=utf-8"
    assert raw.headers["x-complete"] == "yes"


async def test_a_log_on_another_host_says_where_it_is(client: httpx.AsyncClient, world: World) -> None:
    from sqlalchemy import update

    from reana_bridge.store.tables import Run

    def move(host: str) -> None:
        with world.bridge.database.transaction() as session:
            session.execute(update(Run).where(Run.id == world.running).values(host=host))  # type: ignore[arg-type]

    move("elsewhere")
    page = await client.get(f"/runs/{world.running}/logs/select", headers=bearer(world, "reader"))
    assert "on the host elsewhere" in page.text
    assert (await client.get(f"/runs/{world.running}", headers=bearer(world, "reader"))).status_code == 200
    move("here")
