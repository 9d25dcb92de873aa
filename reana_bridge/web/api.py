"""The REST API: what the tables hold, page by page, and the three things that a person may ask for.

Whoever may not see a thing gets the same answer as if it were not there. Nothing here shows the body of a
delivery, a token or a key.
"""

from typing import Annotated, Any, cast

from fastapi import APIRouter, Query, Request, Security
from fastapi.responses import JSONResponse
from fastapi.security import HTTPBearer
from sqlalchemy.orm import Session
from starlette.responses import Response

from reana_bridge.model.pauses import PauseKind
from reana_bridge.steps.comparing.alarms import alarms_by_analysis
from reana_bridge.steps.pausing import pauses_seen
from reana_bridge.store.tables import ComparisonRow, Decision, Delivery, OutboxRow, ProjectRow, Run
from reana_bridge.web import bodies, comparison_shapes, files, logs, queries, shapes, shaping
from reana_bridge.web.access import Opened, is_public_run, open_run
from reana_bridge.web.alarm_shapes import RuleRecordShape, record_shape
from reana_bridge.web.auth import Caller, caller_of, check_form, is_public, readable
from reana_bridge.web.paging import MOST, Cursor, Filter, Limit, Named, Page, Slice, decode
from reana_bridge.web.problems import NotThere, Problem
from reana_bridge.web.site import Site, site_of

bearer = Security(HTTPBearer(auto_error=False, description="A token from `reana-bridge token create`."))
"""What every route of the API asks for."""

_PROBLEM: dict[str, Any] = {
    "model": shapes.ProblemShape,
    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/ProblemShape"}}},
}
ERRORS: dict[int | str, dict[str, Any]] = {
    404: _PROBLEM | {"description": "Not there, or not for this caller."},
    422: _PROBLEM | {"description": "Some values do not fit."},
}
CHANGES: dict[int | str, dict[str, Any]] = {
    403: _PROBLEM | {"description": "A session's request without its word."},
    409: _PROBLEM | {"description": "It is not done; `detail` says why."},
}
router = APIRouter(prefix="/api/v1", responses=ERRORS, dependencies=[bearer])
_run, _comparison = cast(Any, Run), cast(Any, ComparisonRow)
_AS_IT_WAS = bodies.Rerun(from_step="")
Offset = Annotated[int, Query(ge=0, le=1 << 40, description="Bytes to leave out from the beginning.")]
PieceLimit = Annotated[int, Query(ge=1, le=1 << 20, description="At most so many bytes.")]


def all_readable(site: Site, session: Session, request: Request) -> list[str] | None:
    """The projects that the caller may see, or None for all.

    Raises:
        NotThere: There is none.
    """
    names = readable(site, session, caller_of(site, session, request))
    if names == []:
        raise NotThere
    return names


def _ids(rows: list[Any]) -> list[tuple[str, ...]]:
    return [(row.id,) for row in rows]


def _first(keys: tuple[str, ...] | None) -> str | None:
    return keys[0] if keys else None


@router.get("/deliveries")
def deliveries(
    request: Request, limit: Limit = 50, cursor: Cursor = "", forge: Filter = None, kind: Filter = None
) -> Page[shapes.DeliveryShape]:
    """Webhook requests, newest first; needs a token for the whole server."""
    part = Slice(limit, decode(cursor, 1))
    site = site_of(request)
    with site.bridge.database.read() as session:
        if not caller_of(site, session, request).allows("read"):
            raise NotThere
        where = queries.equal(Delivery, forge=forge, kind=kind)
        rows = queries.newest(session, Delivery, where, limit=limit + 1, after=_first(part.after))
        return part.page(rows, _ids(rows), [shaping.delivery(row) for row in rows])


@router.get("/decisions")
def decisions(
    request: Request,
    limit: Limit = 50,
    cursor: Cursor = "",
    project: Filter = None,
    sha: Filter = None,
    outcome: Filter = None,
    delivery: Filter = None,
) -> Page[shapes.DecisionShape]:
    """What deliveries led to, and why, newest first."""
    part = Slice(limit, decode(cursor, 1))
    site = site_of(request)
    with site.bridge.database.read() as session:
        names = all_readable(site, session, request)
        table = cast(Any, Decision)
        where = queries.equal(table, project=project, sha=sha, outcome=outcome, delivery_id=delivery)
        where += queries.within(table.project, names)
        rows = queries.newest(session, table, where, limit=limit + 1, after=_first(part.after))
        return part.page(rows, _ids(rows), [shaping.decision(row) for row in rows])


@router.get("/projects")
def projects(request: Request, limit: Limit = 50, cursor: Cursor = "") -> Page[shapes.ProjectShape]:
    """Registered projects by name."""
    part = Slice(limit, decode(cursor, 1))
    site = site_of(request)
    with site.bridge.database.read() as session:
        names = all_readable(site, session, request)
        rows = queries.projects(session, names, limit=limit + 1, after=_first(part.after) or "")
        why = {row.name: row.reason for row in pauses_seen(session, names) if row.kind == PauseKind.PROJECT}
        items = [
            shaping.project(row, public=is_public(site, row.name), paused=why.get(row.name, ""))
            for row in rows
        ]
        return part.page(rows, [(row.name,) for row in rows], items)


@router.get("/analyses")
def analyses(
    request: Request, limit: Limit = 50, cursor: Cursor = "", project: Filter = None
) -> Page[shapes.AnalysisShape]:
    """The analyses that have ever run, by project and name, each with its newest run."""
    part = Slice(limit, decode(cursor, 2))
    site = site_of(request)
    with site.bridge.database.read() as session:
        names = all_readable(site, session, request)
        where = queries.equal(_run, project=project) + queries.within(_run.project, names)
        rows = queries.newest_runs_of_analyses(session, where, limit=limit + 1, after=part.after)
        keys = [(row.project, row.analysis) for row in rows]
        return part.page(rows, keys, [shaping.analysis(row) for row in rows])


@router.get("/alarms")
def alarms(
    request: Request,
    project: Annotated[Named, Query(description="The project's name, such as `gitlab-cern:atlas/ttbar`.")],
    analysis: Filter = None,
) -> list[RuleRecordShape]:
    """How often each rule of a project raised an alarm lately, and how often a false one."""
    site = site_of(request)
    with site.bridge.database.read() as session:
        names = all_readable(site, session, request)
        if session.get(ProjectRow, project) is None or (names is not None and project not in names):
            raise NotThere
        found = alarms_by_analysis(session, project, only=analysis)
        return [
            record_shape(project, name, record)
            for name, of_analysis in found.items()
            for record in of_analysis
        ]


@router.get("/runs")
def runs(
    request: Request,
    limit: Limit = 50,
    cursor: Cursor = "",
    project: Filter = None,
    analysis: Filter = None,
    sha: Filter = None,
    state: Filter = None,
    branch: Annotated[Filter, Query(description="A branch's or tag's name, or a full ref.")] = None,
) -> Page[shapes.RunShape]:
    """Runs, newest first."""
    part = Slice(limit, decode(cursor, 1))
    site = site_of(request)
    with site.bridge.database.read() as session:
        names = all_readable(site, session, request)
        where = queries.equal(_run, project=project, analysis=analysis, sha=sha, state=state)
        where += queries.within(_run.project, names) + queries.on_branch(branch)
        rows = queries.newest_runs(session, where, limit=limit + 1, after=_first(part.after))
        return part.page(rows, _ids(rows), [shaping.run(row) for row in rows])


@router.get("/results")
def results(
    request: Request,
    limit: Annotated[int, Query(ge=1, le=MOST)] = 20,
    cursor: Cursor = "",
    project: Filter = None,
    analysis: Filter = None,
    sha: Filter = None,
    branch: Filter = None,
) -> Page[shapes.ResultShape]:
    """What runs left, newest first."""
    part = Slice(limit, decode(cursor, 1))
    site = site_of(request)
    with site.bridge.database.read() as session:
        names = all_readable(site, session, request)
        where = queries.equal(_run, project=project, analysis=analysis, sha=sha)
        where += queries.within(_run.project, names) + queries.on_branch(branch)
        where += [_run.result.is_not(None), _run.live_key.is_(None)]
        rows = queries.newest(session, _run, where, limit=limit + 1, after=_first(part.after))
        return part.page(rows, _ids(rows), [shaping.result(row) for row in rows[:limit]])


@router.get("/comparisons")
def comparisons(
    request: Request,
    limit: Limit = 50,
    cursor: Cursor = "",
    project: Filter = None,
    analysis: Filter = None,
    sha: Filter = None,
    run: Filter = None,
) -> Page[shapes.ComparisonSummary]:
    """Comparisons, newest first."""
    part = Slice(limit, decode(cursor, 1))
    site = site_of(request)
    with site.bridge.database.read() as session:
        names = all_readable(site, session, request)
        of_runs = queries.equal(_run, project=project, analysis=analysis, sha=sha)
        of_runs += queries.within(_run.project, names)
        where = [*queries.equal(_comparison, run_id=run), *queries.of_matching_runs(_comparison, of_runs)]
        rows = queries.newest(session, _comparison, where, limit=limit + 1, after=_first(part.after))
        return part.page(rows, _ids(rows), [comparison_shapes.summary(row) for row in rows[:limit]])


@router.get("/outbox")
def outbox(
    request: Request,
    limit: Limit = 50,
    cursor: Cursor = "",
    project: Filter = None,
    sha: Filter = None,
    kind: Filter = None,
    pending: Annotated[bool | None, Query(description="Only what a forge does not show yet.")] = None,
) -> Page[shapes.OutboxShape]:
    """What forges must be made to show, newest first."""
    part = Slice(limit, decode(cursor, 1))
    site = site_of(request)
    with site.bridge.database.read() as session:
        names = all_readable(site, session, request)
        table = cast(Any, OutboxRow)
        where = queries.equal(table, project=project, sha=sha, kind=kind)
        where += queries.within(table.project, names) + queries.pending(pending)
        rows = queries.newest(session, table, where, limit=limit + 1, after=_first(part.after))
        return part.page(rows, _ids(rows), [shaping.outbox(row) for row in rows])


@router.get("/runs/{run_id}")
def one_run(request: Request, run_id: str) -> shapes.RunDetail:
    """One run with its steps."""
    with site_of(request).bridge.database.read() as session:
        opened = open_run(request, session, run_id, links="ignore")
        return shaping.run_detail(opened.run, queries.wants_of(session, run_id))


@router.get("/runs/{run_id}/logs")
def log(
    request: Request,
    run_id: str,
    step: Annotated[str, Query(max_length=500, description="`log` of one of the run's steps.")] = "",
    offset: Offset = 0,
    limit: PieceLimit = logs.PIECE,
) -> shapes.LogShape:
    """A piece of a step's log; without `step`, of the first one's."""
    site = site_of(request)
    with site.bridge.database.read() as session:
        run = open_run(request, session, run_id, links="ignore").run
        names = logs.names(session, run)
        wanted = step or (names[0] if names else "")
        if wanted not in names:
            raise NotThere
        piece = logs.read_log(site, session, run, wanted, offset, limit)
        return shapes.LogShape(
            step=wanted,
            offset=offset,
            next_offset=piece.end,
            complete=piece.complete,
            text=piece.text,
        )


@router.get("/runs/{run_id}/artifacts")
def artifacts(request: Request, run_id: str) -> list[shapes.ArtifactShape]:
    """The kept files of a run."""
    with site_of(request).bridge.database.read() as session:
        run = open_run(request, session, run_id, links="ignore").run
        return [shaping.artifact(row) for row in queries.artifacts_of(session, run.id)]


@router.get(
    "/runs/{run_id}/artifacts/{path:path}",
    response_class=Response,
    responses={200: {"content": {"application/octet-stream": {}}, "description": "The file."}},
)
def artifact(request: Request, run_id: str, path: str) -> Response:
    """The content of one kept file."""
    site = site_of(request)
    with site.bridge.database.read() as session:
        run = open_run(request, session, run_id, links="ignore").run
        row = queries.artifact(session, run.id, path)
    if row is None:
        raise NotThere
    return files.serve(site.bridge.blobs, row, public=is_public_run(site, run))


@router.post("/runs", status_code=201, responses=CHANGES | {202: {"model": shapes.Started}})
def start(request: Request, wanted: bodies.NewRun) -> Response:
    """Run a commit's analyses: 201 with the runs, or 202 when the decision takes longer."""
    from reana_bridge.steps import manual

    site = site_of(request)
    with site.bridge.database.read() as session:
        caller = caller_of(site, session, request)
    if not caller.allows("write", wanted.project):
        raise NotThere
    check_session(site, request, caller)
    try:
        ids = manual.start(
            site.bridge,
            project=wanted.project,
            ref=wanted.ref,
            sha=wanted.sha,
            analysis=wanted.analysis,
            parameters=wanted.parameters,
            actor=caller.name,
        )
    except manual.StillDeciding as error:
        return JSONResponse(shapes.Started(runs=[], delivery=error.delivery).model_dump(), 202)
    except manual.Refused as refused:
        raise Problem(409, str(refused)) from None
    return JSONResponse(shapes.Started(runs=ids, delivery=None).model_dump(), 201)


@router.post("/runs/{run_id}/cancel", responses=CHANGES)
def cancel(request: Request, run_id: str) -> shapes.Cancelled:
    """Want a run's end."""
    from reana_bridge.steps import manual

    site = site_of(request)
    opened = _open_to_change(site, request, run_id)
    try:
        was_live = manual.cancel(site.bridge, opened.run.id, actor=opened.caller.name)
    except manual.Refused as refused:
        raise Problem(409, str(refused)) from None
    return shapes.Cancelled(cancelled=was_live)


@router.post("/runs/{run_id}/rerun", status_code=201, responses=CHANGES | {202: {"model": shapes.Started}})
def rerun(request: Request, run_id: str, how: bodies.Rerun = _AS_IT_WAS) -> Response:
    """Run the same commit and analysis again, as a whole or from a step, also with other parameters."""
    from reana_bridge.steps import manual

    site = site_of(request)
    opened = _open_to_change(site, request, run_id)
    try:
        new = manual.rerun(
            site.bridge,
            opened.run.id,
            actor=opened.caller.name,
            from_step=how.from_step,
            parameters=how.parameters,
        )
    except manual.StillDeciding as error:
        return JSONResponse(shapes.Started(runs=[], delivery=error.delivery).model_dump(), 202)
    except manual.Refused as refused:
        raise Problem(409, str(refused)) from None
    return JSONResponse(shapes.Started(runs=[new], delivery=None).model_dump(), 201)


def _open_to_change(site: Site, request: Request, run_id: str) -> Opened:
    with site.bridge.database.read() as session:
        opened = open_run(request, session, run_id, links="ignore")
    if not opened.may_write:
        raise NotThere
    check_session(site, request, opened.caller)
    return opened


def check_session(site: Site, request: Request, caller: Caller) -> None:
    """Refuse a change by a cookie alone: only our own pages know the word that has to come with it."""
    if caller.session:
        check_form(site, request, caller, request.headers.get("x-form-word", ""))
