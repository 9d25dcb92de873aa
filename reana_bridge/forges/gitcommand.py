"""Runs git, always the same way: no hooks, no prompts, no one's configuration, an end in time.

Promises: nothing of the user's or the system's git configuration, environment or credentials reaches git;
no program named in a repository runs; only the protocols that the caller allows are spoken; output and time
have limits, and at a limit git and its children are killed; error texts hold no credentials.
"""

import os
import re
import select
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, cast

from reana_bridge.forges.base import ForgeError

DEFAULT_TIMEOUT = 60.0
"""Seconds."""

DEFAULT_LIMIT = 64 * 1024**2
"""Bytes of output."""

_CONFIGURATION = Path(__file__).with_name("git.config")
_PASSED_ON = frozenset(
    ["PATH", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR", "HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy"]
)
_CREDENTIALS = re.compile(r"(?<=://)[^/\s@]+@")
_SHOWN = 2000


class GitFailed(ForgeError):
    """Git ended with an error.

    Attributes:
        status: Its exit status; negative for a signal.
        output: What it wrote to its standard error, without credentials.
    """

    def __init__(self, message: str, *, status: int, output: str) -> None:
        super().__init__(message)
        self.status = status
        self.output = output


class OutputTooLarge(ForgeError):
    """Git wrote more than the limit and was stopped; `partial` is what it wrote until then."""

    def __init__(self, message: str, partial: bytes) -> None:
        super().__init__(message)
        self.partial = partial


def run_git(
    arguments: Sequence[str],
    *,
    directory: Path,
    data: bytes = b"",
    environment: Mapping[str, str] | None = None,
    protocols: Sequence[str] = (),
    accept: Sequence[int] = (0,),
    timeout: float = DEFAULT_TIMEOUT,
    limit: int = DEFAULT_LIMIT,
    records: int | None = None,
    keep_open: Sequence[int] = (),
) -> tuple[int, bytes]:
    """Run `git ARGUMENTS` in the git directory `directory`; its exit status and output.

    Args:
        arguments: The command and its arguments; never anything unchecked that may begin with `-`.
        directory: A bare repository (or any `GIT_DIR`).
        data: Its standard input.
        environment: Over the clean environment, such as `GIT_INDEX_FILE`.
        protocols: Those it may speak, such as `file` or `https`.
        accept: Exit statuses that are no failure.
        timeout: Seconds.
        limit: Bytes of standard output.
        records: NUL bytes in standard output; None for as many as there are.
        keep_open: File descriptors that git and its children hold too (locks).

    Raises:
        GitFailed: It ended with another status, ran longer than `timeout`, or there is no git.
        OutputTooLarge: It wrote more than `limit` or `records`.
    """
    variables = _environment(directory, protocols) | dict(environment or {})
    with tempfile.TemporaryFile() as errors, tempfile.TemporaryFile() as source:
        source.write(data)
        source.seek(0)
        with _start(arguments, variables, source, errors, keep_open) as process:
            try:
                deadline = time.monotonic() + timeout
                output = _read(cast(IO[bytes], process.stdout), arguments[0], deadline, limit, records)
                process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired as expired:
                _kill(process)
                message = f"git {arguments[0]} in {directory} took more than {timeout:.0f} s and was stopped"
                raise GitFailed(message, status=-signal.SIGKILL, output="") from expired
            except BaseException:
                _kill(process)
                raise
        if process.returncode not in accept:
            raise _failure(arguments[0], directory, process.returncode, errors)
        return process.returncode, output


def _start(
    arguments: Sequence[str],
    variables: Mapping[str, str],
    source: IO[bytes],
    errors: IO[bytes],
    keep_open: Sequence[int],
) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            ["git", "-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", *arguments],
            stdin=source,
            stdout=subprocess.PIPE,
            stderr=errors,
            env=variables,
            cwd="/",
            start_new_session=True,
            pass_fds=tuple(keep_open),
        )
    except OSError as error:
        raise GitFailed(f"git cannot be started ({error}); install git", status=-1, output="") from error


def _environment(directory: Path, protocols: Sequence[str]) -> dict[str, str]:
    passed_on = {name: value for name in _PASSED_ON if (value := os.environ.get(name)) is not None}
    return passed_on | {
        "GIT_DIR": str(directory.absolute()),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": str(_CONFIGURATION),
        "GIT_ATTR_NOSYSTEM": "1",
        "GIT_ALLOW_PROTOCOL": ":".join(protocols) or "none",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_LITERAL_PATHSPECS": "1",
        "GIT_OPTIONAL_LOCKS": "0",
        "HOME": "/nonexistent",
        "LC_ALL": "C",
    }


def _read(stdout: IO[bytes], name: str, deadline: float, limit: int, records: int | None) -> bytes:
    descriptor = stdout.fileno()
    poll = select.poll()
    poll.register(descriptor, select.POLLIN | select.POLLHUP)
    collected, seen = bytearray(), 0
    while True:
        if not poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
            raise subprocess.TimeoutExpired(name, 0)
        chunk = os.read(descriptor, 1 << 16)
        if not chunk:
            break
        collected += chunk
        seen += chunk.count(0)
        if len(collected) > limit or (records is not None and seen > records):
            most = f"{limit} bytes" if records is None else f"{limit} bytes or {records} records"
            raise OutputTooLarge(f"git {name} wrote more than {most} and was stopped", bytes(collected))
    return bytes(collected)


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End git and its children (it leads a session of its own)."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _failure(name: str, directory: Path, status: int, errors: IO[bytes]) -> GitFailed:
    errors.seek(0)
    output = _CREDENTIALS.sub("", errors.read(_SHOWN).decode("utf-8", "replace")).strip()
    lines = output.splitlines() or [f"exit status {status}"]
    telling = next((line for line in lines if line.startswith(("fatal: ", "error: "))), lines[-1])
    return GitFailed(f"git {name} in {directory} failed: {telling}", status=status, output=output)
