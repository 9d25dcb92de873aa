"""What a delivery means: typed, frozen events, the same for every forge.

Shas are 40 (or 64) hexadecimal digits, lower case. Refs are full, such as `refs/heads/main`.
"""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Event:
    """What every event has.

    Attributes:
        project: The repository's path on its forge, such as `atlas/ttbar`.
        actor: Who did it, by the forge's user name; empty where unknown.
    """

    project: str
    actor: str = ""


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
