"""What the commands share: failing with a sentence and a status, settings, an open bridge."""

import getpass
import json
import signal
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from reana_bridge.settings import Settings
    from reana_bridge.steps.bridge import Bridge

ConfigOption = Annotated[
    Path | None,
    typer.Option("--config", help="Settings file; else REANA_BRIDGE_CONFIG or reana-bridge.toml."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]


class Failure(Exception):
    """Ends the command with a sentence for the user.

    Attributes:
        status: 1 where the analysis or check failed, 2 for wrong use or set-up.
    """

    def __init__(self, message: str, *, status: int = 2) -> None:
        super().__init__(message)
        self.status = status


def settings_of(config: Path | None) -> "Settings":
    """The settings, or a `Failure` that says what is wrong with them."""
    from reana_bridge.settings import SettingsError, load

    try:
        return load(config)
    except SettingsError as error:
        raise Failure(str(error)) from None


@contextmanager
def bridge_of(config: Path | None) -> Generator["Bridge", None, None]:
    """The bridge of these settings beside a server that may be running; its database is up to date."""
    bridge = opened(settings_of(config), exclusive=False)
    try:
        yield bridge
    finally:
        bridge.database.close()


def opened(settings: "Settings", *, exclusive: bool) -> "Bridge":
    """The bridge that `settings` describe, its database up to date; a `Failure` where that cannot be."""
    from reana_bridge.settings import SettingsError
    from reana_bridge.steps.bridge import open_bridge
    from reana_bridge.store.database import DatabaseUnusable
    from reana_bridge.store.schema import upgrade

    try:
        bridge = open_bridge(settings, exclusive=exclusive)
        upgrade(bridge.database)
    except (SettingsError, DatabaseUnusable, OSError) as error:
        raise Failure(str(error)) from None
    return bridge


def end_in_order() -> None:
    """Let the signals that end a command raise KeyboardInterrupt, so that what it started ends with it."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)


def me() -> str:
    """Who runs the command, for the record."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a user without a name, as in some containers
        return "the administrator"


def json_text(data: Any) -> str:
    """`data` as JSON, as every command writes it."""
    return json.dumps(data, indent=2, ensure_ascii=False) + "\n"


def print_json(data: Any) -> None:
    """Print `data` as JSON."""
    sys.stdout.write(json_text(data))


def parameters_of(given: list[str]) -> dict[str, str | int | float | bool]:
    """What was given as `--parameter NAME=VALUE`; values as YAML reads them."""
    from reana_bridge.model.problems import ConfigurationError
    from reana_bridge.model.yamlfile import load

    found: dict[str, str | int | float | bool] = {}
    for item in given:
        name, equals, text = item.partition("=")
        if not equals or not name:
            raise Failure(f"--parameter {item!r}: write NAME=VALUE")
        try:
            value = load(f"value: {text}", file="--parameter").data["value"]
        except ConfigurationError:
            value = text
        found[name] = value if isinstance(value, str | int | float | bool) else text
    return found
