"""What takes long to make and is the same for every test of a process is made once.

The product opens one database and few clients in a process; tests open thousands of each.
"""

from functools import cache
from typing import Any

from httpx._transports import default as transports
from sqlalchemy import Dialect, Engine, create_engine
from sqlalchemy.util import LRUCache

from reana_bridge.store import database

_known: dict[str, tuple[Dialect, LRUCache[Any, Any]]] = {}


def share() -> None:
    """From now on databases share the statements that SQLAlchemy compiled, and clients the trusted roots."""
    database.create_engine = _create_engine  # type: ignore[assignment]
    transports.create_ssl_context = cache(transports.create_ssl_context)


def _create_engine(*arguments: Any, **options: Any) -> Engine:
    engine = create_engine(*arguments, **options)
    # Compiled statements are kept by dialect.
    dialect, compiled = _known.setdefault(engine.dialect.name, (engine.dialect, LRUCache(5000)))
    # A dialect learns from its first connection what it talks to.
    if dialect.server_version_info:
        engine.dialect, engine._compiled_cache = dialect, compiled
    return engine
