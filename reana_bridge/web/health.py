"""What machines ask of the server: is it alive, is it ready, what does it measure, what may a file hold."""

import hashlib

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from reana_bridge.model.bridge_reference import json_schema
from reana_bridge.store.hooks import NAME_HEADER, bridge_name
from reana_bridge.web import telemetry
from reana_bridge.web.auth import caller_of
from reana_bridge.web.problems import NotThere
from reana_bridge.web.site import Site, site_of
from reana_bridge.web.templating import static_file


async def healthz(request: Request) -> Response:
    """`/healthz`: the process answers, and which bridge it is."""
    name = bridge_name(site_of(request).bridge.server_key)
    return JSONResponse({"status": "alive"}, headers={NAME_HEADER: name})


def readyz(request: Request) -> Response:
    """`/readyz`: 200 when work can be done, else 503; how many things are wrong, and which."""
    problems = _problems(site_of(request))
    status = "not ready" if problems else "ready"
    return JSONResponse({"status": status, "problems": problems}, 503 if problems else 200)


def _problems(site: Site) -> list[str]:
    problems = list(site.runtime.problems()) if site.runtime is not None else []
    try:
        with site.bridge.database.read() as session:
            session.execute(text("SELECT 1"))
    except SQLAlchemyError:
        problems.append("the database does not answer")
    free, least = site.bridge.blobs.free(), site.bridge.settings.storage.minimum_free
    if free < least and not any("free for artifacts" in problem for problem in problems):
        problems.append(f"only {free} bytes are free for artifacts, {least} are wanted")
    return problems


def metrics(request: Request) -> Response:
    """`/metrics`, for Prometheus; needs a token for the whole server unless the settings make it public."""
    site = site_of(request)
    if not site.bridge.settings.server.metrics_public:
        with site.bridge.database.read() as session:
            if not caller_of(site, session, request).allows("read"):
                raise NotThere
    return Response(site.telemetry.text(), headers={"content-type": telemetry.CONTENT_TYPE})


def schema(_request: Request) -> Response:
    """`/schemas/reana-bridge.json`: the JSON Schema of `.reana-bridge.yaml`, for editors."""
    headers = {"cache-control": "public, max-age=3600", "access-control-allow-origin": "*"}
    return JSONResponse(json_schema(), headers=headers | {"cross-origin-resource-policy": "cross-origin"})


def static(request: Request) -> Response:
    """`/static/{name}`: our own style sheet, script and icon."""
    found = static_file(request.path_params["name"])
    if found is None:
        raise NotThere
    content, content_type = found
    version = hashlib.sha256(content).hexdigest()[:12]
    fresh = request.query_params.get("v") == version
    caching = "public, max-age=31536000, immutable" if fresh else "no-cache"
    headers = {"content-type": content_type, "cache-control": caching, "etag": f'"{version}"'}
    if request.headers.get("if-none-match") == f'"{version}"':
        return Response(status_code=304, headers=headers)
    return Response(content, headers=headers)


async def robots(_request: Request) -> Response:
    """`/robots.txt`: nothing here is for search engines."""
    return PlainTextResponse("User-agent: *\nDisallow: /\n")
