# pyright: reportMissingImports=false, reportUnknownVariableType=false, reportUnknownMemberType=false
# pyright: reportUnknownArgumentType=false, reportUnusedFunction=false, reportUntypedFunctionDecorator=false
"""Yadage on this machine: every environment that a stage asks for becomes a shell in its directory."""

import itertools
import logging
import os
import subprocess
from typing import Any

import reporting

_OURS = "reana-bridge"


def _replace_environments(value: Any) -> None:
    """Let every environment in the workflow `value` be ours; its image is remembered in it."""
    if isinstance(value, dict):
        environment = value.get("environment")
        if isinstance(environment, dict) and "environment_type" in environment:
            image = str(environment.get("image") or "")
            tag = str(environment.get("imagetag") or "")
            # `latest` is what yadage itself fills in where no tag is given.
            has_tag = ":" in image or tag in ("", "latest")
            environment["bridge_image"] = image if has_tag or not image else f"{image}:{tag}"
            environment["environment_type"] = _OURS
        for one in value.values():
            _replace_environments(one)
    elif isinstance(value, list):
        for one in value:
            _replace_environments(one)


def _register(order: dict[str, Any]) -> None:
    """Teach yadage to run a job in our environment."""
    from packtivity.handlers.execution_handlers import executor

    counter = itertools.count()

    @executor(_OURS)
    def execute(
        _config: Any, environment: dict[str, Any], state: Any, job: dict[str, Any], metadata: Any
    ) -> None:
        image = environment.get("bridge_image", "")
        stand_in = reporting.environment_of(order, image)
        command = job.get("command") or job.get("interpreter") or ""
        key = f"{os.getpid()}-{next(counter)}"
        reporting.begin(
            key, str(metadata["name"]), command=command, image=image, environment=stand_in["label"]
        )
        status = _execute(environment, state.readwrite[0], job, stand_in["path"])
        reporting.end(key, status)
        if status != 0:
            raise RuntimeError(f"{metadata['name']} ended with status {status}: {command[:500]}")


def _execute(environment: dict[str, Any], place: str, job: dict[str, Any], path: str) -> int:
    os.makedirs(place, exist_ok=True)
    command = job["command"] if "command" in job else job["interpreter"]
    if environment.get("envscript"):
        command = f"source {environment['envscript']} && {command}"
    variables = {**os.environ, "PATH": path} if path else dict(os.environ)
    script = str(job.get("script") or "").encode()
    return subprocess.run(["/bin/bash", "-c", command], cwd=place, env=variables, input=script).returncode


def run(order: dict[str, Any]) -> int:
    """Run the workflow; the exit status."""
    import yaml
    from yadage import workflow_loader
    from yadage.steering_api import run_workflow
    from yadage.utils import setupbackend_fromstring

    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(message)s")
    options = order["options"]
    workspace = order["workspace"]
    toplevel = str(options.get("toplevel") or workspace)
    if ":" not in toplevel:
        toplevel = os.path.join(workspace, toplevel)
    workflow = workflow_loader.workflow(order["file"], toplevel=toplevel, validate=True)
    _replace_environments(workflow)
    _register(order)
    data: dict[str, Any] = {}
    for file in options.get("initfiles") or []:
        with open(file, encoding="utf-8") as stream:
            data |= yaml.safe_load(stream) or {}
    data |= reporting.parameters(order, yaml.safe_load)
    try:
        run_workflow(
            workspace,
            workflow_json=workflow,
            initdata=data,
            dataopts={"initdir": os.path.join(workspace, str(options.get("initdir") or ""))},
            backend=setupbackend_fromstring(f"multiproc:{reporting.cores()}"),
            accept_metadir=bool(options.get("accept_metadir")),
            validate=False,
            visualize=False,
        )
    except Exception as problem:
        logging.error("the workflow failed: %s", problem)
        return 1
    return 0
