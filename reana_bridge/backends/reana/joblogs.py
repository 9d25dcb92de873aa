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
        with self._lock:
            kept = self._kept.get(workflow)
        if kept is None or self._clock() > kept.until:
            try:
                logs = calls.logs(workflow)
                content = _by_name(layout_of(calls.specification(workflow)), logs)
            except NotThere:
                content = {}
            # From its arrival on: an answer that takes long is the last one to ask for again at each piece.
            kept = self._keep(workflow, content, _SECONDS)
        return kept.content.get(step, b"")

    def ended(self, workflow: str, layout: Layout, logs: Logs) -> None:
        """Keep the logs of a workflow that has just ended: they are wanted soon, and change no more."""
        self._keep(workflow, _by_name(layout, logs), _SECONDS_ENDED)

    def _keep(self, workflow: str, content: dict[str, bytes], seconds: float) -> _Kept:
        size = sum({id(one): len(one) for one in content.values()}.values())
        kept = _Kept(until=self._clock() + seconds, content=content, size=size)
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
