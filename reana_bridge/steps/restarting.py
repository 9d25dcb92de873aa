"""Restarts: which runs take up an earlier one's workspace, and how that stands in their rows.

Promises: before a backend is asked, the row holds the name that the restart will have there. What that was
asked for is never asked again: the restart is there, or all of the run begins anew.
"""

from typing import Any, cast

from sqlalchemy import select
from sqlalchemy.orm import Session

from reana_bridge.backends.base import CannotRestart, Observation, Restarting
from reana_bridge.model.codec import from_data, to_data
from reana_bridge.model.restarts import Restart
from reana_bridge.model.runs import LIVE, RunState
from reana_bridge.steps.bridge import Bridge
from reana_bridge.store.leases import lock_key
from reana_bridge.store.tables import Run

UNSURE_SECONDS = 60.0
"""Within so many seconds a server has surely done what it was asked for, or never will."""

_KEY = "restart"
_run = cast(Any, Run)


def restart_of(run: Run) -> Restart | None:
    """What the run takes up; None where it begins anew."""
    settings: dict[str, Any] = run.settings or {}
    return from_data(Restart, settings[_KEY]) if _KEY in settings else None


def settings_with(settings: dict[str, Any] | None, restart: Restart | None) -> dict[str, Any]:
    """A run's settings with this restart, or with none."""
    others = {name: value for name, value in (settings or {}).items() if name != _KEY}
    return others | ({_KEY: to_data(restart)} if restart else {})


def can_restart(bridge: Bridge, run: Run) -> bool:
    """Whether an ended run may be taken up at one of its steps, as far as is known here."""
    ended = run.state in (RunState.FINISHED, RunState.FAILED) and run.backend_id and run.removed_at is None
    return bool(ended) and isinstance(bridge.backends.get(run.backend), Restarting)


def resumed(run: Run, seen: Observation) -> Restart | None:
    """How the next attempt of a lost run takes up this one's workspace; None where it begins anew."""
    if seen.resume is None or not run.backend_id:
        return None
    return Restart(run=run.id, attempt=run.run_attempt, job=run.backend_id, step=seen.resume)


def restart_name(bridge: Bridge, run: Run, restart: Restart) -> str:
    """The name of the restart on the run's backend, free for it alone.

    Raises:
        CannotRestart: The backend cannot take the earlier job up.
        BackendError: Not known now.
    """
    backend = bridge.backends[run.backend]
    if not isinstance(backend, Restarting):
        raise CannotRestart(f"the backend `{run.backend}` restarts nothing")
    return backend.restart_name(restart.job)


def reserve(bridge: Bridge, session: Session, run: Run, name: str) -> None:
    """See that no other live run is to be the restart of this name.

    Raises:
        CannotRestart: One is.
    """
    lock_key(bridge.database, session, f"restart:{run.backend}/{name}")
    same = (_run.backend == run.backend, _run.backend_name == name, _run.id != run.id)
    if session.execute(select(_run.id).where(*same, _run.state.in_(LIVE)).limit(1)).scalar_one_or_none():
        raise CannotRestart("another restart of it is about to begin in its workspace")
