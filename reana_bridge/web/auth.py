"""Who asks, and what they may see: bearer tokens, sessions, and the keys of report links.

Promises: a session cookie never holds the token and ends the moment the token is revoked; a link's key opens
one run's pages and nothing else, and is swapped for a cookie of that run's path at the first visit; every
change asked for by a form carries a word that only our own pages know.
"""

import hashlib
import hmac
import secrets
import time
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import Response

from reana_bridge.model.projects import Project
from reana_bridge.store.tables import ComparisonRow, ProjectRow, Run
from reana_bridge.store.tokens import Grant, check, check_id, link_opens
from reana_bridge.web.problems import Problem
from reana_bridge.web.site import Site

SESSION_COOKIE = "reana_bridge_session"
FORM_COOKIE = "reana_bridge_form"
RUN_COOKIE = "reana_bridge_run"
SESSION_SECONDS = 30 * 86400


@dataclass(frozen=True, kw_only=True)
class Caller:
    """Who sent a request.

    Attributes:
        grant: What their token allows; None for somebody without one.
        session: The session cookie that the grant came by; empty for a bearer token or none.
        form: The value of the form cookie, which guards the sign-in form; empty without one.
    """

    grant: Grant | None = None
    session: str = ""
    form: str = ""

    @property
    def name(self) -> str:
        """Their token's name, for the log and for reasons; empty for somebody without one."""
        return self.grant.name if self.grant else ""

    def allows(self, scope: str, project: str | None = None) -> bool:
        """Whether their token grants `scope` on the project, or on the server as a whole."""
        return self.grant is not None and self.grant.allows(scope, project)


def caller_of(site: Site, session: Session, request: Request) -> Caller:
    """Who sent `request`; a bearer token counts before a cookie."""
    database = site.bridge.database
    form = request.cookies.get(FORM_COOKIE, "")
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    if kind:
        grant = check(database, session, token.strip()) if kind.lower() == "bearer" else None
        return Caller(grant=grant, form=form)
    cookie = request.cookies.get(SESSION_COOKIE, "")
    token_id = _signed_in(site, cookie, time.time())
    if token_id is None:
        return Caller(form=form)
    grant = check_id(database, session, token_id)
    return Caller(grant=grant, session=cookie if grant else "", form=form)


def is_public(site: Site, project: str) -> bool:
    """Whether a project's pages need no token, by the settings as they are now."""
    try:
        rule = site.bridge.settings.project(Project.parse(project))
    except ValueError:
        return False
    return rule is not None and rule.public


def may_read(site: Site, caller: Caller, project: str) -> bool:
    """Whether `caller` may see the project's pages and rows."""
    return caller.allows("read", project) or is_public(site, project)


def readable(site: Site, session: Session, caller: Caller) -> list[str] | None:
    """The projects that `caller` may see; None stands for all."""
    if caller.allows("read"):
        return None
    names = session.execute(select(cast(Any, ProjectRow).name)).scalars()
    return [name for name in names if may_read(site, caller, name)]


def sign_in(site: Site, session: Session, token: str) -> str | None:
    """The session cookie for a token; None where the token is not valid."""
    grant = check(site.bridge.database, session, token)
    if grant is None:
        return None
    content = f"{grant.token_id}.{int(time.time()) + SESSION_SECONDS}"
    return f"{content}.{_sign(site, 'session', content)}"


def _signed_in(site: Site, cookie: str, now: float) -> str | None:
    """The id of the token that a session cookie stands for; None for a forged or old one."""
    content, _, signature = cookie.rpartition(".")
    if not content or not _same(_sign(site, "session", content), signature):
        return None
    token_id, _, end = content.partition(".")
    return token_id if int(end) > now else None


def opens_run(site: Site, request: Request, project: ProjectRow, run_id: str) -> bool:
    """Whether the request carries the cookie that this run's link was exchanged for."""
    return _same(_run_cookie(site, project, run_id), request.cookies.get(RUN_COOKIE, ""))


def has_key(site: Site, request: Request, project: ProjectRow, run_id: str) -> bool:
    """Whether the request's URL carries the key of this run's pages."""
    key = request.query_params.get("key", "")
    return bool(key) and link_opens(site.bridge.server_key, project, run_id, key)


def give_run_cookie(
    site: Site, response: Response, project: ProjectRow, run: Run, comparison: ComparisonRow | None
) -> None:
    """Let the browser see this run's pages from now on, by cookies that go to their paths alone."""
    value = _run_cookie(site, project, run.id)
    paths = [f"/runs/{run.id}", *([f"/comparisons/{comparison.id}"] if comparison else [])]
    for path in paths:
        set_cookie(site, response, RUN_COOKIE, value, path=path, seconds=SESSION_SECONDS)


def set_cookie(site: Site, response: Response, name: str, value: str, *, path: str, seconds: int) -> None:
    """Set a cookie as all of ours are: out of scripts' reach, and not sent along from other sites."""
    response.set_cookie(
        name, value, max_age=seconds, path=path, secure=site.is_https, httponly=True, samesite="lax"
    )


def new_form_cookie() -> str:
    """A fresh value for the form cookie."""
    return secrets.token_urlsafe(24)


def form_word(site: Site, caller: Caller) -> str:
    """The word that forms of this caller carry; empty where there is no cookie to bind it to."""
    bound = caller.session or caller.form
    return _sign(site, "form", bound) if bound else ""


def check_form(site: Site, request: Request, caller: Caller, word: str) -> None:
    """Refuse a change that does not come from a page of ours.

    Raises:
        Problem: It comes from elsewhere, or from a page that is too old.
    """
    expected = form_word(site, caller)
    site_header = request.headers.get("sec-fetch-site", "same-origin")
    # Under our referrer policy some browsers send `Origin: null`, which says nothing either way.
    origin = request.headers.get("origin", "null").lower()
    here = {site.origin, f"{request.url.scheme}://{request.headers.get('host', '')}".lower(), "null"}
    if site_header not in {"same-origin", "none"} or origin not in here:
        raise Problem(403, "This was asked for by another site, so nothing was done.")
    if not expected or not _same(expected, word):
        raise Problem(403, "This page is too old; go back, load it again, and repeat.")


def _run_cookie(site: Site, project: ProjectRow, run_id: str) -> str:
    return _sign(site, "run", f"{project.name}/{project.key_generation}/{run_id}")


def _sign(site: Site, purpose: str, content: str) -> str:
    message = f"{purpose}:{content}".encode("utf-8", "surrogatepass")
    return hmac.new(site.bridge.server_key, message, hashlib.sha256).hexdigest()


def _same(expected: str, given: str) -> bool:
    return hmac.compare_digest(expected.encode(), given.encode("utf-8", "surrogatepass"))
