"""What the body of a GitLab delivery means, for hooks of a project, of a group and of the whole instance.

The rules that spare people needless runs: of a merge request's updates only new commits (`oldrev`), labels,
draft and target matter; of comments only new ones, by people, on merge requests. Fields are as in
https://docs.gitlab.com/user/project/integrations/webhook_events/ and in what GitLab sends in practice.
"""

import re

from webhooks.events import Change, Comment, Event, Ignored, MergeRequest, Push, Tag
from webhooks.fields import MAXIMUM_MESSAGE, Fields, Unusable, document

_ACTIONS = {
    "open": Change.OPENED,
    "reopen": Change.REOPENED,
    "close": Change.CLOSED,
    "merge": Change.MERGED,
}
_APPROVALS = {"approved", "unapproved", "approval", "unapproval"}
_DRAFT = re.compile(r"\s*(\[draft\]|\(draft\)|draft:|draft -|\[wip\]|wip:)", re.IGNORECASE)


def parse(body: bytes) -> Event:
    """The event; `Ignored` with its reason where it means nothing. Never raises."""
    project, project_id = "", ""
    try:
        fields = document(body)
        project_id = _project_id(fields)
        kind = fields.text("object_kind") or fields.text("event_name")
        if kind not in ("push", "tag_push", "merge_request", "note"):
            project = _path(fields)
            raise Unusable(_meaningless(kind))
        project = fields.inner("project").project("path_with_namespace")
        return _event(kind, fields, project)
    except Unusable as unusable:
        return Ignored(project=project, project_id=project_id, reason=str(unusable))


def _event(kind: str, fields: Fields, project: str) -> Event:
    if kind == "merge_request":
        return _merge_request(fields, project)
    if kind == "note":
        return _comment(fields, project)
    ref = fields.ref("ref")
    if ref.startswith("refs/heads/") and kind == "push":
        return _push(fields, project, ref)
    if ref.startswith("refs/tags/"):
        return _tag(fields, project, ref)
    raise Unusable(f"{ref} is neither a branch nor a tag")


def _path(fields: Fields) -> str:
    """The project's path for the record, where there is one."""
    try:
        return fields.inner("project").project("path_with_namespace")
    except Unusable:
        return ""


def _meaningless(kind: str) -> str:
    if not kind:
        return "the body has neither `object_kind` nor `event_name`: it is no GitLab event"
    return f"GitLab's `{kind[:60]}` events mean nothing to the bridge; the hook need not send them"


def _push(fields: Fields, project: str, ref: str) -> Push:
    before, after = fields.sha("before"), fields.sha("after")
    if before is None and after is None:
        raise Unusable("both `before` and `after` stand for no commit")
    return Push(
        project=project,
        project_id=_project_id(fields),
        actor=fields.text("user_username"),
        actor_id=fields.identity("user_id"),
        ref=ref,
        before=before,
        after=after,
        message=_message(fields, after),
        default_branch=fields.inner("project").default_branch(),
    )


def _tag(fields: Fields, project: str, ref: str) -> Tag:
    deleted = fields.sha("after") is None
    # Of an annotated tag `after` is the tag object; only `checkout_sha` is always the commit.
    sha = None if deleted else fields.sha("checkout_sha")
    if sha is None and not deleted:
        raise Unusable(f"{ref} points to no commit")
    return Tag(
        project=project,
        project_id=_project_id(fields),
        actor=fields.text("user_username"),
        actor_id=fields.identity("user_id"),
        ref=ref,
        sha=sha,
        message=_message(fields, sha),
    )


def _merge_request(fields: Fields, project: str) -> MergeRequest:
    request, target, user = fields.inner("object_attributes"), fields.inner("project"), fields.inner("user")
    changes = _changes(fields, request)
    over = not changes.isdisjoint({Change.CLOSED, Change.MERGED})
    last = request.inner("last_commit")
    return MergeRequest(
        project=project,
        project_id=_project_id(fields),
        actor=user.text("username"),
        actor_id=user.identity("id"),
        changes=changes,
        number=request.number("iid"),
        # A branch may be gone with the merge request that it was for; then there is no last commit.
        sha=last.sha("id") or "" if over else last.commit("id"),
        before=request.sha("oldrev") if Change.UPDATED in changes else None,
        source_branch=request.branch("source_branch"),
        target_branch=request.branch("target_branch"),
        source_project=_source_project(request),
        source_project_id=request.identity("source_project_id"),
        title=request.text("title"),
        labels=tuple(label.text("title") for label in fields.each("labels")),
        draft=request.flag("draft") or request.flag("work_in_progress"),
        message=last.text("message", MAXIMUM_MESSAGE),
        default_branch=target.default_branch(),
    )


def _changes(fields: Fields, request: Fields) -> frozenset[Change]:
    action = request.text("action")
    if action in _ACTIONS:
        return frozenset({_ACTIONS[action]})
    if action in _APPROVALS:
        raise Unusable("a review's approval of a merge request runs nothing")
    if not action:
        raise Unusable("the merge request has no `action`, so nothing happened to it: a test delivery")
    if action != "update":
        raise Unusable(f"`{action[:60]}` of a merge request means nothing to the bridge")
    changed = fields.inner("changes")
    found = {
        Change.UPDATED: request.sha("oldrev") is not None,
        Change.LABELLED: changed.has("labels"),
        Change.DRAFT: _drafted(changed),
        Change.RETARGETED: changed.has("target_branch"),
    }
    changes = frozenset(change for change, happened in found.items() if happened)
    if not changes:
        raise Unusable("the merge request got no new commits, labels, draft state or target branch")
    return changes


def _drafted(changed: Fields) -> bool:
    if changed.has("draft") or changed.has("work_in_progress"):
        return True
    # Before GitLab 14 only the title tells.
    title = changed.inner("title")
    was, now = (_DRAFT.match(title.text(name)) is not None for name in ("previous", "current"))
    return was != now


def _source_project(request: Fields) -> str:
    source = request.inner("source")
    return source.project("path_with_namespace") if source.has("path_with_namespace") else ""


def _comment(fields: Fields, project: str) -> Comment:
    note, request, user = (fields.inner(name) for name in ("object_attributes", "merge_request", "user"))
    kind = note.text("noteable_type")
    if kind != "MergeRequest":
        what = kind.lower()[:30] or "nothing"
        raise Unusable(f"a comment on a merge request can hold commands, this one is on: {what}")
    if note.flag("system"):
        raise Unusable("GitLab wrote this comment itself")
    if note.text("action") not in ("", "create"):
        raise Unusable("a comment that was edited is not obeyed; write a new one")
    comment = note.identity("id")
    if not comment:
        raise Unusable("`object_attributes.id` is not a comment's id")
    return Comment(
        project=project,
        project_id=_project_id(fields),
        actor=user.text("username"),
        actor_id=user.identity("id") or note.identity("author_id"),
        number=request.number("iid"),
        comment=comment,
        discussion=note.identity("discussion_id"),
        body=note.text("note", MAXIMUM_MESSAGE),
        sha=request.inner("last_commit").sha("id") or "",
    )


def _project_id(fields: Fields) -> str:
    return fields.inner("project").identity("id") or fields.identity("project_id")


def _message(fields: Fields, sha: str | None) -> str:
    """The message of the commit `sha`, where it is among those that the push lists (20 at most)."""
    for commit in fields.each("commits"):
        if sha is not None and commit.text("id").lower() == sha:
            return commit.text("message", MAXIMUM_MESSAGE)
    return ""
