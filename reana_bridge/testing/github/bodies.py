"""How a fake GitHub writes what it knows: as its API answers and its hooks tell."""

from datetime import UTC, datetime
from typing import Any

from reana_bridge.testing.github.things import (
    ZERO,
    App,
    Attempt,
    CheckRun,
    Comment,
    Hook,
    Installation,
    Project,
    Pull,
    Status,
    User,
)
from reana_bridge.testing.github.world import World


def when(seconds: float) -> str:
    """A time as GitHub writes it."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class Bodies:
    """Writes for one world."""

    def __init__(self, world: World) -> None:
        self._world = world

    def user(self, user: User) -> dict[str, Any]:
        """A person."""
        return {
            "login": user.login,
            "id": user.id,
            "type": "Bot" if user.bot else "User",
            "url": f"{self._world.api}/users/{user.login}",
            "html_url": f"{self._world.url}/{user.login}",
            "site_admin": False,
        }

    def repository(self, project: Project) -> dict[str, Any]:
        """A repository."""
        owner, name = project.path.split("/")
        html, url = f"{self._world.url}/{project.path}", f"{self._world.api}/repos/{project.path}"
        return {
            "id": project.id,
            "name": name,
            "full_name": project.path,
            "private": project.private,
            "visibility": "private" if project.private else "public",
            "owner": {"login": owner, "type": "Organization"},
            "html_url": html,
            "clone_url": f"{html}.git",
            "url": url,
            "fork": project.forked_from is not None,
            "archived": project.archived,
            "default_branch": project.default_branch,
            "created_at": when(project.created_at),
        }

    def pull(self, project: Project, pull: Pull) -> dict[str, Any]:
        """A pull request."""
        url = f"{self._world.api}/repos/{project.path}/pulls/{pull.number}"
        source = self.repository(pull.source) if pull.source else None
        owner = (pull.source or project).path.partition("/")[0]
        base = project.repository.commit_of(f"refs/heads/{pull.target_branch}")
        return {
            "id": pull.id,
            "number": pull.number,
            "url": url,
            "html_url": f"{self._world.url}/{project.path}/pull/{pull.number}",
            "state": pull.state,
            "title": pull.title,
            "draft": pull.draft,
            "merged": pull.merged,
            "merged_at": when(self._world.clock()) if pull.merged else None,
            "merge_commit_sha": pull.merge_commit_sha,
            "user": self.user(pull.author),
            "labels": [{"name": name} for name in pull.labels],
            "head": {
                "label": f"{owner}:{pull.source_branch}",
                "ref": pull.source_branch,
                "sha": pull.sha,
                "repo": source,
            },
            "base": {
                "label": f"{project.path.partition('/')[0]}:{pull.target_branch}",
                "ref": pull.target_branch,
                "sha": base,
                "repo": self.repository(project),
            },
            "created_at": when(pull.created_at),
        }

    def comment(self, project: Project, pull: Pull, comment: Comment) -> dict[str, Any]:
        """A comment."""
        url = f"{self._world.api}/repos/{project.path}/issues"
        return {
            "id": comment.id,
            "url": f"{url}/comments/{comment.id}",
            "html_url": f"{self._world.url}/{project.path}/pull/{pull.number}#issuecomment-{comment.id}",
            "issue_url": f"{url}/{pull.number}",
            "user": self.user(comment.author),
            "body": comment.body,
            "created_at": when(comment.created_at),
            "updated_at": when(comment.updated_at),
        }

    def issue(self, project: Project, pull: Pull) -> dict[str, Any]:
        """A pull request as an issue; tells no head commit."""
        url = f"{self._world.api}/repos/{project.path}"
        return {
            "number": pull.number,
            "title": pull.title,
            "state": pull.state,
            "user": self.user(pull.author),
            "pull_request": {"url": f"{url}/pulls/{pull.number}"},
        }

    def status(self, status: Status) -> dict[str, Any]:
        """A commit status."""
        return {
            "id": status.id,
            "state": status.state,
            "context": status.context,
            "description": status.description,
            "target_url": status.target_url,
            "creator": self.user(status.creator),
            "created_at": when(status.created_at),
        }

    def check(self, project: Project, check: CheckRun) -> dict[str, Any]:
        """A check run."""
        url = f"{self._world.api}/repos/{project.path}/check-runs/{check.id}"
        output = {"title": None, "summary": None, "text": None, **check.values.get("output", {})}
        return {
            "id": check.id,
            "name": check.name,
            "head_sha": check.head_sha,
            "external_id": check.values.get("external_id", ""),
            "status": check.status,
            "conclusion": check.conclusion,
            "details_url": check.values.get("details_url"),
            "started_at": check.values.get("started_at"),
            "completed_at": check.values.get("completed_at"),
            "output": {
                **output,
                "annotations_count": len(check.annotations),
                "annotations_url": f"{url}/annotations",
            },
            "app": {"id": check.app.id, "slug": check.app.slug, "client_id": check.app.client_id},
            "pull_requests": [],
            "url": url,
        }

    def app(self, app: App) -> dict[str, Any]:
        """An App, as it sees itself."""
        return {
            "id": app.id,
            "slug": app.slug,
            "client_id": app.client_id,
            "name": app.slug,
            "permissions": app.permissions,
            "events": sorted(app.hook.events - {"check_run", "check_suite"}),
        }

    def installation(self, installation: Installation) -> dict[str, Any]:
        """An installation."""
        suspended = installation.suspended_at
        return {
            "id": installation.id,
            "app_id": installation.app.id,
            "app_slug": installation.app.slug,
            "repository_selection": "selected",
            "permissions": installation.permissions,
            "suspended_at": None if suspended is None else when(suspended),
        }

    def hook(self, project: Project, hook: Hook) -> dict[str, Any]:
        """A repository's hook; its secret is not told."""
        return {
            "type": "Repository",
            "id": hook.id,
            "name": "web",
            "active": hook.active,
            "events": sorted(hook.events),
            "config": self.hook_config(hook),
            "url": f"{self._world.api}/repos/{project.path}/hooks/{hook.id}",
            "last_response": {"code": None, "status": "unused", "message": None},
        }

    def hook_config(self, hook: Hook) -> dict[str, str]:
        """A hook's settings; its secret is not told."""
        hidden = {"secret": "********"} if hook.settings.get("secret") else {}
        return hook.settings | hidden

    def attempt(self, attempt: Attempt) -> dict[str, Any]:
        """An attempt of a delivery."""
        return {
            "id": attempt.id,
            "guid": attempt.guid,
            "delivered_at": when(attempt.at),
            "redelivery": attempt.redelivery,
            "duration": 0.1,
            "status": attempt.status,
            "status_code": attempt.status_code,
            "event": attempt.event,
            "action": attempt.action,
            "installation_id": attempt.installation_id,
            "repository_id": attempt.repository_id,
        }

    def pushed(self, project: Project, ref: str, before: str, after: str, by: User) -> dict[str, Any]:
        """The body of a `push` event."""
        head = project.repository.commit_of(after) if after != ZERO else None
        commit = project.repository.commit(head) if head else None
        described = commit and {"id": commit.sha, "message": commit.message.strip()}
        return {
            "ref": ref,
            "before": before,
            "after": after,
            "created": before == ZERO,
            "deleted": after == ZERO,
            "forced": False,
            "base_ref": None,
            "commits": [described] if described else [],
            "head_commit": described,
            "repository": self.repository(project),
            "pusher": {"name": by.login},
            "sender": self.user(by),
        }

    def about(self, project: Project, by: User, **more: Any) -> dict[str, Any]:
        """The body of any other event: who did it, where, and `more`."""
        return {**more, "repository": self.repository(project), "sender": self.user(by)}
