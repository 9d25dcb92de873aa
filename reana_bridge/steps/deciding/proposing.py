"""What a merge request leads to, as the forge has it now: whatever an event says of it may be old.

Promises: the head that the forge names counts, never the order in which events come; of a fork nothing but
its specification is read, the project file that rules is the target branch's; nobody's pushing is taken for
an approval unless the forge confirms that person's rights.
"""

from dataclasses import dataclass, replace

from reana_bridge.forges.base import Access, CommitGone, ForgeError, MergeRequestFacts
from reana_bridge.forges.hosted import HostedForge
from reana_bridge.forges.source import commit_message
from reana_bridge.model.analyses import Analysis, ProjectFile
from reana_bridge.model.decisions import Decision, Forks, MergeRequestNow, Outcome, Situation, decide
from reana_bridge.model.problems import Problem
from reana_bridge.steps.deciding.looked import Looked
from reana_bridge.steps.deciding.reading import Reading, asks_for_paths
from reana_bridge.steps.reconciling.requests import changes
from webhooks.events import Change, MergeRequest


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """An open merge request with its head, fetched, and what is written there.

    Attributes:
        base: What is known of it, without a decision.
        facts: As the forge has it now.
        file: The project file that rules; None for none.
        analyses: By name, within the server's limits.
        problems: What is wrong with the file.
        let_by: Who approved this very commit; empty for nobody.
    """

    base: Looked
    facts: MergeRequestFacts
    file: ProjectFile | None = None
    analyses: dict[str, Analysis]
    problems: tuple[Problem, ...] = ()
    let_by: str = ""


def propose(reading: Reading, forge: HostedForge, number: int) -> Proposal | None:
    """The merge request `number` with its head fetched; None where it is not open (any more).

    Raises:
        ForgeError: Its head cannot be fetched yet.
    """
    base = _base(reading, forge, number)
    if base.merge_request is None or base.head is None:
        return None
    return _read(reading, base, base.merge_request)


def look_at_merge_request(reading: Reading, event: MergeRequest, *, found: bool) -> Looked:
    """What a change of a merge request leads to; `found` where nobody is known to have done it.

    Raises:
        ForgeError: The forge did not answer, or its head cannot be fetched yet.
    """
    forge = reading.hosted
    if forge is None:
        reason = f"the forge {reading.project.forge} has no merge requests"
        decision = Decision(outcome=Outcome.IGNORED, reason=reason)
        return Looked(event="", decision=decision, project=reading.project)
    base = _base(reading, forge, event.number)
    facts = base.merge_request
    if facts is None or base.head is None:
        return _ended(reading, base, event)
    proposal = _read(reading, base, facts)
    happened = event.changes | changes(reading.merge_request(event.number), facts)
    looked = decide_proposal(reading, event, proposal, happened)
    if looked.decision.outcome is Outcome.NEEDS_APPROVAL and not found:
        member = _member(reading, forge, event, facts)
        if member:
            looked = decide_proposal(reading, event, replace(proposal, let_by=member), happened)
            return replace(looked, approves=True)
    return looked


def decide_proposal(
    reading: Reading, event: MergeRequest, proposal: Proposal, happened: frozenset[Change]
) -> Looked:
    """The decision on an open merge request to which `happened`, with what it leads to."""
    facts, sha = proposal.facts, proposal.base.sha
    changed = None
    if asks_for_paths(proposal.file):
        changed = reading.changed_since_base(sha, proposal.base.target_sha)
    situation = Situation(
        event=event,
        default_branch=proposal.base.default_branch,
        head=sha,
        message=commit_message(reading.cache, sha),
        changed=changed,
        trusted=not facts.fork,
        forks=Forks(reading.rule.forks),
        let_by=proposal.let_by,
        merge_requests=True,
        merge_request=_now(facts, happened),
        project_file=proposal.file,
        problems=proposal.problems,
    )
    first = decide(situation)
    checked = {
        each.analysis: reading.specification(sha, proposal.analyses[each.analysis])
        for each in first.analyses
        if each.outcome in (Outcome.RUN, Outcome.NEEDS_APPROVAL)
    }
    decision = decide(replace(situation, analysis_problems=checked))
    let_by = proposal.let_by if facts.fork else ""
    return replace(proposal.base, decision=decision, analyses=proposal.analyses, let_by=let_by)


def _base(reading: Reading, forge: HostedForge, number: int) -> Looked:
    asked_at = reading.now()
    facts = forge.merge_request(reading.project, number)
    default = forge.default_branch(reading.project)
    is_open = facts is not None and facts.open and bool(facts.sha)
    known = reading.merge_request(number)
    return Looked(
        event="",
        decision=Decision(outcome=Outcome.SKIP, reason=""),
        project=reading.project,
        ref=facts.ref if facts else known.ref if known else "",
        sha=facts.sha if facts else known.sha if known else "",
        asked_at=asked_at,
        head=facts.sha if facts and is_open else None,
        number=number,
        merge_request=facts,
        follows_merge_request=True,
        default_branch=default,
        target=f"refs/heads/{facts.target_branch if facts else default}",
        trusted=facts is None or not facts.fork,
    )


def _read(reading: Reading, base: Looked, facts: MergeRequestFacts) -> Proposal:
    try:
        reading.forge.fetch(reading.project, facts.sha, reading.cache)
    except CommitGone as gone:
        # The API may know of a push a little before git does.
        what = f"the head {facts.sha} of merge request !{facts.number} cannot be fetched yet: {gone}"
        raise ForgeError(what) from gone
    target_sha = reading.tip(base.target)
    read_at = target_sha if facts.fork else facts.sha
    file, analyses, problems = reading.project_file(read_at) if read_at else (None, {}, ())
    return Proposal(
        base=replace(base, target_sha=target_sha),
        facts=facts,
        file=file,
        analyses=analyses,
        problems=problems,
        let_by=reading.approved_by(facts.sha, facts.number) if facts.fork else "",
    )


def _ended(reading: Reading, base: Looked, event: MergeRequest) -> Looked:
    facts = base.merge_request
    now = _now(facts, event.changes) if facts else None
    situation = Situation(event=event, head=base.sha or None, merge_requests=True, merge_request=now)
    merged = bool(base.sha) and reading.forge.head(reading.project, base.target) == base.sha
    return replace(base, decision=decide(situation), merged=merged)


def _now(facts: MergeRequestFacts, happened: frozenset[Change]) -> MergeRequestNow:
    return MergeRequestNow(
        target=facts.target_branch,
        labels=facts.labels,
        draft=facts.draft,
        open=facts.open,
        changes=happened,
    )


def _member(reading: Reading, forge: HostedForge, event: MergeRequest, facts: MergeRequestFacts) -> str:
    """The person with rights who pushed the very head, where the settings let that count; empty for nobody.

    Who set a label, or opened the merge request for somebody else's commits, did not push.
    """
    pushed = Change.UPDATED in event.changes and event.sha == facts.sha and bool(event.actor)
    if Forks(reading.rule.forks) is not Forks.MEMBERS or not pushed:
        return ""
    rights = forge.access(reading.project, event.actor, event.actor_id)
    if rights < Access.WRITE or not forge.pushed_by(reading.project, facts, event.actor_id):
        return ""
    return event.actor
