"""A REANA for tests: `FakeReana` starts it, fills it, breaks it, and says what it knows in the end."""

import re
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from reana_bridge.testing.limits import Window
from reana_bridge.testing.reana.app import App
from reana_bridge.testing.reana.scheduling import Scheduler
from reana_bridge.testing.reana.things import Plan, Protocol, Secret, Status, User, Workflow
from reana_bridge.testing.reana.world import Truncation, World
from reana_bridge.testing.server import Fake

_CHANGEABLE = (
    *("clock_offset", "most_running", "requeue_seconds", "most_requeues", "start_seconds", "pending_seconds"),
    *("compute_backends", "most_retention_days", "most_bundle_bytes"),
)


class FakeReana(Fake[App]):
    """A REANA on a free port of the loopback interface, with its workspaces below a directory.

    It knows and forgets as long as it exists; `stop` and `start` keep everything, the address too, and
    workflows go on while nobody is answered.

    Args:
        directory: Made when absent; one for each fake.
        protocol: Which generation of the API is spoken.
        clock: UTC seconds since the epoch.
    """

    failure_body = '{"message": "Bad Gateway"}'

    def __init__(
        self,
        directory: Path,
        *,
        protocol: Protocol | str = Protocol.RELEASED,
        clock: Callable[[], float] = time.time,
    ) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        spoken = Protocol(protocol)
        version = "0.9.4" if spoken is Protocol.RELEASED else "0.95.0a7"
        self.world = World(directory=directory, protocol=spoken, clock=clock, version=version)
        self._scheduler = Scheduler(self.world)
        super().__init__(App(self.world), date_header=False)

    def __enter__(self) -> Self:
        self._scheduler.start()
        return super().__enter__()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        self._scheduler.stop()
        super().__exit__(kind, error, trace)

    def reset(self) -> None:
        """Forget everything: users, workflows and their files, rules, requests. The address stays."""
        self.start()
        self.mend()
        self.release()
        self.latency = 0.0
        world = self.world
        with world.lock:
            for workflow in list(world.workflows.values()):
                world.forget(workflow)
            fresh = World(
                directory=world.directory, protocol=world.protocol, clock=world.clock, version=world.version
            )
            for name in _CHANGEABLE:
                setattr(world, name, getattr(fresh, name))
            for known in (world.users, world.shelves, world.plans, world.requests):
                known.clear()

    # -- who there is --

    def user(self, email: str = "user@example.org") -> User:
        """A new user; `.token` is theirs."""
        with self.world.lock:
            return self.world.add_user(email)

    def rotate(self, user: User) -> str:
        """Another token for a user; the old one counts no more."""
        with self.world.lock:
            return self.world.rotate(user)

    def secret(self, user: User, name: str, value: str, *, kind: str = "env") -> None:
        """Give every job of a user a secret."""
        with self.world.lock:
            user.secrets[name] = Secret(name=name, kind=kind, value=value)

    # -- how workflows go --

    def schedule(
        self,
        *,
        most_running: int | None = None,
        requeue_seconds: float | None = None,
        most_requeues: int | None = None,
        start_seconds: float | None = None,
        pending_seconds: float | None = None,
    ) -> None:
        """Change how workflows are scheduled; see `World`."""
        with self.world.lock:
            if most_running is not None:
                self.world.most_running = most_running
            if requeue_seconds is not None:
                self.world.requeue_seconds = requeue_seconds
            if most_requeues is not None:
                self.world.most_requeues = most_requeues
            if start_seconds is not None:
                self.world.start_seconds = start_seconds
            if pending_seconds is not None:
                self.world.pending_seconds = pending_seconds
            self.world.wake()

    def pretend(self, plan: Plan | None = None, *, name: str = "") -> None:
        """Let workflows that start from now on only change their state.

        Args:
            plan: What they do; by default they finish at once.
            name: A pattern found in the name with its run number; empty for all.
        """
        with self.world.lock:
            self.world.plans.append((re.compile(name), plan or Plan()))

    def hold(self, name: str = "") -> None:
        """Keep workflows whose name has this pattern pending, until `release`."""
        with self.world.lock:
            self.world.held.append(re.compile(name))

    def release(self) -> None:
        """Let go on all that was held."""
        with self.world.lock:
            self.world.held.clear()
        self._scheduler.release()

    def add(
        self,
        user: User,
        name: str,
        *,
        specification: Mapping[str, Any] | None = None,
        status: Status | None = None,
    ) -> Workflow:
        """A workflow that nobody created by the API, such as another client's, or one of thousands.

        Args:
            user: Its owner.
            name: Without a run number.
            specification: A serial one without steps by default.
            status: None: created. Otherwise put there by lawful steps; nothing happens to it by itself.
        """
        default: dict[str, Any] = {"workflow": {"type": "serial", "specification": {"steps": []}}}
        ways = {
            Status.QUEUED: [Status.QUEUED],
            Status.PENDING: [Status.QUEUED, Status.PENDING],
            Status.DELETED: [Status.DELETED],
        }
        running = [Status.QUEUED, Status.PENDING, Status.RUNNING]
        with self.world.lock:
            made = self.world.add(user, name, dict(specification or default))
            steps = [] if status in {None, Status.CREATED} else ways.get(status or Status.CREATED, running)
            last = [status] if status is not None and steps is running and status != Status.RUNNING else []
            for step in [*steps, *last]:
                self.world.move(made, step)
            made.started = self.world.now if steps is running else None
            made.finished = self.world.now if last else None
        return made

    def finish(self, workflow: Workflow, status: Status = Status.FINISHED) -> None:
        """End a running workflow that only pretends."""
        with self.world.lock:
            workflow.finished = self.world.now
            for job in workflow.jobs:
                job.status = "finished" if status is Status.FINISHED else str(status)
            self.world.move(workflow, status)

    def show(self, workflow: Workflow, status: str | None) -> None:
        """Let the API say a status that is not true (unknown, or an earlier one); None: the truth again."""
        with self.world.lock:
            self.world.show(workflow, status)

    def delete(self, workflow: Workflow) -> None:
        """Somebody deletes a run by hand; one that runs is stopped before."""
        with self.world.lock:
            if workflow.status is Status.RUNNING:
                self.world.move(workflow, Status.STOPPED)
            self.world.delete(workflow)

    def forget(self, workflow: Workflow) -> None:
        """The server's administrator removes a run without a trace."""
        with self.world.lock:
            self.world.forget(workflow)

    # -- what goes wrong --

    def truncate(self, path: str, *, after: int, times: int = 1, silent: bool = True) -> None:
        """End downloads of single files early.

        Args:
            path: A pattern found in the file's path.
            after: Bytes that are sent.
            times: How often.
            silent: The answer ends as if it were whole; otherwise the connection is cut.
        """
        rule = Truncation(path=re.compile(path), after=after, times=times, silent=silent)
        with self.world.lock:
            self.world.truncations.append(rule)

    def limit(self, most: int = 20, seconds: float = 1.0) -> None:
        """Answer 429 to a user's requests beyond `most` in `seconds`, until `mend`."""
        with self.world.lock:
            self.world.request_limit = Window(most=most, seconds=seconds)

    def mend(self) -> None:
        """Nothing fails any more, and requests are not counted."""
        super().mend()
        with self.world.lock:
            self.world.request_limit = None
            self.world.truncations.clear()

    # -- what it knows --

    def workflows(self, name: str = "") -> list[Workflow]:
        """Runs of this name (without run number), or all, oldest first."""
        with self.world.lock:
            found = sorted(self.world.workflows.values(), key=lambda one: one.sequence)
        return [one for one in found if name in ("", one.name)]

    def workflow(self, name: str) -> Workflow:
        """The run with this name and number, or with this identity.

        Raises:
            LookupError: There is none.
        """
        for one in self.workflows():
            if name in (one.id, one.full_name):
                return one
        raise LookupError(f"the fake REANA has no workflow {name}")

    def wait(self, workflow: Workflow, *statuses: Status | str, seconds: float = 30.0) -> Workflow:
        """Wait until a workflow has one of these statuses; by default until it has ended.

        Raises:
            TimeoutError: It has none of them after `seconds`.
        """
        wanted = set(statuses) or {"finished", "failed", "stopped", "deleted"}
        deadline = time.monotonic() + seconds
        while workflow.status not in wanted:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{workflow.full_name} is {workflow.status}, not {sorted(wanted)}")
            time.sleep(0.005)
        return workflow
