"""When the note of a merge request speaks of an analysis that it has not spoken of before."""

from reana_bridge.model.analyses import NoteWhen
from reana_bridge.model.comparisons import UNMOVED, Verdict
from reana_bridge.model.reports import Report
from reana_bridge.model.runs import RunState
from reana_bridge.reports.status import status

_BAD = {"failure", "error"}


def is_worth_a_note(report: Report, when: NoteWhen) -> bool:
    """Whether `report` is to be in the note.

    Who has to approve something is told so but for `never`. What has not ended yet is only told of where
    everything is; a first result, with nothing to compare with, is a change.
    """
    if when is NoteWhen.NEVER:
        return False
    if when is NoteWhen.ALWAYS or report.state == RunState.WAITING:
        return True
    if status(report).state in _BAD:
        return True
    return when is NoteWhen.ON_CHANGE and report.state == RunState.FINISHED and _changed(report)


def _changed(report: Report) -> bool:
    comparison = report.comparison
    if comparison is None or comparison.baseline is None:
        return True
    moved = any(metric.verdict is not Verdict.SAME for metric in comparison.metrics)
    return moved or any(file.verdict not in UNMOVED for file in comparison.files)
