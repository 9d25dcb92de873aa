"""What a person asks for through page, API or command: start, rerun, cancel.

A start goes through the same door as a webhook, as an order; the caller waits for its decision, and if that
takes longer than a request may, the order stands all the same.
"""

import time
from collections.abc import Mapping
from typing import Any, cast

from sqlalchemy import select

from reana_bridge.model.analyses import Value
from reana_bridge.model.orders import Order, OrderKind
from reana_bridge.model.projects import Project
from reana_bridge.model.restarts import Restart
from reana_bridge.model.runs import FINAL
from reana_bridge.steps.bridge import Bridge
from reana_bridge.steps.reporting import steps_of
from reana_bridge.steps.restarting import can_restart
from reana_bridge.steps.transitions import request_cancel
from reana_bridge.store.ids import new_id
from reana_bridge.store.inbox import Incoming
from reana_bridge.store.tables import Decision, Run

WAIT_SECONDS = 20.0


class Refused(Exception):
    """What was asked for is not done; the message says why and what to ask instead."""


class StillDeciding(Refused):
    """The order is stored and stands, but has not been decided yet; `delivery` is its id."""

    def __init__(self, delivery: str) -> None:
        super().__init__(f"the order {delivery} is stored and will be decided soon; look at its decision")
        self.delivery = delivery


def start(
    bridge: Bridge,
    *,
    project: str,
    ref: str | None,
    sha: str | None,
    analysis: str | None,
    parameters: Mapping[str, Value],
    actor: str,
    again: bool = True,
    baseline: str = "",
    merge_request: int | None = None,
    restart: Restart | None = None,
    wait: float = WAIT_SECONDS,
) -> list[str]:
    """Order runs of a commit; their ids.

    Args:
        bridge: The running bridge.
        project: `forge:path`.
        ref: A full ref or a branch's name, whose head is meant where `sha` is None; None for the default one.
        sha: The commit.
        analysis: Its name; None for every analysis that allows it.
        parameters: Over the analysis' own; only declared ones.
        actor: Who asks.
        again: Whether to run although there is a result already.
        baseline: The commit to compare with; empty for the usual choice.
        merge_request: The number of the merge request whose head is meant; None for none.
        restart: What the run takes up; None to begin anew.
        wait: Seconds to wait for the decision.

    Raises:
        Refused: It does not run, and why.
    """
    try:
        known = Project.parse(project)
    except ValueError as error:
        raise Refused(str(error)) from None
    if bridge.settings.project(known) is None:
        raise Refused(f"the settings register no project {project}")
    full = ref if not ref or ref.startswith("refs/") else f"refs/heads/{ref}"
    order = Order(
        kind=OrderKind.MANUAL,
        project=known.path,
        ref=full or "",
        sha=(sha or "").lower(),
        analysis=analysis or "",
        parameters=dict(parameters),
        actor=actor,
        again=again,
        baseline=baseline,
        merge_request=merge_request,
        restart=restart,
    )
    return _ordered(bridge, known, order, wait)


def _ordered(bridge: Bridge, project: Project, order: Order, wait: float) -> list[str]:
    """Put the order into the inbox; the runs that its decision leads to."""
    incoming = Incoming(forge=project.forge, delivery_id=f"order:{new_id()}", body=order.body(), kind="order")
    stored = bridge.inbox.put_blocking(incoming)
    decision = _decision(bridge, stored.id, wait)
    if decision is None:
        raise StillDeciding(stored.id)
    runs = [each["run"] for each in decision.analyses or () if each["run"]]
    if not runs:
        raise Refused(decision.reason)
    return runs


def rerun(
    bridge: Bridge,
    run_id: str,
    *,
    actor: str,
    from_step: str = "",
    parameters: Mapping[str, Value] | None = None,
) -> str:
    """Order the same run again (same commit and analysis); the new run's id.

    Args:
        bridge: The running bridge.
        run_id: The run that has ended.
        actor: Who asks.
        from_step: The first step that runs, in the workspace of the ended run; empty to begin anew.
        parameters: Over those of the run.

    Raises:
        Refused: It does not run, and why.
    """
    run = _run_of(bridge, run_id)
    if run.state not in FINAL:
        raise Refused(f"run {run_id} is {run.state}; cancel it first, or wait for its end")
    (new,) = start(
        bridge,
        project=run.project,
        ref=run.ref or None,
        sha=run.sha,
        analysis=run.analysis,
        parameters={**(run.parameters or {}), **(parameters or {})},
        actor=actor,
        merge_request=run.merge_request,
        restart=_restart(bridge, run, from_step) if from_step else None,
    )
    return new


def _restart(bridge: Bridge, run: Run, step: str) -> Restart:
    if not can_restart(bridge, run):
        raise Refused(
            f"run {run.id} cannot be taken up at a step: its workspace is gone, or its backend cannot do "
            "that; run it again as a whole"
        )
    names = [record.name for record in steps_of(run)]
    if step not in names:
        raise Refused(f"run {run.id} has no step `{step}`; it has {', '.join(names) or 'none'}")
    return Restart(run=run.id, attempt=run.run_attempt, job=run.backend_id or "", step=step)


def cancel(bridge: Bridge, run_id: str, *, actor: str) -> bool:
    """Want the run's end; whether it was still live.

    Raises:
        Refused: There is no such run.
    """
    run = _run_of(bridge, run_id)
    with bridge.database.transaction() as session:
        return request_cancel(bridge, session, run.id, f"cancelled by {actor}")


def _run_of(bridge: Bridge, run_id: str) -> Run:
    with bridge.database.read() as session:
        run = session.get(Run, run_id)
    if run is None:
        raise Refused(f"there is no run {run_id}")
    return run


def _decision(bridge: Bridge, delivery: str, wait: float) -> Decision | None:
    table = cast(Any, Decision)
    deadline = time.monotonic() + wait
    while True:
        with bridge.database.read() as session:
            found = session.execute(
                select(Decision).where(table.delivery_id == delivery)
            ).scalar_one_or_none()
        if found is not None or time.monotonic() > deadline:
            return found
        time.sleep(0.05)
