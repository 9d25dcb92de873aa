"""REANA as a backend: its API's traps are known here, and nowhere else."""

from reana_bridge.backends.reana.backend import ReanaBackend
from reana_bridge.backends.reana.settings import Account, ReanaSettings

__all__ = ["Account", "ReanaBackend", "ReanaSettings"]
