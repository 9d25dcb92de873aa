"""`reana-bridge compare`: two runs, or two folders with what runs left, one against the other."""

import os
import sys
import time
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from reana_bridge.cli.common import ConfigOption, Failure, JsonOption, bridge_of, print_json
from reana_bridge.model.analyses import Analysis
from reana_bridge.model.reports import Report

_SECONDS = 30.0
_LARGEST = 256 << 20  # bytes of a server's answer


class Form(StrEnum):
    """How a report is printed."""

    TERMINAL = "terminal"
    MARKDOWN = "markdown"
    HTML = "html"
    JSON = "json"


def command(
    before: Annotated[str, typer.Argument(metavar="A", help="The baseline: a run's id, or a folder.")],
    after: Annotated[str, typer.Argument(metavar="B", help="What is compared with it: another of the same.")],
    form: Annotated[Form, typer.Option("--format", help="How the report is printed.")] = Form.TERMINAL,
    rules: Annotated[
        Path | None,
        typer.Option(help="For folders: a `.reana-bridge.yaml` whose metrics, hints, rules count."),
    ] = None,
    analysis: Annotated[
        str | None, typer.Option(help="Which analysis of that file, where it has several.")
    ] = None,
    server: Annotated[
        str | None, typer.Option(help="Ask this server for the runs, such as https://bridge.example.org.")
    ] = None,
    token_file: Annotated[
        Path | None, typer.Option(help="File with a token for the server; else REANA_BRIDGE_TOKEN.")
    ] = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Compare two runs, or two folders with what runs left: metrics, files, rules.

    The exit status is 1 where a rule that blocks is broken.

    Example: `reana-bridge compare results-before results-after --format markdown`
    """
    from reana_bridge.cli.run import passed

    folders = [Path(name) for name in (before, after)]
    if all(folder.is_dir() for folder in folders):
        report = _folders(folders[0], folders[1], _analysis(rules, analysis))
    elif any(folder.is_dir() for folder in folders):
        other = before if folders[1].is_dir() else after
        raise Failure(f"{other} is no folder; give two folders, or the ids of two runs")
    elif rules:
        raise Failure("--rules is for folders: a run is judged by the rules of its own project")
    else:
        report = _of_server(server, token_file, before, after) if server else _of_runs(config, before, after)
    _print(report, Form.JSON if json else form)
    if not passed(report):
        raise typer.Exit(1)


def _analysis(rules: Path | None, name: str | None) -> Analysis:
    """What the rules' file says of the analysis; one without rules where there is no file."""
    from reana_bridge.model.bridge_yaml import default_project_file, parse
    from reana_bridge.model.problems import ConfigurationError

    if rules is None:
        return default_project_file().analyses[0]
    try:
        found = parse(rules.read_bytes(), file=str(rules)).analyses
    except OSError as error:
        raise Failure(f"--rules {rules}: {error.strerror}") from None
    except ConfigurationError as error:
        raise Failure(str(error)) from None
    chosen = [one for one in found if name in (None, one.name)]
    if len(chosen) == 1:
        return chosen[0]
    names = ", ".join(one.name for one in found)
    raise Failure(f"{rules} has no analysis {name}" if name else f"say which: --analysis with one of {names}")


def _folders(before: Path, after: Path, analysis: Analysis) -> Report:
    from reana_bridge.settings import LimitSettings
    from reana_bridge.steps.comparing.folders import folder_report

    try:
        return folder_report(
            before.absolute(),
            after.absolute(),
            analysis=analysis,
            limits=LimitSettings.model_validate({}),
            now=time.time(),
        )
    except OSError as error:
        raise Failure(f"{error.filename}: {error.strerror}") from None


def _of_runs(config: Path | None, before: str, after: str) -> Report:
    """From the database of the settings."""
    from reana_bridge.steps.comparing.pair import pair_report
    from reana_bridge.steps.showing import with_own_text
    from reana_bridge.store.tables import Run

    with bridge_of(config) as bridge:
        with bridge.database.read() as session:
            found = {name: session.get(Run, name) for name in (before, after)}
        runs = [run for run in found.values() if run is not None]
        absent = [name for name, run in found.items() if run is None]
        if absent:
            raise Failure(f"{absent[0]} is neither a folder nor the id of a run that is known here")
        return with_own_text(bridge, pair_report(bridge, runs[0], runs[-1]))


def _of_server(server: str, token_file: Path | None, before: str, after: str) -> Report:
    """From a server's API.

    Raises:
        Failure: It does not answer, or not with a report.
    """
    import json
    from urllib.parse import quote

    import httpx

    from reana_bridge.model.codec import CodecError, from_data

    if not server.startswith(("https://", "http://127.0.0.1", "http://localhost", "http://[::1]")):
        raise Failure(f"--server {server}: a token is sent only over https")
    url = f"{server.rstrip('/')}/api/v1/compare/{quote(before, safe='')}/{quote(after, safe='')}"
    try:
        answer = httpx.get(url, params={"format": "report"}, headers=_bearer(token_file), timeout=_SECONDS)
        if answer.status_code == 404:
            raise Failure(f"{server} has no two such runs, or they are not for this token", status=2)
        answer.raise_for_status()
        if len(answer.content) > _LARGEST:
            raise Failure(f"the answer of {server} is larger than {_LARGEST} bytes")
        return from_data(Report, json.loads(answer.content))
    except httpx.HTTPError as error:
        raise Failure(f"{server}: {error}") from None
    except (ValueError, CodecError) as error:
        raise Failure(f"{server} did not answer with a report, is it another version? ({error})") from None


def _bearer(token_file: Path | None) -> dict[str, str]:
    try:
        token = token_file.read_text("utf-8") if token_file else os.environ.get("REANA_BRIDGE_TOKEN", "")
    except (OSError, UnicodeDecodeError) as error:
        raise Failure(f"--token-file {token_file}: {error}") from None
    return {"authorization": f"Bearer {token.strip()}"} if token.strip() else {}


def _print(report: Report, form: Form) -> None:
    from rich.console import Console

    from reana_bridge.model.codec import to_data
    from reana_bridge.reports import html, markdown, terminal

    match form:
        case Form.JSON:
            print_json(to_data(report))
        case Form.MARKDOWN:
            sys.stdout.write(markdown.section(report, commands=False))
        case Form.HTML:
            sys.stdout.write(html.page(report))
        case Form.TERMINAL:
            Console().print(terminal.render(report), crop=False)
