"""The one way a run changes state: fenced, legal, in one transaction with what the forge must show."""

from typing import Any, cast

import structlog
from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from reana_bridge.model.runs import FINAL, RunState, Wanted, check_transition
from reana_bridge.steps.announcing import announce
from reana_bridge.steps.bridge import Bridge
from reana_bridge.store.database import wake_after
from reana_bridge.store.leases import save
from reana_bridge.store.tables import ComparisonRow, Run

NEXT_STEP = {
    RunState.QUEUED: "submit",
    RunState.SUBMITTING: "submit",
    RunState.RUNNING: "follow",
    RunState.COLLECTING: "collect",
    RunState.COMPARING: "compare",
}
_log = structlog.get_logger()


def move(bridge: Bridge, session: Session, run: Run, to: RunState, **values: Any) -> None:
    """Bring a claimed run to the state `to`, and whatever follows from that, in this transaction.

    Args:
        bridge: Settings and database.
        session: A write transaction.
        run: As it was claimed; brought up to date.
        to: The new state, or the present one to store progress and give the run back.
        values: Other columns to set.

    Raises:
        IllegalTransition: The run may not become that.
        LeaseLost: Another worker owns it now.
    """
    check_transition(run.state, to)
    now = bridge.database.now(session)
    before = run.state
    values.setdefault("due_at", None if to in FINAL or to == RunState.RUNNING else now)
    if to != before:
        values.setdefault("attempt", 0)
    if to in FINAL:
        values |= {"live_key": None, "ended_at": now}
        wake_after(session, "submit")
    save(session, run, state=to, **values)
    if to in FINAL:
        # After the row is written and so locked: who begins to wait sees this end, or is seen here.
        _wake_waiting(session, run.id, now)
    announce(bridge, session, run)
    if to in NEXT_STEP:
        wake_after(session, NEXT_STEP[to])
    if to != before:
        _log.info("run.moved", run=run.id, before=str(before), after=str(to), delivery=run.delivery_id)


def request_cancel(bridge: Bridge, session: Session, run_id: str, reason: str) -> bool:
    """Want the run's end; the step that has it obeys. Whether it was still live."""
    table = cast(Any, Run)
    result: Any = session.execute(
        update(Run)
        .where(table.id == run_id, table.live_key.is_not(None), table.wanted == Wanted.RUN)
        .values(wanted=Wanted.CANCEL, reason=reason, due_at=bridge.database.now(session))
        .execution_options(synchronize_session=False)
    )
    if result.rowcount:
        wake_after(session, "submit", "follow", "collect", "compare")
    return bool(result.rowcount)


def is_cancel_wanted(bridge: Bridge, run_id: str) -> bool:
    """Whether somebody wants the run's end, asked now."""
    table = cast(Any, Run)
    with bridge.database.read() as session:
        return session.execute(select(table.wanted).where(table.id == run_id)).scalar_one() == Wanted.CANCEL


def _wake_waiting(session: Session, run_id: str, now: float) -> None:
    """Let the runs compare again whose baseline this run is to be."""
    waiting = select(cast(Any, ComparisonRow).run_id).where(
        cast(Any, ComparisonRow).waiting_for_run == run_id
    )
    table = cast(Any, Run)
    session.execute(
        update(Run)
        .where(table.id.in_(waiting), or_(table.state == RunState.COMPARING.value, table.compare_again))
        .values(due_at=now)
        .execution_options(synchronize_session=False)
    )
    wake_after(session, "compare")
