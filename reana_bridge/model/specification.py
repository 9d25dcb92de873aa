"""`reana.yaml` as values: what to run, with which inputs, and what it promises to leave."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class WorkflowType(StrEnum):
    """The workflow languages that REANA knows."""

    SERIAL = "serial"
    SNAKEMAKE = "snakemake"
    CWL = "cwl"
    YADAGE = "yadage"


@dataclass(frozen=True, kw_only=True)
class SerialStep:
    """One step of a serial workflow.

    Attributes:
        name: Given, or `step 1`, `step 2`, ... by position.
        commands: With parameters substituted; each runs in a shell of its own, in the workspace.
        environment: The container image; empty where none is given.
    """

    name: str
    commands: tuple[str, ...]
    environment: str = ""


@dataclass(frozen=True, kw_only=True)
class Specification:
    """One workflow, checked, with the parameters of one run put in.

    Attributes:
        type: The workflow's language.
        steps: The serial steps; empty for the other three types.
        file: The workflow's own file, relative to the workspace; empty for serial workflows.
        parameters: `inputs.parameters` with the run's own values over them.
        options: `inputs.options` (operational options such as CACHE, FROM, TARGET, toplevel).
        input_files: `inputs.files`.
        input_directories: `inputs.directories`.
        output_files: `outputs.files`; paths or globs relative to the workspace.
        output_directories: `outputs.directories`.
        document: The whole document as loaded, for backends that send it on.
    """

    type: WorkflowType
    steps: tuple[SerialStep, ...] = ()
    file: str = ""
    parameters: dict[str, Any] = field(default_factory=dict[str, Any])
    options: dict[str, Any] = field(default_factory=dict[str, Any])
    input_files: tuple[str, ...] = ()
    input_directories: tuple[str, ...] = ()
    output_files: tuple[str, ...] = ()
    output_directories: tuple[str, ...] = ()
    document: dict[str, Any] = field(default_factory=dict[str, Any])
