"""A forge with merge requests and people, in memory over real repositories, and a house that has it.

The test says what the forge holds (`open`, `fork_commit`, `people`) and which events it sends (`told`,
`comment`, `rerun`); what the steps make of that is in the tables, what the forge was made to show in lists.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from reana_bridge.forges.base import (
    NOTHING,
    Access,
    Allowance,
    CommentFacts,
    Identity,
    MergeRequestFacts,
    Note,
    Posted,
    ProjectFacts,
    Status,
)
from reana_bridge.model.projects import Project
from reana_bridge.store.tables import Decision, OutboxRow
from tests.steps.house import House, WatchedForge
from webhooks import events, git, kinds
from webhooks.events import Change, Comment, Event, Installation, MergeRequest, Rerun


class PlayKind:
    """Deliveries that hold any event as JSON, sent by nobody but tests."""

    HARMLESS_HEADERS: frozenset[str] = frozenset()

    @staticmethod
    def body(event: Event) -> bytes:
        values = asdict(event)
        if isinstance(event, MergeRequest):
            values["changes"] = sorted(event.changes)
        return json.dumps({"event": type(event).__name__, "values": values}).encode()

    @staticmethod
    def verify(headers: Mapping[str, str], body: bytes, **_: Any) -> None:
        return None

    @staticmethod
    def delivery_id(headers: Mapping[str, str], body: bytes) -> str | None:
        return None

    @staticmethod
    def parse(headers: Mapping[str, str], body: bytes) -> Event:
        data = json.loads(body)
        if "event" not in data:
            return git.parse(headers, body)
        values = {name: tuple(v) if isinstance(v, list) else v for name, v in data["values"].items()}
        if "changes" in values:
            values["changes"] = frozenset(Change(change) for change in values["changes"])
        return getattr(events, data["event"])(**values)


kinds.KINDS["play"] = PlayKind()  # type: ignore[index]


class HostedPlayForge(WatchedForge):
    """Merge requests, people and an identity; every call but git's is counted in `reads` or `writes`.

    A note is kept as `notes`, a status as `statuses`, as of plain git; `replies` and `reactions` likewise.
    """

    kind = "play"
    keeps_pictures = True
    shows_output = True
    ci_file = ".gitlab-ci.yml"

    def __init__(self, name: str, root: Path) -> None:
        super().__init__(name, root)
        self.merge_requests: dict[tuple[str, int], MergeRequestFacts] = {}
        self.people: dict[str, Access] = {"jane": Access.WRITE, "rita": Access.READ}
        self.private = False
        self.ids: dict[str, str] = {}
        self.reads: list[str] = []
        self.writes: list[str] = []
        self.replies: list[tuple[int, str, str]] = []
        self.reactions: list[tuple[int, str, str]] = []
        self.uploads: list[tuple[str, bytes]] = []
        self.pushed_by_others: set[str] = set()
        self.written: list[CommentFacts] = []

    def _read(self, what: str) -> None:
        self._fail()
        self.reads.append(what)

    def remember(self, project: Project, project_id: str) -> None:
        self.ids[project.path] = project_id

    def facts(self, project: Project) -> ProjectFacts:
        self._read("facts")
        branch = self.default_branch(project)
        id = self.ids.get(project.path, "1")
        return ProjectFacts(id=id, path=project.path, default_branch=branch, private=self.private)

    def identity(self) -> Identity:
        return Identity(id="99", name="bridge-bot")

    def merge_request(self, project: Project, number: int) -> MergeRequestFacts | None:
        self._read(f"merge_request {number}")
        found = self.merge_requests.get((project.path, number))
        return replace(found, sha=self.head(project, found.ref) or found.sha) if found else None

    def open_merge_requests(self, project: Project) -> list[MergeRequestFacts]:
        self._read("open_merge_requests")
        known = [facts for (path, _), facts in self.merge_requests.items() if path == project.path]
        return [replace(f, sha=self.head(project, f.ref) or f.sha) for f in known if f.open]

    def comments(self, project: Project, since: float) -> list[CommentFacts]:
        self._read("comments")
        return [comment for comment in self.written if comment.at >= since]

    def clock_offset(self) -> float | None:
        return None

    def access(self, project: Project, user: str, user_id: str = "") -> Access:
        self._read(f"access {user}")
        return self.people.get(user, Access.NONE)

    def pushed_by(self, project: Project, merge_request: MergeRequestFacts, user_id: str) -> bool:
        self._read("pushed_by")
        return merge_request.sha not in self.pushed_by_others

    def post_status(self, project: Project, status: Status, posted: Posted = NOTHING) -> Posted:
        self._fail()
        self.writes.append("status")
        self.statuses.append(status)
        return {"status": len(self.statuses)}

    def post_note(self, project: Project, note: Note, posted: Posted = NOTHING) -> Posted:
        self._fail()
        self.writes.append("note")
        self.notes.append(note)
        return {"note": posted.get("note", len(self.notes))}

    def react(self, project: Project, merge_request: int, comment: str, reaction: str) -> None:
        self._fail()
        self.writes.append("reaction")
        self.reactions.append((merge_request, comment, reaction))

    def reply(
        self, project: Project, merge_request: int, comment: str, body: str, posted: Posted = NOTHING
    ) -> Posted:
        self._fail()
        self.writes.append("reply")
        self.replies.append((merge_request, comment, body))
        return {"reply": len(self.replies)}

    def upload(self, project: Project, name: str, content: bytes) -> str | None:
        self._fail()
        self.writes.append("upload")
        self.uploads.append((name, content))
        return f"/uploads/{len(self.uploads):032x}/{name}"

    def allowance(self) -> Allowance | None:
        return None


class HostedHouse(House):
    """A house whose forge has merge requests. `house.forge` is the `HostedPlayForge`."""

    kind = "play"
    make_forge = HostedPlayForge
    forge: HostedPlayForge

    project = Project("f", "a/x")

    # -- merge requests: what the forge holds --

    def open(self, branch: str = "b", number: int = 5, *, target: str = "main", **facts: Any) -> str:
        """A merge request from a branch that is there; its head."""
        values = {"number": number, "sha": "", "ref": f"refs/merge-requests/{number}/head"}
        values |= {"source_branch": branch, "target_branch": target, "author": "jane", **facts}
        self.forge.merge_requests["a/x", number] = MergeRequestFacts(**values)
        if not facts.get("fork"):
            return self.follow_branch(number)
        return self.merge_request(number).sha

    def follow_branch(self, number: int = 5) -> str:
        """Let the merge request's head be where its source branch is, as the forge does after a push."""
        facts = self.forge.merge_requests["a/x", number]
        sha = self.head(facts.source_branch)
        self.repository().push("--force", f"{sha}:{facts.ref}")
        return sha

    def fork_commit(self, number: int = 5, files: Mapping[str, str] | None = None, **more: Any) -> str:
        """A commit that is in a fork alone and is the merge request's head (made when it is not there)."""
        repository = self.repository()
        branch = f"fork-{number}"
        known = repository.git("branch", "--list", branch)
        repository.git("checkout", "--quiet", *([branch] if known else ["-b", branch, "main"]))
        given = {name: text.encode() for name, text in (files or {"fork": f"{number}"}).items()}
        sha = repository.commit(given, push=False, **more)
        repository.push("--force", f"{sha}:refs/merge-requests/{number}/head")
        repository.git("checkout", "--quiet", "main")
        if ("a/x", number) not in self.forge.merge_requests:
            fork = {"fork": True, "source_project_id": "77", "author": "newcomer"}
            self.open(branch, number, **fork)
        return sha

    def alter(self, number: int = 5, **facts: Any) -> None:
        """Let the forge hold something else of the merge request (`open=False`, `target_branch=...`)."""
        known = self.forge.merge_requests["a/x", number]
        self.forge.merge_requests["a/x", number] = replace(known, **facts)

    def merge_request(self, number: int = 5) -> MergeRequestFacts:
        """As the forge has it now; not counted as a read."""
        facts = self.forge.merge_requests["a/x", number]
        return replace(facts, sha=self.forge.head(Project("f", "a/x"), facts.ref) or facts.sha)

    # -- what the forge tells --

    def event(self, event: Event, *, work: bool = True, id: str = "") -> Decision | None:
        """Deliver any event; its decision, when the steps were let work."""
        return self._told(self.deliver(PlayKind.body(event), id=id), work)

    def told(self, *changes: Change, number: int = 5, work: bool = True, **more: Any) -> Decision | None:
        """Tell of the merge request, as it is now but for `more`."""
        facts = self.merge_request(number)
        values: dict[str, Any] = {
            "project": "a/x",
            "actor": facts.author,
            "changes": frozenset(changes or (Change.OPENED,)),
            "number": number,
            "sha": facts.sha,
            "source_branch": facts.source_branch,
            "target_branch": facts.target_branch,
            "source_project": "a/fork" if facts.fork else "a/x",
            "labels": facts.labels,
            "draft": facts.draft,
            **more,
        }
        return self.event(MergeRequest(**values), work=work)

    def comment(self, body: str, *, actor: str = "jane", number: int = 5, id: str = "1", **more: Any) -> Any:
        """Tell of a comment; the decision on it (those on its commands are in the tables)."""
        work = more.pop("work", True)
        event = Comment(project="a/x", number=number, comment=id, body=body, actor=actor, **more)
        return self.event(event, work=work)

    def rerun(self, sha: str, *, actor: str = "jane", **more: Any) -> Any:
        """Tell of a button at a check."""
        return self.event(Rerun(project="a/x", sha=sha, actor=actor, **more))

    def installed(self) -> Any:
        """Tell of an installation of the App that we are."""
        return self.event(Installation(project="", installation="1", added=("a/x",)))

    # -- what is wanted of the forge --

    def outbox(self, kind: str) -> dict[str, Any]:
        """Key -> what is wanted, of the outbox' rows of a kind."""
        return {row.key: row.wanted for row in self.rows(OutboxRow) if row.kind == kind}
