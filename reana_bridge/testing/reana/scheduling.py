"""The scheduler: queued workflows get a slot in order, or fail after too many tries; some only pretend.

One thread does all that happens by time. It sleeps until the next thing is due, and looks at as few
workflows as it can, so that ten thousand may wait.
"""

import heapq
import threading
import time
from collections import deque
from collections.abc import Callable
from itertools import count
from uuid import uuid4

from reana_bridge.testing.reana.api import Refused
from reana_bridge.testing.reana.checking import commands_of, serial_steps
from reana_bridge.testing.reana.running import ENGINE, Runner
from reana_bridge.testing.reana.things import ENDED, Job, Plan, Status, Workflow
from reana_bridge.testing.reana.world import World


class Scheduler:
    """Moves workflows on; `start` and `stop` it once."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._runner = Runner(world)
        self._changed = threading.Condition(world.lock)
        self._queue: deque[tuple[Workflow, float]] = deque()
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = count()
        self._held: list[Workflow] = []
        self._next_start = 0.0
        self._closing = False
        self._thread = threading.Thread(target=self._work, name="fake-reana-scheduler", daemon=True)
        world.wake = self._wake
        world.enqueue = self._enqueue

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End, and kill every job."""
        with self._changed:
            self._closing = True
            for workflow in self._world.workflows.values():
                workflow.stopping.set()
            self._changed.notify_all()
        self._thread.join()
        self._runner.wait()

    def release(self) -> None:
        """Let go on what was held in pending."""
        with self._changed:
            held, self._held = self._held, []
            for workflow in held:
                self._begin(workflow)
            self._changed.notify_all()

    def _wake(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def _enqueue(self, workflow: Workflow) -> None:
        with self._changed:
            self._queue.append((workflow, time.monotonic()))
            self._changed.notify_all()

    def _later(self, seconds: float, action: Callable[[], None]) -> None:
        heapq.heappush(self._due, (time.monotonic() + seconds, next(self._numbers), action))

    # -- the thread --

    def _work(self) -> None:
        with self._changed:
            while not self._closing:
                now = time.monotonic()
                while self._due and self._due[0][0] <= now:
                    heapq.heappop(self._due)[2]()
                self._schedule(now)
                self._changed.wait(self._rest(now))

    def _schedule(self, now: float) -> None:
        """Give slots to the first in the queue, and fail those that waited for too long."""
        world = self._world
        patience = world.requeue_seconds * world.most_requeues
        while self._queue:
            workflow, since = self._queue[0]
            free = world.slots < world.most_running and now >= self._next_start
            if workflow.status is not Status.QUEUED:
                self._queue.popleft()
            elif free:
                self._queue.popleft()
                self._next_start = now + world.start_seconds
                world.move(workflow, Status.PENDING)
                self._begin(workflow)
            elif world.slots >= world.most_running and now >= since + patience:
                self._queue.popleft()
                text = f"failed to schedule after {world.most_requeues} retries. Giving up."
                workflow.logs = f"Workflow {workflow.id} {text}"
                world.move(workflow, Status.FAILED)
            else:
                return

    def _rest(self, now: float) -> float | None:
        """Seconds until something is due; None where nothing is."""
        due = [self._due[0][0]] if self._due else []
        if self._queue:
            world = self._world
            due.append(self._queue[0][1] + world.requeue_seconds * world.most_requeues)
            if world.slots < world.most_running:
                due.append(self._next_start)
        return max(0.0, min(due) - now) if due else None

    def _begin(self, workflow: Workflow) -> None:
        """A pending workflow: run it, pretend to, or let it hang."""
        if workflow.status is not Status.PENDING:
            return
        if self._world.is_held(workflow):
            self._held.append(workflow)
            return
        plan = self._world.plan(workflow)
        if plan is not None:
            if plan.pending_seconds is not None:
                self._later(plan.pending_seconds, lambda: self._pretend(workflow, plan))
            return
        try:
            commands = commands_of(workflow)
        except (KeyError, ValueError, TypeError, AttributeError) as error:
            # The engine dies on it and nobody is told: the workflow keeps its slot and its status.
            workflow.logs = f"{ENGINE} | ERROR | {type(error).__name__}: {error}\n"
            return
        self._runner.start(workflow, commands)

    # -- workflows that only pretend --

    def _pretend(self, workflow: Workflow, plan: Plan) -> None:
        world = self._world
        if not world.move(workflow, Status.RUNNING):
            return
        names = plan.steps or _names(workflow)
        workflow.starts += 1
        workflow.started, workflow.total_jobs = world.now, len(names)
        workflow.logs = plan.log
        if names:
            self._step(workflow, plan, names, 0)
        elif plan.running_seconds is not None:
            self._later(plan.running_seconds, lambda: self._end(workflow, plan))

    def _step(self, workflow: Workflow, plan: Plan, names: tuple[str, ...], place: int) -> None:
        """End the job before this place, begin the one at it, and come again."""
        if workflow.status is not Status.RUNNING:
            return
        now = self._world.now
        if place:
            workflow.jobs[-1].status, workflow.jobs[-1].finished = "finished", now
        if place == len(names):
            self._end(workflow, plan)
            return
        job = Job(id=str(uuid4()), name=names[place], command="", image="", compute_backend="kubernetes")
        job.status, job.started = "running", now
        workflow.jobs.append(job)
        if plan.running_seconds is not None:
            seconds = plan.running_seconds / len(names)
            self._later(seconds, lambda: self._step(workflow, plan, names, place + 1))

    def _end(self, workflow: Workflow, plan: Plan) -> None:
        if plan.outcome not in ENDED:
            raise ValueError(f"a plan cannot end as {plan.outcome}")
        if workflow.status is not Status.RUNNING:
            return
        for name, content in plan.files.items():
            path = workflow.workspace / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        if workflow.jobs:
            last = workflow.jobs[-1]
            last.status = "finished" if plan.outcome is Status.FINISHED else str(plan.outcome)
            last.logs = plan.job_log
        workflow.finished = self._world.now
        self._world.move(workflow, plan.outcome)


def _names(workflow: Workflow) -> tuple[str, ...]:
    """Of the jobs that a workflow would have."""
    if workflow.kind != "serial":
        return (workflow.kind,)
    try:
        steps = serial_steps(workflow.specification)
    except Refused:
        return ()
    return tuple(
        str(step.get("name") or "") for step in steps for _ in range(len(step.get("commands") or [""]))
    )
