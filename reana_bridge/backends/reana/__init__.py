"""REANA as a backend: its API's traps are known here, and nowhere else.

To make settings, only what stands here is needed; `ReanaBackend` brings an HTTP client with it.
"""

from reana_bridge.backends.reana.settings import Account, ReanaSettings

__all__ = ["Account", "ReanaSettings"]
