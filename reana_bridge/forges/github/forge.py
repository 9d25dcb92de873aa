"""GitHub as a forge, put together from its parts; what each call promises stands in `forges.hosted`."""

import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from reana_bridge.forges.base import (
    NOTHING,
    Access,
    Allowance,
    CommentFacts,
    FailedDelivery,
    HookFacts,
    Identity,
    MergeRequestFacts,
    Note,
    Posted,
    ProjectFacts,
    Status,
)
from reana_bridge.forges.github import comments
from reana_bridge.forges.github.api import Api
from reana_bridge.forges.github.auth import AppCredentials, TokenCredentials
from reana_bridge.forges.github.checks import Checks
from reana_bridge.forges.github.client import Client
from reana_bridge.forges.github.comments import Comments
from reana_bridge.forges.github.hooks import Hooks
from reana_bridge.forges.github.people import People
from reana_bridge.forges.github.pulls import Pulls
from reana_bridge.forges.github.statuses import Statuses
from reana_bridge.forges.remote_git import MayHold, RemoteGit, only_itself
from reana_bridge.model.projects import Project

GITHUB = "https://github.com"
"""The address of the GitHub that everybody knows."""


def api_address(url: str) -> str:
    """The API's usual address of the GitHub at `url`, which may be an enterprise's own server."""
    address = url.rstrip("/")
    if urlsplit(address).hostname in {"github.com", "www.github.com"}:
        return "https://api.github.com"
    if (urlsplit(address).hostname or "").endswith(".ghe.com"):
        return address.replace("https://", "https://api.", 1)
    return f"{address}/api/v3"


class GithubForge(RemoteGit):
    """One GitHub, used with a token or as a GitHub App.

    Attributes:
        name: The forge's configured name.
        kind: `github`.
        note_limit: Characters of a note, so that its hidden marker fits too.
    """

    kind = "github"
    note_limit = comments.LIMIT - len(comments.NOTE_MARKER) - 1
    keeps_pictures = False
    ci_file = ""

    def __init__(
        self,
        name: str,
        *,
        url: str = GITHUB,
        api_url: str = "",
        token: str = "",
        app_id: str = "",
        app_key: str = "",
        timeout: float = 20.0,
        settled_after: float | None = None,
        ca_file: Path | None = None,
        submodule_hosts: Iterable[str] = (),
        may_hold: MayHold = only_itself,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Nothing is asked yet.

        Args:
            name: The forge's configured name.
            url: Its address, as people visit it.
            api_url: That of its API; empty for the usual one.
            token: What it is used with, unless as an App.
            app_id: The App's id or client id.
            app_key: The App's private key (PEM).
            timeout: Seconds for an answer.
            settled_after: Seconds after which a write without an answer has happened or not; None for three
                times `timeout`.
            ca_file: Certificates to trust instead of the system's.
            submodule_hosts: Other hosts that submodules and LFS files may come from, over https.
            may_hold: Which other repositories are read with our rights for a project's submodules.
            clock: UTC seconds.
        """
        self.name = name
        client = Client(api_url or api_address(url), timeout=timeout, ca_file=ca_file)
        settled = 3 * timeout if settled_after is None else settled_after
        self.api = Api(name, client, settled_after=settled, clock=clock)
        self._is_app = bool(app_id)
        self.shows_output = self._is_app  # check runs have a place for it, plain statuses have none
        if app_id:
            credentials = AppCredentials(app_id, app_key, self.api, clock=clock)
        else:
            credentials = TokenCredentials(token)
        self.api.credentials = credentials
        self._people = People(self.api, credentials)
        self._pulls = Pulls(self.api)
        self._hooks = Hooks(self.api, credentials)
        self._comments = Comments(self.api, self._people.identity)
        self._checks = Checks(self.api, self._people.app_id, clock=clock)
        self._statuses = Statuses(self.api)
        address = url.rstrip("/")
        super().__init__(
            base_url=address,
            url_of=lambda project: f"{address}/{self.api.path(project)}.git",
            credentials=credentials.login,
            ca_file=ca_file,
            submodule_hosts=submodule_hosts,
            may_hold=may_hold,
            relocate=self.api.relocate,
        )

    def check(self) -> list[str]:
        """What is wrong with the set-up, one sentence each; asks nothing of GitHub (`rights` does)."""
        if isinstance(self.api.credentials, AppCredentials):
            return self.api.credentials.check()
        return []

    def post_status(self, project: Project, status: Status, posted: Posted = NOTHING) -> Posted:
        """Show `status`: as a check run with an App, as a commit status with a token."""
        part = self._checks if self._is_app else self._statuses
        return part.post(project, status, posted)

    def post_note(self, project: Project, note: Note, posted: Posted = NOTHING) -> Posted:
        """Show `note` as the one comment of ours at its pull request."""
        return self._comments.post_note(project, note, posted)

    def remember(self, project: Project, project_id: str) -> None:
        """Use GitHub's own id for this project from now on: it survives a renaming."""
        self.api.remember(project, project_id)

    def facts(self, project: Project) -> ProjectFacts:
        """What GitHub says of the project now."""
        return self._pulls.facts(project)

    def identity(self) -> Identity:
        """Who we are: the token's user, or the App's (`name[bot]`)."""
        return self._people.identity()

    def merge_request(self, project: Project, number: int) -> MergeRequestFacts | None:
        """The pull request now; None when there is none."""
        return self._pulls.one(project, number)

    def open_merge_requests(self, project: Project) -> list[MergeRequestFacts]:
        """All that are open, by conditional requests where nothing changed."""
        return self._pulls.open(project)

    def comments(self, project: Project, since: float) -> list[CommentFacts]:
        """What people wrote on open merge requests since then, unchanged, oldest first."""
        return self._comments.since(project, since)

    def access(self, project: Project, user: str, user_id: str = "") -> Access:
        """What a person may do on the project now."""
        return self._people.access(project, user, user_id)

    def pushed_by(self, project: Project, merge_request: MergeRequestFacts, user_id: str) -> bool:
        """True: GitHub's events are made at the push, so they name who pushed the head that they tell of."""
        return True

    def react(self, project: Project, merge_request: int, comment: str, reaction: str) -> None:
        """Put a reaction on a comment; there already is fine."""
        self._comments.react(project, merge_request, comment, reaction)

    def reply(
        self, project: Project, merge_request: int, comment: str, body: str, posted: Posted = NOTHING
    ) -> Posted:
        """Answer a comment shortly, once."""
        return self._comments.reply(project, merge_request, comment, body, posted)

    def upload(self, project: Project, name: str, content: bytes) -> str | None:
        """None: GitHub has no API that keeps files for comments."""
        return None

    def allowance(self) -> Allowance | None:
        """What the last answers said of the rate limit; with an App, of the installation with least left."""
        return self.api.allowance()

    def hooks(self, project: Project, url: str) -> list[HookFacts]:
        """The project's hooks that lead to `url` or below it; with an App, the App's own."""
        return self._hooks.all(project, url)

    def install_hook(self, project: Project, url: str, secret: str, hook: str | None) -> HookFacts:
        """Make or repair a hook; an App's own hook is set in the App's settings on GitHub."""
        return self._hooks.install(project, url, secret, hook)

    def remove_hook(self, project: Project, hook: str) -> None:
        """Remove a hook; gone already is fine."""
        self._hooks.remove(project, hook)

    def test_hook(self, project: Project, hook: str) -> None:
        """Let GitHub send a ping."""
        self._hooks.test(project, hook)

    def failed_deliveries(self, project: Project, hook: str, since: float) -> list[FailedDelivery]:
        """Deliveries since then (UTC seconds) that did not get through and were not resent since."""
        return self._hooks.failed(project, hook, since)

    def resend(self, project: Project, hook: str, delivery: str) -> None:
        """Let GitHub send a delivery again."""
        self._hooks.resend(project, hook, delivery)

    def install_badge(self, project: Project, link: str, image: str, name: str) -> bool:
        """False: GitHub has no badges beside those that people put into a README."""
        return False

    def remove_badge(self, project: Project, name: str) -> None:
        """Nothing to do, for the same reason."""

    def rights(self, project: Project | None) -> Sequence[str]:
        """What our token or App may not do that we need, one sentence each with what to give it."""
        return self._people.rights(project)

    def clock_offset(self) -> float | None:
        """Seconds that GitHub's clock is ahead of ours, by its last answer; None while unknown."""
        return self.api.clock_offset
