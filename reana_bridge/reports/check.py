"""What a check shows on a forge that has them: the section of the note, the log, places, buttons.

Promises: within GitHub's limits (65,535 bytes, 50 annotations, 3 buttons); nothing from outside does
anything in it.
"""

from collections.abc import Iterator

from reana_bridge.model.checks import Button, CheckOutput
from reana_bridge.model.reports import Report
from reana_bridge.model.runs import FINAL, RunState
from reana_bridge.reports.escape import clean, inline
from reana_bridge.reports.markdown import section
from reana_bridge.reports.places import places
from reana_bridge.reports.view import ReportView, view
from reana_bridge.reports.words import shorten

BYTES = 65_535
"""Of a summary and of a text, as UTF-8: the stricter reading of GitHub's limit."""
_LIMITS = (60_000, 30_000, 15_000)
_TITLE = 140
_STEPS = 100
_NAME = 60

APPROVE = Button(identifier="approve", label="Approve", description="Let exactly this commit run")
CANCEL = Button(identifier="cancel", label="Cancel", description="Stop this run")


def output(report: Report, *, commands: bool = True) -> CheckOutput:
    """Everything beside the status line of `report`'s check; to run again is the forge's own button.

    `commands` says whether people can answer with commands in comments.
    """
    shown = view(report)
    return CheckOutput(
        title=shorten(clean(shown.headline.text), _TITLE),
        summary=_summary(report, commands=commands),
        text="\n\n".join(_text(shown)),
        annotations=places(report) if report.state in FINAL else (),
        buttons=tuple(_buttons(report)),
    )


def _summary(report: Report, *, commands: bool) -> str:
    text = ""
    for limit in _LIMITS:  # the last of them fits, whatever it is written in
        text = section(report, limit=limit, commands=commands)
        if len(text.encode()) <= BYTES:
            break
    return text


def _buttons(report: Report) -> Iterator[Button]:
    if report.state == RunState.WAITING:
        yield APPROVE
    elif report.state not in FINAL:
        yield CANCEL


def _text(shown: ReportView) -> Iterator[str]:
    if shown.steps:
        rows = [
            f"| {step.number} | {inline(shorten(step.name, _NAME))} | {step.state} "
            f"| {' · '.join(part for part in (step.took, step.note) if part)} |"
            for step in shown.steps[:_STEPS]
        ]
        yield "\n".join(["| | step | state | |", "| --: | --- | --- | --- |", *rows])
    if len(shown.steps) > _STEPS:
        yield f"And {len(shown.steps) - _STEPS} more steps."
