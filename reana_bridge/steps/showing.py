"""What a report shows beside its figures: addresses of what was drawn, the analysis' own text, advice."""

from dataclasses import replace

from reana_bridge.model.comparisons import Comparison
from reana_bridge.model.reports import OwnText, Report
from reana_bridge.model.results import Failure, StepRecord, StepState
from reana_bridge.model.runs import FailureKind
from reana_bridge.reports.pictured import drawn_pictures
from reana_bridge.results.advice import advise
from reana_bridge.steps.bridge import Bridge

OWN_TEXTS = ("report.md", "results/report.md")
"""Where an analysis may leave what it has to say, the first one that is there."""


def with_own_text(bridge: Bridge, report: Report) -> Report:
    """The report with what the analysis itself wrote, where it left something of that kind."""
    artifacts = {item.path: item for item in (report.result.artifacts if report.result else ())}
    found = next((artifacts[path] for path in OWN_TEXTS if path in artifacts), None)
    if found is None:
        return report
    limit = bridge.settings.limits.own_text
    try:
        content = bridge.blobs.read(found.digest, limit)
    except FileNotFoundError:  # removed with the run's files
        return report
    text = content.decode("utf-8", "replace")
    return replace(report, own_text=OwnText(path=found.path, text=text, cut=found.size > limit))


def drawn_urls(comparison: Comparison | None, page_url: str) -> dict[str, str]:
    """SHA-256 of each picture that was drawn for a comparison -> its address.

    Args:
        comparison: None for none.
        page_url: The page of the run or of the pair that it belongs to, with its key; empty without a server.
    """
    page, _, key = page_url.partition("?")
    if comparison is None or not page:
        return {}
    suffix = f"?{key}" if key else ""
    return {one.digest: f"{page}/pictures/{one.digest}{suffix}" for one in drawn_pictures(comparison)}


def with_advice(failure: Failure, steps: tuple[StepRecord, ...]) -> Failure:
    """The failure with what is known of its cause, where it is the analysis' own and nobody said more yet."""
    if failure.hint or failure.kind not in (FailureKind.ANALYSIS, FailureKind.LIMIT):
        return failure
    statuses = [step.exit_status for step in steps if step.state is StepState.FAILED]
    found = advise(failure.log_tail, exit_status=statuses[0] if statuses else None)
    return replace(failure, hint=found.advice) if found else failure
