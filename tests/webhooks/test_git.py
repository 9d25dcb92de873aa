"""What a delivery of the post-receive hook means."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webhooks import git
from webhooks.events import Event, Ignored, Ping, Push, Tag
from webhooks.fields import MAXIMUM_MESSAGE

A, B, ZERO = "a" * 40, "b" * 40, "0" * 40
BASE: dict[str, Any] = {
    "project": "group/name",
    "ref": "refs/heads/x",
    "before": A,
    "after": B,
    "actor": "jane",
    "message": "Cut harder",
    "default_branch": "main",
}
PUSH = Push(
    project="group/name",
    actor="jane",
    ref="refs/heads/x",
    before=A,
    after=B,
    message="Cut harder",
    default_branch="main",
)
TAG = Tag(project="group/name", actor="jane", ref="refs/tags/v1", sha=B, message="Cut harder")


def parse(**changes: Any) -> Event:
    return git.parse({}, json.dumps(BASE | changes).encode())


@pytest.mark.parametrize(
    ("changes", "event"),
    [
        ({}, PUSH),
        ({"before": ZERO}, Push(**(vars(PUSH) | {"before": None}))),
        ({"after": ZERO}, Push(**(vars(PUSH) | {"after": None}))),
        ({"before": None}, Push(**(vars(PUSH) | {"before": None}))),
        ({"after": "B" * 40}, PUSH),
        ({"after": "b" * 64}, Push(**(vars(PUSH) | {"after": "b" * 64}))),
        ({"unknown": [1]}, PUSH),
        ({"actor": None, "message": 3}, Push(**(vars(PUSH) | {"actor": "", "message": ""}))),
        ({"message": "a\x00b\ud800"}, Push(**(vars(PUSH) | {"message": "ab?"}))),
        ({"ref": "refs/heads/müon/é"}, Push(**(vars(PUSH) | {"ref": "refs/heads/müon/é"}))),
        ({"ref": "refs/heads/-rf"}, Push(**(vars(PUSH) | {"ref": "refs/heads/-rf"}))),
        ({"ref": "refs/tags/v1"}, TAG),
        ({"ref": "refs/tags/v1", "before": "0" * 40}, TAG),
        ({"ref": "refs/tags/v1", "after": ZERO}, Tag(**(vars(TAG) | {"sha": None}))),
        ({"ping": True}, Ping(project="group/name", actor="jane")),
    ],
)
def test_meaning(changes: dict[str, Any], event: Event):
    assert parse(**changes) == event


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"before": ZERO, "after": ZERO}, "no commit"),
        ({"before": "--upload-pack=x"}, "`before`"),
        ({"after": "b" * 39}, "`after`"),
        ({"after": 7}, "`after`"),
        ({"after": "٣" * 40}, "`after`"),
        ({"ref": None}, "full ref"),
        ({"ref": "main"}, "full ref"),
        ({"ref": "refs/notes/reana-bridge"}, "neither a branch nor a tag"),
        ({"ref": "refs/heads/a b"}, "not a name that git allows"),
        ({"ref": "refs/heads/../x"}, "not a name that git allows"),
        ({"ref": "refs/heads/x.lock"}, "not a name that git allows"),
        ({"ref": "refs/heads/"}, "not a name that git allows"),
        ({"ref": "refs/heads/x\n"}, "not a name that git allows"),
        ({"ref": "refs/heads/\udcff"}, "not UTF-8"),
        ({"ref": "refs/heads/" + "x" * 500}, "full ref"),
        ({"project": None}, "`project`"),
        ({"project": "/etc"}, "`project`"),
        ({"project": "a/../b"}, "`project`"),
        ({"project": "a/.."}, "`project`"),
        ({"project": "a//b"}, "`project`"),
        ({"project": "a/b\n"}, "`project`"),
        ({"project": "-x"}, "`project`"),
        ({"project": "a" * 501}, "`project`"),
        ({"project": "gründe"}, "`project`"),
    ],
)
def test_ignored_with_its_reason(changes: dict[str, Any], reason: str):
    event = parse(**changes)
    assert isinstance(event, Ignored)
    assert reason in event.reason
    assert event.project == ("" if "project" in changes else "group/name")


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"null", b'"x"', b"\xff\xfe", b"[" * 100_000, b'{"a":' * 100_000, b"1" * 5000, b"NaN"],
)
def test_bodies_that_are_no_object(body: bytes):
    event = git.parse({}, body)
    assert isinstance(event, Ignored)
    assert "the body is not" in event.reason


def test_a_long_message_is_cut():
    event = parse(message="x" * 100_000, actor="y" * 1000)
    assert isinstance(event, Push)
    assert (len(event.message), len(event.actor)) == (MAXIMUM_MESSAGE, 500)


@pytest.mark.parametrize(
    "event", [PUSH, TAG, Ping(project="a", actor="b"), Push(**(vars(PUSH) | {"after": None}))]
)
def test_body_is_the_inverse_of_parse(event: Push | Tag | Ping):
    assert git.parse({}, git.body(event)) == event


@given(st.binary())
def test_no_bytes_raise(body: bytes):
    assert isinstance(git.parse({}, body), Ignored)


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
KNOWN = st.sampled_from([A, ZERO, "refs/heads/x", "refs/tags/x", "group/name"])
VALUES = SCALARS | KNOWN | st.lists(SCALARS, max_size=2)


@given(st.dictionaries(st.sampled_from([*BASE, "ping"]), VALUES, max_size=4))
def test_no_object_raises_and_what_comes_out_can_be_stored(document: dict[str, Any]):
    event = git.parse({}, json.dumps(BASE | document).encode())
    stored = "".join(str(value) for value in vars(event).values()).encode("utf-8")
    assert b"\0" not in stored
