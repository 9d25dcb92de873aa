"""What an engine says of its jobs while it runs: lines of JSON, taken for what they are: said by the job.

They only ever become names and times of step records. Whether the run succeeded is decided by the
engine's exit status alone.
"""

from __future__ import annotations

import json
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from reana_bridge.backends.local.supervisor.progress import Progress

_LONGEST = 1 << 16
_MOST = 20_000


class Events:
    """Turns an engine's events into step records.

    Args:
        progress: Where the records go.
        fields: What every record says (`log`, `environment`).
    """

    def __init__(self, progress: Progress, fields: dict[str, Any]) -> None:
        self._progress = progress
        self._fields = fields
        self._rest = b""
        self._open: dict[str, dict[str, Any]] = {}
        self.failed: dict[str, Any] | None = None

    def take(self, data: bytes) -> None:
        """Take bytes as they come; lines that make no sense are left out."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        self._rest = self._rest[:_LONGEST]
        for line in lines:
            try:
                event = json.loads(line[:_LONGEST])
                self._take(event["event"], event)
            # A job can write here what it likes; the engine's exit status alone decides.
            except (ValueError, KeyError, TypeError, RecursionError):
                continue

    def _take(self, kind: str, event: dict[str, Any]) -> None:
        key = str(event["id"])[:200]
        if kind == "begin" and len(self._progress.steps) < _MOST:
            said = {
                name: str(event.get(name) or "")[:limit]
                for name, limit in (("command", 4000), ("image", 500))
            }
            environment = str(event.get("environment") or "")[:200] or self._fields["environment"]
            name = str(event["name"])[:200]
            fields = {**self._fields, **said, "environment": environment}
            self._open[key] = self._progress.begin(name, **fields)
        elif kind == "end" and key in self._open:
            status = int(event["status"])
            self._end(self._open.pop(key), status)

    def _end(self, step: dict[str, Any], status: int) -> None:
        step |= {"state": "failed" if status else "finished", "exit_status": status, "ended_at": time.time()}
        if status:
            self.failed = step
        self._progress.changed()

    def close(self, succeeded: bool) -> None:
        """The engine is over: jobs that it did not speak of again ended with it."""
        for step in self._open.values():
            step |= {"state": "finished" if succeeded else "failed", "ended_at": time.time()}
            if not succeeded and self.failed is None:
                self.failed = step
        self._open.clear()
        self._progress.changed()
