"""Every kind of forge offers the same, and nothing here touches the world."""

import ast
from pathlib import Path

import pytest

import webhooks
from webhooks.kinds import KINDS, harmless

ROOM = Path(webhooks.__file__).parent
OURS = ["git", "gitlab", "github"]
PURE = {
    "base64",
    "binascii",
    "collections",
    "enum",
    "dataclasses",
    "hashlib",
    "hmac",
    "json",
    "re",
    "typing",
    "webhooks",
}


@pytest.mark.parametrize("kind", [KINDS[name] for name in OURS], ids=OURS)
def test_secrets_and_signatures_are_not_harmless(kind):
    received = {"Webhook-Id": "1", "Webhook-Signature": "v1,x", "Authorization": "y", "Cookie": "z"}
    received |= {"X-Gitlab-Token": "t", "X-Hub-Signature-256": "s", "X-Hub-Signature": "s"}
    received |= {"User-Agent": "u"}
    assert harmless(kind, received).items() <= {"webhook-id": "1", "user-agent": "u"}.items()
    assert harmless(kind, received)["user-agent"] == "u"


NAMES = {"git": "webhook-id", "gitlab": "webhook-id", "github": "x-github-delivery"}


@pytest.mark.parametrize("kind", OURS)
@pytest.mark.parametrize(
    ("value", "identity"),
    [("d-1", "d-1"), ("d" * 200, "d" * 200), ("d" * 201, None), ("\xe9", None), ("a b", None), ("", None)],
)
def test_delivery_id(kind: str, value: str, identity: str | None):
    for name in (NAMES[kind], NAMES[kind].title()):
        assert KINDS[kind].delivery_id({name: value}, b"") == identity
    assert KINDS[kind].delivery_id({}, b"") is None


@pytest.mark.parametrize("module", sorted(ROOM.glob("*.py")), ids=lambda path: path.name)
def test_the_room_imports_only_what_is_pure(module: Path):
    names: set[str] = set()
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add((node.module or "").split(".")[0])
    assert names <= PURE
