"""Deliveries that the bridge sends to itself: what it found on the forge, in place of a hook that was lost.

```json
{"type": "merge-request", "project": "group/name", "number": 5, "sha": "<sha>", "changes": ["updated"], ...}
```

A field has the name that it has in `webhooks.events`; one that is missing has its default. A body without
`type` is one of the post-receive hook's (`webhooks.git`). `parse` never raises.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from webhooks import git
from webhooks.events import Change, Comment, Event, Ignored, MergeRequest, Ping, Push, Tag
from webhooks.fields import MAXIMUM_MESSAGE, Fields, Unusable, document

_TYPES: dict[type[Event], str] = {
    Push: "push",
    Tag: "tag",
    MergeRequest: "merge-request",
    Comment: "comment",
    Ping: "ping",
}


def body(event: Push | Tag | MergeRequest | Comment | Ping) -> bytes:
    """The body that `parse` reads as `event`."""
    values: dict[str, Any] = asdict(event) | {"type": _TYPES[type(event)]}
    if isinstance(event, MergeRequest):
        values["changes"] = sorted(event.changes)
    return json.dumps(values, separators=(",", ":"), sort_keys=True).encode("ascii")


def parse(headers: Mapping[str, str], body: bytes) -> Event:
    """What a delivery of kind `synthetic` means; `Ignored` where it means nothing."""
    project = ""
    try:
        fields = document(body)
        if not fields.has("type"):
            return git.parse(headers, body)
        project = fields.project("project")
        return _event(fields, project)
    except Unusable as unusable:
        return Ignored(project=project, reason=str(unusable))


def _event(fields: Fields, project: str) -> Event:
    match fields.text("type"):
        case "push":
            return _push(fields, project)
        case "tag":
            return _tag(fields, project)
        case "merge-request":
            return _merge_request(fields, project)
        case "comment":
            return _comment(fields, project)
        case "ping":
            return Ping(project=project, **_people(fields))
        case other:
            raise Unusable(f"the bridge sends itself nothing of type `{other[:50]}`")


def _push(fields: Fields, project: str) -> Push:
    ref, before, after = fields.ref("ref"), fields.sha("before"), fields.sha("after")
    if not ref.startswith("refs/heads/"):
        raise Unusable(f"{ref} is no branch")
    if before is None and after is None:
        raise Unusable("both `before` and `after` stand for no commit")
    return Push(
        project=project,
        ref=ref,
        before=before,
        after=after,
        message=fields.text("message", MAXIMUM_MESSAGE),
        default_branch=fields.default_branch(),
        **_people(fields),
    )


def _tag(fields: Fields, project: str) -> Tag:
    ref = fields.ref("ref")
    if not ref.startswith("refs/tags/"):
        raise Unusable(f"{ref} is no tag")
    message = fields.text("message", MAXIMUM_MESSAGE)
    return Tag(project=project, ref=ref, sha=fields.sha("sha"), message=message, **_people(fields))


def _merge_request(fields: Fields, project: str) -> MergeRequest:
    changes = _changes(fields)
    over = not changes.isdisjoint({Change.CLOSED, Change.MERGED})
    return MergeRequest(
        project=project,
        changes=changes,
        number=fields.number("number"),
        sha="" if over and not fields.text("sha") else fields.commit("sha"),
        before=fields.sha("before"),
        source_branch=fields.branch("source_branch"),
        target_branch=fields.branch("target_branch"),
        source_project=fields.project("source_project") if fields.text("source_project") else "",
        source_project_id=fields.identity("source_project_id"),
        title=fields.text("title"),
        labels=fields.texts("labels"),
        draft=fields.flag("draft"),
        message=fields.text("message", MAXIMUM_MESSAGE),
        default_branch=fields.default_branch(),
        **_people(fields),
    )


def _comment(fields: Fields, project: str) -> Comment:
    identity = fields.identity("comment")
    if not identity:
        raise Unusable("`comment` is not a comment's id")
    return Comment(
        project=project,
        number=fields.number("number"),
        comment=identity,
        body=fields.text("body", MAXIMUM_MESSAGE),
        **_people(fields),
    )


def _changes(fields: Fields) -> frozenset[Change]:
    try:
        changes = frozenset(Change(name) for name in fields.texts("changes"))
    except ValueError as error:
        raise Unusable(f"`changes` holds what the bridge does not know: {error}") from error
    if not changes:
        raise Unusable("`changes` names nothing that changed")
    return changes


def _people(fields: Fields) -> dict[str, str]:
    return {
        "actor": fields.text("actor"),
        "project_id": fields.identity("project_id"),
        "actor_id": fields.identity("actor_id"),
    }
