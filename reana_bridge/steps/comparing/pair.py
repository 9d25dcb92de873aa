"""The report on any two runs: the one against the other, on what they left.

What stands there is made from what is stored and nothing else, so that it is the same whenever it is asked
for. Where the first is the second's own baseline, its comparison is taken as it was made, with everything
that was looked at then.
"""

from dataclasses import replace

from sqlalchemy.orm import Session

from reana_bridge.model.codec import from_data
from reana_bridge.model.comparisons import Baseline, BaselineReason, Comparison
from reana_bridge.model.reports import Report
from reana_bridge.model.results import Result
from reana_bridge.results.comparison import compare
from reana_bridge.steps.bridge import Bridge
from reana_bridge.steps.reporting import analysis_of, artifact_urls, comparison_row, report_of, short_ref
from reana_bridge.store.tables import ProjectRow, Run


def pair_report(bridge: Bridge, session: Session, before: Run, after: Run) -> Report:
    """The report on `after`, compared with `before`."""
    report = report_of(bridge, session, after)
    comparison = _stored(session, before, after) or _made(before, after)
    url = bridge.settings.server.public_url and f"{bridge.address}/compare/{before.id}/{after.id}"
    cautions = [*report.warnings, *_cautions(before, after)]
    return replace(
        report,
        comparison=comparison,
        comparison_url=url,
        baseline_artifact_urls=artifact_urls(bridge, session.get(ProjectRow, before.project), before),
        warnings=tuple(cautions),
    )


def _stored(session: Session, before: Run, after: Run) -> Comparison | None:
    row = comparison_row(session, after.id)
    if row is None or row.baseline_run_id != before.id:
        return None
    return from_data(Comparison, row.document)


def _made(before: Run, after: Run) -> Comparison:
    made_at = max(run.ended_at or run.queued_at for run in (before, after))
    absent = [run for run in (before, after) if not run.result]
    if absent:
        return Comparison(baseline=None, no_baseline=f"Run {absent[0].id} left no result", made_at=made_at)
    baseline = Baseline(
        run_id=before.id,
        sha=before.sha,
        branch=short_ref(before.ref),
        reason=BaselineReason.GIVEN,
        ended_at=before.ended_at,
    )
    return compare(
        baseline=baseline,
        baseline_result=from_data(Result, before.result),
        head=from_data(Result, after.result),
        made_at=made_at,
        rules=analysis_of(after).rules if after.settings else (),
    )


def _cautions(before: Run, after: Run) -> list[str]:
    """What makes two runs less alike than they look."""
    pairs = [
        ("project", before.project, after.project),
        ("analysis", before.analysis, after.analysis),
        ("backend", before.backend, after.backend),
        ("parameters", str(before.parameters or {}), str(after.parameters or {})),
    ]
    return [f"the {name} differs: `{was}`, then `{now}`" for name, was, now in pairs if was != now]
