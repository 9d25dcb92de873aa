"""Shows runs while they live, and gives their reports when they have ended."""

import time
from collections.abc import Sequence

from rich.console import Console

from reana_bridge.model.reports import Report
from reana_bridge.model.runs import FINAL, RunState
from reana_bridge.reports.status import status
from reana_bridge.steps.bridge import Bridge
from reana_bridge.steps.reporting import report_of
from reana_bridge.store.tables import Run

_PERIOD = 0.1


def watch(bridge: Bridge, run_ids: Sequence[str], console: Console, *, label: str = "") -> list[Report]:
    """Wait for the runs' ends, with a line for each change of what they do.

    Args:
        bridge: Whose database has the runs.
        run_ids: The runs.
        console: Where the lines go; on a terminal the last one stays alive.
        label: Put before each line.

    Returns:
        The reports, in the order of `run_ids`.
    """
    shown: dict[str, str] = {}
    with console.status("queued", spinner="dots") as spinner:
        while True:
            reports = [_report(bridge, run_id) for run_id in run_ids]
            for report in reports:
                line = f"{label}{report.analysis}: {doing(report)}"
                if shown.get(report.run_id) != line:
                    shown[report.run_id] = line
                    console.print(f"  {line}", markup=False, highlight=False)
                    spinner.update(line)
            if all(report.state in FINAL for report in reports):
                return reports
            time.sleep(_PERIOD)


def doing(report: Report) -> str:
    """What the run does now, in a few words."""
    if report.state in (RunState.COLLECTING, RunState.COMPARING):
        return report.reason or str(report.state)
    return status(report).description


def _report(bridge: Bridge, run_id: str) -> Report:
    with bridge.database.read() as session:
        return report_of(bridge, session, session.get_one(Run, run_id))
