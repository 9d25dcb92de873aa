"""`/reana accept METRIC reason`: who may say so, which difference is meant, and what is kept of it.

Also for a file, by its path.

Promises: nobody accepts but whom the forge confirms to have the right that the settings ask for, and the
author of a merge request not alone unless they say so; what is accepted is a difference that the person can
have seen, with the value that it had then; one command is one acceptance, however often it is told.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from sqlalchemy.orm import Session

from reana_bridge.forges.base import Access, MergeRequestFacts
from reana_bridge.model.codec import from_data, to_data
from reana_bridge.model.comparisons import (
    Acceptance,
    Comparison,
    FileComparison,
    MetricComparison,
    RuleOutcome,
)
from reana_bridge.model.orders import Order
from reana_bridge.model.runs import LIVE, RunState
from reana_bridge.model.suggestions import closest, shown
from reana_bridge.reports.escape import code, copied, marked
from reana_bridge.reports.view import accept_command
from reana_bridge.steps.bridge import Bridge
from reana_bridge.steps.deciding.again import compare_anew
from reana_bridge.steps.deciding.looked import Accepted, Looked
from reana_bridge.steps.deciding.proposing import Proposal
from reana_bridge.steps.deciding.reading import Reading
from reana_bridge.steps.reporting import comparison_row, newest_runs
from reana_bridge.store.ids import new_id
from reana_bridge.store.tables import AcceptanceRow, Run
from reana_bridge.store.upsert import upsert

_NEEDED = {"maintain": Access.MAINTAIN, "write": Access.WRITE}
_RIGHT = {
    Access.MAINTAIN: "merge into protected branches (Maintainer on GitLab, maintain or admin on GitHub)",
    Access.WRITE: "push (Developer on GitLab, write on GitHub)",
}
_MOST_SHOWN = 10
Value = float | int | str | bool | None
_log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True)
class Refused:
    """Why nothing is accepted: for the decision's record, and as Markdown for the person."""

    reason: str
    says: str


@dataclass(frozen=True, kw_only=True)
class _Candidate:
    """A metric, or a file, of one of the head's runs.

    Attributes:
        run: The run.
        name: The metric's name, or the file's path.
        value: What is accepted: its value, or the digest of its content; None where it is missing.
        baseline: The same of the baseline.
        rules: What the rules on it say.
    """

    run: Run
    name: str
    value: Value
    baseline: Value
    rules: Sequence[RuleOutcome]

    @property
    def command(self) -> str:
        """What accepts it and no other, but for the reason; empty where nothing can be pasted."""
        return accept_command(f"{self.run.analysis}/{self.name}")

    @property
    def broken(self) -> Sequence[RuleOutcome]:
        """The rules that it breaks, and that count."""
        return [outcome for outcome in self.rules if outcome.broken and not outcome.proposed]

    @property
    def is_open(self) -> bool:
        """Whether it breaks a rule that nobody has let it break."""
        return any(outcome.accepted is None for outcome in self.broken)


def look_at_acceptance(reading: Reading, order: Order, proposal: Proposal) -> Accepted | Refused:
    """The difference that `order` accepts, or why it accepts none.

    Raises:
        ForgeError: The forge did not say what the person may do; look again later.
    """
    refused = _may_not(reading, order, proposal.facts)
    if refused is not None:
        return refused
    with reading.bridge.database.read() as session:
        runs = newest_runs(session, str(reading.project), proposal.base.sha)
        there = [candidate for run in runs for candidate in _candidates(session, run)]
    meant = _meant(order, there)
    if len(meant) > 1:
        meant = [each for each in meant if each.is_open] or meant
    if not meant:
        return _unknown(order, there, runs, proposal.base.sha[:7])
    if len(meant) > 1:
        return _several(order, meant)
    return _why_not(order, meant[0], proposal.facts.number) or _accepted(reading, order, meant[0])


def _may_not(reading: Reading, order: Order, facts: MergeRequestFacts) -> Refused | None:
    forge, needed = reading.hosted, _NEEDED[reading.rule.accept_by]
    right = _RIGHT[needed]
    if forge is None or forge.access(reading.project, order.actor, order.actor_id) < needed:
        says = f"Accepting a difference takes the right to {right}; the forge does not say so of you."
        return Refused(
            reason=f"{shown(order.actor)} may not accept: that takes the right to {right}", says=says
        )
    if order.actor.casefold() == facts.author.casefold() and not reading.rule.accept_own:
        says = (
            f"You opened !{facts.number}, so somebody else has to accept what it changes: "
            f"anybody with the right to {right}. (Who runs the bridge can let authors do so: `accept_own`.)"
        )
        return Refused(reason=f"{shown(order.actor)} opened the merge request", says=marked(says))
    return None


def _candidates(session: Session, run: Run) -> Sequence[_Candidate]:
    row = comparison_row(session, run.id) if run.state == RunState.FINISHED else None
    if row is None:
        return ()
    comparison = from_data(Comparison, row.document)
    return [_candidate(run, compared) for compared in (*comparison.metrics, *comparison.files)]


def _candidate(run: Run, compared: MetricComparison | FileComparison) -> _Candidate:
    if isinstance(compared, FileComparison):
        name, value, baseline = compared.path, compared.head_digest or None, compared.baseline_digest or None
    else:
        name, before, now = compared.name, compared.baseline, compared.head
        value, baseline = now.value if now else None, before.value if before else None
    return _Candidate(run=run, name=name, value=value, baseline=baseline, rules=compared.rules)


def _meant(order: Order, there: Sequence[_Candidate]) -> list[_Candidate]:
    """What is called so; where nothing is, what is called so behind its analysis' name."""
    said = copied(order.argument)
    named = [each for each in there if copied(each.name) == said]
    return named or [each for each in there if copied(f"{each.run.analysis}/{each.name}") == said]


def _unknown(order: Order, there: Sequence[_Candidate], runs: Sequence[Run], short: str) -> Refused:
    said = shown(order.argument)
    if not there:
        live = any(run.state in LIVE for run in runs)
        why = "its result is not there yet" if live else "it has no result"
        says = f"Nothing of `{short}` can be accepted: {why}."
        return Refused(reason=f"{short} has no result to accept", says=says)
    names = list(dict.fromkeys(each.name for each in there))
    meant = closest(order.argument, names) or next((n for n in names if n.startswith(order.argument)), "")
    hint = f"did you mean `{accept_command(meant)}`?" if meant and accept_command(meant) else ""
    if any(character in order.argument for character in "*?["):
        hint = hint or "one command accepts one metric, by its full name."
    hint = hint or 'a name with blanks stands in quotation marks: `/reana accept "name" reason`.'
    says = marked(f"There is no metric or file `{said}` at `{short}`; {hint}")
    return Refused(reason=f"there is no metric or file {said} at {short}", says=says)


def _several(order: Order, meant: Sequence[_Candidate]) -> Refused:
    says = [marked(f"Several analyses have a metric `{order.argument}`; say which is meant:"), ""]
    says += [f"- {code(each.command)}" for each in meant[:_MOST_SHOWN] if each.command]
    return Refused(reason=f"several analyses have {shown(order.argument)}", says="\n".join(says))


def _why_not(order: Order, found: _Candidate, number: int) -> Refused | None:
    """Why this very metric cannot be accepted; None where it can."""
    run, name = found.run, shown(found.name)
    already = next((outcome.accepted for outcome in found.broken if outcome.accepted), None)
    if not run.proposal or run.merge_request != number:
        place = f"!{run.merge_request}" if run.proposal and run.merge_request else "a branch of the project"
        says = f"The result of `{run.sha[:7]}` belongs to {place}, so it cannot be accepted here."
        reason = f"the result is of {place}"
    elif not found.broken:
        says = f"`{name}` breaks no rule here, so there is nothing to accept."
        reason = f"{name} breaks no rule"
    elif not found.is_open and already is not None:
        says = f"`{name}` is accepted already, by {already.by}: {already.reason}"
        reason = f"{name} is accepted already"
    elif order.heard_at and (run.ended_at or 0.0) > order.heard_at:
        says = f"The result of `{run.sha[:7]}` came after your comment. Look at it, and say it once more."
        reason = f"the result of {run.sha[:7]} is newer than the comment"
    else:
        return None
    return Refused(reason=reason, says=marked(says))


def _accepted(reading: Reading, order: Order, found: _Candidate) -> Accepted:
    acceptance = Acceptance(
        metric=found.name,
        value=found.value,
        reason=order.reason,
        by=order.actor,
        at=reading.now(),
        sha=found.run.sha,
        merge_request=order.merge_request,
    )
    return Accepted(
        run=found.run.id,
        analysis=found.run.analysis,
        acceptance=acceptance,
        baseline=found.baseline,
    )


def store_acceptance(bridge: Bridge, session: Session, looked: Looked) -> None:
    """Keep what a command accepts, and have its run compared anew; the same command again does nothing.

    Args:
        bridge: The database.
        session: A write transaction.
        looked: With the command, and what it accepts.
    """
    accepts, order = looked.accepts, looked.command
    if accepts is None or order is None:
        return
    said = accepts.acceptance
    values: dict[str, Any] = {
        "id": new_id(),
        "project": str(looked.project),
        "analysis": accepts.analysis,
        "merge_request": said.merge_request,
        "metric": said.metric,
        "value": to_data(said.value),
        "baseline": to_data(accepts.baseline),
        "reason": said.reason,
        "accepted_by": said.by,
        "accepted_at": said.at,
        "sha": said.sha,
        "run_id": accepts.run,
        "comment": order.comment,
        "place": order.place,
        "merged_sha": "",
    }
    if not upsert(bridge.database, session, AcceptanceRow, values):
        return
    compare_anew(bridge, session, accepts.run)
    facts = {"project": str(looked.project), "merge_request": said.merge_request, "metric": said.metric}
    _log.info("accepted", **facts, analysis=accepts.analysis, by=said.by, reason=said.reason, run=accepts.run)
