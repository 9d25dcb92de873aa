"""Errors as people and programs get them: problem+json (RFC 9457), or a page for who asked for one.

What may not be seen and what is not there answer the same, in status and in words.
"""

from typing import Any

import structlog
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from reana_bridge.web.templating import page

NOT_THERE = "There is nothing here, or it needs a token with rights on it."
_PROGRAMS = ("/api/", "/webhooks/", "/schemas/", "/badges/", "/metrics", "/healthz", "/readyz")
_WORDS = {
    400: "Bad request",
    403: "Refused",
    404: "Not found",
    405: "Method not allowed",
    408: "Request timeout",
    409: "Conflict",
    413: "Content too large",
    415: "Unsupported media type",
    422: "Unprocessable content",
    500: "Internal error",
    503: "Not available now",
}


class Problem(HTTPException):
    """An error with words for the reader; `detail` is one sentence."""


class NotThere(Problem):
    """Absent or forbidden: nobody can tell which."""

    def __init__(self) -> None:
        super().__init__(404, NOT_THERE)


async def on_http_error(request: Request, error: Exception) -> Response:
    """The answer to an `HTTPException`, ours or the framework's."""
    if not isinstance(error, HTTPException):
        raise error
    detail = error.detail if isinstance(error, Problem) else ""
    if error.status_code == 404:
        detail = detail or NOT_THERE
    return answer(request, error.status_code, detail, headers=dict(error.headers or {}))


async def on_invalid(_request: Request, error: Exception) -> Response:
    """The answer to parameters or a body that do not fit; what was sent is not repeated."""
    if not isinstance(error, RequestValidationError):
        raise error
    errors = [
        {"where": ".".join(str(part) for part in item["loc"])[:200], "what": str(item["msg"])[:500]}
        for item in error.errors()[:20]
    ]
    return problem(422, "Some values do not fit; `errors` says which.", errors=errors)


def failure(request: Request) -> Response:
    """The answer where nothing better is known; the log has the rest under the same id."""
    return answer(request, 500, "Something went wrong here. The log has the details under this request's id.")


def answer(request: Request, status: int, detail: str, *, headers: dict[str, str] | None = None) -> Response:
    """A page for browsers that ask for a page, problem+json for everybody else."""
    path = request.url.path
    wants_page = "text/html" in request.headers.get("accept", "") and not path.startswith(_PROGRAMS)
    if not wants_page:
        return problem(status, detail, headers=headers)
    return page(
        "error.html",
        status_code=status,
        headers=headers,
        title=_WORDS.get(status, "Error"),
        status=status,
        detail=detail,
        request_id=_request_id(),
        next=path if request.method == "GET" else "/",
        viewer=None,
    )


def problem(status: int, detail: str, *, headers: dict[str, str] | None = None, **more: Any) -> Response:
    """Problem+json of this status; `more` are further members."""
    content = {"type": "about:blank", "title": _WORDS.get(status, "Error"), "status": status}
    content |= {"detail": detail, "request": _request_id(), **more}
    return JSONResponse(content, status, headers, media_type="application/problem+json")


def _request_id() -> str:
    return str(structlog.contextvars.get_contextvars().get("request", ""))
