"""Hears from supervisors: something changed in a run. Polling stays the safety net."""

import os
import socket
import threading
from collections.abc import Callable
from pathlib import Path

from reana_bridge.backends.local.supervisor.progress import WATCHERS


class Watcher:
    """Calls `changed` with a run's name, in a thread of its own, until `stop`.

    Args:
        root: Where runs live.
        changed: Must be quick and not raise.
    """

    def __init__(self, root: Path, changed: Callable[[str], None]) -> None:
        place = root / WATCHERS
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._path = place / f"{os.getpid()}-{id(self):x}"
        self._changed = changed
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._ended = False
        # Through a descriptor, since a socket's path may not be longer than 107 bytes.
        folder = os.open(place, os.O_RDONLY | os.O_DIRECTORY)
        try:
            self._socket.bind(f"/proc/self/fd/{folder}/{self._path.name}")
        finally:
            os.close(folder)
        self._thread = threading.Thread(target=self._listen, name="local-runs", daemon=True)
        self._thread.start()

    def _listen(self) -> None:
        while not self._ended:
            name = self._socket.recv(512).decode("utf-8", "replace")
            if name and not self._ended:
                self._changed(name)

    def stop(self) -> None:
        """Hear no more."""
        self._ended = True
        self._path.unlink(missing_ok=True)
        self._socket.shutdown(socket.SHUT_RD)
        self._thread.join()
        self._socket.close()
