"""Everything that is looked up before a delivery is decided, and the judgement on it. Nothing is written."""

from dataclasses import replace

from reana_bridge.forges.base import CommitGone
from reana_bridge.forges.source import commit_message
from reana_bridge.model.decisions import Decision, Outcome, Situation, decide
from reana_bridge.model.orders import Order, OrderKind
from reana_bridge.model.projects import Project
from reana_bridge.settings import ProjectSettings
from reana_bridge.steps.bridge import Bridge
from reana_bridge.steps.deciding.commanding import look_at_command
from reana_bridge.steps.deciding.hearing import look_at_comment, look_at_rerun
from reana_bridge.steps.deciding.looked import Looked
from reana_bridge.steps.deciding.ordering import look_at_order
from reana_bridge.steps.deciding.proposing import look_at_merge_request
from reana_bridge.steps.deciding.reading import Reading, asks_for_paths
from reana_bridge.steps.deciding.renaming import Whose, whose
from reana_bridge.steps.known import tell_id
from reana_bridge.store.tables import Delivery
from webhooks import synthetic
from webhooks.events import Comment, Event, Ignored, MergeRequest, Push, Rerun, Tag
from webhooks.kinds import KINDS

__all__ = ["Looked", "look"]

_Heard = Push | Tag | MergeRequest | Comment | Rerun


def look(bridge: Bridge, delivery: Delivery) -> Looked:
    """What `delivery` means and leads to.

    Raises:
        ForgeError: The forge did not answer; look again later.
        ForgeRefused: The forge has no such project.
    """
    body = delivery.body or b""
    if delivery.forge not in bridge.forges:
        reason = f"there is no forge {delivery.forge} in the settings any more"
        return Looked(event="unknown", decision=Decision(outcome=Outcome.IGNORED, reason=reason))
    if delivery.kind == "order":
        order = replace(Order.read(body), heard_at=delivery.received_at)
        return _look_at_order(bridge, delivery.forge, order)
    found = delivery.kind == "synthetic"
    kind = synthetic if found else KINDS[bridge.settings.forges[delivery.forge].kind]
    event = kind.parse(delivery.headers or {}, body)
    looked = _look_at_event(bridge, delivery.forge, event, found=found)
    return replace(looked, event=_name(event), actor=event.actor)


def _name(event: Event) -> str:
    return "merge request" if isinstance(event, MergeRequest) else type(event).__name__.lower()


def _look_at_event(bridge: Bridge, forge: str, event: Event, *, found: bool) -> Looked:
    """What an event leads to; `found` where we found it ourselves, and nobody is known to have done it."""
    try:
        project = Project.parse(f"{forge}:{event.project}")
    except ValueError as error:
        unusable = event if isinstance(event, Ignored) or not event.project else None
        event = unusable or Ignored(project="", reason=str(error))
        return Looked(event="", decision=decide(Situation(event=event)))
    registered = bridge.settings.project(project) is not None
    if not isinstance(event, _Heard):
        return Looked(
            event="", decision=decide(Situation(event=event, registered=registered)), project=project
        )
    known = whose(bridge, project, event)
    rule = bridge.settings.project(known.project)
    if rule is None:
        reason = known.problem
        decision = Decision(outcome=Outcome.IGNORED, reason=reason) if reason else None
        decision = decision or decide(Situation(event=event, registered=False))
        return Looked(event="", decision=decision, project=known.project)
    looked = _look_at_known(bridge, known, rule, event, found=found)
    return replace(looked, forge_id=known.forge_id, renamed_from=known.before)


def _look_at_known(
    bridge: Bridge, known: Whose, rule: ProjectSettings, event: _Heard, *, found: bool
) -> Looked:
    reading = Reading(bridge, known.project, rule)
    if isinstance(event, Push | Tag):
        return _look_at_head(reading, event)
    if isinstance(event, MergeRequest):
        return look_at_merge_request(reading, event, found=found)
    if isinstance(event, Comment):
        return look_at_comment(reading, event)
    return look_at_rerun(reading, event)


def _look_at_order(bridge: Bridge, forge: str, order: Order) -> Looked:
    project = Project(forge, order.project)
    rule = bridge.settings.project(project)
    if rule is None:
        decision = Decision(outcome=Outcome.IGNORED, reason=f"the settings register no project `{project}`")
        looked = Looked(event="", decision=decision, project=project)
    else:
        tell_id(bridge, bridge.forges[project.forge], project)
        reading = Reading(bridge, project, rule)
        command = order.kind is OrderKind.COMMAND
        looked = look_at_command(reading, order) if command else look_at_order(reading, order)
    return replace(looked, event=f"{order.kind} order", actor=order.actor)


def _look_at_head(reading: Reading, event: Push | Tag) -> Looked:
    """What a moved branch or tag leads to."""
    asked_at = reading.now()
    sha = event.after if isinstance(event, Push) else event.sha
    head = reading.forge.head(reading.project, event.ref)
    default = reading.forge.default_branch(reading.project)
    target = f"refs/heads/{default}"
    base = Looked(
        event="",
        decision=Decision(outcome=Outcome.SKIP, reason=""),
        project=reading.project,
        ref=event.ref,
        sha=sha or "",
        asked_at=asked_at,
        head=head,
        follows_ref=True,
        default_branch=default,
        target=target,
    )
    hosted = reading.hosted is not None
    situation = Situation(event=event, default_branch=default, head=head, merge_requests=hosted)
    if sha is None or head != sha:
        return replace(base, decision=decide(situation))
    try:
        reading.forge.fetch(reading.project, sha, reading.cache)
    except CommitGone as gone:
        return replace(base, decision=Decision(outcome=Outcome.SKIP, reason=str(gone)))
    target_sha = sha if target == event.ref else reading.tip(target)
    file, analyses, problems = reading.project_file(sha)
    situation = replace(situation, message=commit_message(reading.cache, sha))
    proposal = not hosted and isinstance(event, Push) and event.branch != default
    if asks_for_paths(file) and isinstance(event, Push):
        # Of a new branch nobody knows where it was.
        from_base = proposal or (event.before is None and event.branch != default)
        since = reading.changed_since_base(sha, target_sha) if from_base else None
        situation = replace(situation, changed=since if from_base else reading.changed(event.before, sha))
    situation = replace(situation, project_file=file, problems=problems)
    first = decide(situation)
    checked = {
        each.analysis: reading.specification(sha, analyses[each.analysis])
        for each in first.analyses
        if each.outcome is Outcome.RUN
    }
    decision = decide(replace(situation, analysis_problems=checked))
    return replace(base, decision=decision, target_sha=target_sha, analyses=analyses)
