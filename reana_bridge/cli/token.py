"""`reana-bridge token`: who may see and do what."""

from datetime import UTC, datetime
from typing import Annotated, Any, cast

import typer

from reana_bridge.cli.common import ConfigOption, Failure, JsonOption, bridge_of, print_json

app = typer.Typer(help="Tokens for pages and API.", no_args_is_help=True)


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="What it is for; shown in lists.")],
    scope: Annotated[str, typer.Option(help="read, write (run, cancel, rerun) or admin.")] = "read",
    project: Annotated[str, typer.Option(help="Glob over project names.")] = "*",
    days: Annotated[float | None, typer.Option(help="Days until it expires.")] = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Make a token and print it, once.

    Example: `reana-bridge token create dashboard --scope read --project 'local:*' --days 90`
    """
    import time

    from reana_bridge.store import tokens

    with bridge_of(config) as bridge:
        expires = None if days is None else time.time() + days * 86_400
        try:
            secret = tokens.create(
                bridge.database, name=name, scope=scope, project=project, expires_at=expires
            )
        except ValueError as error:
            raise Failure(str(error)) from None
    if json:
        print_json({"name": name, "token": secret, "scope": scope, "project": project})
    else:
        typer.echo(secret)


@app.command("list")
def list_(config: ConfigOption = None, json: JsonOption = False) -> None:
    """List the tokens (never their secrets).

    Example: `reana-bridge token list`
    """
    from sqlalchemy import select

    from reana_bridge.store.tables import Token

    with bridge_of(config) as bridge, bridge.database.read() as session:
        found = session.execute(select(Token).order_by(cast(Any, Token).created_at)).scalars()
        rows = [
            {
                "id": token.id,
                "name": token.name,
                "scope": token.scopes,
                "project": token.project,
                "created": _time(token.created_at),
                "expires": _time(token.expires_at),
                "revoked": _time(token.revoked_at),
            }
            for token in found
        ]
    if json:
        print_json(rows)
        return
    for row in rows:
        state = "revoked" if row["revoked"] else "until " + row["expires"] if row["expires"] else "valid"
        typer.echo(f"{row['id']}  {row['scope']:5}  {row['project']}  {row['name']}  ({state})")


@app.command()
def revoke(
    token: Annotated[str, typer.Argument(help="The token's id, from `token list`.")],
    config: ConfigOption = None,
) -> None:
    """End a token at once.

    Example: `reana-bridge token revoke 01jd7w0c9t6m2v5x8y3z4a1b2c`
    """
    from reana_bridge.store import tokens

    with bridge_of(config) as bridge:
        if not tokens.revoke(bridge.database, token):
            raise Failure(f"there is no live token {token}; see `reana-bridge token list`")
    typer.echo(f"{token} is revoked")


@app.command()
def rotate(
    project: Annotated[str, typer.Argument(help="The project, such as local:group/name.")],
    config: ConfigOption = None,
) -> None:
    """Rotate a project's key: every link that reports of it carried ends to work at once.

    Example: `reana-bridge token rotate local:group/name`
    """
    from reana_bridge.store.tables import ProjectRow

    with bridge_of(config) as bridge, bridge.database.transaction() as session:
        row = session.get(ProjectRow, project)
        if row is None:
            raise Failure(f"{project} has sent no delivery yet, so it has no links")
        row.key_generation += 1
    typer.echo(f"links of {project} made before now do not work any more")


def _time(seconds: float | None) -> str:
    return "" if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
