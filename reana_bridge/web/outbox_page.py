"""The outbox as a page: what forges show, what waits, what they refuse, what a rehearsal kept back."""

import json
from typing import Any, cast

from starlette.requests import Request
from starlette.responses import Response

from reana_bridge.steps.limiting import limits_now
from reana_bridge.steps.pausing import pauses_seen, sentence
from reana_bridge.store.tables import OutboxRow
from reana_bridge.web import auth, queries
from reana_bridge.web.pages import chrome
from reana_bridge.web.problems import NotThere
from reana_bridge.web.shaping import without_keys
from reana_bridge.web.site import site_of
from reana_bridge.web.templating import page

SHOWN = 50
_outbox = cast(Any, OutboxRow)
_CHOICES = (
    ("", "everything"),
    ("pending", "to be posted"),
    ("failing", "with an error"),
    ("shadow", "rehearsed"),
)
_ONLY = {
    "pending": [_outbox.wanted_version > _outbox.posted_version],
    "failing": [_outbox.error != ""],
    "shadow": [_outbox.shadow.is_not(None)],
}


def outbox(request: Request) -> Response:
    """`/outbox`: the rows of all projects that the caller may see, newest first."""
    site = site_of(request)
    only = request.query_params.get("only", "")
    before = request.query_params.get("before", "")
    after = before if before.isascii() and before.isalnum() else None
    with site.bridge.database.read() as session:
        caller = auth.caller_of(site, session, request)
        names = auth.readable(site, session, caller)
        if names == [] or (only and only not in _ONLY):
            raise NotThere
        where = [*_ONLY.get(only, []), *queries.within(_outbox.project, names)]
        rows: list[OutboxRow] = queries.newest(session, OutboxRow, where, limit=SHOWN + 1, after=after)
        now = site.bridge.database.now(session)
        return page(
            "outbox.html",
            **chrome(site, caller, [sentence(row) for row in pauses_seen(session, names)]),
            rows=[(row, _shadow(row)) for row in rows[:SHOWN]],
            older=rows[SHOWN - 1].id if len(rows) > SHOWN else "",
            only=only,
            choices=_CHOICES,
            limits=limits_now(session, now) if caller.allows("read") else [],
        )


def _shadow(row: OutboxRow) -> str:
    """What would have been written, as people read it; empty for nothing."""
    kept: dict[str, Any] = without_keys(row.shadow) or {}
    if not kept:
        return ""
    return str(kept["body"]) if "body" in kept else json.dumps(kept, indent=2, ensure_ascii=False)
