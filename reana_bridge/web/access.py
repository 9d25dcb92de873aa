"""Opens a run or a comparison for whoever asks, by token, session, or report link; absent for all others."""

from dataclasses import dataclass
from typing import Literal

from sqlalchemy.orm import Session
from starlette.datastructures import URL
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from reana_bridge.steps.reporting import comparison_row
from reana_bridge.store.tables import ComparisonRow, ProjectRow, Run
from reana_bridge.store.tokens import link_key
from reana_bridge.web import queries
from reana_bridge.web.auth import Caller, caller_of, give_run_cookie, has_key, is_public, may_read, opens_run
from reana_bridge.web.problems import NotThere
from reana_bridge.web.site import Site, site_of


@dataclass(frozen=True, kw_only=True)
class Opened:
    """A run that the caller may see.

    Attributes:
        run: The run.
        project: What is remembered of its project.
        comparison: Its comparison; None before there is one.
        caller: Who asks.
        key: The key of its pages where the caller sees them by a link only; empty else.
    """

    run: Run
    project: ProjectRow
    comparison: ComparisonRow | None
    caller: Caller
    key: str = ""

    @property
    def may_write(self) -> bool:
        """Whether the caller may cancel and run again."""
        return self.caller.allows("write", self.run.project)

    @property
    def sees_project(self) -> bool:
        """Whether the caller may see more than this one run."""
        return not self.key


class WithoutKey(Exception):
    """The visitor is to come again without the key in the address; `response` gives the cookie."""

    def __init__(self, response: Response) -> None:
        super().__init__()
        self.response = response


async def on_without_key(_request: Request, error: Exception) -> Response:
    """The redirect that a `WithoutKey` carries."""
    if not isinstance(error, WithoutKey):
        raise error
    return error.response


Links = Literal["exchange", "count", "ignore"]
"""What a link's key in the address does: is exchanged for a cookie, counts as it is, or means nothing."""


def open_run(request: Request, session: Session, run_id: str, *, links: Links = "exchange") -> Opened:
    """The run, if the caller may see it.

    Args:
        request: Who asks, and how.
        session: To read from.
        run_id: From the address.
        links: What the key of a report link, or the cookie it was exchanged for, does.

    Raises:
        NotThere: There is none, or the caller may not see it.
        WithoutKey: The key in the address has been exchanged.
    """
    run = queries.run_by_id(session, run_id)
    return _open(request, session, run, links)


def open_comparison(request: Request, session: Session, comparison_id: str) -> Opened:
    """The run of a comparison; arguments and errors as for `open_run`."""
    row = queries.comparison_by_id(session, comparison_id)
    run = queries.run_by_id(session, row.run_id) if row else None
    return _open(request, session, run, "exchange")


def _open(request: Request, session: Session, run: Run | None, links: Links) -> Opened:
    site = site_of(request)
    caller = caller_of(site, session, request)
    project = session.get(ProjectRow, run.project) if run else None
    if run is None or project is None:
        raise NotThere
    comparison = comparison_row(session, run.id)
    allowed = may_read(site, caller, run.project)
    keyed = links != "ignore" and has_key(site, request, project, run.id)
    if (allowed or keyed) and links == "exchange" and "key" in request.query_params:
        raise WithoutKey(_exchange(site, request, project, run, comparison, allowed=allowed))
    if allowed:
        return Opened(run=run, project=project, comparison=comparison, caller=caller)
    if keyed or (links != "ignore" and opens_run(site, request, project, run.id)):
        key = link_key(site.bridge.server_key, project, run.id)
        return Opened(run=run, project=project, comparison=comparison, caller=caller, key=key)
    raise NotThere


def _exchange(
    site: Site,
    request: Request,
    project: ProjectRow,
    run: Run,
    comparison: ComparisonRow | None,
    *,
    allowed: bool,
) -> Response:
    url = URL(scope=request.scope).remove_query_params("key")
    target = url.path + (f"?{url.query}" if url.query else "")
    response = RedirectResponse(target, 303)
    if not allowed:
        give_run_cookie(site, response, project, run, comparison)
    return response


def is_navigation(request: Request) -> bool:
    """Whether a browser opens this as a page (and not as a picture in one, and no program fetches it)."""
    return request.headers.get("sec-fetch-mode") == "navigate"


def is_public_run(site: Site, run: Run) -> bool:
    """Whether everybody may see the run."""
    return is_public(site, run.project)


def open_pair(request: Request, session: Session) -> tuple[Opened, Opened]:
    """The two runs that an address names.

    Raises:
        NotThere: One of them is not there, or not for the caller.
    """
    names = (request.path_params["before"], request.path_params["after"])
    before, after = (open_run(request, session, name, links="ignore") for name in names)
    return before, after
