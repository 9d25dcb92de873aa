"""The run that a decision asks for: the live one of the commit, the one with a result, or a new one.

Promises: there is one live run for each (project, analysis, commit, parameters), whichever of push and merge
request told of it first; code of a fork waits in a run of its own until somebody with rights lets it go; a
result of a fork's commit is never taken for the project's own.
"""

import hashlib
import json
from typing import Any, cast

from sqlalchemy import bindparam, case, select, update
from sqlalchemy.orm import Session

from reana_bridge.model.codec import from_data, to_data
from reana_bridge.model.decisions import AnalysisDecision, Outcome
from reana_bridge.model.problems import Problem
from reana_bridge.model.restarts import Restart
from reana_bridge.model.results import Failure
from reana_bridge.model.runs import FailureKind, RunState, Wanted
from reana_bridge.model.wants import WantKind
from reana_bridge.steps.announcing import announce
from reana_bridge.steps.bridge import Bridge
from reana_bridge.steps.deciding.again import compare_anew
from reana_bridge.steps.deciding.looked import Looked
from reana_bridge.steps.restarting import settings_with
from reana_bridge.steps.transitions import move
from reana_bridge.store.database import wake_after
from reana_bridge.store.ids import new_id
from reana_bridge.store.leases import claim
from reana_bridge.store.tables import Delivery, MergeRequestRow, Run, Want
from reana_bridge.store.upsert import upsert

_run = cast(Any, Run)
_UNSTARTED = (RunState.QUEUED, RunState.WAITING)
_EXISTING = (
    select(Run)
    .where(*(getattr(_run, name) == bindparam(name) for name in ("project", "sha", "analysis")))
    .where(_run.parameters_digest == bindparam("digest"))
    .order_by(_run.live_key.is_(None), _run.queued_at.desc(), _run.id.desc())
    .limit(1)
)


class StillEnding(Exception):
    """The commit is wanted again while its former run has not ended yet; decided when it has.

    Attributes:
        run: That run's id.
        why: Why it is to be cancelled; empty where that is wanted already.
    """

    def __init__(self, run: str, why: str = "") -> None:
        super().__init__(run)
        self.run = run
        self.why = why


class Running:
    """Finds or makes the runs of one decision.

    Args:
        bridge: Settings and database.
        session: A write transaction.
        delivery: What asks for the runs.
        looked: What was found out about it.
        newest: Whether it is still true.
    """

    def __init__(
        self, bridge: Bridge, session: Session, delivery: Delivery, looked: Looked, *, newest: bool
    ) -> None:
        self._bridge = bridge
        self._session = session
        self._delivery = delivery
        self._looked = looked
        self._newest = newest
        self._now = bridge.database.now(session)

    def analysis(self, each: AnalysisDecision) -> dict[str, Any]:
        """Do what was decided for one analysis; the decision's record of it.

        Raises:
            StillEnding: Its run is being ended.
        """
        outcome, reason, run_id = each.outcome, each.reason, ""
        if outcome in (Outcome.RUN, Outcome.NEEDS_APPROVAL) and not self._newest:
            what = self._looked.ref or "its ref"
            outcome, reason = Outcome.SKIP, f"superseded: {what} has moved on"
        elif outcome in (Outcome.RUN, Outcome.NEEDS_APPROVAL):
            outcome, reason, run_id = self._run(each)
        elif outcome is Outcome.ERROR and not (self._looked.ordered and each.parameters):
            # Parameters that somebody asked for may be wrong: that is no verdict on the commit.
            return self.broken(each.analysis, each.problems, reason)
        return {"analysis": each.analysis, "outcome": str(outcome), "reason": reason, "run": run_id}

    def broken(self, analysis: str, problems: tuple[Problem, ...], reason: str) -> dict[str, Any]:
        """A failed run, so that a wrong file is a report on the commit and not a line in our log."""
        looked = self._looked
        run = self._existing(analysis, "")
        if run is None:
            failure = Failure(kind=FailureKind.CONFIGURATION, message="the configuration is wrong")
            run = Run(
                project=str(looked.project),
                analysis=analysis,
                sha=looked.sha,
                ref=looked.ref,
                target=looked.target,
                state=RunState.FAILED,
                trusted=looked.trusted,
                merge_request=looked.number,
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

    def _run(self, each: AnalysisDecision) -> tuple[Outcome, str, str]:
        digest = parameters_digest(each.parameters) if self._looked.ordered else ""
        existing = self._usable(self._existing(each.analysis, digest), each)
        if existing is not None and existing.live_key is None and not self._runs_again(existing):
            if each.wanted_by is WantKind.MERGE_REQUEST:
                self._join(existing, each)
                self._wanted(existing, each.wanted_by)
            result = f"{each.reason}; run {existing.id} of this commit has the result"
            return Outcome.SKIP, result, existing.id
        outcome = each.outcome
        if existing is None or existing.live_key is None:
            run, reason = self._new(each, digest), each.reason
            self._session.add(run)
            self._session.flush()
            announce(self._bridge, self._session, run)
            wake_after(self._session, "submit")
        else:
            run, outcome = self._joined(existing, each)
            state = "waits for approval" if outcome is Outcome.NEEDS_APPROVAL else "is at it"
            reason = f"{each.reason}; run {existing.id} {state} already"
        self._wanted(run, each.wanted_by)
        return outcome, reason, run.id

    def _joined(self, existing: Run, each: AnalysisDecision) -> tuple[Run, Outcome]:
        """A live run that is wanted once more; whether it runs or waits for an approval."""
        self._revive(existing)
        existing.keep_superseded = existing.keep_superseded or self._keeps(each)
        self._join(existing, each)
        self._session.flush()
        if existing.state != RunState.WAITING:
            return existing, Outcome.RUN
        if each.outcome is Outcome.RUN:
            return self._release(existing, each), Outcome.RUN
        return existing, Outcome.NEEDS_APPROVAL

    def _usable(self, existing: Run | None, each: AnalysisDecision) -> Run | None:
        """A fork's run of what is the project's own commit now is taken only if it does just the same."""
        if existing is None or existing.trusted or not self._looked.trusted:
            return existing
        if existing.live_key is None:
            return None
        analysis = to_data(self._looked.analyses[each.analysis])
        before: dict[str, Any] = existing.settings or {}
        if before.get("analysis") != analysis:
            # Made by the target branch's file, and now the commit's own file counts: begin anew.
            raise StillEnding(existing.id, "superseded: the commit is on a branch of the project now")
        existing.trusted, existing.ref = True, self._looked.ref or existing.ref
        return existing

    def _release(self, run: Run, each: AnalysisDecision) -> Run:
        """Let a run that waited for approval go."""
        free = (_run.id == run.id, _run.state == RunState.WAITING.value)
        taken = claim(self._bridge.database, self._session, Run, *free, order=[_run.id], limit=1)
        if not taken:
            raise StillEnding(run.id)
        (row,) = taken
        values = {"approved_by": self._looked.let_by, "queued_at": self._now, "due_at": self._now}
        analysis = to_data(self._looked.analyses[each.analysis])
        before: dict[str, Any] = row.settings or {}
        settings = {**before, "analysis": analysis}
        move(self._bridge, self._session, row, RunState.QUEUED, settings=settings, **values)
        return row

    def _revive(self, run: Run) -> None:
        """Let a run that was to be cancelled go on, if nobody has begun to end it."""
        unstarted = (_run.state.in_([state.value for state in _UNSTARTED]), _run.lease_owner.is_(None))
        due = case((_run.state == RunState.WAITING.value, None), else_=self._now)
        again = (
            update(Run)
            .where(_run.id == run.id, _run.wanted == Wanted.CANCEL.value, *unstarted)
            .values(wanted=Wanted.RUN, reason="", due_at=due)
            .execution_options(synchronize_session=False)
        )
        fresh = select(_run.wanted).where(_run.id == run.id)
        revived: Any = self._session.execute(again)
        if not revived.rowcount and self._session.execute(fresh).scalar_one() == Wanted.CANCEL:
            raise StillEnding(run.id)
        wake_after(self._session, "submit")

    def _join(self, run: Run, each: AnalysisDecision) -> None:
        """Let a run that began for a branch be a merge request's, compared with where that leads to."""
        looked = self._looked
        if looked.number is None or not each.proposal or run.parameters_digest:
            return
        other = None
        if run.merge_request not in (None, looked.number):
            other = self._session.get(MergeRequestRow, (run.project, run.merge_request))
        if other is not None and other.open and other.sha == run.sha:
            return  # it is compared with the target of the one that came first
        run.merge_request = looked.number
        if run.ref == f"refs/heads/{looked.default_branch}":
            return  # the default branch's own history is what it is compared with
        if run.proposal and run.target == looked.target:
            return
        run.proposal, run.target = True, looked.target
        self._session.flush()
        compare_anew(self._bridge, self._session, run.id, target_sha=looked.target_sha)

    def _existing(self, analysis: str, digest: str) -> Run | None:
        """The live run of this commit, else its newest one."""
        same = {"project": str(self._looked.project), "sha": self._looked.sha, "analysis": analysis}
        return self._session.execute(_EXISTING, {**same, "digest": digest}).scalar_one_or_none()

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
        waits = each.outcome is Outcome.NEEDS_APPROVAL
        settings = {"target_sha": looked.target_sha, "baseline_sha": looked.baseline_sha}
        settings["analysis"] = to_data(analysis)
        return Run(
            project=str(looked.project),
            analysis=each.analysis,
            sha=looked.sha,
            ref=looked.ref,
            target=looked.target if each.proposal else looked.ref or looked.target,
            proposal=each.proposal,
            merge_request=looked.number,
            trusted=looked.trusted,
            approved_by=looked.let_by,
            state=RunState.WAITING if waits else RunState.QUEUED,
            parameters=dict(each.parameters) if digest else None,
            parameters_digest=digest,
            live_key=f"{looked.project}|{each.analysis}|{looked.sha}|{digest}",
            keep_superseded=self._keeps(each),
            backend=analysis.backend,
            priority=analysis.priority + (rule.priority if rule else 0),
            settings=settings_with(settings, self._restart()),
            problems=to_data(warnings),
            delivery_id=self._delivery.id,
            pushed_at=self._delivery.received_at,
            queued_at=self._now,
            due_at=None if waits else self._now,
        )

    def _restart(self) -> Restart | None:
        """What a new run takes up: never what a fork's code left, unless it is the same fork's."""
        restart = self._looked.restart
        taken = self._session.get(Run, restart.run) if restart else None
        same = taken is not None and (taken.sha, taken.trusted) == (self._looked.sha, self._looked.trusted)
        return restart if same else None

    def _keeps(self, each: AnalysisDecision) -> bool:
        """Whether the run goes on when a newer commit takes its place."""
        says = self._looked.analyses[each.analysis].cancel_superseded
        if says is not None:
            return not says
        elsewhere = self._looked.ref != f"refs/heads/{self._looked.default_branch}"
        return not (each.proposal or (each.wanted_by is WantKind.BRANCH and elsewhere))

    def _wanted(self, run: Run, kind: WantKind) -> None:
        values = {"run_id": run.id, "project": run.project, "kind": str(kind), "ref": self._looked.ref}
        upsert(
            self._bridge.database,
            self._session,
            Want,
            {"id": new_id(), "since": self._now, "ended_at": None, "ended_reason": "", **values},
            key=["run_id", "kind", "ref"],
            change=["ended_at", "ended_reason"],
        )


def parameters_digest(parameters: dict[str, Any]) -> str:
    """Names a set of parameters; empty for none, so that runs with default parameters are told apart."""
    if not parameters:
        return ""
    return hashlib.sha256(json.dumps(parameters, sort_keys=True).encode()).hexdigest()[:32]
