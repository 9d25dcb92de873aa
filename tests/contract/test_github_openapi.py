"""Every request of ours to GitHub is one that GitHub's own OpenAPI description allows.

Prism serves the description and refuses what is not in it; our forge is the client.
"""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from reana_bridge.forges.base import NOTHING, Note, Status, StatusState
from reana_bridge.forges.github.forge import GithubForge
from reana_bridge.model.checks import Annotation, Button, CheckOutput
from reana_bridge.model.projects import Project
from tests.contract import npm

PACKAGES = ("@stoplight/prism-cli@5.14.2", "@octokit/openapi@23.0.0")
PROJECT = Project("github", "octocat/hello-world")
SHA = "6dcb09b5b57875f334f61aebed695e2e4193db5e"
HOOK = "https://bridge.example.org/webhooks/github/h1"

PATHS = (
    "/app",
    "/app/hook/config",
    "/app/hook/deliveries",
    "/app/hook/deliveries/{delivery_id}/attempts",
    "/app/installations",
    "/app/installations/{installation_id}/access_tokens",
    "/repos/{owner}/{repo}",
    "/repos/{owner}/{repo}/check-runs",
    "/repos/{owner}/{repo}/check-runs/{check_run_id}",
    "/repos/{owner}/{repo}/collaborators/{username}/permission",
    "/repos/{owner}/{repo}/commits/{ref}/check-runs",
    "/repos/{owner}/{repo}/commits/{ref}/statuses",
    "/repos/{owner}/{repo}/hooks",
    "/repos/{owner}/{repo}/hooks/{hook_id}",
    "/repos/{owner}/{repo}/hooks/{hook_id}/deliveries",
    "/repos/{owner}/{repo}/hooks/{hook_id}/deliveries/{delivery_id}/attempts",
    "/repos/{owner}/{repo}/hooks/{hook_id}/pings",
    "/repos/{owner}/{repo}/installation",
    "/repos/{owner}/{repo}/issues/comments/{comment_id}",
    "/repos/{owner}/{repo}/issues/comments/{comment_id}/reactions",
    "/repos/{owner}/{repo}/issues/{issue_number}/comments",
    "/repos/{owner}/{repo}/pulls",
    "/repos/{owner}/{repo}/pulls/{pull_number}",
    "/repos/{owner}/{repo}/statuses/{sha}",
    "/user",
    "/users/{username}",
)


def pruned(whole: dict[str, Any], url: str) -> dict[str, Any]:
    """The description of `PATHS` alone, with what it refers to, at another address."""
    kept: dict[str, Any] = {"paths": {path: whole["paths"][path] for path in PATHS}}
    wanted, known = list(references(kept)), set[str]()
    components: dict[str, dict[str, Any]] = {}
    while wanted:
        reference = wanted.pop()
        if reference in known:
            continue
        known.add(reference)
        _, _, kind, name = reference.split("/", 3)
        components.setdefault(kind, {})[name] = whole["components"][kind][name]
        wanted += references(components[kind][name])
    return {
        "openapi": whole["openapi"],
        "info": whole["info"],
        "servers": [{"url": url}],
        **kept,
        "components": components,
    }


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for name, inner in value.items():
            if name == "$ref" and isinstance(inner, str):
                yield inner
            else:
                yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


@pytest.fixture(scope="module")
def prism(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Iterator[str]:
    modules = npm.installed(pytestconfig, *PACKAGES)
    port = npm.free_port()
    url = f"http://127.0.0.1:{port}"
    whole = (modules / "@octokit" / "openapi" / "generated" / "api.github.com.json").read_text("utf-8")
    description = tmp_path_factory.mktemp("prism") / "github.json"
    description.write_text(
        json.dumps(pruned(json.loads(whole), url)).replace("https://api.github.com", url), "utf-8"
    )
    command = [modules / ".bin" / "prism", "mock", "-p", str(port), "-h", "127.0.0.1", description]
    with npm.running(command, port=port) as address:
        yield address


@pytest.fixture(scope="module")
def key() -> str:
    made = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    return made.private_bytes(encoding, form, serialization.NoEncryption()).decode()


@pytest.fixture
def with_token(prism: str) -> GithubForge:
    return GithubForge("github", api_url=prism, token="ghp_x", timeout=30)


@pytest.fixture
def with_app(prism: str, key: str) -> GithubForge:
    return GithubForge("github", api_url=prism, app_id="12345", app_key=key, timeout=30)


def status(state: StatusState, **more: Any) -> Status:
    url = "https://bridge.example.org/runs/r1"
    description = "1 of 14 metrics got worse"
    values = {"sha": SHA, "ref": "refs/heads/x", "context": "reana/fit", "url": url, "run": "r1", **more}
    return Status(state=state, description=description, **values)


OUTPUT = CheckOutput(
    title="1 of 14 got worse",
    summary="**table**",
    text="log",
    annotations=(Annotation(path="fit.py", line=88, message="KeyError: 'n'"),) * 60,
    buttons=(Button(identifier="approve", label="Approve", description="Let exactly this commit run"),) * 4,
)

NOTE = Note(sha=SHA, merge_request=1347, body="**better**")

READS: dict[str, Callable[[GithubForge], object]] = {
    "facts": lambda forge: forge.facts(PROJECT),
    "identity": lambda forge: forge.identity(),
    "merge_request": lambda forge: forge.merge_request(PROJECT, 1347),
    "open_merge_requests": lambda forge: forge.open_merge_requests(PROJECT),
    "access": lambda forge: forge.access(PROJECT, "octocat"),
    "access of a bot": lambda forge: forge.access(PROJECT, "some[bot]"),
    "hooks": lambda forge: forge.hooks(PROJECT, "https://example.com"),
    "failed_deliveries": lambda forge: forge.failed_deliveries(PROJECT, "12", 0.0),
    "resend": lambda forge: forge.resend(PROJECT, "12", "34"),
    "rights": lambda forge: forge.rights(PROJECT),
    "note": lambda forge: forge.post_note(PROJECT, NOTE),
    "edited note": lambda forge: forge.post_note(PROJECT, NOTE, {"comment": 1, "digest": ""}),
    "reply": lambda forge: forge.reply(PROJECT, 1347, "77", "because"),
    "react": lambda forge: forge.react(PROJECT, 1347, "77", "eyes"),
}


@pytest.mark.parametrize("call", list(READS))
@pytest.mark.parametrize("how", ["with_token", "with_app"])
def test_requests(call: str, how: str, request: pytest.FixtureRequest) -> None:
    READS[call](request.getfixturevalue(how))


@pytest.mark.parametrize("state", list(StatusState))
@pytest.mark.parametrize("how", ["with_token", "with_app"])
def test_statuses(how: str, state: StatusState, request: pytest.FixtureRequest) -> None:
    forge: GithubForge = request.getfixturevalue(how)
    posted = forge.post_status(PROJECT, status(state, output=OUTPUT))
    forge.post_status(PROJECT, status(StatusState.FAILURE, attempt=2), posted)


@pytest.mark.parametrize("step", ["first", "update", "approval"])
def test_check_runs(with_app: GithubForge, step: str) -> None:
    posted = NOTHING if step == "first" else with_app.post_status(PROJECT, status(StatusState.PENDING))
    final = status(StatusState.FAILURE, output=OUTPUT)
    waiting = status(StatusState.PENDING, output=OUTPUT, needs_approval=True)
    with_app.post_status(PROJECT, waiting if step == "approval" else final, posted)


def test_hooks(with_token: GithubForge) -> None:
    with_token.install_hook(PROJECT, HOOK, "whsec_abc", None)
    with_token.install_hook(PROJECT, HOOK, "whsec_abc", "12")
    with_token.test_hook(PROJECT, "12")
    with_token.remove_hook(PROJECT, "12")


@pytest.mark.parametrize(
    ("method", "path", "data"),
    [
        ("POST", f"/repos/o/r/statuses/{SHA}", {"state": "running"}),
        ("POST", "/repos/o/r/check-runs", {"head_sha": SHA}),
        ("POST", "/repos/o/r/issues/1/comments", {}),
        ("PATCH", "/repos/o/r/check-runs/4", {"status": "completed", "conclusion": "passed"}),
        ("GET", "/repos/o/r/pulls?state=merged", None),
    ],
)
def test_what_is_not_in_the_description_is_refused(prism: str, method: str, path: str, data: Any) -> None:
    """Else all of the above would prove nothing."""
    assert httpx.request(method, prism + path, json=data, timeout=30, trust_env=False).status_code == 422


def test_the_description_is_githubs_own(tmp_path: Path, prism: str) -> None:
    answer = httpx.get(f"{prism}/repos/o/r/no-such-thing", timeout=30, trust_env=False)
    assert answer.status_code == 404
