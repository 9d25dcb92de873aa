"""`reana-bridge alarms`: which rules raise alarms, and how often nothing was wrong."""

from typing import TYPE_CHECKING, Annotated

import typer

from reana_bridge.cli.common import ConfigOption, Failure, JsonOption, bridge_of, print_json

if TYPE_CHECKING:
    from reana_bridge.results.alarms import RuleRecord


def command(
    project: Annotated[str, typer.Argument(help="The project's name, such as gitlab-cern:atlas/ttbar.")],
    analysis: Annotated[str | None, typer.Option(help="Only this analysis.")] = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """List how often each rule of a project raised an alarm lately, and how often a false one.

    The rules with the most false alarms come first; a noisy one deserves a wider limit.

    Example: `reana-bridge alarms gitlab-cern:atlas/ttbar`
    """
    from reana_bridge.steps.comparing.alarms import alarms_by_analysis
    from reana_bridge.store.tables import ProjectRow
    from reana_bridge.web.alarm_shapes import record_shape

    with bridge_of(config) as bridge, bridge.database.read() as session:
        if session.get(ProjectRow, project) is None:
            raise Failure(f"nothing is known of a project {project}; write it as FORGE:PATH")
        by_analysis = alarms_by_analysis(session, project, only=analysis)
    found = [(name, record) for name, records in by_analysis.items() for record in records]
    if json:
        print_json([record_shape(project, name, record).model_dump() for name, record in found])
        return
    for name, record in found:
        typer.echo(_line(name, record))
    if not found:
        typer.echo("no rule raised an alarm")


def _line(analysis: str, record: "RuleRecord") -> str:
    from reana_bridge.reports.words import plural

    rule = f"{analysis}: {record.rule.pattern} {record.rule.limit} ({record.rule.effect})"
    false = f"{record.accepted} accepted, {record.vanished} vanished, {100 * record.share:.0f} % false"
    advice = "; noisy: widen its limit" if record.is_noisy else ""
    return f"{rule}: {plural(record.raised, 'alarm')}, {false}{advice}"
