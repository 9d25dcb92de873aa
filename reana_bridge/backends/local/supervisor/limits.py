"""What a run may use, looked at while it runs: time, memory, processes, disk.

Looks are spaced by what they cost, so that the supervisor itself stays below a few percent of one core.
"""

from __future__ import annotations

import os
import time

from reana_bridge.backends.local.supervisor.log import size
from reana_bridge.backends.local.supervisor.processes import descendants
from reana_bridge.backends.local.supervisor.trees import usage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_PAGE = os.sysconf("SC_PAGE_SIZE")


def duration(seconds: float) -> str:
    """`seconds` for a person: `0.5 s`, `90 s`, `20 min`, `3 h`."""
    if seconds < 120:
        return f"{seconds:g} s"
    return f"{seconds / 60:.3g} min" if seconds < 7200 else f"{seconds / 3600:.3g} h"


def _resident(pid: int) -> int:
    try:
        with open(f"/proc/{pid}/statm", "rb") as file:
            return int(file.read().split()[1]) * _PAGE
    except (OSError, IndexError):
        return 0


def _proportional(pid: int) -> int:
    try:
        with open(f"/proc/{pid}/smaps_rollup", "rb") as file:
            for line in file:
                if line.startswith(b"Pss:"):
                    return int(line.split()[1]) * 1024
    except OSError:
        return 0
    return 0


def memory(pids: list[int], enough: int) -> int:
    """Bytes that `pids` use together; pages that they share are counted once when it comes to `enough`."""
    plain = sum(map(_resident, pids))
    return plain if plain <= enough else sum(map(_proportional, pids))


def _threads(pid: int) -> int:
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return int(file.read().rpartition(b")")[2].split()[17])
    except (OSError, IndexError):
        return 0


class DiskFull(OSError):
    """The disk under the workspaces is full, though the job kept its own limit."""


class Watch:
    """Looks at one run.

    Args:
        limits: The job's limits; None for no limit.
        directories: Where the job may write.
        minimum_free: Bytes that must stay free on the disk under them.
    """

    def __init__(self, limits: dict[str, Any], directories: list[str], minimum_free: int) -> None:
        self._limits = limits
        self._directories = directories
        self._minimum_free = minimum_free
        self._ends_at: float | None = None
        self._started_at = 0.0
        self.urgent = False
        self._processes_at = self._disk_at = 0.0

    def start(self) -> None:
        """The first step starts now: the wall time counts from here."""
        self._started_at = now = time.monotonic()
        if self._limits["seconds"] is not None:
            self._ends_at = now + self._limits["seconds"]
        self._processes_at = now + 0.02
        self._disk_at = now + 0.2

    def wait(self) -> float:
        """Seconds until the next look is due."""
        next_at = min(self._processes_at, self._disk_at)
        if self._ends_at is not None:
            next_at = min(next_at, self._ends_at)
        return max(0.0, next_at - time.monotonic())

    def look(self) -> str:
        """Which limit is broken, for a person (`used more than its ...`); empty for none.

        `urgent` says whether it can wait until the job has ended itself: a fork bomb cannot.

        Raises:
            DiskFull: Less than half of `minimum_free` is left, whoever took it.
        """
        now = time.monotonic()
        if self._ends_at is not None and now >= self._ends_at:
            return f"took longer than its {duration(self._limits['seconds'])}"
        broken = ""
        if now >= self._processes_at:
            broken = self._look_at_processes()
            cost = time.monotonic() - now
            # Most that goes wrong goes wrong early.
            pause = 0.05 if now - self._started_at < 2.0 else 0.1
            self._processes_at = time.monotonic() + min(max(pause, 30 * cost), 2.0)
        if not broken and now >= self._disk_at:
            before = time.monotonic()
            broken = self.look_at_disk()
            if not broken and (full := self.disk_is_full(self._minimum_free // 2)):
                raise DiskFull(full)
            cost = time.monotonic() - before
            self._disk_at = time.monotonic() + min(max(0.25, 40 * cost), 15.0)
        self.urgent = bool(broken)
        return broken

    def _look_at_processes(self) -> str:
        pids = descendants(os.getpid())
        processes, memory_limit = self._limits["processes"], self._limits["memory"]
        if processes is not None and (len(pids) > processes or sum(map(_threads, pids)) > processes):
            return f"started more than its {processes} processes and threads"
        if memory_limit is not None and memory(pids, memory_limit) > memory_limit:
            return f"used more than its {size(memory_limit)} of memory"
        return ""

    def look_at_disk(self) -> str:
        """The same for the disk alone, at once."""
        disk = self._limits["disk"]
        if disk is not None:
            try:
                found = [usage(directory) for directory in self._directories]
            except RecursionError:
                return "made directories in the workspace that are nested too deep"
            if sum(used for used, _ in found) >= disk or max(longest for _, longest in found) >= disk:
                return f"used more than its {size(disk)} of disk in the workspace"
        return ""

    def disk_is_full(self, wanted: int | None = None) -> str:
        """Why nothing more can be written, though the job kept its limit; empty while there is room."""
        if not self._directories:
            return ""
        status = os.statvfs(self._directories[0])
        free = status.f_bavail * status.f_frsize
        if free < (self._minimum_free if wanted is None else wanted):
            total = status.f_blocks * status.f_frsize
            return f"the disk under the workspaces is full: {size(free)} are left of {size(total)}"
        return ""
