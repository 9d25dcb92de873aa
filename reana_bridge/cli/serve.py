"""`reana-bridge serve`: receive, run, report."""

import sys
from typing import Annotated, Literal

import typer

from reana_bridge.cli.common import ConfigOption, Failure, opened, settings_of


def command(
    config: ConfigOption = None,
    role: Annotated[
        Literal["all", "web", "worker"],
        typer.Option(help="all; or only receive and show (web); or only work (worker, needs PostgreSQL)."),
    ] = "all",
    host: Annotated[str | None, typer.Option(help="Instead of server.host.")] = None,
    port: Annotated[int | None, typer.Option(help="Instead of server.port.")] = None,
    shadow: Annotated[
        bool, typer.Option("--shadow", help="Rehearse: run everything, write nothing to any forge.")
    ] = False,
) -> None:
    """Serve: take webhooks, run workflows, show reports.

    Example: `reana-bridge serve --config reana-bridge.toml`
    """
    settings = settings_of(config)
    if shadow:
        server = settings.server.model_copy(update={"shadow": True})
        settings = settings.model_copy(update={"server": server})
    if role != "all" and settings.database.url.startswith("sqlite"):
        raise Failure("SQLite serves one process: leave --role away, or set database.url to PostgreSQL")
    from reana_bridge.logs import configure
    from reana_bridge.steps.runtime import Runtime
    from reana_bridge.store.tokens import operator_token
    from reana_bridge.web.server import run_server

    configure(settings.server.log_format)
    bridge = opened(settings, exclusive=True)
    path, made = operator_token(bridge.database, settings.storage.secrets)
    if made and sys.stderr.isatty():
        typer.echo(f"The operator's token (kept in {path}): {path.read_text().strip()}", err=True)
    status = run_server(
        bridge,
        Runtime(bridge, role),
        host=host or settings.server.host,
        port=settings.server.port if port is None else port,
        takes_webhooks=role != "worker",
    )
    raise typer.Exit(status)
