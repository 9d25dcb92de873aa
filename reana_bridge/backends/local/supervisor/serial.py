"""A serial workflow as REANA runs it: step by step, each command in a shell of its own in the workspace."""

from __future__ import annotations

import os
import time

from reana_bridge.backends.local.supervisor import records
from reana_bridge.backends.local.supervisor.log import Log

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from reana_bridge.backends.local.supervisor.workflow import Workflow


def run(workflow: Workflow) -> None:
    """Run all steps; the first command that fails ends the run.

    Raises:
        Failed: A command failed.
    """
    for number, step in enumerate(workflow.plan["steps"], start=1):
        _step(workflow, number, step)


def _step(workflow: Workflow, number: int, step: dict[str, Any]) -> None:
    environment = workflow.environment(step["environment"])
    record = workflow.progress.begin(
        step["name"],
        image=step["image"],
        environment=environment["label"],
        log=f"{number:04d}.log",
        command=step["commands"][0],
    )
    log = Log(os.path.join(workflow.directory, records.LOGS, record["log"]), workflow.plan["limits"]["log"])
    try:
        with workflow.step(record, log):
            for command in step["commands"]:
                record["command"] = command
                workflow.progress.changed()
                argv = ["/bin/bash", "-c", command]
                workflow.expect_success(workflow.run(argv, environment, log), record, log)
        record |= {"state": "finished", "exit_status": 0}
    finally:
        log.close()
        record["ended_at"] = time.time()
        workflow.progress.changed()
