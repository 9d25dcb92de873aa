"""LFS files of a checkout: which files are pointers, and how the real content takes their place.

Promises: content is put in only when its size and SHA-256 are those of the pointer; a file that could not be
fetched keeps its pointer, and the checkout's report says why.
"""

import hashlib
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

SMALLEST_POINTER = 100
"""Bytes; no pointer is smaller."""

LARGEST_POINTER = 1024
"""Bytes; no pointer is larger."""

_POINTER = re.compile(
    rb"version https://git-lfs\.github\.com/spec/v1\n(?:ext-\S+ \S+\n)*"
    rb"oid sha256:([0-9a-f]{64})\nsize ([0-9]{1,18})\n"
)
_CHUNK = 1 << 20


@dataclass(frozen=True)
class Pointer:
    """What a pointer file says of the file that it stands for.

    Attributes:
        oid: SHA-256, 64 hexadecimal digits.
        size: Bytes.
    """

    oid: str
    size: int


class LfsUnavailable(Exception):
    """The content of a pointer cannot be had; the message says why and what the reader can do."""


class LfsSource(Protocol):
    """A place that has LFS content."""

    def fetch(self, pointer: Pointer, destination: Path) -> None:
        """Write the content of `pointer` to the new file `destination`.

        Raises:
            LfsUnavailable: It cannot be had.
        """
        ...


def parse_pointer(content: bytes) -> Pointer | None:
    """The pointer that `content` is; None when it is an ordinary file."""
    match = _POINTER.fullmatch(content)
    return Pointer(match[1].decode("ascii"), int(match[2])) if match else None


class LocalLfsStore:
    """The directory in which git-lfs keeps content by its SHA-256: `lfs/objects` of a repository."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def fetch(self, pointer: Pointer, destination: Path) -> None:
        """Copy the content out of the store; see `LfsSource.fetch`."""
        source = self._directory / pointer.oid[:2] / pointer.oid[2:4] / pointer.oid
        digest = hashlib.sha256()
        try:
            with source.open("rb") as content, destination.open("xb") as copy:
                if os.fstat(content.fileno()).st_size != pointer.size:
                    raise LfsUnavailable("the forge's LFS store has it with another size; push it again")
                while chunk := content.read(_CHUNK):
                    digest.update(chunk)
                    copy.write(chunk)
        except FileNotFoundError as error:
            message = "it is not in the forge's LFS store; push it with `git lfs push --all origin`"
            raise LfsUnavailable(message) from error
        if digest.hexdigest() != pointer.oid:
            raise LfsUnavailable("the forge's LFS store has it damaged; push it again")
