"""Who may see and do what: everything, asked for by everybody."""

import re
from typing import Any

import httpx
import pytest
from sqlalchemy import update

from reana_bridge.steps import manual
from reana_bridge.store import tokens
from reana_bridge.store.tables import ProjectRow, Token
from reana_bridge.web import auth
from tests.web.world import HEAD, KEY, MAIN, PRIVATE, World

OPERATOR, READER, NARROW, WRITER, OTHER, NOBODY, WRONG = (
    "operator",
    "reader",
    "physics-reader",
    "physics-writer",
    "other-writer",
    "",
    "wrong",
)
EVERYBODY = (OPERATOR, READER, NARROW, WRITER, OTHER, NOBODY, WRONG)
ALL, SOME = set(EVERYBODY), {OPERATOR, READER, NARROW, WRITER}
SERVER, WRITERS = {OPERATOR, READER}, {OPERATOR, WRITER}
PAGE = "/runs/{finished}"

MAY_GET: dict[str, set[str]] = {
    "/": ALL,
    "/sign-in": ALL,
    "/healthz": ALL,
    "/readyz": ALL,
    "/schemas/reana-bridge.json": ALL,
    "/api/openapi.json": ALL,
    "/static/style.css": ALL,
    "/static/../app.py": set(),
    "/metrics": SERVER,
    "/projects/local/physics/ttbar": SOME,
    "/projects/local/open/higgs": ALL,
    "/projects/local/absent": set(),
    "/projects/local/../x": set(),
    PAGE: SOME,
    f"{PAGE}/live": SOME,
    f"{PAGE}/logs/fit": SOME,
    f"{PAGE}/logs/absent": set(),
    f"{PAGE}/artifacts/results/metrics.json": SOME,
    f"{PAGE}/artifacts/results/absent": set(),
    f"{PAGE}/artifacts/../../../etc/passwd": set(),
    f"{PAGE}/artifacts/%2e%2e/%2e%2e/bridge.db": set(),
    f"{PAGE}/artifacts//etc/passwd": set(),
    f"{PAGE}/artifacts/fit": set(),  # a log, not an output
    f"{PAGE}/baseline/results/mass_spectrum.png": SOME,
    f"{PAGE}/baseline/results/metrics.json": set(),  # only pictures
    "/runs/{public}": ALL,
    "/runs/{public}/artifacts/results/metrics.json": ALL,
    "/runs/absent": set(),
    "/runs/%00": set(),
    "/comparisons/{comparison}": SOME,
    "/comparisons/absent": set(),
    f"/commits/local/physics/ttbar/{HEAD}": SOME,
    f"/commits/local/physics/ttbar/{HEAD[:7]}": SOME,
    f"/commits/local/physics/ttbar/{HEAD[:6]}": set(),
    "/commits/local/physics/ttbar/%25%25%25%25%25%25%25": set(),
    f"/commits/local/open/higgs/{MAIN}": ALL,
    "/badges/local/physics/ttbar.svg": SOME,
    "/badges/local/open/higgs.svg": ALL,
    "/badges/local/absent.svg": set(),
    "/api/v1/deliveries": SERVER,
    "/api/v1/decisions": ALL,
    "/api/v1/projects": ALL,
    "/api/v1/analyses": ALL,
    "/api/v1/alarms?project=local:physics/ttbar": SOME,
    "/api/v1/alarms?project=local:open/higgs": ALL,
    "/api/v1/alarms?project=local:absent": set(),
    "/api/v1/runs": ALL,
    "/api/v1/results": ALL,
    "/api/v1/comparisons": ALL,
    "/api/v1/outbox": ALL,
    "/api/v1/pauses": ALL,
    "/outbox": ALL,
    "/outbox?only=nonsense": set(),
    "/api/v1/runs/{finished}": SOME,
    "/api/v1/runs/{finished}/metrics": SOME,
    "/api/v1/runs/{finished}/logs": SOME,
    "/api/v1/runs/{finished}/artifacts": SOME,
    "/api/v1/runs/{finished}/artifacts/results/metrics.json": SOME,
    "/api/v1/runs/{finished}/comparison": SOME,
    "/api/v1/runs/{public}": ALL,
    "/api/v1/runs/absent": set(),
    "/api/v1/absent": set(),
}


def bearer(world: World, who: str) -> dict[str, str]:
    token = "rb_unknown" if who == WRONG else world.tokens.get(who, "")
    return {"authorization": f"Bearer {token}"} if token else {}


def filled(path: str, world: World) -> str:
    return path.format(finished=world.finished, public=world.public, comparison=world.comparison)


@pytest.mark.parametrize("path", MAY_GET)
async def test_who_may_see_it(client: httpx.AsyncClient, world: World, path: str) -> None:
    url = httpx.URL(f"http://bridge.test{filled(path, world)}")
    statuses = {who: (await client.get(url, headers=bearer(world, who))).status_code for who in EVERYBODY}
    assert statuses == {who: 200 if who in MAY_GET[path] else 404 for who in EVERYBODY}


@pytest.mark.parametrize("accept", ["text/html", "application/json"])
async def test_absent_and_forbidden_answer_alike(
    client: httpx.AsyncClient, world: World, accept: str
) -> None:
    def plain(answer: httpx.Response, path: str) -> tuple[Any, ...]:
        varying = re.compile(r"[0-9a-z]{26}|" + re.escape(path).replace("/", "(?:/|%2F)"))
        headers = {k: v for k, v in answer.headers.items() if k not in ("x-request-id", "content-length")}
        return answer.status_code, headers, varying.sub("", answer.text)

    for forbidden, absent in (
        (f"/runs/{world.finished}", "/runs/00000000000000000000000000"),
        ("/projects/local/physics/ttbar", "/projects/local/physics/other"),
        (f"/api/v1/runs/{world.finished}", "/api/v1/runs/00000000000000000000000000"),
        (f"/comparisons/{world.comparison}", "/comparisons/00000000000000000000000000"),
        ("/badges/local/physics/ttbar.svg", "/badges/local/physics/absent.svg"),
    ):
        for who in (NOBODY, OTHER):
            headers = bearer(world, who) | {"accept": accept}
            answers = [plain(await client.get(path, headers=headers), path) for path in (forbidden, absent)]
            assert answers[0] == answers[1]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    calls: list[tuple[Any, ...]] = []

    def start(_bridge: object, **values: Any) -> list[str]:
        calls.append(("start", values["project"], values["actor"]))
        return ["run-1", "run-2"]

    def rerun(_bridge: object, run_id: str, *, actor: str, **_values: Any) -> str:
        calls.append(("rerun", run_id, actor))
        return "run-3"

    def cancel(_bridge: object, run_id: str, *, actor: str) -> bool:
        calls.append(("cancel", run_id, actor))
        return True

    for function in (start, rerun, cancel):
        monkeypatch.setattr(manual, function.__name__, function)
    return calls


@pytest.mark.parametrize("who", EVERYBODY)
@pytest.mark.parametrize(("what", "status"), [("start", 201), ("rerun", 201), ("cancel", 200)])
async def test_who_may_change_it(
    client: httpx.AsyncClient, world: World, asked: list[Any], who: str, what: str, status: int
) -> None:
    run = world.running if what == "cancel" else world.finished
    path = "/api/v1/runs" if what == "start" else f"/api/v1/runs/{run}/{what}"
    body = {"project": PRIVATE, "ref": "main"} if what == "start" else None
    answer = await client.post(path, json=body, headers=bearer(world, who))
    assert answer.status_code == (status if who in WRITERS else 404)
    target = PRIVATE if what == "start" else run
    assert asked == ([(what, target, who)] if who in WRITERS else [])


@pytest.mark.parametrize("what", ["cancel", "rerun"])
async def test_a_public_run_is_not_everybodys_to_change(
    client: httpx.AsyncClient, world: World, asked: list[Any], what: str
) -> None:
    for who in (NOBODY, NARROW, OTHER, READER):
        answer = await client.post(f"/api/v1/runs/{world.public}/{what}", headers=bearer(world, who))
        assert answer.status_code == 404
    assert asked == []


async def test_lists_show_only_what_may_be_seen(client: httpx.AsyncClient, world: World) -> None:
    seen = {}
    for who in (OPERATOR, NARROW, OTHER, NOBODY):
        answer = await client.get("/api/v1/runs?limit=200", headers=bearer(world, who))
        seen[who] = {item["project"].split(":")[1].split("/")[0] for item in answer.json()["items"]}
    assert seen == {
        OPERATOR: {"physics", "open"},
        NARROW: {"physics", "open"},
        OTHER: {"open"},
        NOBODY: {"open"},
    }
    front = (await client.get("/")).text
    assert "higgs" in front
    assert "ttbar" not in front


async def sign_in(client: httpx.AsyncClient, token: str, **headers: str) -> httpx.Response:
    page = await client.get("/sign-in")
    word = re.search(r'name="word" value="([^"]*)"', page.text)
    assert word
    return await client.post(
        "/sign-in", data={"word": word[1], "token": token, "next": "/runs/x?y=1"}, headers=headers
    )


async def test_a_session_holds_no_token_and_ends_with_it(client: httpx.AsyncClient, world: World) -> None:
    token = tokens.create(world.bridge.database, name="brief", scope="write")
    answer = await sign_in(client, token)
    assert (answer.status_code, answer.headers["location"]) == (303, "/runs/x?y=1")
    cookie = answer.headers["set-cookie"]
    assert {"httponly", "samesite=lax", "path=/"} <= set(cookie.lower().split("; "))
    assert token not in cookie
    assert (await client.get(f"/runs/{world.finished}")).status_code == 200
    value = client.cookies[auth.SESSION_COOKIE]
    for forged in (
        value[:-1] + ("0" if value[-1] != "0" else "1"),
        "x" + value,
        value.replace(".1", ".2", 1),
        "a.b.c",
    ):
        headers = {"cookie": f"{auth.SESSION_COOKIE}={forged}"}
        assert (
            await client.get(
                f"/runs/{world.finished}",
                headers=headers,
            )
        ).status_code in (200, 404)
        client.cookies.clear()
        assert (await client.get(f"/runs/{world.finished}", headers=headers)).status_code == 404
    client.cookies.set(auth.SESSION_COOKIE, value)
    with world.bridge.database.read() as session:
        grant = tokens.check(world.bridge.database, session, token)
    assert grant
    assert tokens.revoke(world.bridge.database, grant.token_id)
    assert (await client.get(f"/runs/{world.finished}")).status_code == 404


@pytest.mark.parametrize(
    "next", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:1", "/\n"]
)
async def test_signing_in_leads_nowhere_else(client: httpx.AsyncClient, world: World, next: str) -> None:
    page = await client.get("/sign-in", params={"next": next})
    assert 'name="next" value="/"' in page.text


FOREIGN = [
    {"sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "same-site"},
    {"origin": "https://evil.example"},
]


@pytest.mark.parametrize("headers", FOREIGN, ids=str)
async def test_forms_of_other_sites_do_nothing(
    client: httpx.AsyncClient, world: World, asked: list[Any], headers: dict[str, str]
) -> None:
    assert (await sign_in(client, world.tokens[OPERATOR], **headers)).status_code == 403
    assert (await sign_in(client, world.tokens[OPERATOR])).status_code == 303
    page = await client.get(f"/runs/{world.finished}")
    word = re.search(r'name="word" value="([^"]*)"', page.text)
    assert word
    for values, extra, status in (
        ({"word": word[1]}, headers, 403),
        ({"word": "guess"}, {}, 403),
        ({"other": "1"}, {}, 403),
        ({}, {}, 415),
        ({"word": word[1]}, {"origin": "null", "sec-fetch-site": "same-origin"}, 303),
        ({"word": word[1]}, {"origin": "http://bridge.test"}, 303),
    ):
        answer = await client.post(f"/runs/{world.finished}/rerun", data=values, headers=extra)
        assert answer.status_code == status
        with_cookie = await client.post(f"/api/v1/runs/{world.finished}/rerun", headers=extra)
        assert with_cookie.status_code == 403
    assert len(asked) == 2


async def test_a_session_without_the_right_has_no_buttons(client: httpx.AsyncClient, world: World) -> None:
    await sign_in(client, world.tokens[NARROW])
    page = await client.get(f"/runs/{world.finished}")
    assert "Run again" not in page.text
    word = re.search(r'name="word" value="([^"]*)"', page.text)
    assert word
    answer = await client.post(f"/runs/{world.finished}/rerun", data={"word": word[1]})
    assert answer.status_code == 404


def key_of(world: World, run_id: str) -> str:
    with world.bridge.database.read() as session:
        return tokens.link_key(KEY, session.get_one(ProjectRow, PRIVATE), run_id)


async def test_a_link_opens_its_run_and_nothing_else(client: httpx.AsyncClient, world: World) -> None:
    key = key_of(world, world.finished)
    first = await client.get(f"/runs/{world.finished}?key={key}&x=1")
    assert (first.status_code, first.headers["location"]) == (303, f"/runs/{world.finished}?x=1")
    assert first.headers["referrer-policy"] == "no-referrer"
    paths = {
        part.strip() for header in first.headers.get_list("set-cookie") for part in header.lower().split(";")
    }
    assert {f"path=/runs/{world.finished}", f"path=/comparisons/{world.comparison}", "httponly"} <= paths
    opened = {
        path: (await client.get(filled(path, world))).status_code
        for path in (
            PAGE,
            f"{PAGE}/live",
            f"{PAGE}/logs/fit",
            f"{PAGE}/artifacts/results/metrics.json",
            f"{PAGE}/baseline/results/mass_spectrum.png",
            "/comparisons/{comparison}",
        )
    }
    assert set(opened.values()) == {200}, opened
    text = (await client.get(f"/runs/{world.finished}")).text
    assert "/projects/" not in text
    assert "Run again" not in text
    value = client.cookies.get(auth.RUN_COOKIE, path=f"/runs/{world.finished}")
    client.cookies.clear()
    elsewhere = {"cookie": f"{auth.RUN_COOKIE}={value}"}
    for path in (f"/runs/{world.main}", "/projects/local/physics/ttbar", f"/api/v1/runs/{world.finished}"):
        assert (await client.get(path, headers=elsewhere)).status_code == 404
    assert (
        await client.post(f"/runs/{world.finished}/rerun", headers=elsewhere, data={"word": ""})
    ).status_code == 404


@pytest.mark.parametrize("wrong", ["", "0" * 32, "\u00e9", "%ff", "other run"])
async def test_a_wrong_key_opens_nothing(client: httpx.AsyncClient, world: World, wrong: str) -> None:
    key = key_of(world, world.main) if wrong == "other run" else wrong
    for path in (f"/runs/{world.finished}", f"/comparisons/{world.comparison}"):
        assert (await client.get(path, params={"key": key})).status_code == 404


async def test_pictures_open_by_key_for_who_keeps_no_cookies(client: httpx.AsyncClient, world: World) -> None:
    path = f"/runs/{world.finished}/artifacts/results/mass_spectrum.png?key={key_of(world, world.finished)}"
    assert (await client.get(path)).status_code == 200
    assert (await client.get(path, headers={"sec-fetch-mode": "navigate"})).status_code == 303


async def test_a_rotated_key_ends_links_and_their_cookies(client: httpx.AsyncClient, world: World) -> None:
    key = key_of(world, world.finished)
    await client.get(f"/runs/{world.finished}?key={key}")
    with world.bridge.database.transaction() as session:
        session.execute(update(ProjectRow).values(key_generation=2))
    try:
        assert (await client.get(f"/runs/{world.finished}")).status_code == 404
        assert (await client.get(f"/runs/{world.finished}?key={key}")).status_code == 404
    finally:
        with world.bridge.database.transaction() as session:
            session.execute(update(ProjectRow).values(key_generation=1))


async def test_a_badge_key_shows_badges_only(client: httpx.AsyncClient, world: World) -> None:
    with world.bridge.database.read() as session:
        key = tokens.badge_key(KEY, session.get_one(ProjectRow, PRIVATE))
    assert (await client.get("/badges/local/physics/ttbar.svg", params={"key": key})).status_code == 200
    assert (await client.get(f"/runs/{world.finished}", params={"key": key})).status_code == 404
    assert (await client.get("/badges/local/open/x.svg", params={"key": key})).status_code == 404


async def test_an_expired_token_is_nobodys(client: httpx.AsyncClient, world: World) -> None:
    token = tokens.create(world.bridge.database, name="past", scope="admin", expires_at=1.0)
    headers = {"authorization": f"Bearer {token}"}
    assert (await client.get(f"/runs/{world.finished}", headers=headers)).status_code == 404
    assert (await sign_in(client, token)).status_code == 403
    with world.bridge.database.read() as session:
        assert session.query(Token).filter_by(name="past").one().digest not in token
