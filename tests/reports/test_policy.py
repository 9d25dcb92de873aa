"""When a note speaks of an analysis for the first time."""

from dataclasses import replace

import pytest

from reana_bridge.model.analyses import NoteWhen
from reana_bridge.model.comparisons import (
    Baseline,
    BaselineReason,
    Comparison,
    FileComparison,
    FileVerdict,
    MetricComparison,
    Verdict,
)
from reana_bridge.model.reports import Report
from reana_bridge.model.results import Failure, Result
from reana_bridge.model.runs import FailureKind, RunState
from reana_bridge.reports.policy import is_worth_a_note

BASELINE = Baseline(
    run_id="b", sha="b" * 40, branch="main", reason=BaselineReason.MERGE_BASE, distance=0, ended_at=1.0
)
FINISHED = Report(project="f:a/x", analysis="fit", sha="a" * 40, state=RunState.FINISHED, result=Result())
COMPARED = replace(FINISHED, comparison=Comparison(baseline=BASELINE, made_at=1.0))


def moved(verdict: Verdict) -> Report:
    metric = MetricComparison(name="m", verdict=verdict, explanation="", baseline=None, head=None)
    return replace(COMPARED, comparison=Comparison(baseline=BASELINE, made_at=1.0, metrics=(metric,)))


def file(verdict: FileVerdict) -> Report:
    files = (FileComparison(path="p", verdict=verdict),)
    return replace(COMPARED, comparison=Comparison(baseline=BASELINE, made_at=1.0, files=files))


def failed(kind: FailureKind) -> Report:
    return replace(FINISHED, state=RunState.FAILED, failure=Failure(kind=kind, message="m"))


CASES = {
    # report: when it is spoken of, beside always
    "nothing moved": (COMPARED, ()),
    "a metric is the same": (moved(Verdict.SAME), ()),
    "a metric is worse": (moved(Verdict.WORSE), ("on-change",)),
    "a metric is new": (moved(Verdict.NEW), ("on-change",)),
    "a file is identical": (file(FileVerdict.IDENTICAL), ()),
    "a file differs": (file(FileVerdict.DIFFERENT), ("on-change",)),
    "a first result": (FINISHED, ("on-change",)),
    "the analysis failed": (failed(FailureKind.ANALYSIS), ("on-change", "on-failure")),
    "we failed": (failed(FailureKind.INFRASTRUCTURE), ("on-change", "on-failure")),
    "cancelled": (replace(FINISHED, state=RunState.CANCELLED), ()),
    "it still runs": (replace(FINISHED, state=RunState.RUNNING, result=None), ()),
    "it waits for a person": (
        replace(FINISHED, state=RunState.WAITING, result=None),
        ("on-change", "on-failure"),
    ),
}


@pytest.mark.parametrize("when", list(NoteWhen))
@pytest.mark.parametrize("case", CASES)
def test_what_is_worth_a_note(case: str, when: NoteWhen) -> None:
    report, spoken = CASES[case]
    assert is_worth_a_note(report, when) is (when in ("always", *spoken))
