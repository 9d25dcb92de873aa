"""`reana.yaml` to a checked specification with the parameters of one run put in.

Read as REANA reads it, but all mistakes are told at once, each with its line; what REANA only warns of (keys
that it does not know) is a warning here too.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, cast

from reana_bridge.model.findings import Findings, kind_of
from reana_bridge.model.paths import path_mistake
from reana_bridge.model.problems import Problem
from reana_bridge.model.reana_keys import EXAMPLE_FILES, OPTIONS, SECTIONS
from reana_bridge.model.reana_types import check_resources
from reana_bridge.model.serial import MAX_COMMANDS, MAX_STEPS, read_steps
from reana_bridge.model.specification import SerialStep, Specification, WorkflowType
from reana_bridge.model.suggestions import did_you_mean, one_of, shown
from reana_bridge.model.yamlfile import Path, Reading, load

_NO_PARAMETERS: Mapping[str, Any] = MappingProxyType({})
_OPTIONS: Path = ("inputs", "options")
_SOURCE: Path = ("workflow", "parameters", "file")


def parse(
    text: bytes | str,
    *,
    file: str = "reana.yaml",
    parameters: Mapping[str, Any] = _NO_PARAMETERS,
    max_steps: int = MAX_STEPS,
    max_commands: int = MAX_COMMANDS,
) -> tuple[Specification, tuple[Problem, ...]]:
    """The specification in `text`, and warnings about it.

    Args:
        text: The file's content.
        file: Its path inside the repository, for messages.
        parameters: This run's own values; only declared parameters may be among them.
        max_steps: How many steps a serial workflow may have.
        max_commands: How many commands one step may have.

    Raises:
        ConfigurationError: It cannot be run; all errors that were found, then the warnings.
    """
    findings = Findings(load(text, file=file, reading=Reading.REANA))
    for path, known in SECTIONS.items():
        findings.known_keys(path, known)
    values = _parameters(findings, parameters)
    kind = _type(findings)
    steps = _steps(findings, kind, values, max_steps=max_steps, max_commands=max_commands)
    specification = Specification(
        type=kind or WorkflowType.SERIAL,
        steps=steps,
        file=_file(findings, kind),
        parameters=values,
        options=_options(findings, kind, steps),
        input_files=findings.files(("inputs", "files")),
        input_directories=findings.files(("inputs", "directories")),
        output_files=findings.files(("outputs", "files")),
        output_directories=findings.files(("outputs", "directories")),
        document=findings.document.data,
    )
    _rest(findings)
    return specification, findings.warnings()


def _parameters(findings: Findings, given: Mapping[str, Any]) -> dict[str, Any]:
    path = ("inputs", "parameters")
    declared = findings.mapping(path)
    for name, value in declared.items():
        written = findings.document.written((*path, name))
        if _surprising(written, value) and name not in given:
            message = f"`{shown(written)}` means `{shown(str(value))}` to REANA"
            findings.warning((*path, name), message, f"write `{shown(str(value))}`, or put it in quotes")
    for name in given:
        if name not in declared:
            hint = (
                did_you_mean(name, declared)
                or f"declare `{shown(name)}` in `inputs.parameters` of `{findings.document.file}`"
            )
            findings.error((*path, name), "is given for this run, but not declared", hint)
    return {**declared, **given}


def _surprising(written: str, value: object) -> bool:
    """Whether an unquoted word means something else than it looks like: `010` is 8, `12:30` is 750."""
    if isinstance(value, bool):
        return written.casefold() != str(value).casefold()
    return isinstance(value, int) and written.lstrip("+") != str(value)


def _type(findings: Findings) -> WorkflowType | None:
    path = ("workflow", "type")
    if not findings.mapping(("workflow",)):
        if not isinstance(findings.value(("workflow",)), str | int | float | list):
            findings.error(("workflow",), "is missing", "write `workflow:` with `type` and what is to run")
        return None
    word = findings.text(path, one_of(WorkflowType))
    if word in set(WorkflowType):
        return WorkflowType(word)
    if findings.value(path) is None:
        findings.error(path, "is missing", one_of(WorkflowType))
    elif word or findings.value(path) == "":
        hint = did_you_mean(word, WorkflowType)
        findings.error(path, f"`{shown(word)}` is no workflow type", f"{hint} {one_of(WorkflowType)}".strip())
    return None


def _steps(
    findings: Findings,
    kind: WorkflowType | None,
    values: Mapping[str, Any],
    *,
    max_steps: int,
    max_commands: int,
) -> tuple[SerialStep, ...]:
    if kind is not WorkflowType.SERIAL:
        return ()
    if findings.value(("workflow", "file")) is not None:
        hint = "write the steps below `workflow.specification.steps`"
        findings.error(
            ("workflow", "file"), "a serial workflow has its steps in this file, not in another", hint
        )
        return ()
    findings.mapping(("workflow", "specification"))
    findings.known_keys(("workflow", "specification"), ("steps",))
    if not isinstance(findings.value(("workflow", "specification")) or {}, dict):
        return ()
    return read_steps(findings, values, max_steps=max_steps, max_commands=max_commands)


def _file(findings: Findings, kind: WorkflowType | None) -> str:
    path = ("workflow", "file")
    if kind is None or kind is WorkflowType.SERIAL:
        return ""
    if findings.value(path) is None:
        findings.error(
            path, "is missing", f"name the workflow's own file, such as `file: {EXAMPLE_FILES[kind]}`"
        )
        return ""
    file = findings.file(path)
    if any(letter in file for letter in "*?"):
        findings.error(path, "is a pattern, not a file", "write the one file's path")
    return file


def _options(findings: Findings, kind: WorkflowType | None, steps: tuple[SerialStep, ...]) -> dict[str, Any]:
    options = findings.mapping(_OPTIONS)
    if kind is None:
        return options
    for key in options:
        if key not in OPTIONS[kind]:
            hint = did_you_mean(key, OPTIONS[kind]) or one_of(OPTIONS[kind])
            findings.error((*_OPTIONS, key), f"is no option of a {kind} workflow", hint)
    if kind is WorkflowType.SERIAL:
        _step_options(findings, [step.name for step in steps])
    for key in ("report", "initdir"):
        findings.file((*_OPTIONS, key))
    findings.files((*_OPTIONS, "initfiles"))
    toplevel = findings.text((*_OPTIONS, "toplevel"))
    if toplevel and ":" not in toplevel and path_mistake(toplevel):
        findings.file((*_OPTIONS, "toplevel"))
    return options


def _step_options(findings: Findings, names: list[str]) -> None:
    for key in ("FROM", "TARGET"):
        name = findings.text((*_OPTIONS, key))
        if name and names and name not in names:
            hint = did_you_mean(name, names) or "write the `name` of a step"
            findings.error((*_OPTIONS, key), f"no step is called `{shown(name)}`", hint)


def _rest(findings: Findings) -> None:
    """What only REANA uses, checked so that a run is not refused there."""
    for key in ("files", "directories"):
        findings.files(("workflow", key))
    findings.mapping(("workflow", "specification"))
    findings.mapping(_SOURCE[:-1])
    findings.file(_SOURCE)
    if findings.value(_SOURCE[:-1]) is not None and findings.value(_SOURCE) is None:
        findings.error(_SOURCE, "is missing", "name the file with the parameters")
    findings.files(("tests", "files"))
    findings.text(("workspace", "root_path"))
    for glob, days in findings.mapping(("workspace", "retention_days")).items():
        if not isinstance(days, int) or isinstance(days, bool) or days < 0:
            path = ("workspace", "retention_days", glob)
            findings.error(
                path,
                f"must be a number of days, not {kind_of(cast(object, days))}",
                "write a number such as `30`",
            )
    for key in ("inputs", "outputs", "tests", "workspace"):
        findings.mapping((key,))
    if findings.value(("workspace", "retention_days")) == {}:
        findings.error(
            ("workspace", "retention_days"), "is empty", "write a line such as `tmp/*: 30` below it"
        )
    check_resources(findings)
