"""The lines of metrics on a project's default branch, each with its levels and the commits that moved it."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from reana_bridge.model.codec import from_data
from reana_bridge.model.results import Result
from reana_bridge.results.trends import trend
from reana_bridge.store.tables import ProjectRow, Run
from reana_bridge.web import charts, queries

RUNS = 100
"""Runs of a line."""
CHARTS_SHOWN = 12


@dataclass(frozen=True, kw_only=True)
class History:
    """The lines of an analysis' metrics: those shown on this page, and how to see the others."""

    analysis: str
    charts: list[charts.Chart]
    total: int
    start: int
    runs: dict[str, Run]

    @property
    def next_start(self) -> int | None:
        """Where the next ones start; None at the end."""
        end = self.start + CHARTS_SHOWN
        return end if end < self.total else None


def history(session: Session, row: ProjectRow, analysis: str, skip: int) -> History:
    """The lines of an analysis' metrics, without the first `skip` of them."""
    runs = _runs(session, row, analysis)
    names = _names(session, runs[-1]) if runs else []
    drawn = _drawn(session, runs, names[skip : skip + CHARTS_SHOWN])
    by_id = {run.id: run for run in runs}
    return History(analysis=analysis, charts=drawn, total=len(names), start=skip, runs=by_id)


def trends(session: Session, row: ProjectRow, analysis: str, names: Sequence[str]) -> list[charts.Chart]:
    """The lines of these metrics, of those that have more than one value."""
    drawn = _drawn(session, _runs(session, row, analysis), list(dict.fromkeys(names)))
    return [chart for chart in drawn if len(chart.points) > 1]


def _runs(session: Session, row: ProjectRow, analysis: str) -> list[Run]:
    ref = f"refs/heads/{row.default_branch}"
    return queries.successful_on(session, row.name, ref, analysis, RUNS)


def _names(session: Session, newest: Run) -> list[str]:
    """The numbers that the newest run left, in the order of its files."""
    drawable = set(queries.metric_names(session, newest.id))
    metrics = from_data(Result, newest.result).metrics if newest.result else ()
    return [metric.name for metric in metrics if metric.name in drawable]


def _drawn(session: Session, runs: Sequence[Run], names: Sequence[str]) -> list[charts.Chart]:
    values = {
        (row.run_id, row.name): row for row in queries.metric_values(session, [r.id for r in runs], names)
    }
    drawn: list[charts.Chart] = []
    for name in names:
        found = [(run, values[run.id, name]) for run in runs if (run.id, name) in values]
        points = [
            charts.Point(
                run_id=run.id,
                sha=run.sha,
                at=run.queued_at,
                value=value.value,
                uncertainty=value.uncertainty,
            )
            for run, value in found
        ]
        if points:
            unit = found[-1][1].unit
            drawn.append(charts.chart(name, unit, points, trend([point.value for point in points])))
    return drawn
