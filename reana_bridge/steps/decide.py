"""Decide: what each delivery means, whether anything runs, and why; one decision a delivery.

Everything is looked up and judged first (`looking`); then one transaction stores the decision with its runs,
their wants, and what the forge must show (`storing`). The same delivery again finds its decision, the same
wish again finds its run.
"""

from typing import Any, cast

import structlog
from sqlalchemy import and_, update
from sqlalchemy.exc import OperationalError

from reana_bridge.crashpoints import reach
from reana_bridge.forges.base import ForgeError, ForgeRefused, RateLimited
from reana_bridge.model.decisions import Decision as Judgement
from reana_bridge.model.decisions import Outcome
from reana_bridge.steps.bridge import Bridge
from reana_bridge.steps.deciding.looking import Looked, look
from reana_bridge.steps.deciding.running import StillEnding
from reana_bridge.steps.deciding.storing import store
from reana_bridge.steps.limiting import hold, lane, may_be_asked, step_name
from reana_bridge.steps.transitions import request_cancel
from reana_bridge.steps.worker import pause
from reana_bridge.store.leases import LeaseLost, claim_of, due_rows, save
from reana_bridge.store.tables import Delivery

GIVE_UP_AFTER = 20
"""Attempts (about an hour) after which a delivery that cannot be decided is an error."""

OUTAGE_ATTEMPTS = 800
"""The same (about three days) where it is the forge that does not answer, or does not take our token."""

_PATIENT = 5

_log = structlog.get_logger()
_delivery = cast(Any, Delivery)


class Decide:
    """Works on deliveries without a decision.

    Args:
        bridge: What the steps share.
        forge: Whose; `limiting.REST` for those of forges that the settings have no more, None for all.
    """

    table: Any = Delivery

    def __init__(self, bridge: Bridge, forge: str | None = None) -> None:
        self._bridge = bridge
        self._forge = forge
        self.name = step_name("decide", forge)
        self.mine = and_(_delivery.decided_at.is_(None), lane(bridge, forge, _delivery.forge))
        self._due = due_rows(_delivery, self.mine, order=[_delivery.due_at])

    def claim(self, limit: int) -> list[Delivery]:
        """The deliveries that wait longest, of forges that may be asked now."""
        database = self._bridge.database
        with database.transaction() as session:
            now = database.now(session)
            asked = may_be_asked(session, self._forge, now, _delivery.forge)
            return claim_of(database, session, Delivery, self._due.where(*asked), limit=limit)

    def act(self, row: Delivery) -> None:
        """Decide one delivery; what cannot be decided for long is decided to be an error."""
        try:
            self._decide(row)
        except (LeaseLost, OperationalError):
            raise  # nothing that the delivery could help
        except RateLimited as limited:
            self._wait(row, limited)
        except ForgeError as error:
            reason = f"the forge {row.forge} did not answer {row.attempt} times: {error}"
            self._give_up(row, error, reason, most=OUTAGE_ATTEMPTS)
        except Exception as error:
            what = f"{type(error).__name__}: {error}"
            self._give_up(row, error, f"it could not be decided, tried {row.attempt} times: {what}")

    def _decide(self, row: Delivery) -> None:
        try:
            looked = look(self._bridge, row)
        except ForgeRefused as refused:
            looked = _without_looking(f"the forge {row.forge} refuses: {refused}")
        reach("decide.looked")
        try:
            self._store(row, looked)
        except StillEnding as ending:
            _log.info("decide.waits", delivery=row.id, run=ending.run)
            with self._bridge.database.transaction() as session:
                if ending.why:
                    request_cancel(self._bridge, session, ending.run, ending.why)
                # To wait is no failure: it does not use up the attempts.
                due = self._bridge.database.now(session) + pause(row.attempt, most=15)
                save(session, row, due_at=due, attempt=min(row.attempt, _PATIENT))
        reach("decide.stored")

    def _store(self, row: Delivery, looked: Looked) -> None:
        with self._bridge.database.transaction() as session:
            store(self._bridge, session, row, looked)

    def _wait(self, row: Delivery, limited: RateLimited) -> None:
        """Leave the forge alone as long as it asked; that is no failure and uses up no attempt."""
        with self._bridge.database.transaction() as session:
            until = hold(self._bridge, session, row.forge, limited)
            save(session, row, due_at=until, attempt=min(row.attempt, _PATIENT))

    def _give_up(self, row: Delivery, error: Exception, reason: str, *, most: int = GIVE_UP_AFTER) -> None:
        if row.attempt < most:
            raise error
        _log.error("decide.gave_up", delivery=row.id, reason=reason)
        with self._bridge.database.transaction() as session:
            if row.kind == "synthetic":  # what is still so at the next look may be told anew
                session.execute(update(Delivery).where(_delivery.id == row.id).values(key=None))
            store(self._bridge, session, row, _without_looking(reason))


def _without_looking(reason: str) -> Looked:
    storable = reason.encode("utf-8", "backslashreplace").decode("utf-8").replace("\x00", "\\x00")
    return Looked(event="unknown", decision=Judgement(outcome=Outcome.ERROR, reason=storable))
