"""The webhook door of GitLab and GitHub: authentic deliveries are kept, all others leave nothing."""

import asyncio
import base64
import hashlib
import hmac
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Mount, Route
from starlette.types import ASGIApp

from reana_bridge.settings import Settings
from reana_bridge.steps.bridge import Bridge
from reana_bridge.store.tables import Delivery
from reana_bridge.web.app import make_app
from tests.web.test_door import JSON, knock, rows
from tests.web.world import make_bridge
from webhooks.signatures import signed_headers

TOKEN, HUB = "a plain token", "whsec_***, which is a text here"
SIGNING, OTHER = (f"whsec_{base64.b64encode(bytes([n]) * 32).decode()}" for n in (1, 2))
FORGES = {
    "gitlab-cern": {"kind": "gitlab", "url": "https://gitlab.test", "webhook_secrets": [SIGNING, TOKEN]},
    "github": {"kind": "github", "url": "https://github.com", "webhook_secrets": ["another", HUB]},
    "gitlab-closed": {"kind": "gitlab", "url": "https://gitlab.test"},
}
BODY = b'{"object_kind": "push", "project": {"path_with_namespace": "atlas/ttbar"}}'
GITLAB, GITHUB = "/webhooks/gitlab-cern", "/webhooks/github"


@pytest.fixture(scope="module")
def bridge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bridge]:
    made = make_bridge(tmp_path_factory.mktemp("hosted"))
    given_settings = made.settings.model_dump(exclude={"forges"}, exclude_unset=True)
    bridge = replace(made, settings=Settings.model_validate(given_settings | {"forges": FORGES}))
    bridge.inbox.start()
    yield bridge
    bridge.close()


@pytest.fixture(scope="module")
def app(bridge: Bridge) -> ASGIApp:
    return make_app(bridge)


def standard(body: bytes = BODY, *, secret: str = SIGNING, delivery: str = "s-1") -> dict[str, str]:
    now = int(time.time())
    return JSON | signed_headers(secret=secret, delivery=delivery, timestamp=now, body=body)


def plain(token: str = TOKEN, **others: str) -> dict[str, str]:
    return JSON | {"x-gitlab-token": token} | {name.replace("_", "-"): each for name, each in others.items()}


def hub(
    body: bytes = BODY, *, secret: str = HUB, delivery: str = "h-1", kind: str = "push"
) -> dict[str, str]:
    digest = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return JSON | {
        "x-hub-signature-256": f"sha256={digest}",
        "x-github-delivery": delivery,
        "x-github-event": kind,
    }


@pytest.mark.parametrize(
    ("path", "headers", "again"),
    [
        (GITLAB, None, None),  # signed, with a time that is only right when the test runs
        (GITLAB, plain(idempotency_key="a-2"), plain(idempotency_key="a-2", x_gitlab_webhook_uuid="9")),
        (GITLAB, plain(SIGNING, webhook_id="a-3"), plain(webhook_id="a-3")),
        (GITLAB, plain(x_gitlab_webhook_uuid="a-4"), plain(x_gitlab_webhook_uuid="a-4")),
        (GITLAB, plain(), plain()),
        (GITHUB, hub(delivery="b-1"), hub(delivery="b-1")),
        (GITHUB, hub(delivery="b-2", secret="another"), hub(delivery="b-2")),
        (GITHUB, hub(delivery="b-3", kind="ping"), hub(delivery="b-3", kind="ping")),
    ],
)
async def test_what_is_authentic_is_kept_once(
    app: ASGIApp, bridge: Bridge, path: str, headers: dict[str, str] | None, again: dict[str, str] | None
) -> None:
    headers, again = headers or standard(delivery="a-1"), again or standard(delivery="a-1")
    before = rows(bridge)
    first = await knock(app, path, headers=headers, pieces=(BODY,))
    second = await knock(app, path, headers=again, pieces=(BODY,))
    assert (first[0], second[0]) == (202, 200)
    assert first[1]["delivery"] == second[1]["delivery"]
    assert rows(bridge) == before + 1
    with bridge.database.read() as session:
        stored = session.get_one(Delivery, first[1]["delivery"])
    kept = str(stored.headers)
    assert "signature" not in kept.lower()
    assert "token" not in kept.lower()
    for secret in (TOKEN, SIGNING, HUB):
        assert secret not in kept
    assert (stored.headers or {}).get("x-github-event") == headers.get("x-github-event")


REFUSED: dict[str, tuple[str, dict[str, str]]] = {
    "nothing": (GITLAB, JSON),
    "wrong token": (GITLAB, plain("wrong")),
    "another's signing secret as token": (GITLAB, plain(OTHER)),
    "non-ASCII token": (GITLAB, plain("\xe9")),
    "another's signature": (GITLAB, standard(secret=OTHER)),
    "another's signature, right token": (GITLAB, standard(secret=OTHER) | plain()),
    "another body's signature": (GITLAB, standard(b"{}")),
    "signature without the rest": (GITLAB, plain(webhook_signature="v1,x")),
    "GitHub's proof for GitLab": (GITLAB, hub()),
    "no secret configured": ("/webhooks/gitlab-closed", plain()),
    "empty token, no secret": ("/webhooks/gitlab-closed", plain("")),
    "no signature": (GITHUB, JSON | {"x-github-event": "push"}),
    "wrong secret": (GITHUB, hub(secret="wrong")),
    "wrong body": (GITHUB, hub(b"{}")),
    "SHA-1": (GITHUB, JSON | {"x-hub-signature": "sha1=" + "0" * 40}),
    "non-ASCII signature": (GITHUB, hub() | {"x-hub-signature-256": "sha256=\xe9"}),
    "GitLab's proof for GitHub": (GITHUB, plain() | standard()),
}


@pytest.mark.parametrize("case", REFUSED)
async def test_what_is_refused_leaves_no_row(app: ASGIApp, bridge: Bridge, case: str) -> None:
    path, headers = REFUSED[case]
    before = rows(bridge)
    status, content, answered = await knock(app, path, headers=headers, pieces=(BODY,))
    assert (status, answered["content-type"]) == (401, "application/problem+json")
    assert content["detail"] == "the delivery is not signed with a secret that is configured for this forge"
    assert rows(bridge) == before


NAMES = [
    *("content-type", "webhook-id", "webhook-timestamp", "webhook-signature", "idempotency-key"),
    *("x-gitlab-token", "x-gitlab-webhook-uuid", "x-gitlab-event", "x-github-event", "x-github-delivery"),
    *("x-hub-signature", "x-hub-signature-256", "x-github-hook-id"),
]


@given(
    body=st.binary(max_size=300) | st.sampled_from([BODY, b"[" * 900, b'{"project": "\\ud800"}']),
    names=st.dictionaries(st.sampled_from(NAMES), st.text(st.characters(max_codepoint=255), max_size=80)),
    forge=st.sampled_from([GITLAB, GITHUB, "/webhooks/gitlab-closed"]),
    honest=st.booleans(),
)
def test_no_bytes_make_it_stumble(
    app: ASGIApp, body: bytes, names: dict[str, str], forge: str, honest: bool
) -> None:
    proof = hub(body) if forge == GITHUB else standard(body)
    headers = (proof if honest else JSON) | names
    status, _, _ = asyncio.run(knock(app, forge, headers=headers, pieces=(body,)))
    assert status in {200, 202, 401, 415}
    if honest and not names:
        assert status == 401 if forge.endswith("closed") else status in {200, 202}


ANY: dict[str, Any] = {}
TEXT = {"type": "string"}
NAMED = {"type": "object", "properties": {"path_with_namespace": TEXT, "full_name": TEXT, "id": ANY}}
SHAPE = {
    "type": "object",
    "properties": {
        "object_kind": {"enum": ["push", "tag_push", "merge_request", "note", "pipeline", None]},
        "action": {"enum": ["opened", "synchronize", "created", "rerequested", 7]},
        "ref": TEXT,
        "before": TEXT,
        "after": TEXT,
        "project": NAMED,
        "repository": NAMED,
        "object_attributes": ANY,
        "pull_request": ANY,
    },
}
HEADERS = [{"in": "header", "name": name, "schema": TEXT} for name in NAMES[1:]]
DOOR = {
    "openapi": "3.1.0",
    "info": {"title": "The door", "version": "1"},
    "paths": {
        path: {
            "post": {
                "parameters": HEADERS,
                "requestBody": {"required": True, "content": {"application/json": {"schema": SHAPE}}},
                "responses": {"default": {"description": "an answer"}},
            }
        }
        for path in (GITLAB, GITHUB, f"{GITLAB}/0123", f"{GITHUB}/0123")
    },
}


def test_nothing_of_its_shape_makes_it_stumble(app: ASGIApp) -> None:
    async def described(_request: Request) -> JSONResponse:
        return JSONResponse(DOOR)

    routes = [Route("/door.json", described), Mount("/", app)]
    schema = schemathesis.openapi.from_asgi("/door.json", Starlette(routes=routes))
    operations = [found.ok() for found in schema.get_all_operations()]
    assert len(operations) == 4
    for operation in operations:
        _fuzz(operation)


def _fuzz(operation: Any) -> None:
    @settings(max_examples=25, suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy(), honest=st.booleans())
    def run(case: Any, honest: bool) -> None:
        if honest:
            # Any body is authentic with the plain token; what it means is for the worker to find out.
            case.headers.update({"x-gitlab-token": TOKEN})
            case.headers.pop("webhook-signature", None)
        response = case.call()
        case.validate_response(response, checks=[not_a_server_error])
        if honest and "gitlab" in operation.path:
            assert response.status_code in {200, 202}

    run()
