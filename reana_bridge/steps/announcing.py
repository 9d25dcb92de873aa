"""What a run's change means for its forge: the rows of the outbox that follow from it.

Promises: a status keeps the place where it was first wanted (branch, merge request, fork), so that the forge
shows one and not two, until a fork's commit has become the project's own; it is of the commit's newest run;
every new begin of the same analysis at the same commit counts up, so that a status may follow a final one; a
note of a merge request is wanted at the end and while a person is waited for.
"""

from collections.abc import Mapping
from typing import Any, cast

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from reana_bridge.forges.base import FINAL_STATES
from reana_bridge.model.reports import Report
from reana_bridge.model.runs import FINAL, RunState
from reana_bridge.reports.status import status
from reana_bridge.steps.bridge import Bridge
from reana_bridge.steps.notes import want_notes_at
from reana_bridge.steps.outbox import Wish, want
from reana_bridge.steps.reporting import paused_reason, report_of
from reana_bridge.store.tables import MergeRequestRow, Run

_WORDS = {"pending": "queued"}
_run = cast(Any, Run)
_NEWEST = (
    select(_run.id)
    .where(*(getattr(_run, name) == bindparam(name) for name in ("project", "sha", "analysis")))
    .where(_run.parameters_digest == "")
    .order_by(_run.queued_at.desc(), _run.id.desc())
    .limit(1)
)


def announce(bridge: Bridge, session: Session, run: Run) -> None:
    """Put into the outbox what the forge must show of `run` now, where that has changed.

    A run with parameters of its own is no verdict on the commit: it is shown on its page alone. So is one
    that has been run again, also when it is compared anew.
    """
    if run.parameters or _is_replaced(session, run):
        return
    paused = paused_reason(session, run)
    report = report_of(bridge, session, run, paused=paused)
    shown = _shown(report, run, paused)
    hosted = bridge.is_hosted(run.project)
    wish = Wish(bridge, session, project=run.project, kind="status", key=f"{run.sha}/{run.analysis}")
    if hosted:
        shown |= _details(session, run, shown, wish.wanted)
    wish.want(shown, sha=run.sha, merge_request=shown.get("merge_request"))
    if not hosted:
        compared_at = report.comparison.made_at if report.comparison else None
        note = {"run": run.id, "analysis": run.analysis, "state": shown["state"], "compared_at": compared_at}
        want(bridge, session, project=run.project, kind="note", key=run.sha, sha=run.sha, wanted=note)
    elif run.state in FINAL or run.state == RunState.WAITING or _is_approved(run):
        want_notes_at(bridge, session, run.project, run.sha)


def _is_replaced(session: Session, run: Run) -> bool:
    """Whether the commit has a newer run of the analysis, which is the one that counts."""
    same = {"project": run.project, "sha": run.sha, "analysis": run.analysis}
    return session.execute(_NEWEST, same).scalar_one_or_none() not in (None, run.id)


def _is_approved(run: Run) -> bool:
    """Whether a person has just let it run, so that a note must not ask for that any more."""
    return run.state == RunState.QUEUED and bool(run.approved_by)


def _shown(report: Report, run: Run, paused: str) -> dict[str, Any]:
    words = status(report)
    # Progress within a state is for the page: a forge is written to when the state changes, not more often.
    told = run.state in FINAL or run.state == RunState.WAITING or paused
    return {
        "ref": run.ref,
        "context": f"reana/{run.analysis}",
        "state": words.state,
        "description": words.description if told else _WORDS.get(words.state, words.state),
        "url": report.run_url,
        "run": run.id,
    }


def _details(session: Session, run: Run, shown: dict[str, Any], before: Mapping[str, Any]) -> dict[str, Any]:
    """What hosted forges are told beside: the place of the status, and which attempt it is of."""
    keeps = before and not (run.trusted and before["source_project_id"])
    details = {name: before[name] for name in _PLACE} if keeps else _place(session, run)
    details["needs_approval"] = run.state == RunState.WAITING
    details["run_attempt"] = run.run_attempt
    details["attempt"] = before.get("attempt", 0) + _begins(before, shown | details)
    return details


_PLACE = ("ref", "merge_request", "source_project_id", "source_branch")


def _place(session: Session, run: Run) -> dict[str, Any]:
    number = run.merge_request
    row = session.get(MergeRequestRow, (run.project, number)) if number else None
    if row is not None and row.fork and run.trusted:
        number, row = None, None  # of a fork's merge request, but on a branch of the project by now
    return {
        "ref": run.ref,
        "merge_request": number,
        "source_project_id": row.source_project_id if row and row.fork else "",
        "source_branch": row.source_branch if row else "",
    }


def _begins(before: Mapping[str, Any], now: dict[str, Any]) -> bool:
    """Whether a status is the first of a new attempt: another run, or another verdict on an ended one."""
    if any(before.get(name) != now[name] for name in ("run", "run_attempt")):
        return True
    changed = any(before[name] != now[name] for name in ("state", "description"))
    return before["state"] in FINAL_STATES and changed
