"""The state of one fake GitLab and the rules of who may do what. Everything is done under `lock`."""

import secrets
import threading
from dataclasses import dataclass, field

from reana_bridge.testing.gitlab.limits import RateLimit
from reana_bridge.testing.gitlab.things import Level, MergeRequest, Note, Project, Token, User
from reana_bridge.testing.state import ForgeState


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
class Instance(ForgeState[Project]):
    """Everything that a GitLab knows.

    Attributes:
        version: Such as `19.1.0`.
    """

    version: str
    users: dict[int, User] = field(default_factory=dict[int, User])
    tokens: dict[str, Token] = field(default_factory=dict[str, Token])
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
    _status_locks: dict[tuple[int, str], threading.Lock] = field(
        default_factory=dict[tuple[int, str], threading.Lock]
    )

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
