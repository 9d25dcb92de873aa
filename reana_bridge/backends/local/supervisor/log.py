"""A step's log with a cap: its beginning and its end are kept, the middle is counted and left out.

The beginning goes to the file at once, so that it can be read live; the end waits in memory until the
step is over. Bytes are kept as they came.
"""

from __future__ import annotations

import os
import re

_CONTROL = re.compile(
    r"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?|[\x00-\x08\x0b-\x1f\x7f-\x9f]"
)

_END = 65536  # bytes that are looked at for the last lines


def size(count: float) -> str:
    """`count` bytes for a person: `512 MiB`, `1.2 GiB`."""
    for unit in ("bytes", "KiB", "MiB", "GiB"):
        if count < 1024:
            return f"{count:.0f} {unit}" if unit == "bytes" or count >= 100 else f"{count:.3g} {unit}"
        count /= 1024
    return f"{count:.3g} TiB"


def clean_lines(data: bytes, count: int, width: int = 500) -> list[str]:
    """The last `count` lines of `data` as text: no control characters, at most `width` characters each."""
    text = data.decode("utf-8", "replace").replace("\r\n", "\n")
    lines = [
        _CONTROL.sub("", line.rstrip("\r").rpartition("\r")[2].expandtabs()) for line in text.split("\n")
    ]
    short = [line if len(line) <= width else line[: width - 1] + "…" for line in lines]
    return [line for line in short if line.strip()][-count:]


class Log:
    """Takes whatever a step prints.

    Args:
        path: The file; made anew.
        cap: Bytes that are kept.
    """

    def __init__(self, path: str, cap: int) -> None:
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        self._head_left = cap // 2
        self._tail_cap = cap - cap // 2
        self._head_end = b""
        self._tail = bytearray()
        self._left_out = 0

    def write(self, data: bytes) -> None:
        """Keep `data`, or count it as left out.

        Raises:
            OSError: The log cannot be written (the disk is full).
        """
        if self._head_left:
            head, data = data[: self._head_left], data[self._head_left :]
            self._head_left -= len(head)
            self._head_end = (self._head_end + head)[-_END:]
            self._put(head)
        self._tail += data
        if len(self._tail) > 2 * self._tail_cap:  # seldom, so that each byte is moved about once
            self._trim()

    def _trim(self) -> None:
        surplus = max(0, len(self._tail) - self._tail_cap)
        self._left_out += surplus
        del self._tail[:surplus]

    def _put(self, data: bytes) -> None:
        while data:
            data = data[os.write(self._descriptor, data) :]

    def last_lines(self, count: int = 20) -> list[str]:
        """The last lines as text, without control characters."""
        end = bytes(self._tail[-_END:])
        return clean_lines(end if self._left_out else (self._head_end + end)[-_END:], count)

    def close(self) -> None:
        """Write the kept end; nothing may be written afterwards."""
        self._trim()
        try:
            if self._left_out:
                self._put(f"\n... {size(self._left_out)} left out ...\n".encode())
            self._put(bytes(self._tail))
        finally:
            os.close(self._descriptor)
