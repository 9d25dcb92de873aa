"""The state of one fake GitLab and the rules of who may do what. Everything is done under `lock`."""

import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from reana_bridge.testing.gitlab.limits import RateLimit
from reana_bridge.testing.gitlab.things import Level, MergeRequest, Note, Project, Token, User


@dataclass(frozen=True, kw_only=True)
class Request:
    """A request that was answered (or cut off).

    Attributes:
        method: Such as `POST`.
        path: Decoded, without the query, such as `/api/v4/projects/1/statuses/...`.
        query: As sent.
        user: User name; empty for nobody.
        status: Of the answer; 0 where the connection was closed instead.
        applied: Whether the request was carried out.
        kind: `api`, `git` or `web`.
    """

    method: str
    path: str
    query: str
    user: str
    status: int
    applied: bool
    kind: str


@dataclass(frozen=True, kw_only=True)
class QuickAction:
    """A command to GitLab itself in a note, such as `/merge`; `allowed` says whether its writer may."""

    user: str
    project: str
    merge_request: int
    command: str
    argument: str
    allowed: bool


@dataclass(eq=False, kw_only=True)
class Instance:
    """Everything that a GitLab knows.

    Attributes:
        directory: Holds the repositories.
        url: Its address; known once it listens.
        version: Such as `19.1.0`.
        clock: UTC seconds since the epoch.
        fire: Called with (project, trigger, build) when a project's hooks are due; `build` makes the body.
    """

    directory: Path
    version: str
    clock: Callable[[], float]
    url: str = ""
    lock: threading.RLock = field(default_factory=threading.RLock)
    users: dict[int, User] = field(default_factory=dict[int, User])
    tokens: dict[str, Token] = field(default_factory=dict[str, Token])
    projects: dict[int, Project] = field(default_factory=dict[int, Project])
    requests: list[Request] = field(default_factory=list[Request])
    quick_actions: list[QuickAction] = field(default_factory=list[QuickAction])
    deleted_notes: list[Note] = field(default_factory=list[Note])
    statuses_of_a_pipeline: int = 1000
    notes_of_a_merge_request: int = 5000
    status_seconds: float = 0.0
    status_lock_seconds: float = 2.0
    note_limit: RateLimit | None = None
    archive_limit: RateLimit | None = None
    test_limit: RateLimit | None = None
    request_limit: RateLimit | None = None
    second_update: bool = True
    fire: Callable[[Project, str, Callable[[], dict[str, Any]]], None] = field(
        default=lambda project, trigger, build: None
    )
    _ids: "count[int]" = field(default_factory=lambda: count(1))
    _status_locks: dict[tuple[int, str], threading.Lock] = field(
        default_factory=dict[tuple[int, str], threading.Lock]
    )

    def new_id(self) -> int:
        """A number that nothing else has."""
        return next(self._ids)

    @property
    def release(self) -> tuple[int, int]:
        """Major and minor version."""
        major, minor = self.version.split(".")[:2]
        return int(major), int(minor)

    def status_lock(self, project: Project, sha: str) -> threading.Lock:
        """The exclusive lock of a commit's statuses."""
        with self.lock:
            return self._status_locks.setdefault((project.id, sha), threading.Lock())

    # -- people --

    def add_user(self, username: str, *, admin: bool = False, bot: bool = False) -> User:
        """A new user."""
        number = self.new_id()
        user = User(
            id=number,
            username=username,
            name=username.replace("-", " ").title(),
            email=f"{username}@example.org",
            admin=admin,
            bot=bot,
        )
        self.users[number] = user
        return user

    def add_token(self, user: User, *, name: str, scopes: frozenset[str]) -> Token:
        """A new token of a user."""
        token = Token(
            id=self.new_id(),
            value=f"glpat-{secrets.token_urlsafe(15)}",
            user=user,
            name=name,
            scopes=scopes,
            created_at=self.clock(),
        )
        self.tokens[token.value] = token
        return token

    def rotate(self, token: Token) -> Token:
        """Another token for the same user; the old one is revoked."""
        token.revoked = True
        return self.add_token(token.user, name=token.name, scopes=token.scopes)

    # -- who may do what --

    def level(self, project: Project, user: User | None) -> int:
        """The level of a user on a project; that of an owner for an administrator."""
        if user is None:
            return Level.NONE
        return Level.OWNER if user.admin else project.members.get(user.id, Level.NONE)

    def may_read(self, project: Project, user: User | None) -> bool:
        """Whether the project exists at all for a user."""
        if project.visibility == "public" or (project.visibility == "internal" and user is not None):
            return True
        return self.level(project, user) >= Level.GUEST

    def may_read_code(self, project: Project, user: User | None) -> bool:
        """Whether a user may see code and merge requests."""
        if project.visibility != "private":
            return self.may_read(project, user)
        return self.level(project, user) >= Level.REPORTER

    def may_push(self, project: Project, user: User | None, branch: str) -> bool:
        """Whether a user may move a branch (and change the pipelines of it)."""
        level = self.level(project, user)
        return not project.archived and level >= project.protected.get(branch, Level.DEVELOPER)

    # -- finding --

    def project_at(self, path: str) -> Project | None:
        """The project that has this path now."""
        return next((p for p in self.projects.values() if p.path.lower() == path.lower()), None)

    def moved_from(self, path: str) -> Project | None:
        """The project that had this path before."""
        lowered = path.lower()
        found = (p for p in self.projects.values() if lowered in {old.lower() for old in p.old_paths})
        return next(found, None)

    def with_source(self, project: Project, branch: str) -> list[tuple[Project, MergeRequest]]:
        """Open merge requests, each with its target project, that want to merge this branch."""
        return [
            (target, merge_request)
            for target in self.projects.values()
            for merge_request in target.merge_requests.values()
            if merge_request.source_project is project
            and merge_request.source_branch == branch
            and merge_request.state == "opened"
        ]
