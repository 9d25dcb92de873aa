"""Deliveries of the bridge's own post-receive hook on plain git: one JSON body for each ref that moved.

```json
{"project": "group/name", "ref": "refs/heads/x", "before": "<sha>", "after": "<sha>", "actor": "jane",
 "message": "The head commit's message", "default_branch": "main"}
```

Forty (or 64) zeros, or null, stand for "no commit" (created, deleted); annotated tags are peeled to their
commit by the sender. `{"project": ..., "ping": true}` asks whether anybody listens. Whatever an authentic
body holds, `parse` answers with an event: what means nothing becomes `Ignored` with a reason.
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, cast

from webhooks import signatures
from webhooks.events import Event, Ignored, Ping, Push, Tag

HARMLESS_HEADERS = frozenset(
    {"content-type", "content-length", "user-agent", "webhook-id", "webhook-timestamp"}
)
"""Names, in lower case, of the headers that may be stored with a delivery."""

MAXIMUM_MESSAGE = 65_536
"""Characters of a commit message that are kept."""

_MAXIMUM_TEXT = 500
_SHA = re.compile(r"[0-9a-fA-F]{40}|[0-9a-fA-F]{64}", re.ASCII)
_PROJECT = re.compile(
    r"(?!.*(^|/)\.{1,2}(/|$))[A-Za-z0-9_.][A-Za-z0-9_.+-]*(/[A-Za-z0-9_.][A-Za-z0-9_.+-]*)*"
)
# What git itself forbids in the name of a ref (git help check-ref-format).
_BAD_REF = re.compile(r"[\x00-\x20\x7f~^:?*\[\\\ud800-\udfff]|\.\.|@\{|//|/\.|\.lock(/|$)|[./]$")


class _Unusable(Exception):
    """Why a body means nothing."""


def verify(headers: Mapping[str, str], body: bytes, *, secrets: Sequence[str], now: float) -> None:
    """Return when the delivery is authentic; see `webhooks.signatures.verify`.

    Raises:
        Unverified: It is not, and why.
    """
    signatures.verify(headers, body, secrets=secrets, now=now)


def delivery_id(headers: Mapping[str, str], body: bytes) -> str | None:
    """The sender's identity of this delivery, the same when it is sent again; None where it sent none."""
    return signatures.identity(headers)


def parse(headers: Mapping[str, str], body: bytes) -> Event:
    """What an authentic delivery means; never raises."""
    project = ""
    try:
        document = _document(body)
        project = _project(document)
        return _event(document, project)
    except _Unusable as unusable:
        return Ignored(project=project, reason=str(unusable))


def body(event: Push | Tag | Ping) -> bytes:
    """The body that `parse` reads as `event`: what a hook, or a reconciliation in its place, delivers."""
    document: dict[str, Any] = {"project": event.project, "actor": event.actor}
    if isinstance(event, Push):
        document |= {"ref": event.ref, "before": event.before, "after": event.after}
        document |= {"message": event.message, "default_branch": event.default_branch}
    elif isinstance(event, Tag):
        document |= {"ref": event.ref, "before": None, "after": event.sha, "message": event.message}
    else:
        document |= {"ping": True}
    return json.dumps(document, separators=(",", ":"), sort_keys=True).encode("ascii")


def _document(raw: bytes) -> dict[str, Any]:
    try:
        document: Any = json.loads(raw.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise _Unusable(f"the body is not JSON ({type(error).__name__})") from error
    if not isinstance(document, dict):
        raise _Unusable("the body is not a JSON object")
    return cast(dict[str, Any], document)


def _event(document: dict[str, Any], project: str) -> Event:
    actor = _text(document, "actor")[:_MAXIMUM_TEXT]
    if document.get("ping") is True:
        return Ping(project=project, actor=actor)
    ref = _ref(document)
    before, after = _sha(document, "before"), _sha(document, "after")
    message = _text(document, "message")[:MAXIMUM_MESSAGE]
    if ref.startswith("refs/tags/"):
        return Tag(project=project, actor=actor, ref=ref, sha=after, message=message)
    if not ref.startswith("refs/heads/"):
        raise _Unusable(f"{ref} is neither a branch nor a tag")
    if before is None and after is None:
        raise _Unusable("both `before` and `after` stand for no commit")
    branch = _text(document, "default_branch")[:_MAXIMUM_TEXT]
    return Push(
        project=project,
        actor=actor,
        ref=ref,
        before=before,
        after=after,
        message=message,
        default_branch=branch,
    )


def _project(document: dict[str, Any]) -> str:
    value = document.get("project")
    if not isinstance(value, str) or len(value) > _MAXIMUM_TEXT or not _PROJECT.fullmatch(value):
        raise _Unusable("`project` is not a repository path such as group/name")
    return value


def _ref(document: dict[str, Any]) -> str:
    value = document.get("ref")
    if not isinstance(value, str) or len(value) > _MAXIMUM_TEXT or not value.startswith("refs/"):
        raise _Unusable("`ref` is not a full ref such as refs/heads/main")
    if _BAD_REF.search(value):
        raise _Unusable("`ref` is not a name that git allows, or not UTF-8")
    return value


def _sha(document: dict[str, Any], name: str) -> str | None:
    value = document.get(name)
    if value is None:
        return None
    if not isinstance(value, str) or not _SHA.fullmatch(value):
        raise _Unusable(f"`{name}` is not a commit's 40 or 64 hexadecimal digits")
    return value.lower() if value.strip("0") else None


def _text(document: dict[str, Any], name: str) -> str:
    """A free text that every database and page can hold: no NUL, no half of a surrogate pair."""
    value = document.get(name)
    if not isinstance(value, str):
        return ""
    return value.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")
