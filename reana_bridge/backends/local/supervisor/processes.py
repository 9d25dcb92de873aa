"""All processes below this one, also those that tried to get away.

As a subreaper this process inherits every orphan among its descendants, so nothing that a job starts can
leave the tree: not by a double fork, not by a session of its own.
"""

from __future__ import annotations

import ctypes
import os
import signal
import time

_SET_PDEATHSIG = 1
_SET_CHILD_SUBREAPER = 36
_SET_NO_NEW_PRIVS = 38
_libc = ctypes.CDLL(None, use_errno=True)


def _prctl(option: int, value: int) -> None:
    if _libc.prctl(option, value, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), f"prctl {option} was refused")


def become_subreaper() -> None:
    """Inherit orphaned descendants instead of init.

    Raises:
        OSError: The kernel is older than Linux 3.4.
    """
    _prctl(_SET_CHILD_SUBREAPER, 1)


def die_with_parent(parent: int) -> None:
    """In a child: be killed when the parent dies."""
    _prctl(_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it died before the kernel was asked
        os._exit(1)


def forbid_new_privileges() -> None:
    """In a child: set-user-ID programs give it, and whatever it starts, no rights."""
    _prctl(_SET_NO_NEW_PRIVS, 1)


def children(pid: int) -> list[int]:
    """The children of `pid` now; empty when it is gone."""
    found: list[int] = []
    try:
        threads = os.listdir(f"/proc/{pid}/task")
    except OSError:
        return found
    for thread in threads:
        try:
            with open(f"/proc/{pid}/task/{thread}/children", "rb") as file:
                found.extend(map(int, file.read().split()))
        except OSError:  # ended between the two looks
            continue
    return found


def is_sandbox(pid: int) -> bool:
    """Whether `pid` is bubblewrap watching over a sandbox."""
    try:
        return os.path.basename(os.readlink(f"/proc/{pid}/exe")) == "bwrap"
    except OSError:  # gone, or not ours to look at
        return False


def _children_by_scan() -> dict[int, list[int]]:
    table: dict[int, list[int]] = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                with open(f"/proc/{entry}/stat", "rb") as file:
                    parent = int(file.read().rpartition(b")")[2].split()[1])
            except (OSError, IndexError):  # ended between the two looks
                continue
            table.setdefault(parent, []).append(int(entry))
    return table


_HAS_CHILDREN_FILES = os.path.exists(f"/proc/{os.getpid()}/task/{os.getpid()}/children")


def descendants(pid: int) -> list[int]:
    """Every process below `pid` now, parents before their children."""
    table = None if _HAS_CHILDREN_FILES else _children_by_scan()
    found: list[int] = []
    waiting = [pid]
    while waiting:
        parent = waiting.pop()
        below = children(parent) if table is None else table.get(parent, [])
        found.extend(below)
        waiting.extend(below)
    return found


def reap() -> dict[int, int]:
    """Take leave of every child that ended: pid -> exit status, negative for a signal."""
    ended: dict[int, int] = {}
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return ended
        if pid == 0:
            return ended
        ended[pid] = os.waitstatus_to_exitcode(status)


def count_of(uid: int) -> int:
    """Processes and threads of the user `uid` on this machine."""
    count = 0
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                if os.stat(f"/proc/{entry}").st_uid == uid:
                    count += len(os.listdir(f"/proc/{entry}/task"))
            except OSError:  # it just ended
                continue
    return count


def send(pids: list[int], number: int) -> None:
    """Send the signal `number` to each of `pids` that is still there."""
    for pid in pids:
        try:
            os.kill(pid, number)
        except (ProcessLookupError, PermissionError):  # gone, or become another user's: not ours to end
            continue


def kill_all(patience: float = 30.0) -> dict[int, int]:
    """Kill every descendant and wait until none is left: pid -> exit status of those that ended.

    Stopping them first keeps a process that forks faster than it is killed from winning.

    Raises:
        TimeoutError: Some are still there after `patience` seconds (stuck in the kernel).
    """
    ended = reap()
    until = time.monotonic() + patience
    for child in children(os.getpid()) if _HAS_CHILDREN_FILES else []:
        if is_sandbox(child):  # with its first process the kernel kills all others in it at once
            send([*children(child), child], signal.SIGKILL)
    pause = 0.0005
    while left := descendants(os.getpid()):
        if time.monotonic() > until:
            raise TimeoutError(f"{len(left)} processes of the run could not be killed, such as pid {left[0]}")
        send(left, signal.SIGSTOP)
        send(left, signal.SIGKILL)
        time.sleep(pause)
        pause = min(pause * 2, 0.05)
        ended.update(reap())
    return ended
