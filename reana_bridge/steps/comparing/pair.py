"""The report on any two runs: the one against the other, on what they left.

What stands there is made from what is stored and nothing else, so that it is the same whenever it is asked
for, within the time that somebody waits for it. Where the first is the second's own baseline, its comparison
is taken as it was made, with everything that was looked at then.
"""

from dataclasses import dataclass, replace

from sqlalchemy.orm import Session

from reana_bridge.model.codec import from_data
from reana_bridge.model.comparisons import Baseline, BaselineReason, Comparison
from reana_bridge.model.reports import Report
from reana_bridge.model.results import Result
from reana_bridge.reports.words import ref_name
from reana_bridge.results.comparison import compare
from reana_bridge.results.histories import Past
from reana_bridge.steps.bridge import Bridge
from reana_bridge.steps.comparing.files import Left
from reana_bridge.steps.comparing.history import series_of
from reana_bridge.steps.comparing.pair_files import pair_files
from reana_bridge.steps.comparing.series import with_pictures
from reana_bridge.steps.reporting import analysis_of, comparison_row, file_urls, report_of
from reana_bridge.steps.showing import drawn_urls
from reana_bridge.store.tables import ProjectRow, Run


@dataclass(frozen=True, kw_only=True)
class _Stored:
    """What is known of two runs.

    Attributes:
        report: On the second.
        comparison: With the first, where that is its own baseline.
        past: What the default branch had when the second was judged; None for runs of two analyses.
    """

    report: Report
    comparison: Comparison | None
    past: Past | None


def pair_report(bridge: Bridge, before: Run, after: Run) -> Report:
    """The report on `after`, compared with `before`. No session may be open: it can take a while."""
    with bridge.database.read() as session:
        stored = _stored(bridge, session, before, after)
    comparison = stored.comparison or _made(bridge, before, after, stored.past)
    url = bridge.settings.server.public_url and f"{bridge.address}/compare/{before.id}/{after.id}"
    return replace(
        stored.report,
        comparison=comparison,
        comparison_url=url,
        drawn_urls=drawn_urls(comparison, url),
        warnings=(*stored.report.warnings, *_cautions(before, after)),
    )


def _stored(bridge: Bridge, session: Session, before: Run, after: Run) -> _Stored:
    report = report_of(bridge, session, after)
    urls = file_urls(bridge, session.get(ProjectRow, before.project), before)
    row = comparison_row(session, after.id)
    own = from_data(Comparison, row.document) if row else None
    return _Stored(
        report=replace(report, baseline_file_urls=urls),
        comparison=own if row and row.baseline_run_id == before.id else None,
        past=_past(session, own) if _of_one_analysis(before, after) else None,
    )


def _past(session: Session, own: Comparison | None) -> Past | None:
    """The runs that the second run's own comparison looked at: later ones change nothing."""
    if own is None or own.history is None:
        return None
    return Past(runs=own.history, series=series_of(session, own.history))


def _of_one_analysis(before: Run, after: Run) -> bool:
    return (before.project, before.analysis) == (after.project, after.analysis)


def _made(bridge: Bridge, before: Run, after: Run, past: Past | None) -> Comparison:
    made_at = max(run.ended_at or run.queued_at for run in (before, after))
    absent = [run for run in (before, after) if not run.result]
    if absent:
        return Comparison(baseline=None, no_baseline=f"Run {absent[0].id} left no result", made_at=made_at)
    baseline = Baseline(
        run_id=before.id,
        sha=before.sha,
        branch=ref_name(before.ref),
        reason=BaselineReason.GIVEN,
        ended_at=before.ended_at,
    )
    old, new = from_data(Result, before.result), from_data(Result, after.result)
    analysis = analysis_of(after) if after.settings else None
    sides = Left(run_id=before.id, result=old), Left(run_id=after.id, result=new)
    looked = pair_files(bridge, *sides, analysis) if analysis else None
    comparison = compare(
        baseline=baseline,
        baseline_result=old,
        head=new,
        made_at=made_at,
        rules=analysis.rules if analysis else (),
        past=past,
        files=looked.looked.files if looked else None,
        file_rules=analysis.files if analysis else (),
    )
    if looked is None:
        return comparison
    series = looked.series.pictures if looked.series else {}
    return replace(with_pictures(comparison, series), contents=looked.looked.contents)


def _cautions(before: Run, after: Run) -> list[str]:
    """What makes two runs less alike than they look."""
    pairs = [
        ("project", before.project, after.project),
        ("analysis", before.analysis, after.analysis),
        ("backend", before.backend, after.backend),
        ("parameters", str(before.parameters or {}), str(after.parameters or {})),
    ]
    return [f"the {name} differs: `{was}`, then `{now}`" for name, was, now in pairs if was != now]
