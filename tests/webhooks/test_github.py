"""GitHub's deliveries: what is proven, which they are, and what each rule makes of a body."""

import json
from dataclasses import replace
from typing import Any

import pytest

from webhooks import github
from webhooks.events import (
    Change,
    Comment,
    Event,
    Ignored,
    Installation,
    MergeRequest,
    Ping,
    Push,
    Rerun,
    Tag,
)
from webhooks.fields import MAXIMUM_MESSAGE
from webhooks.github_payloads import MAXIMUM_REPOSITORIES
from webhooks.signatures import Unverified

A, B, C, ZERO = "a" * 40, "b" * 40, "c" * 40, "0" * 40
# The example of GitHub's page "Validating webhook deliveries".
PUBLISHED = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
SECRET, BODY = "It's a Secret to Everybody", b"Hello, World!"


def verify(signature: str | None, *secrets: str, body: bytes = BODY) -> None:
    headers = {} if signature is None else {"X-Hub-Signature-256": signature}
    github.verify(headers, body, secrets=secrets, now=0.0)


@pytest.mark.parametrize("secrets", [[SECRET], ["other", SECRET], ["", SECRET, "other"]])
def test_the_published_example_is_proven(secrets: list[str]):
    verify(PUBLISHED, *secrets)


@pytest.mark.parametrize("secret", ["x", "grün", "whsec_AAAA", "whsec_***", " ", "x" * 1000])
@pytest.mark.parametrize("body", [b"", b"{}", b"\xff\0"])
def test_a_secret_is_the_text_that_it_is(secret: str, body: bytes):
    verify(github.sign(secret=secret, body=body), "another", secret, body=body)


@pytest.mark.parametrize(
    ("signature", "secrets", "reason"),
    [
        (None, [SECRET], "missing"),
        (PUBLISHED, [], "no webhook secret"),
        (github.sign(secret="", body=BODY), [""], "no webhook secret"),
        (PUBLISHED, ["other"], "not one of this body"),
        (PUBLISHED, [SECRET + " "], "not one of this body"),
        (PUBLISHED[:-1], [SECRET], "64 hexadecimal"),
        (PUBLISHED + "0", [SECRET], "64 hexadecimal"),
        (PUBLISHED.removeprefix("sha256="), [SECRET], "64 hexadecimal"),
        (PUBLISHED.replace("sha256", "sha1"), [SECRET], "64 hexadecimal"),
        (PUBLISHED.upper(), [SECRET], "64 hexadecimal"),
        (PUBLISHED + "\n", [SECRET], "64 hexadecimal"),
        ("sha256=" + "\u0663" * 64, [SECRET], "64 hexadecimal"),
        ("sha256=\xe9\ud800", [SECRET], "64 hexadecimal"),
        ("", [SECRET], "64 hexadecimal"),
    ],
)
def test_refused(signature: str | None, secrets: list[str], reason: str):
    with pytest.raises(Unverified, match=reason) as refused:
        verify(signature, *secrets)
    assert SECRET not in refused.value.reason


def test_another_body_is_refused_and_the_old_header_proves_nothing():
    with pytest.raises(Unverified):
        verify(PUBLISHED, SECRET, body=BODY + b" ")
    with pytest.raises(Unverified):
        github.verify({"X-Hub-Signature": PUBLISHED}, BODY, secrets=[SECRET], now=0.0)


REPOSITORY = {"id": 186, "full_name": "atlas/ttbar", "default_branch": "main"}
SENDER = {"id": 4, "login": "jane"}
WHO = {"project": "atlas/ttbar", "project_id": "186", "actor": "jane", "actor_id": "4"}
COMMON: dict[str, Any] = {"repository": REPOSITORY, "sender": SENDER}
PUSHED: dict[str, Any] = COMMON | {
    "ref": "refs/heads/x",
    "before": A,
    "after": B,
    "forced": False,
    "head_commit": {"id": B, "message": "Cut harder"},
    "commits": [],
}
PUSH = Push(**WHO, ref="refs/heads/x", before=A, after=B, message="Cut harder", default_branch="main")
TAG = Tag(**WHO, ref="refs/tags/v1", sha=B, message="Cut harder")


def parse(kind: str, document: dict[str, Any], **changes: Any) -> Event:
    return github.parse({"x-github-event": kind}, json.dumps(document | changes).encode())


@pytest.mark.parametrize(
    ("changes", "event"),
    [
        ({}, PUSH),
        ({"before": ZERO, "created": True}, replace(PUSH, before=None)),
        ({"after": ZERO, "head_commit": None, "deleted": True}, replace(PUSH, after=None, message="")),
        ({"forced": True}, PUSH),
        ({"sender": None}, replace(PUSH, actor="", actor_id="")),
        ({"head_commit": {"id": B, "message": "x" * 10**6}}, replace(PUSH, message="x" * MAXIMUM_MESSAGE)),
        ({"ref": "refs/tags/v1", "before": ZERO}, TAG),
        ({"ref": "refs/tags/v1", "after": C}, TAG),  # annotated
        ({"ref": "refs/tags/v1", "after": ZERO, "head_commit": None}, replace(TAG, sha=None, message="")),
        ({"ref": "refs/heads/é/ü"}, replace(PUSH, ref="refs/heads/é/ü")),
    ],
)
def test_pushes(changes: dict[str, Any], event: Event):
    assert parse("push", PUSHED, **changes) == event


PULL: dict[str, Any] = {
    "number": 5,
    "title": "Cut harder",
    "draft": False,
    "merged": False,
    "labels": [{"name": "physics"}],
    "head": {"sha": B, "ref": "x", "repo": {"id": 34, "full_name": "jane/ttbar"}},
    "base": {"sha": A, "ref": "main", "repo": REPOSITORY},
}
REQUEST = MergeRequest(
    **WHO,
    changes=frozenset({Change.OPENED}),
    number=5,
    sha=B,
    source_branch="x",
    target_branch="main",
    source_project="jane/ttbar",
    source_project_id="34",
    title="Cut harder",
    labels=("physics",),
    default_branch="main",
)
GONE = {"sha": B, "ref": "x", "repo": None, "user": None}


def request(change: Change, **others: Any) -> MergeRequest:
    return replace(REQUEST, changes=frozenset({change}), **others)


def pull(action: str, changed: dict[str, Any], **changes: Any) -> Event:
    return parse("pull_request", COMMON, action=action, pull_request=PULL | changed, **changes)


@pytest.mark.parametrize(
    ("action", "changed", "changes", "event"),
    [
        ("opened", {}, {}, REQUEST),
        ("opened", {"draft": True}, {}, request(Change.OPENED, draft=True)),
        ("opened", {"head": GONE}, {}, request(Change.OPENED, source_project="", source_project_id="")),
        ("opened", {"labels": None}, {}, request(Change.OPENED, labels=())),
        ("reopened", {}, {}, request(Change.REOPENED)),
        ("synchronize", {}, {"before": A, "after": B}, request(Change.UPDATED, before=A)),
        ("synchronize", {}, {}, request(Change.UPDATED)),
        ("closed", {}, {}, request(Change.CLOSED)),
        ("closed", {"merged": True}, {}, request(Change.MERGED)),
        ("labeled", {}, {"label": {}}, request(Change.LABELLED)),
        ("unlabeled", {}, {}, request(Change.LABELLED)),
        ("ready_for_review", {}, {}, request(Change.DRAFT)),
        ("converted_to_draft", {"draft": True}, {}, request(Change.DRAFT, draft=True)),
        ("edited", {}, {"changes": {"base": {"ref": {"from": "dev"}}}}, request(Change.RETARGETED)),
    ],
)
def test_pull_requests(action: str, changed: dict[str, Any], changes: dict[str, Any], event: Event):
    assert pull(action, changed, **changes) == event


@pytest.mark.parametrize(
    ("action", "changed", "changes", "reason"),
    [
        ("edited", {}, {"changes": {"title": {"from": "x"}}}, "`edited` of a pull request"),
        ("edited", {}, {"changes": None}, "`edited` of a pull request"),
        ("assigned", {}, {}, "`assigned` of a pull request"),
        ("auto_merge_enabled", {}, {}, "`auto_merge_enabled` of a pull request"),
        ("", {}, {}, "`` of a pull request"),
        ("opened", {"number": None}, {}, "`pull_request.number`"),
        ("opened", {"head": None}, {}, "`pull_request.head.sha`"),
        ("opened", {"head": GONE | {"sha": ZERO}}, {}, "`pull_request.head.sha`"),
        ("opened", {"head": GONE | {"ref": "a b"}}, {}, "`pull_request.head.ref`"),
        ("opened", {"base": {}}, {}, "`pull_request.base.ref`"),
        (
            "opened",
            {"head": GONE | {"repo": {"full_name": "x/.."}}},
            {},
            "`pull_request.head.repo.full_name`",
        ),
        ("synchronize", {}, {"before": 7}, "`before`"),
    ],
)
def test_pull_requests_that_mean_nothing(
    action: str, changed: dict[str, Any], changes: dict[str, Any], reason: str
):
    event = pull(action, changed, **changes)
    assert isinstance(event, Ignored)
    assert (event.project, event.project_id) == ("atlas/ttbar", "186")
    assert reason in event.reason


ON_PULL = {"number": 5, "pull_request": {"url": "https://api.github.com/x"}}
WRITTEN = {"id": 492700400, "body": "/reana run"}
COMMENTED: dict[str, Any] = COMMON | {"action": "created", "issue": ON_PULL, "comment": WRITTEN}
COMMENT = Comment(**WHO, number=5, comment="492700400", body="/reana run")
CHECK = {"name": "reana/fit", "head_sha": B, "external_id": "01jd"}
CHECKED: dict[str, Any] = COMMON | {"action": "rerequested", "check_run": CHECK}
RERUN = Rerun(**WHO, sha=B, context="reana/fit", external_id="01jd")
PRESSED = {"action": "requested_action", "requested_action": {"identifier": "approve"}}
SUITE: dict[str, Any] = COMMON | {"action": "rerequested", "check_suite": {"head_sha": B}}
INSTALLED: dict[str, Any] = {"sender": SENDER, "installation": {"id": 7}, "action": "created"}
INSTALLATION = Installation(project="", actor="jane", actor_id="4", installation="7")
TWO = [{"full_name": "a/b"}, {"full_name": "c/d"}]


@pytest.mark.parametrize(
    ("kind", "document", "changes", "event"),
    [
        ("issue_comment", COMMENTED, {}, COMMENT),
        (
            "issue_comment",
            COMMENTED,
            {"comment": WRITTEN | {"body": "x" * 10**6}},
            replace(COMMENT, body="x" * 65_536),
        ),
        ("check_run", CHECKED, {}, RERUN),
        ("check_run", CHECKED, PRESSED, replace(RERUN, action="approve")),
        ("check_run", CHECKED, {"requested_action": {"identifier": "x"}}, RERUN),
        ("check_run", CHECKED, {"check_run": CHECK | {"external_id": None}}, replace(RERUN, external_id="")),
        ("check_suite", SUITE, {}, Rerun(**WHO, sha=B)),
        ("ping", COMMON, {"zen": "x"}, Ping(**WHO)),
        ("ping", {"sender": SENDER}, {}, Ping(project="", actor="jane", actor_id="4")),
        ("ping", {}, {}, Ping(project="")),
        ("installation", INSTALLED, {"repositories": TWO}, replace(INSTALLATION, added=("a/b", "c/d"))),
        ("installation", INSTALLED, {}, INSTALLATION),
        (
            "installation",
            INSTALLED,
            {"action": "deleted", "repositories": TWO},
            replace(INSTALLATION, removed=("a/b", "c/d")),
        ),
        ("installation", INSTALLED, {"action": "suspend", "repositories": TWO}, INSTALLATION),
        (
            "installation_repositories",
            INSTALLED,
            {"action": "added", "repositories_added": TWO, "repositories_removed": []},
            replace(INSTALLATION, added=("a/b", "c/d")),
        ),
        (
            "installation_repositories",
            INSTALLED,
            {"action": "removed", "repositories_removed": TWO[:1]},
            replace(INSTALLATION, removed=("a/b",)),
        ),
    ],
)
def test_everything_else(kind: str, document: dict[str, Any], changes: dict[str, Any], event: Event):
    assert parse(kind, document, **changes) == event


@pytest.mark.parametrize(
    ("kind", "document", "changes", "reason"),
    [
        ("issue_comment", COMMENTED, {"action": "edited"}, "edited or deleted"),
        ("issue_comment", COMMENTED, {"action": "deleted"}, "edited or deleted"),
        ("issue_comment", COMMENTED, {"issue": {"number": 5}}, "on an issue"),
        ("issue_comment", COMMENTED, {"issue": ON_PULL | {"number": -1}}, "`issue.number`"),
        ("issue_comment", COMMENTED, {"comment": None}, "`comment.id`"),
        ("check_run", CHECKED, {"action": "completed"}, "nobody pressed"),
        ("check_run", CHECKED, {"action": "requested_action"}, "which button"),
        ("check_run", CHECKED, {"check_run": CHECK | {"name": None}}, "`check_run.name`"),
        ("check_run", CHECKED, {"check_run": {"name": "x"}}, "`check_run.head_sha`"),
        ("check_suite", SUITE, {"action": "requested"}, "`requested` of a check suite"),
        ("check_suite", SUITE, {"check_suite": None}, "`check_suite.head_sha`"),
        ("installation", INSTALLED, {"action": "eaten"}, "`eaten` of an installation"),
        ("installation", INSTALLED, {"installation": None}, "of an installation"),
        ("installation", INSTALLED, {"repositories": [{"full_name": "/"}]}, "`repositories[0].full_name`"),
        ("push", PUSHED, {"ref": "refs/pull/5/head"}, "neither a branch nor a tag"),
        ("push", PUSHED, {"before": ZERO, "after": ZERO}, "stand for no commit"),
        ("push", PUSHED, {"ref": "refs/tags/v1", "head_commit": None}, "`head_commit.id` names no commit"),
        ("push", PUSHED, {"repository": {"full_name": "a b"}}, "`repository.full_name`"),
        ("create", COMMON, {}, "the push event says the same as this `create`"),
        ("workflow_run", COMMON, {}, "`workflow_run` events mean nothing"),
        ("pull_request_review", COMMON | {"pull_request": PULL}, {}, "mean nothing"),
        ("\xe9\ud800" * 99, COMMON, {}, "`??"),
        ("", PUSHED, {}, "X-GitHub-Event is missing"),
    ],
)
def test_what_means_nothing(kind: str, document: dict[str, Any], changes: dict[str, Any], reason: str):
    event = parse(kind, document, **changes)
    assert isinstance(event, Ignored)
    assert reason in event.reason


def test_an_installation_of_very_many_repositories_is_cut():
    many = [{"full_name": f"a/b{number}"} for number in range(MAXIMUM_REPOSITORIES + 5)]
    event = parse("installation", INSTALLED, repositories=many)
    assert isinstance(event, Installation)
    assert len(event.added) == MAXIMUM_REPOSITORIES
