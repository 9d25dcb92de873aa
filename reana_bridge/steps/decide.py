"""Decide: what each delivery means, whether anything runs, and why; one decision a delivery.

Everything is looked up and judged first (`looking`); then one transaction stores the decision with its runs,
their wants, and what the forge must show. The same delivery again finds its decision, the same wish again
finds its run.
"""

import hashlib
import json
from typing import Any, cast

import structlog
from sqlalchemy import select, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from reana_bridge.crashpoints import reach
from reana_bridge.forges.base import ForgeError, ForgeRefused, RateLimited
from reana_bridge.model.codec import from_data, to_data
from reana_bridge.model.decisions import AnalysisDecision, Outcome
from reana_bridge.model.decisions import Decision as Judgement
from reana_bridge.model.problems import Problem
from reana_bridge.model.results import Failure
from reana_bridge.model.runs import FailureKind, RunState, Wanted
from reana_bridge.model.wants import WantKind
from reana_bridge.steps.bridge import Bridge
from reana_bridge.steps.limiting import hold, lane, step_name
from reana_bridge.steps.looking import Looked, look
from reana_bridge.steps.transitions import announce, request_cancel
from reana_bridge.steps.worker import pause
from reana_bridge.store.database import insert, wake_after
from reana_bridge.store.ids import new_id
from reana_bridge.store.leases import LeaseLost, claim, save
from reana_bridge.store.tables import Decision, Delivery, Head, ProjectRow, Run, Want

GIVE_UP_AFTER = 20
"""Attempts (about an hour) after which a delivery that cannot be decided is an error."""

_PATIENT = 5

CONFIGURATION = "configuration"
"""The analysis' name in a report on a project file that cannot be read."""

_FOLLOWS = (WantKind.BRANCH, WantKind.MERGE_REQUEST, WantKind.TAG)
_log = structlog.get_logger()
_run, _want, _delivery = cast(Any, Run), cast(Any, Want), cast(Any, Delivery)


class Decide:
    """Works on deliveries without a decision.

    Args:
        bridge: What the steps share.
        forge: Whose; `limiting.REST` for those of forges that the settings have no more, None for all.
    """

    table: Any = Delivery

    def __init__(self, bridge: Bridge, forge: str | None = None) -> None:
        self._bridge = bridge
        self._forge = forge
        self.name = step_name("decide", forge)

    def claim(self, limit: int) -> list[Delivery]:
        """The deliveries that wait longest, of forges that may be asked now."""
        database = self._bridge.database
        with database.transaction() as session:
            now = database.now(session)
            due = (_delivery.due_at <= now, _delivery.decided_at.is_(None))
            due += tuple(lane(self._bridge, session, self._forge, now, _delivery.forge))
            return claim(database, session, Delivery, *due, order=[_delivery.due_at], limit=limit)

    def act(self, row: Delivery) -> None:
        """Decide one delivery; what cannot be decided for long is decided to be an error."""
        try:
            self._decide(row)
        except (LeaseLost, OperationalError):
            raise  # nothing that the delivery could help
        except RateLimited as limited:
            self._wait(row, limited)
        except ForgeError as error:
            self._give_up(row, error, f"the forge {row.forge} did not answer {row.attempt} times: {error}")
        except Exception as error:
            what = f"{type(error).__name__}: {error}"
            self._give_up(row, error, f"it could not be decided, tried {row.attempt} times: {what}")

    def _decide(self, row: Delivery) -> None:
        try:
            looked = look(self._bridge, row)
        except ForgeRefused as refused:
            looked = _without_looking(f"the forge {row.forge} refuses: {refused}")
        reach("decide.looked")
        try:
            self._store(row, looked)
        except _StillEnding as ending:
            _log.info("decide.waits", delivery=row.id, run=str(ending))
            with self._bridge.database.transaction() as session:
                # To wait is no failure: it does not use up the attempts.
                due = self._bridge.database.now(session) + pause(row.attempt, most=15)
                save(session, row, due_at=due, attempt=min(row.attempt, _PATIENT))
        reach("decide.stored")

    def _store(self, row: Delivery, looked: Looked) -> None:
        with self._bridge.database.transaction() as session:
            _Storing(self._bridge, session, row, looked).store()

    def _wait(self, row: Delivery, limited: RateLimited) -> None:
        """Leave the forge alone as long as it asked; that is no failure and uses up no attempt."""
        with self._bridge.database.transaction() as session:
            until = hold(self._bridge, session, row.forge, limited)
            save(session, row, due_at=until, attempt=min(row.attempt, _PATIENT))

    def _give_up(self, row: Delivery, error: Exception, reason: str) -> None:
        if row.attempt < GIVE_UP_AFTER:
            raise error
        _log.error("decide.gave_up", delivery=row.id, reason=reason)
        self._store(row, _without_looking(reason))


class _StillEnding(Exception):
    """The commit is wanted again while its cancelled run has not ended yet; decided when it has."""


def _without_looking(reason: str) -> Looked:
    storable = reason.encode("utf-8", "backslashreplace").decode("utf-8").replace("\x00", "\\x00")
    return Looked(event="unknown", decision=Judgement(outcome=Outcome.ERROR, reason=storable))


class _Storing:
    """One decision with all that follows from it, within one transaction."""

    def __init__(self, bridge: Bridge, session: Session, delivery: Delivery, looked: Looked) -> None:
        self._bridge = bridge
        self._session = session
        self._delivery = delivery
        self._looked = looked
        self._now = bridge.database.now(session)

    def store(self) -> None:
        """Store everything."""
        looked, judged = self._looked, self._looked.decision
        self._remember_project()
        newest = self._remember_head() if looked.follows_ref else True
        results = [self._analysis(each, newest) for each in judged.analyses]
        if judged.outcome is Outcome.ERROR and not judged.analyses and looked.sha and judged.problems:
            results.append(self._broken(CONFIGURATION, judged.problems, judged.reason))
        if looked.follows_ref and newest:
            self._end_wants(looked.head)
        outcome, reason = _overall(judged, results)
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
        values: dict[str, Any] = {"public": rule.public, "seen_at": self._now}
        if self._looked.default_branch:
            values["default_branch"] = self._looked.default_branch
        fresh = {"name": str(project), "default_branch": "", "key_generation": 1, "paused": "", **values}
        statement = insert(self._bridge.database, ProjectRow).values(fresh)
        self._session.execute(statement.on_conflict_do_update(index_elements=["name"], set_=values))

    def _remember_head(self) -> bool:
        """Note where the ref is; whether nobody has seen it elsewhere since we asked."""
        looked = self._looked
        identity = {"project": str(looked.project), "ref": looked.ref}
        statement = insert(self._bridge.database, Head).values(**identity, sha="", seen_at=0.0)
        self._session.execute(statement.on_conflict_do_nothing())
        locked = not self._bridge.database.is_sqlite
        head = self._session.get_one(Head, (identity["project"], looked.ref), with_for_update=locked)
        if head.seen_at > looked.asked_at and head.sha != (looked.head or ""):
            return False
        head.sha, head.seen_at = looked.head or "", looked.asked_at
        return True

    def _analysis(self, each: AnalysisDecision, newest: bool) -> dict[str, Any]:
        outcome, reason, run_id = each.outcome, each.reason, ""
        if outcome is Outcome.RUN and not newest:
            outcome, reason = Outcome.SKIP, f"superseded: {self._looked.ref} has moved on"
        elif outcome is Outcome.RUN:
            outcome, reason, run_id = self._run(each)
        elif outcome is Outcome.ERROR and not (self._looked.ordered and each.parameters):
            # Parameters that somebody asked for may be wrong: that is no verdict on the commit.
            return self._broken(each.analysis, each.problems, reason)
        return {"analysis": each.analysis, "outcome": str(outcome), "reason": reason, "run": run_id}

    def _run(self, each: AnalysisDecision) -> tuple[Outcome, str, str]:
        """The run that the decision asks for: the live one, the one with a result, or a new one."""
        digest = parameters_digest(each.parameters) if self._looked.ordered else ""
        existing = self._existing(each.analysis, digest)
        if existing is not None and existing.live_key is None and not self._runs_again(existing):
            return (
                Outcome.SKIP,
                f"{each.reason}; run {existing.id} of this commit has the result",
                existing.id,
            )
        if existing is None or existing.live_key is None:
            run = self._new(each, digest)
            self._session.add(run)
            self._session.flush()
            announce(self._bridge, self._session, run)
            wake_after(self._session, "submit")
            reason = each.reason
        else:
            self._revive(existing)
            run, reason = existing, f"{each.reason}; run {existing.id} is at it already"
            run.keep_superseded = run.keep_superseded or self._keeps(each)
        self._wanted(run, each.wanted_by)
        return Outcome.RUN, reason, run.id

    def _revive(self, run: Run) -> None:
        """Let a run that was to be cancelled go on, if nobody has begun to end it."""
        unstarted = (_run.state == RunState.QUEUED, _run.lease_owner.is_(None))
        again = (
            update(Run)
            .where(_run.id == run.id, _run.wanted == Wanted.CANCEL, *unstarted)
            .values(wanted=Wanted.RUN, reason="", due_at=self._now)
            .execution_options(synchronize_session=False)
        )
        fresh = select(_run.wanted).where(_run.id == run.id)
        revived: Any = self._session.execute(again)
        if not revived.rowcount and self._session.execute(fresh).scalar_one() == Wanted.CANCEL:
            raise _StillEnding(run.id)
        wake_after(self._session, "submit")

    def _existing(self, analysis: str, digest: str) -> Run | None:
        """The live run of this commit, else its newest one."""
        same = select(Run).where(
            _run.project == str(self._looked.project),
            _run.analysis == analysis,
            _run.sha == self._looked.sha,
            _run.parameters_digest == digest,
        )
        ordered = same.order_by(_run.live_key.is_(None), _run.queued_at.desc()).limit(1)
        return self._session.execute(ordered).scalar_one_or_none()

    def _runs_again(self, run: Run) -> bool:
        """Whether a run that ended does not count: somebody asks anew, or it did not get to a result."""
        if self._looked.again or run.state == RunState.CANCELLED:
            return True
        failure = from_data(Failure, run.failure) if run.failure else None
        return failure is not None and failure.kind is FailureKind.INFRASTRUCTURE

    def _new(self, each: AnalysisDecision, digest: str) -> Run:
        looked = self._looked
        analysis = looked.analyses[each.analysis]
        rule = self._bridge.settings.project(looked.project) if looked.project else None
        warnings = [*looked.decision.problems, *each.problems]
        return Run(
            project=str(looked.project),
            analysis=each.analysis,
            sha=looked.sha,
            ref=looked.ref,
            target=looked.target if each.proposal else looked.ref or looked.target,
            proposal=each.proposal,
            parameters=dict(each.parameters) if digest else None,
            parameters_digest=digest,
            live_key=f"{looked.project}|{each.analysis}|{looked.sha}|{digest}",
            keep_superseded=self._keeps(each),
            backend=analysis.backend,
            priority=analysis.priority + (rule.priority if rule else 0),
            settings={
                "analysis": to_data(analysis),
                "target_sha": looked.target_sha,
                "baseline_sha": looked.baseline_sha,
            },
            problems=to_data(warnings),
            delivery_id=self._delivery.id,
            pushed_at=self._delivery.received_at,
            queued_at=self._now,
            due_at=self._now,
        )

    def _keeps(self, each: AnalysisDecision) -> bool:
        """Whether the run goes on when a newer commit takes its place."""
        says = self._looked.analyses[each.analysis].cancel_superseded
        return not (each.proposal if says is None else says)

    def _wanted(self, run: Run, kind: WantKind) -> None:
        values = {"run_id": run.id, "project": run.project, "kind": str(kind), "ref": self._looked.ref}
        statement = insert(self._bridge.database, Want).values(
            id=new_id(), since=self._now, ended_reason="", **values
        )
        again = {"ended_at": None, "ended_reason": ""}
        self._session.execute(
            statement.on_conflict_do_update(index_elements=["run_id", "kind", "ref"], set_=again)
        )

    def _end_wants(self, head: str | None) -> None:
        """End what the ref wanted at other commits; cancel runs that nobody wants any more."""
        where = f"is now at {head[:7]}" if head else "is gone"
        reason = f"{self._looked.ref} {where}"
        stale = (
            select(Want, Run)
            .join(Run, _want.run_id == _run.id)
            .where(_want.project == str(self._looked.project), _want.ref == self._looked.ref)
            .where(_want.ended_at.is_(None), _want.kind.in_(_FOLLOWS), _run.sha != (head or ""))
        )
        for want, run in self._session.execute(stale).all():
            want.ended_at, want.ended_reason = self._now, reason
            self._session.flush()
            if run.live_key is not None and not run.keep_superseded and not self._is_wanted(run.id):
                request_cancel(self._bridge, self._session, run.id, f"superseded: {reason}")

    def _is_wanted(self, run_id: str) -> bool:
        left = select(_want.id).where(_want.run_id == run_id, _want.ended_at.is_(None)).limit(1)
        return self._session.execute(left).scalar_one_or_none() is not None

    def _broken(self, analysis: str, problems: tuple[Problem, ...], reason: str) -> dict[str, Any]:
        """A failed run, so that a wrong file is a report on the commit and not a line in our log."""
        looked = self._looked
        existing = self._existing(analysis, "")
        run = existing
        if run is None:
            failure = Failure(kind=FailureKind.CONFIGURATION, message="the configuration is wrong")
            run = Run(
                project=str(looked.project),
                analysis=analysis,
                sha=looked.sha,
                ref=looked.ref,
                target=looked.target,
                state=RunState.FAILED,
                failure=to_data(failure),
                problems=to_data(problems),
                delivery_id=self._delivery.id,
                pushed_at=self._delivery.received_at,
                queued_at=self._now,
                ended_at=self._now,
            )
            self._session.add(run)
            self._session.flush()
            announce(self._bridge, self._session, run)
        return {"analysis": analysis, "outcome": str(Outcome.ERROR), "reason": reason, "run": run.id}


def parameters_digest(parameters: dict[str, Any]) -> str:
    """Names a set of parameters; empty for none, so that runs with default parameters are told apart."""
    if not parameters:
        return ""
    return hashlib.sha256(json.dumps(parameters, sort_keys=True).encode()).hexdigest()[:32]


def _overall(judged: Judgement, results: list[dict[str, Any]]) -> tuple[str, str]:
    """The decision's outcome after what was found while storing: a run may have a result already."""
    outcomes = {result["outcome"] for result in results}
    if judged.outcome is Outcome.RUN and str(Outcome.RUN) not in outcomes:
        first = next((r for r in results if r["outcome"] == Outcome.SKIP), results[0])
        return first["outcome"], f"`{first['analysis']}` does not run: {first['reason']}"
    return str(judged.outcome), judged.reason
