"""One decision with all that follows from it, within one transaction.

Promises: the same delivery again finds its decision, the same wish again finds its run; what a ref or a merge
request pointed to when somebody else asked the forge later is not overwritten; a run that nobody wants any
more is asked to end.
"""

from typing import Any, cast

import structlog
from sqlalchemy import ColumnElement, String, bindparam, or_, select, update
from sqlalchemy.orm import Session

from reana_bridge.model.decisions import Decision as Judgement
from reana_bridge.model.decisions import Outcome
from reana_bridge.model.runs import RunState
from reana_bridge.model.wants import WantKind
from reana_bridge.steps.bridge import Bridge
from reana_bridge.steps.deciding.carrying import carry
from reana_bridge.steps.deciding.looked import Looked
from reana_bridge.steps.deciding.obeying import answer, obey
from reana_bridge.steps.deciding.renaming import rename
from reana_bridge.steps.deciding.running import Running
from reana_bridge.steps.known import remember_project
from reana_bridge.steps.notes import want_note
from reana_bridge.steps.reconciling.requests import columns_of
from reana_bridge.steps.transitions import request_cancel
from reana_bridge.store.leases import save
from reana_bridge.store.tables import (
    Approval,
    Decision,
    Delivery,
    Head,
    MergeRequestRow,
    Run,
    Want,
)
from reana_bridge.store.upsert import upsert

CONFIGURATION = "configuration"
"""The analysis' name in a report on a project file that cannot be read."""

_FOLLOWS = (WantKind.BRANCH, WantKind.MERGE_REQUEST, WantKind.TAG)
_log = structlog.get_logger()
_head, _run, _want = cast(Any, Head), cast(Any, Run), cast(Any, Want)
_STALE = (
    select(_want.id, _want.run_id, _run.live_key, _run.state, _run.keep_superseded)
    .join(Run, _want.run_id == _run.id)
    .where(_want.project == bindparam("project"), _want.ref == bindparam("ref"))
    .where(_want.ended_at.is_(None), _want.kind.in_(_FOLLOWS), _run.sha != bindparam("head"))
)
_END = (
    update(Want)
    .where(_want.id.in_(bindparam("ids", expanding=True, type_=String)))
    .values(ended_at=bindparam("now"), ended_reason=bindparam("reason"))
    .execution_options(synchronize_session=False)
)


def store(bridge: Bridge, session: Session, delivery: Delivery, looked: Looked) -> None:
    """Store what `looked` says of the claimed `delivery`, and give that back.

    Raises:
        StillEnding: A run is wanted again that is being ended; to be decided when it has.
        LeaseLost: Another worker has the delivery.
    """
    _Storing(bridge, session, delivery, looked).store()


class _Storing:
    def __init__(self, bridge: Bridge, session: Session, delivery: Delivery, looked: Looked) -> None:
        self._bridge = bridge
        self._session = session
        self._delivery = delivery
        self._looked = looked
        self._now = bridge.database.now(session)

    def store(self) -> None:
        """Store everything."""
        looked, judged = self._looked, self._looked.decision
        if looked.renamed_from and looked.project:
            rename(self._session, looked.renamed_from, looked.project)
        self._remember_project()
        newest = self._remember()
        carry(self._bridge, self._session, looked)
        if looked.approves:
            self._approve()
        running = Running(self._bridge, self._session, self._delivery, looked, newest=newest)
        results = [running.analysis(each) for each in judged.analyses]
        if judged.outcome is Outcome.ERROR and not judged.analyses and looked.sha and judged.problems:
            results.append(running.broken(CONFIGURATION, judged.problems, judged.reason))
        if newest and (looked.follows_ref or looked.follows_merge_request):
            self._end_wants(looked.head)
        if looked.answered:
            answer(self._bridge, self._session, self._delivery, looked)
        outcome, reason = _overall(judged, results)
        if looked.command:
            obey(self._bridge, self._session, looked, results)
        if newest and looked.follows_merge_request and looked.head and looked.number is not None:
            skipped = "" if outcome == Outcome.RUN else reason
            want_note(self._bridge, self._session, str(looked.project), looked.number, skipped=skipped)
        self._decided(outcome, reason, results)

    def _decided(self, outcome: str, reason: str, results: list[dict[str, Any]]) -> None:
        looked = self._looked
        self._session.add(
            Decision(
                delivery_id=self._delivery.id,
                decided_at=self._now,
                project=str(looked.project or ""),
                event=looked.event,
                ref=looked.ref,
                sha=looked.sha,
                actor=looked.actor,
                outcome=outcome,
                reason=reason,
                analyses=results,
            )
        )
        save(self._session, self._delivery, decided_at=self._now, due_at=None)
        _log.info(
            "decided",
            delivery=self._delivery.id,
            project=str(looked.project or ""),
            sha=looked.sha,
            outcome=outcome,
            reason=reason,
        )

    def _remember_project(self) -> None:
        project = self._looked.project
        rule = self._bridge.settings.project(project) if project else None
        if project is None or rule is None:
            return
        told = {"default_branch": self._looked.default_branch, "forge_id": self._looked.forge_id}
        remember_project(
            self._bridge,
            self._session,
            project,
            public=rule.public,
            seen_at=self._now,
            **{name: value for name, value in told.items() if value},
        )

    def _remember(self) -> bool:
        """Note what the forge said; whether nobody has been told anything else since we asked."""
        if self._looked.follows_ref:
            return self._remember_head()
        if self._looked.follows_merge_request and self._looked.number is not None:
            return self._remember_merge_request(self._looked.number)
        return not self._is_overtaken()

    def _is_overtaken(self) -> bool:
        """Whether a merge request got another head, or was closed, since a command looked at it."""
        looked = self._looked
        if looked.number is None or not looked.head:
            return False
        row = self._session.get(MergeRequestRow, (str(looked.project), looked.number))
        if row is None or row.seen_at <= looked.asked_at:
            return False
        return row.sha != looked.head or not row.open

    def _remember_head(self) -> bool:
        looked, head = self._looked, self._looked.head or ""
        return upsert(
            self._bridge.database,
            self._session,
            Head,
            {"project": str(looked.project), "ref": looked.ref, "sha": head, "seen_at": looked.asked_at},
            key=["project", "ref"],
            change=["sha", "seen_at"],
            where=_is_no_older,
        )

    def _remember_merge_request(self, number: int) -> bool:
        looked, facts = self._looked, self._looked.merge_request
        key = (str(looked.project), number)
        absent = {"ref": "", "sha": "", "source_branch": "", "source_project_id": "", "target_branch": ""}
        absent |= {"fork": False, "draft": False, "open": False, "author": "", "seen_at": 0.0}
        if facts is not None:
            row = {"project": key[0], "number": number, **absent}
            upsert(self._bridge.database, self._session, MergeRequestRow, row)
        locked = not self._bridge.database.is_sqlite
        row = self._session.get(MergeRequestRow, key, with_for_update=locked, populate_existing=True)
        if row is None:
            return True
        now = _shape(facts.sha, facts.target_branch, facts.open) if facts else _shape("", "", False)
        if row.seen_at > looked.asked_at and _shape(row.sha, row.target_branch, row.open) != now:
            return False
        row.seen_at = looked.asked_at
        if facts is None:
            row.open = False
            return True
        for name, value in columns_of(facts).items():
            setattr(row, name, value)
        self._session.flush()
        return True

    def _approve(self) -> None:
        looked = self._looked
        row = {"project": str(looked.project), "number": looked.number, "sha": looked.sha}
        row |= {"approved_by": looked.let_by, "approved_at": self._now}
        upsert(self._bridge.database, self._session, Approval, row)

    def _end_wants(self, head: str | None) -> None:
        """End what the ref wanted at other commits; cancel runs that nobody wants any more."""
        looked = self._looked
        reason = _where(looked)
        place = {"project": str(looked.project), "ref": looked.ref, "head": head or ""}
        found = self._session.execute(_STALE, place).all()
        if found:
            ended = {"ids": [want.id for want in found], "now": self._now, "reason": reason}
            self._session.execute(_END, ended)
        for want in found:
            # What has become the target's own is wanted by the push that tells so, heard or not yet.
            kept = want.state != RunState.WAITING and (want.keep_superseded or looked.merged)
            if want.live_key is not None and not kept and not self._is_wanted(want.run_id):
                request_cancel(self._bridge, self._session, want.run_id, f"superseded: {reason}")

    def _is_wanted(self, run_id: str) -> bool:
        left = select(_want.id).where(_want.run_id == run_id, _want.ended_at.is_(None)).limit(1)
        return self._session.execute(left).scalar_one_or_none() is not None


def _is_no_older(told: Any) -> ColumnElement[bool]:
    """Whether nobody has been told of another head since we asked."""
    return or_(_head.seen_at <= told.seen_at, _head.sha == told.sha)


def _shape(sha: str, target: str, is_open: bool) -> tuple[str, str, bool]:
    return sha, target, is_open


def _where(looked: Looked) -> str:
    what = looked.ref if looked.number is None else f"merge request !{looked.number}"
    if looked.head:
        return f"{what} is now at {looked.head[:7]}"
    return f"{what} is {'gone' if looked.number is None or looked.merge_request is None else 'closed'}"


def _overall(judged: Judgement, results: list[dict[str, Any]]) -> tuple[str, str]:
    """The decision's outcome after what was found while storing: a run may have a result already."""
    outcomes = {result["outcome"] for result in results}
    overtaken = bool(results) and str(judged.outcome) not in outcomes
    if overtaken and judged.outcome in (Outcome.RUN, Outcome.NEEDS_APPROVAL):
        first = next((r for r in results if r["outcome"] == Outcome.RUN), None)
        first = first or next((r for r in results if r["outcome"] == Outcome.SKIP), results[0])
        verb = "runs" if first["outcome"] == Outcome.RUN else "does not run"
        return first["outcome"], f"`{first['analysis']}` {verb}: {first['reason']}"
    return str(judged.outcome), judged.reason
