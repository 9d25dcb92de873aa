"""The pages of one run and of a comparison, and the buttons on them."""

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response

from reana_bridge.model.runs import LIVE
from reana_bridge.steps.comparing.pair import pair_report
from reana_bridge.steps.reporting import report_of
from reana_bridge.web import auth, logs
from reana_bridge.web.access import Opened, open_comparison, open_pair, open_run
from reana_bridge.web.pages import chrome, project_url, read_form
from reana_bridge.web.problems import NotThere, Problem
from reana_bridge.web.sheets import RunSheet, sheet_of
from reana_bridge.web.site import Site, site_of
from reana_bridge.web.templating import page


def run(request: Request) -> Response:
    """`/runs/{id}`: the whole page of a run."""
    return _sheet_page(request, "run.html")


def live(request: Request) -> Response:
    """`/runs/{id}/live`: the part of the page that changes while the run goes on."""
    return _sheet_page(request, "live.html")


def _sheet_page(request: Request, template: str) -> Response:
    site = site_of(request)
    with site.bridge.database.read() as session:
        opened = open_run(request, session, request.path_params["run_id"])
        sheet = sheet_of(site, session, opened, report_of(site.bridge, session, opened.run))
    return _render(site, template, sheet)


def comparison(request: Request) -> Response:
    """`/comparisons/{id}`: a comparison in full, under an address that stays."""
    site = site_of(request)
    with site.bridge.database.read() as session:
        opened = open_comparison(request, session, request.path_params["comparison_id"])
        sheet = sheet_of(site, session, opened, report_of(site.bridge, session, opened.run))
    return _render(site, "comparison.html", sheet)


def pair(request: Request) -> Response:
    """`/compare/{before}/{after}`: any two runs against each other; both must be the caller's to see."""
    site = site_of(request)
    with site.bridge.database.read() as session:
        before, after = open_pair(request, session)
    report = pair_report(site.bridge, before.run, after.run)
    with site.bridge.database.read() as session:
        sheet = sheet_of(site, session, after, report, baseline=before.run)
    return _render(site, "comparison.html", sheet)


def _render(site: Site, template: str, sheet: RunSheet) -> Response:
    run = sheet.opened.run
    return page(
        template,
        headers={"x-run-live": "yes" if sheet.is_live else "no"},
        **chrome(site, sheet.opened.caller, sheet.pauses),
        sheet=sheet,
        run=run,
        view=sheet.view,
        project_url=project_url(run.project) if sheet.opened.sees_project else "",
        commit_url=commit_url(run.project, run.sha) if sheet.opened.sees_project else "",
        comparison_url=_comparison_url(sheet.opened),
    )


def commit_url(project: str, sha: str) -> str:
    """The path of a commit's page."""
    return project_url(project).replace("/projects/", "/commits/", 1) + f"/{sha}"


def _comparison_url(opened: Opened) -> str:
    if opened.comparison is None:
        return ""
    return f"/comparisons/{opened.comparison.id}" + (f"?key={opened.key}" if opened.key else "")


def log(request: Request) -> Response:
    """`/runs/{id}/logs/{step}`: a step's whole log, piece by piece; as plain text with `raw`."""
    site = site_of(request)
    wanted = request.query_params.get("offset", "0")
    offset = int(wanted) if wanted.isascii() and wanted.isdigit() and len(wanted) < 14 else 0
    step = request.path_params["step"]
    with site.bridge.database.read() as session:
        opened = open_run(request, session, request.path_params["run_id"])
        if step not in logs.names(session, opened.run):
            raise NotThere
        piece = logs.read_log(site, session, opened.run, step, offset)
    if "raw" in request.query_params:
        more = {"x-next-offset": str(piece.end), "x-complete": "yes" if piece.complete else "no"}
        policy = {"content-security-policy": "sandbox; default-src 'none'"}
        return PlainTextResponse(piece.text.encode("utf-8", "replace"), headers=more | policy)
    return page(
        "log.html",
        **chrome(site, opened.caller),
        run=opened.run,
        step=step,
        piece=piece,
        is_live=opened.run.state in LIVE,
        piece_size=logs.PIECE,
        project_url=project_url(opened.run.project) if opened.sees_project else "",
    )


async def cancel(request: Request) -> Response:
    """`POST /runs/{id}/cancel`."""
    form = await read_form(request)
    return await run_in_threadpool(_change, request, form, "cancel")


async def rerun(request: Request) -> Response:
    """`POST /runs/{id}/rerun`."""
    form = await read_form(request)
    return await run_in_threadpool(_change, request, form, "rerun")


def _change(request: Request, form: dict[str, str], what: str) -> Response:
    from reana_bridge.steps import manual

    site = site_of(request)
    with site.bridge.database.read() as session:
        opened = open_run(request, session, request.path_params["run_id"])
    run, caller = opened.run, opened.caller
    if not opened.may_write:
        raise NotThere
    auth.check_form(site, request, caller, form.get("word", ""))
    try:
        if what == "cancel":
            manual.cancel(site.bridge, run.id, actor=caller.name)
            return RedirectResponse(f"/runs/{run.id}", 303)
        new = manual.rerun(site.bridge, run.id, actor=caller.name, from_step=form.get("from_step", ""))
    except manual.Refused as refused:
        raise Problem(409, f"{str(refused)[:1].upper()}{str(refused)[1:]}.") from None
    return RedirectResponse(f"/runs/{new}", 303)
