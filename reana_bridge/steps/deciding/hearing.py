"""Comments and buttons: who says something, whether they may, and which commands follow from it.

Promises: we never hear ourselves; what changes anything is obeyed only from people whose rights the forge
confirms (`status`, `why` and `help` from everybody who can comment); nobody gives more commands in an hour
than the settings say, and is told so once. Each command becomes an order of its own.
"""

from collections.abc import Sequence
from typing import Any, cast

from sqlalchemy import and_, func, or_, select

from reana_bridge.forges.base import Access, Identity
from reana_bridge.forges.hosted import HostedForge
from reana_bridge.model.commands import Command, CommandName, Mistake, parse
from reana_bridge.model.decisions import Decision, Outcome
from reana_bridge.model.orders import Order, OrderKind
from reana_bridge.model.runs import RunState
from reana_bridge.model.suggestions import shown
from reana_bridge.steps.deciding.looked import Answered, Looked
from reana_bridge.steps.deciding.reading import Reading
from reana_bridge.store.tables import Decision as DecisionRow
from reana_bridge.store.tables import Run
from webhooks.events import Comment, Event, Rerun

HARMLESS = frozenset({CommandName.STATUS, CommandName.WHY, CommandName.HELP})
"""What everybody may ask who can comment."""

OURS = "<!-- reana-bridge:"
"""What every note and reply of ours holds."""

CONTEXT = "reana/"
HOUR = 3600.0
_decision, _run = cast(Any, DecisionRow), cast(Any, Run)


def look_at_comment(reading: Reading, event: Comment) -> Looked:
    """What a new comment leads to: its commands, or a refusal.

    Raises:
        ForgeError: The forge did not say who we are or what the person may do; look again later.
    """
    found = parse(event.body)
    forge = reading.hosted
    if forge is None or not found:
        return _heard(reading, event, Outcome.IGNORED, "the comment holds no command")
    if _is_us(event, forge.identity()) or OURS in event.body:
        return _heard(reading, event, Outcome.IGNORED, "the bridge wrote it itself")
    over = _over_budget(reading, event, len(found))
    if over is not None:
        return over
    harmful = [each for each in found if isinstance(each, Command) and each.name not in HARMLESS]
    orders = [_order(reading, event, each) for each in found if each not in harmful]
    if not harmful or _may(reading, forge, event):
        orders = [_order(reading, event, each) for each in found]
        mistaken = all(isinstance(each, Mistake) for each in found)
        return _obeyed(reading, event, orders, reaction="confused" if mistaken else "eyes")
    name = harmful[0].name
    reason = f"{shown(event.actor)} may not give the command `{name}`: that takes the right to push"
    told = _given(reading, event.actor)[1]
    right = "may merge" if name is CommandName.ACCEPT else "may push to this project"
    reply = f"`/reana {name}` is for people who {right}; the forge does not say so of you."
    answered = Answered(
        number=event.number,
        comment=event.comment,
        reaction="confused",
        reply="" if told else reply,
        orders=tuple(orders),
    )
    return _heard(reading, event, Outcome.SKIP, reason, answered)


def look_at_rerun(reading: Reading, event: Rerun) -> Looked:
    """What a button at a check leads to: the same as the command.

    Raises:
        ForgeError: The forge did not say what the person may do; look again later.
    """
    forge = reading.hosted
    run = _pressed_at(reading, event)
    if forge is None or run is None:
        return _heard(reading, event, Outcome.IGNORED, f"nothing of ours ran at {shown(event.sha[:7])}")
    command = event.action or "run"
    if command not in {"run", "retest", "approve", "cancel"}:
        return _heard(reading, event, Outcome.IGNORED, f"there is no button `{shown(command)}`")
    over = _over_budget(reading, event, 1)
    if over is not None:
        return over
    if not _may(reading, forge, event):
        return _heard(reading, event, Outcome.SKIP, f"{shown(event.actor)} may not push to the project")
    order = Order(
        kind=OrderKind.COMMAND,
        project=reading.project.path,
        ref=run.ref,
        sha=event.sha,
        analysis=run.analysis if event.context and command != "approve" else "",
        actor=event.actor,
        actor_id=event.actor_id,
        command=command,
        argument=event.sha if command == "approve" else "",
        merge_request=run.merge_request,
    )
    return _obeyed(reading, event, [order])


def _obeyed(
    reading: Reading, event: Comment | Rerun, orders: Sequence[Order], *, reaction: str = "eyes"
) -> Looked:
    names = ", ".join(f"`{order.command}`" for order in orders)
    comment = isinstance(event, Comment)
    answered = Answered(
        number=event.number if comment else None,
        comment=event.comment if comment else "",
        reaction=reaction if comment else "",
        orders=tuple(orders),
    )
    return _heard(reading, event, Outcome.COMMAND, f"{shown(event.actor)} asks for {names}", answered)


def _heard(
    reading: Reading, event: Comment | Rerun, outcome: Outcome, reason: str, answered: Answered | None = None
) -> Looked:
    return Looked(
        event="",
        decision=Decision(outcome=outcome, reason=reason),
        project=reading.project,
        sha=event.sha,
        answered=answered,
    )


def _order(reading: Reading, event: Comment, each: Command | Mistake) -> Order:
    values: dict[str, Any] = {"command": CommandName.HELP.value, "argument": ""}
    if isinstance(each, Command):
        values = {
            "command": each.name.value,
            "argument": each.argument,
            "analysis": each.analysis,
            "parameters": each.parameters,
            "reason": each.reason,
        }
    else:
        values["argument"] = each.problem
    return Order(
        kind=OrderKind.COMMAND,
        project=reading.project.path,
        actor=event.actor,
        actor_id=event.actor_id,
        merge_request=event.number,
        comment=event.comment,
        **values,
    )


def _is_us(event: Event, us: Identity) -> bool:
    if event.actor_id and us.id:
        return event.actor_id == us.id
    return bool(event.actor) and event.actor.casefold() == us.name.casefold()


def _may(reading: Reading, forge: HostedForge, event: Event) -> bool:
    """Whether the forge confirms that the person may push to the project."""
    if not event.actor:
        return False
    return forge.access(reading.project, event.actor, event.actor_id) >= Access.WRITE


def _over_budget(reading: Reading, event: Comment | Rerun, count: int) -> Looked | None:
    """The refusal of commands beyond what one person may give in an hour; None within it.

    Refused ones count too; only the first refusal is told, so that a storm gets one answer.
    """
    most = reading.rule.commands_per_hour
    given, told = _given(reading, event.actor)
    if given + count <= most:
        return None
    reason = f"{shown(event.actor)} has given {given} commands within an hour, and may give {most}"
    if told or not isinstance(event, Comment) or not most:
        return _heard(reading, event, Outcome.SKIP, reason)
    reply = f"That are more than {most} commands within an hour, the most that one person may give here."
    answered = Answered(
        number=event.number,
        comment=event.comment,
        reaction="confused",
        reply=reply,
    )
    return _heard(reading, event, Outcome.SKIP, reason, answered)


def _given(reading: Reading, actor: str) -> tuple[int, bool]:
    """How many commands the person gave within the last hour, and whether a comment was refused.

    A button that was refused tells the person nothing.
    """
    obeyed = _decision.event == f"{OrderKind.COMMAND} order"
    refused = and_(_decision.event.in_(["comment", "rerun"]), _decision.outcome == Outcome.SKIP.value)
    with reading.bridge.database.read() as session:
        since = reading.bridge.database.now(session) - HOUR
        same = (
            _decision.project == str(reading.project),
            _decision.actor == actor,
            _decision.decided_at > since,
        )
        counted = select(func.count()).select_from(DecisionRow)
        total = session.execute(counted.where(*same, or_(obeyed, refused))).scalar_one()
        told = session.execute(counted.where(*same, refused, _decision.event == "comment")).scalar_one()
    return total, told > 0


def _pressed_at(reading: Reading, event: Rerun) -> Run | None:
    """The newest run that the check is of."""
    same = [_run.project == str(reading.project), _run.sha == event.sha, _run.parameters_digest == ""]
    if event.context:
        same.append(_run.analysis == event.context.removeprefix(CONTEXT))
    waiting_last = _run.state == RunState.WAITING.value
    newest = select(Run).where(*same).order_by(waiting_last, _run.queued_at.desc(), _run.id.desc()).limit(1)
    with reading.bridge.database.read() as session:
        return session.execute(newest).scalar_one_or_none()
