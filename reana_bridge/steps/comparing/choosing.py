"""Looks up the runs of a commit's ancestors and of the target branch, and chooses the baseline among them."""

from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from sqlalchemy import select
from sqlalchemy.orm import Session

from reana_bridge.forges.source import count_between, first_parents, merge_base
from reana_bridge.model.comparisons import BaselineReason
from reana_bridge.model.runs import RunState
from reana_bridge.results.baselines import Candidate, Choice, choose_baseline
from reana_bridge.steps.comparing.ruling import target_sha
from reana_bridge.steps.reporting import short_ref
from reana_bridge.store.tables import Run

LOOK_BACK = 500
"""First-parent ancestors among which a baseline is looked for."""
_run = cast(Any, Run)


def choose(session: Session, row: Run, cache: Path) -> tuple[Choice, list[Candidate]]:
    """The baseline of `row`, and the commits that were looked at.

    Raises:
        ForgeRefused: its history cannot be read.
    """
    target = target_sha(row)
    settings: dict[str, str] = row.settings or {}
    if settings.get("baseline_sha"):
        return _given(session, row, settings["baseline_sha"])
    wanted = merge_base(cache, row.sha, target) if row.proposal else row.sha
    shas = first_parents(cache, wanted, LOOK_BACK + 1) if wanted else []
    if not row.proposal or wanted == row.sha:
        # On the target branch itself (or not ahead of it) the commit before is what to compare with.
        shas = shas[1:]
    ancestors = _candidates(session, row, shas)
    tip = _candidates(session, row, [target])[0] if row.proposal else None
    ahead = count_between(cache, wanted, target) if wanted and row.proposal else None
    choice = choose_baseline(
        ancestors=ancestors,
        branch=short_ref(row.target or row.ref),
        proposal=row.proposal,
        tip=tip if tip and tip.sha != row.sha else None,
        ahead=ahead,
    )
    return choice, [*ancestors, *([tip] if tip else [])]


def _given(session: Session, row: Run, sha: str) -> tuple[Choice, list[Candidate]]:
    """The commit that a person asked to compare with, whatever its place in the history."""
    (candidate,) = _candidates(session, row, [sha])
    choice = choose_baseline(ancestors=[candidate], branch=sha[:7], proposal=True)
    if choice.baseline is not None:
        asked = replace(choice.baseline, reason=BaselineReason.GIVEN, branch="")
        choice = replace(choice, baseline=asked)
    return choice, [candidate]


def _candidates(session: Session, row: Run, shas: list[str]) -> list[Candidate]:
    """The commits with their newest successful and their live runs of this analysis."""
    same = (
        _run.project == row.project,
        _run.analysis == row.analysis,
        _run.parameters_digest == "",
        _run.trusted.is_(True),
        _run.id != row.id,
        _run.sha.in_(shas),
    )
    found = session.execute(
        select(_run.id, _run.sha, _run.state, _run.live_key, _run.ended_at)
        .where(*same)
        .order_by(_run.queued_at)
    ).all()
    finished = {r.sha: r for r in found if r.state == RunState.FINISHED}
    live = {r.sha: r for r in found if r.live_key is not None}
    return [
        Candidate(
            sha=sha,
            distance=distance,
            run_id=finished[sha].id if sha in finished else None,
            live_run_id=live[sha].id if sha in live else None,
            ended_at=finished[sha].ended_at if sha in finished else None,
        )
        for distance, sha in enumerate(shas)
    ]
