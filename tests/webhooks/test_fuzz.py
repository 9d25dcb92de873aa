"""Whatever an authentic body holds, each kind answers with an event that can be stored and given to git."""

import json
import re
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import asdict
from functools import cache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.webhooks import test_github, test_gitlab
from tests.webhooks.corpus import bodies, github_kind, needs_bodies
from webhooks.events import Event, Ignored, Installation, Ping
from webhooks.kinds import KINDS
from webhooks.signatures import Unverified

SHA = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
BAD_IN_REFS = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//")
NO_JSON = re.compile(rb"[^\\]\\[^\"\\/bfnrtu]")

# Kind, the value of X-GitHub-Event, and an object that means something.
GITLAB: list[dict[str, Any]] = [
    test_gitlab.PUSHED,
    test_gitlab.TAGGED,
    test_gitlab.MERGE
    | {"object_attributes": test_gitlab.ATTRIBUTES | test_gitlab.UPDATE | {"oldrev": test_gitlab.A}},
    test_gitlab.NOTED | {"object_attributes": test_gitlab.NOTE},
]
GITHUB: list[tuple[str, dict[str, Any]]] = [
    ("push", test_github.PUSHED),
    ("pull_request", test_github.COMMON | {"action": "opened", "pull_request": test_github.PULL}),
    ("issue_comment", test_github.COMMENTED),
    ("check_run", test_github.CHECKED | test_github.PRESSED),
    ("check_suite", test_github.SUITE),
    ("installation", test_github.INSTALLED | {"repositories": test_github.TWO}),
    ("installation_repositories", test_github.INSTALLED | {"repositories_added": test_github.TWO}),
    ("ping", test_github.COMMON),
]
SEEDS = [("gitlab", "", document) for document in GITLAB] + [("github", *seed) for seed in GITHUB]

TEXTS = ["0" * 40, "f" * 40, "e" * 64, "refs/heads/../x", "refs/tags/é", "--x", "\ud800", "\0", "a" * 70_000]
OTHERS: list[Any] = [10**400, -1, 0, 2**31, 2**63, [], {}, [[]], [{}], {"id": {}}, "update", "closed"]
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
ODD = SCALARS | st.sampled_from(TEXTS) | st.sampled_from(OTHERS)


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every container with one of its keys."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in list(items):
        yield value, key
        yield from places(inner)


def meant(kind: str, name: str, body: bytes) -> Event:
    event = KINDS[kind].parse({"X-GitHub-Event": name}, body)
    check(event)
    return event


def check(event: Event) -> None:
    """What every reader of events relies on."""
    values = asdict(event)
    text = json.dumps(values, default=sorted, ensure_ascii=False)
    assert "\\u0000" not in text
    text.encode("utf-8")
    assert len(text) < 400_000
    for name in ("before", "after", "sha"):
        assert not values.get(name) or SHA.fullmatch(values[name])
    for name in ("ref", "source_branch", "target_branch", "default_branch"):
        assert not BAD_IN_REFS.search(values.get(name) or "")
    for name in ("project", "source_project"):
        assert ".." not in (values.get(name) or "").split("/")
    assert event.project or isinstance(event, Ignored | Installation | Ping)
    if isinstance(event, Ignored):
        assert event.reason


@given(st.sampled_from(["gitlab", "github"]), st.sampled_from([name for name, _ in GITHUB]), st.binary())
def test_no_bytes_raise(kind: str, name: str, body: bytes):
    assert isinstance(meant(kind, name, body), Ignored)


@pytest.mark.parametrize("kind", ["gitlab", "github"])
@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"[]", b"null", b"NaN", b"[" * 100_000, b'{"a":' * 100_000, b"1" * 5000, b"\xff\xfe"),
        *(b'{"a": 1' + b"0" * 5000, b'\xef\xbb\xbf{"object_kind": "push"}'),
        b'{"project": ' + b"[" * 900 + b"]" * 900 + b"}",
    ],
)
def test_bodies_that_are_none(kind: str, body: bytes):
    assert isinstance(meant(kind, "push", body), Ignored)


@given(st.sampled_from(SEEDS), st.data())
def test_one_or_more_odd_values(seed: tuple[str, str, dict[str, Any]], data: st.DataObject):
    kind, name, document = seed
    document = json.loads(json.dumps(document))
    for _ in range(data.draw(st.integers(1, 4))):
        container, key = data.draw(st.sampled_from(list(places(document))))
        container[key] = deepcopy(data.draw(ODD))  # else an odd value could come to hold itself
    meant(kind, name, json.dumps(document).encode())


@given(st.sampled_from(SEEDS), st.data())
def test_bytes_that_were_damaged_on_the_way(seed: tuple[str, str, dict[str, Any]], data: st.DataObject):
    kind, name, document = seed
    body = bytearray(json.dumps(document).encode())
    for _ in range(data.draw(st.integers(1, 3))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    meant(kind, name, bytes(body[: data.draw(st.integers(0, len(body)))]))
    meant(kind, name, bytes(body))


@cache
def real() -> list[tuple[str, str, dict[str, Any]]]:
    found = [("gitlab", "", body) for body in bodies("gitlab").values()]
    found += [("github", github_kind(path), body) for path, body in bodies("github").items()]
    # Three of GitLab's are no JSON, by a slip of who published them.
    return [(kind, name, json.loads(body)) for kind, name, body in found if not NO_JSON.search(body)]


@needs_bodies
@given(st.data())
def test_real_bodies_with_odd_values(data: st.DataObject):
    kind, name, document = data.draw(st.sampled_from(real()))
    document = json.loads(json.dumps(document))
    for container, key in data.draw(st.lists(st.sampled_from(list(places(document))), max_size=3)):
        container[key] = deepcopy(data.draw(ODD))  # else an odd value could come to hold itself
    meant(kind, name, json.dumps(document).encode())


NAMES = [
    *("webhook-id", "webhook-timestamp", "webhook-signature", "X-Gitlab-Token", "idempotency-key"),
    *("X-Gitlab-Webhook-UUID", "X-Hub-Signature-256", "X-Hub-Signature", "X-GitHub-Delivery"),
]
VALUES = st.sampled_from(["", "1793000000", "v1,AAAA", "sha256=" + "0" * 64, "whsec_AAAA"])
HEADERS = st.dictionaries(st.sampled_from(NAMES), st.text(max_size=80) | VALUES)
SECRETS = [[], [""], ["whsec_***"], ["a secret that nobody guesses"], [test_gitlab.SIGNING, "another"]]


@given(st.sampled_from(["git", "gitlab", "github"]), HEADERS, st.binary(max_size=50))
def test_no_headers_prove_or_break_anything(kind: str, headers: dict[str, str], body: bytes):
    for secrets in SECRETS:
        with pytest.raises(Unverified):
            KINDS[kind].verify(headers, body, secrets=secrets, now=1_793_000_000)
    identity = KINDS[kind].delivery_id(headers, body)
    assert identity is None or (identity.isascii() and 0 < len(identity) <= 240)
