"""Logs of steps: all of a workflow's come in one answer, so that is kept for a moment."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable

from reana_bridge.backends.reana.calls import Calls
from reana_bridge.backends.reana.errors import NotThere
from reana_bridge.backends.reana.layout import groups, layout_of

ENGINE = "engine.log"
_SECONDS = 3.0
_WORKFLOWS = 4


class JobLogs:
    """What the logs of a workflow's steps hold.

    Args:
        clock: Seconds, monotonic.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._kept: OrderedDict[str, tuple[float, dict[str, bytes]]] = OrderedDict()
        self._lock = threading.Lock()

    def read(self, calls: Calls, workflow: str, step: str) -> bytes:
        """The log of a step, by its name or its log's name; empty where there is none (yet).

        Raises:
            ReanaError: The server does not give it.
        """
        with self._lock:
            kept = self._kept.get(workflow)
        if kept is None or self._clock() - kept[0] > _SECONDS:
            content = self._fetch(calls, workflow)
            # From its arrival on: an answer that takes long is the last one to ask for again at each piece.
            kept = (self._clock(), content)
            with self._lock:
                self._kept[workflow] = kept
                self._kept.move_to_end(workflow)
                while len(self._kept) > _WORKFLOWS:
                    self._kept.popitem(last=False)
        return kept[1].get(step, b"")

    def _fetch(self, calls: Calls, workflow: str) -> dict[str, bytes]:
        try:
            logs = calls.logs(workflow)
            layout = layout_of(calls.specification(workflow))
        except NotThere:
            return {}
        found = {ENGINE: logs.engine.encode("utf-8", "replace")}
        for group in groups(layout, logs.jobs):
            texts = [job.text.rstrip("\n") for job in group.jobs if job.text.strip()]
            content = "".join(f"{text}\n" for text in texts).encode("utf-8", "replace")
            found.setdefault(group.name, content)
            found[group.log] = content
        return found
