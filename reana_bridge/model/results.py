"""What a run left: step records, artifacts, metrics, environment."""

from dataclasses import dataclass, field
from enum import StrEnum

from reana_bridge.model.metrics import Metric
from reana_bridge.model.readings import Check, Unreadable
from reana_bridge.model.runs import FailureKind


class StepState(StrEnum):
    """Where one step of a workflow stands."""

    WAITING = "waiting"
    RUNNING = "running"
    FINISHED = "finished"
    FAILED = "failed"


@dataclass(frozen=True, kw_only=True)
class StepRecord:
    """One step of the workflow as it ran.

    Attributes:
        name: The step's name in the specification, or `step 3` where it has none.
        state: Where it stands.
        started_at: UTC seconds since the epoch; None before the start.
        ended_at: UTC seconds since the epoch; None before the end.
        exit_status: The failing command's exit status, negative for a signal; 0 on success.
        command: The command that runs now, or the one that failed.
        image: The container image that the specification names; empty for none.
        environment: What the step ran in, such as `container`, `system` or `fit-env (scipy 1.16)`.
        log: Name of its log among the run's logs.
    """

    name: str
    state: StepState = StepState.WAITING
    started_at: float | None = None
    ended_at: float | None = None
    exit_status: int | None = None
    command: str = ""
    image: str = ""
    environment: str = ""
    log: str = ""


@dataclass(frozen=True, kw_only=True)
class Failure:
    """Why a run failed.

    Attributes:
        kind: Whose failure it is.
        message: One sentence for a person: `exit status 1`, `used more than its 2 GiB of memory`.
        step: Name of the failing step; empty where no step failed.
        log_tail: The last lines of the failing step's log, oldest first.
        hint: What to do about it; empty where there is nothing to advise.
    """

    kind: FailureKind
    message: str
    step: str = ""
    log_tail: tuple[str, ...] = ()
    hint: str = ""


@dataclass(frozen=True, kw_only=True)
class Artifact:
    """A declared output file, kept by its content.

    Attributes:
        path: Relative to the workspace, `/` between parts, never absolute, never with `..`.
        digest: SHA-256 of the content, hexadecimal.
        size: In bytes.
    """

    path: str
    digest: str
    size: int


@dataclass(frozen=True, kw_only=True)
class Skipped:
    """A declared output that was not kept, and why."""

    path: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Resources:
    """What a run used, as far as its backend says.

    Attributes:
        job_seconds: Time of all its jobs together, which may have run side by side; None where unknown.
        cpu_seconds: Processor time; None where unknown.
        disk: Bytes in the workspace at the end; None where unknown.
    """

    job_seconds: float | None = None
    cpu_seconds: float | None = None
    disk: int | None = None


@dataclass(frozen=True, kw_only=True)
class Result:
    """What a run left.

    Attributes:
        metrics: In the order of the files that they were read from.
        checks: What the analysis itself says must hold, and whether it does.
        unreadable: Files that could not be read.
        artifacts: Sorted by path.
        skipped: Declared outputs that were not kept.
        environment: What the run ran in: name -> value, such as `python` -> `3.11.7`.
        resources: What it used.
    """

    metrics: tuple[Metric, ...] = ()
    checks: tuple[Check, ...] = ()
    unreadable: tuple[Unreadable, ...] = ()
    artifacts: tuple[Artifact, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    environment: dict[str, str] = field(default_factory=dict[str, str])
    resources: Resources = field(default_factory=Resources)
