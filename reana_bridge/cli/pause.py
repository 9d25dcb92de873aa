"""`reana-bridge pause`: stop work on a forge, a backend or a project until `resume`."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from reana_bridge.cli.common import ConfigOption, Failure, JsonOption, bridge_of, me, print_json
from reana_bridge.model.pauses import PauseKind

if TYPE_CHECKING:
    from reana_bridge.steps.bridge import Bridge


def command(
    kind: Annotated[PauseKind | None, typer.Argument(help="What to pause; left out: list pauses.")] = None,
    name: Annotated[str, typer.Argument(help="Its name in the settings; a project as forge:path.")] = "",
    reason: Annotated[str, typer.Option(help="Why, in one line that everyone reads.")] = "",
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Stop work on a forge, a backend or a project; nothing is lost meanwhile.

    Of a paused forge deliveries are stored and not decided, and nothing is posted; of a paused backend or
    project runs stay queued. Without arguments, what is paused now is listed.

    Example: `reana-bridge pause backend reana --reason "maintenance until Tuesday"`
    """
    from reana_bridge.steps.pausing import CannotPause, pause_work

    with bridge_of(config) as bridge:
        if kind is not None:
            if not name:
                raise Failure(f"which {kind}? write `reana-bridge pause {kind} NAME --reason TEXT`")
            try:
                pause_work(bridge, kind, name, reason=reason, by=me())
            except CannotPause as error:
                raise Failure(str(error)) from None
        found = _listed(bridge)
    if json:
        print_json(found)
        return
    for row in found:
        typer.echo(f"{row['kind']} {row['name']}: {row['reason']} ({row['paused_by']}, since {row['since']})")
    if not found:
        typer.echo("nothing is paused")


def _listed(bridge: "Bridge") -> list[dict[str, Any]]:
    from reana_bridge.steps.pausing import all_pauses
    from reana_bridge.web.templating import iso

    with bridge.database.read() as session:
        return [
            {
                "kind": row.kind,
                "name": row.name,
                "reason": row.reason,
                "paused_by": row.paused_by,
                "since": iso(row.since),
            }
            for row in all_pauses(session)
        ]
