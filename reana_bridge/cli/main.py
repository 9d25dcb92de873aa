"""Gathers the commands. Each lives in a module of its own, whose heavy imports happen when it runs."""

import sys
from typing import Annotated

import typer

from reana_bridge import __version__
from reana_bridge.cli import (
    alarms,
    check,
    compare,
    connect,
    db,
    demo,
    doctor,
    explain,
    pause,
    replay,
    rerun,
    resume,
    run,
    serve,
    token,
)
from reana_bridge.cli.common import Failure

app = typer.Typer(
    name="reana-bridge",
    help="From a push to a verdict on the science.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"reana-bridge {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """From a push to a verdict on the science."""


for module in (
    demo,
    serve,
    run,
    check,
    compare,
    connect,
    doctor,
    explain,
    alarms,
    replay,
    rerun,
    pause,
    resume,
):
    app.command()(module.command)
    app.registered_commands[-1].name = module.__name__.rpartition(".")[2]
app.add_typer(db.app, name="db")
app.add_typer(token.app, name="token")


def main() -> None:
    """The entry point: exit status 0, 1 (the analysis or check failed) or 2 (wrong use or set-up)."""
    try:
        app()
    except Failure as failure:
        typer.echo(f"reana-bridge: {failure}", err=True)
        sys.exit(failure.status)
    except KeyboardInterrupt:
        typer.echo("reana-bridge: interrupted", err=True)
        sys.exit(130)
