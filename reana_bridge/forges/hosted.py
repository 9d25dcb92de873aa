"""What a forge with merge requests, people and an API can do beside what every forge can.

All methods block and raise as those of `reana_bridge.forges.base.Forge` do.
"""

from collections.abc import Sequence
from typing import Protocol, TypeGuard

from reana_bridge.forges.base import (
    NOTHING,
    Access,
    Allowance,
    CommentFacts,
    FailedDelivery,
    Forge,
    HookFacts,
    Identity,
    MergeRequestFacts,
    Posted,
    ProjectFacts,
)
from reana_bridge.model.projects import Project


class HostedForge(Forge, Protocol):
    """A forge with merge requests, people and an API: GitLab, GitHub.

    `project` is named by its path; where `project_id` was told (`remember`), that is used instead.
    """

    keeps_pictures: bool
    """Whether `upload` can put pictures there."""

    shows_output: bool
    """Whether a status has a place for what it comes to (`Status.output`)."""

    ci_file: str
    """The file by which a commit brings pipelines of the forge's own CI, where statuses have a place in
    those; empty where nothing depends on it."""

    def remember(self, project: Project, project_id: str) -> None:
        """Use the forge's own id for this project from now on: it survives a renaming."""
        ...

    def facts(self, project: Project) -> ProjectFacts:
        """What the forge says of the project now."""
        ...

    def identity(self) -> Identity:
        """Who we are; asked once and remembered while the token is the same."""
        ...

    def merge_request(self, project: Project, number: int) -> MergeRequestFacts | None:
        """The merge request now; None when there is none."""
        ...

    def open_merge_requests(self, project: Project) -> list[MergeRequestFacts]:
        """All that are open, by conditional requests where nothing changed."""
        ...

    def comments(self, project: Project, since: float) -> list[CommentFacts]:
        """What people wrote on open merge requests since then, oldest first.

        `since` is UTC seconds by the forge's clock. Comments that were changed, and those that not everybody
        may read, are left out.
        """
        ...

    def access(self, project: Project, user: str, user_id: str = "") -> Access:
        """What a person may do on the project now."""
        ...

    def pushed_by(self, project: Project, merge_request: MergeRequestFacts, user_id: str) -> bool:
        """Whether the forge says that this person pushed the merge request's very head.

        Asked of the one whom an event with that head names; no answer for sure is no.
        """
        ...

    def react(self, project: Project, merge_request: int, comment: str, reaction: str) -> None:
        """Put a reaction on a comment (`eyes`, `rocket`, `confused`); there already is fine."""
        ...

    def reply(
        self, project: Project, merge_request: int, comment: str, body: str, posted: Posted = NOTHING
    ) -> Posted:
        """Answer a comment shortly, once: found again by a hidden marker with the comment's id."""
        ...

    def upload(self, project: Project, name: str, content: bytes) -> str | None:
        """Put a picture on the forge; the relative link for Markdown, None where the forge keeps no files."""
        ...

    def allowance(self) -> Allowance | None:
        """What the last answers said of the rate limit; None while unknown."""
        ...

    def hooks(self, project: Project, url: str) -> list[HookFacts]:
        """The project's hooks that lead to `url` or below it."""
        ...

    def install_hook(self, project: Project, url: str, secret: str, hook: str | None) -> HookFacts:
        """Make a hook (or repair the one with the id `hook`): all events, TLS on.

        `secret` is `whsec_<base64>`; it becomes the signing secret where the forge has that, else the token.
        """
        ...

    def remove_hook(self, project: Project, hook: str) -> None:
        """Remove a hook; gone already is fine."""
        ...

    def test_hook(self, project: Project, hook: str) -> None:
        """Let the forge send a test delivery, which also enables a disabled hook again."""
        ...

    def failed_deliveries(self, project: Project, hook: str, since: float) -> list[FailedDelivery]:
        """Deliveries since then (UTC seconds) that did not get through and were not resent since."""
        ...

    def resend(self, project: Project, hook: str, delivery: str) -> None:
        """Let the forge send a delivery again."""
        ...

    def install_badge(self, project: Project, link: str, image: str, name: str) -> bool:
        """Put a badge on the project's page; whether the forge has such badges."""
        ...

    def remove_badge(self, project: Project, name: str) -> None:
        """Take our badge away; gone already is fine."""
        ...

    def rights(self, project: Project | None) -> Sequence[str]:
        """What our token may not do that we need, one sentence each with what to give it."""
        ...

    def clock_offset(self) -> float | None:
        """Seconds that the forge's clock is ahead of ours, by its last answer; None while unknown."""
        ...


def is_hosted(forge: Forge) -> TypeGuard[HostedForge]:
    """Whether `forge` has merge requests of its own (else any branch but the default one is a proposal)."""
    return hasattr(forge, "merge_request")
