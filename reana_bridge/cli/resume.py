"""`reana-bridge resume`: take up the work that `pause` stopped."""

from typing import Annotated

import typer

from reana_bridge.cli.common import ConfigOption, Failure, bridge_of
from reana_bridge.model.pauses import PauseKind


def command(
    kind: Annotated[PauseKind, typer.Argument(help="What it is.", show_default=False)],
    name: Annotated[str, typer.Argument(help="Its name in the settings; a project as forge:path.")],
    config: ConfigOption = None,
) -> None:
    """Take the work on a paused forge, backend or project up again.

    Example: `reana-bridge resume backend reana`
    """
    from reana_bridge.steps.pausing import resume_work

    with bridge_of(config) as bridge:
        if not resume_work(bridge, kind, name):
            raise Failure(f"the {kind} {name} is not paused; see `reana-bridge pause`")
    typer.echo(f"the {kind} {name} is resumed; a server that runs takes it up within seconds")
