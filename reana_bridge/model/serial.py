"""The steps of a serial workflow, with parameters put into their commands as REANA puts them.

`${name}` and `$name` stand for parameters, `$$` for a dollar; anything else after a `$` is an error here, and
would leave a run on REANA waiting for ever.
"""

from collections.abc import Mapping
from string import Template
from typing import Any

from reana_bridge.model.findings import Findings, kind_of
from reana_bridge.model.reana_keys import COMPUTE_BACKENDS, STEP
from reana_bridge.model.reana_types import STEP as STEP_TYPES
from reana_bridge.model.reana_types import check_types
from reana_bridge.model.specification import SerialStep
from reana_bridge.model.suggestions import did_you_mean, shown
from reana_bridge.model.yamlfile import Path

MAX_STEPS = 1000
MAX_COMMANDS = 100
MAX_COMMAND = 100_000
MAX_ALL_COMMANDS = 4_000_000
MAX_NAME = 100
MAX_MISTAKES = 10

_STEPS: Path = ("workflow", "specification", "steps")


def read_steps(
    findings: Findings,
    parameters: Mapping[str, Any],
    *,
    max_steps: int = MAX_STEPS,
    max_commands: int = MAX_COMMANDS,
) -> tuple[SerialStep, ...]:
    """The steps at `workflow.specification.steps`; what is wrong with them goes into `findings`.

    Args:
        findings: The document and its problems so far.
        parameters: What `$name` stands for.
        max_steps: How many steps there may be.
        max_commands: How many commands one step may have.
    """
    if not findings.entries(_STEPS, max_steps) and isinstance(findings.value(_STEPS) or [], list):
        hint = "write a list of steps, each with `environment` and `commands`"
        findings.error(_STEPS, "is missing" if findings.value(_STEPS) is None else "is empty", hint)
    reader = _Reader(findings, parameters, max_commands)
    steps = [
        reader.step((*_STEPS, index), index) for index in range(len(findings.entries(_STEPS, max_steps)))
    ]
    bare = [step.name for step in steps if step is not None and not step.environment]
    if bare:
        names = ", ".join(f"`{shown(name)}`" for name in bare[:5]) + (", ..." if len(bare) > 5 else "")
        hint = "add `environment:` with a container image"
        findings.warning(_STEPS, f"{len(bare)} without `environment`, which REANA requires: {names}", hint)
    return tuple(step for step in steps if step is not None)


class _Reader:
    """Reads steps one after the other; knows the names and the length of all commands so far."""

    def __init__(self, findings: Findings, parameters: Mapping[str, Any], max_commands: int) -> None:
        self._findings = findings
        self._parameters = {name: str(value) for name, value in parameters.items()}
        self._max_commands = max_commands
        self._names: set[str] = set()
        self._room = MAX_ALL_COMMANDS

    def step(self, path: Path, index: int) -> SerialStep | None:
        findings = self._findings
        if not isinstance(findings.value(path), dict):
            message = f"a step must hold keys, not {kind_of(findings.value(path))}"
            findings.error(path, message, "write `commands:` and below it a list")
            return None
        findings.known_keys(path, STEP)
        check_types(findings, path, STEP_TYPES)
        self._compute_backend((*path, "compute_backend"))
        return SerialStep(
            name=self._name((*path, "name"), index),
            commands=self._commands((*path, "commands")),
            environment=self._environment(path),
        )

    def _name(self, path: Path, index: int) -> str:
        name = self._findings.text(path) or f"step {index + 1}"
        if len(name) > MAX_NAME or not name.isprintable() or not name.strip():
            message = f"is not a step's name: `{shown(name)}`"
            self._findings.error(path, message, f"write at most {MAX_NAME} printable characters on one line")
        taken = name
        number = 2
        while taken in self._names:
            taken, number = f"{name} ({number})", number + 1
        if taken != name:
            message = (
                f"`{shown(name)}` is the name of an earlier step too; this one is shown as `{shown(taken)}`"
            )
            self._findings.warning(path, message, "give each step a name of its own")
        self._names.add(taken)
        return taken

    def _environment(self, path: Path) -> str:
        image = self._findings.text((*path, "environment"))
        if any(letter.isspace() or not letter.isprintable() for letter in image):
            hint = "write an image such as `docker.io/library/python:3.12`"
            self._findings.error((*path, "environment"), "is no container image: it has blanks in it", hint)
        return image

    def _compute_backend(self, path: Path) -> None:
        backend = self._findings.text(path)
        if isinstance(self._findings.value(path), str) and backend not in COMPUTE_BACKENDS:
            hint = did_you_mean(backend, COMPUTE_BACKENDS)
            self._findings.warning(path, f"`{shown(backend)}` is no compute backend of REANA", hint)

    def _commands(self, path: Path) -> tuple[str, ...]:
        findings = self._findings
        if isinstance(findings.value(path), str):
            findings.error(path, "must be a list, not one text", "begin the command's line with `- `")
            return ()
        commands = findings.entries(path, self._max_commands)
        if not commands and isinstance(findings.value(path) or [], list):
            missing = findings.value(path) is None
            findings.error(
                path, "is missing" if missing else "is empty", "write a list of shell commands below it"
            )
        return tuple(self._command((*path, index), command) for index, command in enumerate(commands))

    def _command(self, path: Path, command: object) -> str:
        if isinstance(command, str) and command.strip():
            return self._substituted(path, command)
        if isinstance(command, dict):
            hint = "put the command in quotes, because it has `: ` in it, or below `- |`"
        else:
            hint = "put the command in quotes" if command else "write a shell command after the `-`"
        self._findings.error(
            path, f"a command must be a text, not {kind_of(self._findings.value(path))}", hint
        )
        return ""

    def _substituted(self, path: Path, command: str) -> str:
        if "\0" in command:
            self._findings.error(path, "has a NUL character in it", "remove it")
            return ""
        length, mistakes = len(command), 0
        for match in Template.pattern.finditer(command):
            name = match["named"] or match["braced"]
            if match["invalid"] is not None or (name and name not in self._parameters):
                self._unknown(path, command, match.start(), name)
                mistakes += 1
                if mistakes == MAX_MISTAKES or self._findings.full:
                    return ""
            elif name:
                length += len(self._parameters[name])
        self._room -= length
        if length > MAX_COMMAND:
            message = f"is a command of more than {MAX_COMMAND} characters"
            self._findings.error(path, message, "put long texts into a file")
            return ""
        if self._room < 0:
            message = f"all commands together have more than {MAX_ALL_COMMANDS} characters"
            self._findings.error(_STEPS, message, "put long texts into a file")
            return ""
        return Template(command).substitute(self._parameters) if not mistakes else ""

    def _unknown(self, path: Path, command: str, at: int, name: str | None) -> None:
        line = self._findings.document.text_line(path, at)
        if name is None:
            rest = shown(command[at:].split("\n")[0].split(" ")[0], 20)
            self._findings.error(
                path, f"`{rest}` is not a parameter", f"write `${rest}` for the shell's own `$`", line
            )
            return
        advice = did_you_mean(name, self._parameters) or "declare it in `inputs.parameters`;"
        hint = f"{advice} a shell variable is written `$${shown(name)}`"
        self._findings.error(path, f"the parameter `{shown(name)}` is not declared", hint, line)
