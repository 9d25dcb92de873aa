"""Following one account's workflows: a page of a list tells of hundreds, only what ended is asked for alone.

Promises: a status that is not known, or that goes back, changes nothing; what cannot be said now is left out;
a workflow that waits or runs for too long is ended here, and told as that.
"""

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from itertools import islice

import structlog

from reana_bridge.backends.base import JobState, Observation
from reana_bridge.backends.reana import names
from reana_bridge.backends.reana.calls import Calls, by_name
from reana_bridge.backends.reana.ending import failure_of, never_had_room
from reana_bridge.backends.reana.errors import Away, NotAccepted, NotThere, ReanaError
from reana_bridge.backends.reana.layout import Group, Layout, groups, layout_of, records, while_running
from reana_bridge.backends.reana.restart import resume_at
from reana_bridge.backends.reana.settings import ReanaSettings
from reana_bridge.backends.reana.values import ENDED, LIVE, Logs, Workflow
from reana_bridge.model.results import Failure
from reana_bridge.model.runs import FailureKind

_SECONDS = 8.0
"""One look takes no longer by much: what is left is looked at in the next one."""
_LIVE_PAGES = 100
_ENDED_PAGES = 4
_FEW = 2
_LAYOUTS = 40
_GAP_SECONDS = 60.0
"""When the server says nothing for longer than this between two looks, that counts for no deadline."""

_LOG_TRIES = 5
_log = structlog.get_logger()


class Follower:
    """Looks at the workflows of one account. Used by one thread at a time.

    Args:
        calls: Of the account.
        settings: How this REANA is used.
        environment: What results say of it: name -> value.
        ended: Told of the logs of each workflow that has ended.
        clock: Seconds, monotonic.
        now: UTC seconds since the epoch.
    """

    def __init__(
        self,
        calls: Calls,
        settings: ReanaSettings,
        environment: Callable[[], dict[str, str]],
        *,
        ended: Callable[[str, Layout, Logs], None] = lambda workflow, layout, logs: None,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._calls = calls
        self._settings = settings
        self._environment = environment
        self._tell_ended = ended
        self._clock = clock
        self._now = now
        self._last: dict[str, Observation] = {}
        self._pending: dict[str, float] = {}
        self._looked_at = clock()
        self._layouts: dict[str, Layout] = {}
        self._no_logs: dict[str, int] = {}
        self._lock = threading.Lock()

    def learn(self, workflow: str, layout: Layout) -> None:
        """Remember the steps of a workflow that was just submitted."""
        with self._lock:
            self._layouts[workflow] = layout

    def look(self, workflows: Sequence[str]) -> dict[str, Observation]:
        """What the server says of each workflow; those of which nothing can be said now are left out.

        Raises:
            ReanaError: It says nothing of any.
        """
        until = self._clock() + _SECONDS
        wanted = set(workflows)
        self._forget(wanted)
        found = {one.id: one for one in self._listed(LIVE, wanted, most=_LIVE_PAGES)}
        self._forgive()
        self._layouts_of(found.values(), until)
        seen = {identity: self._alone(one) for identity, one in found.items()}
        missing = wanted - found.keys()
        if len(missing) > _FEW:
            for one in self._listed((*ENDED, "deleted"), missing, most=_ENDED_PAGES):
                if self._clock() < until:
                    seen[one.id] = self._alone(one)
        for identity in sorted(missing - seen.keys()):
            if self._clock() > until:
                break
            seen[identity] = self._by_id(identity)
        answers = {identity: told for identity, told in seen.items() if told is not None}
        self._last |= answers
        return answers

    def _forget(self, wanted: set[str]) -> None:
        for known in (self._last, self._pending, self._no_logs):
            for identity in known.keys() - wanted:
                del known[identity]
        with self._lock:
            # Some were submitted, but not yet stored: kept while there are not too many.
            unknown = [identity for identity in self._layouts if identity not in wanted]
            for identity in unknown[: max(0, len(unknown) - 1000)]:
                del self._layouts[identity]

    def _forgive(self) -> None:
        """While the server was away nothing could go on there that we would have seen."""
        now = self._clock()
        gap = now - self._looked_at
        self._looked_at = now
        if gap > max(_GAP_SECONDS, 2 * self._settings.poll[1]):
            self._pending = {identity: since + gap for identity, since in self._pending.items()}

    def _listed(self, statuses: Iterable[str], wanted: set[str], *, most: int) -> list[Workflow]:
        """Those of `wanted` that are in the list of these statuses."""
        query = [("status", status) for status in statuses]
        query += [("include_progress", "true"), by_name(names.mark(self._settings.tag))]
        left, found = set(wanted), dict[str, Workflow]()
        if not left:
            return []
        for page in self._calls.pages(query, size=self._settings.page, most=most, what="list the runs"):
            for one in page:
                if one.id in left:
                    left.discard(one.id)
                    found[one.id] = one
            if not left:
                break
        return list(found.values())

    def _by_id(self, identity: str) -> Observation | None:
        try:
            one = self._calls.status(identity)
        except NotThere:
            return _lost("REANA does not know the workflow any more")
        except (Away, NotAccepted):
            raise
        except ReanaError as error:
            _log.warning("reana.status", workflow=identity, error=str(error))
            return None
        return self._alone(one)

    def _alone(self, one: Workflow) -> Observation | None:
        """What goes wrong with one workflow holds up no other."""
        try:
            return self._observed(one)
        except (Away, NotAccepted):
            raise
        except ReanaError as error:
            _log.warning("reana.follow", workflow=one.id, error=str(error))
            return None

    # -- what a status means --

    def _observed(self, one: Workflow) -> Observation | None:
        if one.status != "pending":
            self._pending.pop(one.id, None)
        if one.status in ("created", "queued"):
            return self._queued(one)
        if one.status == "pending":
            return self._starting(one)
        if one.status == "running":
            return self._running(one)
        if one.status == "deleted":
            return self._deleted(one)
        if one.status in ENDED:
            return self._ended(one)
        return self._last.get(one.id)

    def _queued(self, one: Workflow) -> Observation | None:
        if self._has_run(one):
            return self._last.get(one.id)
        limit = self._settings.queued_seconds
        if one.created_at is not None and self._server_now() - one.created_at > limit:
            why = f"it stood in REANA's queue for more than {_shown(limit)}"
            return replace(self._given_up(one, why), no_room=True)
        return Observation(state=JobState.QUEUED, activity="in REANA's queue")

    def _starting(self, one: Workflow) -> Observation | None:
        if self._has_run(one):
            return self._last.get(one.id)
        limit = self._settings.pending_seconds
        since = self._pending.setdefault(one.id, self._clock())
        if self._clock() - since > limit:
            return self._given_up(
                one, f"REANA did not bring it from pending to running within {_shown(limit)}"
            )
        return Observation(state=JobState.QUEUED, activity="REANA is starting it", soon=True)

    def _has_run(self, one: Workflow) -> bool:
        """Whether it ran already: a status that goes back means nothing."""
        before = self._last.get(one.id)
        seen = before is not None and before.state == JobState.RUNNING
        return seen or one.progress.started_at is not None

    def _given_up(self, one: Workflow, why: str) -> Observation:
        self._calls.delete(one.id)
        return _lost(why)

    def _running(self, one: Workflow) -> Observation | None:
        started, limit = one.progress.started_at, self._limit(one)
        if started is not None and limit is not None and self._server_now() - started > limit:
            try:
                self._calls.stop(one.id)
            except ReanaError as error:
                if error.status != 409:  # it ended by itself in the meantime
                    raise
        layout = self._layouts.get(one.id)
        if layout is None:  # what another process told of its steps stands until they are known here
            return self._last.get(one.id)
        if len(one.number) > 1:  # what a restart left out is told by its number of jobs only
            layout = layout.ending(one.progress.total)
        return Observation(
            state=JobState.RUNNING,
            steps=while_running(layout, one.progress),
            environment=self._environment(),
            started_at=self._ours(started),
        )

    def _deleted(self, one: Workflow) -> Observation:
        created, started = one.created_at, one.progress.started_at
        least = min(self._settings.queued_seconds, self._settings.pending_seconds)
        waited = created is not None and self._server_now() - created > least
        if started is None and waited:  # given up here, by a process that died before it could say so
            return _lost("REANA did not start it in time")
        activity = "deleted on REANA"
        return Observation(state=JobState.CANCELLED, activity=activity, started_at=self._ours(started))

    def _ended(self, one: Workflow) -> Observation | None:
        logs = self._logs(one.id)
        if logs is None:
            return None
        layout = self._layout(one.id).since(logs.jobs)
        self._tell_ended(one.id, layout, logs)
        steps = groups(layout, logs.jobs)
        progress = one.progress
        failure, resume = None, None
        state = {"finished": JobState.FINISHED, "failed": JobState.FAILED}.get(one.status, JobState.CANCELLED)
        if one.status == "failed":
            failure = failure_of(logs, steps)
            if failure.kind == FailureKind.INFRASTRUCTURE:
                state = JobState.LOST
                resume = resume_at(steps, failure.step) if self._layout(one.id).names else None
        elif one.status == "stopped" and self._over(one):
            limit = self._limit(one) or 0.0
            message = f"ran longer than its {_shown(limit)}, and was stopped"
            failure = Failure(kind=FailureKind.LIMIT, message=message, step=_unfinished(steps))
            state = JobState.FAILED
        return Observation(
            state=state,
            steps=records(steps, self._ours),
            failure=failure,
            environment=self._environment(),
            started_at=self._ours(progress.started_at),
            ended_at=self._ours(progress.ended_at) or self._now(),
            resume=resume,
            no_room=state == JobState.LOST and never_had_room(logs, steps),
        )

    def _over(self, one: Workflow) -> bool:
        limit, started, ended = self._limit(one), one.progress.started_at, one.progress.ended_at
        if limit is None or started is None or ended is None:
            return False
        return ended - started >= limit

    def _logs(self, identity: str) -> Logs | None:
        """Its logs; None while there is hope for them, none at all when there is no more."""
        try:
            return self._calls.logs(identity)
        except (Away, NotAccepted):
            raise
        except ReanaError as error:
            tries = self._no_logs[identity] = self._no_logs.get(identity, 0) + 1
            _log.warning("reana.logs", workflow=identity, tries=tries, error=str(error))
            return None if tries < _LOG_TRIES else Logs()

    # -- its steps --

    def _layouts_of(self, found: Iterable[Workflow], until: float) -> None:
        """Learn the steps of some that another process submitted, so that no look asks for too many."""
        unknown = (one for one in found if one.status == "running" and one.id not in self._layouts)
        for one in islice(unknown, _LAYOUTS):
            if self._clock() < until:
                self._layout(one.id)

    def _layout(self, identity: str) -> Layout:
        if identity not in self._layouts:
            try:
                layout = layout_of(self._calls.specification(identity))
            except (Away, NotAccepted):
                raise
            except ReanaError as error:
                _log.warning("reana.specification", workflow=identity, error=str(error))
                layout = Layout()
            self.learn(identity, layout)
        return self._layouts[identity]

    # -- time --

    def _limit(self, one: Workflow) -> float | None:
        said = names.parse(one.name)
        return said.limit if said else None

    def _server_now(self) -> float:
        return self._now() + self._calls.client.voice.offset

    def _ours(self, seconds: float | None) -> float | None:
        return None if seconds is None else seconds - self._calls.client.voice.offset


def _unfinished(steps: Sequence[Group]) -> str:
    """The step that was at work."""
    return next((g.name for g in steps if any(job.status != "finished" for job in g.jobs)), "")


def _lost(why: str) -> Observation:
    failure = Failure(kind=FailureKind.INFRASTRUCTURE, message=why)
    return Observation(state=JobState.LOST, failure=failure)


def _shown(seconds: float) -> str:
    for size, unit in ((3600, "h"), (60, "min")):
        if seconds >= size and seconds % size == 0:
            return f"{seconds / size:g} {unit}"
    return f"{seconds:g} s"
