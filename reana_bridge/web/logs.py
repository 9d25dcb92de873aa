"""A step's log for people and programs: live from the backend while it runs, then from what was kept.

Promises: bytes that are no text are replaced, characters that would act on a terminal or hide text are
shown, a multi-byte character is never cut in two.
"""

import re
from dataclasses import dataclass

import structlog
from sqlalchemy.orm import Session

from reana_bridge.backends.base import BackendError
from reana_bridge.model.runs import FINAL
from reana_bridge.steps.reporting import steps_of
from reana_bridge.store.tables import Run
from reana_bridge.web import queries
from reana_bridge.web.site import Site
from reana_bridge.web.templating import visible

PIECE = 256 * 1024
TAIL = 8 * 1024
_log = structlog.get_logger()
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True, kw_only=True)
class Piece:
    """A part of a log.

    Attributes:
        text: Fit to be shown.
        offset: Where it starts, in bytes.
        end: Where it ends, in bytes.
        complete: Whether nothing follows, and nothing will.
        elsewhere: The host that has the log while the run is live; empty where it is here.
    """

    text: str
    offset: int
    end: int
    complete: bool
    elsewhere: str = ""


def names(session: Session, run: Run) -> list[str]:
    """The names of a run's logs, in the order of its steps."""
    of_steps = [step.log for step in steps_of(run) if step.log]
    kept = [row.path for row in queries.artifacts_of(session, run.id, kind="log")]
    return list(dict.fromkeys([*of_steps, *kept]))


def read_log(site: Site, session: Session, run: Run, step: str, offset: int, limit: int = PIECE) -> Piece:
    """At most `limit` bytes of a step's log from `offset` on."""
    kept = queries.artifact(session, run.id, step, kind="log")
    if kept is not None:
        content = _kept(site, kept.digest, offset, limit + 1)
    else:
        elsewhere = _elsewhere(site, run)
        if elsewhere:
            return Piece(text="", offset=offset, end=offset, complete=False, elsewhere=elsewhere)
        content = _live(site, run, step, offset, limit + 1)
    ended = kept is not None or run.state in FINAL
    more = len(content) > limit
    content = content[:limit]
    if more or not ended:
        content = whole_characters(content)
    return Piece(
        text=readable(content), offset=offset, end=offset + len(content), complete=ended and not more
    )


def tail(site: Site, session: Session, run: Run, step: str, offset: int = 0) -> str:
    """About the last lines of a step's log, at most `TAIL` bytes of them."""
    kept = queries.artifact(session, run.id, step, kind="log")
    if kept is not None:
        content = _kept(site, kept.digest, max(0, kept.size - TAIL), TAIL)
        cut = kept.size > TAIL
    else:
        content, cut = b"", False
        while not _elsewhere(site, run):
            piece = _live(site, run, step, offset, PIECE)
            cut = cut or len(content) + len(piece) > TAIL
            content = (content + piece)[-TAIL:]
            offset += len(piece)
            if len(piece) < PIECE:
                break
    if cut:
        content = content.partition(b"\n")[2]
    return readable(content)


def readable(content: bytes) -> str:
    """Log bytes as text: colours dropped, carriage returns as line ends, hidden characters shown."""
    text = _COLOUR.sub("", content.decode("utf-8", "replace"))
    return visible(text.replace("\r\n", "\n").replace("\r", "\n"))


def whole_characters(content: bytes) -> bytes:
    """`content` without the beginning of a character at its end."""
    for back in range(1, min(4, len(content)) + 1):
        byte = content[-back]
        if byte < 0x80:
            return content
        if byte >= 0xC0:
            length = 2 if byte < 0xE0 else 3 if byte < 0xF0 else 4
            return content[:-back] if back < length else content
    return content


def _kept(site: Site, digest: str, offset: int, limit: int) -> bytes:
    with site.bridge.blobs.open(digest) as file:
        file.seek(offset)
        return file.read(limit)


def _elsewhere(site: Site, run: Run) -> str:
    return run.host if run.host not in ("", site.bridge.host) else ""


def _live(site: Site, run: Run, step: str, offset: int, limit: int) -> bytes:
    backend = site.bridge.backends.get(run.backend)
    if backend is None or not run.backend_id or run.removed_at is not None:
        return b""
    try:
        return backend.log(run.backend_id, step, offset, limit)
    except BackendError as error:  # it is away: whoever looks asks again soon
        _log.warning("logs.live", run=run.id, error=str(error))
        return b""
