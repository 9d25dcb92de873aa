"""From a push to a verdict on the science: receive, decide, submit, follow, collect, compare, report."""

from importlib.metadata import version

__version__ = version("reana-bridge")
