"""`reana-bridge rerun`: run an ended run's commit again, as a whole or from one of its steps."""

from typing import Annotated

import typer

from reana_bridge.cli.common import (
    ConfigOption,
    Failure,
    JsonOption,
    bridge_of,
    me,
    parameters_of,
    print_json,
)


def command(
    run: Annotated[str, typer.Argument(help="The run's id, from its page or the API.")],
    from_step: Annotated[
        str, typer.Option(help="The first step that runs, in the ended run's workspace on REANA.")
    ] = "",
    parameter: Annotated[
        list[str] | None,
        typer.Option("--parameter", "-p", help="NAME=VALUE over the run's own; repeat."),
    ] = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Run the same commit and analysis again (the server that runs takes it up).

    With `--from-step` the steps before are not repeated: what they left is still in the workspace.

    Example: `reana-bridge rerun 01jd7w0c9t6m2v5x8y3z4a1b2c --from-step fit -p toys=2000`
    """
    from reana_bridge.steps import manual

    with bridge_of(config) as bridge:
        bridge.inbox.start()
        try:
            new = manual.rerun(
                bridge, run, actor=me(), from_step=from_step, parameters=parameters_of(parameter or [])
            )
        except manual.Refused as refused:
            raise Failure(str(refused), status=1) from None
        finally:
            bridge.inbox.stop()
    if json:
        print_json({"run": new, "reruns": run})
    else:
        typer.echo(f"{new} runs {run} again")
