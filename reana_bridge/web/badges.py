"""Badges: the state of a branch, or the newest value of one of its metrics, as a small picture.

A private project's badge needs the project's badge key (`?key=`), which shows badges and nothing else.
"""

import hashlib
import hmac

from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import Response

from reana_bridge.reports.badge import badge as draw
from reana_bridge.reports.numbers import show
from reana_bridge.reports.rows import Tone
from reana_bridge.store.tables import ProjectRow, Run
from reana_bridge.store.tokens import badge_key
from reana_bridge.web import queries
from reana_bridge.web.auth import caller_of, may_read
from reana_bridge.web.problems import NotThere
from reana_bridge.web.site import Site, site_of

_WORDS = {  # the worst first: several analyses show the worst of theirs
    "failure": ("failed", Tone.BAD),
    "error": ("could not run", Tone.WARN),
    "cancelled": ("cancelled", Tone.MUTED),
    "pending": ("waiting", Tone.NEUTRAL),
    "running": ("running", Tone.NEUTRAL),
    "success": ("passed", Tone.GOOD),
}


def badge(request: Request) -> Response:
    """`/badges/{forge}/{path}.svg?branch=&analysis=&metric=`."""
    site = site_of(request)
    name = f"{request.path_params['forge']}:{request.path_params['path']}"
    asked = {key: request.query_params.get(key, "") for key in ("branch", "analysis", "metric")}
    if any(len(text) > 500 or "\x00" in text for text in (name, *asked.values())):
        raise NotThere
    with site.bridge.database.read() as session:
        project = session.get(ProjectRow, name)
        if project is None or not _may_see(site, session, request, project):
            raise NotThere
        branch = asked["branch"] or project.default_branch
        drawn = _drawn(session, name, branch, asked["analysis"], asked["metric"])
    return _answer(request, drawn)


def _may_see(site: Site, session: Session, request: Request, project: ProjectRow) -> bool:
    given = request.query_params.get("key", "").encode("utf-8", "surrogatepass")
    if hmac.compare_digest(badge_key(site.bridge.server_key, project).encode(), given):
        return True
    return may_read(site, caller_of(site, session, request), project.name)


def _drawn(session: Session, project: str, branch: str, analysis: str, metric: str) -> str:
    runs = queries.newest_of_branch(session, project, branch, analysis, finished=bool(metric))
    if metric:
        return _metric(session, runs, metric)
    label = f"reana/{analysis}" if analysis else "reana"
    states = [line.state for line in queries.lines(session, runs)]
    worst = next((state for state in _WORDS if state in states), None)
    word, tone = _WORDS[worst] if worst else ("no run", Tone.MUTED)
    return draw(label, word, tone)


def _metric(session: Session, runs: list[Run], metric: str) -> str:
    values = queries.metric_values(session, [run.id for run in runs], [metric])
    if not values:
        return draw(metric, "unknown", Tone.MUTED)
    newest = max(values, key=lambda row: row.run_id)
    return draw(metric, f"{show(newest.value, newest.uncertainty)} {newest.unit}".strip())


def _answer(request: Request, drawn: str) -> Response:
    content = drawn.encode("utf-8", "replace")
    etag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
    headers = {
        "etag": etag,
        "cache-control": "no-cache",
        "content-type": "image/svg+xml",
        "content-security-policy": "sandbox; default-src 'none'",
        "cross-origin-resource-policy": "cross-origin",
    }
    if etag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(content, headers=headers)
