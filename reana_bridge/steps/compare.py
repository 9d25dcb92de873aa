"""Compare: choose the baseline of a result, judge every metric and file, and end the run.

Promises: a baseline that still runs is waited for with an interim report, at most as long as the settings
say; the rules that count are the target branch's; what was compared is stored with its time, so that the
report is the same whenever it is rendered.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from reana_bridge.crashpoints import reach
from reana_bridge.forges.base import ForgeRefused
from reana_bridge.forges.source import count_between, first_parents, merge_base
from reana_bridge.model.analyses import Rule
from reana_bridge.model.codec import from_data, to_data
from reana_bridge.model.comparisons import BaselineReason
from reana_bridge.model.problems import ConfigurationError
from reana_bridge.model.projects import Project
from reana_bridge.model.results import Result
from reana_bridge.model.runs import RunState, Wanted
from reana_bridge.results.baselines import Candidate, Choice, choose_baseline
from reana_bridge.results.comparison import compare
from reana_bridge.steps.announcing import announce
from reana_bridge.steps.bridge import Bridge
from reana_bridge.steps.deciding.again import ASKED_AT
from reana_bridge.steps.reporting import analysis_of, comparison_row, short_ref
from reana_bridge.steps.sources import fetched, project_file_at
from reana_bridge.steps.transitions import move
from reana_bridge.store.leases import claim, save
from reana_bridge.store.tables import ComparisonRow, Run

LOOK_BACK = 500
"""First-parent ancestors among which a baseline is looked for."""
_run = cast(Any, Run)


class Compare:
    """Works on runs that are `comparing`."""

    name = "compare"
    table: Any = Run

    def __init__(self, bridge: Bridge) -> None:
        self._bridge = bridge

    def claim(self, limit: int) -> list[Run]:
        """Collected runs, ended ones to be compared again, those whose awaited baseline has ended."""
        database = self._bridge.database
        with database.transaction() as session:
            again = and_(_run.state == RunState.FINISHED.value, _run.compare_again)
            either = or_(_run.state == RunState.COMPARING.value, again)
            due = (either, _run.due_at <= database.now(session))
            return claim(database, session, Run, *due, order=[_run.due_at], limit=limit)

    def act(self, row: Run) -> None:
        """Compare, and end the run (or store an interim comparison and wait)."""
        bridge = self._bridge
        proposed = analysis_of(row).rules
        with bridge.database.read() as session:
            try:
                cache = fetched(bridge, Project.parse(row.project), row.sha, _target_sha(row))
                rules, rules_sha = self._rules(row, cache)
                choice, candidates = self._choose(session, row, cache)
            except ForgeRefused as gone:  # force-pushed away, or the whole project
                (rules, rules_sha), candidates = (proposed, row.sha), list[Candidate]()
                choice = Choice(baseline=None, no_baseline=f"its history cannot be read: {gone}")
            baseline = session.get(Run, choice.baseline.run_id) if choice.baseline else None
        awaited = next((c.live_run_id for c in candidates if c.sha == choice.waiting_for), None)
        before = from_data(Result, baseline.result) if baseline and baseline.result else None
        with bridge.database.transaction() as session:
            now = bridge.database.now(session)
            if awaited and not self._still_runs(session, awaited):
                # It ended after we looked: choose again, now with its result.
                self._give_back(session, row, due_at=now)
                return
            stored = comparison_row(session, row.id) or ComparisonRow(run_id=row.id, made_at=now)
            # Locked, so that a wish for its end or for another baseline is seen here or sets the due time.
            wish = select(_run.wanted, _run.settings).where(_run.id == row.id).with_for_update()
            wanted, settings = session.execute(wish).one()
            if settings != row.settings:
                self._give_back(session, row, due_at=now)
                return
            deadline = self._deadline(row, now)
            waits = bool(choice.waiting_for) and now < deadline and wanted == Wanted.RUN
            comparison = compare(
                baseline=choice.baseline if before else None,
                baseline_result=before,
                head=from_data(Result, row.result or {}),
                made_at=now,
                rules=rules,
                proposed_rules=proposed,
                no_baseline=choice.no_baseline,
                waiting_for=choice.waiting_for if waits else "",
            )
            stored.baseline_run_id = choice.baseline.run_id if choice.baseline else None
            stored.waiting_for_run = awaited if waits else None
            stored.made_at, stored.blocked, stored.rules_sha = now, comparison.blocked, rules_sha
            stored.document = to_data(comparison)
            session.add(stored)
            session.flush()
            reach("compare.made")
            if waits:
                activity = f"waits for the baseline at {choice.waiting_for[:7]}, which still runs"
                self._give_back(session, row, due_at=deadline, activity=activity)
            else:
                self._end(session, row)
        reach("compare.stored")

    def _deadline(self, row: Run, now: float) -> float:
        """Until when its baseline is waited for, UTC seconds since the epoch."""
        settings: dict[str, Any] = row.settings or {}
        since = settings.get(ASKED_AT) or row.backend_ended_at or now
        return max(since, row.backend_ended_at or 0.0) + self._bridge.settings.limits.waiting_seconds

    def _give_back(self, session: Session, row: Run, *, due_at: float, activity: str = "") -> None:
        """To be compared once more, at `due_at`."""
        if row.state == RunState.COMPARING:
            move(self._bridge, session, row, RunState.COMPARING, due_at=due_at, activity=activity)
        else:
            save(session, row, due_at=due_at, attempt=0)

    def _end(self, session: Session, row: Run) -> None:
        if row.state == RunState.COMPARING:
            move(self._bridge, session, row, RunState.FINISHED, activity="")
        else:
            save(session, row, due_at=None, attempt=0, compare_again=False)
            announce(self._bridge, session, row)

    def _still_runs(self, session: Session, run_id: str) -> bool:
        """Whether the run is live; its row stays locked, so that its end finds who waits for it."""
        locked = select(_run.live_key).where(_run.id == run_id)
        if not self._bridge.database.is_sqlite:
            locked = locked.with_for_update()
        return session.execute(locked).scalar_one() is not None

    def _rules(self, row: Run, cache: Path) -> tuple[tuple[Rule, ...], str]:
        """The rules that count, and the commit that they were read at: the target branch's."""
        own = analysis_of(row)
        target_sha = _target_sha(row)
        if not row.proposal or target_sha == row.sha:
            return own.rules, row.sha
        rule = self._bridge.settings.project(Project.parse(row.project))
        try:
            file = project_file_at(cache, target_sha, rule.file if rule else ".reana-bridge.yaml")
        except ConfigurationError:  # the target's file is shown as wrong by its own run
            return (), target_sha
        same = [analysis for analysis in (file.analyses if file else ()) if analysis.name == own.name]
        return (same[0].rules if same else ()), target_sha

    def _choose(self, session: Session, row: Run, cache: Path) -> tuple[Choice, list[Candidate]]:
        target_sha = _target_sha(row)
        settings: dict[str, str] = row.settings or {}
        if settings.get("baseline_sha"):
            return self._given(session, row, settings["baseline_sha"])
        wanted = merge_base(cache, row.sha, target_sha) if row.proposal else row.sha
        shas = first_parents(cache, wanted, LOOK_BACK + 1) if wanted else []
        if not row.proposal or wanted == row.sha:
            # On the target branch itself (or not ahead of it) the commit before is what to compare with.
            shas = shas[1:]
        ancestors = self._candidates(session, row, shas)
        tip = self._candidates(session, row, [target_sha])[0] if row.proposal else None
        ahead = count_between(cache, wanted, target_sha) if wanted and row.proposal else None
        choice = choose_baseline(
            ancestors=ancestors,
            branch=short_ref(row.target or row.ref),
            proposal=row.proposal,
            tip=tip if tip and tip.sha != row.sha else None,
            ahead=ahead,
        )
        return choice, [*ancestors, *([tip] if tip else [])]

    def _given(self, session: Session, row: Run, sha: str) -> tuple[Choice, list[Candidate]]:
        """The commit that a person asked to compare with, whatever its place in the history."""
        (candidate,) = self._candidates(session, row, [sha])
        choice = choose_baseline(ancestors=[candidate], branch=sha[:7], proposal=True)
        if choice.baseline is not None:
            asked = replace(choice.baseline, reason=BaselineReason.GIVEN, branch="")
            choice = replace(choice, baseline=asked)
        return choice, [candidate]

    def _candidates(self, session: Session, row: Run, shas: list[str]) -> list[Candidate]:
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


def _target_sha(row: Run) -> str:
    """The target branch's commit when the run was decided; its own commit where there was none."""
    settings: dict[str, Any] = row.settings or {}
    return settings.get("target_sha") or row.sha
