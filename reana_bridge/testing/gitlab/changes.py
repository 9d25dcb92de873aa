"""What happens in a project: pushes, merge requests, comments; each with the hooks that it fires.

Every function is called with the instance's lock held and with arguments that were checked.
"""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import uuid4

from reana_bridge.testing.gitlab import bodies
from reana_bridge.testing.gitlab.instance import Instance
from reana_bridge.testing.gitlab.things import ZERO, BranchPush, MergeRequest, Note, Pipeline, Project, User

PUSHED_REFS = 3
"""If one push changes more branches (or more tags) than this, no hook is sent for them."""


def pushed(
    instance: Instance, project: Project, before: Mapping[str, str], after: Mapping[str, str], who: User
) -> None:
    """Refs were moved from `before` to `after`: pipelines, hooks, merge requests."""
    moved = [
        (ref, before.get(ref, ZERO), after.get(ref, ZERO))
        for ref in sorted({*before, *after})
        if before.get(ref) != after.get(ref)
    ]
    branches = [one for one in moved if one[0].startswith("refs/heads/")]
    tags = [one for one in moved if one[0].startswith("refs/tags/")]
    for ref, old, new in branches:
        branch = ref.removeprefix("refs/heads/")
        project.pushes.append(BranchPush(who=who, branch=branch, old=old, new=new, at=instance.clock()))
        if new != ZERO and project.ci == "branch":
            run_pipeline(instance, project, sha=new, ref=ref.removeprefix("refs/heads/"), who=who)
    for several, trigger in ((branches, "push_events"), (tags, "tag_push_events")):
        for ref, old, new in several if len(several) <= PUSHED_REFS else ():
            instance.fire(project, trigger, _push_body(instance, project, ref, old, new, who))
    for ref, old, new in branches:
        for target, merge_request in instance.with_source(project, ref.removeprefix("refs/heads/")):
            if new != ZERO:
                _head_moved(instance, target, merge_request, old=old, new=new, who=who)


def _push_body(instance: Instance, project: Project, ref: str, old: str, new: str, who: User) -> Any:
    return lambda: bodies.push(instance, project, ref, old, new, who)


def _head_moved(
    instance: Instance, target: Project, merge_request: MergeRequest, *, old: str, new: str, who: User
) -> None:
    source = merge_request.source_project or target
    target.repository.bring(source.repository, new, merge_request.ref)
    merge_request.sha = new
    merge_request.updated_at = instance.clock()
    if target.ci == "merge_request":
        run_pipeline(instance, target, sha=new, ref=merge_request.ref, who=who, merge_request=merge_request)
    _tell(instance, target, merge_request, who, "update", oldrev=old)
    if instance.second_update:
        _tell(instance, target, merge_request, who, "update")


def _tell(
    instance: Instance,
    target: Project,
    merge_request: MergeRequest,
    who: User,
    action: str,
    *,
    oldrev: str | None = None,
    changes: dict[str, Any] | None = None,
) -> None:
    instance.fire(
        target,
        "merge_requests_events",
        lambda: bodies.merge_request(
            instance, merge_request, target, who, action, oldrev=oldrev, changes=changes
        ),
    )


def open_merge_request(
    instance: Instance,
    *,
    source: Project,
    source_branch: str,
    target: Project,
    target_branch: str,
    who: User,
    title: str,
    description: str = "",
    labels: Iterable[str] = (),
) -> MergeRequest:
    """A new merge request; both branches are there."""
    sha = source.repository.commit_of(source_branch)
    if sha is None:
        raise LookupError(f"{source.path} has no branch {source_branch}: push it first")
    number = max(target.merge_requests, default=0) + 1
    now = instance.clock()
    merge_request = MergeRequest(
        id=instance.new_id(),
        iid=number,
        title=title,
        description=description,
        author=who,
        source_project=source,
        source_project_id=source.id,
        source_branch=source_branch,
        target_branch=target_branch,
        sha=sha,
        created_at=now,
        updated_at=now,
        labels=_known(instance, target, labels),
    )
    target.repository.bring(source.repository, sha, merge_request.ref)
    target.merge_requests[number] = merge_request
    if target.ci == "merge_request":
        run_pipeline(instance, target, sha=sha, ref=merge_request.ref, who=who, merge_request=merge_request)
    _tell(instance, target, merge_request, who, "open")
    return merge_request


def _known(instance: Instance, project: Project, labels: Iterable[str]) -> list[str]:
    names = sorted(set(labels))
    for name in names:
        project.labels.setdefault(name, instance.new_id())
    return names


def edit(
    instance: Instance,
    project: Project,
    merge_request: MergeRequest,
    who: User,
    *,
    title: str | None = None,
    description: str | None = None,
    labels: Iterable[str] | None = None,
    target_branch: str | None = None,
) -> None:
    """Change what is not None, with one hook for all of it."""
    changes: dict[str, Any] = {}
    if title is not None and title != merge_request.title:
        was = merge_request.draft
        changes["title"] = {"previous": merge_request.title, "current": title}
        merge_request.title = title
        if was != merge_request.draft:
            changes["draft"] = {"previous": was, "current": merge_request.draft}
    if description is not None and description != merge_request.description:
        changes["description"] = {"previous": merge_request.description, "current": description}
        merge_request.description = description
    if labels is not None and sorted(set(labels)) != merge_request.labels:
        old, merge_request.labels = merge_request.labels, _known(instance, project, labels)
        changes["labels"] = {
            "previous": bodies.labels(project, old),
            "current": bodies.labels(project, merge_request.labels),
        }
    if target_branch is not None and target_branch != merge_request.target_branch:
        changes["target_branch"] = {"previous": merge_request.target_branch, "current": target_branch}
        merge_request.target_branch = target_branch
    if changes:
        now = instance.clock()
        changes["updated_at"] = {
            "previous": bodies.moment(merge_request.updated_at),
            "current": bodies.moment(now),
        }
        merge_request.updated_at = now
        _tell(instance, project, merge_request, who, "update", changes=changes)


def close(instance: Instance, project: Project, merge_request: MergeRequest, who: User) -> None:
    """Close it; nothing where it is not open."""
    _to(instance, project, merge_request, who, state="closed", action="close", of="opened")


def reopen(instance: Instance, project: Project, merge_request: MergeRequest, who: User) -> None:
    """Open it again; its head follows the source branch. Nothing where it is not closed."""
    source = merge_request.source_project
    sha = source.repository.commit_of(merge_request.source_branch) if source is not None else None
    if source is not None and sha is not None and merge_request.state == "closed":
        project.repository.bring(source.repository, sha, merge_request.ref)
        merge_request.sha = sha
    _to(instance, project, merge_request, who, state="opened", action="reopen", of="closed")


def _to(
    instance: Instance,
    project: Project,
    merge_request: MergeRequest,
    who: User,
    *,
    state: str,
    action: str,
    of: str,
) -> None:
    if merge_request.state != of:
        return
    now = instance.clock()
    before = {"opened": 1, "closed": 2, "merged": 3}
    changes = {
        "state_id": {"previous": before[of], "current": before[state]},
        "updated_at": {"previous": bodies.moment(merge_request.updated_at), "current": bodies.moment(now)},
    }
    merge_request.state, merge_request.updated_at = state, now
    _tell(instance, project, merge_request, who, action, changes=changes)


def merge(
    instance: Instance, project: Project, merge_request: MergeRequest, who: User, method: str = "merge"
) -> str:
    """Merge it as the method says: `merge` (a merge commit), `squash` or `fast-forward`.

    Returns:
        The target's new commit, which holds the source's files.
    """
    repository = project.repository
    before = repository.refs()
    ref = f"refs/heads/{merge_request.target_branch}"
    sha = merge_request.sha
    if method != "fast-forward":
        message = f"Merge branch '{merge_request.source_branch}' into '{merge_request.target_branch}'\n"
        parents = ["-p", before[ref], *(["-p", sha] if method == "merge" else [])]
        who_did = ["-c", f"user.name={who.name}", "-c", f"user.email={who.email}"]
        tree = repository.text("rev-parse", f"{sha}^{{tree}}")
        sha = repository.text(*who_did, "commit-tree", tree, *parents, "-m", message)
    repository.git("update-ref", ref, sha)
    merge_request.merge_commit_sha = sha if method == "merge" else None
    merge_request.squash_commit_sha = sha if method == "squash" else None
    pushed(instance, project, before, repository.refs(), who)
    _to(instance, project, merge_request, who, state="merged", action="merge", of="opened")
    return sha


def run_pipeline(
    instance: Instance,
    project: Project,
    *,
    sha: str,
    ref: str,
    who: User,
    merge_request: MergeRequest | None = None,
) -> Pipeline | None:
    """The pipeline that a push makes; None where the commit has no `.gitlab-ci.yml`."""
    if project.repository.file(sha, ".gitlab-ci.yml") is None:
        return None
    source = "push" if merge_request is None else "merge_request_event"
    pipeline = new_pipeline(instance, project, sha=sha, ref=ref, who=who, source=source)
    pipeline.merge_request = merge_request.iid if merge_request is not None else None
    project.pipelines.append(pipeline)
    return pipeline


def new_pipeline(
    instance: Instance,
    project: Project,
    *,
    sha: str,
    ref: str,
    who: User,
    source: str,
    status: str = "running",
) -> Pipeline:
    """A pipeline that the project does not have yet."""
    now = instance.clock()
    return Pipeline(
        id=instance.new_id(),
        iid=len(project.pipelines) + 1,
        sha=sha,
        ref=ref,
        source=source,
        status=status,
        user=who,
        created_at=now,
        updated_at=now,
    )


def comment(
    instance: Instance,
    project: Project,
    merge_request: MergeRequest,
    who: User,
    body: str,
    *,
    system: bool = False,
    internal: bool = False,
) -> Note:
    """A new comment."""
    now = instance.clock()
    note = Note(
        id=instance.new_id(),
        body=body,
        author=who,
        created_at=now,
        updated_at=now,
        system=system,
        internal=internal,
        discussion_id=uuid4().hex,
        bodies=[body],
    )
    merge_request.notes[note.id] = note
    merge_request.updated_at = now
    _tell_of_note(instance, project, merge_request, note, who, "create")
    return note


def edit_comment(
    instance: Instance, project: Project, merge_request: MergeRequest, note: Note, who: User, body: str
) -> None:
    """Another text for a comment."""
    note.body, note.updated_at = body, instance.clock()
    note.bodies.append(body)
    if instance.release >= (16, 11):
        _tell_of_note(instance, project, merge_request, note, who, "update")


def _tell_of_note(
    instance: Instance, project: Project, merge_request: MergeRequest, note: Note, who: User, action: str
) -> None:
    trigger = "confidential_note_events" if note.internal else "note_events"
    instance.fire(project, trigger, lambda: bodies.note(instance, note, merge_request, project, who, action))
