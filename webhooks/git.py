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
from collections.abc import Mapping, Sequence
from typing import Any

from webhooks import signatures
from webhooks.events import Event, Ignored, Ping, Push, Tag
from webhooks.fields import MAXIMUM_MESSAGE, Fields, Unusable, document

HARMLESS_HEADERS = frozenset(
    {"content-type", "content-length", "user-agent", "webhook-id", "webhook-timestamp"}
)
"""Names, in lower case, of the headers that may be stored with a delivery."""


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
        fields = document(body)
        project = fields.project("project")
        return _event(fields, project)
    except Unusable as unusable:
        return Ignored(project=project, reason=str(unusable))


def body(event: Push | Tag | Ping) -> bytes:
    """The body that `parse` reads as `event`: what a hook delivers."""
    values: dict[str, Any] = {"project": event.project, "actor": event.actor}
    if isinstance(event, Push):
        values |= {"ref": event.ref, "before": event.before, "after": event.after}
        values |= {"message": event.message, "default_branch": event.default_branch}
    elif isinstance(event, Tag):
        values |= {"ref": event.ref, "before": None, "after": event.sha, "message": event.message}
    else:
        values |= {"ping": True}
    return json.dumps(values, separators=(",", ":"), sort_keys=True).encode("ascii")


def _event(fields: Fields, project: str) -> Event:
    actor = fields.text("actor")
    if fields.flag("ping"):
        return Ping(project=project, actor=actor)
    ref = fields.ref("ref")
    before, after = fields.sha("before"), fields.sha("after")
    message = fields.text("message", MAXIMUM_MESSAGE)
    if ref.startswith("refs/tags/"):
        return Tag(project=project, actor=actor, ref=ref, sha=after, message=message)
    if not ref.startswith("refs/heads/"):
        raise Unusable(f"{ref} is neither a branch nor a tag")
    if before is None and after is None:
        raise Unusable("both `before` and `after` stand for no commit")
    return Push(
        project=project,
        actor=actor,
        ref=ref,
        before=before,
        after=after,
        message=message,
        default_branch=fields.default_branch(),
    )
