"""The state of one fake REANA, with the indices that keep it quick. Everything is done under `lock`."""

import re
import secrets
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from reana_bridge.testing.limits import Window
from reana_bridge.testing.reana.things import (
    ENDED,
    HOLDS_A_SLOT,
    TRANSITIONS,
    Plan,
    Protocol,
    Status,
    User,
    Workflow,
)
from reana_bridge.testing.state import State

MOST_RESTARTS = 9


@dataclass(eq=False)
class Shelf:
    """One user's workflows, findable by status and by name without looking at all of them."""

    by_status: dict[Status, dict[int, Workflow]] = field(
        default_factory=lambda: {status: {} for status in Status}
    )
    by_name: dict[str, list[Workflow]] = field(default_factory=dict[str, list[Workflow]])
    shown: dict[int, Workflow] = field(default_factory=dict[int, Workflow])
    changes: int = 0
    sorted: dict[tuple[str, ...], tuple[int, list[Workflow]]] = field(
        default_factory=dict[tuple[str, ...], tuple[int, list[Workflow]]]
    )

    def with_status(self, wanted: Iterable[str]) -> list[Workflow]:
        """Workflows that show one of these statuses, oldest first; not to be changed."""
        key = tuple(sorted(set(wanted)))
        known = self.sorted.get(key)
        if known is not None and known[0] == self.changes:
            return known[1]
        found: dict[int, Workflow] = {}
        for status in key:
            there = self.by_status[Status(status)] if status in set(Status) else {}
            found |= {n: one for n, one in there.items() if one.shown is None}
        found |= {n: one for n, one in self.shown.items() if one.shown in key}
        ordered = [found[number] for number in sorted(found)]
        self.sorted[key] = (self.changes, ordered)
        return ordered


@dataclass(eq=False, kw_only=True)
class World(State):
    """Everything that a REANA knows.

    Attributes:
        protocol: Which generation of the API.
        clock_offset: Seconds that this server's clock is ahead.
        version: Such as `0.9.4`.
        most_running: How many workflows may hold a slot.
        requeue_seconds: Between two tries to find a slot.
        most_requeues: Tries, after which a queued workflow fails.
        start_seconds: The scheduler waits so long after each start.
        pending_seconds: Before a workflow that is run for real runs.
        compute_backends: Supported ones.
        most_retention_days: Of workspace files; None for no limit.
        most_bundle_bytes: Of a specification bundle.
        request_limit: Of each user; None for none.
        truncations: Downloads that end early: pattern, bytes, how often still, and whether it looks fine.
        plans: Which workflows only pretend: name pattern and plan; the last that fits counts.
        held: Names of workflows that stay pending.
        wake: Called after every change that the scheduler must see.
    """

    protocol: Protocol
    version: str
    clock_offset: float = 0.0
    most_running: int = 30
    requeue_seconds: float = 15.0
    most_requeues: int = 200
    start_seconds: float = 0.0
    pending_seconds: float = 0.0
    compute_backends: tuple[str, ...] = ("kubernetes", "htcondorcern", "slurmcern")
    most_retention_days: int | None = 3650
    most_bundle_bytes: int = 32 * 1024 * 1024
    request_limit: Window | None = None
    users: dict[str, User] = field(default_factory=dict[str, User])
    workflows: dict[str, Workflow] = field(default_factory=dict[str, Workflow])
    shelves: dict[str, Shelf] = field(default_factory=dict[str, Shelf])
    truncations: list["Truncation"] = field(default_factory=list["Truncation"])
    plans: list[tuple[re.Pattern[str], Plan]] = field(default_factory=list[tuple[re.Pattern[str], Plan]])
    held: list[re.Pattern[str]] = field(default_factory=list[re.Pattern[str]])
    slots: int = 0
    wake: Callable[[], None] = field(default=lambda: None)
    enqueue: Callable[[Workflow], None] = field(default=lambda workflow: None)
    _sequence: "count[int]" = field(default_factory=lambda: count(1))

    @property
    def now(self) -> float:
        """The server's time, in UTC seconds since the epoch."""
        return self.clock() + self.clock_offset

    def add_user(self, email: str) -> User:
        """A new user with a token."""
        user = User(id=str(uuid4()), email=email, token=secrets.token_urlsafe(16))
        self.users[user.token] = user
        self.shelves[user.id] = Shelf()
        return user

    def rotate(self, user: User) -> str:
        """Another token for the same user; the old one counts no more."""
        del self.users[user.token]
        user.token, user.token_revoked = secrets.token_urlsafe(16), False
        self.users[user.token] = user
        return user.token

    # -- workflows --

    def add(self, owner: User, name: str, specification: dict[str, Any]) -> Workflow:
        """A new workflow of this name, with the next run number."""
        runs = self.shelves[owner.id].by_name.get(name, [])
        major = max((one.major for one in runs), default=0) + 1
        identity = str(uuid4())
        workspace = self.directory / "users" / owner.id / "workflows" / identity
        workspace.mkdir(parents=True, exist_ok=True)
        return self._keep(owner, name, specification, identity, workspace, (major, 0))

    def again(self, of: Workflow, specification: dict[str, Any]) -> Workflow | None:
        """A restart: a new identity in the same workspace; None where there were too many."""
        runs = self.shelves[of.owner.id].by_name[of.name]
        minor = max(one.minor for one in runs if one.major == of.major) + 1
        if minor > MOST_RESTARTS:
            return None
        return self._keep(
            of.owner,
            of.name,
            specification,
            str(uuid4()),
            of.workspace,
            (of.major, minor),
        )

    def _keep(
        self,
        owner: User,
        name: str,
        specification: dict[str, Any],
        identity: str,
        workspace: Path,
        number: tuple[int, int],
    ) -> Workflow:
        workflow = Workflow(
            id=identity,
            sequence=next(self._sequence),
            owner=owner,
            name=name,
            major=number[0],
            minor=number[1],
            specification=specification,
            workspace=workspace,
            created=self.now,
        )
        shelf = self.shelves[owner.id]
        self.workflows[identity] = workflow
        shelf.by_status[workflow.status][workflow.sequence] = workflow
        shelf.by_name.setdefault(name, []).append(workflow)
        shelf.changes += 1
        return workflow

    def move(self, workflow: Workflow, to: Status) -> bool:
        """Change a status if that is a legal change; whether it was."""
        if to not in TRANSITIONS[workflow.status] or workflow.id not in self.workflows:
            return False
        shelf = self.shelves[workflow.owner.id]
        del shelf.by_status[workflow.status][workflow.sequence]
        shelf.by_status[to][workflow.sequence] = workflow
        shelf.changes += 1
        self.slots += (to in HOLDS_A_SLOT) - (workflow.status in HOLDS_A_SLOT)
        workflow.status = to
        if to in ENDED:
            workflow.stopping.set()
        self.wake()
        return True

    def show(self, workflow: Workflow, status: str | None) -> None:
        """Let the API say another status than the true one; None for the truth again."""
        shelf = self.shelves[workflow.owner.id]
        workflow.shown = status
        shelf.shown.pop(workflow.sequence, None)
        if status is not None:
            shelf.shown[workflow.sequence] = workflow
        shelf.changes += 1

    def delete(self, workflow: Workflow) -> bool:
        """Delete a workflow and its workspace; False while it runs."""
        if not self.move(workflow, Status.DELETED):
            return False
        workflow.files_deleted = True
        shutil.rmtree(workflow.workspace, ignore_errors=True)
        return True

    def forget(self, workflow: Workflow) -> None:
        """Know nothing of a workflow any more."""
        shelf = self.shelves[workflow.owner.id]
        self.slots -= workflow.status in HOLDS_A_SLOT
        del self.workflows[workflow.id]
        del shelf.by_status[workflow.status][workflow.sequence]
        shelf.shown.pop(workflow.sequence, None)
        shelf.by_name[workflow.name].remove(workflow)
        shelf.changes += 1
        workflow.stopping.set()
        shutil.rmtree(workflow.workspace, ignore_errors=True)
        self.wake()

    # -- finding --

    def find(self, owner: User, id_or_name: str) -> Workflow | None:
        """By UUID, by name and run number, or the last run of a name."""
        if is_uuid4(id_or_name):
            found = self.workflows.get(id_or_name)
            return found if found is not None and found.owner is owner else None
        name, dot, number = id_or_name.partition(".")
        runs = self.shelves[owner.id].by_name.get(name, [])
        if not dot:
            return max(runs, key=lambda one: (one.major, one.minor), default=None)
        return next((one for one in runs if one.number == number), None)

    def plan(self, workflow: Workflow) -> Plan | None:
        """How the workflow pretends; None where it runs for real."""
        fitting = [plan for pattern, plan in self.plans if pattern.search(workflow.full_name)]
        if fitting:
            return fitting[-1]
        return None if workflow.kind == "serial" else Plan()

    def is_held(self, workflow: Workflow) -> bool:
        """Whether the workflow stays pending."""
        return any(pattern.search(workflow.full_name) for pattern in self.held)


@dataclass(eq=False, kw_only=True)
class Truncation:
    """A download that ends early.

    Attributes:
        path: A pattern found anywhere in the file's path.
        after: Bytes that are sent.
        times: How often still.
        silent: Whether the answer ends as if it were whole; otherwise the connection is cut.
    """

    path: re.Pattern[str]
    after: int
    times: int
    silent: bool


def is_uuid4(text: str) -> bool:
    """Whether this is a UUID of version 4, which a workflow's name must not be."""
    try:
        return UUID(text, version=4).hex == text.replace("-", "")
    except ValueError:
        return False
