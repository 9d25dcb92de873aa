"""`reana-bridge explain`: why something ran, or did not."""

from datetime import UTC, datetime
from typing import Annotated, Any, cast

import typer

from reana_bridge.cli.common import ConfigOption, Failure, JsonOption, bridge_of, print_json


def command(
    commit: Annotated[str, typer.Argument(help="A commit's sha, or at least 7 digits of it.")],
    project: Annotated[str | None, typer.Option(help="Only of this project.")] = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Explain what happened to a commit: each delivery's decision with its reason, and the runs.

    Example: `reana-bridge explain 3f9c2a1`
    """
    from sqlalchemy import select

    from reana_bridge.store.tables import Decision, Run

    if len(commit) < 7 or not all(digit in "0123456789abcdef" for digit in commit.lower()):
        raise Failure(f"{commit!r} is not a commit's sha; write at least 7 of its digits")
    with bridge_of(config) as bridge, bridge.database.read() as session:
        found: dict[str, list[Any]] = {}
        for table in (Decision, Run):
            columns = cast(Any, table)
            chosen = select(table).where(columns.sha.startswith(commit.lower())).order_by(columns.id)
            if project:
                chosen = chosen.where(columns.project == project)
            found[table.__name__] = list(session.execute(chosen).scalars())
    decisions, runs = found["Decision"], found["Run"]
    if not decisions and not runs:
        raise Failure(f"nothing is known of a commit {commit}; has a delivery come for it?", status=1)
    if json:
        print_json({"decisions": [_decision(d) for d in decisions], "runs": [_run(r) for r in runs]})
        return
    for decision in decisions:
        data = _decision(decision)
        typer.echo(f"{data['at']}  {data['event']} {data['ref']} of {data['project']}: {data['outcome']}")
        typer.echo(f"    {data['reason']} (delivery {data['delivery']})")
        for each in data["analyses"]:
            run = f", run {each['run']}" if each["run"] else ""
            typer.echo(f"    {each['analysis']}: {each['outcome']}, {each['reason']}{run}")
    for run in runs:
        data = _run(run)
        typer.echo(
            f"{data['at']}  run {data['id']} {data['analysis']}: {data['state']} {data['reason']}".rstrip()
        )


def _decision(row: Any) -> dict[str, Any]:
    return {
        "at": _time(row.decided_at),
        "delivery": row.delivery_id,
        "project": row.project,
        "event": row.event,
        "ref": row.ref,
        "sha": row.sha,
        "outcome": row.outcome,
        "reason": row.reason,
        "analyses": row.analyses or [],
    }


def _run(row: Any) -> dict[str, Any]:
    failure: dict[str, str] = row.failure or {}
    return {
        "at": _time(row.queued_at),
        "id": row.id,
        "project": row.project,
        "analysis": row.analysis,
        "sha": row.sha,
        "state": str(row.state),
        "reason": row.reason or failure.get("message", ""),
        "attempt": row.run_attempt,
    }


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
