"""A supervisor's life: take the lock, say who it is, run the workflow, write the exit record, leave."""

from __future__ import annotations

import contextlib
import os
import sys
import time

from reana_bridge.backends.local.supervisor import processes, progress, records, serial, trees
from reana_bridge.backends.local.supervisor.wake import Ended, Wake
from reana_bridge.backends.local.supervisor.workflow import Failed, Workflow

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


_PATIENCE = 300  # seconds
_LOCK_SECONDS = 10.0
_RESERVE = "reserve"
_RESERVED = 256 << 10  # bytes: enough for most exit records


def main(directory: str, tell: int) -> None:
    """Run the run in `directory` unless another supervisor does or did.

    Args:
        directory: The run's directory.
        tell: Gets one byte as soon as there is a supervisor in charge, this one or another.
    """
    begun = not _takes_charge(directory)
    plan = None if begun else records.read(directory, records.JOB)
    if not begun:
        if plan is None:
            raise SystemExit(f"{directory}/{records.JOB} cannot be read")
        # Before anything is run, so that a crash from here on is seen as one.
        records.write(directory, records.SUPERVISOR, records.identity_of(os.getpid()))
    # Whoever started this may have been killed meanwhile: the next one finds the run by its records.
    with contextlib.suppress(BrokenPipeError):
        os.write(tell, b"1")
    os.close(tell)
    if plan is not None:
        _supervise(directory, plan)


def _takes_charge(directory: str) -> bool:
    """Whether this process holds the run's lock from now to its end; if not, another is or was in charge.

    A held lock alone proves nothing: a process that the bridge forks just now has a copy of every
    descriptor until it becomes another program, also of one that the bridge itself closed meanwhile.

    Raises:
        SystemExit: Nobody is in charge, and the lock does not come free.
    """
    deadline = time.monotonic() + _LOCK_SECONDS
    while True:
        free = records.try_lock(directory) is not None
        if any(records.exists(directory, name) for name in (records.SUPERVISOR, records.EXIT)):
            return False
        if free:
            return True
        if time.monotonic() > deadline:
            raise SystemExit(f"the lock of {directory} is held, but no supervisor is in charge")
        time.sleep(0.005)


def _supervise(directory: str, plan: dict[str, Any]) -> None:
    processes.become_subreaper()
    wake = Wake(directory, plan["tether"])
    os.makedirs(os.path.join(directory, records.LOGS), mode=0o700, exist_ok=True)
    _reserve(directory)
    workflow = Workflow(directory, plan, wake)
    outcome = _outcome(workflow, wake)
    for name in (records.TEMPORARY, _RESERVE):
        trees.remove_tree(os.path.join(directory, name))
    record = workflow.progress.record() | outcome | {"activity": "", "ended_at": time.time()}
    _write_exit(directory, record)
    progress.tell(directory)


def _reserve(directory: str) -> None:
    """Keep room for the exit record, should the job fill the disk."""
    descriptor = os.open(os.path.join(directory, _RESERVE), os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        os.posix_fallocate(descriptor, 0, _RESERVED)
    finally:
        os.close(descriptor)


def _write_exit(directory: str, record: dict[str, Any]) -> None:
    """Write the exit record, with patience: a full disk may get room again, the outcome may not be lost."""
    for _ in range(_PATIENCE):
        try:
            records.write(directory, records.EXIT, record, durable=True)
        except OSError as problem:
            print(f"the exit record could not be written: {problem}", file=sys.stderr, flush=True)
            time.sleep(1.0)
        else:
            return


def _outcome(workflow: Workflow, wake: Wake) -> dict[str, Any]:
    try:
        wake.check()
        if workflow.plan["type"] == "serial":
            serial.run(workflow)
        else:
            from reana_bridge.backends.local.supervisor import engine

            engine.run(workflow)
        workflow.check_disk()
    except Failed as failed:
        return {"state": "failed", "failure": failed.failure}
    except Ended as ended:
        if ended.state == "cancelled":
            return {"state": "cancelled", "failure": None}
        return {"state": "failed", "failure": Failed("infrastructure", ended.message).failure}
    except Exception as problem:
        message = f"the supervisor itself failed: {type(problem).__name__}: {problem}"
        return {"state": "failed", "failure": Failed("infrastructure", message).failure}
    return {"state": "finished", "failure": None}
