"""The ASGI app: every address that the bridge answers, and what surrounds them all."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from reana_bridge import __version__
from reana_bridge.steps.bridge import Bridge
from reana_bridge.web import api, badges, file_pages, forms, health, outbox_page, pages, pauses, run_pages
from reana_bridge.web.access import WithoutKey, on_without_key
from reana_bridge.web.door import PREFIX, Door
from reana_bridge.web.middleware import Around
from reana_bridge.web.problems import on_http_error, on_invalid
from reana_bridge.web.site import Runtime, Site
from reana_bridge.web.telemetry import Telemetry


def make_app(bridge: Bridge, *, runtime: Runtime | None = None, takes_webhooks: bool = True) -> FastAPI:
    """The app that serves `bridge`.

    Args:
        bridge: Opened; closed by the caller after the app's end.
        runtime: Started before the first request and stopped after the last, in a thread; None where the
            caller does so (the inbox has to be started for webhooks to be answered).
        takes_webhooks: Whether deliveries are taken and pages shown; else it only says how it is.
    """

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncGenerator[None]:
        if runtime is not None:
            await run_in_threadpool(runtime.start)
        yield
        if runtime is not None:
            await run_in_threadpool(runtime.stop)

    site = Site(bridge=bridge, runtime=runtime, telemetry=Telemetry(bridge))
    app = _App(
        title="REANA bridge",
        version=__version__,
        description="From a push to a verdict on the science.",
        lifespan=lifespan,
        routes=[*_health(), *_pages()] if takes_webhooks else _health(),
        openapi_url="/api/openapi.json" if takes_webhooks else None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        default_response_class=AsciiJSON,
        exception_handlers={
            HTTPException: on_http_error,
            RequestValidationError: on_invalid,
            WithoutKey: on_without_key,
        },
    )
    app.state.site = site
    if takes_webhooks:
        app.door = Door(site)
        app.include_router(api.router)
        app.include_router(forms.router)
        app.include_router(pauses.router)
    app.add_middleware(Around)
    return app


class _App(FastAPI):
    """An app whose webhooks go to their door before anything else looks at them."""

    door: Door | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.door is not None and scope["type"] == "http" and scope["path"].startswith(PREFIX):
            await self.door(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)


class AsciiJSON(JSONResponse):
    """JSON in ASCII: whatever text a run left, it can be sent."""

    def render(self, content: Any) -> bytes:
        """The bytes of `content`."""
        import json

        return json.dumps(content, allow_nan=False, separators=(",", ":")).encode("ascii")


def _health() -> list[BaseRoute]:
    return [
        Route("/healthz", health.healthz),
        Route("/readyz", health.readyz),
        Route("/metrics", health.metrics),
    ]


def _pages() -> list[BaseRoute]:
    return [
        Route("/", pages.front),
        Route("/sign-in", pages.sign_in_page, methods=["GET"]),
        Route("/sign-in", pages.sign_in, methods=["POST"]),
        Route("/sign-out", pages.sign_out, methods=["POST"]),
        Route("/projects/{forge}/{path:path}", pages.project),
        Route("/commits/{forge}/{path:path}/{sha}", pages.commit),
        Route("/outbox", outbox_page.outbox),
        Route("/runs/{run_id}", run_pages.run),
        Route("/runs/{run_id}/live", run_pages.live),
        Route("/runs/{run_id}/logs/{step:path}", run_pages.log),
        Route("/runs/{run_id}/artifacts.zip", file_pages.all_files),
        Route("/runs/{run_id}/artifacts/{path:path}", file_pages.artifact),
        Route("/runs/{run_id}/files/{path:path}", file_pages.look),
        Route("/runs/{run_id}/pictures/{digest}", file_pages.drawn),
        Route("/runs/{run_id}/baseline/{path:path}", file_pages.baseline_picture),
        Route("/runs/{run_id}/cancel", run_pages.cancel, methods=["POST"]),
        Route("/runs/{run_id}/rerun", run_pages.rerun, methods=["POST"]),
        Route("/comparisons/{comparison_id}", run_pages.comparison),
        Route("/compare/{before}/{after}", run_pages.pair),
        Route("/compare/{before}/{after}/pictures/{digest}", file_pages.drawn_of_pair),
        Route("/badges/{forge}/{path:path}.svg", badges.badge),
        Route("/schemas/reana-bridge.json", health.schema),
        Route("/static/{name}", health.static),
        Route("/robots.txt", health.robots),
    ]
