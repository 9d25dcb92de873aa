"""What a GitLab knows: people, tokens, projects and all that belongs to them, as plain mutable records.

Times are UTC seconds since the epoch; `timestamp` writes them as the API does.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import IntEnum
from typing import Any

from reana_bridge.testing.repository import Repository

ZERO = "0" * 40
"""The sha of nothing, as in the body of a push that creates or deletes."""


class Level(IntEnum):
    """Access levels of members, GitLab's own numbers."""

    NONE = 0
    GUEST = 10
    REPORTER = 20
    DEVELOPER = 30
    MAINTAINER = 40
    OWNER = 50


def timestamp(at: float) -> str:
    """`at` as the API writes it, such as `2026-11-23T12:00:00.000Z`."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{int(at * 1000) % 1000:03d}Z"


@dataclass(eq=False, kw_only=True)
class User:
    """A person, or the bot of a project's token."""

    id: int
    username: str
    name: str
    email: str
    admin: bool = False
    bot: bool = False


@dataclass(eq=False, kw_only=True)
class Token:
    """An access token; `value` is what requests bring. `expires_at` is None for one without an end."""

    id: int
    value: str
    user: User
    name: str
    scopes: frozenset[str]
    created_at: float
    revoked: bool = False
    expires_at: float | None = None


@dataclass(eq=False, kw_only=True)
class Note:
    """A comment on a merge request; `bodies` are all that it ever said, oldest first."""

    id: int
    body: str
    author: User
    created_at: float
    updated_at: float
    system: bool = False
    internal: bool = False
    discussion_id: str = ""
    bodies: list[str] = field(default_factory=list[str])
    awards: list[tuple[int, str, User]] = field(default_factory=list[tuple[int, str, User]])

    @property
    def reactions(self) -> list[str]:
        """Names of the reactions on it, such as `eyes`, oldest first."""
        return [name for _, name, _ in self.awards]


@dataclass(eq=False, kw_only=True)
class Pipeline:
    """A pipeline; `ref` is a short branch or tag name, or `refs/merge-requests/N/head`."""

    id: int
    iid: int
    sha: str
    ref: str
    source: str
    status: str
    user: User
    created_at: float
    updated_at: float
    tag: bool = False
    merge_request: int | None = None


@dataclass(eq=False, kw_only=True)
class CommitStatus:
    """A row of a commit's statuses; the newest of a name counts, `retried` ones are hidden."""

    id: int
    pipeline: Pipeline
    sha: str
    ref: str
    name: str
    user: User
    state: str
    description: str | None
    target_url: str | None
    coverage: float | None
    created_at: float
    started_at: float | None = None
    finished_at: float | None = None
    retried: bool = False
    history: list[str] = field(default_factory=list[str])


@dataclass(eq=False, kw_only=True)
class HookEvent:
    """One attempt to bring a delivery to a hook's URL. `status` is a number as text, or `internal error`."""

    id: int
    url: str
    trigger: str
    event: str
    request_headers: Mapping[str, str]
    request_data: str
    response_headers: Mapping[str, str]
    response_body: str
    status: str
    duration: float
    created_at: float


@dataclass(eq=False, kw_only=True)
class Hook:
    """A project's webhook and how it fares."""

    id: int
    project_id: int
    created_at: float
    settings: dict[str, Any]
    token: str = ""
    signing_token: str = ""
    failures: int = 0
    backoffs: int = 0
    disabled_until: float | None = None
    events: list[HookEvent] = field(default_factory=list[HookEvent])

    @property
    def url(self) -> str:
        """Where it sends to."""
        return str(self.settings["url"])


@dataclass(eq=False, kw_only=True)
class Upload:
    """A file that was uploaded; anybody with the secret reads pictures."""

    id: int
    secret: str
    name: str
    content: bytes
    user: User


@dataclass(eq=False, kw_only=True)
class Badge:
    """A badge on a project's page."""

    id: int
    name: str
    link_url: str
    image_url: str


@dataclass(eq=False, kw_only=True)
class MergeRequest:
    """A merge request; it belongs to its target project."""

    id: int
    iid: int
    title: str
    description: str
    author: User
    source_project: "Project | None"
    source_project_id: int
    source_branch: str
    target_branch: str
    sha: str
    created_at: float
    updated_at: float
    state: str = "opened"
    labels: list[str] = field(default_factory=list[str])
    merge_commit_sha: str | None = None
    squash_commit_sha: str | None = None
    notes: dict[int, Note] = field(default_factory=dict[int, Note])
    participants_approved: set[int] = field(default_factory=set[int])

    @property
    def draft(self) -> bool:
        """Whether its title says that it is not ready."""
        return self.title.lower().startswith(("draft:", "[draft]", "(draft)"))

    @property
    def ref(self) -> str:
        """The full ref of its head in the target project."""
        return f"refs/merge-requests/{self.iid}/head"


@dataclass(frozen=True, kw_only=True)
class BranchPush:
    """Somebody moved a branch (its bare name) from the commit `old` to `new`; zeros stand for none."""

    who: User
    branch: str
    old: str
    new: str
    at: float


@dataclass(eq=False, kw_only=True)
class Project:
    """A project and its repository.

    Attributes:
        members: User id -> level.
        protected: Branch name -> level that may push to it.
        ci: Which pipelines a push makes where the commit holds `.gitlab-ci.yml`: `branch`,
            `merge_request`, or none (empty).
        old_paths: Paths that it had before it was renamed.
        pushes: Of branches, the oldest first.
    """

    id: int
    path: str
    repository: Repository
    created_at: float
    visibility: str = "private"
    default_branch: str = "main"
    archived: bool = False
    forked_from: "Project | None" = None
    ci: str = ""
    members: dict[int, int] = field(default_factory=dict[int, int])
    protected: dict[str, int] = field(default_factory=dict[str, int])
    old_paths: set[str] = field(default_factory=set[str])
    pushes: list[BranchPush] = field(default_factory=list[BranchPush])
    labels: dict[str, int] = field(default_factory=dict[str, int])
    merge_requests: dict[int, MergeRequest] = field(default_factory=dict[int, MergeRequest])
    pipelines: list[Pipeline] = field(default_factory=list[Pipeline])
    statuses: list[CommitStatus] = field(default_factory=list[CommitStatus])
    hooks: dict[int, Hook] = field(default_factory=dict[int, Hook])
    badges: dict[int, Badge] = field(default_factory=dict[int, Badge])
    uploads: dict[str, Upload] = field(default_factory=dict[str, Upload])

    @property
    def name(self) -> str:
        """The last part of its path."""
        return self.path.rpartition("/")[2]

    @property
    def namespace(self) -> str:
        """Its path without the last part."""
        return self.path.rpartition("/")[0]
