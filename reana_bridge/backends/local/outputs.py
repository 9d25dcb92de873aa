"""Files of a workspace, looked at without ever leaving it: a job may have left links, pipes and devices.

Every path is walked part by part from the workspace's own descriptor. A link is resolved by hand, and
only as long as it stays inside.
"""

import os
import re
import stat
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from wcmatch import glob

from reana_bridge.backends.base import OutputFile
from reana_bridge.sandbox.bwrap import WORKSPACE

MOST_FILES = 100_000
_LINKS = 40
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_KINDS = {
    stat.S_IFIFO: "a FIFO",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}
_MAGIC = re.compile(r"[*?\[]|[{!@+]\(")


class Unreadable(Exception):
    """A path may not be read; the message says why."""


def _inside(target: str, root: Path) -> str | None:
    """An absolute link's target relative to the workspace; None when it points out of it."""
    for top in (WORKSPACE, str(root)):
        if target == top or target.startswith(f"{top}/"):
            return target[len(top) :]
    return None


class _Walk:
    """From the workspace's top down a path, never out of it."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._directories = [os.open(root, _DIRECTORY)]
        self._links = 0

    def close(self) -> None:
        for descriptor in self._directories:
            os.close(descriptor)

    def _up_to(self, count: int) -> None:
        while len(self._directories) > count:
            os.close(self._directories.pop())

    def open(self, path: str) -> int:
        parts = deque(path.split("/"))
        while parts:
            part = parts.popleft()
            if part in ("", "."):
                continue
            if part == "..":
                if len(self._directories) == 1:
                    raise Unreadable("a path out of the workspace")
                self._up_to(len(self._directories) - 1)
                continue
            mode = os.stat(part, dir_fd=self._directories[-1], follow_symlinks=False).st_mode
            if stat.S_ISLNK(mode):
                self._follow(part, parts)
            elif stat.S_ISDIR(mode):
                self._directories.append(os.open(part, _DIRECTORY, dir_fd=self._directories[-1]))
            elif any(rest not in ("", ".") for rest in parts):
                raise FileNotFoundError(path)
            else:
                return self._file(part, mode)
        return os.dup(self._directories[-1])

    def _follow(self, part: str, parts: deque[str]) -> None:
        self._links += 1
        if self._links > _LINKS:
            raise Unreadable("a symbolic link that leads in a circle")
        target = os.readlink(part, dir_fd=self._directories[-1])
        if target.startswith("/"):
            inside = _inside(target, self._root)
            if inside is None:
                raise Unreadable("a symbolic link out of the workspace")
            self._up_to(1)
            target = inside
        parts.extendleft(reversed(target.split("/")))

    def _file(self, part: str, mode: int) -> int:
        if not stat.S_ISREG(mode):
            raise Unreadable(_KINDS.get(stat.S_IFMT(mode), "no regular file"))
        descriptor = os.open(part, _FILE, dir_fd=self._directories[-1])
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise Unreadable("no regular file")
        return descriptor


def open_inside(root: Path, path: str) -> int:
    """A descriptor of the regular file or directory at `path` in the workspace `root`.

    Raises:
        Unreadable: It is none, or lies outside.
        OSError: It is not there or closed.
    """
    if path.startswith("/") or "\0" in path:
        raise Unreadable("a path out of the workspace")
    walk = _Walk(root)
    try:
        return walk.open(path)
    finally:
        walk.close()


def read(root: Path, path: str) -> BinaryIO:
    """The content of the file at `path` in the workspace `root`.

    Raises:
        FileNotFoundError: It is gone, or may not be read.
    """
    try:
        descriptor = open_inside(root, path)
    except (Unreadable, OSError) as problem:
        raise FileNotFoundError(f"{path} in the workspace may not be read: {problem}") from problem
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise FileNotFoundError(f"{path} in the workspace is a directory")
    return os.fdopen(descriptor, "rb")


def find(root: Path, patterns: Sequence[str]) -> Iterator[OutputFile]:
    """The files below `root` that match any of `patterns` (path, directory or glob), by path.

    At most `MOST_FILES` are listed; one more with a problem says that there are others.
    """
    plain = [pattern for pattern in patterns if not _MAGIC.search(pattern)]
    globs = [pattern for pattern in patterns if _MAGIC.search(pattern)]
    found: dict[str, OutputFile] = {}
    for pattern in plain:
        for file in _at(root, pattern):
            found[file.path] = file
    if globs:
        matches = glob.compile(
            [pattern.removeprefix("./").rstrip("/") for pattern in globs], flags=glob.GLOBSTAR | glob.DOTGLOB
        )
        for path in _walk(root, ""):
            if path not in found and _matches(matches, path):
                found[path] = _describe(root, path)
    yield from (found[path] for path in sorted(found)[:MOST_FILES])
    if len(found) > MOST_FILES:
        yield OutputFile(path="...", size=0, problem=f"more than {MOST_FILES} files; the others are left out")


def _matches(matcher: "glob.WcMatcher[str]", path: str) -> bool:
    # A glob that matches a directory means everything in it.
    parts = path.split("/")
    return any(matcher.match("/".join(parts[:count])) for count in range(len(parts), 0, -1))


def _at(root: Path, pattern: str) -> Iterator[OutputFile]:
    path = os.path.normpath(pattern)
    try:
        descriptor = open_inside(root, pattern)
    except Unreadable as problem:
        yield OutputFile(path=path, size=0, problem=str(problem))
        return
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as problem:
        yield OutputFile(path=path, size=0, problem=f"closed to the bridge ({problem.strerror})")
        return
    status = os.fstat(descriptor)
    os.close(descriptor)
    if stat.S_ISREG(status.st_mode):
        yield OutputFile(path=path, size=status.st_size)
        return
    for below in _walk(root, "" if path == "." else path):
        yield _describe(root, below)


def _describe(root: Path, path: str) -> OutputFile:
    try:
        descriptor = open_inside(root, path)
    except Unreadable as problem:
        return OutputFile(path=path, size=0, problem=str(problem))
    except FileNotFoundError:
        return OutputFile(path=path, size=0, problem="a symbolic link to nothing")
    except OSError as problem:
        return OutputFile(path=path, size=0, problem=f"closed to the bridge ({problem.strerror})")
    status = os.fstat(descriptor)
    os.close(descriptor)
    if stat.S_ISDIR(status.st_mode):
        return OutputFile(path=path, size=0, problem="a symbolic link to a directory")
    return OutputFile(path=path, size=status.st_size)


def _walk(root: Path, top: str) -> Iterator[str]:
    """Everything below `top` but directories, in no order; links are named, not followed."""
    waiting = [top]
    count = 0
    while waiting and count <= MOST_FILES * 2:
        directory = waiting.pop()
        try:
            descriptor = open_inside(root, directory)
        except (Unreadable, OSError):  # closed to us, or a job that still runs has removed it
            continue
        try:
            with os.scandir(descriptor) as entries:
                for entry in entries:
                    count += 1
                    path = f"{directory}/{entry.name}" if directory else entry.name
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(path)
                    else:
                        yield path
        finally:
            os.close(descriptor)
