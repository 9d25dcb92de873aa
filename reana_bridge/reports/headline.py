"""The one line that a hurried reviewer reads, and the state of the commit status that goes with it."""

from collections import Counter
from dataclasses import dataclass

from reana_bridge.model.comparisons import UNMOVED, Comparison, RuleEffect
from reana_bridge.model.readings import Unreadable
from reana_bridge.model.reports import Report
from reana_bridge.model.results import StepRecord, StepState
from reana_bridge.model.runs import FailureKind, RunState
from reana_bridge.reports.check_rows import CheckRow
from reana_bridge.reports.file_rows import FileRow
from reana_bridge.reports.rows import Row, Tone
from reana_bridge.reports.words import plural, share, short_sha, span


@dataclass(frozen=True, kw_only=True)
class Headline:
    """What a report comes to.

    Attributes:
        text: One sentence without a full stop.
        state: `pending`, `running`, `success`, `failure`, `error` or `cancelled`.
        tone: How it is coloured.
    """

    text: str
    state: str
    tone: Tone


_LIVE = {
    RunState.COLLECTING: "collects its results",
    RunState.COMPARING: "compares its results",
}


def headline(
    report: Report,
    rows: tuple[Row, ...],
    *,
    files: tuple[FileRow, ...] = (),
    checks: tuple[CheckRow, ...] = (),
) -> Headline:
    """The headline of `report`, whose compared metrics, files and checks are given."""
    match report.state:
        case RunState.FINISHED:
            return _finished(report, rows, files, checks)
        case RunState.FAILED:
            return _failed(report)
        case RunState.CANCELLED:
            reason = f": {report.reason}" if report.reason else ""
            return Headline(text=f"cancelled{reason}", state="cancelled", tone=Tone.MUTED)
        case RunState.QUEUED:
            text = f"waits: {report.reason}" if report.reason else "waits for its turn"
            return Headline(text=text, state="pending", tone=Tone.WARN if report.reason else Tone.NEUTRAL)
        case RunState.WAITING:
            return Headline(text="waits for approval", state="pending", tone=Tone.WARN)
        case RunState.SUBMITTING:
            return _unbegun(f"waits: {report.reason}" if report.reason else "is being started")
        case RunState.RUNNING if report.started_at is None:  # its backend has it, but it waits there
            return _unbegun(report.reason or "is being started")
        case RunState.RUNNING:
            return Headline(text=_progress(report.steps), state="running", tone=Tone.NEUTRAL)
        case _:
            return Headline(text=_LIVE[report.state], state="running", tone=Tone.NEUTRAL)


def _unbegun(text: str) -> Headline:
    return Headline(text=text, state="pending", tone=Tone.NEUTRAL)


def _progress(steps: tuple[StepRecord, ...]) -> str:
    running = next((i for i, step in enumerate(steps, 1) if step.state is StepState.RUNNING), None)
    if running is None:
        done = sum(step.state is StepState.FINISHED for step in steps)
        return f"is running, {done} of {plural(len(steps), 'step')} done" if steps else "is running"
    return f"step {running} of {len(steps)}, {named(steps[running - 1].name)}, is running"


def named(name: str) -> str:
    """A name from outside, set apart inside a sentence."""
    return f"`{name.replace('`', chr(39))}`"


def _finished(
    report: Report, rows: tuple[Row, ...], files: tuple[FileRow, ...], checks: tuple[CheckRow, ...]
) -> Headline:
    comparison = report.comparison
    blocking = [row for row in rows if row.blocks]
    blocking_files = [file for file in files if file.blocks]
    blocked = bool(blocking or blocking_files) or (comparison is not None and comparison.blocked)
    failing = _failing(checks)
    parts = [
        _compared(report, comparison, rows) if comparison and comparison.baseline else _uncompared(report)
    ]
    if any(row.accepted for row in rows):
        parts.append(f"{sum(bool(row.accepted) for row in rows)} accepted")
    text = ", ".join(parts)
    if blocked:
        text = f"{_breaks(blocking, blocking_files, failing)}; {text}"
    lost = unreadable(report)
    if lost and any(row.word == "missing" for row in rows):
        text = f"{_unread(lost)}; {text}"
    if failing and failing not in text:
        text = f"{text}; {failing}"
    if comparison and comparison.interim:
        text = f"{text} (interim, a better baseline is still running)"
    state = "failure" if blocked else "success"
    return Headline(text=text, state=state, tone=_tone(report, rows, blocked=blocked, failing=bool(failing)))


def _tone(report: Report, rows: tuple[Row, ...], *, blocked: bool, failing: bool) -> Tone:
    """Bad only where the status fails: a reader must not see red on a commit that passes."""
    if blocked:
        return Tone.BAD
    tones = {row.tone for row in rows}
    odd = report.result and (report.result.unreadable or report.result.skipped)
    if failing or odd or tones & {Tone.BAD, Tone.WARN}:
        return Tone.WARN
    comparison = report.comparison
    if comparison is None or comparison.baseline is None or Tone.NEUTRAL in tones:
        return Tone.NEUTRAL
    return Tone.GOOD if rows or not _changed_files(comparison) else Tone.NEUTRAL


def _failing(checks: tuple[CheckRow, ...]) -> str:
    """`2 of 6 checks fail, 1 newly`; empty where none fails."""
    failing = [check for check in checks if check.fails]
    if not failing:
        return ""
    text = share(len(failing), len(checks), "check", one="fails", many="fail")
    newly = sum(check.word == "newly failing" for check in failing)
    return f"{text}, {newly} newly" if 0 < newly < len(failing) else f"{text} newly" if newly else text


def _uncompared(report: Report) -> str:
    if not report.metrics:
        files = report.comparison is not None and report.result is not None and report.result.artifacts
        without = _without_metrics(report)
        return f"{without}, nothing to compare its files with yet" if files else without
    if report.comparison is None:
        return f"finished with {plural(len(report.metrics), 'metric')}"
    return "finished, nothing to compare with yet"


def _without_metrics(report: Report) -> str:
    if report.result and report.result.unreadable:
        return "finished, but its metrics could not be read"
    return "finished, wrote no metrics"


def _breaks(rows: list[Row], files: list[FileRow], failing: str) -> str:
    """What fails the status."""
    if len(rows) == 1 and not files:
        figures = next(rule.figures for rule in rows[0].broken if rule.effect == RuleEffect.BLOCK)
        return f"{named(rows[0].name)} breaks a rule, {figures}"
    if rows or files:
        found = [plural(len(found), noun) for found, noun in ((rows, "metric"), (files, "file")) if found]
        return f"{' and '.join(found)} {'breaks a rule' if len(rows) + len(files) == 1 else 'break rules'}"
    return failing or "a rule is broken"


def unreadable(report: Report) -> tuple[Unreadable, ...]:
    """The files and logs of which nothing at all could be read, and why."""
    result = report.result
    if result is None:
        return ()
    told = {item.source for item in (*report.metrics, *result.checks)}
    return tuple(item for item in result.unreadable if item.source not in told)


def _unread(lost: tuple[Unreadable, ...]) -> str:
    sources = sorted({item.source for item in lost})
    what = named(sources[0]) if len(sources) == 1 else f"{len(sources)} sources of metrics"
    return f"{what} could not be read"


_VERBS = {
    "worse": ("got worse", "got worse"),
    "missing": ("is missing", "are missing"),
    "not comparable": ("cannot be compared", "cannot be compared"),
    "better": ("got better", "got better"),
    "changed": ("changed", "changed"),
    "new": ("is new", "are new"),
}


def _compared(report: Report, comparison: Comparison, rows: tuple[Row, ...]) -> str:
    words = Counter(row.word for row in rows)
    found = [word for word in _VERBS if words[word]]
    if found:
        one, many = _VERBS[found[0]]
        rest = [f"{words[word]} {word}" for word in found[1:]]
        return ", ".join([share(words[found[0]], len(rows), "metric", one=one, many=many), *rest])
    files = _changed_files(comparison)
    if not rows:
        return _compared_files(report, comparison)
    if words["within noise"]:
        return f"no significant change in {plural(len(rows), 'metric')}"
    same = "the metric is the same" if len(rows) == 1 else f"all {len(rows)} metrics are the same"
    return f"{same}, {files}" if files else same


def _changed_files(comparison: Comparison) -> str:
    changed = sum(file.verdict not in UNMOVED for file in comparison.files)
    return share(changed, len(comparison.files), "file", one="changed", many="changed") if changed else ""


def _compared_files(report: Report, comparison: Comparison) -> str:
    """What there is to say of a result that neither side has a metric of: its files."""
    if not comparison.files or (report.result and report.result.unreadable):
        return ", ".join(part for part in (_without_metrics(report), _changed_files(comparison)) if part)
    count = len(comparison.files)
    same = "the file is the same" if count == 1 else f"all {count} files are the same"
    return f"{_changed_files(comparison) or same}, no metrics"


def _failed(report: Report) -> Headline:
    failure = report.failure
    kind = failure.kind if failure else FailureKind.CONFIGURATION if report.problems else FailureKind.ANALYSIS
    if kind is FailureKind.INFRASTRUCTURE:
        what = failure.message if failure else "the run was lost"
        return Headline(text=f"could not be run: {what}", state="error", tone=Tone.WARN)
    if kind is FailureKind.CONFIGURATION:
        return Headline(text=_misconfigured(report), state="failure", tone=Tone.BAD)
    message = failure.message if failure else ""
    where = failed_step(report)
    if where is None:
        return Headline(text=f"failed: {message}" if message else "failed", state="failure", tone=Tone.BAD)
    number, step = where
    took = span(step.started_at, step.ended_at)
    place = f"step {number} of {len(report.steps)}, {named(step.name)}, failed{took and f' after {took}'}"
    return Headline(text=f"{place}: {message}" if message else place, state="failure", tone=Tone.BAD)


def failed_step(report: Report) -> tuple[int, StepRecord] | None:
    """The step that failed, with its number from 1; None where no step did."""
    wanted = report.failure.step if report.failure else ""
    numbered = list(enumerate(report.steps, 1))
    by_name = next((one for one in numbered if wanted and one[1].name == wanted), None)
    return by_name or next((one for one in numbered if one[1].state is StepState.FAILED), None)


def _misconfigured(report: Report) -> str:
    errors = [problem for problem in report.problems if problem.severity == "error"]
    if not errors:
        return report.failure.message if report.failure else "its configuration is wrong"
    more = f" (and {plural(len(errors) - 1, 'more mistake')})" if len(errors) > 1 else ""
    return f"{errors[0]}{more}"


def waiting_sentence(comparison: Comparison) -> str:
    """What an interim comparison waits for; empty for a final one."""
    if not comparison.interim:
        return ""
    at = f" at {short_sha(comparison.waiting_for)}" if comparison.waiting_for else ""
    return f"The baseline's run{at} has not ended yet; this is compared again when it does."
