"""Reconcile: ask forges what they have, look at the clock, and find what nobody told us.

Each finding goes through the same door as a webhook, as a synthetic delivery: a branch that moved while
nobody listened, a schedule that is due. Besides, nothing may stay pending for ever: deadlines end here.
"""

import zlib
from collections.abc import Callable
from functools import partial
from typing import Any, cast

import structlog
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from reana_bridge.forges.base import Forge, ForgeError, ForgeRefused, RateLimited
from reana_bridge.forges.hosted import HostedForge, is_hosted
from reana_bridge.model.codec import to_data
from reana_bridge.model.decisions import schedule_due
from reana_bridge.model.orders import Order, OrderKind
from reana_bridge.model.problems import ConfigurationError
from reana_bridge.model.projects import Project
from reana_bridge.model.results import Failure
from reana_bridge.model.runs import FailureKind, RunState
from reana_bridge.steps.bridge import Bridge
from reana_bridge.steps.known import tell_id
from reana_bridge.steps.limiting import heed, hold, left_alone
from reana_bridge.steps.reconciling.comments import look_at_comments
from reana_bridge.steps.reconciling.heads import Looking, has_undecided, tell
from reana_bridge.steps.reconciling.hooks import look_at_app, look_at_hook
from reana_bridge.steps.reporting import analysis_of
from reana_bridge.steps.sources import project_file_at
from reana_bridge.steps.transitions import move
from reana_bridge.store.leases import claim, free_the_dead
from reana_bridge.store.tables import Head, ProjectRow, Run, Schedule
from reana_bridge.store.upsert import upsert

GRACE_SECONDS = 3600.0
HOOKS_EVERY = 5
"""Periods from one look at a hook to the next."""

_SHARES = 10
_ENOUGH_FAILURES = 3
DAY = 86400.0
_log = structlog.get_logger()
_run = cast(Any, Run)


class Reconcile:
    """What is looked at now and then; each method is one turn."""

    def __init__(self, bridge: Bridge) -> None:
        self._bridge = bridge
        self._looking = Looking(bridge)
        self._turns: dict[str, int] = {}
        self._met: set[Project] = set()
        self._failing: set[Project] = set()
        self._behind: set[Project] = set()
        self._app_looked: dict[str, float] = {}

    def heads(self, forge: Forge) -> None:
        """Tell of all that the forge has and did not tell, of every project."""
        if is_hosted(forge) or not has_undecided(self._bridge, forge.name):
            self._turn(forge, self._projects(forge.name), partial(self._look, hooks=True), _no_heads)

    def seconds(self, forge: Forge) -> float:
        """How often `share` wants to be called, so that every project is looked at once a period."""
        poll = self._bridge.settings.forges[forge.name].poll_seconds
        return poll / _shares(poll)

    def share(self, forge: Forge) -> None:
        """One turn: a part of the forge's projects, so that it is asked little at a time."""
        if not is_hosted(forge) and has_undecided(self._bridge, forge.name):
            return  # it tells of all pushes: the next turn looks at what this one would have
        shares = _shares(self._bridge.settings.forges[forge.name].poll_seconds)
        turn = self._turns.get(forge.name, 0)
        self._turns[forge.name] = turn + 1
        hooks = not turn or turn // shares % HOOKS_EVERY == HOOKS_EVERY - 1
        if is_hosted(forge) and hooks and turn % shares == 0:
            self._app(forge)
        projects = self._projects(forge.name)
        # The first turn catches up on all; a project that is new is looked at as soon as may be.
        due = [p for p in projects if p not in self._met or _place(p) % shares == turn % shares]
        self._met.update(projects)
        self._turn(forge, due, partial(self._look, hooks=hooks), _no_heads)

    def _app(self, forge: HostedForge) -> None:
        """Look after the one webhook that an App has for all its projects."""
        if not self._bridge.settings.forges[forge.name].app_id or self._is_left_alone(forge.name):
            return
        try:
            since = self._app_looked.get(forge.name)
            self._app_looked[forge.name] = look_at_app(self._bridge, forge, since)
        except RateLimited as limited:
            with self._bridge.database.transaction() as session:
                hold(self._bridge, session, forge.name, limited)
        except (ForgeError, ForgeRefused) as error:
            _log.warning("reconcile.app", forge=forge.name, error=str(error))

    def _turn(
        self,
        forge: Forge,
        projects: list[Project],
        look: Callable[[Forge, Project], None],
        tell_failure: Callable[[Project, Exception], None],
    ) -> None:
        """Look at one project after the other; a forge that fails or is to be left alone ends the turn."""
        failures = 0
        # What failed last time goes last, so that a few broken projects do not hide the others.
        for project in sorted(projects, key=self._failing.__contains__):
            if failures >= _ENOUGH_FAILURES or self._is_left_alone(forge.name):
                return
            try:
                look(forge, project)
                failures = 0
                self._failing.discard(project)
            except RateLimited as limited:
                with self._bridge.database.transaction() as session:
                    hold(self._bridge, session, forge.name, limited)
                return
            except ForgeError as error:
                failures += 1
                self._failing.add(project)
                tell_failure(project, error)
            except (ForgeRefused, ConfigurationError) as error:
                tell_failure(project, error)

    def _look(self, forge: Forge, project: Project, *, hooks: bool) -> None:
        if is_hosted(forge):
            tell_id(self._bridge, forge, project)
            # First, as a hook that is mended brings what it failed to bring.
            if hooks or project in self._behind:
                more = look_at_hook(self._bridge, forge, project)
                (self._behind.add if more else self._behind.discard)(project)
            self._looking.merge_requests(forge, project)
            if hooks:
                look_at_comments(self._bridge, forge, project)
            with self._bridge.database.transaction() as session:
                heed(self._bridge, session, forge.name, forge.allowance())
        self._looking.heads(forge, project)

    def _is_left_alone(self, forge: str) -> bool:
        """Whether an administrator, or the forge itself, wants nothing asked of it now."""
        with self._bridge.database.read() as session:
            return forge in left_alone(session, self._bridge.database.now(session))

    def _projects(self, forge: str) -> list[Project]:
        """The registered projects that are known by now, or that the settings name in full."""
        settings = self._bridge.settings
        with self._bridge.database.read() as session:
            names = list(session.execute(select(cast(Any, ProjectRow).name)).scalars())
        if is_hosted(self._bridge.forges[forge]):
            names += [rule.match for rule in settings.projects if _is_whole(forge, rule.match)]
        projects = [Project.parse(name) for name in dict.fromkeys(names)]
        return [p for p in projects if p.forge == forge and settings.project(p) is not None]

    def schedules(self) -> None:
        """Order the runs of all forges whose time has come."""
        for forge in self._bridge.forges.values():
            self.schedules_on(forge)

    def schedules_on(self, forge: Forge) -> None:
        """Order a forge's runs whose time has come; after a pause only the newest tick of each schedule."""
        self._turn(forge, self._projects(forge.name), self._schedules_of, _no_schedules)

    def _schedules_of(self, forge: Forge, project: Project) -> None:
        bridge = self._bridge
        rule = bridge.settings.project(project)
        branch, sha = self._default_head(forge, project)
        if rule is None or sha is None:
            return
        forge.fetch(project, sha, bridge.cache(project))
        file = project_file_at(bridge.cache(project), sha, rule.file)
        with bridge.database.transaction() as session:
            now = bridge.database.now(session)
            upsert(bridge.database, session, Schedule, {"project": str(project), "looked_at": now})
            last = session.get_one(Schedule, str(project)).looked_at
        if file is None:
            return
        for analysis, schedule, at in schedule_due(file, last=last, now=now):
            order = Order(
                kind=OrderKind.SCHEDULE,
                project=project.path,
                ref=branch,
                analysis=analysis.name,
                parameters=schedule.parameters,
                actor="schedule",
            )
            key = f"schedule:{project.path}:{analysis.name}:{schedule.cron}:{schedule.timezone}:{at}"
            tell(bridge, project, key, order.body(), kind="order")
        # After the deliveries: dying in between tells them again under the same key.
        with bridge.database.transaction() as session:
            session.get_one(Schedule, str(project)).looked_at = now

    def _default_head(self, forge: Forge, project: Project) -> tuple[str, str | None]:
        """The default branch's full ref and commit.

        Of hosted forges those that were told last: to ask for each project at every turn would be too much,
        and their heads are compared anyway.
        """
        if is_hosted(forge):
            with self._bridge.database.read() as session:
                row = session.get(ProjectRow, str(project))
                branch = f"refs/heads/{row.default_branch if row else ''}"
                head = session.get(Head, (str(project), branch))
            if head is not None and head.sha:
                return branch, head.sha
        branch = f"refs/heads/{forge.default_branch(project)}"
        return branch, forge.head(project, branch)

    def deadlines(self) -> None:
        """End what waits longer than it may, and free what dead processes of this host had claimed."""
        bridge = self._bridge
        with bridge.database.transaction() as session:
            freed = free_the_dead(bridge.database, session)
            now = bridge.database.now(session)
            oldest = now - bridge.settings.limits.queued_seconds
            waiting = (_run.state.in_([RunState.QUEUED, RunState.SUBMITTING]), _run.queued_at < oldest)
            for run in claim(bridge.database, session, Run, *waiting, order=[_run.queued_at], limit=100):
                self._give_up(session, run, "nothing could start it before its deadline")
            unapproved = (_run.state == RunState.WAITING.value, _run.queued_at < oldest)
            for run in claim(bridge.database, session, Run, *unapproved, order=[_run.queued_at], limit=100):
                _log.info("reconcile.deadline", run=run.id, state=str(run.state), why="nobody approved it")
                days = bridge.settings.limits.queued_seconds / DAY
                reason = f"nobody approved it within {days:.3g} days"
                move(bridge, session, run, RunState.CANCELLED, reason=reason)
            oldest = now - bridge.settings.limits.waiting_seconds - DAY
            since = func.coalesce(_run.backend_ended_at, _run.started_at, _run.queued_at)
            ended = _run.state.in_([RunState.COLLECTING, RunState.COMPARING]), since < oldest
            for run in claim(bridge.database, session, Run, *ended, order=[_run.queued_at], limit=100):
                self._give_up(session, run, "what it left could not be read and compared before its deadline")
            # What its backend never told to have begun may wait there as long as it might have waited here.
            began = func.coalesce(_run.started_at, _run.queued_at + bridge.settings.limits.queued_seconds)
            running = (_run.state == RunState.RUNNING, began < now - GRACE_SECONDS)
            for run in session.execute(select(Run).where(*running)).scalars().all():
                self._overdue(session, run, now)
        if freed:
            bridge.database.wake.notify_all()

    def _overdue(self, session: Session, run: Run, now: float) -> None:
        """A run whose backend or host tells nothing long after its time is over."""
        seconds = analysis_of(run).timeout or self._bridge.settings.limits.seconds
        began = run.started_at or run.queued_at + self._bridge.settings.limits.queued_seconds
        if began + seconds + GRACE_SECONDS < now:
            taken = claim(self._bridge.database, session, Run, _run.id == run.id, order=[_run.id], limit=1)
            for row in taken:
                where = f"the host {row.host}" if row.host else f"the backend {row.backend}"
                self._give_up(session, row, f"{where} has not told of it since long after its time limit")

    def _give_up(self, session: Session, run: Run, message: str) -> None:
        _log.warning("reconcile.deadline", run=run.id, state=str(run.state), why=message)
        failure = to_data(Failure(kind=FailureKind.INFRASTRUCTURE, message=message))
        move(self._bridge, session, run, RunState.FAILED, failure=failure)


def _no_heads(project: Project, error: Exception) -> None:
    _log.warning("reconcile.heads", project=str(project), error=str(error))


def _no_schedules(project: Project, error: Exception) -> None:
    _log.info("reconcile.schedules", project=str(project), error=str(error))


def _is_whole(forge: str, match: str) -> bool:
    """Whether a rule names one project of the forge, rather than a pattern of names."""
    if not match.startswith(f"{forge}:") or set(match) & set("*?["):
        return False
    try:
        Project.parse(match)
    except ValueError:
        return False
    return True


def _shares(seconds: float) -> int:
    """In how many parts a period of so many seconds is cut: turns at least a second apart."""
    return max(1, min(_SHARES, int(seconds)))


def _place(project: Project) -> int:
    return zlib.crc32(str(project).encode())
