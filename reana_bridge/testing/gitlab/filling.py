"""Fills a fake GitLab: people, tokens, projects, commits, merge requests, comments, as tests need them."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from reana_bridge.testing.gitlab import changes, hooks
from reana_bridge.testing.gitlab.instance import Instance
from reana_bridge.testing.gitlab.things import Hook, Level, MergeRequest, Note, Pipeline, Project, Token, User
from reana_bridge.testing.repository import Repository


class Filling:
    """What people do on a GitLab, without the rules that the API has for them.

    Attributes:
        instance: What the GitLab knows.
        root: Its administrator.
    """

    def __init__(self, directory: Path, *, version: str, clock: Callable[[], float]) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.instance = Instance(directory=directory, version=version, clock=clock)
        self._commits = 0
        self.root = self.user("root", admin=True)

    # -- people --

    def user(self, username: str, *, admin: bool = False) -> User:
        """The user of this name, made when there is none."""
        with self.instance.lock:
            known = (one for one in self.instance.users.values() if one.username == username)
            return next(known, None) or self.instance.add_user(username, admin=admin)

    def token(self, user: User, scopes: Iterable[str] = ("api",)) -> str:
        """A personal access token of a user."""
        with self.instance.lock:
            return self.instance.add_token(user, name="token", scopes=frozenset(scopes)).value

    def project_token(
        self, project: Project, level: int = Level.MAINTAINER, scopes: Iterable[str] = ("api",)
    ) -> Token:
        """A project access token: of a bot user of its own, a member with `level`."""
        with self.instance.lock:
            number = self.instance.new_id()
            bot = self.instance.add_user(f"project_{project.id}_bot_{number:x}", bot=True)
            project.members[bot.id] = level
            return self.instance.add_token(bot, name="bridge", scopes=frozenset(scopes))

    def rotate(self, token: str) -> str:
        """Another token of the same user; the old one is revoked."""
        with self.instance.lock:
            return self.instance.rotate(self.instance.tokens[token]).value

    def revoke(self, token: str) -> None:
        """The token is worth nothing from now on."""
        with self.instance.lock:
            self.instance.tokens[token].revoked = True

    def restore(self, token: str) -> None:
        """Undo `revoke` (as an administrator of the real one cannot; a new token would do the same)."""
        with self.instance.lock:
            self.instance.tokens[token].revoked = False

    # -- projects --

    def project(
        self,
        path: str,
        *,
        members: Mapping[User, int] | None = None,
        visibility: str = "private",
        default_branch: str = "main",
        protected: bool = True,
        ci: str = "",
    ) -> Project:
        """A new, empty project.

        Args:
            path: Such as `atlas/ttbar`.
            members: User -> level.
            visibility: `private`, `internal` or `public`.
            default_branch: Its name.
            protected: Whether only maintainers may push to the default branch.
            ci: Which pipelines a push makes: `branch`, `merge_request` or none (empty).
        """
        with self.instance.lock:
            project = self._add(path, visibility=visibility, default_branch=default_branch)
            project.repository.create(default_branch)
            project.members = {user.id: level for user, level in (members or {}).items()}
            project.protected = {default_branch: Level.MAINTAINER} if protected else {}
            project.ci = ci
            return project

    def _add(self, path: str, *, visibility: str, default_branch: str) -> Project:
        if self.instance.project_at(path) is not None:
            raise ValueError(f"there is a project {path} already")
        number = self.instance.new_id()
        repository = Repository(self.instance.directory / f"{number}.git")
        project = Project(
            id=number,
            path=path,
            repository=repository,
            created_at=self.instance.clock(),
            visibility=visibility,
            default_branch=default_branch,
        )
        self.instance.projects[number] = project
        return project

    def fork(self, parent: Project, path: str, owner: User, *, visibility: str | None = None) -> Project:
        """A fork of `parent` that belongs to `owner`; nobody else has rights on it."""
        with self.instance.lock:
            fork = self._add(
                path, visibility=visibility or parent.visibility, default_branch=parent.default_branch
            )
            fork.repository.copy_of(parent.repository)
            fork.members = {owner.id: Level.OWNER}
            fork.protected = dict(parent.protected)
            fork.forked_from = parent
            return fork

    def rename(self, project: Project, path: str) -> None:
        """Give the project another path; the old one leads to it."""
        with self.instance.lock:
            project.old_paths.add(project.path)
            project.path = path

    def remove(self, project: Project) -> None:
        """Delete the project; merge requests from it stay, without a source."""
        with self.instance.lock:
            del self.instance.projects[project.id]
            for other in self.instance.projects.values():
                for merge_request in other.merge_requests.values():
                    if merge_request.source_project is project:
                        merge_request.source_project = None

    def hook(self, project: Project, url: str, *, token: str = "", **settings: Any) -> Hook:
        """A webhook for pushes, tags, merge requests and notes; `settings` as in the API."""
        with self.instance.lock:
            triggers = ("push_events", "tag_push_events", "merge_requests_events", "note_events")
            values = dict.fromkeys(triggers, True) | {"token": token} | settings
            return hooks.new_hook(self.instance, project, url, values)

    # -- code --

    def push(
        self,
        project: Project,
        branch: str,
        files: Mapping[str, bytes | str | None] | None = None,
        *,
        user: User | None = None,
        message: str = "Change",
        start: str | None = None,
        force: bool = False,
    ) -> str:
        """A new commit on a branch, as if `user` (root by default) had pushed it; its sha.

        Args:
            project: Where.
            branch: Made when absent.
            files: Path -> content (None removes); what is not named stays as it is.
            user: Who pushes, whatever their rights.
            message: The commit's message.
            start: Branch or sha that a new branch begins at; the default branch by default.
            force: Whether the branch begins anew at `start`, forgetting what it held.
        """
        with self.instance.lock:
            before = project.repository.refs()
            begin = None if force else before.get(f"refs/heads/{branch}")
            begin = begin or before.get(f"refs/heads/{start or project.default_branch}")
            if begin is None and start is not None:
                begin = project.repository.commit_of(start)
            sha = self._commit(project, branch, files or {}, user, message, begin)
            after = {**before, f"refs/heads/{branch}": sha}
            changes.pushed(self.instance, project, before, after, user or self.root)
            return sha

    def push_many(self, project: Project, branch: str, count: int, *, user: User | None = None) -> list[str]:
        """Several commits in one push; their shas, oldest first."""
        with self.instance.lock:
            before = project.repository.refs()
            begin = before.get(f"refs/heads/{branch}", before.get(f"refs/heads/{project.default_branch}"))
            shas: list[str] = []
            for number in range(count):
                begin = self._commit(project, branch, {"count": str(number)}, user, f"Change {number}", begin)
                shas.append(begin)
            self._pushed(project, before, user)
            return shas

    def _commit(
        self,
        project: Project,
        branch: str,
        files: Mapping[str, bytes | str | None],
        user: User | None,
        message: str,
        begin: str | None,
    ) -> str:
        who = user or self.root
        self._commits += 1  # so that no two commits are the same one
        return project.repository.write(
            f"refs/heads/{branch}",
            {name: text.encode() if isinstance(text, str) else text for name, text in files.items()},
            parents=[begin] if begin else [],
            message=message,
            author=(who.name, who.email),
            at=1_790_000_000 + self._commits,
        )

    def _pushed(self, project: Project, before: Mapping[str, str], user: User | None) -> None:
        changes.pushed(self.instance, project, before, project.repository.refs(), user or self.root)

    def move(self, project: Project, refs: Mapping[str, str | None], *, user: User | None = None) -> None:
        """One push that moves full refs to shas (None deletes)."""
        with self.instance.lock:
            before = project.repository.refs()
            for ref, sha in refs.items():
                project.repository.git("update-ref", *([ref, sha] if sha else ["-d", ref]))
            self._pushed(project, before, user)

    def tag(
        self, project: Project, name: str, sha: str, *, annotated: bool = False, user: User | None = None
    ) -> str:
        """A new tag; the sha that its ref holds (of an annotated one the tag object's)."""
        with self.instance.lock:
            target = sha
            if annotated:
                tagger = "tagger R <r@example.org> 1790000000 +0000"
                text = f"object {sha}\ntype commit\ntag {name}\n{tagger}\n\n{name}\n"
                target = project.repository.git("mktag", data=text.encode()).decode().strip()
            self.move(project, {f"refs/tags/{name}": target}, user=user)
            return target

    # -- merge requests --

    def open(
        self,
        project: Project,
        source_branch: str,
        *,
        source: Project | None = None,
        target_branch: str | None = None,
        user: User | None = None,
        title: str = "Change",
        labels: Iterable[str] = (),
    ) -> MergeRequest:
        """A new merge request; `source` is the fork that holds the branch, the project itself by default."""
        with self.instance.lock:
            return changes.open_merge_request(
                self.instance,
                source=source or project,
                source_branch=source_branch,
                target=project,
                target_branch=target_branch or project.default_branch,
                who=user or self.root,
                title=title,
                labels=labels,
            )

    def edit(self, project: Project, of: MergeRequest, *, user: User | None = None, **changed: Any) -> None:
        """Change `title`, `description`, `labels` or `target_branch`."""
        with self.instance.lock:
            changes.edit(self.instance, project, of, user or self.root, **changed)

    def close(self, project: Project, of: MergeRequest, *, user: User | None = None) -> None:
        """Close a merge request."""
        with self.instance.lock:
            changes.close(self.instance, project, of, user or self.root)

    def reopen(self, project: Project, of: MergeRequest, *, user: User | None = None) -> None:
        """Open a merge request again."""
        with self.instance.lock:
            changes.reopen(self.instance, project, of, user or self.root)

    def merge(
        self, project: Project, of: MergeRequest, *, user: User | None = None, method: str = "merge"
    ) -> str:
        """Merge a merge request by `merge`, `squash` or `fast-forward`; the target's new commit."""
        with self.instance.lock:
            return changes.merge(self.instance, project, of, user or self.root, method)

    def comment(self, project: Project, on: MergeRequest, user: User, body: str, **more: Any) -> Note:
        """A comment, as if the user had written it (`system`, `internal`)."""
        with self.instance.lock:
            return changes.comment(self.instance, project, on, user, body, **more)

    def edit_comment(self, project: Project, on: MergeRequest, note: Note, user: User, body: str) -> None:
        """Another text for a comment."""
        with self.instance.lock:
            changes.edit_comment(self.instance, project, on, note, user, body)

    def pipeline(
        self, project: Project, sha: str, ref: str, *, source: str = "push", status: str = "running"
    ) -> Pipeline:
        """A pipeline of the forge's own."""
        with self.instance.lock:
            made = changes.new_pipeline(
                self.instance, project, sha=sha, ref=ref, who=self.root, source=source, status=status
            )
            project.pipelines.append(made)
            return made
