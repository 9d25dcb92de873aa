# pyright: reportMissingImports=false, reportUnknownVariableType=false, reportUnknownMemberType=false
# pyright: reportUnknownArgumentType=false
"""A Snakefile's rules as the steps that REANA checks; reading it runs the project's code."""

import json
import tempfile
from pathlib import Path
from typing import Any

_RESOURCES = ("compute_backend", "kubernetes_memory_limit", "kubernetes_uid")


def load(order: dict[str, Any]) -> Any:
    """The rules, each with its image, files and command."""
    from snakemake.api import SnakemakeApi
    from snakemake.settings.enums import Quietness
    from snakemake.settings.types import (
        ConfigSettings,
        DeploymentSettings,
        OutputSettings,
        ResourceSettings,
        StorageSettings,
        WorkflowSettings,
    )

    configurations = [Path(order["parameters_file"])] if order["parameters_file"] else []
    if order["parameters"]:
        with tempfile.NamedTemporaryFile("w", suffix=".json", delete=False) as file:
            json.dump(order["parameters"], file)
        configurations.append(Path(file.name))
    with SnakemakeApi(OutputSettings(quiet={Quietness.ALL})) as api:
        workflow = api.workflow(
            resource_settings=ResourceSettings(cores=1),
            config_settings=ConfigSettings(configfiles=configurations),
            storage_settings=StorageSettings(),
            storage_provider_settings={},
            workflow_settings=WorkflowSettings(),
            deployment_settings=DeploymentSettings(),
            snakefile=Path(order["file"]),
            workdir=Path(order["workspace"]),
        )
        workflow.dag()
        rules = [_step(rule) for rule in workflow._workflow.rules if not rule.norun]
    return {"job_dependencies": {}, "steps": rules}


def _step(rule: Any) -> dict[str, Any]:
    step: dict[str, Any] = {
        "name": rule.name,
        "environment": str(rule.container_img or "").removeprefix("docker://"),
        "inputs": dict(rule.input.items()),
        "params": dict(rule.params.items()),
        "outputs": dict(rule.output.items()),
        "commands": [rule.shellcmd] if rule.shellcmd else [],
    }
    for name in _RESOURCES:
        value = rule.resources.get(name)
        step[name] = getattr(value, "value", value)
    return step
