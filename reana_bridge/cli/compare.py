"""`reana-bridge compare`: two runs, or two folders with what runs left, one against the other."""

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from reana_bridge.cli.common import ConfigOption, Failure, JsonOption, json_text
from reana_bridge.model.analyses import Analysis

if TYPE_CHECKING:
    from reana_bridge.cli.comparing import Compared
    from reana_bridge.reports.enclosed import Enclosed


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
    output: Annotated[
        Path | None,
        typer.Option(help="Write the report into this folder; of Markdown and JSON the pictures beside it."),
    ] = None,
    pictures: Annotated[
        str,
        typer.Option(metavar="SIZE", help="Most that the pictures of a page or folder take together."),
    ] = "25MiB",
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Compare two runs, or two folders with what runs left: metrics, files, rules.

    As HTML the report is one file with its pictures in it. The exit status is 1 where a rule that blocks is
    broken.

    Example: `reana-bridge compare results-before results-after --format html > report.html`
    """
    from reana_bridge.cli import comparing
    from reana_bridge.cli.run import passed

    form = Form.JSON if json else form
    limit = _bytes(pictures)
    draws = limit > 0 and (form is Form.HTML or output is not None)
    folders = [Path(name) for name in (before, after)]
    if all(folder.is_dir() for folder in folders):
        _keep_apart(output, folders)
        found = comparing.folders(folders[0], folders[1], _analysis(rules, analysis), draws=draws)
    elif any(folder.is_dir() for folder in folders):
        other = before if folders[1].is_dir() else after
        raise Failure(f"{other} is no folder; give two folders, or the ids of two runs")
    elif rules:
        raise Failure("--rules is for folders: a run is judged by the rules of its own project")
    elif server:
        found = comparing.of_server(server, token_file, before, after)
    else:
        found = comparing.of_runs(config, before, after)
    with found as compared:
        _show(_enclosed(compared, limit if draws else 0), form, output)
    if not passed(compared.report):
        raise typer.Exit(1)


def _enclosed(compared: "Compared", limit: int) -> "Enclosed":
    """The report with at most `limit` bytes of pictures; as it is for 0."""
    from reana_bridge.reports.enclosed import Enclosed, enclose

    if not limit:
        return Enclosed(report=compared.report, pictures={})
    return enclose(compared.report, compared.content, limit=limit)


def _bytes(text: str) -> int:
    """A size such as `25MiB`."""
    from pydantic import TypeAdapter, ValidationError

    from reana_bridge.sections import Bytes

    try:
        return TypeAdapter(Bytes).validate_python(text)
    except ValidationError as error:
        raise Failure(f"--pictures {text}: {error.errors()[0]['msg']}") from None


def _keep_apart(output: Path | None, folders: list[Path]) -> None:
    """What is written would be compared the next time."""
    for folder in folders if output else ():
        if output and output.resolve().is_relative_to(folder.resolve()):
            raise Failure(f"--output {output} lies in {folder}, which is compared; write it elsewhere")


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


_NAMES = {Form.MARKDOWN: "report.md", Form.HTML: "report.html", Form.JSON: "report.json"}


def _show(enclosed: "Enclosed", form: Form, output: Path | None) -> None:
    """Print the report; or write it, with its pictures beside it where it does not hold them itself."""
    from rich.console import Console

    from reana_bridge.reports import terminal
    from reana_bridge.reports.enclosed import NO_COPIES

    if form is Form.TERMINAL:
        Console().print(terminal.render(enclosed.report), crop=False)
    elif output is None:
        sys.stdout.write(_text(enclosed, form))
    if output is None:
        return
    try:
        output.mkdir(parents=True, exist_ok=True)
        pictures = enclosed.pictures if form is not Form.HTML else NO_COPIES
        for link, picture in pictures.items():
            (output / link).parent.mkdir(exist_ok=True)
            (output / link).write_bytes(picture.content)
        if form in _NAMES:
            (output / _NAMES[form]).write_text(_text(enclosed, form), "utf-8")
    except OSError as error:
        raise Failure(f"--output {output}: {error.strerror}") from None
    _say_written(output, form, len(pictures))


def _say_written(output: Path, form: Form, count: int) -> None:
    from reana_bridge.reports.words import plural

    written = [str(output / _NAMES[form])] if form in _NAMES else []
    if count or not written:
        written.append(f"{plural(count, 'picture')} in {output / 'pictures'}")
    typer.echo(f"Written: {', '.join(written)}", err=True)


def _text(enclosed: "Enclosed", form: Form) -> str:
    from reana_bridge.model.codec import to_data
    from reana_bridge.reports import html, markdown

    match form:
        case Form.JSON:
            return json_text(to_data(enclosed.report))
        case Form.MARKDOWN:
            return markdown.section(enclosed.report, commands=False)
        case Form.HTML:
            return html.page(enclosed.report, enclosed.pictures)
        case Form.TERMINAL:
            return ""
