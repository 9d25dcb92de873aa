"""Opens files of others in a process of its own, with limits and without a network.

Where bubblewrap is there, that process sees nothing of this machine but the libraries and those files.

Promises: whatever is in a file, this process goes on; what became of each file is said; one bad file takes
nothing from the others, for which another process is started.
"""

import contextlib
import functools
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any, cast

from reana_bridge.results.isolated import TASKS
from reana_bridge.sandbox import bwrap
from reana_bridge.sandbox.probe import probe

_AT_ONCE = 100  # items of one process: each has its place on the sandbox's command line
_PATIENCE = 5  # processes that files may take down before the others are left alone
_WALL = 4  # a busy machine gives a process only a part of the time
_ONE_THREAD = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL", "NUMEXPR")}


class IsolationFailed(Exception):
    """The task came to nothing; the message is a clause: `used more than its 1 GiB of memory`."""


@dataclass(frozen=True, kw_only=True)
class IsolationLimits:
    """What one process may use.

    Attributes:
        memory: Bytes of address space, the libraries' own included.
        seconds: Of processor time, for one item; four times of it may pass on the clock.
        output: Bytes of any file it writes, and of its answer.
        open_files: At once.
    """

    memory: int = 1 << 30
    seconds: int = 60
    output: int = 64 << 20
    open_files: int = 128


@dataclass(frozen=True, kw_only=True)
class Item:
    """One thing to do.

    Attributes:
        job: What the task is told, as JSON.
        inputs: The files that it may read, each under a name.
    """

    job: Mapping[str, Any]
    inputs: Mapping[str, Path] = field(default_factory=dict[str, Path])


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What came of one item: a value, or a problem.

    Attributes:
        value: The task's answer, JSON; None where there is a problem.
        problem: One clause, such as `used more than its 1 GiB of memory`; empty for none.
    """

    value: Any = None
    problem: str = ""


def run(
    task: str,
    job: Mapping[str, Any],
    *,
    inputs: Mapping[str, Path],
    output: Path | None = None,
    limits: IsolationLimits | None = None,
) -> Any:
    """The answer of `task` to one job.

    Args:
        task: One of `TASKS`, or a function as `module:function`.
        job: What it is told, as JSON.
        inputs: The files that it may read, each under a name.
        output: A directory for the files that it writes.
        limits: What it may use.

    Raises:
        IsolationFailed: There is none.
    """
    answer = run_each(task, [Item(job=job, inputs=inputs)], output=output, limits=limits)[0]
    if answer.problem:
        raise IsolationFailed(answer.problem)
    return answer.value


def run_each(
    task: str,
    items: Sequence[Item],
    *,
    output: Path | None = None,
    limits: IsolationLimits | None = None,
) -> list[Answer]:
    """The answers of `task` to all `items`, in their order; arguments as for `run`.

    After a number of files that took their process down the others are not opened, so that many of them
    cannot occupy the server.
    """
    place = task if ":" in task else TASKS[task]
    found: list[Answer] = []
    broken = 0
    while len(found) < len(items) and broken < _PATIENCE:
        rest = items[len(found) :][:_AT_ONCE]
        answers, ended = _one_process(place, rest, output, limits or IsolationLimits())
        found += answers
        broken += ended
    left = len(items) - len(found)
    return found + [Answer(problem=f"is not opened, after {broken} that broke their process")] * left


def _one_process(
    task: str, items: Sequence[Item], output: Path | None, limits: IsolationLimits
) -> tuple[list[Answer], bool]:
    """The answers to the first of `items`, and whether the last of them ended the process."""
    with tempfile.TemporaryDirectory(prefix="reana-bridge-") as scratch:
        prefix, order = _prepared(task, items, output, limits, Path(scratch))
        with _started(prefix, order, scratch) as process:
            return _answers(process, len(items), limits)


def _prepared(
    task: str, items: Sequence[Item], output: Path | None, limits: IsolationLimits, scratch: Path
) -> tuple[list[str], dict[str, Any]]:
    """What stands in front of the command, and the order with paths as that process sees them."""
    found = probe()
    boxed = not found.problem
    binds: list[str] = []
    seen: list[dict[str, Any]] = []
    for number, item in enumerate(items):
        places = {name: f"/in/{number}.{i}" for i, name in enumerate(item.inputs)}
        for name, path in item.inputs.items():
            binds += ["--ro-bind-try", os.path.abspath(path), places[name]]
        paths = places if boxed else {name: os.path.abspath(path) for name, path in item.inputs.items()}
        seen.append({"job": dict(item.job), "inputs": paths})
    order: dict[str, Any] = {"task": task, "limits": asdict(limits), "items": seen}
    order["output"] = os.path.abspath(output) if output else None
    if not boxed:
        return [], order
    if output:
        binds += ["--bind", os.path.abspath(output), "/out"]
        order["output"] = "/out"
    box = bwrap.box(found.program, found.flags, network=False)
    box += ["--bind", str(scratch), "/tmp", *_libraries(), *binds]  # noqa: S108 - the sandbox's own
    return [*box, "--chdir", "/tmp", "--remount-ro", "/dev", "--remount-ro", "/", "--"], order  # noqa: S108


@functools.cache
def _libraries() -> tuple[str, ...]:
    """Arguments that show the interpreter and all that it can import, and nothing that lies beside it."""
    tops = {os.path.realpath(sys.prefix), sys.prefix, sys.base_prefix, os.path.dirname(sys.executable)}
    paths = [top for top in sorted(tops) if not top.startswith("/usr/") and top not in {"/", "/usr"}]
    for entry in map(Path, sys.path):
        if entry.is_absolute() and entry.is_dir() and not any(entry.is_relative_to(top) for top in tops):
            paths += [str(package.parent) for package in sorted(entry.glob("*/__init__.py"))]
    return tuple(word for path in paths for word in ("--ro-bind", path, path))


@contextlib.contextmanager
def _started(prefix: list[str], order: dict[str, Any], scratch: str) -> Generator["subprocess.Popen[bytes]"]:
    home = "/tmp" if prefix else scratch  # noqa: S108 - the sandbox's own
    environment = {"PATH": "/usr/bin:/bin", "HOME": home, "TMPDIR": home, "LANG": "C.UTF-8", **_ONE_THREAD}
    with tempfile.TemporaryFile() as told:
        told.write(json.dumps(order).encode())
        told.seek(0)
        process = subprocess.Popen(
            [*prefix, sys.executable, "-I", "-B", "-m", "reana_bridge.results.isolated"],
            stdin=told,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            cwd=scratch,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        # Everything in the sandbox dies with it.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def _answers(
    process: "subprocess.Popen[bytes]", count: int, limits: IsolationLimits
) -> tuple[list[Answer], bool]:
    found: list[Answer] = []
    for line in _lines(process, limits):
        if isinstance(line, Answer):
            return [*found, line], True
        said = json.loads(line)
        if said.get("memory"):
            return [*found, Answer(problem=f"used more than its {_size(limits.memory)} of memory")], True
        found.append(Answer(value=said.get("value"), problem=said.get("problem", "")))
        if len(found) == count:
            break
    return found, False


def _lines(process: "subprocess.Popen[bytes]", limits: IsolationLimits) -> Iterator[bytes | Answer]:
    """The lines that the process writes; where it does not go on, why that is as the last one."""
    descriptor = cast("IO[bytes]", process.stdout).fileno()
    ready = select.poll()
    ready.register(descriptor, select.POLLIN)
    said = b""
    until = time.monotonic() + limits.seconds * _WALL
    while len(said) <= limits.output:
        if not ready.poll(max(0.0, until - time.monotonic()) * 1000):
            yield Answer(problem=_too_long(limits))
            return
        piece = os.read(descriptor, 1 << 20)
        if not piece:
            yield Answer(problem=_ended(process.wait(), limits))
            return
        *lines, said = (said + piece).split(b"\n")
        for line in lines:
            yield line
            until = time.monotonic() + limits.seconds * _WALL
    yield Answer(problem=f"gives an answer of more than {_size(limits.output)}")


def _ended(status: int, limits: IsolationLimits) -> str:
    number = -status if status < 0 else status - 128
    if number == signal.SIGXCPU:
        return _too_long(limits)
    if number > 0:
        return f"takes its reader down (signal {number})"
    return f"ends its reader (exit status {status})"


def _too_long(limits: IsolationLimits) -> str:
    return f"took more than its {limits.seconds} s"


def _size(count: int) -> str:
    """Bytes for people: `1 GiB`."""
    for unit, factor in (("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)):
        if count >= factor:
            return f"{count / factor:.3g} {unit}"
    return f"{count} bytes"
