"""Loads CWL, Snakemake and Yadage workflows for servers that want them loaded."""

from pathlib import Path
from typing import Any

from reana_bridge.backends.base import BackendRefused, Job
from reana_bridge.model.specification import WorkflowType


class Loader:
    """Makes of a commit's files what the released protocol sends.

    Args:
        root: For the files that stand for /etc's own inside the sandbox.
        environments: Where the engines' environments are.
    """

    def __init__(self, root: Path, environments: Path) -> None:
        self._root = root
        self._environments = environments

    def __call__(self, job: Job, directory: Path) -> Any:
        """The loaded specification; None for a serial workflow, which needs no loading.

        Raises:
            BackendRefused: It cannot be loaded.
        """
        if job.specification.type is WorkflowType.SERIAL:
            return None
        raise BackendRefused(
            f"{job.specification.type} workflows are only run on REANA servers that load them"
        )
