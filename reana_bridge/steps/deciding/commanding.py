"""Commands: what each one given in a comment or by a button leads to, looked up before it is stored.

Promises: a command is about the head that the merge request has when it is decided, and `approve` about the
very commit that it names; nothing of a fork runs by any command but after an approval; a merge request that
is closed takes none.
"""

import re
from dataclasses import replace

from reana_bridge.forges.base import CommitGone
from reana_bridge.model.analyses import ProjectFile
from reana_bridge.model.commands import HELP, CommandName
from reana_bridge.model.comparisons import Acceptance
from reana_bridge.model.decisions import Decision, Forks, Outcome
from reana_bridge.model.orders import Order
from reana_bridge.model.runs import FINAL, RunState
from reana_bridge.model.suggestions import shown
from reana_bridge.model.wants import WantKind
from reana_bridge.reports.escape import block, marked
from reana_bridge.steps.deciding.accepting import Refused, look_at_acceptance
from reana_bridge.steps.deciding.looked import Looked
from reana_bridge.steps.deciding.ordering import Choice, decide_order, look_at_order, run_proposed
from reana_bridge.steps.deciding.proposing import Proposal, decide_proposal, propose
from reana_bridge.steps.deciding.reading import BRANCHES_AND_TAGS, Reading
from reana_bridge.steps.reporting import newest_runs
from reana_bridge.store.tables import Run
from webhooks.events import Change, MergeRequest

_SHA = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


def look_at_command(reading: Reading, order: Order) -> Looked:
    """What a command leads to.

    Raises:
        ForgeError: The forge did not answer; look again later.
    """
    command = CommandName(order.command)
    if command is CommandName.HELP:
        wrong = f"{block(marked(order.argument))}\n\n" if order.argument else ""
        return _answer(reading, order, "it was asked for help", f"{wrong}{HELP}")
    if command in (CommandName.STATUS, CommandName.WHY):
        known = reading.merge_request(order.merge_request or 0)
        looked = _answer(reading, order, f"it was asked for `{command}`")
        return replace(looked, sha=known.sha if known else order.sha)
    if order.merge_request is None:
        return _at_commit(reading, order, command)
    forge = reading.hosted
    proposal = propose(reading, forge, order.merge_request) if forge else None
    if proposal is None:
        says = f"Merge request !{order.merge_request} is not open, so it takes no commands."
        return _answer(reading, order, "the merge request is not open", says, outcome=Outcome.SKIP)
    if order.sha and order.sha != proposal.base.sha:
        reason = f"the merge request is at {proposal.base.sha[:7]} now"
        return _answer(reading, order, reason, outcome=Outcome.SKIP)
    looked = _of_proposal(reading, order, command, proposal)
    return replace(looked, command=order)


def _of_proposal(reading: Reading, order: Order, command: CommandName, proposal: Proposal) -> Looked:
    match command:
        case CommandName.APPROVE:
            return _approve(reading, order, proposal)
        case CommandName.CANCEL:
            looked = _answer(reading, order, f"{order.actor} wants its end")
            return replace(looked, sha=proposal.base.sha)
        case CommandName.COMPARE:
            return _compare(reading, order, proposal)
        case CommandName.ACCEPT:
            return _accept(reading, order, proposal)
        case CommandName.RETEST:
            return _run_again(reading, order, proposal, only=_failed(reading, proposal.base.sha))
        case _:
            return _run_again(reading, order, proposal, only=_usual(proposal.file))


def _at_commit(reading: Reading, order: Order, command: CommandName) -> Looked:
    """A button at a check of a branch's or tag's commit."""
    if command is CommandName.CANCEL:
        return replace(_answer(reading, order, f"{order.actor} wants its end"), sha=order.sha)
    if command in (CommandName.RUN, CommandName.RETEST):
        return replace(look_at_order(reading, order), command=order)
    return _answer(reading, order, "only merge requests take that", outcome=Outcome.SKIP)


def _run_again(reading: Reading, order: Order, proposal: Proposal, *, only: set[str]) -> Looked:
    short = proposal.base.sha[:7]
    if not only and order.command == CommandName.RETEST:
        says = f"Nothing has failed at `{short}`, so there is nothing to run again."
        return _answer(reading, order, f"nothing has failed at {short}", says, outcome=Outcome.SKIP)
    if _is_foreign(proposal) and Forks(reading.rule.forks) is Forks.NEVER:
        return _never(reading, order)
    looked = run_proposed(reading, order, proposal, only=only)
    if looked.decision.outcome is Outcome.RUN:
        return looked
    says = marked(f"Nothing runs: {looked.decision.reason}")
    if looked.decision.outcome is Outcome.NEEDS_APPROVAL:
        says = f"The code of `{short}` is not this project's own. Whoever has read it can let it run:\n\n"
        says += f"`/reana approve {proposal.base.sha}`"
    return replace(looked, says=says)


def _approve(reading: Reading, order: Order, proposal: Proposal) -> Looked:
    head, number = proposal.base.sha, proposal.facts.number
    if order.argument != head:
        says = f"The head of !{number} is another commit now. Read that one, then:\n\n`/reana approve {head}`"
        reason = f"{order.argument[:7]} is not the head, which is {head[:7]}"
        return _answer(reading, order, reason, says, outcome=Outcome.SKIP)
    if not _is_foreign(proposal):
        says = f"`{head[:7]}` needs no approval: its branch is in this project."
        return _answer(reading, order, "it needs no approval", says, outcome=Outcome.SKIP)
    if Forks(reading.rule.forks) is Forks.NEVER:
        return _never(reading, order)
    event = _event(reading, order, proposal)
    proposal = replace(proposal, let_by=order.actor)
    looked = decide_proposal(reading, event, proposal, frozenset({Change.UPDATED}))
    # What the event says of the merge request is old news here: only the approval is new.
    looked = replace(looked, approves=True, follows_merge_request=False)
    if looked.decision.outcome is Outcome.RUN:
        return looked
    return replace(looked, says=marked(f"It is approved, but nothing runs: {looked.decision.reason}"))


def _accept(reading: Reading, order: Order, proposal: Proposal) -> Looked:
    found = look_at_acceptance(reading, order, proposal)
    if isinstance(found, Refused):
        return _answer(reading, order, found.reason, found.says, outcome=Outcome.SKIP)
    reason = f"{shown(order.actor)} accepts {_what(found.acceptance)}: {shown(order.reason, 500)}"
    looked = _answer(reading, order, reason)
    return replace(looked, sha=proposal.base.sha, accepts=found)


def _what(accepted: Acceptance) -> str:
    name, value = shown(accepted.metric), accepted.value
    if value is None:
        return f"that `{name}` is missing"
    return f"`{name}` as it is" if isinstance(value, bool | str) else f"`{name}` up to {value}"


def _never(reading: Reading, order: Order) -> Looked:
    says = "The settings of this server let no code from forks run, whoever approves it."
    return _answer(reading, order, "the settings let no code from forks run", says, outcome=Outcome.SKIP)


def _compare(reading: Reading, order: Order, proposal: Proposal) -> Looked:
    """Compare the head's runs with another commit's; that one runs first where it never did."""
    ref, sha = _resolved(reading, order.argument)
    if sha is None:
        says = marked(f"There is no branch, tag or commit `{order.argument}` in this project.")
        return _answer(reading, order, f"there is no {order.argument}", says, outcome=Outcome.SKIP)
    if sha == proposal.base.sha:
        says = "That is the head itself."
        return _answer(reading, order, "it is the head itself", says, outcome=Outcome.SKIP)
    if not ref and not reading.is_own(sha, proposal.base.target_sha):
        says = f"`{sha[:7]}` is on no branch or tag of this project that is known to the bridge."
        return _answer(reading, order, f"{sha[:7]} is not the project's own", says, outcome=Outcome.SKIP)
    file, analyses, problems = reading.project_file(sha)
    wanted = _compared(reading, proposal)
    if not wanted:
        short = proposal.base.sha[:7]
        says = f"`{short}` has no result, and none is on its way: there is nothing to compare."
        return _answer(reading, order, f"{short} has no result to compare", says, outcome=Outcome.SKIP)
    choice = Choice(
        sha=sha,
        file=file,
        analyses=analyses,
        problems=problems,
        proposal=False,
        wanted_by=WantKind.MANUAL,
        only=wanted,
    )
    decision = decide_order(reading, replace(order, analysis="", parameters={}), choice)
    base = Looked(event="", decision=decision, project=reading.project, ref=ref, sha=sha)
    default = f"refs/heads/{proposal.base.default_branch}"
    looked = replace(base, analyses=analyses, ordered=True, target=ref or default, target_sha=sha)
    if decision.outcome is Outcome.RUN:
        return replace(looked, compares=proposal.base.sha)
    says = marked(f"`{sha[:7]}` cannot be compared with: {decision.reason}")
    return replace(looked, says=says)


def _resolved(reading: Reading, name: str) -> tuple[str, str | None]:
    """The full ref (empty for a commit) and fetched commit that `name` means; None where it means nothing."""
    refs = [name] if name.startswith(BRANCHES_AND_TAGS) else [f"{place}{name}" for place in BRANCHES_AND_TAGS]
    for ref in refs:
        sha = reading.tip(ref)
        if sha:
            return ref, sha
    if not _SHA.fullmatch(name.lower()):
        return "", None
    try:
        reading.forge.fetch(reading.project, name.lower(), reading.cache)
    except CommitGone:
        return "", None
    return "", name.lower()


def _is_foreign(proposal: Proposal) -> bool:
    return not proposal.base.trusted


def _event(reading: Reading, order: Order, proposal: Proposal) -> MergeRequest:
    facts = proposal.facts
    return MergeRequest(
        project=reading.project.path,
        actor=order.actor,
        changes=frozenset({Change.UPDATED}),
        number=facts.number,
        sha=facts.sha,
        source_branch=facts.source_branch,
        target_branch=facts.target_branch,
    )


def _usual(file: ProjectFile | None) -> set[str]:
    """The analyses that are meant where none is named: those of merge requests, if there are any."""
    said = [a for a in (file.analyses if file else ()) if a.on.comment]
    return {a.name for a in said if a.on.merge_request is not None} or {a.name for a in said}


def _failed(reading: Reading, sha: str) -> set[str]:
    """The analyses whose newest run at the commit came to nothing."""
    lost = (RunState.FAILED, RunState.CANCELLED)
    return {run.analysis for run in _newest(reading, sha) if run.state in lost}


def _compared(reading: Reading, proposal: Proposal) -> set[str]:
    """The analyses of the head that there is, or will be, a result of."""
    lost = FINAL - {RunState.FINISHED}
    return {run.analysis for run in _newest(reading, proposal.base.sha) if run.state not in lost}


def _newest(reading: Reading, sha: str) -> list[Run]:
    with reading.bridge.database.read() as session:
        return newest_runs(session, str(reading.project), sha)


def _answer(
    reading: Reading, order: Order, reason: str, says: str = "", *, outcome: Outcome = Outcome.COMMAND
) -> Looked:
    decision = Decision(outcome=outcome, reason=reason)
    sha = order.sha
    return Looked(event="", decision=decision, project=reading.project, sha=sha, command=order, says=says)
