"""Looks up what the default branch had of each metric, up to the baseline.

Only successful runs of trusted code with default parameters count, in the order of their commits on the
target branch. Nothing later than the baseline does, so that a merge request is never compared with its own
history.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from reana_bridge.forges.source import first_parents
from reana_bridge.model.analyses import Rule
from reana_bridge.model.comparisons import Baseline, History
from reana_bridge.model.runs import RunState
from reana_bridge.results.histories import Past, Series
from reana_bridge.results.verdicts import HISTORY_RUNS
from reana_bridge.steps.comparing.choosing import LOOK_BACK
from reana_bridge.steps.comparing.ruling import target_sha
from reana_bridge.store.tables import MetricRow, Run

_ROWS_AT_ONCE = 2000

_run = cast(Any, Run)
_metric = cast(Any, MetricRow).__table__.c
# By the primary key: a run's rows lie together.
_VALUES = select(_metric.run_id, _metric.name, _metric.value, _metric.unit).where(
    _metric.run_id.in_(bindparam("runs", expanding=True))
)


def past_of(
    session: Session,
    row: Run,
    cache: Path,
    baseline: Baseline,
    *,
    rules: Sequence[Rule],
    limit: int,
    accepted: Mapping[str, Sequence[str]] | None = None,
) -> Past:
    """What the target branch had up to the baseline's commit.

    Args:
        session: The database, to read.
        row: The run that is judged.
        cache: The bare repository.
        baseline: What it is compared with.
        rules: They may ask for more runs than usual.
        limit: The most runs that are looked at.
        accepted: By metric the commits that accepted changes came with: what was before the last one on the
            branch is left out.

    Raises:
        ForgeRefused: the history cannot be read.
    """
    asked = [rule.history.runs for rule in rules if rule.history]
    commits = _commits(cache, row, baseline)
    runs = _runs(session, row, commits, min(limit, max([HISTORY_RUNS, *asked])))
    shas = tuple(sha for _, sha in runs)
    since = _since(shas, commits, accepted or {})
    history = History(run_ids=tuple(run for run, _ in runs), shas=shas, since=since)
    return Past(runs=history, series=series_of(session, history))


def _commits(cache: Path, row: Run, baseline: Baseline) -> list[str]:
    """The target branch's commits, newest first, from the last one that the baseline's history holds."""
    tip = target_sha(row) if row.proposal else row.sha
    branch = first_parents(cache, tip, LOOK_BACK + 1)
    if baseline.sha in branch:
        return branch[branch.index(baseline.sha) :]
    before = set(first_parents(cache, baseline.sha, LOOK_BACK + 1))
    shared = next((place for place, sha in enumerate(branch) if sha in before), len(branch))
    return branch[shared:]


def _runs(session: Session, row: Run, commits: list[str], limit: int) -> list[tuple[str, str]]:
    """Id and commit of the last runs, oldest first."""
    places = {sha: place for place, sha in enumerate(commits)}
    found = session.execute(
        select(_run.id, _run.sha, _run.queued_at).where(
            _run.project == row.project,
            _run.analysis == row.analysis,
            _run.state == RunState.FINISHED.value,
            _run.parameters_digest == "",
            _run.trusted.is_(True),
            _run.id != row.id,
            _run.sha.in_(commits),
        )
    ).all()
    newest_first = sorted(found, key=lambda run: (places[run.sha], -run.queued_at, run.id))
    return [(run.id, run.sha) for run in reversed(newest_first[:limit])]


def _since(
    shas: Sequence[str], commits: Sequence[str], accepted: Mapping[str, Sequence[str]]
) -> dict[str, int]:
    """By metric the first run, of those at `shas`, that has the last change that was accepted.

    Args:
        shas: The runs' commits, oldest first.
        commits: Of the branch, newest first; those of the runs among them.
        accepted: By metric the commits that accepted changes came with.
    """
    ages = {sha: age for age, sha in enumerate(commits)}
    newest = {
        name: min((ages[sha] for sha in brought if sha in ages), default=None)
        for name, brought in accepted.items()
    }
    return {
        name: next((place for place, sha in enumerate(shas) if ages[sha] <= age), len(shas))
        for name, age in newest.items()
        if age is not None
    }


def series_of(session: Session, history: History) -> dict[str, Series]:
    """The values of every metric in the runs of `history`, in one query."""
    places = {run: place for place, run in enumerate(history.run_ids)}
    found: dict[str, list[tuple[int, float, str]]] = {}
    for rows in session.execute(_VALUES, {"runs": list(places)}).partitions(_ROWS_AT_ONCE):
        for run, name, value, unit in rows:
            found.setdefault(name, []).append((places[run], value, unit))
    return {name: _one_series(sorted(values), history.since.get(name)) for name, values in found.items()}


def _one_series(values: list[tuple[int, float, str]], oldest: int | None) -> Series:
    """The values in the unit of the newest one, from the run `oldest` on."""
    unit = values[-1][2]
    start = 0
    for index, (place, _, one) in enumerate(values):
        if one != unit or (oldest is not None and place < oldest):
            start = index + 1
    kept = values[start:]
    return Series(
        values=tuple(value for _, value, _ in kept),
        places=tuple(place for place, _, _ in kept),
        unit=unit,
        accepted=oldest is not None,
    )
