"""One command of a job: started, drained, watched, and ended with everything that it started."""

from __future__ import annotations

import fcntl
import os
import resource
import select
import signal
import time

from reana_bridge.backends.local.supervisor import processes, wake

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from reana_bridge.backends.local.supervisor.limits import Watch
    from reana_bridge.backends.local.supervisor.log import Log
    from reana_bridge.backends.local.supervisor.wake import Wake

_CHUNK = 1 << 20
_TICK = 0.5  # seconds between two looks at what no signal tells: the tether, a lost signal
_SET_PIPE_SIZE = 1031


class LimitBroken(Exception):
    """The job used more than it may; the message says of what."""


class Program:
    """What is to be started.

    Attributes:
        argv: The program and its arguments.
        environment: Its whole environment.
        directory: Where it starts.
        keep: Descriptors that it inherits beside the standard ones.
        confine: Called in the child just before the start: resource limits and the like.
    """

    def __init__(
        self,
        argv: list[str],
        environment: dict[str, str],
        directory: str,
        *,
        keep: tuple[int, ...] = (),
        confine: Callable[[], None] | None = None,
    ) -> None:
        self.argv = argv
        self.environment = environment
        self.directory = directory
        self.keep = keep
        self.confine = confine


def start(program: Program, output: int) -> int:
    """Start `program` in a session of its own, printing to `output`; its pid.

    It dies with this process. A program that cannot be started prints why and exits with 127.
    """
    parent = os.getpid()
    pid = os.fork()
    if pid:
        return pid
    try:
        os.setsid()
        null = os.open(os.devnull, os.O_RDONLY)
        for source, target in ((null, 0), (output, 1), (output, 2)):
            os.dup2(source, target)
        for descriptor in program.keep:
            os.set_inheritable(descriptor, True)
        wake.restore_signals()
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        processes.die_with_parent(parent)
        os.chdir(program.directory)
        if program.confine:
            program.confine()
        os.execve(program.argv[0], program.argv, program.environment)  # noqa: S606
    except BaseException as problem:
        os.write(2, f"{program.argv[0]} could not be started: {problem}\n".encode())
    finally:
        os._exit(127)


class Execution:
    """Runs programs one after another, each to its end.

    Args:
        wakeups: Knows whether the run should end.
        watch: Knows its limits.
        grace: Seconds between asking the job to end and killing it.
        tick: Called at each wake-up, for records that are due.
    """

    def __init__(self, wakeups: Wake, watch: Watch, *, grace: float, tick: Callable[[], None]) -> None:
        self._wake = wakeups
        self._watch = watch
        self._grace = grace
        self._tick = tick

    def run(
        self,
        program: Program,
        log: Log,
        *,
        watch: Watch | None = None,
        started: Callable[[int], None] | None = None,
        events: tuple[int, Callable[[bytes], None]] | None = None,
    ) -> int:
        """Run `program`, keep what it prints in `log`; its exit status, negative for a signal.

        Nothing that it started is left when this returns or raises.

        Args:
            program: What to run.
            log: Takes what it prints.
            watch: Other limits than the job's.
            started: Called with its pid.
            events: A descriptor to read beside, and what takes the bytes.

        Raises:
            Ended: The run should end.
            LimitBroken: The job used more than it may.
            OSError: It could not be started, or its log cannot be written.
        """
        reader, writer = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        os.set_blocking(writer, True)
        _widen(reader)
        try:
            pid = start(program, writer)
            os.close(writer)
            sinks: dict[int, Callable[[bytes], None]] = {reader: log.write}
            if events:
                sinks[events[0]] = events[1]
            if started:
                started(pid)
            return self._attend(pid, sinks, watch or self._watch)
        finally:
            processes.kill_all()
            _drain(reader, log.write)
            os.close(reader)

    def _attend(self, pid: int, sinks: dict[int, Callable[[bytes], None]], watch: Watch) -> int:
        poll = select.poll()
        for descriptor in (self._wake.descriptor, *sinks):
            poll.register(descriptor, select.POLLIN)
        checked = 0.0
        while True:
            wait = int(min(_TICK, watch.wait()) * 1000) + 1
            ready = [descriptor for descriptor, _ in poll.poll(wait)]
            for descriptor in ready:
                if descriptor != self._wake.descriptor and not _pass_on(descriptor, sinks[descriptor]):
                    poll.unregister(descriptor)
            now = time.monotonic()
            if self._wake.descriptor in ready or now - checked >= _TICK:
                checked = now
                self._wake.clear()
                ended = processes.reap()
                if pid in ended:
                    return ended[pid]
                self._check(pid)
            self._tick()
            if broken := watch.look():
                if not watch.urgent:
                    self._ask_to_end(pid)
                raise LimitBroken(broken)

    def _check(self, pid: int) -> None:
        try:
            self._wake.check()
        except wake.Ended:
            self._ask_to_end(pid)
            raise

    def _ask_to_end(self, pid: int) -> None:
        """Give the job its grace: SIGTERM to all but the sandbox's own two processes."""
        own = {pid, *processes.children(pid)} if processes.is_sandbox(pid) else set[int]()
        until = time.monotonic() + self._grace
        processes.send([one for one in processes.descendants(os.getpid()) if one not in own], signal.SIGTERM)
        while set(processes.descendants(os.getpid())) - own and time.monotonic() < until:
            time.sleep(0.01)
            processes.reap()


def _widen(descriptor: int) -> None:
    try:
        fcntl.fcntl(descriptor, _SET_PIPE_SIZE, _CHUNK)
    except OSError:  # above this machine's limit for pipes: slower, no worse
        return


def _pass_on(descriptor: int, sink: Callable[[bytes], None]) -> bool:
    """Hand on what is there; False at the end of it."""
    try:
        data = os.read(descriptor, _CHUNK)
    except BlockingIOError:
        return True
    if data:
        sink(data)
    return bool(data)


def _drain(descriptor: int, sink: Callable[[bytes], None]) -> None:
    # All writers are dead by now: what is left fits the pipe.
    while True:
        try:
            data = os.read(descriptor, _CHUNK)
        except BlockingIOError:
            return
        if not data:
            return
        sink(data)
