"""The front page, a project, a commit, and signing in and out. Works without scripts; private by default."""

from collections.abc import Iterable
from typing import Any, cast
from urllib.parse import parse_qs, quote

from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from reana_bridge.model.projects import Project
from reana_bridge.steps.comparing.alarms import RUNS, alarms_by_analysis
from reana_bridge.steps.pausing import pauses_on, pauses_seen, sentence
from reana_bridge.store.hooks import broken_hooks
from reana_bridge.store.tables import Decision, Delivery, ProjectRow, Run
from reana_bridge.web import auth, queries
from reana_bridge.web.auth import Caller
from reana_bridge.web.histories import History, history
from reana_bridge.web.problems import NotThere, Problem
from reana_bridge.web.site import Site, site_of
from reana_bridge.web.templating import page

RUNS_SHOWN = 30
HOOKS_SHOWN = 10
_FORM_LIMIT = 16 * 1024
_run, _decision = cast(Any, Run), cast(Any, Decision)


def chrome(
    site: Site, caller: Caller, pauses: Iterable[str] = (), *, problems: Iterable[str] = ()
) -> dict[str, Any]:
    """What every page's frame needs.

    Args:
        site: Whose page it is.
        caller: Who asks.
        pauses: Why work that the page shows is stopped, a sentence each.
        problems: What somebody has to mend, a sentence each.
    """
    return {
        "viewer": caller if caller.grant else None,
        "word": auth.form_word(site, caller),
        "pauses": [*pauses],
        "problems": [*problems],
        "rehearses": site.bridge.settings.server.shadow,
    }


def front(request: Request) -> Response:
    """`/`: projects with their state, the queue, recent runs; signing in for who may see nothing."""
    site = site_of(request)
    with site.bridge.database.read() as session:
        caller = auth.caller_of(site, session, request)
        names = auth.readable(site, session, caller)
        if names == [] and caller.grant is None:
            return _sign_in_page(site, caller, next="/")
        projects = queries.projects(session, names, limit=200)
        latest = queries.lines(session, queries.newest_on_default_branches(session, projects))
        where = queries.within(_run.project, names)
        recent = queries.newest_runs(session, where, limit=RUNS_SHOWN, after=None)
        return page(
            "front.html",
            **chrome(
                site,
                caller,
                [sentence(row) for row in pauses_seen(session, names)],
                problems=_hooks(session, caller),
            ),
            projects=[(p, [line for line in latest if line.run.project == p.name]) for p in projects],
            recent=queries.lines(session, recent),
            live=queries.counts_by_state(session, where),
            inbox=site.bridge.inbox.size if caller.allows("read") else 0,
        )


def project(request: Request) -> Response:
    """`/projects/{forge}/{path}`: runs, each metric's line, decisions."""
    site = site_of(request)
    name = _project_name(request)
    branch = _plain(request.query_params.get("branch", ""))
    before = _plain(request.query_params.get("before", "")) or None
    with site.bridge.database.read() as session:
        caller = auth.caller_of(site, session, request)
        row = _visible_project(site, session, caller, name)
        where = [_run.project == name, *queries.on_branch(branch or None)]
        found = queries.newest_runs(session, where, limit=RUNS_SHOWN + 1, after=before)
        decisions = (
            []
            if before
            else queries.newest(session, Decision, [_decision.project == name], limit=10, after=None)
        )
        return page(
            "project.html",
            **chrome(
                site, caller, _pauses(site, session, name), problems=_hooks(session, caller, project=name)
            ),
            project=row,
            public=auth.is_public(site, name),
            branch=branch,
            branches=queries.branches(session, name),
            runs=queries.lines(session, found[:RUNS_SHOWN]),
            older=found[RUNS_SHOWN - 1].id if len(found) > RUNS_SHOWN else "",
            before=before,
            decisions=decisions,
            alarms={} if before else alarms_by_analysis(session, name),
            looked_back=RUNS,
            histories=[] if before else _histories(session, row, request),
            may_write=caller.allows("write", name),
        )


def _histories(session: Session, row: ProjectRow, request: Request) -> list[History]:
    wanted = _plain(request.query_params.get("analysis", ""))
    start = request.query_params.get("from", "0")
    skip = int(start) if start.isascii() and start.isdigit() and len(start) < 7 else 0
    names = [run.analysis for run in queries.newest_on_default_branches(session, [row])]
    shown = [name for name in names if not wanted or name == wanted][:20]
    found = [history(session, row, name, skip if name == wanted else 0) for name in shown]
    return [each for each in found if each.total]


def commit(request: Request) -> Response:
    """`/commits/{forge}/{path}/{sha}`: what touched a commit, and why."""
    site = site_of(request)
    name, sha = _project_name(request), request.path_params["sha"].lower()
    if not 7 <= len(sha) <= 64 or set(sha) - set("0123456789abcdef"):
        raise NotThere
    with site.bridge.database.read() as session:
        caller = auth.caller_of(site, session, request)
        row = _visible_project(site, session, caller, name)
        decisions: list[Decision] = queries.of_commit(session, Decision, name, sha)
        runs: list[Run] = queries.of_commit(session, Run, name, sha)
        shas = {row.sha for row in (*decisions, *runs)}
        if len(shas) != 1:
            raise NotThere
        received = {d.id: session.get(Delivery, d.delivery_id) for d in decisions}
        return page(
            "commit.html",
            **chrome(site, caller, _pauses(site, session, name)),
            project=row,
            sha=shas.pop(),
            decisions=decisions,
            received=received,
            runs=queries.lines(session, runs),
            reports=queries.outbox_of(session, name, sha),
        )


async def sign_in(request: Request) -> Response:
    """`POST /sign-in`: a token for a session cookie."""
    form = await read_form(request)
    return await run_in_threadpool(_sign_in, request, form)


def _sign_in(request: Request, form: dict[str, str]) -> Response:
    site = site_of(request)
    target = _local(form.get("next", "/"))
    with site.bridge.database.read() as session:
        caller = Caller(form=request.cookies.get(auth.FORM_COOKIE, ""))
        auth.check_form(site, request, caller, form.get("word", ""))
        cookie = auth.sign_in(site, session, form.get("token", "").strip())
        if cookie is None:
            return _sign_in_page(site, caller, next=target, wrong=True)
    response = RedirectResponse(target, 303)
    auth.set_cookie(site, response, auth.SESSION_COOKIE, cookie, path="/", seconds=auth.SESSION_SECONDS)
    return response


def sign_in_page(request: Request) -> Response:
    """`GET /sign-in`."""
    site = site_of(request)
    with site.bridge.database.read() as session:
        caller = auth.caller_of(site, session, request)
    return _sign_in_page(site, caller, next=_local(request.query_params.get("next", "/")))


def _sign_in_page(site: Site, caller: Caller, *, next: str, wrong: bool = False) -> Response:
    fresh = Caller(form=caller.form or auth.new_form_cookie())
    response = page(
        "sign_in.html",
        status_code=403 if wrong else 200,
        viewer=caller if caller.grant else None,
        word=auth.form_word(site, fresh),
        next=next,
        wrong=wrong,
    )
    auth.set_cookie(site, response, auth.FORM_COOKIE, fresh.form, path="/", seconds=86400)
    return response


async def sign_out(request: Request) -> Response:
    """`POST /sign-out`: the end of a session in this browser."""
    form = await read_form(request)
    return await run_in_threadpool(_sign_out, request, form)


def _sign_out(request: Request, form: dict[str, str]) -> Response:
    site = site_of(request)
    with site.bridge.database.read() as session:
        caller = auth.caller_of(site, session, request)
    auth.check_form(site, request, caller, form.get("word", ""))
    response = RedirectResponse("/", 303)
    auth.set_cookie(site, response, auth.SESSION_COOKIE, "", path="/", seconds=0)
    return response


async def read_form(request: Request) -> dict[str, str]:
    """The fields of a submitted form, the first of each name.

    Raises:
        Problem: It is no form of ours, or too large.
    """
    if (
        request.headers.get("content-type", "").partition(";")[0].strip()
        != "application/x-www-form-urlencoded"
    ):
        raise Problem(415, "Send the form as a browser does.")
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > _FORM_LIMIT:
            raise Problem(413, f"A form of more than {_FORM_LIMIT} bytes is not taken.")
    try:
        fields = parse_qs(body.decode("utf-8", "replace"), max_num_fields=20)
    except ValueError:
        raise Problem(400, "The form has too many fields.") from None
    return {name: values[0] for name, values in fields.items()}


def project_url(name: str) -> str:
    """The path of a project's page."""
    forge, _, path = name.partition(":")
    return f"/projects/{quote(forge)}/{quote(path)}"


def _local(target: str) -> str:
    """`target` where it is a path here; the front page else."""
    fine = target.startswith("/") and not target.startswith(("//", "/\\")) and target.isprintable()
    return quote(target, safe="/?=&%:.-_~+,") if fine else "/"


def _project_name(request: Request) -> str:
    return f"{request.path_params['forge']}:{request.path_params['path']}"


def _visible_project(site: Site, session: Session, caller: Caller, name: str) -> ProjectRow:
    try:
        Project.parse(name)
    except ValueError:
        raise NotThere from None
    row = session.get(ProjectRow, name)
    if row is None or not auth.may_read(site, caller, name):
        raise NotThere
    return row


def _pauses(site: Site, session: Session, name: str) -> tuple[str, ...]:
    settings = site.bridge.settings
    rule = settings.project(Project.parse(name))
    return pauses_on(session, name, settings.backend_of(rule) if rule else "")


def _hooks(session: Session, caller: Caller, *, project: str = "") -> list[str]:
    """What is wrong with hooks (of one project), for who may do something about it."""
    broken = [row for row in broken_hooks(session) if project in ("", row.project)]
    return [f"{row.project}: {row.problem}" for row in broken if caller.allows("write", row.project)][
        :HOOKS_SHOWN
    ]


def _plain(text: str) -> str:
    """A filter from an address; what no database can hold is no filter."""
    return text if len(text) <= 500 and "\x00" not in text else ""
