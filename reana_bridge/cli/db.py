"""`reana-bridge db`: the database's schema."""

import typer

from reana_bridge.cli.common import ConfigOption, Failure, JsonOption, print_json, settings_of

app = typer.Typer(help="The database.", no_args_is_help=True)


@app.command()
def upgrade(config: ConfigOption = None, json: JsonOption = False) -> None:
    """Bring the database's schema up to date (each start of `serve` does so, too).

    Example: `reana-bridge db upgrade`
    """
    from reana_bridge.store.database import Database, DatabaseUnusable
    from reana_bridge.store.schema import upgrade

    database = Database(settings_of(config).database.url)
    try:
        before, after = upgrade(database)
    except DatabaseUnusable as error:
        raise Failure(str(error)) from None
    finally:
        database.close()
    if json:
        print_json({"before": before, "after": after})
    else:
        typer.echo(f"the database is at revision {after}" + ("" if before == after else f" (was {before})"))
