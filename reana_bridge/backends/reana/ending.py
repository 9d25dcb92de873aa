"""Why a workflow ended as it did: read from its logs, since REANA says no more than `failed`.

Whose failure it is decides what follows: the infrastructure's is tried again, the analysis' is reported.
"""

import re
from collections.abc import Sequence

from reana_bridge.backends.reana.layout import Group
from reana_bridge.backends.reana.values import Logs
from reana_bridge.model.results import Failure
from reana_bridge.model.runs import FailureKind

TAIL_LINES = 20
_LINE = 500
_LAST = 8
# What the compute backend itself puts under a job's output, a line of its own.
_LIMITS = (
    (re.compile(r"OOMKilled"), "used more memory than it may", "ask for more by `kubernetes_memory_limit`"),
    (
        re.compile(r"(DeadlineExceeded|The job was killed due to exceeding timeout.*)"),
        "ran longer than its time limit",
        "ask for more by `kubernetes_job_timeout`",
    ),
)
_IMAGE = r"(ErrImagePull|ImagePullBackOff|Back-off pulling image.*)"
_GONE = r"(Evicted|Preempted|NodeLost|NodeShutdown|Shutdown|Terminated due to node .*)"
_PARTS = r"(could not|failed to|unable to) (connect to|reach) .*job.controller"
_BROKEN = (
    (re.compile(r"Container \S+ failed, error: .*"), "its container could not be started"),
    (re.compile(_IMAGE), "its image could not be fetched"),
    (re.compile(_GONE), "it was evicted"),
)
_NO_ROOM = re.compile(r"failed to schedule after \d+ retries")
_ENGINE = (
    (_NO_ROOM, "REANA found no room for it for too long"),
    (re.compile(_PARTS, re.IGNORECASE), "REANA's own parts lost each other"),
    (re.compile(r"workflow engine .*(evicted|killed)", re.IGNORECASE), "its workflow engine was killed"),
)
_NOISE = frozenset({"Completed", "Error"})
_HEADER = re.compile(r"^\S+: :$")


def failure_of(logs: Logs, steps: Sequence[Group]) -> Failure:
    """Why a workflow failed.

    Args:
        logs: All of them.
        steps: Its jobs, by step.
    """
    step, text = _failing(steps)
    tail = _tail(text)
    for line in reversed(tail[-_LAST:]):
        for pattern, message, hint in _LIMITS:
            if pattern.fullmatch(line.strip()):
                return Failure(
                    kind=FailureKind.LIMIT, message=message, step=step, log_tail=_shown(tail), hint=hint
                )
        for pattern, message in _BROKEN:
            if pattern.fullmatch(line.strip()):
                return _infrastructure(f"{message}: {line.strip()}", step, tail)
    engine = _tail(logs.engine)
    for pattern, message in _ENGINE:
        if any(pattern.search(line) for line in engine):
            return _infrastructure(message, step, engine)
    if not step:
        return _without_step(engine)
    return Failure(kind=FailureKind.ANALYSIS, message="a command failed", step=step, log_tail=_shown(tail))


def never_had_room(logs: Logs, steps: Sequence[Group]) -> bool:
    """Whether a failed workflow only ever waited in REANA's queue."""
    began = any(group.jobs for group in steps)
    return not began and any(_NO_ROOM.search(line) for line in _tail(logs.engine))


def _failing(steps: Sequence[Group]) -> tuple[str, str]:
    for group in steps:
        for job in group.jobs:
            if job.status == "failed":
                return group.name, job.text
    return "", ""


def _without_step(engine: list[str]) -> Failure:
    """No job failed, so the engine did: over the workflow's own files, as far as it says anything."""
    if not engine:
        return _infrastructure("REANA says no more than that it failed", "", [])
    message = "the workflow engine failed before or between the steps"
    return Failure(kind=FailureKind.ANALYSIS, message=message, log_tail=_shown(engine))


def _infrastructure(message: str, step: str, tail: list[str]) -> Failure:
    return Failure(
        kind=FailureKind.INFRASTRUCTURE,
        message=message[:_LINE],
        step=step,
        log_tail=_shown(tail),
    )


def _tail(text: str) -> list[str]:
    lines = text[-64 * 1024 :].splitlines()
    return [line for line in lines if line.strip() and not _HEADER.match(line)][-2 * TAIL_LINES :]


def _shown(tail: list[str]) -> tuple[str, ...]:
    while tail and tail[-1].strip() in _NOISE:
        tail = tail[:-1]
    return tuple(line[:_LINE] for line in tail[-TAIL_LINES:])
