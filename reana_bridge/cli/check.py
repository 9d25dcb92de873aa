"""`reana-bridge check`: is the configuration right, and what would run, without a server."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from reana_bridge.cli.common import Failure, JsonOption, print_json
from reana_bridge.model.analyses import Analysis, ProjectFile
from reana_bridge.model.bridge_yaml import FILE, default_project_file
from reana_bridge.model.bridge_yaml import parse as parse_project_file
from reana_bridge.model.codec import to_data
from reana_bridge.model.problems import ConfigurationError, Problem
from reana_bridge.model.reana_yaml import parse as parse_specification


@dataclass
class _Checked:
    """What was found in a directory."""

    file: ProjectFile | None
    problems: list[Problem]
    by_analysis: dict[str, tuple[Problem, ...]]

    @property
    def wrong(self) -> bool:
        return any(problem.severity == "error" for problem in self.problems)


def command(
    directory: Annotated[Path, typer.Argument(help="The repository's working tree.")] = Path(),
    event: Annotated[
        Path | None, typer.Option("--event", help="A delivery's body (JSON); `-` reads standard input.")
    ] = None,
    kind: Annotated[str, typer.Option(help="Of which forge the event is.")] = "git",
    json: JsonOption = False,
) -> None:
    """Check reana.yaml and .reana-bridge.yaml, and say what would run for an event, and why.

    Example: `reana-bridge check --event push.json`
    """
    if not directory.is_dir():
        raise Failure(f"there is no directory {directory}")
    checked = _check(directory)
    decision = _decide(directory, event, kind, checked) if event else None
    if json:
        analyses = checked.file.analyses if checked.file else ()
        print_json(
            {
                "problems": to_data(checked.problems),
                "analyses": [to_data(analysis) for analysis in analyses],
                "decision": to_data(decision) if decision else None,
            }
        )
    else:
        _print(checked, decision)
    if checked.wrong:
        raise typer.Exit(1)


def _check(directory: Path) -> _Checked:
    checked = _Checked(None, [], {})
    given, usual = directory / FILE, directory / "reana.yaml"
    try:
        if given.is_file():
            checked.file = parse_project_file(given.read_bytes())
        elif usual.is_file():
            checked.file = default_project_file()
        else:
            hint = "write a reana.yaml that says what to run"
            checked.problems.append(Problem(message="there is no such file", file="reana.yaml", hint=hint))
    except ConfigurationError as error:
        checked.problems += error.problems
    for analysis in checked.file.analyses if checked.file else ():
        found = _check_specification(directory, analysis)
        checked.by_analysis[analysis.name] = found
        checked.problems += [problem for problem in found if problem not in checked.problems]
    return checked


def _check_specification(directory: Path, analysis: Analysis) -> tuple[Problem, ...]:
    path = directory / analysis.file
    if not path.is_file():
        message = f"there is no such file, but the analysis `{analysis.name}` is to run it"
        return (Problem(message=message, file=analysis.file, hint="add it, or name another with `file:`"),)
    try:
        specification, warnings = parse_specification(
            path.read_bytes(), file=analysis.file, parameters=analysis.parameters
        )
    except ConfigurationError as error:
        return error.problems
    named = [*specification.input_files, *specification.input_directories, specification.file]
    absent = [
        Problem(message=f"`{name}` is named, but is not there", file=analysis.file, severity="warning")
        for name in named
        if name and not (directory / name).exists()
    ]
    return (*warnings, *absent)


def _decide(directory: Path, event_file: Path, kind: str, checked: _Checked) -> Any:
    from reana_bridge.forges.base import ForgeError, ForgeRefused
    from reana_bridge.forges.source import changed_files, commit_message
    from reana_bridge.model.decisions import Situation, decide
    from webhooks.events import Push, Tag
    from webhooks.kinds import KINDS

    if kind not in KINDS:
        raise Failure(f"{kind!r} is no kind of forge; write one of {', '.join(sorted(KINDS))}")
    try:
        body = sys.stdin.buffer.read() if str(event_file) == "-" else event_file.read_bytes()
    except OSError as error:
        raise Failure(f"{event_file} cannot be read: {error.strerror}") from None
    event = KINDS[kind].parse({}, body)
    sha = event.after if isinstance(event, Push) else event.sha if isinstance(event, Tag) else None
    message, changed = "", None
    try:
        if sha:
            message = commit_message(directory / ".git", sha)
        if isinstance(event, Push) and sha:
            changes = changed_files(directory / ".git", event.before, sha) if event.before else None
            changed = changes.paths if changes and changes.complete else None
    except (ForgeError, ForgeRefused):  # the event speaks of commits that are not here: go by what it says
        pass
    return decide(
        Situation(
            event=event,
            head=sha,
            message=message,
            changed=changed,
            project_file=checked.file,
            problems=tuple(p for p in checked.problems if p.file == FILE),
            analysis_problems=checked.by_analysis,
        )
    )


def _print(checked: _Checked, decision: Any) -> None:
    for problem in checked.problems:
        typer.echo(f"{problem.severity}: {problem}", err=problem.severity == "error")
    if checked.file and not checked.wrong:
        for analysis in checked.file.analyses:
            typer.echo(f"{analysis.name}: {analysis.file} runs {_when(analysis)}")
    if decision is not None:
        typer.echo(f"{decision.outcome}: {decision.reason}")
        for each in decision.analyses:
            typer.echo(f"  {each.analysis}: {each.outcome}, {each.reason}")
    if not checked.wrong:
        typer.echo("the configuration is right")


def _when(analysis: Analysis) -> str:
    on = analysis.on
    names = {
        "pushes": on.push is not None,
        "merge requests": on.merge_request is not None,
        "tags": on.tags is not None,
        "a schedule": bool(on.schedules),
    }
    return "on " + (", ".join(name for name, there in names.items() if there) or "request only")
