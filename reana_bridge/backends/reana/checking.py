"""What must be right before anything is sent: REANA itself looks late, or never, and then a run hangs."""

from collections.abc import Collection, Mapping
from typing import Any

from reana_bridge.backends.reana.values import items, mapping, text
from reana_bridge.model.problems import ConfigurationError, Problem
from reana_bridge.model.specification import Specification, WorkflowType
from reana_bridge.model.suggestions import one_of, shown

_RETENTION = "maximum_workspace_retention_period"


def check(specification: Specification, info: Mapping[str, Any]) -> None:
    """Hold a specification against what the instance offers.

    Args:
        specification: Of the run.
        info: What the instance says of itself; empty where it says nothing.

    Raises:
        ConfigurationError: It would be refused, or hang.
    """
    problems: list[Problem] = []
    if specification.type is WorkflowType.SERIAL:
        problems += _steps(specification, [text(one) for one in items(info.get("compute_backends"))])
    problems += _retention(specification, info.get(_RETENTION))
    if problems:
        raise ConfigurationError(tuple(problems))


def _steps(specification: Specification, offered: Collection[str]) -> list[Problem]:
    found: list[Problem] = []
    workflow = mapping(specification.document.get("workflow"))
    steps = items(mapping(workflow.get("specification")).get("steps"))
    for index, step in enumerate(map(mapping, steps)):
        place = f"workflow.specification.steps[{index}]"
        if not text(step.get("environment")):
            hint = "add `environment:` with a container image"
            found.append(_problem(f"{place}.environment", "is missing, and REANA runs no step without", hint))
        backend = text(step.get("compute_backend"))
        if backend and offered and backend not in offered:
            message = f"`{shown(backend)}` is no compute backend of this REANA"
            found.append(_problem(f"{place}.compute_backend", message, one_of(offered)))
    return found


def _retention(specification: Specification, most: Any) -> list[Problem]:
    if not str(most).isdigit():
        return []
    workspace = mapping(specification.document.get("workspace"))
    return [
        _problem(
            f"workspace.retention_days.{pattern}",
            f"{days} days are more than this REANA keeps files",
            f"write at most {most}",
        )
        for pattern, days in mapping(workspace.get("retention_days")).items()
        if isinstance(days, int) and days > int(str(most))
    ]


def _problem(key: str, message: str, hint: str) -> Problem:
    return Problem(message=message, file="reana.yaml", key=key, hint=hint)
