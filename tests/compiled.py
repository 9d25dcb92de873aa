"""All databases of a test process share what SQLAlchemy compiled: each test opens new ones, with the same SQL.

In the product one process opens one database, so nothing is lost by its being kept beside the engine.
"""

from typing import Any

from sqlalchemy import Dialect, Engine, create_engine
from sqlalchemy.util import LRUCache

from reana_bridge.store import database

_known: dict[str, tuple[Dialect, LRUCache[Any, Any]]] = {}


def share() -> None:
    """From now on databases share compiled statements, which SQLAlchemy keeps by dialect."""
    database.create_engine = _create_engine  # type: ignore[assignment]


def _create_engine(*arguments: Any, **options: Any) -> Engine:
    engine = create_engine(*arguments, **options)
    dialect, compiled = _known.setdefault(engine.dialect.name, (engine.dialect, LRUCache(5000)))
    # A dialect learns from its first connection what it talks to.
    if dialect.server_version_info:
        engine.dialect, engine._compiled_cache = dialect, compiled
    return engine
