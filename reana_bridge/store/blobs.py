"""Kept files, by their content: `ab/cdef...` under one directory that all replicas share.

Promises: a file is there whole or not at all (written aside, synced, renamed); the same content is kept
once; nothing outside of the directory is ever named.
"""

import hashlib
import os
import re
import secrets
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

_DIGEST = re.compile(r"[0-9a-f]{64}")
_CHUNK = 1 << 20


class TooLarge(Exception):
    """The content is longer than allowed; nothing was kept."""


@dataclass(frozen=True)
class Blob:
    """What was kept: SHA-256 of the content (hexadecimal) and its size in bytes."""

    digest: str
    size: int


class Blobs:
    """The directory of kept files.

    Args:
        root: Made when absent.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        (root / "incoming").mkdir(parents=True, exist_ok=True)

    def put(self, source: BinaryIO, *, limit: int) -> Blob:
        """Keep what can be read from `source`, at most `limit` bytes.

        Raises:
            TooLarge: There is more than that.
            OSError: The disk did not take it.
        """
        aside = self.root / "incoming" / secrets.token_hex(16)
        try:
            with open(aside, "xb") as file:
                blob = _copy(source, file, limit)
                target = self._path(blob.digest)
                if not target.exists():
                    file.flush()
                    os.fsync(file.fileno())
            if target.exists():
                os.utime(target)  # young again, so that what nothing names yet is not taken for a leftover
            else:
                target.parent.mkdir(exist_ok=True)
                os.replace(aside, target)
        finally:
            aside.unlink(missing_ok=True)
        return blob

    def open(self, digest: str) -> BinaryIO:
        """The content with this digest.

        Raises:
            FileNotFoundError: There is none.
        """
        return open(self._path(digest), "rb")

    def path(self, digest: str) -> Path:
        """Where the content with this digest lies, for a process that is to read it.

        Raises:
            FileNotFoundError: There is none.
        """
        path = self._path(digest)
        if not path.is_file():
            raise FileNotFoundError(f"there is no content with the digest {digest}")
        return path

    def read(self, digest: str, limit: int = 16 << 20) -> bytes:
        """At most `limit` bytes of the content with this digest; FileNotFoundError where there is none."""
        with self.open(digest) as file:
            return file.read(limit)

    def remove(self, digest: str) -> None:
        """Drop the content with this digest, if it is there."""
        self._path(digest).unlink(missing_ok=True)

    def age(self, digest: str, now: float) -> float:
        """Seconds since the content with this digest was kept, or kept again; 0 where there is none."""
        try:
            return now - self._path(digest).stat().st_mtime
        except FileNotFoundError:
            return 0.0

    def free(self) -> int:
        """Bytes that are free on its disk."""
        return shutil.disk_usage(self.root).free

    def clean(self, *, older_than: float) -> None:
        """Drop what crashes left half-written before `older_than` (seconds since the epoch)."""
        for aside in (self.root / "incoming").iterdir():
            if aside.stat().st_mtime < older_than:
                aside.unlink(missing_ok=True)

    def digests(self) -> Iterator[str]:
        """Everything that is kept."""
        directories: Iterable[Path] = (d for d in self.root.iterdir() if len(d.name) == 2)
        for directory in directories:
            yield from (directory.name + file.name for file in directory.iterdir())

    def _path(self, digest: str) -> Path:
        if not _DIGEST.fullmatch(digest):
            raise FileNotFoundError(f"{digest!r} is not a digest")
        return self.root / digest[:2] / digest[2:]


def _copy(source: BinaryIO, target: BinaryIO, limit: int) -> Blob:
    digest = hashlib.sha256()
    size = 0
    while chunk := source.read(_CHUNK):
        size += len(chunk)
        if size > limit:
            raise TooLarge(f"more than {limit} bytes")
        digest.update(chunk)
        target.write(chunk)
    return Blob(digest.hexdigest(), size)
