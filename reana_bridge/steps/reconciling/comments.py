"""Commands in comments that no hook told of: each told as a delivery of our own.

Promises: a comment that was heard is not told again, and one that is told twice all the same is obeyed once;
what was written before the project was connected, or more than a day ago, is left alone.
"""

from collections.abc import Sequence
from typing import Any, cast

import structlog
from sqlalchemy import select

from reana_bridge.forges.base import CommentFacts
from reana_bridge.forges.hosted import HostedForge
from reana_bridge.model.commands import parse
from reana_bridge.model.projects import Project
from reana_bridge.steps.bridge import Bridge
from reana_bridge.steps.deciding.hearing import OURS
from reana_bridge.steps.reconciling.heads import tell
from reana_bridge.store.tables import Head, OutboxRow
from reana_bridge.store.upsert import upsert
from webhooks import synthetic
from webhooks.events import Comment

LOOKED = "#"
"""The ref of the row whose `seen_at` says up to when the project's comments have been looked through."""

OLDEST_SECONDS = 86_400.0
"""A command that nobody heard for longer is not obeyed any more: people have gone on."""

_OVERLAP = 120.0
_log = structlog.get_logger()
_outbox = cast(Any, OutboxRow)


def look_at_comments(bridge: Bridge, forge: HostedForge, project: Project) -> None:
    """Tell of the commands that were written since the last look and that nobody has heard.

    Raises:
        ForgeError: The forge did not answer.
        ForgeRefused: It will not say.
    """
    rule = bridge.settings.project(project)
    if rule is None or not rule.commands_per_hour:
        return
    with bridge.database.read() as session:
        # By the forge's clock, as the comments' times are.
        now = bridge.database.now(session) + (forge.clock_offset() or 0.0)
        before = session.get(Head, (str(project), LOOKED))
    if before is not None:
        there = forge.comments(project, max(before.seen_at - _OVERLAP, now - OLDEST_SECONDS))
        for comment in _unheard(bridge, project, there):
            _tell(bridge, project, comment)
    # After the deliveries: dying in between tells them again under the same key.
    with bridge.database.transaction() as session:
        row = {"project": str(project), "ref": LOOKED, "sha": "", "seen_at": now}
        upsert(bridge.database, session, Head, row, key=["project", "ref"], change=["seen_at"])


def _unheard(bridge: Bridge, project: Project, there: Sequence[CommentFacts]) -> list[CommentFacts]:
    """Those with a command to which there is no reaction of ours, not even a wanted one."""
    telling = {
        f"{each.number}/{each.id}": each for each in there if OURS not in each.body and parse(each.body)
    }
    if not telling:
        return []
    reactions = (_outbox.project == str(project), _outbox.kind == "reaction", _outbox.key.in_(telling))
    with bridge.database.read() as session:
        heard = set(session.execute(select(_outbox.key).where(*reactions)).scalars())
    return [each for key, each in telling.items() if key not in heard]


def _tell(bridge: Bridge, project: Project, comment: CommentFacts) -> None:
    event = Comment(
        project=project.path,
        actor=comment.author,
        actor_id=comment.author_id,
        number=comment.number,
        comment=comment.id,
        body=comment.body,
    )
    _log.info("reconcile.found", project=str(project), number=comment.number, comment=comment.id)
    tell(bridge, project, f"said:{project.path}:{comment.number}:{comment.id}", synthetic.body(event))
