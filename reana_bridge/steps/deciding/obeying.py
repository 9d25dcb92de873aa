"""What commands do beside starting runs, and what is answered, within the decision's transaction."""

from dataclasses import replace
from typing import Any, cast

from sqlalchemy import select
from sqlalchemy.orm import Session

from reana_bridge.model.commands import CommandName
from reana_bridge.model.decisions import Outcome
from reana_bridge.model.runs import FINAL, RunState
from reana_bridge.reports.escape import block, code, inline, link, marked
from reana_bridge.reports.status import status
from reana_bridge.steps.bridge import Bridge
from reana_bridge.steps.deciding.accepting import store_acceptance
from reana_bridge.steps.deciding.again import compare_anew
from reana_bridge.steps.deciding.looked import Looked
from reana_bridge.steps.outbox import want_reaction, want_reply
from reana_bridge.steps.pausing import pauses_on
from reana_bridge.steps.reporting import newest_runs, report_of
from reana_bridge.steps.transitions import request_cancel
from reana_bridge.store.database import wake_after
from reana_bridge.store.ids import new_id
from reana_bridge.store.inbox import OURS
from reana_bridge.store.tables import Decision, Delivery, OutboxRow, ProjectRow, Run
from reana_bridge.store.upsert import upsert
from reana_bridge.store.wake import topic

REPLY_LIMIT = 20_000
"""Characters of the answers to one comment together."""

_REFUSAL = "-1"  # stands above the answers to the commands that were taken

_run, _decision, _outbox = cast(Any, Run), cast(Any, Decision), cast(Any, OutboxRow)


def answer(bridge: Bridge, session: Session, delivery: Delivery, looked: Looked) -> None:
    """Put the orders that follow from a comment or button into the inbox, and react to the comment."""
    answered = looked.answered
    if answered is None:
        return
    now = bridge.database.now(session)
    # Two hooks may tell of one comment: it is obeyed once.
    said = f"{OURS}comment:{looked.project}:{answered.number}:{answered.comment}"
    name = said if answered.comment else f"{OURS}command:{delivery.id}"
    for number, order in enumerate(answered.orders):
        body = replace(order, place=number).body()
        values = {"id": new_id(), "forge": delivery.forge, "kind": "order", "body": body, "size": len(body)}
        values |= {"key": f"{name}:{number}", "hook": "", "digest": "", "headers": None}
        values |= {"received_at": delivery.received_at, "due_at": now, "version": 0, "attempt": 0}
        upsert(bridge.database, session, Delivery, values)
        wake_after(session, topic("decide", delivery.forge))
    if answered.number is None or not answered.comment:
        return
    place: dict[str, Any] = {
        "project": str(looked.project),
        "number": answered.number,
        "sha": looked.sha,
        "comment": answered.comment,
    }
    if answered.reaction:
        want_reaction(bridge, session, **place, reaction=answered.reaction)
    if answered.reply:
        want_reply(bridge, session, **place, body=answered.reply, said={_REFUSAL: answered.reply})


def obey(bridge: Bridge, session: Session, looked: Looked, results: list[dict[str, Any]]) -> None:
    """Do what a command asks for beside runs, and answer where there is something to say.

    Args:
        bridge: Settings and database.
        session: A write transaction.
        looked: With the command.
        results: What became of each analysis.
    """
    order = looked.command
    if order is None:
        return
    says = looked.says
    match order.command:
        case CommandName.CANCEL:
            ended = _cancel(bridge, session, looked)
            says = says or ("" if ended else f"Nothing of `{looked.sha[:7]}` runs or waits.")
        case CommandName.STATUS:
            says = _status(bridge, session, looked)
        case CommandName.WHY:
            says = _why(session, looked)
        case CommandName.ACCEPT:
            store_acceptance(bridge, session, looked)
        case CommandName.COMPARE:
            if looked.compares:
                _compare(bridge, session, looked)
        case _:
            says = says or _of_runs(bridge, session, looked, results)
    if says and order.comment and order.merge_request is not None:
        _reply(bridge, session, looked, says)


def _reply(bridge: Bridge, session: Session, looked: Looked, says: str) -> None:
    """Say it with what was said to other commands of the same comment, in the order of the commands."""
    order = looked.command
    if order is None or order.merge_request is None:
        return
    project, key = str(looked.project), f"{order.merge_request}/{order.comment}"
    same = (_outbox.project == project, _outbox.kind == "reply", _outbox.key == key)
    found = select(_outbox.wanted).where(*same)
    if not bridge.database.is_sqlite:
        found = found.with_for_update()  # two commands of one comment may be obeyed at once
    before: dict[str, Any] = session.execute(found).scalar_one_or_none() or {}
    said: dict[str, str] = {**before.get("said", {}), str(order.place): says}
    body = "\n\n---\n\n".join(said[place] for place in sorted(said, key=int))[:REPLY_LIMIT]
    want_reply(
        bridge,
        session,
        project=project,
        number=order.merge_request,
        sha=looked.sha,
        comment=order.comment,
        body=body,
        said=said,
    )


def _cancel(bridge: Bridge, session: Session, looked: Looked) -> bool:
    order = looked.command
    live = [
        _run.project == str(looked.project),
        _run.sha == looked.sha,
        _run.live_key.is_not(None),
    ]
    if order and order.analysis:
        live.append(_run.analysis == order.analysis)
    ids = session.execute(select(_run.id).where(*live)).scalars().all()
    reason = f"cancelled by {looked.command.actor if looked.command else ''}"
    return any([request_cancel(bridge, session, id, reason) for id in ids])


def _status(bridge: Bridge, session: Session, looked: Looked) -> str:
    lines = [f"At `{looked.sha[:7]}`:" if looked.sha else ""]
    for run in newest_runs(session, str(looked.project), looked.sha):
        report = report_of(bridge, session, run)
        name = link(code(f"reana/{run.analysis}"), report.run_url)
        by = f", approved by {inline(run.approved_by)}" if run.approved_by else ""
        lines.append(f"- {block(name)}: {marked(status(report).description)}{by}")
    lines += [f"- {inline(sentence)}" for sentence in _pauses(session, looked)]
    if len(lines) == 1:
        return f"Nothing of `{looked.sha[:7]}` ran or runs; `/reana why` says why."
    return "\n".join(lines)


def _pauses(session: Session, looked: Looked) -> list[str]:
    runs = newest_runs(session, str(looked.project), looked.sha)
    backends = {run.backend for run in runs if run.state == RunState.QUEUED}
    said = [text for name in sorted(backends) for text in pauses_on(session, str(looked.project), name)]
    return list(dict.fromkeys(said))


def _why(session: Session, looked: Looked) -> str:
    """The reasons of the last decision on the head."""
    same = (_decision.project == str(looked.project), _decision.sha == looked.sha)
    told = _decision.event.not_in(["comment", "rerun"])
    commands = _decision.outcome != Outcome.COMMAND.value
    newest = select(Decision).where(*same, told, commands).order_by(_decision.decided_at.desc()).limit(50)
    # What a push alone came to is no answer on a merge request, whichever of the two hooks came last.
    found = sorted(session.execute(newest).scalars(), key=lambda each: each.event == "push")
    decision = next((each for each in found if each.analyses), found[0] if found else None)
    if decision is None:
        return "Nothing has been decided about the head yet."
    analyses: list[dict[str, str]] = decision.analyses or []
    lines = [block(marked(decision.reason)), ""]
    if len(analyses) > 1 or any(f"`{a['analysis']}`" not in decision.reason for a in analyses):
        lines += [f"- {code(a['analysis'])}: {inline(a['outcome'])}, {marked(a['reason'])}" for a in analyses]
    return "\n".join(lines).rstrip()


def _compare(bridge: Bridge, session: Session, looked: Looked) -> None:
    for run in newest_runs(session, str(looked.project), looked.compares):
        if run.state not in FINAL - {RunState.FINISHED} and run.analysis in looked.analyses:
            session.flush()
            compare_anew(bridge, session, run.id, baseline_sha=looked.sha)


def _of_runs(bridge: Bridge, session: Session, looked: Looked, results: list[dict[str, Any]]) -> str:
    """What is not shown by a status: that nothing runs, or where runs with other parameters are."""
    if not any(result["outcome"] == Outcome.RUN for result in results):
        reasons = [block(marked(result["reason"])) for result in results if result["reason"]]
        return "\n".join(f"- {reason}" for reason in reasons)
    if looked.command is None or not looked.command.parameters:
        return ""
    project = session.get(ProjectRow, str(looked.project))
    urls = [(r["analysis"], bridge.run_url(project, r["run"])) for r in results if r["run"]]
    lines = [f"- {link(code(name), url)}" for name, url in urls]
    return "\n".join(
        ["Runs with these parameters are no verdict on the commit; they are shown here:", "", *lines]
    )
