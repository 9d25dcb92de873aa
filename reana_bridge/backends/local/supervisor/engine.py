"""A snakemake, CWL or yadage workflow: its own engine, in an environment of its own, inside the sandbox.

The engine runs there as a whole, since loading a workflow runs the project's code.
"""

from __future__ import annotations

import json
import os
import time

from reana_bridge.backends.local.supervisor import environments, image_names, records
from reana_bridge.backends.local.supervisor.events import Events
from reana_bridge.backends.local.supervisor.jobs import SYSTEM_PATH
from reana_bridge.backends.local.supervisor.log import Log
from reana_bridge.backends.local.supervisor.workflow import ENGINE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from reana_bridge.backends.local.supervisor.workflow import Workflow

_PACKAGES = {"snakemake": "snakemake", "cwl": "cwltool", "yadage": "yadage"}


def run(workflow: Workflow) -> None:
    """Run the whole workflow.

    Raises:
        Failed: The engine or one of its jobs failed.
    """
    kind, plan = workflow.plan["type"], workflow.plan["engine"]
    engine = workflow.environment(ENGINE)
    default = workflow.environment(plan["default"])
    found = image_names.in_workflow(os.path.join(workflow.directory, records.WORKSPACE), plan["file"])
    mapped = _mapped(workflow, plan["images"], found)
    package = _PACKAGES[kind]
    workflow.progress.environment[package] = environments.packages(engine["prefix"]).get(package, "")
    if found:
        said = ", ".join(f"{image} -> {mapped.get(image, default)['label']}" for image in sorted(found))
        workflow.progress.environment["images"] = said
    order = {
        "type": kind,
        "workspace": workflow.job.workspace,
        "file": plan["file"],
        "parameters": plan["parameters"],
        "parameters_file": plan["parameters_file"],
        "options": plan["options"],
        "outputs": plan["outputs"],
        "environments": {
            image: {"label": one["label"], "path": ":".join([*one["bins"], *SYSTEM_PATH])}
            for image, one in mapped.items()
        },
    }
    _run(
        workflow, order, engine, default, [one for one in mapped.values() if one["label"] != default["label"]]
    )


def _mapped(workflow: Workflow, rules: list[list[str]], found: set[str]) -> dict[str, dict[str, Any]]:
    """The environments that stand in for the images that the workflow names."""
    chosen: dict[str, dict[str, Any]] = {}
    for image in sorted(found):
        key = next((key for glob, key in rules if image_names.matches(glob, image)), "")
        if key:
            chosen[image] = workflow.environment(key)
    return chosen


def _run(
    workflow: Workflow,
    order: dict[str, Any],
    engine: dict[str, Any],
    default: dict[str, Any],
    others: list[dict[str, Any]],
) -> None:
    kind = order["type"]
    log = Log(os.path.join(workflow.directory, records.LOGS, f"{kind}.log"), workflow.plan["limits"]["log"])
    fields = {"log": f"{kind}.log", "environment": default["label"]}
    events = Events(workflow.progress, fields)
    whole: dict[str, Any] = {"name": kind, "state": "running", "started_at": time.time(), **fields}
    descriptor = _in_memory(order)
    reader, writer = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
    os.set_blocking(writer, True)
    drivers = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "engines")
    argv = [os.path.join(engine["bins"][0], "python"), "-I", drivers, str(descriptor), str(writer)]
    binds = [*engine["binds"], drivers, *(path for one in others for path in one["binds"])]
    succeeded = False
    try:
        with workflow.step(whole, log):
            status = workflow.run(
                argv,
                default,
                log,
                binds=tuple(binds),
                keep=(descriptor, writer),
                events=(reader, events.take),
            )
            succeeded = status == 0
            events.close(succeeded)
            record = events.failed or whole
            workflow.expect_success(status, record, log)
    finally:
        events.close(succeeded)
        for one in (descriptor, reader, writer):
            os.close(one)
        log.close()
        if not workflow.progress.steps:  # it said nothing: one record for all of it
            whole |= {"state": "finished" if succeeded else "failed", "ended_at": time.time()}
            workflow.progress.steps.append(whole)
        workflow.progress.changed()


def _in_memory(order: dict[str, Any]) -> int:
    descriptor = os.memfd_create("order")
    os.write(descriptor, json.dumps(order).encode())
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor
