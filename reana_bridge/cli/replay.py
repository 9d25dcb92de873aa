"""`reana-bridge replay`: take a stored delivery through the door once more."""

from typing import Annotated

import typer

from reana_bridge.cli.common import ConfigOption, Failure, JsonOption, bridge_of, print_json


def command(
    delivery: Annotated[str, typer.Argument(help="The delivery's id, from `explain` or the API.")],
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Decide a stored delivery again, as a new synthetic one (the server that runs takes it up).

    Example: `reana-bridge replay 01jd7w0c9t6m2v5x8y3z4a1b2c`
    """
    from reana_bridge.store.ids import new_id
    from reana_bridge.store.inbox import Incoming
    from reana_bridge.store.tables import Delivery

    with bridge_of(config) as bridge:
        with bridge.database.read() as session:
            found = session.get(Delivery, delivery)
        if found is None:
            raise Failure(f"there is no delivery {delivery}")
        if found.body is None:
            raise Failure(f"the body of {delivery} has been dropped (storage.body_days); push again instead")
        bridge.inbox.start()
        again = bridge.inbox.put_blocking(
            Incoming(
                forge=found.forge,
                hook=found.hook,
                delivery_id=f"replay:{delivery}:{new_id()}",
                headers=found.headers or {},
                body=found.body,
                kind=found.kind,
            )
        )
        bridge.inbox.stop()
    if json:
        print_json({"delivery": again.id, "replays": delivery})
    else:
        typer.echo(f"{again.id} replays {delivery}")
