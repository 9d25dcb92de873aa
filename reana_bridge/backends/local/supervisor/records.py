"""A run's directory: what lies where, how a record is written, and how a process is known again.

Records are replaced atomically, so that a reader sees the old one or the new one. A process is known by
its pid, its start time and the boot it belongs to, so that a reused pid is never taken for it.
"""

from __future__ import annotations

import fcntl
import json
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

JOB = "job.json"
LOCK = "lock"
SUPERVISOR = "supervisor.json"
STEPS = "steps.json"
EXIT = "exit.json"
CANCEL = "cancel"
LOGS = "logs"
WORKSPACE = "workspace"
TEMPORARY = "tmp"


def write(directory: str, name: str, value: Any, *, durable: bool = False) -> None:
    """Replace the record `name` in `directory` by `value`; `durable` waits until it is on the disk.

    Raises:
        OSError: It could not be written; the old record is as it was.
    """
    path = os.path.join(directory, name)
    draft = f"{path}.{os.getpid()}.new"
    try:
        with open(draft, "w", encoding="utf-8") as file:
            json.dump(value, file, separators=(",", ":"))
            if durable:
                file.flush()
                os.fsync(file.fileno())
        os.replace(draft, path)
    except OSError:
        _remove(draft)
        raise
    if durable:
        _sync_directory(directory)


def _remove(path: str) -> None:
    try:
        os.unlink(path)
    except FileNotFoundError:
        return


def _sync_directory(directory: str) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read(directory: str, name: str) -> Any | None:
    """The record `name` in `directory`; None where there is none or it cannot be understood."""
    try:
        with open(os.path.join(directory, name), encoding="utf-8") as file:
            return json.load(file)
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return None


def exists(directory: str, name: str) -> bool:
    """Whether `directory` has the record `name`."""
    return os.path.exists(os.path.join(directory, name))


def boot_id() -> str:
    """The kernel's name for this boot; empty where it has none."""
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            return file.read().strip()
    except OSError:
        return ""


def start_time(pid: int) -> str:
    """When `pid` was started, in clock ticks since the boot; empty when it is gone or a zombie."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
    except OSError:
        return ""
    return "" if fields[0] in (b"Z", b"X") else fields[19].decode("ascii")


def identity_of(pid: int) -> dict[str, Any]:
    """What `pid` can be known by later: its pid, start time and boot."""
    return {"pid": pid, "start": start_time(pid), "boot": boot_id()}


def is_alive(identity: dict[str, Any]) -> bool:
    """Whether the very process that `identity` was taken of still runs."""
    start = start_time(int(identity["pid"]))
    return bool(start) and start == identity["start"] and boot_id() == identity["boot"]


def try_lock(directory: str) -> int | None:
    """Take the lock on a run's directory; the descriptor that holds it, or None when another has it.

    Raises:
        OSError: There is no such directory.
    """
    descriptor = os.open(os.path.join(directory, LOCK), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor
