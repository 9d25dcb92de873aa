"""Round trips against a GitHub that is not ours: `emulate`, a stateful one from npm.

It knows no commit statuses, no git and no tokens of Apps (its check of their signature fails), so check runs
are written by the same code with a person's token.
"""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from reana_bridge.forges.base import Access, Note, Status, StatusState
from reana_bridge.forges.github.checks import Checks
from reana_bridge.forges.github.comments import NOTE_MARKER
from reana_bridge.forges.github.forge import GithubForge
from reana_bridge.model.checks import Annotation, Button, CheckOutput
from reana_bridge.model.projects import Project
from tests.contract import npm
from tests.forges.github.receiver import Receiver
from webhooks import github as hooks
from webhooks.events import Change, Ignored, MergeRequest

PACKAGE = "emulate@0.9.0"
BOT, ALICE = "reana-bot", "alice"


@dataclass
class Emulated:
    """A repository of the emulator's, with a pull request."""

    url: str
    project: Project
    forge: GithubForge
    sha: str
    number: int

    def ask(self, method: str, path: str, data: Any = None, token: str = BOT) -> Any:
        address = f"{self.url}/repos/{self.project.path}{path}"
        headers = {"authorization": f"token {token}"}
        answer = httpx.request(method, address, json=data, headers=headers, timeout=30, trust_env=False)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    def comments(self) -> list[tuple[str, str]]:
        found = self.ask("GET", f"/issues/{self.number}/comments")
        return [(one["user"]["login"], one["body"]) for one in found]

    def checks(self) -> list[dict[str, Any]]:
        return self.ask("GET", f"/commits/{self.sha}/check-runs")["check_runs"]


NAMES = [f"ttbar-{number}" for number in range(10)]


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Iterator[str]:
    modules = npm.installed(pytestconfig, PACKAGE)
    port = npm.free_port()
    seed = tmp_path_factory.mktemp("emulate") / "seed.json"
    repositories = [{"owner": BOT, "name": name, "auto_init": True, "private": False} for name in NAMES]
    scopes = ["repo", "user", "admin:repo_hook"]
    tokens = {name: {"login": name, "scopes": scopes} for name in (BOT, ALICE)}
    github = {"users": [{"login": BOT}, {"login": ALICE}], "repos": repositories}
    seed.write_text(json.dumps({"tokens": tokens, "github": github}))
    options = ["start", "--service", "github", "--port", str(port), "--seed", str(seed)]
    with npm.running([modules / ".bin" / "emulate", *options], port=port, host="localhost") as url:
        yield url


@pytest.fixture(scope="module")
def names() -> list[str]:
    return list(NAMES)


@pytest.fixture
def github(emulator: str, names: list[str]) -> Emulated:
    project = Project("github", f"{BOT}/{names.pop()}")
    forge = GithubForge("github", url=emulator, api_url=emulator, token=BOT, timeout=30)
    made = Emulated(emulator, project, forge, "", 0)
    head = made.ask("GET", "/git/ref/heads/main")["object"]["sha"]
    made.ask("POST", "/git/refs", {"ref": "refs/heads/change", "sha": head})
    pull = made.ask("POST", "/pulls", {"title": "A change", "head": "change", "base": "main"})
    made.sha, made.number = pull["head"]["sha"], pull["number"]
    return made


def status(github: Emulated, state: StatusState, **more: Any) -> Status:
    values = {
        "context": "reana/fit",
        "description": f"it is {state}",
        "url": "https://x/runs/r1",
        "run": "r1",
    }
    return Status(sha=github.sha, ref="refs/heads/change", state=state, **(values | more))


def test_what_is_there(github: Emulated) -> None:
    forge, project = github.forge, github.project
    assert forge.identity().name == BOT
    assert forge.facts(project).path == project.path
    found = forge.merge_request(project, github.number)
    assert found
    assert (found.sha, found.source_branch, found.fork, found.open) == (github.sha, "change", False, True)
    assert forge.open_merge_requests(project) == [found]
    assert forge.merge_request(project, 999) is None
    assert forge.access(project, BOT) is Access.MAINTAIN
    assert forge.access(project, "nobody-there") is Access.NONE
    allowance = forge.allowance()
    assert allowance
    assert allowance.limit == 5000


def test_a_check_run_round_trip(github: Emulated) -> None:
    checks = Checks(github.forge.api, lambda: "")
    posted: Any = {}
    output = CheckOutput(
        title="1 of 14 got worse",
        summary="**table**",
        text="log",
        annotations=(Annotation(path="fit.py", line=88, message="KeyError"),),
        buttons=(Button(identifier="cancel", label="Cancel", description="Stop this run"),),
    )
    for state in (StatusState.PENDING, StatusState.RUNNING):
        posted = checks.post(github.project, status(github, state), posted)
    posted = checks.post(github.project, status(github, StatusState.FAILURE, output=output), posted)
    (check,) = github.checks()
    assert (check["name"], check["status"], check["conclusion"]) == ("reana/fit", "completed", "failure")
    assert (check["external_id"], check["head_sha"]) == ("r1/1", github.sha)
    assert check["output"]["annotations_count"] == 1
    assert check["output"]["title"] == "1 of 14 got worse"


def test_a_check_run_is_found_again(github: Emulated) -> None:
    for _ in range(2):
        Checks(github.forge.api, lambda: "").post(github.project, status(github, StatusState.PENDING), {})
    assert len(github.checks()) == 1
    again = status(github, StatusState.PENDING, attempt=2)
    Checks(github.forge.api, lambda: "").post(github.project, again, {})
    assert [check["external_id"] for check in github.checks()].count("r1/2") == 1


def test_a_note_round_trip(github: Emulated) -> None:
    forge, project = github.forge, github.project
    posted: Any = {}
    for body in ("one", "two"):
        posted = forge.post_note(
            project, Note(sha=github.sha, merge_request=github.number, body=body), posted
        )
    assert github.comments() == [(BOT, f"{NOTE_MARKER}\ntwo")]
    again = Note(sha=github.sha, merge_request=github.number, body="three")
    forge.post_note(project, again)  # nothing remembered: it is found
    assert github.comments() == [(BOT, f"{NOTE_MARKER}\nthree")]
    github.ask("DELETE", f"/issues/comments/{posted['comment']}")
    forge.post_note(project, Note(sha=github.sha, merge_request=github.number, body="four"), posted)
    assert github.comments() == [(BOT, f"{NOTE_MARKER}\nfour")]


def test_of_two_notes_one_stays_and_another_ones_is_left(github: Emulated) -> None:
    path = f"/issues/{github.number}/comments"
    for token in (ALICE, BOT, BOT):
        github.ask("POST", path, {"body": f"{NOTE_MARKER}\nold"}, token)
    note = Note(sha=github.sha, merge_request=github.number, body="new")
    github.forge.post_note(github.project, note)
    assert github.comments() == [(ALICE, f"{NOTE_MARKER}\nold"), (BOT, f"{NOTE_MARKER}\nnew")]


def test_a_reply_is_written_once(github: Emulated) -> None:
    asked = github.ask("POST", f"/issues/{github.number}/comments", {"body": "/reana why"}, ALICE)
    for _ in range(2):
        github.forge.reply(github.project, github.number, str(asked["id"]), "because")
    assert len(github.comments()) == 2


def test_a_hook_round_trip(github: Emulated) -> None:
    receiver, secret = Receiver(), "whsec_c2VjcmV0"
    try:
        forge, project = github.forge, github.project
        url = f"{receiver.url}/webhooks/github/h1"
        made = forge.install_hook(project, url, secret, None)
        assert forge.install_hook(project, url, secret, None).id == made.id
        assert [hook.url for hook in forge.hooks(project, f"{receiver.url}/webhooks/github")] == [url]
        github.ask("PATCH", f"/pulls/{github.number}", {"state": "closed"})
        github.ask("POST", f"/issues/{github.number}/comments", {"body": "/reana run"}, ALICE)
        events = heard(receiver, secret, 2)
        assert isinstance(events[0], MergeRequest)
        assert (events[0].changes, events[0].sha) == (frozenset({Change.CLOSED}), github.sha)
        # The emulator does not say in a comment's event that the issue is a pull request.
        assert isinstance(events[1], Ignored)
        assert [one["x-github-event"] for one in receiver.headers] == ["pull_request", "issue_comment"]
        assert forge.failed_deliveries(project, made.id, 0.0) == []
        forge.remove_hook(project, made.id)
        assert forge.hooks(project, receiver.url) == []
    finally:
        receiver.close()


def heard(receiver: Receiver, secret: str, number: int) -> list[Any]:
    deadline = time.monotonic() + 10
    while len(receiver.bodies) < number and time.monotonic() < deadline:
        time.sleep(0.02)
    events: list[Any] = []
    for headers, body in zip(receiver.headers, receiver.bodies, strict=True):
        hooks.verify(headers, body, secrets=[secret], now=0.0)
        assert hooks.delivery_id(headers, body)
        events.append(hooks.parse(headers, body))
    return events


def test_deliveries_that_failed_are_listed(github: Emulated) -> None:
    url = f"http://127.0.0.1:{npm.free_port()}/webhooks/github"
    made = github.forge.install_hook(github.project, url, "whsec_abc", None)
    github.ask("POST", f"/issues/{github.number}/comments", {"body": "hello"}, ALICE)
    deadline = time.monotonic() + 10
    while not (failed := github.forge.failed_deliveries(github.project, made.id, 0.0)):
        assert time.monotonic() < deadline, "the emulator sends hooks after it has answered"
        time.sleep(0.02)
    assert [one.event for one in failed] == ["issue_comment"]
