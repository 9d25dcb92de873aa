"""The bodies of webhooks, with the fields of GitLab's own."""

from datetime import UTC, datetime
from typing import Any

from reana_bridge.testing.gitlab.entities import head_pipeline
from reana_bridge.testing.gitlab.instance import Instance
from reana_bridge.testing.gitlab.things import ZERO, MergeRequest, Note, Project, User
from reana_bridge.testing.repository import Commit

SHOWN_COMMITS = 20
"""The newest commits that a push tells of."""

_VISIBILITY = {"private": 0, "internal": 10, "public": 20}


def moment(at: float) -> str:
    """`at` as older parts of a body write it, such as `2026-11-23 12:00:00 UTC`."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def user(instance: Instance, who: User) -> dict[str, Any]:
    """Who did it; the e-mail is not public."""
    return {
        "id": who.id,
        "name": who.name,
        "username": who.username,
        "avatar_url": None,
        "email": "[REDACTED]",
    }


def project(instance: Instance, of: Project) -> dict[str, Any]:
    """The block that stands for a project."""
    web, ssh = f"{instance.url}/{of.path}", f"git@gitlab.invalid:{of.path}.git"
    return {
        "id": of.id,
        "name": of.name,
        "description": None,
        "web_url": web,
        "avatar_url": None,
        "git_ssh_url": ssh,
        "git_http_url": f"{web}.git",
        "namespace": of.namespace,
        "visibility_level": _VISIBILITY[of.visibility],
        "path_with_namespace": of.path,
        "default_branch": of.default_branch,
        "ci_config_path": None,
        "homepage": web,
        "url": ssh,
        "ssh_url": ssh,
        "http_url": f"{web}.git",
    }


def _repository(instance: Instance, of: Project) -> dict[str, Any]:
    web = f"{instance.url}/{of.path}"
    return {
        "name": of.name,
        "url": f"git@gitlab.invalid:{of.path}.git",
        "description": None,
        "homepage": web,
    }


def commit(instance: Instance, of: Commit, where: Project) -> dict[str, Any]:
    """The block that stands for a commit; its link leads to the project that the hook is of."""
    return {
        "id": of.sha,
        "message": of.message,
        "title": of.title,
        "timestamp": of.authored_date,
        "url": f"{instance.url}/{where.path}/-/commit/{of.sha}",
        "author": {"name": of.author_name, "email": of.author_email},
    }


def push(instance: Instance, of: Project, ref: str, before: str, after: str, who: User) -> dict[str, Any]:
    """A branch or tag moved; `before` and `after` are zeros where it came or went."""
    repository = of.repository
    tag = ref.startswith("refs/tags/")
    kind = "tag_push" if tag else "push"
    checkout = None if after == ZERO else repository.commit_of(after)
    revisions = [after] if before == ZERO else [after, f"^{before}"]
    if before == ZERO and not tag:
        default = repository.commit_of(of.default_branch)
        revisions += [f"^{default}"] if default and default != after else []
    total = 0 if checkout is None or tag else repository.count(*revisions)
    shown = repository.commits(*revisions, limit=SHOWN_COMMITS) if total else []
    return {
        "object_kind": kind,
        "event_name": kind,
        "before": before,
        "after": after,
        "ref": ref,
        "ref_protected": ref.removeprefix("refs/heads/") in of.protected,
        "checkout_sha": checkout,
        "message": None,
        "user_id": who.id,
        "user_name": who.name,
        "user_username": who.username,
        "user_email": "",
        "user_avatar": None,
        "project_id": of.id,
        "project": project(instance, of),
        "commits": [
            commit(instance, one, of) | (repository.changed(one.sha) if total <= SHOWN_COMMITS else {})
            for one in reversed(shown)
        ],
        "total_commits_count": total,
        "push_options": {},
        "repository": _repository(instance, of)
        | {
            "git_http_url": f"{instance.url}/{of.path}.git",
            "git_ssh_url": f"git@gitlab.invalid:{of.path}.git",
            "visibility_level": _VISIBILITY[of.visibility],
        },
    }


def labels(of: Project, names: list[str]) -> list[dict[str, Any]]:
    """Blocks that stand for labels."""
    return [
        {
            "id": of.labels.get(name, 0),
            "title": name,
            "color": "#6699cc",
            "project_id": of.id,
            "created_at": moment(of.created_at),
            "updated_at": moment(of.created_at),
            "template": False,
            "description": None,
            "type": "ProjectLabel",
            "group_id": None,
        }
        for name in names
    ]


def _attributes(instance: Instance, of: MergeRequest, target: Project) -> dict[str, Any]:
    source = of.source_project
    pipeline = head_pipeline(of, target)
    return {
        "assignee_id": None,
        "author_id": of.author.id,
        "created_at": moment(of.created_at),
        "description": of.description,
        "draft": of.draft,
        "head_pipeline_id": pipeline[0].id if pipeline else None,
        "id": of.id,
        "iid": of.iid,
        "last_edited_at": None,
        "last_edited_by_id": None,
        "merge_commit_sha": of.merge_commit_sha,
        "merge_error": None,
        "merge_params": {"force_remove_source_branch": "1"},
        "merge_status": "preparing",
        "merge_user_id": None,
        "merge_when_pipeline_succeeds": False,
        "milestone_id": None,
        "source_branch": of.source_branch,
        "source_project_id": of.source_project_id,
        "state_id": {"opened": 1, "closed": 2, "merged": 3}[of.state],
        "target_branch": of.target_branch,
        "target_project_id": target.id,
        "time_estimate": 0,
        "title": of.title,
        "updated_at": moment(of.updated_at),
        "updated_by_id": None,
        "prepared_at": moment(of.created_at),
        "assignee_ids": [],
        "blocking_discussions_resolved": True,
        "detailed_merge_status": "preparing",
        "first_contribution": False,
        "human_time_change": None,
        "human_time_estimate": None,
        "human_total_time_spent": None,
        "labels": labels(target, of.labels),
        "last_commit": commit(instance, target.repository.commit(of.sha), target),
        "reviewer_ids": [],
        "source": project(instance, source) if source is not None else None,
        "state": of.state,
        "target": project(instance, target),
        "time_change": 0,
        "total_time_spent": 0,
        "url": f"{instance.url}/{target.path}/-/merge_requests/{of.iid}",
        "work_in_progress": of.draft,
    }


def merge_request(
    instance: Instance,
    of: MergeRequest,
    target: Project,
    who: User,
    action: str,
    *,
    oldrev: str | None = None,
    changes: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Something happened to a merge request; `oldrev` only where its code changed."""
    attributes = _attributes(instance, of, target) | {"action": action}
    if oldrev is not None:
        attributes["oldrev"] = oldrev
    return {
        "object_kind": "merge_request",
        "event_type": "merge_request",
        "user": user(instance, who),
        "project": project(instance, target),
        "object_attributes": attributes,
        "labels": labels(target, of.labels),
        "changes": changes or {},
        "repository": _repository(instance, target),
    }


def note(
    instance: Instance, of: Note, on: MergeRequest, where: Project, who: User, action: str
) -> dict[str, Any]:
    """Somebody wrote or edited a comment on a merge request."""
    attributes: dict[str, Any] = {
        "attachment": None,
        "author_id": of.author.id,
        "change_position": None,
        "commit_id": None,
        "created_at": moment(of.created_at),
        "discussion_id": of.discussion_id,
        "id": of.id,
        "internal": of.internal,
        "line_code": None,
        "note": of.body,
        "noteable_id": on.id,
        "noteable_type": "MergeRequest",
        "original_position": None,
        "position": None,
        "project_id": where.id,
        "resolved_at": None,
        "resolved_by_id": None,
        "resolved_by_push": None,
        "st_diff": None,
        "system": of.system,
        "type": None,
        "updated_at": moment(of.updated_at),
        "updated_by_id": None,
        "description": of.body,
        "url": f"{instance.url}/{where.path}/-/merge_requests/{on.iid}#note_{of.id}",
    }
    if instance.release >= (16, 11):
        attributes["action"] = action
    return {
        "object_kind": "note",
        "event_type": "note",
        "user": user(instance, who),
        "project_id": where.id,
        "project": project(instance, where),
        "object_attributes": attributes,
        "repository": _repository(instance, where),
        "merge_request": _attributes(instance, on, where),
    }
