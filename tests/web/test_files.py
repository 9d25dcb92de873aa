"""Files that runs left: whatever they are called and hold, none acts in our name."""

from urllib.parse import quote

import httpx
import pytest

from tests.web.test_authorisation import bearer
from tests.web.world import HOSTILE, World

SHOWN = {
    "results/page.html": ("application/octet-stream", "attachment"),
    "results/drawing.svg": ("image/svg+xml", "attachment"),
    'results/a"b\u202e<img src=x>.png': ("image/png", "inline"),
    "results/data.json": ("text/plain; charset=utf-8", "inline"),
    "results/script.js": ("application/octet-stream", "attachment"),
    "results/unknown": ("application/octet-stream", "attachment"),
    "results/h\u00e9.pdf": ("application/octet-stream", "attachment"),
}


@pytest.mark.parametrize("path", SHOWN)
@pytest.mark.parametrize("where", ["/runs/{}/artifacts/", "/api/v1/runs/{}/artifacts/"])
async def test_no_file_can_act(client: httpx.AsyncClient, world: World, where: str, path: str) -> None:
    url = where.format(world.finished) + quote(path)
    answer = await client.get(url, headers=bearer(world, "reader"))
    kind, manner = SHOWN[path]
    assert answer.status_code == 200
    assert answer.content == HOSTILE[path]
    assert answer.headers["content-type"] == kind
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-security-policy"] == "sandbox; default-src 'none'"
    assert answer.headers["cache-control"] == "private, no-store"
    disposition = answer.headers["content-disposition"]
    assert disposition.startswith(f"{manner}; filename*=UTF-8''")
    assert not set(disposition.partition("''")[2]) & set('"<>; \n\u202e')


async def test_every_hostile_file_is_in_the_table() -> None:
    assert set(SHOWN) == set(HOSTILE)


async def test_a_file_can_be_saved_and_a_public_one_cached(client: httpx.AsyncClient, world: World) -> None:
    saved = await client.get(f"/runs/{world.public}/artifacts/results/data.json?download")
    assert saved.headers["content-disposition"].startswith("attachment")
    assert saved.headers["cache-control"] == "public, max-age=3600"


async def test_content_that_is_gone_is_absent(client: httpx.AsyncClient, world: World) -> None:
    from reana_bridge.store.tables import ArtifactRow

    with world.bridge.database.transaction() as session:
        session.merge(ArtifactRow(run_id=world.public, kind="output", path="gone", digest="0" * 64, size=3))
    assert (await client.get(f"/runs/{world.public}/artifacts/gone")).status_code == 404


async def test_names_are_escaped_wherever_they_stand(client: httpx.AsyncClient, world: World) -> None:
    text = (await client.get(f"/runs/{world.finished}", headers=bearer(world, "reader"))).text
    assert "<img src=x>" not in text
    assert "\u202e" not in text
    assert "a&#34;b\u25a1202E&lt;img src=x&gt;.png" in text
