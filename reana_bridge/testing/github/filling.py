"""Fills a fake GitHub: people, Apps, repositories, commits, pull requests, comments, as tests need them."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from reana_bridge.testing.github import happenings
from reana_bridge.testing.github.bodies import Bodies
from reana_bridge.testing.github.things import (
    App,
    CheckRun,
    Comment,
    Hook,
    Installation,
    Project,
    Pull,
    User,
)
from reana_bridge.testing.github.world import World
from reana_bridge.testing.repository import Repository

PERMISSIONS = {"checks": "write", "pull_requests": "write", "contents": "read", "metadata": "read"}
"""What an App is granted where nothing else is told."""

EVENTS = frozenset({"push", "pull_request", "issue_comment", "check_run", "check_suite"})
"""What an App is told of where nothing else is told."""


class Filling:
    """What people do on a GitHub, without the rules that the API has for them.

    Attributes:
        world: What the GitHub knows.
        owner: Administrator of every repository that has no other.
    """

    def __init__(self, directory: Path, *, clock: Callable[[], float]) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.world = World(directory=directory, clock=clock)
        self.bodies = Bodies(self.world)
        self._commits = 0
        self.owner = self.user("owner")

    # -- people and Apps --

    def user(self, login: str) -> User:
        """The user of this name, made when there is none."""
        with self.world.lock:
            return self.world.add_user(login)

    def token(self, user: User, scopes: Iterable[str] = ("repo", "admin:repo_hook")) -> str:
        """A personal access token (classic) of a user."""
        with self.world.lock:
            return self.world.add_token(user, scopes=frozenset(scopes)).value

    def revoke(self, token: str) -> None:
        """The token is worth nothing from now on."""
        with self.world.lock:
            self.world.tokens[token].revoked = True

    def restore(self, token: str) -> None:
        """Undo `revoke` (on the real one a new token would do the same)."""
        with self.world.lock:
            self.world.tokens[token].revoked = False

    def app(
        self,
        slug: str,
        *,
        hook_url: str = "",
        hook_secret: str = "",
        permissions: Mapping[str, str] | None = None,
        events: Iterable[str] = EVENTS,
    ) -> App:
        """A new App; its `id` and `key` are what the settings want."""
        settings = {"url": hook_url, "secret": hook_secret, "content_type": "json", "insecure_ssl": "0"}
        with self.world.lock:
            return self.world.add_app(slug, dict(permissions or PERMISSIONS), set(events), settings)

    def install(self, app: App, projects: Iterable[Project]) -> Installation:
        """Install an App on repositories."""
        with self.world.lock:
            number = self.world.new_id()
            installation = Installation(
                id=number, app=app, repositories=list(projects), permissions=dict(app.permissions)
            )
            self.world.installations[number] = installation
            self._installed(installation, "installation", "created", "repositories")
            return installation

    def uninstall(self, installation: Installation) -> None:
        """Take an App away; its tokens are worth nothing from now on."""
        with self.world.lock:
            del self.world.installations[installation.id]
            self._installed(installation, "installation", "deleted", "repositories")

    def _installed(self, installation: Installation, event: str, action: str, key: str) -> None:
        described = [{"id": one.id, "full_name": one.path} for one in installation.repositories]
        body = {
            "action": action,
            "installation": self.bodies.installation(installation),
            key: described,
            "sender": self.bodies.user(self.owner),
        }
        self._to_app(installation.app.hook, event, body, None)

    def _to_app(self, hook: Hook, event: str, body: dict[str, Any], project: Project | None) -> None:
        raise NotImplementedError

    # -- repositories --

    def project(
        self,
        path: str,
        *,
        members: Mapping[User, str] | None = None,
        private: bool = True,
        default_branch: str = "main",
    ) -> Project:
        """A new, empty repository; `members` are user -> `read`, `write`, `maintain` or `admin`."""
        with self.world.lock:
            project = self._add(path, private=private, default_branch=default_branch)
            project.repository.create(default_branch)
            project.members = {self.owner.id: "admin"}
            project.members |= {user.id: role for user, role in (members or {}).items()}
            return project

    def _add(self, path: str, *, private: bool, default_branch: str) -> Project:
        if self.world.project_at(path) is not None or path.count("/") != 1:
            raise ValueError(f"there is a repository {path} already, or it is not owner/name")
        number = self.world.new_id()
        project = Project(
            id=number,
            path=path,
            repository=Repository(self.world.directory / f"{number}.git"),
            private=private,
            default_branch=default_branch,
            created_at=self.world.clock(),
        )
        self.world.projects[number] = project
        return project

    def fork(self, parent: Project, path: str, owner: User) -> Project:
        """A fork that belongs to `owner`; nobody else has rights on it."""
        with self.world.lock:
            fork = self._add(path, private=parent.private, default_branch=parent.default_branch)
            fork.repository.copy_of(parent.repository)
            fork.members = {owner.id: "admin"}
            fork.forked_from = parent
            return fork

    def rename(self, project: Project, path: str) -> None:
        """The repository is called `path` from now on; the old path leads to it."""
        with self.world.lock:
            project.old_paths.append(project.path)
            project.path = path

    def delete(self, project: Project) -> None:
        """The repository is gone; pull requests from it stay without their source."""
        with self.world.lock:
            del self.world.projects[project.id]
            for other in self.world.projects.values():
                for pull in other.pulls.values():
                    pull.source = None if pull.source is project else pull.source

    def hook(
        self,
        project: Project,
        url: str,
        *,
        secret: str = "",
        events: Iterable[str] = ("push", "pull_request", "issue_comment"),
    ) -> Hook:
        """A hook of a repository, made by hand."""
        settings = {"url": url, "secret": secret, "content_type": "json", "insecure_ssl": "0"}
        with self.world.lock:
            number = self.world.new_id()
            made = Hook(id=number, settings=settings, events=set(events), repository=project)
            project.hooks[number] = made
            return made

    # -- commits --

    def push(
        self,
        project: Project,
        branch: str,
        files: Mapping[str, str | bytes | None] | None = None,
        *,
        by: User | None = None,
        message: str = "Change",
        start: str | None = None,
    ) -> str:
        """A new commit on a branch; its sha.

        Args:
            project: Where.
            branch: Its name; made when absent, from `start` or the default branch.
            files: Path -> content; None removes.
            by: Who.
            message: The commit's.
            start: Sha or branch to begin at instead of where the branch is (a forced push).
        """
        with self.world.lock:
            self._commits += 1
            content = {n: v.encode() if isinstance(v, str) else v for n, v in (files or {}).items()}
            content = content or {f"change-{self._commits}": b"%d\n" % self._commits}
            before = project.repository.refs()
            known = before.get(f"refs/heads/{branch}")
            origin = start or known or project.default_branch
            parent = project.repository.commit_of(origin)
            who = by or self.owner
            sha = project.repository.write(
                f"refs/heads/{branch}",
                content,
                parents=[parent] if parent else [],
                message=message,
                author=(who.login, f"{who.login}@example.org"),
                at=int(self.world.clock()) + self._commits,
            )
            self._pushed(project, before, who)
            return sha

    def point(self, project: Project, ref: str, sha: str | None, *, by: User | None = None) -> None:
        """Let a branch or tag (full ref) name `sha`; None removes it."""
        with self.world.lock:
            before = project.repository.refs()
            if sha is None:
                project.repository.git("update-ref", "-d", ref)
            else:
                project.repository.git("update-ref", ref, sha)
            self._pushed(project, before, by or self.owner)

    def tag(self, project: Project, name: str, sha: str, *, annotated: bool = False) -> None:
        """A new tag at a commit."""
        with self.world.lock:
            before = project.repository.refs()
            identity = ["-c", "user.name=owner", "-c", "user.email=owner@example.org"]
            more = ["-a", "-m", name] if annotated else []
            project.repository.git(*identity, "tag", *more, name, sha)
            self._pushed(project, before, self.owner)

    def _pushed(self, project: Project, before: Mapping[str, str], by: User) -> None:
        happenings.pushed(self.world, self.bodies, project, before, project.repository.refs(), by)

    # -- pull requests --

    def pull(
        self,
        project: Project,
        branch: str,
        *,
        source: Project | None = None,
        target: str = "",
        by: User | None = None,
        title: str = "A change",
        draft: bool = False,
        labels: Iterable[str] = (),
    ) -> Pull:
        """Open a pull request from a branch of `source` (the repository itself where not told)."""
        source = source or project
        with self.world.lock:
            sha = source.repository.commit_of(f"refs/heads/{branch}")
            if sha is None:
                raise ValueError(f"{source.path} has no branch {branch}")
            number = 1 + max(project.pulls, default=0)
            project.repository.bring(source.repository, sha, f"refs/pull/{number}/head")
            pull = Pull(
                id=self.world.new_id(),
                number=number,
                author=by or self.owner,
                source=source,
                source_branch=branch,
                target_branch=target or project.default_branch,
                sha=sha,
                title=title,
                draft=draft,
                labels=list(labels),
                created_at=self.world.clock(),
            )
            project.pulls[number] = pull
            self._changed(project, pull, pull.author, "opened")
            return pull

    def close(self, project: Project, pull: Pull, *, merged: bool = False, by: User | None = None) -> None:
        """Close a pull request, as merged or not (the target branch stays as it is)."""
        with self.world.lock:
            happenings.close(self.world, self.bodies, project, pull, by or self.owner, merged=merged)

    def merge(self, project: Project, pull: Pull, *, by: User | None = None, method: str = "merge") -> str:
        """Merge a pull request by `merge` or `squash`; the target's new commit, with the source's files."""
        with self.world.lock:
            repository, ref = project.repository, f"refs/heads/{pull.target_branch}"
            before = repository.refs()
            parents = ["-p", before[ref], *(["-p", pull.sha] if method == "merge" else [])]
            tree = repository.text("rev-parse", f"{pull.sha}^{{tree}}")
            identity = ["-c", "user.name=owner", "-c", "user.email=owner@example.org"]
            message = f"Merge pull request #{pull.number}"
            sha = repository.text(*identity, "commit-tree", tree, *parents, "-m", message)
            repository.git("update-ref", ref, sha)
            pull.merge_commit_sha = sha
            self._pushed(project, before, by or self.owner)
        self.close(project, pull, merged=True, by=by)
        return sha

    def reopen(self, project: Project, pull: Pull, *, by: User | None = None) -> None:
        """Open it again."""
        with self.world.lock:
            pull.state = "open"
            self._changed(project, pull, by or self.owner, "reopened")

    def label(self, project: Project, pull: Pull, name: str, *, by: User | None = None) -> None:
        """Give it a label."""
        with self.world.lock:
            pull.labels.append(name)
            self._changed(project, pull, by or self.owner, "labeled", label={"name": name})

    def set_draft(self, project: Project, pull: Pull, draft: bool, *, by: User | None = None) -> None:
        """Mark it as draft, or as ready."""
        with self.world.lock:
            pull.draft = draft
            action = "converted_to_draft" if draft else "ready_for_review"
            self._changed(project, pull, by or self.owner, action)

    def retarget(self, project: Project, pull: Pull, branch: str, *, by: User | None = None) -> None:
        """Let it be for another branch."""
        with self.world.lock:
            old, pull.target_branch = pull.target_branch, branch
            changes = {"base": {"ref": {"from": old}}}
            self._changed(project, pull, by or self.owner, "edited", changes=changes)

    def comment(self, project: Project, pull: Pull, text: str, *, by: User | None = None) -> Comment:
        """Write a comment."""
        with self.world.lock:
            return happenings.comment(self.world, self.bodies, project, pull, by or self.owner, text)

    def delete_comment(
        self, project: Project, pull: Pull, comment: Comment, *, by: User | None = None
    ) -> None:
        """Take a comment away."""
        with self.world.lock:
            happenings.delete_comment(self.world, self.bodies, project, pull, comment, by or self.owner)

    def _changed(self, project: Project, pull: Pull, by: User, action: str, **more: Any) -> None:
        happenings.pull_changed(self.world, self.bodies, project, pull, by, action, **more)

    # -- buttons at checks --

    def press(
        self, project: Project, check: CheckRun, identifier: str = "", *, by: User | None = None
    ) -> None:
        """Press a button at a check; `run again` where none is named. Only its App hears of it."""
        more = {"requested_action": {"identifier": identifier}} if identifier else {}
        action = "requested_action" if identifier else "rerequested"
        with self.world.lock:
            described = {"action": action, "check_run": self.bodies.check(project, check), **more}
            body = self.bodies.about(project, by or self.owner, **described)
            installation = self.world.installation_on(project, check.app)
            body["installation"] = {"id": installation.id if installation else 0}
            self._to_app(check.app.hook, "check_run", body, project)
