"""The one layer around every page and API call: request id, access log, safe headers, and no bare 500.

The log names method, path (never the query, which may hold a report's key), status and milliseconds.
"""

import time
import traceback
from typing import Any

import structlog
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from reana_bridge.store.ids import new_id
from reana_bridge.web.problems import Problem, failure

PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_SAFE = {
    "content-security-policy": PAGE_POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}
_BODY_LIMIT = 1 << 20
_QUIET = ("/healthz", "/readyz", "/metrics", "/static/")
_log = structlog.get_logger()


class Around:
    """ASGI middleware; see the module.

    Args:
        app: What is inside.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request through."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        with structlog.contextvars.bound_contextvars(request=new_id()):
            await self._request(scope, receive, send)

    async def _request(self, scope: Scope, receive: Receive, send: Send) -> None:
        status = 0
        started = time.perf_counter()

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                add_safe_headers(message)
            await send(message)

        try:
            await self._app(scope, _limited(receive), watched)
        except Exception as error:
            # The last resort: the reader gets an answer with an id, the log the whole story.
            _log.error("request.failed", path=scope["path"], error=_story(error))
            if status == 0:
                await failure(Request(scope, receive))(scope, receive, watched)
        _record(scope, status, time.perf_counter() - started)


def _limited(receive: Receive) -> Receive:
    """`receive` that refuses bodies longer than any form or order of ours."""
    size = 0

    async def limited() -> Message:
        nonlocal size
        message = await receive()
        size += len(message.get("body", b""))
        if size > _BODY_LIMIT:
            raise Problem(413, f"A body of more than {_BODY_LIMIT} bytes is not taken.")
        return message

    return limited


def add_safe_headers(message: Message) -> None:
    """Put what keeps a page safe into the start of a response, where the response does not say otherwise."""
    headers = MutableHeaders(scope=message)
    for name, value in _SAFE.items():
        headers.setdefault(name, value)
    request_id: Any = structlog.contextvars.get_contextvars().get("request", "")
    headers.setdefault("x-request-id", request_id)


def _record(scope: Scope, status: int, seconds: float) -> None:
    path: str = scope["path"]
    write = _log.debug if path.startswith(_QUIET) and status < 500 else _log.info
    write(
        "request.answered",
        method=scope["method"],
        path=path[:300],
        status=status,
        milliseconds=round(seconds * 1000, 1),
    )


def _story(error: Exception) -> str:
    return "".join(traceback.format_exception(error, limit=-12))[-8000:]
