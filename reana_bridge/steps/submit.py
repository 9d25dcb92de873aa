"""Submit: give queued runs to their backend, as many as it, its accounts and their projects may have at once.

Promises: the name that the backend will know a run by is stored before the backend is asked, so a submission
that died half-way is found again by that name, never repeated; a run whose end is wanted is not started; of
what is paused nothing new is started.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, cast

import structlog
from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from reana_bridge.backends.base import (
    BackendError,
    BackendRefused,
    BackendUnavailable,
    CannotRestart,
    Job,
    Limits,
    RestartUnsure,
)
from reana_bridge.crashpoints import reach
from reana_bridge.forges.base import CommitGone, ForgeError, ForgeRefused, RateLimited
from reana_bridge.model.admission import Candidate, Load, admit
from reana_bridge.model.codec import to_data
from reana_bridge.model.pauses import PauseKind
from reana_bridge.model.problems import ConfigurationError, Problem
from reana_bridge.model.projects import Project
from reana_bridge.model.results import Failure
from reana_bridge.model.runs import FailureKind, RunState, Wanted
from reana_bridge.steps.bridge import Bridge
from reana_bridge.steps.limiting import hold, is_of
from reana_bridge.steps.pausing import paused
from reana_bridge.steps.reporting import analysis_of
from reana_bridge.steps.restarting import (
    UNSURE_SECONDS,
    reserve,
    restart_name,
    restart_of,
    settings_with,
)
from reana_bridge.steps.sources import placed, specification_of
from reana_bridge.steps.transitions import is_cancel_wanted, move
from reana_bridge.steps.worker import pause
from reana_bridge.store.leases import claim_of, due_rows, is_free, lock_key, take
from reana_bridge.store.tables import Run

_UNSTARTED = (RunState.QUEUED, RunState.WAITING)
_IN_FLIGHT = (RunState.SUBMITTING, RunState.RUNNING)
_log = structlog.get_logger()
_run = cast(Any, Run)


class Submit:
    """Works on runs that are `queued`, and on those that a dead process left `submitting`."""

    name = "submit"
    table: Any = Run
    mine = _run.state.in_([state.value for state in (*_UNSTARTED, RunState.SUBMITTING)])

    def __init__(self, bridge: Bridge) -> None:
        self._bridge = bridge
        unwanted = and_(_run.state.in_(_UNSTARTED), _run.wanted == Wanted.CANCEL)
        left = and_(_run.state == RunState.SUBMITTING, _run.host.in_(["", bridge.host]))
        self._old = due_rows(_run, or_(unwanted, left), order=[_run.queued_at])

    def claim(self, limit: int) -> list[Run]:
        """Runs to give up or to take up again, then new ones, as admission allows."""
        database = self._bridge.database
        with database.transaction() as session:
            rows = claim_of(database, session, Run, self._old, limit=limit)
            now, stopped = database.now(session), paused(session)
            due = (_run.due_at <= now, is_free(_run, now), *self._unpaused(stopped))
            # In one order everywhere, so that two processes cannot wait for each other's locks.
            for name in (name for name in self._bridge.backends if name not in stopped[PauseKind.BACKEND]):
                new = self._admitted(session, name, limit - len(rows), due)
                values = {"state": RunState.SUBMITTING, "backend": name, "host": self._host(name)}
                rows += take(database, session, Run, new, values=values)
        reach("submit.claimed")
        return rows

    def _unpaused(self, stopped: Mapping[PauseKind, set[str]]) -> tuple[Any, ...]:
        """The conditions that neither a run's project nor its forge is paused."""
        projects, forges = sorted(stopped[PauseKind.PROJECT]), sorted(stopped[PauseKind.FORGE])
        of_projects = (_run.project.not_in(projects),) if projects else ()
        return *of_projects, *(~is_of(_run.project, forge) for forge in forges)

    def _skip_locked(self, statement: Any) -> Any:
        return statement if self._bridge.database.is_sqlite else statement.with_for_update(skip_locked=True)

    def _host(self, backend: str) -> str:
        return self._bridge.host if self._bridge.backends[backend].kind == "local" else ""

    def _admitted(self, session: Session, backend: str, limit: int, due: Any) -> list[str]:
        if limit <= 0:
            return []
        queued = (_run.state == RunState.QUEUED, _run.wanted == Wanted.RUN, _run.backend == backend)
        if not session.execute(select(_run.id).where(*queued, *due).limit(1)).scalar_one_or_none():
            return []
        lock_key(self._bridge.database, session, f"admission:{backend}")
        held = self._held(session, backend)
        slots = min(limit, self._bridge.settings.backends[backend].concurrency - self._taken(held, backend))
        if slots <= 0:
            return []
        # No more than the slots of any project and account can be admitted.
        rank = func.row_number().over(
            partition_by=(_run.project, _run.trusted),
            order_by=(_run.priority.desc(), _run.queued_at, _run.id),
        )
        columns = (_run.id, _run.project, _run.trusted, _run.priority, _run.queued_at)
        ranked = select(*columns, rank.label("rank")).where(*queued, *due).subquery()
        found = session.execute(select(ranked).where(ranked.c.rank <= slots)).all()
        candidates = [
            Candidate(
                id=row.id,
                project=row.project,
                account=self._account(backend, row),
                priority=row.priority,
                queued_at=row.queued_at,
            )
            for row in found
        ]
        admitted = admit(candidates, self._load(held, backend, candidates), slots=slots)
        # Since they were read another process may have ended one: only what is still due is taken.
        still = select(_run.id).where(_run.id.in_(admitted), *queued, *due)
        left = set(session.execute(self._skip_locked(still)).scalars()) if admitted else set[str]()
        return [id for id in admitted if id in left]

    def _held(self, session: Session, backend: str) -> Sequence[Any]:
        """How many runs are in flight now, for each project, trust and host."""
        groups = (_run.project, _run.trusted, _run.host)
        held = select(*groups, func.count().label("runs"))
        return session.execute(
            held.where(_run.state.in_(_IN_FLIGHT), _run.backend == backend).group_by(*groups)
        ).all()

    def _taken(self, held: Sequence[Any], backend: str) -> int:
        """Slots taken now: a local backend's are those of this host."""
        return sum(row.runs for row in held if row.host == self._host(backend))

    def _account(self, backend: str, row: Any) -> str:
        """The account that runs of this project and trust go by, as the settings are now."""
        account_of = getattr(self._bridge.backends[backend], "account_of", None)
        return account_of(row.project, trusted=row.trusted) if account_of else ""

    def _load(self, held: Sequence[Any], backend: str, candidates: Sequence[Candidate]) -> Load:
        """What is in flight over all hosts, and the limits of projects and accounts."""
        projects, accounts = Counter[str](), Counter[str]()
        for row in held:
            projects[row.project] += row.runs
            accounts[self._account(backend, row)] += row.runs
        rules = {c.project: self._bridge.settings.project(Project.parse(c.project)) for c in candidates}
        return Load(
            projects=projects,
            accounts=accounts,
            project_limits={name: rule.concurrency if rule else None for name, rule in rules.items()},
            account_limits=getattr(self._bridge.backends[backend], "account_limits", {}),
        )

    def act(self, row: Run) -> None:
        """Start the run on its backend, or end it where it cannot or should not start."""
        if row.state in _UNSTARTED:
            self._move(row, RunState.CANCELLED)
            return
        # A restart that is not even asked for is no intent: its name is for others again.
        forgotten = {"backend_name": ""} if restart_of(row) and not row.backend_name else {}
        try:
            self._intend(row)
            reach("submit.intent")
            self._start(row)
        except CannotRestart as error:
            self._begin_anew(row, str(error))
        except RestartUnsure as error:
            self._look_later(row, str(error))
        except CommitGone as gone:
            self._move(row, RunState.CANCELLED, reason=str(gone))
        except ForgeRefused as refused:
            self._fail(row, FailureKind.CONFIGURATION, str(refused))
        except ConfigurationError as error:
            problems = placed(self._bridge, row, error.problems)
            self._fail(row, FailureKind.CONFIGURATION, "the workflow cannot be run as written", problems)
        except BackendRefused as refused:
            self._fail(row, FailureKind.INFRASTRUCTURE, str(refused))
        except RateLimited as limited:
            self._wait(row, limited, forgotten)
        except BackendUnavailable as error:
            self._hold_on(row, str(error), forgotten)
        except (BackendError, ForgeError) as error:
            self._again(row, str(error), forgotten)

    def _intend(self, row: Run) -> None:
        """Store the name that the backend will know the run by.

        Raises:
            CannotRestart: It cannot take up what it should.
            BackendError: Not now.
        """
        restart, name = restart_of(row), row.backend_name
        known = bool(name)
        if not known:
            name = restart_name(self._bridge, row, restart) if restart else backend_name(row)
        with self._bridge.database.transaction() as session:
            if restart and not known:
                reserve(self._bridge, session, row, name)
            move(self._bridge, session, row, RunState.SUBMITTING, backend_name=name, release=False)
        if restart and known and self._bridge.backends[row.backend].find(name) is None:
            raise CannotRestart("nobody knows whether the backend was asked to restart it")

    def _begin_anew(self, row: Run, why: str) -> None:
        """Run all of it instead of taking an earlier job up."""
        _log.warning("submit.not_restarted", run=row.id, why=why)
        before: list[str] = row.warnings or []
        warnings = [*before, f"all of it ran, since it could not be restarted: {why}"]
        settings = settings_with(row.settings, None)
        self._move(row, RunState.SUBMITTING, settings=settings, backend_name="", warnings=warnings)

    def _look_later(self, row: Run, message: str) -> None:
        """Leave a restart that may have begun alone for as long as it may take to appear."""
        with self._bridge.database.transaction() as session:
            due = self._bridge.database.now(session) + UNSURE_SECONDS
            move(self._bridge, session, row, row.state, due_at=due, activity=message)

    def _start(self, row: Run) -> None:
        bridge = self._bridge
        backend = bridge.backends[row.backend]
        if is_cancel_wanted(bridge, row.id) and backend.find(row.backend_name) is None:
            self._move(row, RunState.CANCELLED)
            return
        project = Project.parse(row.project)
        forge, cache = bridge.forges[project.forge], bridge.cache(project)
        forge.fetch(project, row.sha, cache)
        job = self._job(row)
        notices: list[str] = []
        identity = backend.submit(
            job, lambda directory: notices.extend(forge.checkout(project, row.sha, cache, directory))
        )
        reach("submit.started")
        restarted = [job.restart.sentence(row.id)] if job.restart else []
        warnings = list(dict.fromkeys([*(row.warnings or []), *restarted, *notices]))
        self._move(row, RunState.RUNNING, backend_id=identity, warnings=warnings, activity="")
        reach("submit.stored")

    def _job(self, row: Run) -> Job:
        analysis = analysis_of(row)
        limits = self._bridge.settings.limits
        specification, _ = specification_of(self._bridge, row, analysis)
        return Job(
            name=row.backend_name,
            run_id=row.id,
            sha=row.sha,
            project=row.project,
            analysis=row.analysis,
            specification=specification,
            limits=Limits(
                seconds=analysis.timeout or limits.seconds,
                cpus=limits.cpus,
                memory=limits.memory,
                disk=limits.disk,
                processes=limits.processes,
                log=limits.log,
            ),
            network=bool(analysis.network),
            trusted=row.trusted,
            restart=restart_of(row),
        )

    def _fail(self, row: Run, kind: FailureKind, message: str, problems: tuple[Problem, ...] = ()) -> None:
        failure, shown = Failure(kind=kind, message=message), to_data(problems) if problems else row.problems
        self._move(row, RunState.FAILED, failure=to_data(failure), problems=shown)

    def _wait(self, row: Run, limited: RateLimited, values: dict[str, str]) -> None:
        """Leave the forge alone as long as it asked; that is no failure and uses up no attempt."""
        with self._bridge.database.transaction() as session:
            due = hold(self._bridge, session, row.project.partition(":")[0], limited)
            why, attempt = f"the forge asks to wait: {limited}", max(0, row.attempt - 1)
            move(self._bridge, session, row, row.state, due_at=due, activity=why, attempt=attempt, **values)

    def _hold_on(self, row: Run, message: str, values: dict[str, str]) -> None:
        """Wait for the backend as long as a run may wait for its start; that uses up no budget."""
        limits = self._bridge.settings.limits
        with self._bridge.database.read() as session:
            waited = self._bridge.database.now(session) - row.queued_at
        if waited > limits.queued_seconds:
            self._fail(row, FailureKind.INFRASTRUCTURE, message)
            return
        row.attempt = min(row.attempt, limits.attempts * 3 - 1)
        self._again(row, message, values)

    def _again(self, row: Run, message: str, values: dict[str, str]) -> None:
        """Try again later; the infrastructure's failures have a budget, a deadline ends the rest."""
        if row.attempt >= self._bridge.settings.limits.attempts * 3:
            self._fail(row, FailureKind.INFRASTRUCTURE, message)
            return
        _log.warning("submit.again", run=row.id, error=message)
        with self._bridge.database.transaction() as session:
            due = self._bridge.database.now(session) + pause(row.attempt)
            kept = {"activity": message, "attempt": row.attempt}
            move(self._bridge, session, row, row.state, due_at=due, **kept, **values)

    def _move(self, row: Run, to: RunState, **values: Any) -> None:
        with self._bridge.database.transaction() as session:
            move(self._bridge, session, row, to, **values)


def backend_name(run: Run) -> str:
    """The name of this attempt on the backend: found again by it after a crash."""
    return f"rb-{run.id}-{run.run_attempt}"
