"""What REANA checks of a workflow: at its start (released protocol), or of its bundle (next protocol)."""

from collections.abc import Iterable, Mapping
from string import Template
from typing import Any, cast

from reana_bridge.testing.reana.api import Refused
from reana_bridge.testing.reana.things import Workflow
from reana_bridge.testing.reana.world import World, is_uuid4

TYPES = ("serial", "cwl", "yadage", "snakemake")
OPTIONS: Mapping[str, tuple[str, ...]] = {
    "serial": ("CACHE", "FROM", "TARGET"),
    "cwl": ("TARGET",),
    "snakemake": ("report",),
    "yadage": ("toplevel", "initdir", "initfiles", "accept_metadir"),
}
"""Operational options of each type."""

MOST_NAME_CHARACTERS = 255


def checked_name(name: str) -> str:
    """A workflow's name that may be used; `workflow` where none was given.

    Raises:
        Refused: It may not.
    """
    if is_uuid4(name):
        raise Refused(400, "Workflow name cannot be a valid UUIDv4.")
    if "." in name:
        raise Refused(403, f'Workflow name {name} contains illegal character "."')
    if not name.isascii() or len(name) > MOST_NAME_CHARACTERS:
        raise Refused(400, f"Workflow name {name} is not valid.")
    return name or "workflow"


def check_start(
    world: World, specification: Mapping[str, Any], parameters: Mapping[str, Any], options: Mapping[str, Any]
) -> None:
    """Hold a start against the specification.

    Raises:
        Refused: With 400 for everything that is found wrong, which is little.
    """
    declared, kind = parameters_of(specification), specification["workflow"]["type"]
    for name in parameters:
        if name not in declared:
            raise Refused(400, f"Input parameter '{name}' is not present in reana.yaml")
    for name in options:
        if name not in OPTIONS[kind]:
            raise Refused(400, f'Operational option "{name}" not supported for {kind} workflows.')
    if kind == "serial":
        check_backends(world, serial_steps(specification))


def check_backends(world: World, steps: Iterable[Mapping[str, Any]]) -> None:
    """Refuse steps for compute backends that there are not.

    Raises:
        Refused: There is such a step.
    """
    for step in steps:
        backend = step.get("compute_backend", world.compute_backends[0])
        if backend not in world.compute_backends:
            raise Refused(
                400, f'Compute backend "{backend}" found in step "{step.get("name")}" is not valid.'
            )


def serial_steps(specification: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The steps of a serial workflow.

    Raises:
        Refused: The key that is missing, quoted and nothing else, as REANA does.
    """
    value: Any = specification["workflow"]
    for key in ("specification", "steps"):
        if not isinstance(value, dict) or key not in value:
            raise Refused(400, f"'{key}'")
        value = cast(dict[str, Any], value)[key]
    return cast(list[dict[str, Any]], value)


def parameters_of(specification: Mapping[str, Any]) -> dict[str, Any]:
    """`inputs.parameters`."""
    inputs: Any = specification.get("inputs") or {}
    return dict(inputs.get("parameters") or {})


def commands_of(workflow: Workflow) -> list[tuple[dict[str, Any], str]]:
    """Each step with each of its commands, parameters put in, from `FROM` to `TARGET`.

    Raises:
        KeyError: A parameter is not defined: the workflow then hangs, as REANA's do.
        ValueError: A `$` stands alone: likewise.
    """
    values = parameters_of(workflow.specification) | workflow.parameters
    steps = serial_steps(workflow.specification)
    names = [step.get("name") for step in steps]
    begin, target = workflow.options.get("FROM"), workflow.options.get("TARGET")
    first = names.index(begin) if begin and begin in names else 0
    last = names.index(target) + 1 if target and target in names else len(steps)
    return [
        (step, Template(str(command)).substitute(values))
        for step in steps[first:last]
        for command in step["commands"]
    ]


def problems(world: World, document: Any) -> list[dict[str, str]]:
    """What is wrong with a bundle's reana.yaml; empty where it may be created."""
    if not isinstance(document, dict):
        return [_problem("malformed", "reana.yaml must be a mapping", "")]
    specification = cast(dict[str, Any], document)
    workflow: Any = specification.get("workflow")
    if not isinstance(workflow, dict):
        return [_problem("required", "'workflow' is a required property", "workflow")]
    kind = cast(dict[str, Any], workflow).get("type")
    if kind not in TYPES:
        return [_problem("enum", f"'{kind}' is not one of {list(TYPES)}", "workflow.type")]
    if kind != "serial":
        return []
    found: list[dict[str, str]] = []
    try:
        steps = serial_steps(specification)
        check_backends(world, steps)
    except Refused as refused:
        return [_problem("invalid", refused.payload["message"], "workflow.specification")]
    values = parameters_of(specification)
    for place, step in enumerate(steps):
        path = f"workflow.specification.steps.{place}"
        missing = [key for key in ("environment", "commands") if not step.get(key)]
        found += [_problem("required", f"'{key}' is a required property", path) for key in missing]
        commands: list[Any] = step.get("commands") or []
        for command in commands:
            try:
                Template(str(command)).substitute(values)
            except (KeyError, ValueError) as error:
                found.append(_problem("parameter", f"Workflow parameter {error} is not defined", path))
    return found


def warnings(document: Mapping[str, Any]) -> list[dict[str, str]]:
    """Keys that REANA does not know."""
    known = {"version", "inputs", "workflow", "outputs", "tests", "workspace"}
    unknown = sorted(set(document) - known)
    return [_problem("additional_properties", f"Unexpected property '{key}'", key) for key in unknown]


def _problem(code: str, message: str, path: str) -> dict[str, str]:
    return {"code": code, "message": message, "path": path}
