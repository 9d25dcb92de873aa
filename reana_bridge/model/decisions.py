"""What an event leads to, and why: a pure function over everything that was looked up before.

Every event has exactly one outcome and a reason of one sentence; so has every analysis of the project in it.
Nothing here raises, whatever the event holds.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from reana_bridge.model.analyses import Analysis, ProjectFile, Value
from reana_bridge.model.problems import Problem
from reana_bridge.model.schedules import Due, schedule_due
from reana_bridge.model.server_limits import within_server_limits
from reana_bridge.model.suggestions import shown
from reana_bridge.model.triggers import (
    Answer,
    answer_branch,
    answer_default_branch,
    answer_merge_request,
    answer_proposal,
    answer_tag,
    known_changes,
)
from reana_bridge.model.wants import WantKind
from webhooks.events import Change, Event, Ignored, Installation, MergeRequest, Ping, Push, Tag

__all__ = [
    "AnalysisDecision",
    "Decision",
    "Due",
    "Forks",
    "MergeRequestNow",
    "Outcome",
    "Situation",
    "decide",
    "schedule_due",
    "within_server_limits",
]

_SKIP = re.compile(r"\[(skip ci|ci skip|skip reana|reana skip)\]", re.IGNORECASE)


class Outcome(StrEnum):
    """What an event, or one analysis in it, comes to."""

    RUN = "run"
    SKIP = "skip"
    NEEDS_APPROVAL = "needs-approval"
    COMMAND = "command"
    ERROR = "error"
    IGNORED = "ignored"


class Forks(StrEnum):
    """When code from another repository than the project's own runs."""

    APPROVE = "approve"
    MEMBERS = "members"
    NEVER = "never"


@dataclass(frozen=True, kw_only=True)
class MergeRequestNow:
    """A merge request as the forge has it now, whatever the event said.

    Attributes:
        target: Name of the branch that it is to be merged into.
        labels: Their names.
        draft: Whether it is marked as not ready.
        open: Whether it is neither closed nor merged.
        changes: What happened, by the event and by what was known before.
    """

    target: str
    labels: tuple[str, ...] = ()
    draft: bool = False
    open: bool = True
    changes: frozenset[Change] = frozenset()


@dataclass(frozen=True, kw_only=True)
class AnalysisDecision:
    """What becomes of one analysis.

    Attributes:
        analysis: Its name.
        outcome: `run`, `skip`, `needs-approval` or `error`.
        reason: One clause in words, such as `branch x does not match main`.
        wanted_by: What wants the run.
        proposal: Whether it runs for a merge request, or a branch that counts as one.
        parameters: Over the specification's own.
        priority: As the project file has it.
        problems: What is wrong with its specification, and warnings about it.
    """

    analysis: str
    outcome: Outcome
    reason: str
    wanted_by: WantKind = WantKind.BRANCH
    proposal: bool = False
    parameters: dict[str, Value] = field(default_factory=dict[str, Value])
    priority: int = 0
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Decision:
    """What an event leads to.

    Attributes:
        outcome: `run` when any analysis runs, else the next of `needs-approval`, `error` and `skip` that
            any of them has.
        reason: One sentence.
        analyses: One for each analysis of the project file, in its order; empty when it did not come to that.
        problems: What is wrong with the project file, and warnings about it.
    """

    outcome: Outcome
    reason: str
    analyses: tuple[AnalysisDecision, ...] = ()
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Situation:
    """An event, and all that was looked up for it.

    Attributes:
        event: What the delivery means.
        registered: Whether the settings know the project.
        default_branch: The project's default branch; empty to go by the event.
        head: The commit that the event's ref points to now, asked of the forge; None when it is gone. Of a
            merge request it is the commit that is decided on, whichever the event names.
        message: The commit's message; empty to go by the event.
        changed: Paths that the push changed (for a proposal: since the merge-base); None when unknown.
        trusted: False for code that lives in a repository other than the project's own.
        forks: When such code runs.
        let_by: Who with rights on the project let this very commit run; empty for nobody.
        merge_requests: Whether the forge has merge requests of its own; else every branch but the default
            one counts as a proposal against it.
        merge_request: The event's, as it is now; None where there is none (any more).
        project_file: The project's analyses; None when the commit has no configuration at all.
        problems: What is wrong with the project file, or warnings about it.
        analysis_problems: The same for the specification of each analysis, by the analysis' name.
    """

    event: Event
    registered: bool = True
    default_branch: str = ""
    head: str | None = None
    message: str = ""
    changed: tuple[str, ...] | None = None
    trusted: bool = True
    forks: Forks = Forks.APPROVE
    let_by: str = ""
    merge_requests: bool = False
    merge_request: MergeRequestNow | None = None
    project_file: ProjectFile | None = None
    problems: tuple[Problem, ...] = ()
    analysis_problems: Mapping[str, tuple[Problem, ...]] = field(
        default_factory=dict[str, tuple[Problem, ...]]
    )


def decide(situation: Situation) -> Decision:
    """What the event of `situation` leads to."""
    early = _without_project_file(situation)
    if early is not None:
        outcome, reason = early
        return Decision(outcome=outcome, reason=reason)
    if _errors(situation.problems):
        reason = str(_errors(situation.problems)[0])
        return Decision(outcome=Outcome.ERROR, reason=reason, problems=situation.problems)
    if situation.project_file is None:
        where = "the commit" if situation.trusted else "the target branch"
        reason = f"{where} has neither `reana.yaml` nor `.reana-bridge.yaml`"
        return Decision(outcome=Outcome.SKIP, reason=reason, problems=situation.problems)
    analyses = tuple(_analysis(situation, analysis) for analysis in situation.project_file.analyses)
    outcome, reason = _overall(analyses)
    return Decision(outcome=outcome, reason=reason, analyses=analyses, problems=situation.problems)


def _without_project_file(situation: Situation) -> tuple[Outcome, str] | None:
    """The outcome where it does not depend on the project's files; None else."""
    event = situation.event
    if isinstance(event, Ignored):
        return Outcome.IGNORED, shown(event.reason, 300).strip() or "it means nothing to the bridge"
    if isinstance(event, Ping):
        return Outcome.IGNORED, "the forge asked whether anybody listens"
    if isinstance(event, Installation):
        return Outcome.IGNORED, "an installation of the App changed; projects are registered in the settings"
    if not situation.registered:
        return Outcome.IGNORED, f"the settings register no project `{shown(event.project)}`"
    if isinstance(event, Push):
        return _moved(event.ref, event.after, situation.head) or _asked_to_skip(situation, event.message)
    if isinstance(event, Tag):
        return _moved(event.ref, event.sha, situation.head) or _asked_to_skip(situation, event.message)
    if isinstance(event, MergeRequest):
        return _gone(event, situation) or _asked_to_skip(situation, "")
    return Outcome.IGNORED, f"the bridge does nothing on an event of kind {type(event).__name__}"


def _moved(ref: str, sha: str | None, head: str | None) -> tuple[Outcome, str] | None:
    ref = shown(ref, 200)
    if sha is None:
        return Outcome.SKIP, f"{ref} was deleted"
    if head is None:
        return Outcome.SKIP, f"{ref} is gone"
    if head != sha:
        return Outcome.SKIP, f"superseded: {ref} is now at {shown(head[:7])}"
    return None


def _gone(event: MergeRequest, situation: Situation) -> tuple[Outcome, str] | None:
    if situation.merge_request is None or situation.head is None:
        return Outcome.SKIP, f"there is no merge request !{event.number} (any more)"
    if not situation.merge_request.open:
        merged = Change.MERGED in event.changes
        return Outcome.SKIP, f"merge request !{event.number} is {'merged' if merged else 'closed'}"
    return None


def _asked_to_skip(situation: Situation, message: str) -> tuple[Outcome, str] | None:
    found = _SKIP.search(situation.message or message)
    return (Outcome.SKIP, f"the commit's message says `{found[0]}`") if found else None


def _analysis(situation: Situation, analysis: Analysis) -> AnalysisDecision:
    answer, wanted_by, proposal = _answer(situation, analysis)
    problems = situation.analysis_problems.get(analysis.name, ())
    outcome, reason = Outcome.RUN if answer.runs else Outcome.SKIP, answer.reason
    if answer.runs and _errors(problems):
        outcome, reason = Outcome.ERROR, str(_errors(problems)[0])
    elif answer.runs and not situation.trusted:
        outcome, reason = _of_a_stranger(situation, reason)
    return AnalysisDecision(
        analysis=analysis.name,
        outcome=outcome,
        reason=reason,
        wanted_by=wanted_by,
        proposal=proposal,
        parameters=dict(analysis.parameters),
        priority=analysis.priority,
        problems=problems,
    )


def _of_a_stranger(situation: Situation, reason: str) -> tuple[Outcome, str]:
    if situation.forks is Forks.NEVER:
        return Outcome.SKIP, f"{reason}, but the settings let no code from forks run"
    if situation.let_by:
        return Outcome.RUN, f"{reason}, let run by {shown(situation.let_by)}"
    return Outcome.NEEDS_APPROVAL, f"{reason}, with code from outside of the project"


def _answer(situation: Situation, analysis: Analysis) -> tuple[Answer, WantKind, bool]:
    event = situation.event
    if isinstance(event, Tag):
        return answer_tag(analysis, event.tag), WantKind.TAG, False
    now = situation.merge_request
    if isinstance(event, MergeRequest) and now is not None:
        answer = answer_merge_request(
            analysis,
            now.changes,
            title=f"!{event.number}",
            target=now.target,
            labels=now.labels,
            draft=now.draft,
            changed=known_changes(situation.changed),
        )
        return answer, WantKind.MERGE_REQUEST, True
    if not isinstance(event, Push):
        return Answer(False, "nothing was pushed"), WantKind.BRANCH, False
    default = situation.default_branch or event.default_branch
    changed = known_changes(situation.changed)
    if event.branch == default:
        return answer_default_branch(analysis, event.branch, changed), WantKind.BRANCH, False
    if situation.merge_requests:
        return answer_branch(analysis, event.branch, changed, default_branch=default), WantKind.BRANCH, False
    return answer_proposal(analysis, event.branch, changed, default_branch=default), WantKind.BRANCH, True


def _overall(analyses: tuple[AnalysisDecision, ...]) -> tuple[Outcome, str]:
    words = {
        Outcome.RUN: ("runs", "run"),
        Outcome.NEEDS_APPROVAL: ("waits for approval", "wait for approval"),
        Outcome.ERROR: ("cannot run", "cannot run"),
        Outcome.SKIP: ("does not run", "do not run"),
    }
    for outcome, (one, several) in words.items():
        found = [decision for decision in analyses if decision.outcome is outcome]
        if not found:
            continue
        if len(found) == 1:
            return outcome, f"`{found[0].analysis}` {one}: {found[0].reason}"
        names = ", ".join(f"`{decision.analysis}`" for decision in found[:10])
        more = ", ..." if len(found) > 10 else ""
        return outcome, f"{len(found)} of {len(analyses)} analyses {several}: {names}{more}"
    return Outcome.SKIP, "the project file names no analysis"


def _errors(problems: tuple[Problem, ...]) -> tuple[Problem, ...]:
    return tuple(problem for problem in problems if problem.severity == "error")
