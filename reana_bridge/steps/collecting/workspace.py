"""An ended run's workspace as `collect` reads it: kept files from their copies, the rest by the backend.

Promises: nothing outside of the workspace is read, and of no file more than its limit.
"""

import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, Protocol

from reana_bridge.backends.base import Backend, OutputFile
from reana_bridge.model.globs import matches
from reana_bridge.model.results import Artifact
from reana_bridge.store.blobs import Blobs

_CHUNK = 1 << 20


def is_declared(path: str, patterns: Sequence[str]) -> bool:
    """Whether a pattern means the file `path`, or a directory that it is in."""
    parts = path.split("/")
    places = ["/".join(parts[:count]) for count in range(len(parts), 0, -1)]
    tidy = [os.path.normpath(pattern) for pattern in patterns]
    return "." in tidy or any(matches(place, [pattern]) for pattern in tidy for place in places)


class Files(Protocol):
    """Files by their paths relative to one place, as far as they may be read."""

    @property
    def paths(self) -> list[str]:
        """All of them, sorted."""
        ...

    def is_kept(self, path: str) -> bool:
        """Whether it is an output of the run, whatever the commit has there."""
        ...

    def size(self, path: str) -> int:
        """Its bytes."""
        ...

    def content(self, path: str, limit: int) -> bytes:
        """All of it.

        Raises:
            OSError: It may not be read, is gone, or has more than `limit` bytes.
        """
        ...

    def place(self, path: str, limit: int) -> Path:
        """Where it lies on this machine, for a process that is to read it.

        Raises:
            OSError: As for `content`.
        """
        ...

    def kept_at(self, artifact: Artifact) -> Path:
        """Where a kept file, or a log, lies on this machine.

        Raises:
            FileNotFoundError: It is gone.
        """
        ...


@dataclass(frozen=True, kw_only=True)
class Workspace:
    """What a run left.

    Attributes:
        backend: Where it ran.
        identity: The job there.
        blobs: Kept files.
        listed: Files of the workspace that were looked for, by path.
        kept: Those that were kept, by path.
        scratch: A directory for copies of files that were not kept.
    """

    backend: Backend
    identity: str
    blobs: Blobs
    listed: dict[str, OutputFile] = field(default_factory=dict[str, OutputFile])
    kept: dict[str, Artifact] = field(default_factory=dict[str, Artifact])
    scratch: Path

    @property
    def paths(self) -> list[str]:
        """Files that were kept or looked for, sorted."""
        return sorted({*self.kept, *self.listed})

    def is_kept(self, path: str) -> bool:
        """Whether it is an output of the run."""
        return path in self.kept

    def kept_at(self, artifact: Artifact) -> Path:
        """Where its copy lies.

        Raises:
            FileNotFoundError: It is gone.
        """
        return self.blobs.path(artifact.digest)

    def open(self, path: str) -> BinaryIO:
        """The content of a file.

        Raises:
            OSError: It may not be read, or is gone.
        """
        if path in self.kept:
            return self.blobs.open(self.kept[path].digest)
        file = self.listed.get(path)
        if file is None or file.problem:
            raise FileNotFoundError(file.problem if file else "there is no such file")
        return self.backend.read(self.identity, path)

    def content(self, path: str, limit: int) -> bytes:
        """All of a file.

        Raises:
            OSError: It may not be read, is gone, or has more than `limit` bytes.
        """
        with self.open(path) as file:
            content = BytesIO()
            while len(piece := file.read(_CHUNK)) and content.tell() <= limit:
                content.write(piece)
        if content.tell() > limit:
            raise OSError(f"more than the {limit} bytes that are read")
        return content.getvalue()

    def place(self, path: str, limit: int) -> Path:
        """Where a file lies on this machine, for a process that is to read it.

        Raises:
            OSError: As for `content`.
        """
        if path in self.kept:
            return self.kept_at(self.kept[path])
        handle, name = tempfile.mkstemp(dir=self.scratch)
        with os.fdopen(handle, "wb") as copy:
            copy.write(self.content(path, limit))
        return Path(name)

    def size(self, path: str) -> int:
        """Bytes of a file that was kept or listed."""
        return self.kept[path].size if path in self.kept else self.listed[path].size
