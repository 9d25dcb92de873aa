"""What a fake GitHub knows of: people, Apps, repositories and what is in them. Times are UTC seconds."""

from dataclasses import dataclass, field
from typing import Any

from reana_bridge.testing.repository import Repository

ZERO = "0" * 40
"""The sha that stands for no commit."""

ROLES = ("none", "read", "triage", "write", "maintain", "admin")
"""What people may be on a repository, the least first."""


@dataclass(eq=False, kw_only=True)
class User:
    """A person, or an App's bot (`name[bot]`)."""

    id: int
    login: str
    bot: bool = False


@dataclass(eq=False, kw_only=True)
class Hook:
    """A repository's hook, or the App's own (`repository` is None).

    Attributes:
        settings: As in the API: `url`, `secret`, `content_type`, `insecure_ssl`.
        deliveries: Every attempt, oldest first.
    """

    id: int
    settings: dict[str, str]
    events: set[str]
    active: bool = True
    repository: "Project | None" = None
    app: "App | None" = None
    deliveries: list["Attempt"] = field(default_factory=list["Attempt"])


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """One attempt to deliver; `guid` is the same when it is repeated."""

    id: int
    guid: str
    event: str
    action: str | None
    body: bytes
    at: float
    redelivery: bool
    status: str
    status_code: int
    repository_id: int | None
    installation_id: int | None


@dataclass(eq=False, kw_only=True)
class App:
    """A GitHub App.

    Attributes:
        key: Its private key (PEM).
        public_key: What its tokens are checked with.
    """

    id: int
    slug: str
    client_id: str
    key: str = field(repr=False)
    public_key: Any
    bot: User
    permissions: dict[str, str]
    hook: Hook


@dataclass(eq=False, kw_only=True)
class Installation:
    """Where an App may work, and how far."""

    id: int
    app: App
    repositories: list["Project"]
    permissions: dict[str, str]
    suspended_at: float | None = None


@dataclass(eq=False, kw_only=True)
class Token:
    """A person's token, classic with `scopes`, or an installation's with `permissions` and an end."""

    value: str = field(repr=False)
    user: User
    scopes: frozenset[str] = frozenset()
    installation: Installation | None = None
    permissions: dict[str, str] = field(default_factory=dict[str, str])
    expires_at: float | None = None
    revoked: bool = False


@dataclass(eq=False, kw_only=True)
class Comment:
    """A comment on a pull request; `reactions` are (user, content)."""

    id: int
    author: User
    body: str
    created_at: float
    updated_at: float
    reactions: list[tuple[User, str]] = field(default_factory=list[tuple[User, str]])


@dataclass(eq=False, kw_only=True)
class Pull:
    """A pull request; `source` is None when the fork was deleted."""

    id: int
    number: int
    author: User
    source: "Project | None"
    source_branch: str
    target_branch: str
    sha: str
    title: str = ""
    state: str = "open"
    merged: bool = False
    merge_commit_sha: str | None = None
    draft: bool = False
    labels: list[str] = field(default_factory=list[str])
    comments: dict[int, Comment] = field(default_factory=dict[int, Comment])
    created_at: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Status:
    """A commit status, one of its row: the newest of a context counts."""

    id: int
    sha: str
    context: str
    state: str
    description: str
    target_url: str
    creator: User
    created_at: float


@dataclass(eq=False, kw_only=True)
class CheckRun:
    """A check run; `values` are as in the API (`status`, `conclusion`, `output`, ...)."""

    id: int
    app: App
    name: str
    head_sha: str
    values: dict[str, Any] = field(default_factory=dict[str, Any])
    annotations: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    changes: int = 0

    @property
    def status(self) -> str:
        """`queued`, `in_progress` or `completed`."""
        return str(self.values.get("status", "queued"))

    @property
    def conclusion(self) -> str | None:
        """How it ended; None before that."""
        return self.values.get("conclusion")


@dataclass(eq=False, kw_only=True)
class Project:
    """A repository; `members` are user id -> role."""

    id: int
    path: str
    repository: Repository
    private: bool
    default_branch: str
    created_at: float
    members: dict[int, str] = field(default_factory=dict[int, str])
    old_paths: list[str] = field(default_factory=list[str])
    archived: bool = False
    forked_from: "Project | None" = None
    pulls: dict[int, Pull] = field(default_factory=dict[int, Pull])
    statuses: list[Status] = field(default_factory=list[Status])
    checks: list[CheckRun] = field(default_factory=list[CheckRun])
    hooks: dict[int, Hook] = field(default_factory=dict[int, Hook])
