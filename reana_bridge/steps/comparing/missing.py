"""Runs the baseline that a merge request lacks, where its project wants that, once a commit and analysis."""

from dataclasses import replace
from typing import Any, cast

from sqlalchemy import select

from reana_bridge.model.analyses import BaselineWish
from reana_bridge.model.orders import Order, OrderKind
from reana_bridge.model.projects import Project
from reana_bridge.steps.bridge import Bridge
from reana_bridge.steps.comparing.choosing import Chosen
from reana_bridge.store.inbox import OURS, Incoming
from reana_bridge.store.tables import Decision, Run

AGAIN_SECONDS = 2.0
"""How soon is looked again for a run that was ordered."""


def run_first(bridge: Bridge, row: Run, chosen: Chosen, wish: BaselineWish) -> Chosen:
    """`chosen`, or where it has no baseline and is to have one, a wait for the run that is ordered here.

    The order has a name of its own, so that it is stored once however often this is called; when its
    decision came to no run, or that run to nothing, nothing is waited for any more.
    """
    choice = chosen.choice
    lacks = choice.baseline is None and not choice.waiting_for
    if not (lacks and wish.run_missing and row.proposal and chosen.wanted):
        return chosen
    project = Project.parse(row.project)
    order = Order(
        kind=OrderKind.BASELINE,
        project=project.path,
        sha=chosen.wanted,
        analysis=row.analysis,
        actor="the comparison",
        again=False,
    )
    name = f"{OURS}baseline:{project}:{row.analysis}:{chosen.wanted}"
    incoming = Incoming(forge=project.forge, delivery_id=name, body=order.body(), kind="order")
    stored = bridge.inbox.put_blocking(incoming)
    if not _is_coming(bridge, stored.id):
        return chosen
    return replace(chosen, choice=replace(choice, waiting_for=chosen.wanted))


def _is_coming(bridge: Bridge, delivery: str) -> bool:
    """Whether the order has not been decided yet, or led to a run that has not ended."""
    decisions, runs = cast(Any, Decision), cast(Any, Run)
    with bridge.database.read() as session:
        told = select(decisions.analyses).where(decisions.delivery_id == delivery)
        decided = session.execute(told).scalar_one_or_none()
        if decided is None:
            return True
        ids = [each["run"] for each in decided if each["run"]]
        live = select(runs.id).where(runs.id.in_(ids), runs.live_key.is_not(None))
        return bool(session.execute(live).first())
