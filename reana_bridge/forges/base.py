"""What a forge must be able to do, and the values that pass between it and the steps.

All methods block; steps call them from worker threads. A write that may have happened (no answer) is
looked for by the forge's own identity of it (context, marker) before it is repeated.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol

from reana_bridge.model.checks import CheckOutput
from reana_bridge.model.projects import Project


class ForgeError(Exception):
    """The forge could not do what was asked just now; tried again later.

    Attributes:
        retry_after: Seconds that the forge asked to wait; None where it did not say.
    """

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class RateLimited(ForgeError):
    """The forge asked everybody with this token to wait; nothing is asked of it meanwhile by any replica."""


class Unanswered(ForgeError):
    """A write got no answer and may have happened: wait, look, and only then repeat.

    Attributes:
        settled_after: Seconds after which the forge has surely either done it or not.
    """

    def __init__(self, message: str, *, settled_after: float = 60.0) -> None:
        super().__init__(message, retry_after=settled_after)
        self.settled_after = settled_after


class ForgeRefused(Exception):
    """The forge will not do it however often it is asked (rights, a project that is gone)."""


class CommitGone(ForgeRefused):
    """The commit or file does not exist on the forge (any more)."""


class StatusState(StrEnum):
    """A commit status, in the words of our own; each forge maps them to its own."""

    PENDING = "pending"
    RUNNING = "running"
    SUCCESS = "success"
    FAILURE = "failure"
    ERROR = "error"
    CANCELLED = "cancelled"


FINAL_STATES = frozenset(StatusState) - {StatusState.PENDING, StatusState.RUNNING}
"""States that nothing of the same attempt follows."""


class Access(IntEnum):
    """What a person may do on a project, as the forge confirms it."""

    NONE = 0
    READ = 1
    WRITE = 2  # push branches: GitLab Developer, GitHub write
    MAINTAIN = (
        3  # merge into protected branches, change settings: GitLab Maintainer, GitHub maintain or admin
    )


Posted = Mapping[str, Any]
"""What a forge wants to remember of something it posted (ids, pipeline, identity): JSON-able, kept with the
outbox row, given again with the next call for the same thing; empty at first."""

NOTHING: Posted = MappingProxyType({})
"""What is remembered of something that was never posted."""


@dataclass(frozen=True, kw_only=True)
class Status:
    """The status that a commit should show.

    Attributes:
        sha: The commit.
        ref: The full ref it was run for, such as `refs/heads/main`; empty where unknown.
        context: `reana/<analysis>`.
        state: Where it stands.
        description: One line; each forge shortens it to its own limit.
        url: The run's page.
        run: The run's id.
        attempt: Counts how often this commit and analysis were begun; a new one may follow a final state.
        merge_request: The number of the merge request that it was run for; None for a branch or tag.
        source_project_id: The forge's id of the fork that the commit lives in; empty for the project itself.
        source_branch: Name of the merge request's source branch; empty for a branch or tag.
        has_pipelines: Whether the commit brings the forge's own CI (so that a pipeline of its is expected).
        needs_approval: Whether it waits for a person.
        output: For forges with checks.
    """

    sha: str
    ref: str
    context: str
    state: StatusState
    description: str
    url: str
    run: str = ""
    attempt: int = 1
    merge_request: int | None = None
    source_project_id: str = ""
    source_branch: str = ""
    has_pipelines: bool = False
    needs_approval: bool = False
    output: CheckOutput | None = None


@dataclass(frozen=True, kw_only=True)
class Note:
    """The one note that a merge request (or, on the git forge, a commit) should show.

    Attributes:
        sha: The commit that it speaks of.
        merge_request: Its number; None on the git forge.
        body: Markdown, complete, within `Forge.note_limit`; a hosted forge adds its hidden marker.
    """

    sha: str
    merge_request: int | None
    body: str


@dataclass(frozen=True, kw_only=True)
class ProjectFacts:
    """What the forge says of a project.

    Attributes:
        id: The forge's own id, which survives a renaming.
        path: Its path now.
        default_branch: Its default branch's name; empty for an empty repository.
        private: Whether strangers may not see it.
        archived: Whether it is read-only.
    """

    id: str
    path: str
    default_branch: str
    private: bool
    archived: bool = False


@dataclass(frozen=True, kw_only=True)
class MergeRequestFacts:
    """A merge request as it is now.

    Attributes:
        number: As people know it.
        sha: Its head commit.
        ref: The full ref of the head in the target repository, such as `refs/merge-requests/5/head`.
        source_branch: Name of the branch that is to be merged.
        target_branch: Name of the branch that it is to be merged into.
        source_project_id: The forge's id of the repository with the source branch; empty when it is gone.
        fork: Whether that is another repository than the target.
        labels: Their names.
        draft: Whether it is marked as not ready.
        open: Whether it is neither closed nor merged.
        author: User name of who opened it.
        merged_sha: The commit of the target branch that brought it there: the merge or squash commit, or
            where the branch was only moved, its head; empty unless it is merged.
    """

    number: int
    sha: str
    ref: str
    source_branch: str
    target_branch: str
    source_project_id: str = ""
    fork: bool = False
    labels: tuple[str, ...] = ()
    draft: bool = False
    open: bool = True
    author: str = ""
    merged_sha: str = ""


@dataclass(frozen=True, kw_only=True)
class CommentFacts:
    """A comment on a merge request that nobody has changed since it was written.

    Attributes:
        number: The merge request's.
        id: The forge's own id of it.
        body: What it says.
        author: User name of who wrote it.
        author_id: The forge's own id of them; empty where it does not say.
        at: When it was written, UTC seconds by the forge's clock.
    """

    number: int
    id: str
    body: str
    author: str
    author_id: str = ""
    at: float


@dataclass(frozen=True, kw_only=True)
class HookFacts:
    """A hook on the forge that leads to us.

    Attributes:
        id: The forge's own id.
        url: Where it sends to.
        signed: Whether it signs its deliveries (else it sends a plain secret).
        disabled: Why the forge does not use it now; empty when it does.
        disabled_until: UTC seconds since the epoch; None for good, or when it is not disabled.
        problems: What is not as it should be (missing events, TLS off), one sentence each.
    """

    id: str
    url: str
    signed: bool
    disabled: str = ""
    disabled_until: float | None = None
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class FailedDelivery:
    """A delivery that the forge could not bring to us: `id` is the forge's own, `at` UTC seconds."""

    id: str
    at: float
    event: str
    status: str


@dataclass(frozen=True, kw_only=True)
class Identity:
    """Who we are on the forge: `id` and `name` as in events; `name` ends in `[bot]` for a GitHub App."""

    id: str
    name: str


@dataclass(frozen=True, kw_only=True)
class Allowance:
    """What the rate limit leaves to this token: `remaining` of `limit` until `reset_at` (UTC seconds)."""

    remaining: int
    limit: int
    reset_at: float | None = None


class Forge(Protocol):
    """A place where code lives."""

    name: str
    kind: str
    note_limit: int
    """Characters that a note may have."""

    def check(self) -> list[str]:
        """What is wrong with the set-up, one sentence each; empty when it can be used."""
        ...

    def default_branch(self, project: Project) -> str:
        """Name of the project's default branch, such as `main`."""
        ...

    def heads(self, project: Project) -> dict[str, str]:
        """Every branch and tag: full ref -> commit sha (annotated tags peeled)."""
        ...

    def head(self, project: Project, ref: str) -> str | None:
        """The commit that the full ref points to now, asked of the forge; None when it is gone."""
        ...

    def fetch(self, project: Project, sha: str, cache: Path) -> None:
        """Bring `sha` and its history into the bare repository at `cache` (made when absent).

        Raises:
            CommitGone: The forge has no such commit.
            ForgeError: Not now.
        """
        ...

    def checkout(self, project: Project, sha: str, cache: Path, destination: Path) -> list[str]:
        """Fill `destination` with exactly the commit's files, submodules and LFS files among them.

        Returns:
            What is missing and why, one line each, for the report.

        Raises:
            CommitGone: `cache` does not hold the commit.
            ForgeRefused: It is too large, or holds what may not be written.
            ForgeError: Not now.
        """
        ...

    def post_status(self, project: Project, status: Status, posted: Posted = NOTHING) -> Posted:
        """Make the forge show `status`; the same call again changes nothing.

        Args:
            project: Where; the target project of a merge request.
            status: What.
            posted: What the last call for this commit and context returned; empty at first.

        Returns:
            What to give to the next call.

        Raises:
            ForgeRefused: It never will (rights); for a fork's commit this is to be expected.
            Unanswered: It may have happened.
            ForgeError: Not now.
        """
        ...

    def post_note(self, project: Project, note: Note, posted: Posted = NOTHING) -> Posted:
        """Make the forge show `note`; the same call again changes nothing. Arguments and errors as above."""
        ...
