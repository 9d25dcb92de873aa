"""What the bridge tells itself comes back as it was said."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webhooks import git, synthetic
from webhooks.events import Change, Comment, Ignored, MergeRequest, Ping, Push, Tag

A, B = "a" * 40, "b" * 64
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=80)
PROJECT = st.from_regex(r"[a-z][a-z0-9_.-]{0,9}(/[a-z][a-z0-9_-]{0,9}){1,3}", fullmatch=True)
NAME = st.from_regex(r"[a-zäß][a-z0-9_#@é-]{0,9}(/[a-z][a-z0-9-]{0,9})?", fullmatch=True)
SHA = st.from_regex(r"[1-9a-f][0-9a-f]{39}([0-9a-f]{24})?", fullmatch=True)
IDENTITY = st.just("") | st.integers(1, 2**62).map(str)
NUMBER = st.integers(1, 2**31 - 1)
PEOPLE = {"project": PROJECT, "actor": TEXT, "project_id": IDENTITY, "actor_id": IDENTITY}

PUSHES = st.builds(
    Push,
    ref=NAME.map("refs/heads/{}".format),
    before=st.none() | SHA,
    after=SHA,
    message=TEXT,
    default_branch=NAME | st.just(""),
    **PEOPLE,
)
TAGS = st.builds(Tag, ref=NAME.map("refs/tags/{}".format), sha=st.none() | SHA, message=TEXT, **PEOPLE)
MERGE_REQUESTS = st.builds(
    MergeRequest,
    changes=st.frozensets(st.sampled_from(Change), min_size=1),
    number=NUMBER,
    sha=SHA,
    before=st.none() | SHA,
    source_branch=NAME,
    target_branch=NAME,
    source_project=PROJECT | st.just(""),
    source_project_id=IDENTITY,
    title=TEXT,
    labels=st.lists(TEXT, max_size=4).map(tuple),
    draft=st.booleans(),
    message=TEXT,
    default_branch=NAME | st.just(""),
    **PEOPLE,
)
COMMENTS = st.builds(
    Comment,
    number=NUMBER,
    comment=IDENTITY.filter(bool),
    body=TEXT,
    discussion=st.just(""),
    sha=st.just(""),
    **PEOPLE,
)


@given(PUSHES | TAGS | MERGE_REQUESTS | COMMENTS | st.builds(Ping, **PEOPLE))
def test_body_is_the_inverse_of_parse(event: Push | Tag | MergeRequest | Comment | Ping):
    assert synthetic.parse({}, synthetic.body(event)) == event


@pytest.mark.parametrize(
    "event",
    [
        Push(project="group/name", ref="refs/heads/x", before=A, after=B, actor="jane"),
        Tag(project="group/name", ref="refs/tags/v1", sha=A),
        Ping(project="group/name"),
    ],
)
def test_a_body_of_the_hook_is_understood(event: Push | Tag | Ping):
    assert synthetic.parse({}, git.body(event)) == event


MERGE_REQUEST: dict[str, Any] = {
    "type": "merge-request",
    "project": "group/name",
    "changes": ["updated"],
    "number": 5,
    "sha": A,
    "source_branch": "x",
    "target_branch": "main",
}


def test_what_is_missing_has_its_default():
    assert synthetic.parse({}, json.dumps(MERGE_REQUEST).encode()) == MergeRequest(
        project="group/name",
        changes=frozenset({Change.UPDATED}),
        number=5,
        sha=A,
        source_branch="x",
        target_branch="main",
    )


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"type": "pull"}, "nothing of type `pull`"),
        ({"type": 5}, "nothing of type"),
        ({"type": "push"}, "`ref`"),
        ({"type": "push", "ref": "refs/tags/x"}, "is no branch"),
        ({"type": "push", "ref": "refs/heads/x"}, "no commit"),
        ({"type": "tag", "ref": "refs/heads/x"}, "is no tag"),
        ({"type": "comment"}, "`comment`"),
        ({"type": "comment", "comment": "7", "number": 0}, "`number`"),
        ({"changes": []}, "`changes`"),
        ({"changes": ["eaten"]}, "`changes`"),
        ({"number": 0}, "`number`"),
        ({"number": True}, "`number`"),
        ({"number": 2**31}, "`number`"),
        ({"sha": "0" * 40}, "`sha` names no commit"),
        ({"sha": None}, "`sha` names no commit"),
        ({"source_branch": ""}, "`source_branch`"),
        ({"target_branch": "a..b"}, "`target_branch`"),
        ({"source_project": "../x"}, "`source_project`"),
        ({"project": "/x"}, "`project`"),
    ],
)
def test_ignored_with_its_reason(changes: dict[str, Any], reason: str):
    event = synthetic.parse({}, json.dumps(MERGE_REQUEST | changes).encode())
    assert isinstance(event, Ignored)
    assert reason in event.reason


@given(st.binary())
def test_no_bytes_raise(body: bytes):
    assert isinstance(synthetic.parse({}, body), Ignored)
