"""What a forge must be able to do, and the values that pass between it and the steps.

All methods block; steps call them from worker threads. A write that may have happened (no answer) is
looked for by the forge's own identity of it (context, marker) before it is repeated.
"""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from reana_bridge.model.projects import Project


class ForgeError(Exception):
    """The forge could not do what was asked just now; tried again later.

    Attributes:
        retry_after: Seconds that the forge asked to wait; None where it did not say.
    """

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


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
    """

    sha: str
    ref: str
    context: str
    state: StatusState
    description: str
    url: str


@dataclass(frozen=True, kw_only=True)
class Note:
    """The one note that a merge request (or, on the git forge, a commit) should show.

    Attributes:
        sha: The commit that it speaks of.
        merge_request: Its number; None on the git forge.
        body: Markdown, complete.
    """

    sha: str
    merge_request: int | None
    body: str


class Forge(Protocol):
    """A place where code lives."""

    name: str
    kind: str

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

    def post_status(self, project: Project, status: Status) -> None:
        """Make the forge show `status`; the same call again changes nothing."""
        ...

    def post_note(self, project: Project, note: Note) -> None:
        """Make the forge show `note`; the same call again changes nothing."""
        ...
