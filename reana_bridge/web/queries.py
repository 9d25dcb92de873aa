"""What pages and API read: rows by id, lists from a place on, and what stands beside a run."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session, defer

from reana_bridge.store.tables import (
    ArtifactRow,
    ComparisonRow,
    Decision,
    MetricRow,
    OutboxRow,
    ProjectRow,
    Run,
    Want,
)

_artifact, _comparison, _decision = cast(Any, ArtifactRow), cast(Any, ComparisonRow), cast(Any, Decision)
_metric, _outbox, _project = cast(Any, MetricRow), cast(Any, OutboxRow), cast(Any, ProjectRow)
_run, _want = cast(Any, Run), cast(Any, Want)
Condition = ColumnElement[bool]
_LIGHT = (defer(_run.result), defer(_run.settings), defer(_run.steps))


@dataclass(frozen=True, kw_only=True)
class RunLine:
    """A run as lists show it.

    Attributes:
        run: The run.
        blocked: Whether its comparison breaks a rule that blocks.
        headline: What its commit status says; empty where it has none.
        state: The commit status' state word.
    """

    run: Run
    blocked: bool
    headline: str
    state: str


def equal(table: Any, **wanted: str | None) -> list[Condition]:
    """A condition for each given filter."""
    return [getattr(table, name) == value for name, value in wanted.items() if value is not None]


def within(column: Any, names: list[str] | None) -> list[Condition]:
    """The condition that a column names one of these projects; none where all may be seen."""
    return [] if names is None else [column.in_(names)]


def newest(
    session: Session, table: Any, conditions: Sequence[Condition], *, limit: int, after: str | None
) -> list[Any]:
    """Rows by falling id, from below the id `after` on."""
    return list(session.execute(_newest(table, conditions, limit, after)).scalars())


def newest_runs(
    session: Session, conditions: Sequence[Condition], *, limit: int, after: str | None
) -> list[Run]:
    """The same of runs, without what they left and how: a list of them shows neither."""
    found = _newest(Run, conditions, limit, after).options(*_LIGHT)
    return list(session.execute(found).scalars())


def _newest(table: Any, conditions: Sequence[Condition], limit: int, after: str | None) -> Any:
    found = select(table).where(*conditions)
    if after is not None:
        found = found.where(table.id < after)
    return found.order_by(table.id.desc()).limit(limit)


def projects(session: Session, names: list[str] | None, *, limit: int, after: str = "") -> list[ProjectRow]:
    """Projects among `names` (None: among all), by name, from behind `after` on."""
    found = select(ProjectRow).where(_project.name > after, *within(_project.name, names))
    return list(session.execute(found.order_by(_project.name).limit(limit)).scalars())


def on_branch(branch: str | None) -> list[Condition]:
    """The condition that a run is of a branch or tag, given by its name or full ref."""
    if branch is None:
        return []
    if branch.startswith("refs/"):
        return [_run.ref == branch]
    return [_run.ref.in_([f"refs/heads/{branch}", f"refs/tags/{branch}"])]


def of_matching_runs(table: Any, conditions: Sequence[Condition]) -> list[Condition]:
    """The condition that a row's run meets `conditions`."""
    return [table.run_id.in_(select(_run.id).where(*conditions))] if conditions else []


def pending(wanted: bool | None) -> list[Condition]:
    """The condition that a forge does not show an outbox row yet (or does); none for None."""
    if wanted is None:
        return []
    behind = _outbox.wanted_version > _outbox.posted_version
    return [behind if wanted else ~behind]


def run_by_id(session: Session, run_id: str) -> Run | None:
    """The run; None where there is none of that id, or it can be no id."""
    return session.get(Run, run_id) if run_id.isascii() and run_id.isalnum() else None


def comparison_by_id(session: Session, comparison_id: str) -> ComparisonRow | None:
    """The comparison; None as for `run_by_id`."""
    known = comparison_id.isascii() and comparison_id.isalnum()
    return session.get(ComparisonRow, comparison_id) if known else None


def decision_of(session: Session, delivery_id: str | None) -> Decision | None:
    """What a delivery led to; None where there is none."""
    if delivery_id is None:
        return None
    return session.execute(select(Decision).where(_decision.delivery_id == delivery_id)).scalar_one_or_none()


def wants_of(session: Session, run_id: str) -> list[Want]:
    """Who wants a run, or wanted it."""
    return list(session.execute(select(Want).where(_want.run_id == run_id).order_by(_want.since)).scalars())


def artifacts_of(session: Session, run_id: str, kind: str = "output") -> list[ArtifactRow]:
    """The kept files of a run, by path."""
    found = select(ArtifactRow).where(_artifact.run_id == run_id, _artifact.kind == kind)
    return list(session.execute(found.order_by(_artifact.path)).scalars())


def artifact(session: Session, run_id: str, path: str, kind: str = "output") -> ArtifactRow | None:
    """One kept file of a run; None where there is none of that path."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return None
    return None if "\x00" in path else session.get(ArtifactRow, (run_id, kind, path))


def lines(session: Session, runs: Sequence[Run]) -> list[RunLine]:
    """The runs with what their commit status says, in the same order."""
    ids = [run.id for run in runs]
    blocked = set(
        session.execute(
            select(_comparison.run_id).where(_comparison.run_id.in_(ids), _comparison.blocked.is_(True))
        ).scalars()
    )
    statuses = session.execute(
        select(_outbox.wanted).where(
            _outbox.kind == "status",
            _outbox.project.in_({run.project for run in runs}),
            _outbox.key.in_({f"{run.sha}/{run.analysis}" for run in runs}),
        )
    ).scalars()
    said = {wanted["run"]: wanted for wanted in statuses if wanted and wanted.get("run")}
    return [
        RunLine(
            run=run,
            blocked=run.id in blocked,
            headline=str(said.get(run.id, {}).get("description", "")),
            state=_state_word(run, run.id in blocked),
        )
        for run in runs
    ]


def _state_word(run: Run, blocked: bool) -> str:
    failure: dict[str, Any] = run.failure or {}
    kind = failure.get("kind")
    match str(run.state):
        case "queued" | "waiting":
            return "pending"
        case "finished":
            return "failure" if blocked else "success"
        case "failed":
            return "error" if kind == "infrastructure" else "failure"
        case "cancelled":
            return "cancelled"
        case _:
            return "running"


def newest_on_default_branches(session: Session, projects: list[ProjectRow]) -> list[Run]:
    """The newest run of each analysis on its project's default branch."""
    refs = [
        (_run.project == project.name) & (_run.ref == f"refs/heads/{project.default_branch}")
        for project in projects
        if project.default_branch
    ]
    if not refs:
        return []
    ids = (
        select(func.max(_run.id))
        .where(or_(*refs), _run.parameters_digest == "")
        .group_by(_run.project, _run.analysis)
    )
    found = select(Run).where(_run.id.in_(ids)).options(*_LIGHT).order_by(_run.project, _run.analysis)
    return list(session.execute(found).scalars())


def newest_runs_of_analyses(
    session: Session, conditions: Sequence[Condition], *, limit: int, after: tuple[str, ...] | None
) -> list[Run]:
    """The newest run of each analysis, by project and name, from behind the keys `after` on."""
    groups = select(_run.project, _run.analysis, func.max(_run.id).label("newest")).where(*conditions)
    if after is not None:
        project, name = after
        groups = groups.where(or_(_run.project > project, (_run.project == project) & (_run.analysis > name)))
    ordered = groups.group_by(_run.project, _run.analysis).order_by(_run.project, _run.analysis).limit(limit)
    ids = [row.newest for row in session.execute(ordered)]
    found = session.execute(
        select(Run).where(_run.id.in_(ids)).options(*_LIGHT).order_by(_run.project, _run.analysis)
    )
    return list(found.scalars())


def counts_by_state(session: Session, conditions: Sequence[Condition]) -> dict[str, int]:
    """State -> number of live runs."""
    found = select(_run.state, func.count()).where(_run.live_key.is_not(None), *conditions)
    return {str(state): count for state, count in session.execute(found.group_by(_run.state))}


def successful_on(session: Session, project: str, ref: str, analysis: str, limit: int) -> list[Run]:
    """The newest finished runs with default parameters of an analysis on a ref, oldest first."""
    found = (
        select(Run)
        .options(*_LIGHT)
        .where(
            _run.project == project,
            _run.analysis == analysis,
            _run.ref == ref,
            _run.state == "finished",
            _run.parameters_digest == "",
        )
    )
    newest_first = session.execute(found.order_by(_run.queued_at.desc()).limit(limit)).scalars()
    return list(newest_first)[::-1]


def metric_names(session: Session, run_id: str) -> list[str]:
    """The names of the finite numbers that a run left."""
    found = select(_metric.name).where(_metric.run_id == run_id).order_by(_metric.name)
    return list(session.execute(found).scalars())


def metric_values(session: Session, run_ids: Iterable[str], names: Iterable[str]) -> list[MetricRow]:
    """The values of these metrics in these runs."""
    found = select(MetricRow).where(_metric.run_id.in_(list(run_ids)), _metric.name.in_(list(names)))
    return list(session.execute(found).scalars())


def of_commit(session: Session, table: Any, project: str, sha: str) -> list[Any]:
    """The rows of a commit, given by its digits or its first seven and more; oldest first."""
    found = select(table).where(table.project == project, table.sha.startswith(sha, autoescape=True))
    return list(session.execute(found.order_by(table.id).limit(500)).scalars())


def branches(session: Session, project: str, limit: int = 100) -> list[str]:
    """The refs that the project's newest runs were of, newest first."""
    found = select(_run.ref, func.max(_run.id)).where(_run.project == project, _run.ref != "")
    ordered = found.group_by(_run.ref).order_by(func.max(_run.id).desc()).limit(limit)
    return [row[0] for row in session.execute(ordered)]


def outbox_of(session: Session, project: str, sha: str) -> list[OutboxRow]:
    """What the forge must show of a commit."""
    rows: list[OutboxRow] = of_commit(session, OutboxRow, project, sha)
    return rows


def newest_of_branch(
    session: Session, project: str, branch: str, analysis: str, *, finished: bool
) -> list[Run]:
    """The newest run of each analysis (or of the one that is named) on a branch; only finished ones if so."""
    where = [_run.project == project, _run.parameters_digest == "", *on_branch(branch)]
    where += [_run.analysis == analysis] if analysis else []
    where += [_run.state == "finished"] if finished else []
    ids = select(func.max(_run.id)).where(*where).group_by(_run.analysis)
    return list(session.execute(select(Run).where(_run.id.in_(ids)).options(*_LIGHT)).scalars())
