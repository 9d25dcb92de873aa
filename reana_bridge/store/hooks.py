"""Hooks that `connect` made: their rows, and their secrets, which are derived and stored nowhere.

Promises: a hook's secret follows from the server's key, the hook's id and its generation, so that a new
generation is a new secret; the one before is good for an hour more; a hook without a row has no secret.
"""

import base64
import hashlib
import hmac
import time
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import select
from sqlalchemy.orm import Session

from reana_bridge.model.projects import Project
from reana_bridge.store.database import Database
from reana_bridge.store.tables import Hook

ROTATION_SECONDS = 3600.0
"""How long the secret of the generation before is good after a rotation."""

CACHE_SECONDS = 5.0
_MAXIMUM_CACHED = 10_000
_hook = cast(Any, Hook)


NAME_HEADER = "x-reana-bridge"
"""Of the answer at `/healthz`: `bridge_name`."""


def hook_secret(server_key: bytes, forge: str, hook: str, generation: int) -> str:
    """The secret of a hook: `whsec_` and the base64 of 32 bytes.

    Args:
        server_key: The server's own key.
        forge: The forge's configured name.
        hook: The id in the hook's URL.
        generation: Counts the rotations, from 1.
    """
    message = f"hook|{forge}|{hook}|{generation}".encode()
    return "whsec_" + base64.b64encode(hmac.new(server_key, message, hashlib.sha256).digest()).decode("ascii")


def bridge_name(server_key: bytes) -> str:
    """What a server shows of its key, so that commands beside it know whether theirs is the same."""
    return hmac.new(server_key, b"bridge", hashlib.sha256).hexdigest()[:16]


def valid_secrets(server_key: bytes, hook: Hook, now: float) -> list[str]:
    """The secrets that the hook may sign with at `now` (UTC seconds), the present one first."""
    generations = [hook.generation]
    if hook.generation > 1 and hook.rotated_at is not None and now < hook.rotated_at + ROTATION_SECONDS:
        generations.append(hook.generation - 1)
    return [hook_secret(server_key, hook.forge, hook.id, generation) for generation in generations]


def hook_of(session: Session, project: Project) -> Hook | None:
    """The hook of a project; None where `connect` made none."""
    found = select(Hook).where(_hook.forge == project.forge, _hook.project == str(project))
    return session.execute(found).scalar_one_or_none()


def hooks_of_forge(session: Session, forge: str) -> list[Hook]:
    """All hooks on a forge, in the order of their projects."""
    found = select(Hook).where(_hook.forge == forge).order_by(_hook.project)
    return list(session.execute(found).scalars())


def broken_hooks(session: Session) -> list[Hook]:
    """The hooks in which the last look found something wrong, in the order of their projects."""
    return list(session.execute(select(Hook).where(_hook.problem != "").order_by(_hook.project)).scalars())


@dataclass(frozen=True)
class _Cached:
    hook: Hook
    until: float


class KnownHooks:
    """Hook rows by id, kept in memory for a few seconds. One for each bridge; used by many threads.

    Args:
        database: Where the rows are.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._cache: dict[tuple[str, str], _Cached] = {}

    def recent(self, forge: str, hook: str) -> Hook | None:
        """The row as it was a few seconds ago at most; None where it has to be read. Never blocks."""
        cached = self._cache.get((forge, hook))
        return cached.hook if cached is not None and cached.until > time.monotonic() else None

    def read(self, forge: str, hook: str) -> Hook | None:
        """The row as it is now; None where there is none. Only rows that exist are kept in memory."""
        with self._database.read() as session:
            row = session.get(Hook, hook)
        if row is None or row.forge != forge:
            self._cache.pop((forge, hook), None)
            return None
        if len(self._cache) >= _MAXIMUM_CACHED:
            self._cache.clear()
        self._cache[forge, hook] = _Cached(row, time.monotonic() + CACHE_SECONDS)
        return row
