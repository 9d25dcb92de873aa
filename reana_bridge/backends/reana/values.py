"""What the server's answers say, as values; what is missing or odd in them is left out, never guessed."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, cast

LIVE = ("queued", "pending", "running")
ENDED = ("finished", "failed", "stopped")


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far a workflow is.

    Attributes:
        total: Jobs that there will be, as far as the engine knows.
        finished: Jobs.
        running: Jobs.
        failed: Jobs.
        command: Of the job that runs.
        step: Name of the step that runs.
        started_at: UTC seconds of the server's clock.
        ended_at: As above; also where it was stopped.
    """

    total: int = 0
    finished: int = 0
    running: int = 0
    failed: int = 0
    command: str = ""
    step: str = ""
    started_at: float | None = None
    ended_at: float | None = None


@dataclass(frozen=True, kw_only=True)
class Workflow:
    """One workflow, as lists and its status show it.

    Attributes:
        id: UUID.
        name: Without the run number.
        number: The run number: 1 for `fit.1`, 1.2 for its second restart.
        status: The server's word.
        created_at: UTC seconds of the server's clock.
        progress: How far it is.
        size: Bytes of its workspace; None where that was not asked for.
    """

    id: str
    name: str
    number: tuple[int, ...]
    status: str
    created_at: float | None = None
    progress: Progress = field(default_factory=Progress)
    size: int | None = None


@dataclass(frozen=True, kw_only=True)
class RemoteFile:
    """One file of a workspace: `path` relative to it, `size` in bytes."""

    path: str
    size: int


@dataclass(frozen=True, kw_only=True)
class JobLog:
    """One job of a workflow, as its logs tell.

    Attributes:
        id: UUID.
        step: Name of its step; may be empty.
        status: The server's word.
        command: What it ran.
        image: What it ran in.
        compute_backend: Such as `kubernetes`.
        text: What it wrote, and what its compute backend said at its end.
        started_at: UTC seconds of the server's clock.
        ended_at: As above.
    """

    id: str
    step: str
    status: str
    command: str
    image: str
    compute_backend: str
    text: str
    started_at: float | None = None
    ended_at: float | None = None


@dataclass(frozen=True, kw_only=True)
class Logs:
    """All logs of a workflow: of its engine, of its jobs in order, of services such as Dask."""

    engine: str = ""
    jobs: tuple[JobLog, ...] = ()


def mapping(value: Any) -> dict[str, Any]:
    """`value` if it is an object; an empty one else."""
    return cast(dict[str, Any], value) if isinstance(value, dict) else {}


def items(value: Any) -> list[Any]:
    """`value` if it is a list; an empty one else."""
    return cast(list[Any], value) if isinstance(value, list) else []


def text(value: Any) -> str:
    """`value` if it is a text; an empty one else."""
    return value if isinstance(value, str) else ""


def whole(value: Any) -> int:
    """`value` if it is a whole number; 0 else."""
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def moment(value: Any) -> float | None:
    """UTC seconds of a time as REANA writes it (UTC, without saying so); None where it is none."""
    try:
        when = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    if when is None:
        return None
    return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()


def workflow_of(value: Any) -> Workflow | None:
    """An item of a list, or a status; None where it names no workflow."""
    told = mapping(value)
    name, _, number = text(told.get("name")).partition(".")
    if not text(told.get("id")) or not name:
        return None
    size = mapping(told.get("size")).get("raw")
    return Workflow(
        id=text(told.get("id")),
        name=name,
        number=tuple(int(part) for part in number.split(".") if part.isdigit()),
        status=text(told.get("status")),
        created_at=moment(told.get("created")),
        progress=_progress(mapping(told.get("progress"))),
        size=whole(size) if size is not None else None,
    )


def _progress(told: dict[str, Any]) -> Progress:
    counts = {name: whole(mapping(told.get(name)).get("total")) for name in _COUNTED}
    return Progress(
        **counts,
        command=text(told.get("current_command")),
        step=text(told.get("current_step_name")),
        started_at=moment(told.get("run_started_at")),
        ended_at=moment(told.get("run_finished_at")) or moment(told.get("run_stopped_at")),
    )


_COUNTED = ("total", "finished", "running", "failed")


def file_of(value: Any) -> RemoteFile | None:
    """An item of a workspace's list; None where it names no file."""
    told = mapping(value)
    name = text(told.get("name")).lstrip("/")
    return RemoteFile(path=name, size=whole(mapping(told.get("size")).get("raw"))) if name else None


def logs_of(value: Any) -> Logs:
    """The logs in an object that was JSON inside of JSON; jobs in the order of their start."""
    told = mapping(value)
    jobs = [_job(identity, mapping(one)) for identity, one in mapping(told.get("job_logs")).items()]
    last = float("inf")
    ordered = sorted(jobs, key=lambda job: last if job.started_at is None else job.started_at)
    return Logs(engine=text(told.get("workflow_logs")), jobs=tuple(ordered))


def _job(identity: str, told: dict[str, Any]) -> JobLog:
    return JobLog(
        id=identity,
        step=text(told.get("job_name")),
        status=text(told.get("status")),
        command=text(told.get("cmd")),
        image=text(told.get("docker_img")),
        compute_backend=text(told.get("compute_backend")),
        text=text(told.get("logs")),
        started_at=moment(told.get("started_at")),
        ended_at=moment(told.get("finished_at")),
    )
