"""What a run did so far, written where the bridge looks, and told to those who wait for it."""

from __future__ import annotations

import os
import time

from reana_bridge.backends.local.supervisor import records

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

WATCHERS = ".watchers"
_EVERY = 0.2  # seconds: many short steps are written together


def tell(directory: str) -> None:
    """Wake every process that watches the runs beside `directory`; those that are gone are forgotten."""
    name = os.path.basename(directory).encode()
    watchers = os.path.join(os.path.dirname(directory), WATCHERS)
    try:
        folder = os.open(watchers, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:  # nobody ever watched
        return
    import socket  # only here, where somebody listens: it is slow to load

    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as out:
        for entry in os.listdir(folder):
            # Through the descriptor, since a socket's path may not be longer than 107 bytes.
            address = f"/proc/self/fd/{folder}/{entry}"
            try:
                out.sendto(name, address)
            except ConnectionRefusedError:
                os.unlink(address)
            except OSError:  # its buffer is full, so it is awake already; or it has just left
                continue
    os.close(folder)


class Progress:
    """The steps of one run.

    Args:
        directory: The run's directory.
    """

    def __init__(self, directory: str) -> None:
        self._directory = directory
        self._written_at = -1.0
        self._dirty = False
        self.steps: list[dict[str, Any]] = []
        self.activity = ""
        self.environment: dict[str, str] = {}
        self.started_at: float | None = None

    def begin(self, name: str, **fields: Any) -> dict[str, Any]:
        """Add a running step; the caller changes its fields and calls `changed`."""
        step = {"name": name, "state": "running", "started_at": time.time(), **fields}
        self.steps.append(step)
        self.changed()
        return step

    def changed(self) -> None:
        """Something changed: it is written now, or within a moment when much changes."""
        self._dirty = True
        self.flush()

    def say(self, activity: str) -> None:
        """What the run does beside steps, such as `making the snakemake environment`; empty for nothing."""
        self.activity = activity
        self.changed()

    def flush(self) -> None:
        """Write what changed, unless that was done a moment ago."""
        now = time.monotonic()
        if self._dirty and now - self._written_at >= _EVERY:
            self._written_at, self._dirty = now, False
            records.write(self._directory, records.STEPS, self.record())
            tell(self._directory)

    def record(self) -> dict[str, Any]:
        """Everything so far as a plain value."""
        return {
            "steps": self.steps,
            "activity": self.activity,
            "environment": self.environment,
            "started_at": self.started_at,
        }
