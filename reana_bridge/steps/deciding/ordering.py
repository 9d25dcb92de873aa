"""What a person's or the clock's wish leads to: the commit that is meant, and which analyses may run."""

from collections.abc import Collection
from dataclasses import dataclass, replace

from reana_bridge.forges.base import CommitGone
from reana_bridge.forges.source import is_ancestor
from reana_bridge.model.analyses import Analysis, ProjectFile
from reana_bridge.model.decisions import AnalysisDecision, Decision, Outcome
from reana_bridge.model.orders import Order, OrderKind
from reana_bridge.model.problems import Problem
from reana_bridge.model.wants import WantKind
from reana_bridge.steps.deciding.looked import Looked
from reana_bridge.steps.deciding.proposing import Proposal, propose
from reana_bridge.steps.deciding.reading import BRANCHES_AND_TAGS, Reading


@dataclass(frozen=True, kw_only=True)
class Choice:
    """The analyses that may be meant, and what is known of the commit.

    Attributes:
        sha: The commit.
        file: Its project file (of a fork's commit the target's); None for none.
        analyses: By name, within the server's limits.
        problems: What is wrong with the file.
        proposal: Whether it is compared with its target's history.
        wanted_by: What wants the runs.
        only: Names to choose among where the order names none; None for all.
    """

    sha: str
    file: ProjectFile | None
    analyses: dict[str, Analysis]
    problems: tuple[Problem, ...]
    proposal: bool
    wanted_by: WantKind
    only: Collection[str] | None = None


def look_at_order(reading: Reading, order: Order) -> Looked:
    """What an order of `manual` or the clock leads to."""
    if order.merge_request is not None and reading.hosted is not None:
        proposed = propose(reading, reading.hosted, order.merge_request)
        if proposed is not None and order.sha in ("", proposed.base.sha):
            return run_proposed(reading, order, proposed)
    asked_at = reading.now()
    default = reading.forge.default_branch(reading.project)
    target = f"refs/heads/{default}"
    ref = order.ref or ("" if order.sha else target)
    sha = order.sha or reading.forge.head(reading.project, ref) or ""
    base = Looked(
        event="",
        decision=Decision(outcome=Outcome.SKIP, reason=f"{ref} is gone"),
        project=reading.project,
        ref=ref,
        sha=sha,
        asked_at=asked_at,
        default_branch=default,
        target=target,
        again=order.again,
        ordered=True,
        baseline_sha=order.baseline,
        restart=order.restart,
    )
    if not sha:
        return base
    try:
        reading.forge.fetch(reading.project, sha, reading.cache)
    except CommitGone as gone:
        return replace(base, decision=Decision(outcome=Outcome.SKIP, reason=str(gone)))
    return _at_commit(reading, order, base)


def _at_commit(reading: Reading, order: Order, base: Looked) -> Looked:
    sha = base.sha
    target_sha = reading.tip(base.target)
    named = not order.sha and base.ref.startswith(BRANCHES_AND_TAGS)
    base = replace(base, target_sha=target_sha, trusted=named or reading.is_own(sha, target_sha, base.ref))
    if not base.trusted:
        base = replace(base, let_by=reading.approved_by(sha))
        if not base.let_by:
            reason = (
                f"{sha[:7]} is on no branch or tag that the bridge knows, so it may be a fork's: "
                "name its branch, or approve it in its merge request"
            )
            return replace(base, decision=Decision(outcome=Outcome.NEEDS_APPROVAL, reason=reason))
    file, analyses, problems = reading.project_file(sha if base.trusted else target_sha)
    proposal = bool(target_sha) and not is_ancestor(reading.cache, sha, target_sha)
    manual = order.kind is not OrderKind.SCHEDULE
    choice = Choice(
        sha=sha,
        file=file,
        analyses=analyses,
        problems=problems,
        proposal=proposal,
        wanted_by=WantKind.MANUAL if manual else WantKind.SCHEDULE,
    )
    return replace(base, decision=decide_order(reading, order, choice), analyses=analyses)


def run_proposed(
    reading: Reading, order: Order, proposed: Proposal, *, only: Collection[str] | None = None
) -> Looked:
    """Run what an order asks for at the head of an open merge request."""
    base = replace(
        proposed.base,
        ordered=True,
        again=order.again,
        baseline_sha=order.baseline,
        restart=order.restart,
        let_by=proposed.let_by,
        analyses=proposed.analyses,
    )
    if not base.trusted and not proposed.let_by:
        reason = f"nobody has approved {base.sha[:7]}, which is of a fork"
        return replace(base, decision=Decision(outcome=Outcome.NEEDS_APPROVAL, reason=reason))
    follows = order.kind is OrderKind.COMMAND and not order.parameters
    choice = Choice(
        sha=base.sha,
        file=proposed.file,
        analyses=proposed.analyses,
        problems=proposed.problems,
        proposal=True,
        wanted_by=WantKind.MERGE_REQUEST if follows else WantKind.MANUAL,
        only=only,
    )
    return replace(base, decision=decide_order(reading, order, choice))


def decide_order(reading: Reading, order: Order, choice: Choice) -> Decision:
    """Which of the analyses run, and why not the others."""
    file, problems = choice.file, choice.problems
    wrong = next((p for p in problems if p.severity == "error"), None)
    if wrong or file is None:
        reason = str(wrong) if wrong else "the commit has neither `reana.yaml` nor `.reana-bridge.yaml`"
        outcome = Outcome.ERROR if wrong else Outcome.SKIP
        return Decision(outcome=outcome, reason=reason, problems=problems)
    chosen = [a for a in file.analyses if order.analysis in ("", a.name)]
    if not order.analysis and choice.only is not None:
        chosen = [a for a in chosen if a.name in choice.only]
    if not chosen:
        names = ", ".join(f"`{a.name}`" for a in file.analyses)
        reason = f"there is no analysis `{order.analysis}` at {choice.sha[:7]}; there are {names}"
        return Decision(outcome=Outcome.ERROR, reason=reason, problems=problems)
    each = tuple(_analysis(reading, order, choice, choice.analyses[a.name]) for a in chosen)
    outcome = Outcome.RUN if any(d.outcome is Outcome.RUN for d in each) else each[0].outcome
    reason = next(d for d in each if d.outcome is outcome).reason
    return Decision(outcome=outcome, reason=reason, analyses=each, problems=problems)


def _analysis(reading: Reading, order: Order, choice: Choice, analysis: Analysis) -> AnalysisDecision:
    problems = reading.specification(choice.sha, analysis, dict(order.parameters))
    wrong = next((problem for problem in problems if problem.severity == "error"), None)
    outcome, reason = Outcome.RUN, f"{order.actor or 'somebody'} asked for it"
    off = _switched_off(order.kind, analysis)
    if off:
        outcome, reason = Outcome.SKIP, off
    elif wrong:
        outcome, reason = Outcome.ERROR, str(wrong)
    return AnalysisDecision(
        analysis=analysis.name,
        outcome=outcome,
        reason=reason,
        wanted_by=choice.wanted_by,
        proposal=choice.proposal,
        parameters=dict(order.parameters),
        priority=analysis.priority,
        problems=problems,
    )


def _switched_off(kind: OrderKind, analysis: Analysis) -> str:
    if kind is OrderKind.MANUAL and not analysis.on.manual:
        return "its `on.manual` is off"
    if kind is OrderKind.COMMAND and not analysis.on.comment:
        return "its `on.comment` is off"
    return ""
