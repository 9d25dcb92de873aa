"""The files of a run: each by itself, a page that shows what is in it, and all of them as one archive."""

from dataclasses import dataclass, replace
from urllib.parse import quote

from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from reana_bridge.model.codec import from_data
from reana_bridge.model.comparisons import Comparison
from reana_bridge.model.drawn import DrawnFile
from reana_bridge.model.reports import Report
from reana_bridge.model.runs import RunState
from reana_bridge.reports.file_rows import FileRow, PictureRow, file_rows
from reana_bridge.reports.words import size
from reana_bridge.results.drawing.contents import is_drawn
from reana_bridge.steps.comparing.pair_files import PAIR, picture_name
from reana_bridge.steps.comparing.pictures import PICTURE
from reana_bridge.steps.previewing import PREVIEW, drawn_file
from reana_bridge.store.tables import ArtifactRow
from reana_bridge.web import files, queries
from reana_bridge.web.access import Opened, is_navigation, is_public_run, open_pair, open_run
from reana_bridge.web.archive import archive
from reana_bridge.web.pages import chrome, project_url
from reana_bridge.web.previews import Preview, preview
from reana_bridge.web.problems import NotThere, Problem
from reana_bridge.web.sheets import artifact_path
from reana_bridge.web.site import Site, site_of
from reana_bridge.web.templating import page

_DRAWN = 50


@dataclass(frozen=True, kw_only=True)
class Looked:
    """A kept file, what can be shown of it, and what became of it against the baseline (None for none).

    Attributes:
        content: What was drawn of a PDF or ROOT file; None for other kinds, and where `drawn` shows it.
    """

    row: ArtifactRow
    preview: Preview
    compared: FileRow | None
    content: DrawnFile | None = None

    @property
    def drawn(self) -> list[PictureRow]:
        """What was drawn of it when it was compared: of the whole file first."""
        if self.compared is None:
            return []
        parts = [picture for part in self.compared.parts for picture in part.pictures]
        return [*self.compared.pictures, *parts][:_DRAWN]


def artifact(request: Request) -> Response:
    """`/runs/{id}/artifacts/{path}`: a kept file; with a key in the address also for who keeps no cookies."""
    site = site_of(request)
    with site.bridge.database.read() as session:
        run = _run(request, session).run
        row = queries.artifact(session, run.id, request.path_params["path"])
    if row is None:
        raise NotThere
    download = "download" in request.query_params
    return files.serve(site.bridge.blobs, row, public=is_public_run(site, run), download=download)


def _run(request: Request, session: Session) -> Opened:
    links = "exchange" if is_navigation(request) else "count"
    return open_run(request, session, request.path_params["run_id"], links=links)


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


def drawn(request: Request) -> Response:
    """`/runs/{id}/pictures/{digest}`: a picture that was drawn when the run was compared, or of one file."""
    site = site_of(request)
    with site.bridge.database.read() as session:
        run = _run(request, session).run
        path = f"{request.path_params['digest']}.png"
        found = (queries.artifact(session, run.id, path, kind=kind) for kind in (PICTURE, PREVIEW))
        row = next((row for row in found if row is not None), None)
    if row is None:
        raise NotThere
    return files.serve(site.bridge.blobs, row, public=is_public_run(site, run))


def drawn_of_pair(request: Request) -> Response:
    """`/compare/{before}/{after}/pictures/{digest}`: one that was drawn of two runs; both must be seen."""
    site = site_of(request)
    with site.bridge.database.read() as session:
        before, after = (opened.run for opened in open_pair(request, session))
        digest = request.path_params["digest"]
        path = f"{digest}.png"
        places = (
            (after.id, PAIR, picture_name(before.id, digest)),
            (after.id, PICTURE, path),
            (after.id, PREVIEW, path),
            (before.id, PREVIEW, path),
        )
        found = (queries.artifact(session, run, name, kind=kind) for run, kind, name in places)
        row = next((row for row in found if row is not None), None)
    if row is None:
        raise NotThere
    public = is_public_run(site, before) and is_public_run(site, after)
    return files.serve(site.bridge.blobs, row, public=public)


def look(request: Request) -> Response:
    """`/runs/{id}/files/{path}`: what is in a kept file, as far as it can be shown."""
    site = site_of(request)
    with site.bridge.database.read() as session:
        opened = open_run(request, session, request.path_params["run_id"])
        row = queries.artifact(session, opened.run.id, request.path_params["path"])
        if row is None:
            raise NotThere
        kept = {each.path for each in queries.artifacts_of(session, opened.run.id)}
    looked = Looked(row=row, preview=_preview(site, row, kept), compared=_compared(opened, row.path))
    if is_drawn(row.path) and not looked.drawn:
        looked = replace(looked, content=_content(site, row))
    return page(
        "file.html",
        **chrome(site, opened.caller),
        run=opened.run,
        file=looked,
        url=artifact_path(opened.run.id, row.path, kept),
        project_url=project_url(opened.run.project) if opened.sees_project else "",
    )


def _preview(site: Site, row: ArtifactRow, kept: set[str]) -> Preview:
    limit = site.bridge.settings.limits.preview
    try:
        content = site.bridge.blobs.read(row.digest, limit)
    except FileNotFoundError:
        raise NotThere from None
    return preview(
        row.path, content, size=row.size, picture=lambda path: artifact_path(row.run_id, path, kept)
    )


def _content(site: Site, row: ArtifactRow) -> DrawnFile:
    try:
        return drawn_file(site.bridge, row)
    except FileNotFoundError:
        raise NotThere from None


def _compared(opened: Opened, path: str) -> FileRow | None:
    """What the run's comparison says of one file."""
    document = opened.comparison.document if opened.comparison else None
    if not document:
        return None
    report = Report(
        project=opened.run.project,
        analysis=opened.run.analysis,
        sha=opened.run.sha,
        state=RunState.FINISHED,
        comparison=from_data(Comparison, document),
    )
    return next((row for row in file_rows(report) if row.path == path and row.word), None)


def all_files(request: Request) -> Response:
    """`/runs/{id}/artifacts.zip`: everything that the run left, one archive made while it is sent."""
    site = site_of(request)
    with site.bridge.database.read() as session:
        opened = open_run(request, session, request.path_params["run_id"])
        rows = queries.artifacts_of(session, opened.run.id)
    if not rows:
        raise NotThere
    limit = site.bridge.settings.limits.download
    total = sum(row.size for row in rows)
    if total > limit:
        raise Problem(
            413,
            f"The files take {size(total)}, more than the {size(limit)} of `limits.download`; "
            "get them one by one.",
        )
    name = quote(f"{opened.run.analysis}-{opened.run.sha[:7]}-{opened.run.id[-6:]}.zip")
    headers = {
        "content-disposition": f"attachment; filename*=UTF-8''{name}",
        "content-security-policy": "sandbox; default-src 'none'",
        "cache-control": "private, no-store",
    }
    return StreamingResponse(archive(site.bridge.blobs, rows), headers=headers, media_type="application/zip")
