"""What a REANA knows: users, workflows, their jobs. Plain values; the rules are in the other modules."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

TIME_FORMAT = "%Y-%m-%dT%H:%M:%S"


class Protocol(StrEnum):
    """Which generation of REANA's API is spoken."""

    RELEASED = "released"
    NEXT = "next"


class Status(StrEnum):
    """Of a workflow."""

    CREATED = "created"
    QUEUED = "queued"
    PENDING = "pending"
    RUNNING = "running"
    FINISHED = "finished"
    FAILED = "failed"
    STOPPED = "stopped"
    DELETED = "deleted"


ENDED = frozenset({Status.FINISHED, Status.FAILED, Status.STOPPED, Status.DELETED})
HOLDS_A_SLOT = frozenset({Status.PENDING, Status.RUNNING})
TRANSITIONS: Mapping[Status, frozenset[Status]] = {
    Status.CREATED: frozenset({Status.QUEUED, Status.DELETED}),
    Status.QUEUED: frozenset({Status.PENDING, Status.FAILED, Status.DELETED}),
    Status.PENDING: frozenset({Status.RUNNING, Status.DELETED}),
    Status.RUNNING: frozenset({Status.FINISHED, Status.FAILED, Status.STOPPED}),
    Status.FINISHED: frozenset({Status.DELETED}),
    Status.FAILED: frozenset({Status.DELETED}),
    Status.STOPPED: frozenset({Status.DELETED}),
    Status.DELETED: frozenset({Status.DELETED}),
}
"""From each status to those that may follow; a restart is a workflow of its own."""


@dataclass(frozen=True, kw_only=True)
class Secret:
    """What a user's jobs are given: `env` as a variable, `file` as a file."""

    name: str
    kind: str
    value: str


@dataclass(eq=False, kw_only=True)
class User:
    """Somebody with a token.

    Attributes:
        id: UUID.
        email: Address.
        token: What they show.
        token_revoked: Whether it stopped to count.
        cpu_limit: Milliseconds; 0 for none.
        cpu_used: Milliseconds.
        disk_limit: Bytes; 0 for none.
        disk_used: Bytes beside the workspaces that there are.
        secrets: By name.
    """

    id: str
    email: str
    token: str
    token_revoked: bool = False
    cpu_limit: int = 0
    cpu_used: int = 0
    disk_limit: int = 0
    disk_used: int = 0
    secrets: dict[str, Secret] = field(default_factory=dict[str, Secret])


@dataclass(eq=False, kw_only=True)
class Job:
    """One command of a step.

    Attributes:
        id: UUID.
        name: Of the step; may be empty.
        command: As substituted.
        image: Of the step's environment.
        compute_backend: Such as `kubernetes`.
        status: `queued`, `running`, `finished`, `failed` or `stopped`.
        logs: What the command wrote.
        started: UTC seconds since the epoch.
        finished: As above.
    """

    id: str
    name: str
    command: str
    image: str
    compute_backend: str
    status: str = "queued"
    logs: str = ""
    started: float | None = None
    finished: float | None = None


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a workflow does that only pretends to run.

    Attributes:
        pending_seconds: Before it runs; None: for ever.
        running_seconds: Until it ends; None: for ever.
        outcome: Its end.
        steps: Names of its jobs; the declared ones where empty. They end one after the other.
        files: Path and content of what it leaves.
        log: Of the engine.
        job_log: Of the last job.
    """

    pending_seconds: float | None = 0.0
    running_seconds: float | None = 0.0
    outcome: Status = Status.FINISHED
    steps: tuple[str, ...] = ()
    files: Mapping[str, bytes] = field(default_factory=dict[str, bytes])
    log: str = ""
    job_log: str = ""


@dataclass(eq=False, kw_only=True)
class Workflow:
    """One run of a workflow.

    Attributes:
        id: UUID.
        sequence: Larger for later ones.
        owner: Its user.
        name: Without the run number.
        major: First part of the run number.
        minor: Second part; 0 for the first start.
        specification: reana.yaml as JSON, with the workflow's own specification loaded.
        workspace: Its directory; restarts share it.
        created: UTC seconds since the epoch.
        status: What is true. Change it by `World.move` alone, which keeps the index.
        shown: Shown instead of `status`, when a test wants the server to say so.
        parameters: Given at the start.
        options: Given at the start.
        jobs: In order.
        total_jobs: How many there will be.
        logs: Of the engine.
        started: UTC seconds since the epoch.
        finished: As above.
        stopped: As above.
        starts: How often it began to run; more than one is REANA's error, never ours.
        retention: Days by pattern.
        files_deleted: Whether the workspace is gone.
        stopping: Set when its jobs shall end.
    """

    id: str
    sequence: int
    owner: User
    name: str
    major: int
    minor: int
    specification: dict[str, Any]
    workspace: Path
    created: float
    status: Status = Status.CREATED
    shown: str | None = None
    parameters: dict[str, Any] = field(default_factory=dict[str, Any])
    options: dict[str, Any] = field(default_factory=dict[str, Any])
    jobs: list[Job] = field(default_factory=list[Job])
    total_jobs: int = 0
    logs: str = ""
    started: float | None = None
    finished: float | None = None
    stopped: float | None = None
    starts: int = 0
    retention: dict[str, int] = field(default_factory=dict[str, int])
    files_deleted: bool = False
    stopping: threading.Event = field(default_factory=threading.Event)

    @property
    def number(self) -> str:
        """The run number, such as `1` or `1.2`."""
        return f"{self.major}.{self.minor}" if self.minor else str(self.major)

    @property
    def full_name(self) -> str:
        """Such as `fit.1`."""
        return f"{self.name}.{self.number}"

    @property
    def kind(self) -> str:
        """`serial`, `cwl`, `snakemake` or `yadage`."""
        return str(self.specification["workflow"]["type"])

    @property
    def status_shown(self) -> str:
        """What the API says."""
        return self.shown or str(self.status)
