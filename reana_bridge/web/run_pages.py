"""The pages of one run: the run, its logs and files, its comparison, and the buttons on it."""

from collections import Counter
from dataclasses import dataclass, replace
from urllib.parse import quote

from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response

from reana_bridge.model.results import StepRecord, StepState
from reana_bridge.model.runs import LIVE, RunState
from reana_bridge.reports.file_rows import FileRow
from reana_bridge.reports.rows import StepRow, Tone
from reana_bridge.reports.view import ReportView, view
from reana_bridge.steps.pausing import pauses_on
from reana_bridge.steps.reporting import analysis_of, report_of
from reana_bridge.store.tables import ArtifactRow, Decision, Run, Want
from reana_bridge.web import auth, files, logs, queries
from reana_bridge.web.access import Opened, is_navigation, is_public_run, open_comparison, open_run
from reana_bridge.web.pages import chrome, project_url, read_form
from reana_bridge.web.problems import NotThere, Problem
from reana_bridge.web.site import Site, site_of
from reana_bridge.web.templating import page

FILES_SHOWN = 500


@dataclass(frozen=True, kw_only=True)
class StepLine:
    """A step with its log: the end of it while it runs or where it failed, else a link only."""

    row: StepRow
    record: StepRecord
    tail: str = ""


@dataclass(frozen=True, kw_only=True)
class Plot:
    """A picture of this commit and of the baseline; addresses are empty where there is none."""

    path: str
    word: str
    baseline: str
    head: str


@dataclass(frozen=True, kw_only=True)
class KeptFile:
    """An artifact: what became of it against the baseline, its size, its address."""

    path: str
    word: str
    tone: str
    size: int | None
    url: str


@dataclass(frozen=True, kw_only=True)
class RunSheet:
    """What the pages of a run show, gathered in one read.

    Attributes:
        opened: The run, and who looks at it.
        view: Its report as words.
        steps: With the tails of their logs.
        plots: Pictures side by side.
        files: The kept files.
        more_files: How many are not listed.
        decision: Why it runs; None for one of unknown origin.
        wants: Who wants it, or wanted it.
        baseline: The run that it is compared with; None for none.
        pauses: Why work that concerns it is stopped, while it lives.
    """

    opened: Opened
    view: ReportView
    steps: list[StepLine]
    plots: list[Plot]
    files: list[KeptFile]
    more_files: int
    decision: Decision | None
    wants: list[Want]
    baseline: Run | None
    pauses: tuple[str, ...]

    @property
    def specification(self) -> str:
        """The file that says what the run does."""
        run = self.opened.run
        return analysis_of(run).file if run.settings else "reana.yaml"

    @property
    def steps_first(self) -> bool:
        """Whether the steps say more than the result: before there is one, and where there is none."""
        return self.opened.run.state != RunState.FINISHED

    @property
    def files_line(self) -> str:
        """How many of the files are what against the baseline; empty without one."""
        words = Counter(file.word for file in self.files if file.word)
        return ", ".join(f"{count} {word}" for word, count in words.most_common())

    @property
    def is_live(self) -> bool:
        """Whether the run goes on."""
        return self.opened.run.state in LIVE


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
        sheet = _sheet(site, session, opened)
    return _render(site, template, sheet)


def comparison(request: Request) -> Response:
    """`/comparisons/{id}`: a comparison in full, under an address that stays."""
    site = site_of(request)
    with site.bridge.database.read() as session:
        opened = open_comparison(request, session, request.path_params["comparison_id"])
        sheet = _sheet(site, session, opened)
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


def _sheet(site: Site, session: Session, opened: Opened) -> RunSheet:
    run = opened.run
    report = replace(report_of(site.bridge, session, run), artifact_urls={}, baseline_artifact_urls={})
    shown = view(report)
    rows = queries.artifacts_of(session, run.id)
    baseline_id = opened.comparison.baseline_run_id if opened.comparison else None
    baseline = session.get(Run, baseline_id) if baseline_id else None
    records = {number: record for number, record in enumerate(report.steps, 1)}
    plots = _plots(shown.plots, run, {row.path for row in rows})
    pictured = {plot.path for plot in plots}
    listed = [
        file
        for file in _files((*shown.plots, *shown.files), run, rows)
        if file.path not in pictured or file.url
    ]
    return RunSheet(
        opened=opened,
        view=shown,
        steps=[_step(site, session, run, row, records[row.number]) for row in shown.steps],
        plots=plots,
        files=listed[:FILES_SHOWN],
        more_files=max(0, len(listed) - FILES_SHOWN),
        decision=queries.decision_of(session, run.delivery_id),
        wants=queries.wants_of(session, run.id),
        baseline=baseline,
        pauses=pauses_on(session, run.project, run.backend) if run.state in LIVE else (),
    )


def _step(site: Site, session: Session, run: Run, row: StepRow, record: StepRecord) -> StepLine:
    wanted = record.state in (StepState.RUNNING, StepState.FAILED) and bool(record.log)
    tail = logs.tail(site, session, run, record.log) if wanted else ""
    return StepLine(row=row, record=record, tail=tail)


def _plots(pictures: tuple[FileRow, ...], run: Run, kept: set[str]) -> list[Plot]:
    return [
        Plot(
            path=row.path,
            word=row.word,
            baseline=f"/runs/{run.id}/baseline/{quote(row.path)}" if row.word not in ("", "new") else "",
            head=f"/runs/{run.id}/artifacts/{quote(row.path)}" if row.path in kept else "",
        )
        for row in pictures
        if files.is_picture(row.path)
    ][:50]


def _files(rows: tuple[FileRow, ...], run: Run, kept: list[ArtifactRow]) -> list[KeptFile]:
    sizes = {row.path: row.size for row in kept}
    known = {row.path for row in rows}
    unknown = [FileRow(path=row.path, word="", tone=Tone.NEUTRAL) for row in kept if row.path not in known]
    known_first = sorted((*rows, *unknown), key=lambda row: (row.word in ("identical", ""), row.path))
    return [
        KeptFile(
            path=row.path,
            word=row.word,
            tone=str(row.tone),
            size=sizes.get(row.path),
            url=f"/runs/{run.id}/artifacts/{quote(row.path)}" if row.path in sizes else "",
        )
        for row in known_first
    ]


def artifact(request: Request) -> Response:
    """`/runs/{id}/artifacts/{path}`: a kept file; with a key in the address also for who keeps no cookies."""
    site = site_of(request)
    with site.bridge.database.read() as session:
        run_id = request.path_params["run_id"]
        run = open_run(request, session, run_id, links="exchange" if is_navigation(request) else "count").run
        row = queries.artifact(session, run.id, request.path_params["path"])
    if row is None:
        raise NotThere
    return files.serve(
        site.bridge.blobs, row, public=is_public_run(site, run), download="download" in request.query_params
    )


def baseline_picture(request: Request) -> Response:
    """`/runs/{id}/baseline/{path}`: a picture of the baseline, as the run's own page shows it."""
    site = site_of(request)
    path = request.path_params["path"]
    with site.bridge.database.read() as session:
        opened = open_run(request, session, request.path_params["run_id"])
        baseline = opened.comparison.baseline_run_id if opened.comparison else None
        row = queries.artifact(session, baseline, path) if baseline and files.is_picture(path) else None
    if row is None:
        raise NotThere
    return files.serve(site.bridge.blobs, row, public=is_public_run(site, opened.run))


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
        new = manual.rerun(site.bridge, run.id, actor=caller.name)
    except manual.Refused as refused:
        raise Problem(409, f"{str(refused)[:1].upper()}{str(refused)[1:]}.") from None
    return RedirectResponse(f"/runs/{new}", 303)
