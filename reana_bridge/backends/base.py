"""What a backend must be able to do, and the values that pass between it and the steps.

Every method may be called again after a crash: `submit` with a name that the backend already knows
returns the same identity and starts nothing, `cancel` and `remove` of something gone do nothing.
All methods block; steps call them from worker threads.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO, Protocol, runtime_checkable

from reana_bridge.model.restarts import Restart
from reana_bridge.model.results import Failure, Resources, StepRecord
from reana_bridge.model.specification import Specification


class BackendError(Exception):
    """The backend could not do what was asked. The infrastructure's fault: tried again later.

    The message says what happened, to which thing, and what an administrator can do.
    """


class BackendUnavailable(BackendError):
    """The backend takes nothing from us now: it is away, the token ran out, a quota is used up.

    That is no fault of the run, so it waits, up to `limits.queued_seconds`, instead of using up its budget.
    """


class RestartUnsure(BackendError):
    """Nobody knows whether the restart was begun: it is looked for by its name, and not asked for again."""


class CannotRestart(Exception):
    """The earlier job cannot be taken up, so all of it has to run anew; the message says why."""


class BackendRefused(Exception):
    """The backend will never run this job as it is (no sandbox, an image that is not allowed).

    The message is shown in the report and says what to change.
    """


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What one run may use. None means no limit.

    Attributes:
        seconds: Wall time from the start of the first step.
        cpus: Processor cores.
        memory: Bytes, all processes of the run together.
        disk: Bytes in the workspace.
        processes: Processes and threads at once.
        log: Bytes kept of each step's log (its beginning and its end).
    """

    seconds: float | None = 3600.0
    cpus: int | None = None
    memory: int | None = 4 * 1024**3
    disk: int | None = 10 * 1024**3
    processes: int | None = 1024
    log: int = 4 * 1024**2


@dataclass(frozen=True, kw_only=True)
class Job:
    """One attempt of one run, as a backend gets it.

    Attributes:
        name: Unique and stable for this attempt, letters, digits and `-` (for a restart what the backend's
            `restart_name` said); the backend finds it by this.
        run_id: The run, for the job's environment.
        sha: The commit, 40 hexadecimal digits.
        project: `forge:path`.
        analysis: The analysis' name.
        specification: What to run, with parameters put in.
        limits: What it may use.
        network: Whether the job may reach the network (the server's own loopback stays out of reach in
            a sandbox).
        trusted: False for code from a fork: never run without a sandbox.
        restart: The earlier job that it takes up; None to begin anew.
    """

    name: str
    run_id: str
    sha: str
    project: str
    analysis: str
    specification: Specification
    limits: Limits = field(default_factory=Limits)
    network: bool = False
    trusted: bool = True
    restart: Restart | None = None


class JobState(StrEnum):
    """Where a job stands, as a backend tells it."""

    QUEUED = "queued"
    RUNNING = "running"
    FINISHED = "finished"
    FAILED = "failed"
    CANCELLED = "cancelled"
    LOST = "lost"


@dataclass(frozen=True, kw_only=True)
class Observation:
    """What a backend says of one job now.

    Attributes:
        state: One of the `JobState` words; `lost` when it is gone without an end (infrastructure).
        steps: The steps so far, in order.
        activity: What it does beside steps, such as `making the snakemake environment`; empty else.
        failure: Why it failed or was lost; None otherwise.
        environment: What it ran in: name -> value.
        started_at: UTC seconds since the epoch; None before the start.
        ended_at: UTC seconds since the epoch; None before the end.
        soon: Whether it is likely to change within a minute, such as a job that is being started.
        resume: Of a lost job that can be restarted, the step to begin with (empty for the first one); None
            where another attempt begins anew.
        no_room: Of a lost job, whether nothing of it ran since there was no room for it for too long. That is
            no fault of the run, so it counts for none of its attempts.
    """

    state: JobState
    steps: tuple[StepRecord, ...] = ()
    activity: str = ""
    failure: Failure | None = None
    environment: dict[str, str] = field(default_factory=dict[str, str])
    started_at: float | None = None
    ended_at: float | None = None
    soon: bool = False
    resume: str | None = None
    no_room: bool = False


@dataclass(frozen=True, kw_only=True)
class OutputFile:
    """One file in the workspace that matches a declared output.

    Attributes:
        path: Relative to the workspace.
        size: Bytes when listed.
        problem: Why it may not be read (`a symbolic link out of the workspace`, `a FIFO`); empty if fine.
    """

    path: str
    size: int
    problem: str = ""


@dataclass(frozen=True, kw_only=True)
class Usage:
    """What an ended job takes.

    Attributes:
        identity: The job.
        size: Bytes on the disk.
        ended_at: UTC seconds since the epoch.
    """

    identity: str
    size: int
    ended_at: float


class Backend(Protocol):
    """A place where runs execute.

    It may have an attribute `further_logs` too: names of logs beside those of steps, such as the engine's.
    One whose runs belong to several accounts says by `account_of(project, trusted=...)` which account's a run
    would be (empty for none), and by `account_limits` how many runs each account may have at once. One that
    limits its requests takes by `share(pace)` what all processes have of that limit together. It may be able
    to restart ended jobs (`Restarting`), and to say what one used (`Metering`).
    """

    name: str
    kind: str

    def check(self) -> list[str]:
        """What is wrong with the set-up, one sentence each; empty when runs can be started."""
        ...

    def submit(self, job: Job, checkout: Callable[[Path], None]) -> str:
        """Start `job` unless one of its name exists; its identity on the backend.

        Args:
            job: What to run.
            checkout: Fills the directory that it is given with exactly the commit's files.

        Raises:
            BackendRefused: It will never run as it is.
            BackendError: Not now; the same call may be made again.
        """
        ...

    def find(self, name: str) -> str | None:
        """The identity of the job that was submitted under `name`; None when there is none."""
        ...

    def follow(self, identities: Sequence[str]) -> dict[str, Observation]:
        """What the backend says of each; one of which it can say nothing now is not among the keys.

        A backend that is asked over a network has an attribute `poll_bounds` too: the least and the most
        seconds between two calls. One whose runs belong to several accounts names them in `accounts`, and
        its identities begin with `ACCOUNT/`: each account is followed for itself.
        """
        ...

    def cancel(self, identity: str) -> None:
        """Ask for the end of the job; `follow` tells when it is over."""
        ...

    def outputs(self, identity: str, patterns: Sequence[str]) -> Iterator[OutputFile]:
        """The workspace's files that match any of the `patterns` (path, directory or glob), by path."""
        ...

    def read(self, identity: str, path: str) -> BinaryIO:
        """The content of one workspace file, never following a link out of the workspace.

        Raises:
            FileNotFoundError: It is gone, or may not be read.
        """
        ...

    def log(self, identity: str, step: str, offset: int = 0, limit: int = 1 << 20) -> bytes:
        """At most `limit` bytes of a step's log from `offset`; empty where there is none (yet)."""
        ...

    def usage(self) -> Sequence[Usage]:
        """What each ended job's workspace takes here, the one that ended first at the front."""
        ...

    def remove(self, identity: str) -> None:
        """Drop the workspace and everything else of an ended job."""
        ...


@runtime_checkable
class Restarting(Protocol):
    """A backend whose ended jobs can be taken up again: by `submit` of a job with a `restart`.

    That may raise `CannotRestart`, and `RestartUnsure` where it may have been begun.
    """

    def restart_name(self, identity: str) -> str:
        """The name that the next restart of an ended job will have.

        Raises:
            CannotRestart: It is gone, or still runs.
            BackendError: Not known now.
        """
        ...


@runtime_checkable
class Metering(Protocol):
    """A backend that says what an ended job used."""

    def resources(self, identity: str) -> Resources:
        """What an ended job used, as far as it is known.

        Raises:
            BackendError: Not known now.
        """
        ...
