"""How each kind of outbox row is shown: the calls to the forge, or in a rehearsal what they would be.

Nothing of the database is written here but the links of pictures; what came of a call is handed back.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from reana_bridge.forges.base import Forge, ForgeError, ForgeRefused, Note, Status, StatusState
from reana_bridge.forges.hosted import HostedForge, is_hosted
from reana_bridge.forges.source import TooLarge, read_file
from reana_bridge.model.checks import CheckOutput
from reana_bridge.model.projects import Project
from reana_bridge.reports import check, markdown, note
from reana_bridge.steps.bridge import Bridge
from reana_bridge.steps.gitnote import body_of_commit
from reana_bridge.steps.notes import Written, written
from reana_bridge.steps.reporting import report_of
from reana_bridge.steps.sources import FILE_LIMIT, fetched
from reana_bridge.steps.uploading import with_pictures
from reana_bridge.store.tables import MergeRequestRow, OutboxRow, Run

_INSIST = 3
"""Attempts at a note after which it goes without pictures that the forge does not take."""

_REFUSED = "refused"


@dataclass(frozen=True, kw_only=True)
class Done:
    """What came of a row.

    Attributes:
        posted: What the forge shows now; None where nothing was written.
        remembered: What the forge wants to be given with the next call; None to keep what it is.
        shadow: What would have been written.
        forgotten: Whether what was wanted does not matter any more, so that the same may be wanted again.
    """

    posted: dict[str, Any] | None = None
    remembered: dict[str, Any] | None = None
    shadow: dict[str, Any] | None = None
    forgotten: bool = False


class Posting:
    """Shows one row at a time.

    Args:
        bridge: What the steps share.
    """

    def __init__(self, bridge: Bridge) -> None:
        self._bridge = bridge

    def post(self, row: OutboxRow) -> Done:
        """Show what `row` wants.

        Raises:
            ForgeRefused: The forge never will.
            Unanswered: It may have happened.
            ForgeError: Not now.
        """
        project = Project.parse(row.project)
        forge = self._bridge.forges.get(project.forge)
        if forge is None:
            raise ForgeRefused(f"there is no forge {project.forge} in the settings any more")
        if row.kind == "status":
            return self._status(project, forge, row)
        if not is_hosted(forge):
            return self._git_note(project, forge, row)
        if row.kind == "note":
            return self._note(project, forge, row)
        if row.kind == "reply":
            return self._reply(project, forge, row)
        return self._reaction(project, forge, row)

    @property
    def _rehearses(self) -> bool:
        return self._bridge.settings.server.shadow

    def _status(self, project: Project, forge: Forge, row: OutboxRow) -> Done:
        wanted = _of(row.wanted)
        if self._rehearses:
            return Done(shadow=wanted)
        status = Status(
            sha=row.sha,
            ref=wanted["ref"],
            context=wanted["context"],
            state=StatusState(wanted["state"]),
            description=wanted["description"],
            url=wanted["url"],
        )
        if not is_hosted(forge):
            forge.post_status(project, status)
            return Done(posted=wanted)
        _spare_refused(row)
        status = self._detailed(project, forge, status, wanted)
        remembered = forge.post_status(project, status, given(row))
        return Done(posted=wanted, remembered=dict(remembered))

    def _detailed(
        self, project: Project, forge: HostedForge, status: Status, wanted: Mapping[str, Any]
    ) -> Status:
        return replace(
            status,
            run=wanted["run"],
            attempt=wanted["attempt"],
            merge_request=wanted["merge_request"],
            source_project_id=wanted["source_project_id"],
            source_branch=wanted["source_branch"],
            needs_approval=wanted["needs_approval"],
            has_pipelines=self._has_pipelines(project, forge, status.sha),
            output=self._output(wanted["run"]) if forge.shows_output else None,
        )

    def _output(self, run_id: str) -> CheckOutput | None:
        with self._bridge.database.read() as session:
            run = session.get(Run, run_id)
            return check.output(report_of(self._bridge, session, run)) if run else None

    def _has_pipelines(self, project: Project, forge: HostedForge, sha: str) -> bool:
        """Whether the commit brings CI of its forge; without an answer from the cache: no."""
        if not forge.ci_file:
            return False
        try:
            cache = fetched(self._bridge, project, sha)
            return read_file(cache, sha, forge.ci_file, FILE_LIMIT) is not None
        except TooLarge:
            return True
        except (ForgeRefused, ForgeError):
            return False  # only a hint: the status itself must not wait for the code

    def _git_note(self, project: Project, forge: Forge, row: OutboxRow) -> Done:
        with self._bridge.database.read() as session:
            body = body_of_commit(self._bridge, session, row, limit=markdown.LIMIT)
        if self._rehearses:
            return Done(shadow={"body": body})
        forge.post_note(project, Note(sha=row.sha, merge_request=None, body=body))
        return Done(posted=row.wanted)

    def _note(self, project: Project, forge: HostedForge, row: OutboxRow) -> Done:
        with self._bridge.database.read() as session:
            merge_request = session.get(MergeRequestRow, (row.project, row.merge_request or 0))
            if merge_request is not None and merge_request.sha != row.sha:
                return Done(forgotten=True)  # what is known of its new head writes it
            says = written(self._bridge, session, row)
        if says is None:
            return Done()
        shown = {**_of(row.wanted), "analyses": list(says.analyses)}
        if self._rehearses:
            return Done(shadow={**shown, "body": note.render(says.content, limit=forge.note_limit)})
        body = self._rendered(project, forge, says, insist=row.attempt <= _INSIST)
        remembered = forge.post_note(
            project, Note(sha=row.sha, merge_request=row.merge_request, body=body), given(row)
        )
        return Done(posted=shown, remembered=dict(remembered))

    def _rendered(self, project: Project, forge: HostedForge, says: Written, *, insist: bool) -> str:
        content = says.content
        reports = with_pictures(self._bridge, forge, project, content.reports, insist=insist)
        return note.render(replace(content, reports=reports), limit=forge.note_limit)

    def _reply(self, project: Project, forge: HostedForge, row: OutboxRow) -> Done:
        wanted = _of(row.wanted)
        if self._rehearses:
            return Done(shadow=wanted)
        number = row.merge_request or 0
        remembered = forge.reply(project, number, wanted["comment"], wanted["body"], given(row))
        return Done(posted=wanted, remembered=dict(remembered))

    def _reaction(self, project: Project, forge: HostedForge, row: OutboxRow) -> Done:
        wanted = _of(row.wanted)
        if self._rehearses:
            return Done(shadow=wanted)
        forge.react(project, row.merge_request or 0, wanted["comment"], wanted["reaction"])
        return Done(posted=wanted)


def _of(json: Any) -> dict[str, Any]:
    return json or {}


def given(row: OutboxRow) -> dict[str, Any]:
    """What the forge is given of the last call; `unsure` where one may have been made and not told of."""
    remembered = {name: value for name, value in _of(row.remembered).items() if name != _REFUSED}
    return remembered | ({"unsure": True} if row.attempt > 1 else {})


def refused(row: OutboxRow, reason: str) -> dict[str, Any]:
    """What to remember of a refusal, so that a fork is not asked at each change of a run."""
    attempt = _of(row.wanted).get("attempt")
    return {**_of(row.remembered), _REFUSED: {"reason": reason, "attempt": attempt}}


def _spare_refused(row: OutboxRow) -> None:
    """Refuse at once what the fork of a merge request refused for this very run."""
    wanted = _of(row.wanted)
    before = _of(_of(row.remembered).get(_REFUSED))
    if wanted["source_project_id"] and before.get("attempt") == wanted["attempt"]:
        raise ForgeRefused(before["reason"])
