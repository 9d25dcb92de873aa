"""A report as ready-made words: the one source of the note, the terminal, the page and the status line.

Nothing here is escaped; each renderer escapes for its own medium. The same report gives the same view.
"""

import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from reana_bridge.model.comparisons import Baseline, BaselineReason, Comparison
from reana_bridge.model.reports import Report
from reana_bridge.model.results import Resources
from reana_bridge.model.runs import LIVE, FailureKind, RunState
from reana_bridge.model.suggestions import did_you_mean
from reana_bridge.reports.check_rows import CheckRow, check_rows, checks_line
from reana_bridge.reports.file_rows import FileRow, PictureRow, file_rows, files_line, picture_rows
from reana_bridge.reports.headline import Headline, failed_step, headline, unreadable, waiting_sentence
from reana_bridge.reports.limits import limits_line
from reana_bridge.reports.rows import Row, RuleLine, StepRow, metric_row, step_row, value_row
from reana_bridge.reports.words import duration, moment, plural, short_sha, size, span

_SHA = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_QUOTABLE = re.compile(r'[^"\\`\x00-\x1f\x7f]+')


@dataclass(frozen=True, kw_only=True)
class FailureView:
    """Why it failed: the step and its number (empty and 0 where no step did), the log's end, what to do."""

    step: str
    number: int
    message: str
    log: tuple[str, ...]
    hint: str
    ours: bool
    reproduce: str


@dataclass(frozen=True, kw_only=True)
class ReportView:
    """Everything that is shown of one report.

    Attributes:
        context: `reana/<analysis>`.
        headline: The one line, with its state and tone.
        report: The report itself, for what is shown as it is (URLs, times).
        sha: The commit; empty for a working tree.
        against: The baseline in a few words, such as `8d01b7e on main`; empty where there is none.
        baseline_label: Heads the baseline's column.
        head_label: Heads the column of what is reported on.
        baseline_line: Which baseline, why, how old; or why there is none. Empty before a comparison.
        waiting: What an interim comparison waits for; empty else.
        attention: Metrics that changed, are new or missing, or break a rule.
        noise: Metrics that moved by less than is significant.
        unchanged: Metrics that are the same.
        values: All metrics, where nothing is compared.
        plots: Pictures among the artifacts, and documents that were drawn.
        files: The other artifacts; identical ones last.
        series: Name of a metric and what was drawn of its series, for those that changed.
        checks: What the analysis says must hold, what fails first.
        checks_line: How many of them passed; empty without any.
        plots_line: How many pictures are what; empty where there are none.
        files_line: The same of the other artifacts.
        rules: Rules that are broken and count.
        accepted: Rules that are broken and that somebody let be broken.
        proposed: What the rules of this commit, which do not count yet, would say.
        unjudged: Rules that count and could not be judged, and why.
        rules_line: How many rules were judged, kept, broken; empty without rules.
        drift: What differs in the environment.
        failure: None unless it failed.
        problems: Mistakes in the configuration, one line each.
        unreadable: Files and logs of which nothing could be read, and why.
        cautions: What else the reader should know.
        parameters: Those given for this run.
        steps: The workflow's steps.
        took: How long, where and at which attempt it ran; empty before the start.
        used: What it used, such as `2.1 h of CPU time` and `34 MiB of disk`.
        unsure: How many changes nobody can tell from noise; empty for none.
        limits_line: The tests behind the verdicts; empty without any.
        accept: Commands that accept what blocks, one a metric, ready to paste but for the reason.
        approve: The command that lets a waiting run go, ready to paste; empty else.
        approved: Who let it run, and what that means; empty where nobody had to.
    """

    context: str
    headline: Headline
    report: Report
    sha: str
    against: str
    baseline_label: str
    head_label: str
    baseline_line: str
    waiting: str
    attention: tuple[Row, ...]
    noise: tuple[Row, ...]
    unchanged: tuple[Row, ...]
    values: tuple[Row, ...]
    plots: tuple[FileRow, ...]
    files: tuple[FileRow, ...]
    series: tuple[tuple[str, PictureRow], ...]
    checks: tuple[CheckRow, ...]
    checks_line: str
    plots_line: str
    files_line: str
    rules: tuple[RuleLine, ...]
    accepted: tuple[RuleLine, ...]
    proposed: tuple[RuleLine, ...]
    unjudged: tuple[RuleLine, ...]
    rules_line: str
    drift: tuple[str, ...]
    failure: FailureView | None
    problems: tuple[str, ...]
    unreadable: tuple[str, ...]
    cautions: tuple[str, ...]
    parameters: tuple[tuple[str, str], ...]
    steps: tuple[StepRow, ...]
    took: str
    used: tuple[str, ...]
    unsure: str
    limits_line: str
    accept: tuple[str, ...]
    approve: str
    approved: str


def view(report: Report) -> ReportView:
    """The words of `report`."""
    comparison = report.comparison
    compared = comparison is not None and comparison.baseline is not None
    rows = _rows(report)
    files, checks = file_rows(report), check_rows(report)
    lines = [rule for row in (*rows, *files) for rule in row.rules]
    return ReportView(
        context=f"reana/{report.analysis}",
        headline=headline(report, rows, files=files, checks=checks),
        report=report,
        sha=report.sha,
        against=_against(comparison.baseline) if comparison and comparison.baseline else "",
        baseline_label=(comparison.baseline.branch if comparison and comparison.baseline else "")
        or "baseline",
        head_label="this commit" if report.sha or not report.label else report.label,
        baseline_line=_baseline_line(comparison) if comparison else "",
        waiting=waiting_sentence(comparison) if comparison else "",
        attention=_attention(rows) if compared else (),
        noise=tuple(row for row in rows if compared and row.word == "within noise" and not row.broken),
        unchanged=tuple(row for row in rows if compared and row.word == "same" and not row.broken),
        values=() if compared else rows,
        plots=tuple(file for file in files if file.is_plot),
        files=tuple(file for file in files if not file.is_plot),
        series=tuple(
            (compared.name, picture)
            for compared in (comparison.metrics if comparison else ())
            for picture in picture_rows(compared.pictures, report)
        ),
        checks=checks,
        checks_line=checks_line(checks),
        plots_line=files_line([file for file in files if file.is_plot]),
        files_line=files_line([file for file in files if not file.is_plot]),
        rules=tuple(line for line in lines if line.counts),
        accepted=tuple(line for line in lines if line.state == "accepted" and not line.proposed),
        proposed=tuple(line for line in lines if line.proposed),
        unjudged=tuple(line for line in lines if line.state == "not judged" and not line.proposed),
        rules_line=_rules_line([line for line in lines if not line.proposed]),
        drift=tuple(line.replace(" -> ", " \N{RIGHTWARDS ARROW} ") for line in comparison.drift)
        if comparison
        else (),
        failure=_failure(report),
        problems=tuple(str(problem) for problem in report.problems),
        unreadable=tuple(f"{item.source}: {item.reason}" for item in unreadable(report)),
        cautions=_cautions(report),
        parameters=tuple(sorted(report.parameters.items())),
        steps=tuple(step_row(number, step) for number, step in enumerate(report.steps, 1)),
        took=_took(report),
        used=_used(report.result.resources) if report.result else (),
        unsure=_unsure(rows),
        limits_line=limits_line(comparison) if comparison else "",
        accept=_accept_commands(report, rows, files),
        approve=f"/reana approve {report.sha}" if _waits(report) else "",
        approved=f"approved by {report.approved_by}, so it is never a baseline" if report.approved_by else "",
    )


def _accept_commands(report: Report, rows: Sequence[Row], files: Sequence[FileRow]) -> tuple[str, ...]:
    # What could not be read is not meant to be missing.
    lost = bool(report.result and report.result.unreadable)
    metrics = (row.name for row in rows if row.blocks and not (lost and row.compared.head is None))
    blocking = (*metrics, *(file.path for file in files if file.blocks))
    return tuple(filter(None, map(accept_command, blocking)))


def accept_command(name: str) -> str:
    """What accepts a metric or file, ready to paste but for the reason; empty where nothing can be pasted."""
    if not _QUOTABLE.fullmatch(name) or not name.strip():
        return ""
    said = name if re.fullmatch(r"[\w.+%/-]+", name) else f'"{name}"'
    return f"/reana accept {said} reason"


def _waits(report: Report) -> bool:
    return report.state == RunState.WAITING and _SHA.fullmatch(report.sha) is not None


def _rows(report: Report) -> tuple[Row, ...]:
    comparison = report.comparison
    if comparison is None:
        return tuple(value_row(metric) for metric in report.metrics)
    if comparison.baseline is not None:
        return tuple(metric_row(compared) for compared in comparison.metrics)
    rules = {compared.name: compared.rules for compared in comparison.metrics}
    absent = [metric_row(compared) for compared in comparison.metrics if compared.head is None]
    return (*(value_row(metric, rules.get(metric.name, ())) for metric in report.metrics), *absent)


def _attention(rows: tuple[Row, ...]) -> tuple[Row, ...]:
    """The rows that ask for a look: those that break a blocking rule, another rule, then the rest."""
    asking = [row for row in rows if row.broken or row.word not in {"same", "within noise"}]
    return tuple(sorted(asking, key=lambda row: (not row.blocks, not row.broken)))


def _against(baseline: Baseline) -> str:
    return " on ".join(part for part in (short_sha(baseline.sha), baseline.branch) if part)


def _baseline_line(comparison: Comparison) -> str:
    baseline = comparison.baseline
    if baseline is None:
        return comparison.no_baseline or "There is no baseline"
    back = f"{plural(baseline.distance, 'commit')} back"
    why = {
        BaselineReason.MERGE_BASE: "the merge-base",
        BaselineReason.FIRST_PARENT: "the first parent",
        BaselineReason.ANCESTOR: f"{back}, the nearest ancestor with a result",
        BaselineReason.TARGET_TIP: "the tip of the target branch, as no ancestor has a result",
        BaselineReason.TAG: f"the newest tag, {baseline.tag}",
        BaselineReason.PINNED: "the run that the project pins",
        BaselineReason.ROLLING: f"medians of the last {plural(baseline.runs, 'run')}",
        BaselineReason.GIVEN: "as asked for",
    }[baseline.reason]
    place = " at ".join(part for part in (baseline.branch, short_sha(baseline.sha)) if part)
    parts = [f"{place}, {why}"]
    if baseline.ended_at is not None:
        parts.append(f"run of {moment(baseline.ended_at)}")
    sentence = ", ".join(parts)
    if baseline.ahead and baseline.branch:
        was = "was" if comparison.made_at else "is"
        return f"{sentence}; {baseline.branch} {was} {plural(baseline.ahead, 'commit')} further then"
    return sentence


def _rules_line(lines: list[RuleLine]) -> str:
    if not lines:
        return ""
    counts = [
        (sum(line.state == state for line in lines), state)
        for state in ("kept", "broken", "accepted", "not judged")
    ]
    return ", ".join(f"{count} {state}" for count, state in counts if count)


def _failure(report: Report) -> FailureView | None:
    failure = report.failure
    if failure is None:
        return None
    step = failed_step(report)
    ours = failure.kind is FailureKind.INFRASTRUCTURE
    # Without a server it ran on the reader's machine already.
    again = report.sha and report.run_url and not ours and failure.kind is not FailureKind.CONFIGURATION
    return FailureView(
        step=step[1].name if step else failure.step,
        number=step[0] if step else 0,
        message=failure.message,
        log=failure.log_tail,
        hint=failure.hint,
        ours=ours,
        reproduce=_reproduce(report) if again else "",
    )


def _reproduce(report: Report) -> str:
    """The command that runs the same here, with the parameters that were given for this run."""
    words = ["reana-bridge", "run", "--commit", report.sha, "--analysis", report.analysis]
    for name, value in sorted(report.parameters.items()):
        words += ["-p", f"{name}={value}"]
    return shlex.join(words)


def _cautions(report: Report) -> tuple[str, ...]:
    lines = list(report.warnings)
    if report.comparison:
        lines.extend(_idle(report, report.comparison))
    if report.result:
        lost = unreadable(report)
        parts = (part for part in report.result.unreadable if part not in lost)
        lines.extend(f"{part.source}: {part.reason}" for part in parts)
        lines.extend(f"{part.path} was not kept: {part.reason}" for part in report.result.skipped)
    return tuple(lines)


def _idle(report: Report, comparison: Comparison) -> Iterator[str]:
    """What judges nothing, with what was probably meant."""
    metrics = [metric.name for metric in report.metrics]
    for pattern in comparison.idle:
        said = f"the rule on `{pattern}` fits no metric here, so it judges nothing"
        yield "; ".join(filter(None, [said, did_you_mean(pattern, metrics)]))
    paths = [artifact.path for artifact in report.result.artifacts] if report.result else []
    for glob in comparison.idle_files:
        advice = (
            did_you_mean(glob, paths) or "artifacts are the workflow's outputs and what `artifacts` names"
        )
        yield f"`{glob}` under `files` fits no artifact here, so it judges nothing; {advice}"


def _took(report: Report) -> str:
    where = f" on {report.backend}" if report.backend else ""
    attempt = f", attempt {report.attempt}" if report.attempt > 1 else ""
    if report.state in LIVE:
        return f"runs{where}{attempt}" if report.started_at is not None else ""
    took = span(report.started_at, report.ended_at)
    verb = "took" if report.state == RunState.FINISHED else "ran"
    if not took:
        return attempt.removeprefix(", ")
    used = "".join(f", {part}" for part in _used(report.result.resources)) if report.result else ""
    return f"{verb} {took}{where}{attempt}{_replaced(report)}{used}"


def _used(resources: Resources) -> tuple[str, ...]:
    times = ((resources.cpu_seconds, "of CPU time"), (resources.job_seconds, "of job time"))
    told = [f"{duration(seconds)} {what}" for seconds, what in times if seconds is not None]
    return (*told, f"{size(resources.disk)} of disk") if resources.disk is not None else tuple(told)


def _replaced(report: Report) -> str:
    """That something stood in for container images, where it did."""
    images = {step.image for step in report.steps if step.image and _stood_in(step.environment)}
    return f", without {'its container image' if len(images) == 1 else 'container images'}" if images else ""


def _stood_in(environment: str) -> bool:
    return environment.split(" on ")[0] not in ("", "container")


def _unsure(rows: tuple[Row, ...]) -> str:
    count = sum(row.unsure for row in rows)
    if not count:
        return ""
    return f"{plural(count, 'change')} without an uncertainty may be noise"
