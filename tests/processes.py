"""`reana-bridge` in processes of its own, of which none has to import everything anew.

Importing takes most of the processor time of a start, and tests start hundreds. So a process that has
imported the bridge and done nothing else (`python -m tests.processes`) forks one for each command: a process
like any other, with a number, standard streams, an environment and a death of its own. The demonstration, the
documents' examples and `tests/e2e/test_way.py` start `reana-bridge` from nothing.
"""

import atexit
import contextlib
import gc
import importlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

_LARGEST_REQUEST = 200_000
_IMPORTED = (
    "alembic.command",
    "psycopg",
    "reana_bridge.__main__",
    "reana_bridge.crashpoints",
    "reana_bridge.steps.runtime",
    "reana_bridge.web.server",
)


class Process:
    """One started command: what tests use of `subprocess.Popen`."""

    def __init__(self, status: int) -> None:
        self._status = os.fdopen(status, "rb", buffering=0)
        self.pid = int(self._status.readline())
        self.returncode: int | None = None
        self._asked = threading.Lock()

    def poll(self) -> int | None:
        """The exit status (minus the signal's number, where one killed it); None while it runs."""
        return self._ended(0.0)

    def wait(self, timeout: float | None = None) -> int:
        """The exit status once it has ended.

        Raises:
            subprocess.TimeoutExpired: It has not after `timeout` seconds.
        """
        status = self._ended(timeout)
        if status is None:
            raise subprocess.TimeoutExpired(f"process {self.pid}", timeout or 0.0)
        return status

    def send_signal(self, number: int) -> None:
        """Send a signal, unless it has ended."""
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """As `kill -9`."""
        self.send_signal(signal.SIGKILL)

    def _ended(self, seconds: float | None) -> int | None:
        with self._asked:
            if self.returncode is None and select.select([self._status], [], [], seconds)[0]:
                self.returncode = int(self._status.readline())
                self._status.close()
            return self.returncode


def start(
    arguments: list[str],
    *,
    output: IO[Any] | None = None,
    errors: IO[Any] | None = None,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
) -> Process:
    """Start `reana-bridge ARGUMENTS`; what it writes goes nowhere unless told where."""
    environment = dict(os.environ if env is None else env)
    request = {"arguments": arguments, "cwd": str(cwd or Path.cwd()), "env": environment}
    read, write = os.pipe()
    with open(os.devnull, "r+b") as nothing:
        streams = [(stream or nothing).fileno() for stream in (None, output, errors)]
        socket.send_fds(_forker(), [json.dumps(request).encode()], [write, *streams])
    os.close(write)
    return Process(read)


def run(
    *arguments: str, cwd: Path | None = None, env: Mapping[str, str] | None = None, timeout: float = 120.0
) -> subprocess.CompletedProcess[str]:
    """Run `reana-bridge ARGUMENTS` to its end; its status and what it wrote."""
    with TemporaryFile() as output, TemporaryFile() as errors:
        process = start(list(arguments), output=output, errors=errors, cwd=cwd, env=env)
        try:
            status = process.wait(timeout)
        finally:
            process.kill()
            process.wait()
        said = [_whole(stream).decode() for stream in (output, errors)]
    return subprocess.CompletedProcess(list(arguments), status, *said)


def _whole(file: IO[bytes]) -> bytes:
    file.seek(0)
    return file.read()


@cache
def _forker() -> socket.socket:
    """Where the process that forks takes requests, each a message."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    command = [sys.executable, "-m", "tests.processes"]
    with theirs:
        process = subprocess.Popen(command, stdin=theirs, cwd=Path(__file__).parents[1])

    def end() -> None:
        ours.close()
        process.wait()

    atexit.register(end)
    return ours


def _serve(requests: socket.socket) -> None:
    """Fork for each request a keeper, and the keeper the command; return in the command's process."""
    while True:
        message, passed, _, _ = socket.recv_fds(requests, _LARGEST_REQUEST, 4)
        if not message:
            os._exit(0)
        if os.fork() == 0:
            requests.close()
            if _is_command(*passed):
                _become(json.loads(message))
                return
        for descriptor in passed:
            os.close(descriptor)
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG) != (0, 0):
                pass


def _is_command(status: int, *streams: int) -> bool:
    """True in the command's process; the keeper's tells of its number and its end, and ends with it."""
    pid = os.fork()
    if pid == 0:
        os.close(status)
        for number, stream in enumerate(streams):
            os.dup2(stream, number)
            os.close(stream)
        return True
    for stream in (*streams, 0, 1, 2):
        os.close(stream)
    os.write(status, b"%d\n" % pid)
    ended = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    with contextlib.suppress(BrokenPipeError):
        os.write(status, b"%d\n" % ended)
    os._exit(0)


def _become(request: dict[str, Any]) -> None:
    os.chdir(request["cwd"])
    os.environ.clear()
    os.environ.update(request["env"])
    time.tzset()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.modules["__main__"] = sys.modules["reana_bridge.__main__"]
    sys.argv = [sys.modules["__main__"].__file__ or "", *request["arguments"]]
    # It alone reads the environment when it is imported.
    importlib.reload(sys.modules["reana_bridge.crashpoints"])


if __name__ == "__main__":
    for name in _IMPORTED:
        importlib.import_module(name)
    from sqlalchemy.orm import configure_mappers

    configure_mappers()
    gc.freeze()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _serve(socket.socket(fileno=os.dup(0)))
    sys.modules["reana_bridge.__main__"].start()
