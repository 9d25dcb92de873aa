"""The rules that a run broke, as rows beside its comparison, and what becomes of them over many runs."""

from typing import Any, cast

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from reana_bridge.model.comparisons import Comparison, RuleEffect
from reana_bridge.model.runs import RunState
from reana_bridge.results.alarms import Alarm, RuleName, RuleRecord, records
from reana_bridge.store.tables import AlarmRow, ComparisonRow, Run

MOST_ALARMS = 500
"""Alarms of one run that are kept, the worst metrics' first."""

RUNS = 200
"""Runs of an analysis that are looked back at."""

MOST_ANALYSES = 50
"""Analyses of a project whose alarms are counted, by name."""

_alarm, _run, _comparison = cast(Any, AlarmRow), cast(Any, Run), cast(Any, ComparisonRow)


def note_alarms(session: Session, row: Run, comparison: Comparison) -> None:
    """Keep what `row` raises by this comparison, in the place of what it raised by an earlier one.

    Args:
        session: The transaction in which the comparison is stored.
        row: The run.
        comparison: Its comparison.
    """
    session.execute(delete(AlarmRow).where(_alarm.run_id == row.id))
    if row.parameters_digest:
        return  # it is no verdict on the commit
    raised = [
        (name, outcome)
        for name, rules in (
            *((metric.name, metric.rules) for metric in comparison.metrics),
            *((file.path, file.rules) for file in comparison.files),
        )
        for outcome in rules
        if outcome.broken and not outcome.proposed and outcome.effect is not RuleEffect.INFORM
    ]
    session.add_all(
        AlarmRow(
            run_id=row.id,
            place=place,
            metric=name,
            pattern=outcome.pattern or name,
            rule=outcome.rule,
            effect=outcome.effect.value,
            accepted=outcome.accepted is not None,
            accepted_in=outcome.accepted.merge_request if outcome.accepted else None,
        )
        for place, (name, outcome) in enumerate(raised[:MOST_ALARMS])
    )


def alarms_of(session: Session, project: str, analysis: str, *, runs: int = RUNS) -> tuple[RuleRecord, ...]:
    """What became of the alarms of an analysis' last runs that were judged.

    Args:
        session: The database, to read.
        project: Its name, `forge:path`.
        analysis: Its name.
        runs: How many runs are looked back at.
    """
    judged = (
        select(_run.id, _run.sha, _run.proposal, _run.merge_request)
        .join(ComparisonRow, _comparison.run_id == _run.id)
        .where(_run.project == project, _run.analysis == analysis, _run.state == RunState.FINISHED.value)
        .where(_run.parameters_digest == "")
        .order_by(_run.queued_at.desc(), _run.id.desc())
        .limit(runs)
    )
    found = {run.id: run for run in session.execute(judged)}
    raised = session.execute(select(AlarmRow).where(_alarm.run_id.in_(list(found)))).scalars()
    alarms = [_alarm_of(row, found[row.run_id]) for row in raised]
    return records(alarms, {id: run.sha for id, run in found.items()})


def alarms_by_analysis(
    session: Session, project: str, *, only: str | None = None
) -> dict[str, tuple[RuleRecord, ...]]:
    """What became of the alarms of a project's analyses, by name; those that ever raised one.

    Args:
        session: The database, to read.
        project: Its name, `forge:path`.
        only: The one analysis that is looked at; None for all.
    """
    raising = select(_run.analysis).join(AlarmRow, _alarm.run_id == _run.id).where(_run.project == project)
    if only is not None:
        raising = raising.where(_run.analysis == only)
    names = session.execute(raising.distinct().order_by(_run.analysis).limit(MOST_ANALYSES)).scalars().all()
    found = {name: alarms_of(session, project, name) for name in names}
    return {name: of_analysis for name, of_analysis in found.items() if of_analysis}


def _alarm_of(row: AlarmRow, run: Any) -> Alarm:
    """What was accepted in a merge request and came to its target is the same alarm there."""
    number = row.accepted_in or (run.merge_request if run.proposal else None)
    return Alarm(
        rule=RuleName(pattern=row.pattern, limit=row.rule, effect=row.effect),
        metric=row.metric,
        run=row.run_id,
        case=f"!{number}" if number else run.sha,
        accepted=row.accepted,
    )
