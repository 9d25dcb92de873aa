"""Logs of steps: all of a workflow's come in one answer, so that is kept for a moment."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from reana_bridge.backends.reana.calls import Calls
from reana_bridge.backends.reana.errors import NotThere
from reana_bridge.backends.reana.layout import Layout, groups, layout_of
from reana_bridge.backends.reana.values import Logs

ENGINE = "engine.log"
_SECONDS, _SECONDS_ENDED = 3.0, 60.0
_WORKFLOWS = 16
_BYTES = 32 * 1024**2
"""At most so much is kept, whatever is read now aside."""


@dataclass(frozen=True, kw_only=True)
class _Kept:
    """Logs by name, `until` a time of the clock."""

    until: float
    content: dict[str, bytes]
    size: int
    job_seconds: float | None


class JobLogs:
    """What the logs of a workflow's steps hold.

    Args:
        clock: Seconds, monotonic.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._lock = threading.Lock()

    def read(self, calls: Calls, workflow: str, step: str) -> bytes:
        """The log of a step, by its name or its log's name; empty where there is none (yet).

        Raises:
            ReanaError: The server does not give it.
        """
        return self._of(calls, workflow).content.get(step, b"")

    def job_seconds(self, calls: Calls, workflow: str) -> float | None:
        """Time of all jobs of a workflow together; None where one does not say its own.

        Raises:
            ReanaError: The server does not give its logs.
        """
        return self._of(calls, workflow).job_seconds

    def ended(self, workflow: str, layout: Layout, logs: Logs) -> None:
        """Keep the logs of a workflow that has just ended: they are wanted soon, and change no more."""
        self._keep(workflow, layout, logs, _SECONDS_ENDED)

    def _of(self, calls: Calls, workflow: str) -> _Kept:
        with self._lock:
            kept = self._kept.get(workflow)
        if kept is not None and self._clock() <= kept.until:
            return kept
        try:
            logs = calls.logs(workflow)
            layout = layout_of(calls.specification(workflow)).since(logs.jobs)
        except NotThere:
            logs, layout = Logs(), Layout()
        # From its arrival on: an answer that takes long is the last one to ask for again at each piece.
        return self._keep(workflow, layout, logs, _SECONDS)

    def _keep(self, workflow: str, layout: Layout, logs: Logs, seconds: float) -> _Kept:
        content, until = _by_name(layout, logs), self._clock() + seconds
        size = sum({id(one): len(one) for one in content.values()}.values())
        kept = _Kept(until=until, content=content, size=size, job_seconds=_job_seconds(logs))
        with self._lock:
            self._kept[workflow] = kept
            self._kept.move_to_end(workflow)
            while len(self._kept) > 1 and self._is_too_much():
                self._kept.popitem(last=False)
        return kept

    def _is_too_much(self) -> bool:
        return len(self._kept) > _WORKFLOWS or sum(one.size for one in self._kept.values()) > _BYTES


def _by_name(layout: Layout, logs: Logs) -> dict[str, bytes]:
    """The log of each step, by the step's name and by the log's own."""
    found = {ENGINE: logs.engine.encode("utf-8", "replace")}
    for group in groups(layout, logs.jobs):
        texts = [job.text.rstrip("\n") for job in group.jobs if job.text.strip()]
        content = "".join(f"{text}\n" for text in texts).encode("utf-8", "replace")
        found.setdefault(group.name, content)
        found[group.log] = content
    return found


def _job_seconds(logs: Logs) -> float | None:
    spans = [
        job.ended_at - job.started_at
        for job in logs.jobs
        if job.started_at is not None and job.ended_at is not None
    ]
    return sum(spans) if spans and len(spans) == len(logs.jobs) else None
