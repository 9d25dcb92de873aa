"""What wakes the supervisor: a child that ended, a request to cancel, the end of its tether."""

from __future__ import annotations

import os
import signal

from reana_bridge.backends.local.supervisor import records

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# Not inherited by the job as ignored: a shell cannot undo what was ignored before it.
_RESTORED = (
    signal.SIGHUP,
    signal.SIGINT,
    signal.SIGPIPE,
    signal.SIGXFSZ,
    signal.SIGTERM,
    signal.SIGCHLD,
    signal.SIGUSR1,
)


class Ended(Exception):
    """The run must end before its steps do.

    Attributes:
        state: `cancelled`, or `failed` when it was nobody's wish.
        message: One sentence.
    """

    def __init__(self, state: str, message: str) -> None:
        super().__init__(message)
        self.state = state
        self.message = message


def _nothing(*_: object) -> None:
    """That the signal came is enough: it wakes us."""


def restore_signals() -> None:
    """In a child, before it becomes the job's program: every signal does again what it does by default."""
    signal.set_wakeup_fd(-1)
    for number in _RESTORED:
        signal.signal(number, signal.SIG_DFL)


class Wake:
    """Turns signals into a readable descriptor, and knows whether the run should end.

    Args:
        directory: The run's directory; a file `cancel` in it asks for the end.
        tether: Identity of the process that the run may not outlive; None for a run that stands alone.
    """

    def __init__(self, directory: str, tether: dict[str, Any] | None) -> None:
        self._directory = directory
        self._tether = tether
        self._terminated = False
        self.descriptor, writer = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
        for number in (signal.SIGHUP, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
        for number in (signal.SIGCHLD, signal.SIGUSR1):
            signal.signal(number, _nothing)
        signal.signal(signal.SIGTERM, self._terminate)

    def _terminate(self, *_: object) -> None:
        self._terminated = True

    def clear(self) -> None:
        """Forget the signals that woke us; what they mean is looked up, not counted."""
        try:
            while os.read(self.descriptor, 4096):
                pass
        except BlockingIOError:
            return

    def check(self) -> None:
        """Go on unless the run should end.

        Raises:
            Ended: It was cancelled, this machine is shutting down, or its owner is gone.
        """
        if records.exists(self._directory, records.CANCEL):
            raise Ended("cancelled", "cancelled")
        if self._terminated:
            raise Ended("failed", "the supervisor was told to stop, probably because the machine shuts down")
        if self._tether is not None and not records.is_alive(self._tether):
            raise Ended("cancelled", "the program that started the run is gone")
