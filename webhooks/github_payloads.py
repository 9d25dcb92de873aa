"""What the body of a GitHub delivery means, for hooks of a repository, of an organization and of an App.

The rules that spare people needless runs: of a pull request only new commits, labels, draft and base matter;
of comments only new ones on pull requests; of checks only the buttons that people press. Fields are as in
https://docs.github.com/en/webhooks/webhook-events-and-payloads.
"""

from collections.abc import Callable

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
from webhooks.fields import MAXIMUM_MESSAGE, Fields, Unusable, document

MAXIMUM_REPOSITORIES = 1_000
"""Repositories of one installation that are looked at."""

_ACTIONS = {
    "opened": Change.OPENED,
    "reopened": Change.REOPENED,
    "synchronize": Change.UPDATED,
    "labeled": Change.LABELLED,
    "unlabeled": Change.LABELLED,
    "ready_for_review": Change.DRAFT,
    "converted_to_draft": Change.DRAFT,
}
_INSTALLATIONS = {
    "created",
    "deleted",
    "suspend",
    "unsuspend",
    "new_permissions_accepted",
    "added",
    "removed",
}


def parse(kind: str, body: bytes) -> Event:
    """The event; `Ignored` with its reason where it means nothing. Never raises.

    Args:
        kind: The value of `X-GitHub-Event`.
        body: The raw bytes.
    """
    project, project_id = "", ""
    try:
        fields = document(body)
        project_id = fields.inner("repository").identity("id")
        if kind in _WITHOUT_PROJECT:
            return _WITHOUT_PROJECT[kind](fields)
        if kind not in _WITH_PROJECT:
            project = _path(fields)
            raise Unusable(_meaningless(kind))
        project = fields.inner("repository").project("full_name")
        return _WITH_PROJECT[kind](fields, project)
    except Unusable as unusable:
        return Ignored(project=project, project_id=project_id, reason=str(unusable))


def _path(fields: Fields) -> str:
    """The repository's path for the record, where there is one."""
    try:
        return fields.inner("repository").project("full_name")
    except Unusable:
        return ""


def _who(fields: Fields) -> dict[str, str]:
    """The repository's id and who did it, as every event has them."""
    sender = fields.inner("sender")
    return {
        "project_id": fields.inner("repository").identity("id"),
        "actor": sender.text("login"),
        "actor_id": sender.identity("id"),
    }


def _meaningless(kind: str) -> str:
    if not kind:
        return "X-GitHub-Event is missing, so nothing says what the body is about"
    if kind in ("create", "delete"):
        return f"the push event says the same as this `{kind}`; the hook need not send it"
    shown = kind.encode("ascii", "replace").decode("ascii")[:60]
    return f"GitHub's `{shown}` events mean nothing to the bridge; the hook need not send them"


def _push(fields: Fields, project: str) -> Push | Tag:
    ref, before, after = fields.ref("ref"), fields.sha("before"), fields.sha("after")
    head, repository = fields.inner("head_commit"), fields.inner("repository")
    message = head.text("message", MAXIMUM_MESSAGE)
    if ref.startswith("refs/tags/"):
        # Of an annotated tag `after` is the tag object; only `head_commit` is always the commit.
        sha = None if after is None else head.commit("id")
        return Tag(
            project=project,
            **_who(fields),
            ref=ref,
            sha=sha,
            message=message,
        )
    if not ref.startswith("refs/heads/"):
        raise Unusable(f"{ref} is neither a branch nor a tag")
    if before is None and after is None:
        raise Unusable("both `before` and `after` stand for no commit")
    return Push(
        project=project,
        **_who(fields),
        ref=ref,
        before=before,
        after=after,
        message=message,
        default_branch=repository.default_branch(),
    )


def _pull_request(fields: Fields, project: str) -> MergeRequest:
    change = _change(fields)
    request, repository = fields.inner("pull_request"), fields.inner("repository")
    head, base = request.inner("head"), request.inner("base")
    source = head.inner("repo")  # null when the fork is gone
    return MergeRequest(
        project=project,
        **_who(fields),
        changes=frozenset({change}),
        number=request.number("number"),
        sha=head.commit("sha"),
        before=fields.sha("before") if change is Change.UPDATED else None,
        source_branch=head.branch("ref"),
        target_branch=base.branch("ref"),
        source_project=source.project("full_name") if source.has("full_name") else "",
        source_project_id=source.identity("id"),
        title=request.text("title"),
        labels=tuple(label.text("name") for label in request.each("labels")),
        draft=request.flag("draft"),
        default_branch=repository.default_branch(),
    )


def _change(fields: Fields) -> Change:
    action = fields.text("action")
    if action in _ACTIONS:
        return _ACTIONS[action]
    if action == "closed":
        return Change.MERGED if fields.inner("pull_request").flag("merged") else Change.CLOSED
    if action == "edited" and fields.inner("changes").has("base"):
        return Change.RETARGETED
    raise Unusable(f"`{action[:60]}` of a pull request changes neither commits, labels, draft state nor base")


def _comment(fields: Fields, project: str) -> Comment:
    issue, comment = fields.inner("issue"), fields.inner("comment")
    if not issue.has("pull_request"):
        raise Unusable("a comment on a pull request can hold commands, this one is on an issue")
    if fields.text("action") != "created":
        raise Unusable("a comment that was edited or deleted is not obeyed; write a new one")
    identity = comment.identity("id")
    if not identity:
        raise Unusable("`comment.id` is not a comment's id")
    return Comment(
        project=project,
        **_who(fields),
        number=issue.number("number"),
        comment=identity,
        body=comment.text("body", MAXIMUM_MESSAGE),
    )


def _check_run(fields: Fields, project: str) -> Rerun:
    action, check = fields.text("action"), fields.inner("check_run")
    if action not in ("rerequested", "requested_action"):
        raise Unusable(f"nobody pressed a button at the check: it was only `{action[:60]}`")
    button = fields.inner("requested_action").text("identifier") if action == "requested_action" else ""
    if action == "requested_action" and not button:
        raise Unusable("`requested_action.identifier` does not say which button was pressed")
    context = check.text("name")
    if not context:
        raise Unusable("`check_run.name` does not say which check it is")
    return Rerun(
        project=project,
        **_who(fields),
        sha=check.commit("head_sha"),
        context=context,
        external_id=check.text("external_id"),
        action=button,
    )


def _check_suite(fields: Fields, project: str) -> Rerun:
    action = fields.text("action")
    if action != "rerequested":
        raise Unusable(f"`{action[:60]}` of a check suite: pushes and pull requests say what is to run")
    return Rerun(
        project=project,
        **_who(fields),
        sha=fields.inner("check_suite").commit("head_sha"),
    )


def _installation(fields: Fields) -> Installation:
    action, sender = fields.text("action"), fields.inner("sender")
    installation = fields.inner("installation").identity("id")
    if action not in _INSTALLATIONS or not installation:
        raise Unusable(f"`{action[:60]}` of an installation means nothing to the bridge")
    added = [*_repositories(fields, "repositories_added")]
    removed = [*_repositories(fields, "repositories_removed")]
    if action == "created":
        added += _repositories(fields, "repositories")
    if action == "deleted":
        removed += _repositories(fields, "repositories")
    return Installation(
        project="",
        actor=sender.text("login"),
        actor_id=sender.identity("id"),
        installation=installation,
        added=tuple(added),
        removed=tuple(removed),
    )


def _repositories(fields: Fields, name: str) -> list[str]:
    return [each.project("full_name") for each in fields.each(name, MAXIMUM_REPOSITORIES)]


def _ping(fields: Fields) -> Ping:
    # Of no project where an organization or an App pings.
    return Ping(project=_path(fields), **_who(fields))


_WITH_PROJECT: dict[str, Callable[[Fields, str], Event]] = {
    "push": _push,
    "pull_request": _pull_request,
    "issue_comment": _comment,
    "check_run": _check_run,
    "check_suite": _check_suite,
}
_WITHOUT_PROJECT: dict[str, Callable[[Fields], Event]] = {
    "installation": _installation,
    "installation_repositories": _installation,
    "ping": _ping,
}
