"""The one note of a merge request: when it is to be written anew, and what it then says.

Promises: a note is wanted when something ended, waits for a person, or cannot be shown as a status, never for
progress; it speaks of the merge request's head alone, what earlier heads came to is kept apart; an analysis
that a note has spoken of once is kept right in it, whatever the settings say of when to speak.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from typing import Any, cast

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from reana_bridge.model.analyses import NoteWhen
from reana_bridge.model.projects import Project
from reana_bridge.model.reports import NoteContent, Report
from reana_bridge.model.runs import FINAL, RunState
from reana_bridge.model.wants import WantKind
from reana_bridge.reports.policy import is_worth_a_note
from reana_bridge.steps.bridge import Bridge
from reana_bridge.steps.outbox import want
from reana_bridge.steps.pausing import pauses_on
from reana_bridge.steps.reporting import analysis_of, newest_runs, report_of
from reana_bridge.steps.showing import with_own_text
from reana_bridge.store.tables import ComparisonRow, MergeRequestRow, OutboxRow, ProjectRow, Run, Want

_TOLD = FINAL | {RunState.WAITING}
_EARLIER = 200
"""Runs of earlier heads that are looked through."""

_run, _outbox, _want = cast(Any, Run), cast(Any, OutboxRow), cast(Any, Want)
_merge_request, _comparison = cast(Any, MergeRequestRow), cast(Any, ComparisonRow)


def key_of(number: int) -> str:
    """The key of a merge request's note in the outbox."""
    return f"!{number}"


def want_notes_at(bridge: Bridge, session: Session, project: str, sha: str) -> None:
    """Want the notes of all merge requests whose head is the commit; nothing where they say so already."""
    same = (_merge_request.project == project, _merge_request.sha == sha)
    # In one order everywhere, so that two transactions cannot wait for each other.
    numbers = select(_merge_request.number).where(*same).order_by(_merge_request.number)
    for number in list(session.execute(numbers).scalars()):
        want_note(bridge, session, project, number)


def want_note(bridge: Bridge, session: Session, project: str, number: int, *, skipped: str = "") -> None:
    """Want the note of a merge request as its head's runs are now.

    Args:
        bridge: The database.
        session: A write transaction in which the merge request's row has its head.
        project: `forge:path`.
        number: The merge request's.
        skipped: Why nothing runs at the head; a note that is there then says so, none is written for it.
    """
    merge_request = session.get(MergeRequestRow, (project, number))
    if merge_request is None:
        return
    sha = merge_request.sha
    unseen = _unseen(session, project, sha)
    newest = _newest(session, project, sha)
    row = _row(session, project, number)
    is_there = row is not None and bool(spoken_of(row))
    listed = _listed(row)
    told = [
        (name, run, state, at)
        for name, run, state, at in newest.values()
        if state in _TOLD or name in unseen or run in listed
    ]
    if not is_there and (not told or not merge_request.open):
        return
    if not told and (newest or not skipped):
        return
    # Of what still runs only that it does: its progress is no reason to write.
    runs = [[name, run, str(state) if state in _TOLD else "", at] for name, run, state, at in told]
    wanted = {"runs": runs, "skipped": "" if told else skipped}
    key = key_of(number)
    want(
        bridge,
        session,
        project=project,
        kind="note",
        key=key,
        sha=sha,
        wanted=wanted,
        merge_request=number,
    )


def _newest(session: Session, project: str, sha: str) -> dict[str, tuple[str, str, RunState, float | None]]:
    """Analysis -> itself, its newest run with default parameters, its state, when it was compared."""
    found = (
        select(_run.analysis, _run.id, _run.state, _comparison.made_at)
        .outerjoin(ComparisonRow, _comparison.run_id == _run.id)
        .where(_run.project == project, _run.sha == sha, _run.parameters_digest == "")
        .order_by(_run.analysis, _run.queued_at, _run.id)
    )
    return {row[0]: (row[0], row[1], RunState(row[2]), row[3]) for row in session.execute(found)}


def _unseen(session: Session, project: str, sha: str) -> set[str]:
    """The analyses whose status the forge refuses to show at this commit."""
    refused = (_outbox.project == project, _outbox.sha == sha, _outbox.kind == "status", _outbox.error != "")
    settled = _outbox.posted_version == _outbox.wanted_version
    keys = session.execute(select(_outbox.key).where(*refused, settled)).scalars()
    return {key.partition("/")[2] for key in keys}


def _row(session: Session, project: str, number: int) -> OutboxRow | None:
    same = (_outbox.project == project, _outbox.kind == "note", _outbox.key == key_of(number))
    return session.execute(select(OutboxRow).where(*same)).scalar_one_or_none()


def _listed(row: OutboxRow | None) -> set[str]:
    """The runs that the note was last wanted for: one of them that goes on after a wait is told of too."""
    wanted: dict[str, Any] = (row.wanted if row else None) or {}
    return {entry[1] for entry in wanted.get("runs", ())}


def spoken_of(row: OutboxRow) -> list[str]:
    """The analyses that the note of this row has spoken of (in a rehearsal: would have); empty for none."""
    shown: dict[str, Any] = row.posted or row.shadow or {}
    return list(shown.get("analyses", ()))


@dataclass(frozen=True, kw_only=True)
class Written:
    """What a note says now, and the analyses that it speaks of."""

    content: NoteContent
    analyses: tuple[str, ...]


def written(bridge: Bridge, session: Session, row: OutboxRow) -> Written | None:
    """What the note of an outbox row says; None where there is nothing to say.

    Args:
        bridge: Settings.
        session: Any.
        row: Of kind `note`, with a merge request.
    """
    number: int = row.merge_request or 0
    before = spoken_of(row)
    merge_request = session.get(MergeRequestRow, (row.project, number))
    runs = [run for run in newest_runs(session, row.project, row.sha) if _belongs(run, number)]
    shown = [_of(with_own_text(bridge, report_of(bridge, session, run)), number) for run in runs]
    kept = [
        report
        for report, run in zip(shown, runs, strict=True)
        if run.analysis in before or is_worth_a_note(report, note_when(bridge, run))
    ]
    wanted: dict[str, Any] = row.wanted or {}
    skipped = str(wanted.get("skipped", ""))
    if not kept and not (skipped and before):
        return None
    ended = {run.analysis for run in runs if run.state in FINAL}
    earlier = _earlier(session, merge_request, row.sha)
    older = [run for run in earlier if run.analysis not in ended and run.analysis in before]
    content = NoteContent(
        project=row.project,
        number=number,
        sha=row.sha,
        reports=tuple(kept),
        superseded=tuple(_of(report_of(bridge, session, run), number) for run in older),
        skipped="" if kept else skipped,
        pauses=_pauses(session, row.project, runs),
        commands=_takes_commands(bridge, row.project),
        default_branch=_default_branch(session, row.project),
    )
    named = {report.analysis for report in kept} | set(before)
    return Written(content=content, analyses=tuple(sorted(named)))


def note_when(bridge: Bridge, run: Run) -> NoteWhen:
    """When a note speaks of the run's analysis: as its file says, else as the project's settings do."""
    own = analysis_of(run).note if run.settings else None
    if own is not None:
        return own
    rule = bridge.settings.project(Project.parse(run.project))
    return NoteWhen(rule.note) if rule else NoteWhen.ALWAYS


def _belongs(run: Run, number: int) -> bool:
    """Whether a run has to do with merge requests, and not only happens to be of the same commit."""
    if run.merge_request == number or not run.settings:
        return True
    return analysis_of(run).on.merge_request is not None


def _earlier(session: Session, merge_request: MergeRequestRow | None, sha: str) -> Iterable[Run]:
    """The newest ended run of each analysis at earlier heads of a merge request."""
    if merge_request is None:
        return ()
    project, number = merge_request.project, merge_request.number
    follows = and_(_want.kind == str(WantKind.MERGE_REQUEST), _want.ref == merge_request.ref)
    wanted = select(_want.run_id).where(_want.project == project, follows)
    found = (
        select(_run.id, _run.analysis)
        .where(_run.project == project, _run.sha != sha, _run.parameters_digest == "")
        .where(_run.state.in_([RunState.FINISHED, RunState.FAILED]))
        .where(or_(_run.merge_request == number, _run.id.in_(wanted)))
        .order_by(_run.queued_at.desc(), _run.id.desc())
        .limit(_EARLIER)
    )
    newest: dict[str, str] = {}
    for id, analysis in session.execute(found):
        newest.setdefault(analysis, id)
    runs = session.execute(select(Run).where(_run.id.in_(newest.values())).order_by(_run.analysis))
    return list(runs.scalars())


def _of(report: Report, number: int) -> Report:
    return replace(report, merge_request=number)


def _pauses(session: Session, project: str, runs: Collection[Run]) -> tuple[str, ...]:
    waiting = {run.backend for run in runs if run.state == RunState.QUEUED}
    found = [sentence for backend in sorted(waiting) for sentence in pauses_on(session, project, backend)]
    return tuple(dict.fromkeys(found))


def _takes_commands(bridge: Bridge, project: str) -> bool:
    rule = bridge.settings.project(Project.parse(project))
    return rule is not None and rule.commands_per_hour > 0


def _default_branch(session: Session, project: str) -> str:
    row = session.get(ProjectRow, project)
    return row.default_branch if row else ""
