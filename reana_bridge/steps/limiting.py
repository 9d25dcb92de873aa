"""Rate limits: what a forge's answers said of its limits, shared by all replicas.

Promises: after a forge asked us to wait, nothing of it is claimed by anybody until then; when little is left
of an allowance, what is left is spread over the time until it is filled again.
"""

from typing import Any, cast

import structlog
from sqlalchemy import ColumnElement, and_, bindparam, false, func, not_, select, true, union
from sqlalchemy.orm import Session

from reana_bridge.forges.base import Allowance, RateLimited
from reana_bridge.model.pauses import PauseKind
from reana_bridge.steps.bridge import Bridge
from reana_bridge.store.tables import Pause, RateLimit
from reana_bridge.store.upsert import upsert

REST = ""
"""Stands for all forges that are not in the settings (any more)."""

USUAL_SECONDS = 60.0
"""How long is waited where the forge did not say."""

MOST_SECONDS = 2 * 3600.0
LOW = 0.1
"""The part of an allowance below which calls are spread."""

_MOST_SPREAD = 60.0
_log = structlog.get_logger()
_limit, _pause = cast(Any, RateLimit), cast(Any, Pause)
_LEFT_ALONE = union(
    select(_limit.forge).where(_limit.until > bindparam("now")),
    select(_pause.name).where(_pause.kind == str(PauseKind.FORGE)),
)


def hold(bridge: Bridge, session: Session, forge: str, limited: RateLimited) -> float:
    """Ask nothing of `forge` for as long as it said; until when (UTC seconds since the epoch)."""
    now = bridge.database.now(session)
    asked = USUAL_SECONDS if limited.retry_after is None else limited.retry_after
    until = now + min(max(asked, 1.0), MOST_SECONDS)
    _log.warning("forge.limited", forge=forge, seconds=round(until - now, 1), reason=str(limited))
    return _store(bridge, session, forge, until=until, reason=str(limited), seen_at=now)


def heed(bridge: Bridge, session: Session, forge: str, left: Allowance | None) -> None:
    """Spread the calls to `forge` where little is left to us."""
    if left is None or left.limit <= 0 or left.remaining >= left.limit * LOW:
        return
    now = bridge.database.now(session)
    refilled = now + _MOST_SPREAD if left.reset_at is None else left.reset_at
    pace = max(0.0, refilled - now) / max(left.remaining, 1)
    until = now + min(pace, MOST_SECONDS if left.remaining <= 0 else _MOST_SPREAD)
    reason = f"{left.remaining} of {left.limit} calls are left"
    _store(bridge, session, forge, until=until, reason=reason, seen_at=now)


def _store(bridge: Bridge, session: Session, forge: str, *, until: float, **values: Any) -> float:
    """Store it, unless the forge is left alone for longer already; the time that counts."""
    row = {"forge": forge, "until": until, **values}
    change = ["until", *values]
    upsert(bridge.database, session, RateLimit, row, key=["forge"], change=change, where=_is_longer)
    counts = session.execute(select(_limit.until).where(_limit.forge == forge)).scalar_one()
    return float(counts)


def _is_longer(told: Any) -> ColumnElement[bool]:
    return func.coalesce(_limit.until, 0.0) < told.until


def limits_now(session: Session, now: float) -> list[RateLimit]:
    """The forges that are left alone now, with the reason."""
    found = select(RateLimit).where(_limit.until > now).order_by(_limit.forge)
    return list(session.execute(found).scalars())


def left_alone(session: Session, now: float) -> set[str]:
    """The forges of which nothing is claimed now: paused ones, and those that asked us to wait."""
    return set(session.execute(_LEFT_ALONE, {"now": now}).scalars())


def lane(bridge: Bridge, forge: str | None, column: Any) -> ColumnElement[bool]:
    """The condition that a row is for the worker of `forge`.

    Args:
        bridge: Whose forges are in the settings.
        forge: A forge's name, `REST`, or None for every forge.
        column: Of the row's forge, or of its project.
    """
    if forge:
        return is_of(column, forge)
    others = sorted(bridge.settings.forges) if forge == REST else []
    return and_(true(), *(not_(is_of(column, name)) for name in others))


def may_be_asked(session: Session, forge: str | None, now: float, column: Any) -> list[ColumnElement[bool]]:
    """The conditions that nothing keeps us from asking the forge of a row in this lane now; mostly none.

    Args:
        session: Any.
        forge: As for `lane`.
        now: By the database's clock.
        column: Of the row's forge, or of its project.
    """
    alone = left_alone(session, now)
    if forge:
        return [false()] if forge in alone else []
    return [not_(is_of(column, name)) for name in sorted(alone)]


def is_of(column: Any, forge: str) -> ColumnElement[bool]:
    """The condition that a row, by the column of its forge or of its project, is of `forge`."""
    if column.key == "forge":
        return column == forge
    # Not LIKE, which does not tell `a` from `A` on SQLite.
    return func.substr(column, 1, len(forge) + 1) == f"{forge}:"


def step_name(step: str, forge: str | None) -> str:
    """What the worker of a step for `forge` is called."""
    return step if forge is None else f"{step} {forge or 'of other forges'}"
