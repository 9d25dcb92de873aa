"""GitLab as a forge: puts the parts of this package behind the one interface that the steps know."""

import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from threading import Lock

from reana_bridge.forges.base import (
    NOTHING,
    Access,
    Allowance,
    CommentFacts,
    FailedDelivery,
    ForgeError,
    ForgeRefused,
    HookFacts,
    Identity,
    MergeRequestFacts,
    Note,
    Posted,
    ProjectFacts,
    Status,
)
from reana_bridge.forges.gitlab.badges import Badges
from reana_bridge.forges.gitlab.client import Client
from reana_bridge.forges.gitlab.comments import Comments
from reana_bridge.forges.gitlab.hooks import Hooks
from reana_bridge.forges.gitlab.merge_requests import MergeRequests
from reana_bridge.forges.gitlab.notes import NOTE_LIMIT, Notes, note_marker
from reana_bridge.forges.gitlab.people import People
from reana_bridge.forges.gitlab.statuses import Statuses
from reana_bridge.forges.gitlab.uploads import Uploads
from reana_bridge.forges.remote_git import Login, MayHold, RemoteGit, only_itself
from reana_bridge.model.projects import Project

LARGEST_CLOCK_OFFSET = 60.0
"""Seconds; deliveries that are signed at a time 5 minutes from ours are refused."""


class GitLabForge(RemoteGit):
    """One GitLab instance, reached with one token.

    Attributes:
        name: The forge's configured name.
        kind: `gitlab`.
    """

    kind = "gitlab"
    note_limit = NOTE_LIMIT
    keeps_pictures = True
    shows_output = False
    ci_file = ".gitlab-ci.yml"

    def __init__(
        self,
        name: str,
        *,
        url: str,
        token: str,
        timeout: float = 20.0,
        ca_file: Path | None = None,
        submodule_hosts: Iterable[str] = (),
        may_hold: MayHold = only_itself,
        settled_after: float | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Nothing is asked yet; see `client.Client` for `settled_after`, `RemoteGit` for `may_hold`."""
        address = url.rstrip("/")
        super().__init__(
            base_url=address,
            url_of=lambda project: f"{address}/{self._paths.get(project, project.path)}.git",
            credentials=lambda project: Login("oauth2", token),
            ca_file=ca_file,
            submodule_hosts=submodule_hosts,
            may_hold=may_hold,
            timeout=max(60.0, timeout),
            relocate=self._has_moved,
        )
        self.name = name
        self._client = Client(
            name,
            url=address,
            token=token,
            timeout=timeout,
            ca_file=ca_file,
            settled_after=settled_after,
            clock=clock,
        )
        self._ids: dict[Project, str] = {}
        self._paths: dict[Project, str] = {}
        self._known = Lock()
        self._people = People(self._client, self._id_of, clock)
        self._statuses = Statuses(self._client, self._id_of)
        self._notes = Notes(self._client, self._id_of, lambda: self._people.identity().id)
        self._written = Comments(self._client, self._id_of)
        self._uploads = Uploads(self._client, self._id_of)
        self._merge_requests = MergeRequests(self._client, self._id_of)
        self._hooks = Hooks(self._client, self._id_of)
        self._badges = Badges(self._client, self._id_of)

    def check(self) -> list[str]:
        """What is wrong with the set-up, one sentence each; asks GitLab who we are."""
        try:
            self.identity()
            wrong = [f"forge {self.name}: {problem}" for problem in self.rights(None)]
        except (ForgeError, ForgeRefused) as error:
            return [str(error)]
        offset = self.clock_offset()
        if offset is not None and abs(offset) > LARGEST_CLOCK_OFFSET:
            wrong.append(
                f"forge {self.name}: our clock and GitLab's are {abs(offset):.0f} s apart; set ours right"
            )
        return wrong

    # Saying.

    def post_status(self, project: Project, status: Status, posted: Posted = NOTHING) -> Posted:
        """Make GitLab show `status`; see `Forge.post_status` and `statuses`."""
        return self._statuses.post(project, status, posted)

    def post_note(self, project: Project, note: Note, posted: Posted = NOTHING) -> Posted:
        """Make merge request `note.merge_request` show `note` once; see `Forge.post_note` and `notes`."""
        if note.merge_request is None:
            raise ForgeRefused(f"{project}: a note on GitLab needs a merge request to be shown at")
        marker = note_marker(self._id_of(project), note.merge_request)
        return self._notes.post(project, note.merge_request, note.body, marker, posted)

    def reply(
        self, project: Project, merge_request: int, comment: str, body: str, posted: Posted = NOTHING
    ) -> Posted:
        """Answer a comment once; see `HostedForge.reply`."""
        return self._notes.reply(project, merge_request, comment, body, posted)

    def react(self, project: Project, merge_request: int, comment: str, reaction: str) -> None:
        """Put a reaction on a comment; there already is fine."""
        self._notes.react(project, merge_request, comment, reaction)

    def upload(self, project: Project, name: str, content: bytes) -> str | None:
        """Put a picture on GitLab; the relative link for Markdown in the same project."""
        return self._uploads.upload(project, name, content)

    # Asking.

    def remember(self, project: Project, project_id: str) -> None:
        """Use GitLab's own id for this project from now on: it survives a renaming."""
        if not (project_id.isascii() and project_id.isdigit()):
            raise ValueError(f"{project_id!r} is not the id of a project on GitLab")
        with self._known:
            self._ids[project] = project_id

    def facts(self, project: Project) -> ProjectFacts:
        """What GitLab says of the project now."""
        facts = self._merge_requests.project(project, self._ids.get(project, project.path))
        self.remember(project, facts.id)
        with self._known:
            self._paths[project] = facts.path
        return facts

    def identity(self) -> Identity:
        """Who we are; asked once."""
        return self._people.identity()

    def merge_request(self, project: Project, number: int) -> MergeRequestFacts | None:
        """The merge request now; None when there is none."""
        return self._merge_requests.one(project, number)

    def open_merge_requests(self, project: Project) -> list[MergeRequestFacts]:
        """All that are open, by conditional requests where nothing changed."""
        return self._merge_requests.open(project)

    def comments(self, project: Project, since: float) -> list[CommentFacts]:
        """What people wrote on open merge requests since then, unchanged, oldest first."""
        return self._written.since(project, since)

    def access(self, project: Project, user: str, user_id: str = "") -> Access:
        """What a person may do on the project now."""
        return self._people.access(project, user, user_id)

    def pushed_by(self, project: Project, merge_request: MergeRequestFacts, user_id: str) -> bool:
        """Whether GitLab says that this person pushed the very head; see `People.pushed_by`."""
        return self._people.pushed_by(merge_request, user_id)

    def rights(self, project: Project | None) -> Sequence[str]:
        """What our token may not do that we need, one sentence each."""
        return self._people.rights(project)

    def allowance(self) -> Allowance | None:
        """What the last answers said of the rate limit; None while unknown."""
        return self._client.heard.allowance

    def clock_offset(self) -> float | None:
        """Seconds that GitLab's clock is ahead of ours, by its last answer; None while unknown."""
        return self._client.heard.clock_offset

    # Setting up.

    def hooks(self, project: Project, url: str) -> list[HookFacts]:
        """The project's hooks that lead to `url` or below it."""
        return self._hooks.leading_to(project, url)

    def install_hook(self, project: Project, url: str, secret: str, hook: str | None) -> HookFacts:
        """Make a hook, or repair the one with the id `hook`; see `HostedForge.install_hook`."""
        return self._hooks.install(project, url, secret, hook)

    def remove_hook(self, project: Project, hook: str) -> None:
        """Remove a hook; gone already is fine."""
        self._hooks.remove(project, hook)

    def test_hook(self, project: Project, hook: str) -> None:
        """Let GitLab send a test delivery, which also enables a disabled hook again."""
        self._hooks.test(project, hook)

    def failed_deliveries(self, project: Project, hook: str, since: float) -> list[FailedDelivery]:
        """Deliveries since then (UTC seconds) that did not get through and were not resent since."""
        return self._hooks.failed(project, hook, since)

    def resend(self, project: Project, hook: str, delivery: str) -> None:
        """Let GitLab send a delivery again."""
        self._hooks.resend(project, hook, delivery)

    def install_badge(self, project: Project, link: str, image: str, name: str) -> bool:
        """Put a badge on the project's page; GitLab has such badges."""
        self._badges.install(project, link, image, name)
        return True

    def remove_badge(self, project: Project, name: str) -> None:
        """Take our badge away; gone already is fine."""
        self._badges.remove(project, name)

    def _id_of(self, project: Project) -> str:
        """The project's id; asked for once where nobody told it, as writes to an old path are refused."""
        return self._ids.get(project) or self.facts(project).id

    def _has_moved(self, project: Project) -> bool:
        """Whether the project has another path now than the one that we asked for."""
        before = self._paths.get(project, project.path)
        try:
            return self.facts(project).path != before
        except ForgeRefused:
            return False
