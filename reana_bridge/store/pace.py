"""A pace that the processes on one PostgreSQL keep together, such as that of requests to a server.

Each reserves the next moment in a row of the locks: its `lease_until` is the first moment that nobody has
taken yet. Where the database cannot be asked each process keeps to its own pace.
"""

from typing import Any, cast

import structlog
from sqlalchemy import Float, func, literal
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import SQLAlchemyError

from reana_bridge.store.database import Database
from reana_bridge.store.tables import Lock

_log = structlog.get_logger()
_lock = cast(Any, Lock)


class SharedPace:
    """The pace of this name.

    Args:
        database: A PostgreSQL.
        name: Of what is paced.
    """

    def __init__(self, database: Database, name: str) -> None:
        self._database = database
        self._key = f"pace:{name}"

    def reserve(self, spacing: float, slack: float) -> float:
        """Take the next moment; seconds until it comes, 0 where it has come.

        Args:
            spacing: Seconds between two moments.
            slack: How far back moments that nobody took may still be taken, in seconds.
        """
        try:
            with self._database.transaction() as session:
                now = literal(self._database.now(session), Float)
                moment = func.greatest(func.coalesce(_lock.lease_until, 0.0), now - slack) + spacing
                first = insert(Lock).values(key=self._key, lease_until=now + spacing)
                taken = first.on_conflict_do_update(index_elements=["key"], set_={"lease_until": moment})
                until = session.execute(taken.returning(_lock.lease_until - now)).scalar_one()
                return max(0.0, float(until) - spacing)
        except SQLAlchemyError as error:
            _log.warning("pace.not_shared", pace=self._key, error=str(error))
            return 0.0

    def hold(self, seconds: float) -> None:
        """Let nobody take a moment before `seconds` have passed."""
        try:
            with self._database.transaction() as session:
                until = self._database.now(session) + seconds
                first = insert(Lock).values(key=self._key, lease_until=until)
                later = func.greatest(func.coalesce(_lock.lease_until, 0.0), until)
                session.execute(
                    first.on_conflict_do_update(index_elements=["key"], set_={"lease_until": later})
                )
        except SQLAlchemyError as error:
            _log.warning("pace.not_shared", pace=self._key, error=str(error))
