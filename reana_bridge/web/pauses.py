"""The API of pauses: what is stopped and why, stopping it, taking it up again."""

from fastapi import APIRouter, Request

from reana_bridge.model.pauses import PauseKind
from reana_bridge.steps.pausing import CannotPause, pause_work, pauses_seen, resume_work
from reana_bridge.store.tables import Pause
from reana_bridge.web import bodies, shapes, shaping
from reana_bridge.web.api import CHANGES, ERRORS, all_readable, bearer, check_session
from reana_bridge.web.auth import caller_of
from reana_bridge.web.problems import NotThere, Problem
from reana_bridge.web.site import Site, site_of

router = APIRouter(prefix="/api/v1/pauses", responses=ERRORS, dependencies=[bearer])


@router.get("")
def pauses(request: Request) -> list[shapes.PauseShape]:
    """What is paused now: every forge and backend, and of the projects those that the caller may see."""
    site = site_of(request)
    with site.bridge.database.read() as session:
        names = all_readable(site, session, request)
        return [shaping.pause(row) for row in pauses_seen(session, names)]


@router.post("", status_code=201, responses=CHANGES)
def pause(request: Request, wanted: bodies.NewPause) -> shapes.PauseShape:
    """Stop work on a forge or backend (needs a token for the whole server) or on a project."""
    site = site_of(request)
    kind = PauseKind(wanted.kind)
    by = _may_change(site, request, kind, wanted.name)
    try:
        pause_work(site.bridge, kind, wanted.name, reason=wanted.reason, by=by)
    except CannotPause as error:
        raise Problem(409, str(error)) from None
    with site.bridge.database.read() as session:
        row = session.get(Pause, (wanted.kind, wanted.name))
        if row is None:
            raise Problem(409, "It was resumed at the same moment.")
        return shaping.pause(row)


@router.delete("/{kind}/{name:path}", responses=CHANGES)
def resume(request: Request, kind: PauseKind, name: str) -> shapes.Resumed:
    """Take the work up again."""
    site = site_of(request)
    _may_change(site, request, kind, name)
    return shapes.Resumed(resumed=resume_work(site.bridge, kind, name))


def _may_change(site: Site, request: Request, kind: PauseKind, name: str) -> str:
    """The name of the caller, who may pause and resume this."""
    with site.bridge.database.read() as session:
        caller = caller_of(site, session, request)
    if not caller.allows("write", name if kind is PauseKind.PROJECT else None):
        raise NotThere
    check_session(site, request, caller)
    return caller.name
