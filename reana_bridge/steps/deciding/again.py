"""Comparing again: a run that has ended, or not yet, gets another baseline without running again."""

from typing import Any, cast

from sqlalchemy import case, update
from sqlalchemy.orm import Session

from reana_bridge.model.runs import RunState
from reana_bridge.steps.bridge import Bridge
from reana_bridge.store.database import wake_after
from reana_bridge.store.tables import Run

ASKED_AT = "compare_asked_at"
"""The key of a run's settings that says when it was asked to be compared again, UTC seconds."""

_run = cast(Any, Run)


def compare_anew(bridge: Bridge, session: Session, run_id: str, **settings: str) -> None:
    """Compare the run with what `settings` (`target_sha`, `baseline_sha`) say, now or when it has its result.

    A worker that compares it at this moment finds the other settings, and begins anew.

    Args:
        bridge: The database.
        session: A write transaction, in which nothing of the run is left to be flushed.
        run_id: The run.
        settings: What changes of the run's settings.
    """
    now = bridge.database.now(session)
    locked = not bridge.database.is_sqlite
    run = session.get_one(Run, run_id, with_for_update=locked, populate_existing=True)
    before: dict[str, Any] = run.settings or {}
    changed = {**before, **settings, ASKED_AT: now}
    ended = _run.state == RunState.FINISHED.value
    statement = update(Run).where(_run.id == run_id)
    statement = statement.values(
        settings=changed,
        compare_again=case((ended, True), else_=_run.compare_again),
        due_at=case((ended, now), else_=_run.due_at),
        attempt=case((ended, 0), else_=_run.attempt),
    )
    session.execute(statement.execution_options(synchronize_session=False))
    session.expire(run)
    wake_after(session, "compare")
