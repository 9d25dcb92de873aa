"""GitLab's deliveries: what is proven, which they are, and what each rule makes of a body."""

import base64
import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from standardwebhooks import Webhook

from webhooks import gitlab
from webhooks.events import Change, Comment, Event, Ignored, MergeRequest, Push, Tag
from webhooks.fields import MAXIMUM_MESSAGE
from webhooks.signatures import Unverified, signed_headers

NOW = 1_793_000_000
A, B, C, ZERO = "a" * 40, "b" * 40, "c" * 40, "0" * 40
SIGNING, OTHER = (f"whsec_{base64.b64encode(bytes([n]) * 32).decode()}" for n in (1, 2))
TOKEN = "a plain token"
BODY = b'{"object_kind": "push"}'


def signed(secret: str = SIGNING, *, body: bytes = BODY, age: int = 0, **others: str) -> dict[str, str]:
    headers = signed_headers(secret=secret, delivery="d-1", timestamp=NOW - age, body=body)
    return headers | {name.replace("_", "-"): value for name, value in others.items()}


def token(value: str) -> dict[str, str]:
    return {"X-Gitlab-Token": value}


@pytest.mark.parametrize(
    ("headers", "secrets"),
    [
        (signed(), [SIGNING]),
        (signed(), [OTHER, SIGNING]),
        (signed(), [TOKEN, SIGNING]),
        (signed(age=300), [SIGNING]),
        (signed(x_gitlab_token="wrong"), [SIGNING, TOKEN]),
        ({"webhook-signature": "v1,AAAA " + signed()["webhook-signature"]} | signed(), [SIGNING]),
        (token(TOKEN), [TOKEN]),
        (token(TOKEN), ["another", TOKEN]),
        (token(TOKEN), [SIGNING, TOKEN]),
        # GitLab before 19.0 takes the signing secret as its token.
        (token(SIGNING), [SIGNING]),
        (token("gr\xc3\xbcn"), ["grün"]),
        # GitLab 19 sends these two with a plain token as well.
        (token(TOKEN) | {"webhook-id": "d-1", "webhook-timestamp": "1"}, [TOKEN]),
        # A signature by a key that only somebody else knows proves nothing; the token still does.
        (signed(OTHER) | token(TOKEN), [TOKEN]),
    ],
)
def test_proven(headers: dict[str, str], secrets: list[str]):
    gitlab.verify(headers, BODY, secrets=secrets, now=NOW)


@pytest.mark.parametrize(
    ("headers", "secrets", "reason"),
    [
        ({}, [TOKEN], "neither"),
        ({}, [SIGNING], "neither"),
        (token(TOKEN), [], "no webhook secret"),
        (token(""), [""], "no webhook secret"),
        (token(""), [TOKEN], "none of the configured"),
        (token("wrong"), [TOKEN, SIGNING], "none of the configured"),
        (token(TOKEN[:-1]), [TOKEN], "none of the configured"),
        (token(TOKEN + " "), [TOKEN], "none of the configured"),
        (token(OTHER), [SIGNING], "none of the configured"),
        (token("\ud800"), [TOKEN], "none of the configured"),
        (token("\u0663"), [TOKEN], "none of the configured"),
        (signed(OTHER), [SIGNING], "no signature"),
        (signed(body=b"{}"), [SIGNING], "no signature"),
        (signed(age=301), [SIGNING], "off this server's clock"),
        (signed(age=-301), [SIGNING], "off this server's clock"),
        (signed() | {"webhook-id": "d-2"}, [SIGNING], "no signature"),
        (signed() | {"webhook-id": ""}, [SIGNING], "webhook-id"),
        # A right token never makes a wrong signature good.
        (signed(OTHER) | token(TOKEN), [SIGNING, TOKEN], "no signature"),
        (signed(OTHER) | token(SIGNING), [SIGNING], "no signature"),
        (token(TOKEN) | {"webhook-signature": ""}, [SIGNING, TOKEN], "must all be there"),
        (token(TOKEN) | {"webhook-signature": "v1,x"}, [SIGNING, TOKEN], "must all be there"),
        # A plain token signs nothing.
        (signed(TOKEN), [TOKEN], "neither"),
        (signed(TOKEN), [TOKEN, SIGNING], "no signature"),
    ],
)
def test_refused(headers: dict[str, str], secrets: list[str], reason: str):
    with pytest.raises(Unverified, match=reason) as refused:
        gitlab.verify(headers, BODY, secrets=secrets, now=NOW)
    assert TOKEN not in refused.value.reason
    assert "whsec_" not in refused.value.reason


@pytest.mark.parametrize("body", [b"{}", BODY, '{"é": "\U0001f600"}'.encode(), b"x" * 100_000])
def test_signed_by_somebody_else_s_implementation(body: bytes):
    signature = Webhook(SIGNING).sign("d-1", datetime.fromtimestamp(NOW, UTC), body.decode())
    headers = {
        "Webhook-Id": "d-1",
        "Webhook-Timestamp": str(NOW),
        "Webhook-Signature": f"v1,AAAA {signature}",
    }
    gitlab.verify(headers, body, secrets=[SIGNING], now=NOW)
    with pytest.raises(Unverified):
        gitlab.verify(headers, body + b" ", secrets=[SIGNING], now=NOW)


@pytest.mark.parametrize(
    ("headers", "identity"),
    [
        ({"Webhook-Id": "w", "Idempotency-Key": "i", "X-Gitlab-Webhook-UUID": "u"}, "w"),
        ({"Idempotency-Key": "i", "X-Gitlab-Webhook-UUID": "u"}, "i"),
        ({"webhook-id": "\xe9", "Idempotency-Key": "i"}, "i"),
        ({"X-Gitlab-Webhook-UUID": "u"}, "u:e3b0c44298fc1c149afbf4c8996fb924"),
        ({"X-Gitlab-Event-UUID": "e"}, None),
        ({}, None),
    ],
)
def test_delivery_id(headers: dict[str, str], identity: str | None):
    assert gitlab.delivery_id(headers, b"") == identity


PROJECT = {"id": 15, "path_with_namespace": "atlas/ttbar", "default_branch": "main"}
PUSHED: dict[str, Any] = {
    "object_kind": "push",
    "event_name": "push",
    "before": A,
    "after": B,
    "checkout_sha": B,
    "ref": "refs/heads/x",
    "user_id": 4,
    "user_username": "jane",
    "user_name": "Jane",
    "project_id": 15,
    "project": PROJECT,
    "commits": [{"id": A, "message": "older"}, {"id": B, "message": "Cut harder"}],
    "total_commits_count": 2,
}
PUSH = Push(
    project="atlas/ttbar",
    project_id="15",
    actor="jane",
    actor_id="4",
    ref="refs/heads/x",
    before=A,
    after=B,
    message="Cut harder",
    default_branch="main",
)
MANY = [{"id": f"{n:040x}", "message": str(n)} for n in range(1, 20)] + [{"id": B, "message": "last"}]


def parse(document: dict[str, Any], **changes: Any) -> Event:
    return gitlab.parse({}, json.dumps(document | changes).encode())


@pytest.mark.parametrize(
    ("changes", "event"),
    [
        ({}, PUSH),
        ({"object_kind": None}, PUSH),
        ({"before": ZERO}, replace(PUSH, before=None)),
        ({"after": ZERO, "checkout_sha": None, "commits": []}, replace(PUSH, after=None, message="")),
        ({"commits": MANY, "total_commits_count": 500}, replace(PUSH, message="last")),
        ({"commits": []}, replace(PUSH, message="")),
        ({"commits": None}, replace(PUSH, message="")),
        ({"commits": [7, {"id": B, "message": "x" * 10**6}]}, replace(PUSH, message="x" * MAXIMUM_MESSAGE)),
        ({"user_username": None}, replace(PUSH, actor="")),
        ({"user_id": "4"}, PUSH),
        ({"user_id": 10**400}, replace(PUSH, actor_id="")),
        ({"after": B.upper()}, PUSH),
        ({"project": {"path_with_namespace": "atlas/ttbar"}}, replace(PUSH, default_branch="")),
        ({"project": PROJECT | {"path_with_namespace": "a/b/c.d_e-f"}}, replace(PUSH, project="a/b/c.d_e-f")),
    ],
)
def test_pushes(changes: dict[str, Any], event: Event):
    assert parse(PUSHED, **changes) == event


TAGGED = PUSHED | {"object_kind": "tag_push", "ref": "refs/tags/v1", "before": ZERO}
TAG = Tag(
    project="atlas/ttbar",
    project_id="15",
    actor="jane",
    actor_id="4",
    ref="refs/tags/v1",
    sha=B,
    message="Cut harder",
)


@pytest.mark.parametrize(
    ("changes", "event"),
    [
        ({}, TAG),
        ({"after": C}, TAG),  # annotated
        ({"after": ZERO, "before": A, "checkout_sha": None}, replace(TAG, sha=None, message="")),
        ({"object_kind": "push"}, TAG),
    ],
)
def test_tags(changes: dict[str, Any], event: Event):
    assert parse(TAGGED, **changes) == event


ATTRIBUTES: dict[str, Any] = {
    "id": 99,
    "iid": 5,
    "action": "open",
    "title": "Cut harder",
    "source_branch": "x",
    "target_branch": "main",
    "source_project_id": 34,
    "target_project_id": 15,
    "source": {"id": 34, "path_with_namespace": "jane/ttbar"},
    "target": PROJECT,
    "last_commit": {"id": B, "message": "Cut harder, still"},
    "draft": False,
    "work_in_progress": False,
    "state": "opened",
}
MERGE: dict[str, Any] = {
    "object_kind": "merge_request",
    "event_type": "merge_request",
    "user": {"id": 4, "username": "jane", "name": "Jane"},
    "project": PROJECT,
    "labels": [{"id": 1, "title": "physics"}, {"id": 2, "title": "run fit"}],
    "changes": {},
}
REQUEST = MergeRequest(
    project="atlas/ttbar",
    project_id="15",
    actor="jane",
    actor_id="4",
    changes=frozenset({Change.OPENED}),
    number=5,
    sha=B,
    source_branch="x",
    target_branch="main",
    source_project="jane/ttbar",
    source_project_id="34",
    title="Cut harder",
    labels=("physics", "run fit"),
    message="Cut harder, still",
    default_branch="main",
)


def merge(attributes: dict[str, Any], **changes: Any) -> Event:
    return parse(MERGE, object_attributes=ATTRIBUTES | attributes, changes=changes)


def request(*changes: Change, **others: Any) -> MergeRequest:
    return replace(REQUEST, changes=frozenset(changes), **others)


UPDATE = {"action": "update"}
FORMERLY = {"action": "update", "draft": None, "work_in_progress": True}
READY = {"previous": True, "current": False}


@pytest.mark.parametrize(
    ("attributes", "changes", "event"),
    [
        ({}, {}, REQUEST),
        ({}, {"labels": {"previous": [], "current": [1]}}, REQUEST),
        ({"oldrev": A}, {}, REQUEST),
        ({"action": "reopen"}, {}, request(Change.REOPENED)),
        ({"action": "close"}, {}, request(Change.CLOSED)),
        ({"action": "merge"}, {}, request(Change.MERGED)),
        ({"action": "close", "last_commit": None}, {}, request(Change.CLOSED, sha="", message="")),
        ({"action": "merge", "last_commit": {}}, {}, request(Change.MERGED, sha="", message="")),
        (UPDATE | {"oldrev": A}, {}, request(Change.UPDATED, before=A)),
        (UPDATE | {"oldrev": A}, {"draft": READY}, request(Change.UPDATED, Change.DRAFT, before=A)),
        (UPDATE, {"labels": {"previous": [], "current": []}}, request(Change.LABELLED)),
        (UPDATE, {"draft": READY}, request(Change.DRAFT)),
        (FORMERLY, {"work_in_progress": READY}, request(Change.DRAFT, draft=True)),
        (UPDATE, {"title": {"previous": "Draft: x", "current": "x"}}, request(Change.DRAFT)),
        (UPDATE, {"title": {"previous": "x", "current": "[WIP] x"}}, request(Change.DRAFT)),
        (UPDATE, {"target_branch": {"previous": "dev", "current": "main"}}, request(Change.RETARGETED)),
        ({"draft": True}, {}, request(Change.OPENED, draft=True)),
        ({"source": None}, {}, request(Change.OPENED, source_project="")),
        (
            {"source": None, "source_project_id": None},
            {},
            request(Change.OPENED, source_project="", source_project_id=""),
        ),
        ({"last_commit": {"id": B}}, {}, request(Change.OPENED, message="")),
        ({"title": "a\0b\ud800" + "c" * 1000}, {}, request(Change.OPENED, title="ab?" + "c" * 497)),
    ],
)
def test_merge_requests(attributes: dict[str, Any], changes: dict[str, Any], event: Event):
    assert merge(attributes, **changes) == event


@pytest.mark.parametrize(
    ("attributes", "changes", "reason"),
    [
        (UPDATE, {}, "no new commits"),
        (UPDATE, {"merge_status": {"previous": "unchecked", "current": "preparing"}}, "no new commits"),
        (UPDATE, {"description": {}, "assignees": {}, "updated_at": {}}, "no new commits"),
        (UPDATE, {"title": {"previous": "x", "current": "y"}}, "no new commits"),
        (UPDATE, {"title": {"previous": "Draft: x", "current": "Draft: y"}}, "no new commits"),
        (UPDATE, {"title": "y"}, "no new commits"),
        (UPDATE | {"oldrev": None}, {}, "no new commits"),
        (UPDATE | {"oldrev": ZERO}, {}, "no new commits"),
        (UPDATE | {"oldrev": "x"}, {}, "`object_attributes.oldrev`"),
        ({"action": "approved"}, {}, "approval"),
        ({"action": "unapproval"}, {}, "approval"),
        ({"action": None}, {}, "test delivery"),
        ({"action": "eat"}, {}, "`eat` of a merge request"),
        ({"iid": 0}, {}, "`object_attributes.iid`"),
        ({"iid": "5"}, {}, "`object_attributes.iid`"),
        ({"iid": 10**30}, {}, "`object_attributes.iid`"),
        ({"last_commit": None}, {}, "`object_attributes.last_commit.id` names no commit"),
        ({"last_commit": {"id": "main"}}, {}, "`object_attributes.last_commit.id`"),
        ({"source_branch": None}, {}, "`object_attributes.source_branch`"),
        ({"source_branch": "-x..y"}, {}, "`object_attributes.source_branch`"),
        ({"target_branch": ""}, {}, "`object_attributes.target_branch`"),
        ({"source": {"path_with_namespace": "../etc"}}, {}, "`object_attributes.source.path_with_namespace`"),
    ],
)
def test_merge_requests_that_mean_nothing(attributes: dict[str, Any], changes: dict[str, Any], reason: str):
    event = merge(attributes, **changes)
    assert isinstance(event, Ignored)
    assert (event.project, event.project_id) == ("atlas/ttbar", "15")
    assert reason in event.reason


NOTE: dict[str, Any] = {
    "id": 1244,
    "note": "/reana run",
    "noteable_type": "MergeRequest",
    "action": "create",
    "system": False,
    "author_id": 4,
    "discussion_id": "56e2b4210419aed077d47ca2dc00551c7c4ac882",
}
NOTED: dict[str, Any] = {
    "object_kind": "note",
    "event_type": "note",
    "user": {"id": 4, "username": "jane"},
    "project_id": 15,
    "project": PROJECT,
    "merge_request": {"iid": 5, "last_commit": {"id": B}},
}
COMMENT = Comment(
    project="atlas/ttbar",
    project_id="15",
    actor="jane",
    actor_id="4",
    number=5,
    comment="1244",
    discussion="56e2b4210419aed077d47ca2dc00551c7c4ac882",
    body="/reana run",
    sha=B,
)


@pytest.mark.parametrize(
    ("note", "changes", "event"),
    [
        ({}, {}, COMMENT),
        ({"action": None}, {}, COMMENT),
        ({"internal": True}, {"event_type": "confidential_note"}, COMMENT),
        ({"discussion_id": None}, {}, replace(COMMENT, discussion="")),
        ({}, {"user": {"username": "jane"}}, COMMENT),
        ({}, {"merge_request": {"iid": 5}}, replace(COMMENT, sha="")),
        ({"note": "x" * 10**6}, {}, replace(COMMENT, body="x" * 65_536)),
        ({"note": "a\r\n\0b"}, {}, replace(COMMENT, body="a\r\nb")),
    ],
)
def test_comments(note: dict[str, Any], changes: dict[str, Any], event: Event):
    assert parse(NOTED, object_attributes=NOTE | note, **changes) == event


@pytest.mark.parametrize(
    ("note", "changes", "reason"),
    [
        ({"action": "update"}, {}, "edited"),
        ({"system": True}, {}, "GitLab wrote"),
        ({"noteable_type": "Commit"}, {}, "on: commit"),
        ({"noteable_type": "Issue"}, {}, "on: issue"),
        ({"noteable_type": None}, {}, "on: nothing"),
        ({"id": None}, {}, "comment's id"),
        ({}, {"merge_request": None}, "`merge_request.iid`"),
        ({}, {"merge_request": {"iid": 5, "last_commit": {"id": "x"}}}, "`merge_request.last_commit.id`"),
    ],
)
def test_comments_that_mean_nothing(note: dict[str, Any], changes: dict[str, Any], reason: str):
    event = parse(NOTED, object_attributes=NOTE | note, **changes)
    assert isinstance(event, Ignored)
    assert reason in event.reason


@pytest.mark.parametrize(
    ("document", "changes", "reason"),
    [
        (PUSHED, {"project": None}, "`project.path_with_namespace`"),
        (PUSHED, {"project": []}, "`project.path_with_namespace`"),
        (PUSHED, {"project": PROJECT | {"path_with_namespace": "a/../b"}}, "`project.path_with_namespace`"),
        (PUSHED, {"ref": "x"}, "`ref`"),
        (PUSHED, {"ref": "refs/merge-requests/1/head"}, "neither a branch nor a tag"),
        (PUSHED, {"before": ZERO, "after": ZERO}, "stand for no commit"),
        (PUSHED, {"after": "b" * 39}, "`after`"),
        (TAGGED, {"ref": "refs/heads/x"}, "neither a branch nor a tag"),
        (TAGGED, {"checkout_sha": None}, "points to no commit"),
        (PUSHED, {"object_kind": "pipeline"}, "`pipeline` events mean nothing"),
        (PUSHED, {"object_kind": 5, "event_name": None}, "no GitLab event"),
        ({"event_name": "repository_update"}, {}, "`repository_update` events mean nothing"),
        ({}, {}, "no GitLab event"),
    ],
)
def test_what_means_nothing(document: dict[str, Any], changes: dict[str, Any], reason: str):
    event = parse(document, **changes)
    assert isinstance(event, Ignored)
    assert reason in event.reason


def test_headers_say_nothing_about_the_meaning():
    assert gitlab.parse({"X-Gitlab-Event": "Note Hook"}, json.dumps(PUSHED).encode()) == PUSH
