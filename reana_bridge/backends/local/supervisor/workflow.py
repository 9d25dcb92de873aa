"""One run from its first step to its outcome: what every type of workflow shares."""

from __future__ import annotations

import contextlib
import os
import signal
import time

from reana_bridge.backends.local.supervisor import environments, jobs, records
from reana_bridge.backends.local.supervisor.command import Execution, LimitBroken, Program
from reana_bridge.backends.local.supervisor.limits import Watch
from reana_bridge.backends.local.supervisor.log import Log
from reana_bridge.backends.local.supervisor.network import NetworkError
from reana_bridge.backends.local.supervisor.progress import Progress
from reana_bridge.backends.local.supervisor.wake import Ended, Wake

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from typing import Any

LAST_LINES = 20
ENGINE = "engine"
_KILLED = (-signal.SIGKILL, 128 + signal.SIGKILL)


class Failed(Exception):
    """The run failed; `failure` is the record of why."""

    def __init__(
        self, kind: str, message: str, *, step: str = "", log_tail: list[str] | None = None, hint: str = ""
    ) -> None:
        super().__init__(message)
        self.failure = {
            "kind": kind,
            "message": message,
            "step": step,
            "log_tail": log_tail or [],
            "hint": hint,
        }


def exit_message(status: int) -> str:
    """`status` for a person: `exit status 1`, `killed by SIGSEGV`."""
    # A shell, and bubblewrap, report a child's signal as 128 and its number.
    number = -status if status < 0 else status - 128
    if status >= 0 and status <= 128:
        return f"exit status {status}"
    try:
        return f"killed by {signal.Signals(number).name}"
    except ValueError:
        return f"exit status {status}"


class Workflow:
    """The run in `directory`, as `plan` (the record `job.json`) says."""

    def __init__(self, directory: str, plan: dict[str, Any], wake: Wake) -> None:
        self.directory = directory
        self.plan = plan
        self.progress = Progress(directory)
        self.progress.environment = dict(plan["environment"])
        self.job = jobs.Job(directory, plan)
        self._wake = wake
        places = [os.path.join(directory, name) for name in (records.WORKSPACE, records.TEMPORARY)]
        self._watch = Watch(plan["limits"], places, plan["minimum_free"])
        self._execution = Execution(wake, self._watch, grace=plan["grace"], tick=self.progress.flush)
        self._settled: dict[str, dict[str, Any]] = {}

    def environment(self, key: str) -> dict[str, Any]:
        """The plan's environment `key`, made first where it has to be.

        Raises:
            Failed: It could not be made.
            Ended: The run should end.
        """
        if key not in self._settled:
            environment = self.plan["environments"][key]
            if environment["build"] and not environments.is_complete(environment["build"]):
                self._make(environment)
            if environment["build"]:
                environment = environments.settled(environment)
            self._settled[key] = environment
            if key != ENGINE:
                self._say_what_is_in(environment)
        return self._settled[key]

    def _say_what_is_in(self, environment: dict[str, Any]) -> None:
        """Put python and the packages of a job's environment into what the result says it ran in."""
        said, prefix = self.progress.environment, environment["prefix"]
        found = {"python": environment["python"] or environments.python_version(prefix)}
        found |= environments.packages(prefix)
        if prefix == "/usr":
            found |= environments.packages("/usr/local")
        for name, version in found.items():
            if version and said.setdefault(name, version) != version:
                said[f"{name} ({environment['label']})"] = version

    def _make(self, environment: dict[str, Any]) -> None:
        build = environment["build"]
        log = Log(os.path.join(self.directory, records.LOGS, "environment.log"), 1 << 20)
        self.progress.say(f"making the {build['name']} environment")
        only_time = {"seconds": build["timeout"], "memory": None, "processes": None, "disk": None}
        watch = Watch(only_time, [], 0)
        watch.start()

        def run(program: Program, output: Log) -> int:
            return self._execution.run(program, output, watch=watch)

        try:
            environments.make(build, log, run)
        except LimitBroken as problem:
            message = f"making the environment {build['name']} {problem}"
            raise Failed("infrastructure", message, log_tail=log.last_lines(LAST_LINES)) from problem
        except (environments.EnvironmentFailed, OSError) as problem:
            hint = "the server needs the package index and room for it"
            raise Failed(
                "infrastructure", str(problem), log_tail=log.last_lines(LAST_LINES), hint=hint
            ) from problem
        finally:
            log.close()
        self.progress.say("")

    def run(
        self,
        argv: list[str],
        environment: dict[str, Any],
        log: Log,
        *,
        more: dict[str, str] | None = None,
        binds: tuple[str, ...] = (),
        keep: tuple[int, ...] = (),
        events: tuple[int, Callable[[bytes], None]] | None = None,
    ) -> int:
        """Run one command of the job; its exit status, negative for a signal.

        Args:
            argv: The program as the job sees it.
            environment: A settled environment.
            log: Takes what it prints.
            more: Variables beside the usual ones.
            binds: Further read-only directories.
            keep: Descriptors that the program inherits.
            events: A descriptor to read beside, and what takes the bytes.

        Raises:
            Ended: The run should end.
            LimitBroken: It used more than it may.
        """
        program = self.job.program(argv, environment, more=more, keep=keep, binds=binds)
        if self.progress.started_at is None:
            self.progress.started_at = time.time()
            self._watch.start()
        self._wake.check()
        try:
            return self._execution.run(
                program,
                log,
                started=self.job.connect,
                events=events,
            )
        finally:
            self.job.disconnect()

    @contextlib.contextmanager
    def step(self, record: dict[str, Any], log: Log) -> Generator[None]:
        """Turns whatever ends a step early into the run's outcome, with the step and its last lines.

        Raises:
            Failed: A limit was broken, or the infrastructure let the step down.
            Ended: The run should end.
        """
        try:
            yield
        except LimitBroken as broken:
            raise self._failed("limit", str(broken), record, log) from broken
        except (NetworkError, OSError, TimeoutError) as problem:
            message = self._watch.disk_is_full() or f"the step could not be run: {problem}"
            raise self._failed("infrastructure", message, record, log) from problem
        except Ended:
            record["state"] = "failed"
            raise

    def _failed(self, kind: str, message: str, record: dict[str, Any], log: Log, hint: str = "") -> Failed:
        record["state"] = "failed"
        return Failed(kind, message, step=record["name"], log_tail=log.last_lines(LAST_LINES), hint=hint)

    def expect_success(self, status: int, record: dict[str, Any], log: Log) -> None:
        """Go on when `status` is 0.

        Raises:
            Failed: It is another; the message says which, or which limit was behind it.
        """
        if status == 0:
            return
        record["exit_status"] = status
        if broken := self._watch.look_at_disk():
            raise self._failed("limit", broken, record, log)
        if full := self._watch.disk_is_full():
            raise self._failed("infrastructure", full, record, log)
        hint = "nothing here killed it; the machine may have run out of memory" if status in _KILLED else ""
        raise self._failed("analysis", exit_message(status), record, log, hint)

    def check_disk(self) -> None:
        """The last look, when all steps are over.

        Raises:
            Failed: The workspace is larger than it may be, or the disk is full.
        """
        broken, kind = self._watch.look_at_disk(), "limit"
        if not broken:
            # A job may go on after a write that failed: what it left cannot be trusted.
            broken, kind = self._watch.disk_is_full(self.plan["minimum_free"] // 2), "infrastructure"
        if broken:
            last = self.progress.steps[-1]
            last["state"] = "failed"
            raise Failed(kind, broken, step=last["name"])
