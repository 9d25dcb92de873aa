"""Runs on this machine: a detached supervisor owns the processes, a sandbox holds them."""

from reana_bridge.backends.local.backend import LocalBackend, Usage
from reana_bridge.backends.local.settings import SYSTEM, Engines, Environment, ImageEnvironment, LocalSettings

__all__ = ["SYSTEM", "Engines", "Environment", "ImageEnvironment", "LocalBackend", "LocalSettings", "Usage"]
