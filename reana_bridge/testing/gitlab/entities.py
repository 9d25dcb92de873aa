"""Values of the fake as the JSON of the REST API, with the fields and names of GitLab's own entities."""

from typing import Any

from reana_bridge.testing.gitlab.instance import Instance
from reana_bridge.testing.gitlab.things import (
    ZERO,
    Badge,
    BranchPush,
    CommitStatus,
    Hook,
    HookEvent,
    MergeRequest,
    Note,
    Pipeline,
    Project,
    Token,
    User,
    timestamp,
)
from reana_bridge.testing.repository import Commit, GitError

HOOK_FLAGS = (
    *("push_events", "tag_push_events", "merge_requests_events", "note_events", "issues_events"),
    *("confidential_issues_events", "confidential_note_events", "repository_update_events", "job_events"),
    *("pipeline_events", "wiki_page_events", "deployment_events", "releases_events", "feature_flag_events"),
    *("milestone_events", "emoji_events", "resource_access_token_events", "vulnerability_events"),
)
"""What a hook can be subscribed to."""


def user(instance: Instance, who: User) -> dict[str, Any]:
    """The short form that stands for an author everywhere."""
    return {
        "id": who.id,
        "username": who.username,
        "public_email": None,
        "name": who.name,
        "state": "active",
        "locked": False,
        "avatar_url": None,
        "web_url": f"{instance.url}/{who.username}",
    }


def current_user(instance: Instance, who: User) -> dict[str, Any]:
    """The form of `GET /user`."""
    return user(instance, who) | {"bot": who.bot, "email": who.email, "is_admin": who.admin}


def token(of: Token, now: float) -> dict[str, Any]:
    """A personal or project access token, without its value."""
    expired = of.expires_at is not None and of.expires_at <= now
    expires = None if of.expires_at is None else timestamp(of.expires_at)[:10]
    return {
        "id": of.id,
        "name": of.name,
        "revoked": of.revoked,
        "created_at": timestamp(of.created_at),
        "description": "",
        "scopes": sorted(of.scopes),
        "user_id": of.user.id,
        "last_used_at": None,
        "active": not of.revoked and not expired,
        "expires_at": expires,
    }


def member(instance: Instance, who: User, level: int) -> dict[str, Any]:
    """A member of a project."""
    return user(instance, who) | {"access_level": level, "expires_at": None, "membership_state": "active"}


def push_event(instance: Instance, of: Project, push: BranchPush) -> dict[str, Any]:
    """A push as the project's events show it."""
    return {
        "project_id": of.id,
        "action_name": "pushed to",
        "author_id": push.who.id,
        "author": user(instance, push.who),
        "created_at": timestamp(push.at),
        "push_data": {
            "action": "pushed",
            "ref_type": "branch",
            "ref": push.branch,
            "commit_from": None if push.old == ZERO else push.old,
            "commit_to": None if push.new == ZERO else push.new,
        },
    }


def project(instance: Instance, of: Project, viewer: User | None) -> dict[str, Any]:
    """A project as `GET /projects/:id` shows it."""
    parent = of.forked_from
    level = instance.level(of, viewer)
    shown: dict[str, Any] = {
        "id": of.id,
        "description": None,
        "name": of.name,
        "name_with_namespace": f"{of.namespace} / {of.name}",
        "path": of.name,
        "path_with_namespace": of.path,
        "created_at": timestamp(of.created_at),
        "default_branch": of.default_branch if of.repository.refs() else None,
        "tag_list": [],
        "topics": [],
        "ssh_url_to_repo": f"git@gitlab.invalid:{of.path}.git",
        "http_url_to_repo": f"{instance.url}/{of.path}.git",
        "web_url": f"{instance.url}/{of.path}",
        "readme_url": None,
        "forks_count": sum(1 for other in instance.projects.values() if other.forked_from is of),
        "avatar_url": None,
        "star_count": 0,
        "last_activity_at": timestamp(of.created_at),
        "visibility": of.visibility,
        "namespace": {"name": of.namespace, "path": of.namespace, "kind": "group", "full_path": of.namespace},
        "archived": of.archived,
        "empty_repo": not of.repository.refs(),
        "merge_requests_enabled": True,
        "enforce_auth_checks_on_uploads": of.visibility != "public",
    }
    if parent is not None and instance.may_read(parent, viewer):
        shown["forked_from_project"] = {"id": parent.id, "path_with_namespace": parent.path}
    if viewer is not None:
        access = {"access_level": int(level), "notification_level": 3} if level else None
        shown["permissions"] = {"project_access": access, "group_access": None}
    return shown


def commit(instance: Instance, of: Commit, where: Project) -> dict[str, Any]:
    """A commit."""
    return {
        "id": of.sha,
        "short_id": of.sha[:8],
        "created_at": of.committed_date,
        "parent_ids": list(of.parents),
        "title": of.title,
        "message": of.message,
        "author_name": of.author_name,
        "author_email": of.author_email,
        "authored_date": of.authored_date,
        "committer_name": of.committer_name,
        "committer_email": of.committer_email,
        "committed_date": of.committed_date,
        "trailers": {},
        "extended_trailers": {},
        "web_url": f"{instance.url}/{where.path}/-/commit/{of.sha}",
    }


def branch(instance: Instance, where: Project, name: str, sha: str, viewer: User | None) -> dict[str, Any]:
    """A branch."""
    return {
        "name": name,
        "commit": commit(instance, where.repository.commit(sha), where),
        "merged": False,
        "protected": name in where.protected,
        "developers_can_push": False,
        "developers_can_merge": False,
        "can_push": instance.may_push(where, viewer, name),
        "default": name == where.default_branch,
        "web_url": f"{instance.url}/{where.path}/-/tree/{name}",
    }


def pipeline(instance: Instance, of: Pipeline, where: Project) -> dict[str, Any]:
    """A pipeline in a list."""
    return {
        "id": of.id,
        "iid": of.iid,
        "project_id": where.id,
        "sha": of.sha,
        "ref": of.ref,
        "status": of.status,
        "source": of.source,
        "created_at": timestamp(of.created_at),
        "updated_at": timestamp(of.updated_at),
        "web_url": f"{instance.url}/{where.path}/-/pipelines/{of.id}",
        "name": None,
    }


def status(instance: Instance, of: CommitStatus) -> dict[str, Any]:
    """A commit status."""
    started, finished = of.started_at, of.finished_at
    return {
        "id": of.id,
        "sha": of.sha,
        "ref": of.ref,
        "status": of.state,
        "name": of.name,
        "target_url": of.target_url,
        "description": of.description,
        "created_at": timestamp(of.created_at),
        "started_at": None if started is None else timestamp(started),
        "finished_at": None if finished is None else timestamp(finished),
        "allow_failure": False,
        "coverage": of.coverage,
        "pipeline_id": of.pipeline.id,
        "author": user(instance, of.user),
    }


def note(instance: Instance, of: Note, on: MergeRequest, where: Project) -> dict[str, Any]:
    """A note on a merge request."""
    return {
        "id": of.id,
        "type": None,
        "body": of.body,
        "author": user(instance, of.author),
        "created_at": timestamp(of.created_at),
        "updated_at": timestamp(of.updated_at),
        "system": of.system,
        "noteable_id": on.id,
        "noteable_type": "MergeRequest",
        "project_id": where.id,
        "resolvable": False,
        "confidential": of.internal,
        "internal": of.internal,
        "imported": False,
        "imported_from": "none",
        "noteable_iid": on.iid,
        "commands_changes": {},
    }


def award(instance: Instance, id: int, name: str, who: User, of: Note, at: float) -> dict[str, Any]:
    """A reaction on a note."""
    return {
        "id": id,
        "name": name,
        "user": user(instance, who),
        "created_at": timestamp(at),
        "updated_at": timestamp(at),
        "awardable_id": of.id,
        "awardable_type": "Note",
        "url": None,
    }


def head_pipeline(of: MergeRequest, target: Project) -> tuple[Pipeline, Project] | None:
    """The pipeline that a merge request shows: the newest of its head, external ones too."""
    for place in (target, of.source_project):
        found = [p for p in place.pipelines if p.sha == of.sha] if place is not None else []
        if found and place is not None:
            return max(found, key=lambda p: p.id), place
    return None


def merge_request(
    instance: Instance, of: MergeRequest, where: Project, *, single: bool = False
) -> dict[str, Any]:
    """A merge request in a list, or alone with its head's pipeline and differences."""
    shown: dict[str, Any] = {
        "id": of.id,
        "iid": of.iid,
        "project_id": where.id,
        "title": of.title,
        "description": of.description,
        "state": of.state,
        "created_at": timestamp(of.created_at),
        "updated_at": timestamp(of.updated_at),
        "merged_at": timestamp(of.updated_at) if of.state == "merged" else None,
        "closed_at": timestamp(of.updated_at) if of.state == "closed" else None,
        "target_branch": of.target_branch,
        "source_branch": of.source_branch,
        "user_notes_count": sum(1 for one in of.notes.values() if not one.system),
        "upvotes": 0,
        "downvotes": 0,
        "author": user(instance, of.author),
        "assignees": [],
        "assignee": None,
        "reviewers": [],
        "source_project_id": of.source_project_id if of.source_project is not None else None,
        "target_project_id": where.id,
        "labels": list(of.labels),
        "draft": of.draft,
        "imported": False,
        "work_in_progress": of.draft,
        "milestone": None,
        "merge_when_pipeline_succeeds": False,
        "merge_status": "can_be_merged",
        "detailed_merge_status": "draft_status" if of.draft else "mergeable",
        "sha": of.sha,
        "merge_commit_sha": of.merge_commit_sha,
        "squash_commit_sha": of.squash_commit_sha,
        "reference": f"!{of.iid}",
        "references": {"short": f"!{of.iid}", "relative": f"!{of.iid}", "full": f"{where.path}!{of.iid}"},
        "web_url": f"{instance.url}/{where.path}/-/merge_requests/{of.iid}",
        "has_conflicts": False,
        "blocking_discussions_resolved": True,
    }
    return shown | (_alone(instance, of, where) if single else {})


def _alone(instance: Instance, of: MergeRequest, where: Project) -> dict[str, Any]:
    found = head_pipeline(of, where)
    shown = pipeline(instance, *found) if found else None
    target = where.repository.commit_of(of.target_branch)
    try:
        base = where.repository.merge_base(target, of.sha) if target else None
    except GitError:
        base = None
    return {
        "changes_count": None,
        "pipeline": shown,
        "head_pipeline": shown,
        "diff_refs": {"base_sha": base, "head_sha": of.sha, "start_sha": target},
        "merge_error": None,
        "user": {"can_merge": True},
        "diverged_commits_count": 0,
    }


def hook(instance: Instance, of: Hook) -> dict[str, Any]:
    """A project's hook; its secrets are never shown."""
    now = instance.clock()
    status = "executable"
    if of.failures >= 40:
        status = "disabled"
    elif of.disabled_until is not None and of.disabled_until > now:
        status = "temporarily_disabled"
    until = None
    if of.disabled_until is not None and status == "temporarily_disabled":
        until = timestamp(of.disabled_until)
    shown: dict[str, Any] = {
        "id": of.id,
        "project_id": of.project_id,
        "created_at": timestamp(of.created_at),
        "alert_status": status,
        "disabled_until": until,
        "url_variables": [],
        "custom_headers": [],
    }
    shown |= of.settings
    if instance.release >= (19, 0):
        shown |= {"token_present": bool(of.token), "signing_token_present": bool(of.signing_token)}
    return shown


def hook_event(of: HookEvent) -> dict[str, Any]:
    """An attempt to deliver."""
    return {
        "id": of.id,
        "url": of.url,
        "trigger": of.trigger,
        "request_headers": dict(of.request_headers),
        "request_data": of.request_data,
        "response_headers": dict(of.response_headers),
        "response_body": of.response_body,
        "execution_duration": of.duration,
        "response_status": of.status,
        "created_at": timestamp(of.created_at),
    }


def badge(of: Badge) -> dict[str, Any]:
    """A badge; nothing is put in for its placeholders."""
    return {
        "id": of.id,
        "name": of.name,
        "link_url": of.link_url,
        "image_url": of.image_url,
        "rendered_link_url": of.link_url,
        "rendered_image_url": of.image_url,
        "kind": "project",
    }
