"""What a delivery means: typed, frozen events, the same for every forge.

Shas are 40 (or 64) hexadecimal digits, lower case. Refs are full, such as `refs/heads/main`.
"""

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, kw_only=True)
class Event:
    """What every event has.

    Attributes:
        project: The repository's path on its forge, such as `atlas/ttbar`.
        actor: Who did it, by the forge's user name; empty where unknown.
        project_id: The forge's own id of the repository, which survives a renaming; empty where unknown.
        actor_id: The forge's own id of the actor; empty where unknown.
    """

    project: str
    actor: str = ""
    project_id: str = ""
    actor_id: str = ""


@dataclass(frozen=True, kw_only=True)
class Push(Event):
    """A branch moved, appeared or went away.

    Attributes:
        ref: `refs/heads/...`.
        before: Where it was; None when it was created.
        after: Where it is; None when it was deleted.
        message: The head commit's message; empty where the forge did not send it.
        default_branch: The project's default branch; empty where the forge did not send it.
    """

    ref: str
    before: str | None
    after: str | None
    message: str = ""
    default_branch: str = ""

    @property
    def branch(self) -> str:
        """The branch's name, such as `feature/x`."""
        return self.ref.removeprefix("refs/heads/")


@dataclass(frozen=True, kw_only=True)
class Tag(Event):
    """A tag appeared, moved or went away.

    Attributes:
        ref: `refs/tags/...`.
        sha: The commit (annotated tags peeled); None when it was deleted.
        message: The commit's message; empty where the forge did not send it.
    """

    ref: str
    sha: str | None
    message: str = ""

    @property
    def tag(self) -> str:
        """The tag's name, such as `v1.0`."""
        return self.ref.removeprefix("refs/tags/")


class Change(StrEnum):
    """What happened to a merge request."""

    OPENED = "opened"
    REOPENED = "reopened"
    UPDATED = "updated"  # new commits
    CLOSED = "closed"
    MERGED = "merged"
    LABELLED = "labelled"  # labels came or went
    DRAFT = "draft"  # became a draft, or ready
    RETARGETED = "retargeted"  # another target branch


@dataclass(frozen=True, kw_only=True)
class MergeRequest(Event):
    """A merge request (pull request) changed in a way that may matter.

    What it says of head, labels and target is what the forge believed when it sent the delivery; a later
    push may be in it already. `project` is the target project.

    Attributes:
        changes: What happened; at least one.
        number: As people know it (`!5`, `#5`).
        sha: Its head commit; empty where it was closed or merged and the forge names none any more.
        before: The head before a push; None where no commits came.
        source_branch: Name of the branch that is to be merged.
        target_branch: Name of the branch that it is to be merged into.
        source_project: Path of the repository that holds the source branch; empty when that is gone.
        source_project_id: The forge's own id of it; empty when it is gone.
        title: As people wrote it.
        labels: Their names.
        draft: Whether it is marked as not ready.
        message: The head commit's message; empty where the forge did not send it.
        default_branch: The target project's default branch; empty where the forge did not send it.
    """

    changes: frozenset[Change]
    number: int
    sha: str
    before: str | None = None
    source_branch: str
    target_branch: str
    source_project: str = ""
    source_project_id: str = ""
    title: str = ""
    labels: tuple[str, ...] = ()
    draft: bool = False
    message: str = ""
    default_branch: str = ""


@dataclass(frozen=True, kw_only=True)
class Comment(Event):
    """Somebody wrote a new comment on a merge request (edited, deleted and system ones are `Ignored`).

    Attributes:
        number: The merge request's.
        comment: The forge's own id of the comment.
        discussion: The forge's own id of the thread it is in; empty where there is none.
        body: What it says, at most 65,536 characters.
        sha: The merge request's head as the forge knew it then; empty where the forge did not send it.
    """

    number: int
    comment: str
    discussion: str = ""
    body: str
    sha: str = ""


@dataclass(frozen=True, kw_only=True)
class Rerun(Event):
    """Somebody pressed a button at a check.

    Attributes:
        sha: The commit that the check is of.
        context: The check's name, such as `reana/fit`; empty for all of the commit.
        external_id: What we gave the check as its id; empty where it has none.
        action: The button's identifier; empty for "run again".
    """

    sha: str
    context: str = ""
    external_id: str = ""
    action: str = ""


@dataclass(frozen=True, kw_only=True)
class Installation(Event):
    """The App that we are was installed, removed, or given or refused repositories; `project` is empty.

    Attributes:
        installation: The forge's own id of the installation.
        added: Paths of repositories that we may use now.
        removed: Paths of repositories that we may use no more.
    """

    installation: str
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Ping(Event):
    """The forge asks whether anybody listens."""


@dataclass(frozen=True, kw_only=True)
class Ignored(Event):
    """An authentic delivery that means nothing to us.

    Attributes:
        reason: One sentence.
    """

    reason: str
