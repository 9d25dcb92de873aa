"""Compare: choose the baseline of a result, judge every metric and file, and end the run.

Promises: a baseline that still runs is waited for with an interim report, at most as long as the settings
say; the rules that count are the target branch's; what was compared is stored with its time, so that the
report is the same whenever it is rendered.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, cast

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from reana_bridge.crashpoints import reach
from reana_bridge.forges.base import ForgeRefused
from reana_bridge.model.analyses import Analysis
from reana_bridge.model.codec import to_data
from reana_bridge.model.comparisons import Comparison, FileComparison
from reana_bridge.model.projects import Project
from reana_bridge.model.results import Result
from reana_bridge.model.runs import RunState, Wanted
from reana_bridge.results.baselines import Choice
from reana_bridge.results.comparison import compare
from reana_bridge.results.histories import Past
from reana_bridge.steps.announcing import announce
from reana_bridge.steps.bridge import Bridge
from reana_bridge.steps.comparing.accepting import Expected, expected_of
from reana_bridge.steps.comparing.alarms import note_alarms
from reana_bridge.steps.comparing.choosing import Chosen, choose, left_by
from reana_bridge.steps.comparing.files import Left, look_into
from reana_bridge.steps.comparing.history import past_of
from reana_bridge.steps.comparing.missing import AGAIN_SECONDS, run_first
from reana_bridge.steps.comparing.pictures import name_pictures
from reana_bridge.steps.comparing.ruling import Ruling, ruling_on, target_sha
from reana_bridge.steps.comparing.series import draw_series, with_pictures
from reana_bridge.steps.deciding.again import ASKED_AT
from reana_bridge.steps.reporting import analysis_of, comparison_row
from reana_bridge.steps.sources import fetched
from reana_bridge.steps.transitions import move
from reana_bridge.store.leases import claim_of, due_rows, save
from reana_bridge.store.tables import ComparisonRow, Run

_run = cast(Any, Run)


_MINE = or_(
    _run.state == RunState.COMPARING.value,
    and_(_run.state == RunState.FINISHED.value, _run.compare_again),
)
_DUE = due_rows(_run, _MINE, order=[_run.due_at])


@dataclass(frozen=True, kw_only=True)
class _Gathered:
    """What a run is compared with: whose rules count, the baseline, what its branch had, what is expected."""

    own: Analysis
    ruling: Ruling
    chosen: Chosen
    past: Past | None = None
    expected: Expected = field(default_factory=Expected)


def _compared(
    found: _Gathered, chosen: Chosen, head: Result, files: Sequence[FileComparison] | None
) -> Comparison:
    own, counts = found.own, found.ruling.analysis
    return compare(
        baseline=chosen.choice.baseline,
        baseline_result=chosen.result,
        head=head,
        rules=counts.rules,
        proposed_rules=own.rules,
        no_baseline=chosen.choice.no_baseline,
        past=found.past,
        acceptances=found.expected.acceptances,
        checks=counts.checks,
        files=files,
        file_rules=[*counts.files, *own.files],
    )


class Compare:
    """Works on runs that are `comparing`."""

    name = "compare"
    table: Any = Run
    mine = _MINE

    def __init__(self, bridge: Bridge) -> None:
        self._bridge = bridge

    def claim(self, limit: int) -> list[Run]:
        """Collected runs, ended ones to be compared again, those whose awaited baseline has ended."""
        database = self._bridge.database
        with database.transaction() as session:
            return claim_of(database, session, Run, _DUE, limit=limit)

    def act(self, row: Run) -> None:
        """Compare, and end the run (or store an interim comparison and wait)."""
        bridge = self._bridge
        found = self._gather(row)
        chosen = run_first(bridge, row, found.chosen, found.ruling.analysis.baseline)
        choice, awaited = chosen.choice, chosen.awaited
        head = left_by(row)
        looked = look_into(bridge, _baseline(chosen), Left(run_id=row.id, result=head), found.ruling.analysis)
        drawn = draw_series(bridge, chosen.result, head)
        reach("compare.files")
        comparison = _compared(found, chosen, head, looked.files)
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
            comparison = replace(
                with_pictures(comparison, drawn.pictures),
                contents=looked.contents,
                made_at=now,
                interim=waits,
                waiting_for=choice.waiting_for if waits else "",
            )
            stored.baseline_run_id = choice.baseline.run_id if choice.baseline else None
            stored.waiting_for_run = awaited if waits else None
            stored.made_at, stored.blocked, stored.rules_sha = now, comparison.blocked, found.ruling.sha
            stored.document = to_data(comparison)
            session.add(stored)
            name_pictures(session, row.id, (*looked.pictures, *drawn.kept))
            note_alarms(session, row, comparison)
            session.flush()
            reach("compare.made")
            if waits:
                activity = f"waits for the baseline at {choice.waiting_for[:7]}, which still runs"
                due_at = deadline if awaited else min(deadline, now + AGAIN_SECONDS)
                self._give_back(session, row, due_at=due_at, activity=activity)
            else:
                self._end(session, row)
        reach("compare.stored")

    def _gather(self, row: Run) -> _Gathered:
        """All that the comparison needs, read outside of a write transaction."""
        bridge, own = self._bridge, analysis_of(row)
        with bridge.database.read() as session:
            try:
                cache = fetched(bridge, Project.parse(row.project), row.sha, target_sha(row))
                ruling = ruling_on(bridge, row, cache)
                chosen = choose(session, row, cache, ruling.analysis.baseline)
                expected = expected_of(session, row, cache, chosen)
                baseline, past = chosen.choice.baseline, None
                if baseline is not None:
                    rules = (*ruling.analysis.rules, *own.rules)
                    limit = bridge.settings.limits.history_runs
                    past = past_of(
                        session, row, cache, baseline, rules=rules, limit=limit, accepted=expected.merged
                    )
            except ForgeRefused as gone:  # force-pushed away, or the whole project
                none = Choice(baseline=None, no_baseline=f"its history cannot be read: {gone}")
                return _Gathered(
                    own=own, ruling=Ruling(analysis=own, sha=row.sha), chosen=Chosen(choice=none)
                )
        return _Gathered(own=own, ruling=ruling, chosen=chosen, past=past, expected=expected)

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


def _baseline(chosen: Chosen) -> Left | None:
    """The baseline with what it left; None where there is none."""
    baseline = chosen.choice.baseline
    if baseline is None or chosen.result is None:
        return None
    return Left(run_id=baseline.run_id, result=chosen.result)
