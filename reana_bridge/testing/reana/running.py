"""Runs a serial workflow for real: each command in its workspace, in a subprocess, one after the other."""

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

from reana_bridge.testing.reana.things import Job, Status, Workflow
from reana_bridge.testing.reana.world import World

MOST_LOG_BYTES = 1024 * 1024
ENGINE = "reana-workflow-engine-serial"
_LOOK_SECONDS = 0.02


class Runner:
    """Threads that run workflows; nothing of this process's environment but PATH reaches a job."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._threads: list[threading.Thread] = []

    def start(self, workflow: Workflow, commands: Sequence[tuple[dict[str, Any], str]]) -> None:
        """Run these commands from now on."""
        thread = threading.Thread(target=self._run, args=(workflow, commands), daemon=True)
        self._threads = [one for one in self._threads if one.is_alive()] + [thread]
        thread.start()

    def wait(self) -> None:
        """Until all threads are done; their workflows must have been told to stop."""
        for thread in self._threads:
            thread.join()

    def _run(self, workflow: Workflow, commands: Sequence[tuple[dict[str, Any], str]]) -> None:
        world = self._world
        if workflow.stopping.wait(world.pending_seconds):
            return
        with world.lock:
            if not world.move(workflow, Status.RUNNING):
                return
            workflow.starts += 1
            workflow.started, workflow.total_jobs = world.now, len(commands)
        for step, command in commands:
            if not self._job(workflow, step, command):
                break
        with world.lock:
            if workflow.status is not Status.RUNNING:
                return
            failed = any(job.status == "failed" for job in workflow.jobs)
            workflow.finished = world.now
            workflow.owner.cpu_used += int((workflow.finished - (workflow.started or 0)) * 1000)
            world.move(workflow, Status.FAILED if failed else Status.FINISHED)

    def _job(self, workflow: Workflow, step: dict[str, Any], command: str) -> bool:
        """Run one command; whether the next one may follow."""
        job = Job(
            id=str(uuid4()),
            name=str(step.get("name") or ""),
            command=command,
            image=str(step.get("environment") or ""),
            compute_backend=str(step.get("compute_backend") or "kubernetes"),
            status="running",
        )
        with self._world.lock:
            if workflow.status is not Status.RUNNING:
                return False
            job.started = self._world.now
            workflow.jobs.append(job)
            workflow.logs += (
                f"reana-workflow-engine-serial | INFO | Publishing step:{job.name}, cmd: {command}\n"
            )
        limit = step.get("kubernetes_job_timeout")
        status, logs = _execute(workflow, command, _seconds(limit))
        with self._world.lock:
            job.logs, job.finished = logs, self._world.now
            if job.status == "running":
                job.status = "finished" if status == 0 else "failed"
            if job.status == "failed":
                workflow.logs += f"{ENGINE} | ERROR | Job {job.id} failed\n"
        return status == 0


def _seconds(limit: Any) -> float | None:
    return float(limit) if isinstance(limit, int | str) and str(limit).isdigit() else None


def _execute(workflow: Workflow, command: str, limit: float | None) -> tuple[int, str]:
    """Exit status and output of one command; it is killed with all its children at a stop."""
    deadline = None if limit is None else time.monotonic() + limit
    with tempfile.TemporaryFile() as output:
        try:
            process = subprocess.Popen(
                ["bash", "-c", command],
                cwd=workflow.workspace,
                env=_environment(workflow),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError as error:
            return 127, f"the job could not be started: {error}"
        late = False
        while process.poll() is None and not late:
            late = deadline is not None and time.monotonic() > deadline
            if workflow.stopping.wait(_LOOK_SECONDS):
                break
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        status = process.wait()
        size = output.seek(0, os.SEEK_END)
        output.seek(max(0, size - MOST_LOG_BYTES))
        text = output.read().decode("utf-8", "replace")
    return status, text + (f"\nThe job was killed: it ran longer than {limit:g} s" if late else "")


def _environment(workflow: Workflow) -> dict[str, str]:
    """What a job sees; the user's own secrets are among it, as in REANA."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    own = {one.name: one.value for one in workflow.owner.secrets.values() if one.kind == "env"}
    return {
        **own,
        "PATH": path,
        "HOME": str(workflow.workspace),
        "LANG": "C.UTF-8",
        "REANA_WORKSPACE": str(workflow.workspace),
    }
