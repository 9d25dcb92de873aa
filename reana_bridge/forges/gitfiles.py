"""Files of a commit and the commit itself out of a cache: many by one git, and nothing twice.

Promises: only whole commit ids are taken; sizes have limits. A commit never changes, so what was read of it
lately is kept in memory, within a bound.
"""

import re
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from threading import Lock

from reana_bridge.forges.base import CommitGone, ForgeRefused
from reana_bridge.forges.checkout import TooLarge
from reana_bridge.forges.gitcache import has_commit, is_fetched, require_sha
from reana_bridge.forges.gitcommand import OutputTooLarge, run_git

COMMIT_LIMIT = 256 * 1024
"""Bytes of a commit (its parents, signatures and message) that are read."""

_HEADER = 200
# What `cat-file` says before an object; anything else says that there is none.
_ENTRY = re.compile(rb"[0-9a-f]{40,64} ([a-z]+) ([0-9]+)")
# What it says of a link that leads nowhere inside the commit: so many bytes follow, which name the place.
_ASTRAY = re.compile(rb"(?:dangling|loop|notdir|symlink) ([0-9]+)")


@dataclass(frozen=True)
class _Object:
    """An object as git gives it: `content` is shorter than `size` where the output was cut off."""

    kind: bytes
    size: int
    content: bytes

    @property
    def is_whole(self) -> bool:
        return self.size == len(self.content)


class _Memory:
    """The contents that were read last, `most` bytes of them; for any number of threads."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._held = 0
        self._contents: OrderedDict[tuple[Path, str, str], bytes | None] = OrderedDict()
        self._lock = Lock()

    def find(self, cache: Path, sha: str, path: str) -> tuple[bytes | None] | None:
        """The content in a tuple (None in it: there is no such file); None where nothing is known."""
        with self._lock:
            key = (cache, sha, path)
            if key not in self._contents:
                return None
            self._contents.move_to_end(key)
            return (self._contents[key],)

    def keep(self, cache: Path, sha: str, path: str, content: bytes | None) -> None:
        """Remember the content, and forget the oldest ones where they are too many."""
        with self._lock:
            self._forget((cache, sha, path))
            self._contents[cache, sha, path] = content
            self._held += _weight(content)
            while self._held > self._most:
                self._forget(next(iter(self._contents)))

    def _forget(self, key: tuple[Path, str, str]) -> None:
        if key in self._contents:
            self._held -= _weight(self._contents.pop(key))


def _weight(content: bytes | None) -> int:
    return len(content or b"") + _HEADER


_memory = _Memory(4 * 1024**2)


def foresee(cache: Path, sha: str, paths: Sequence[str], limit: int) -> None:
    """Read the commit and its files `paths` by one git, for `raw_commit` and `read_file` to find.

    Args:
        cache: The bare repository.
        sha: The commit.
        paths: As for `read_file`; those that cannot be are left out.
        limit: Bytes that each file may have.
    """
    require_sha(sha)
    places = [place for path in dict.fromkeys(paths) if (place := _place(path)) is not None]
    if all(_memory.find(cache, sha, place) for place in ("", *places)):
        return
    limits = {"": COMMIT_LIMIT, **dict.fromkeys(places, limit)}
    for place, found in zip(limits, _objects(cache, sha, limits), strict=False):
        if place:
            _keep(cache, sha, place, found)
        elif found is not None and found.is_whole and found.kind == b"commit":
            _memory.keep(cache, sha, "", found.content)


def read_file(cache: Path, sha: str, path: str, limit: int) -> bytes | None:
    """The content of the file `path` at the commit, through symbolic links inside the commit.

    Args:
        cache: The bare repository.
        sha: The commit.
        path: Relative to the repository, with `/`.
        limit: Bytes that it may have.

    Returns:
        None where the commit has no such file.

    Raises:
        CommitGone: The cache does not hold the commit.
        TooLarge: The file is larger than `limit`.
        ForgeRefused: `path` holds a line break or nothing at all.
    """
    require_sha(sha)
    if not path or "\n" in path or "\0" in path:
        raise ForgeRefused(f"{path!r} is not a path that can be read")
    place = _place(path)
    if place is None:
        return None
    known = _memory.find(cache, sha, place)
    if known is not None:
        return _within(known[0], len(known[0] or b""), limit, f"{place} at {sha[:7]}")
    found = next(_objects(cache, sha, {place: limit}), None)
    if found is None and not is_fetched(cache, sha) and not has_commit(cache, sha):
        raise gone(cache, sha)
    _keep(cache, sha, place, found)
    if found is None or found.kind != b"blob":
        return None
    return _within(found.content, found.size, limit, f"{place} at {sha[:7]}")


def raw_commit(cache: Path, sha: str) -> bytes:
    """The commit as git keeps it, at most `COMMIT_LIMIT` bytes: lines on it, an empty one, its message.

    Raises:
        CommitGone: The cache does not hold the commit.
    """
    known = _memory.find(cache, require_sha(sha), "")
    if known and known[0] is not None:
        return known[0]
    found = next(_objects(cache, sha, {"": COMMIT_LIMIT}), None)
    if found is None or found.kind != b"commit":
        raise gone(cache, sha)
    return found.content[:COMMIT_LIMIT]


def gone(cache: Path, sha: str) -> CommitGone:
    """What to raise of a commit that the cache does not hold."""
    return CommitGone(f"{cache.name} does not hold the commit {sha}; it was never fetched, or is gone")


def _place(path: str) -> str | None:
    """The path as git knows it; None where there can be no file."""
    place = PurePosixPath(path)
    if not place.parts or place.is_absolute() or ".." in place.parts or "\n" in path or "\0" in path:
        return None
    return str(place)


def _keep(cache: Path, sha: str, place: str, found: _Object | None) -> None:
    """Remember the file; that there is none only of a commit which is here with all that it holds."""
    if found is not None and found.kind == b"blob":
        if found.is_whole:
            _memory.keep(cache, sha, place, found.content)
    elif is_fetched(cache, sha):
        _memory.keep(cache, sha, place, None)


def _within(content: bytes | None, size: int, limit: int, what: str) -> bytes | None:
    if size > limit:
        raise TooLarge(f"{what} has {size} bytes; at most {limit} are read")
    return content


def _objects(cache: Path, sha: str, limits: dict[str, int]) -> Iterator[_Object | None]:
    """What is at each path (the commit itself at the empty one), None for nothing; fewer if it is too much.

    Args:
        cache: The bare repository.
        sha: The commit.
        limits: Path -> bytes that it may have.
    """
    names = [f"{sha}:{path}" if path else sha for path in limits]
    data = "".join(f"{name}\n" for name in names).encode("utf-8", "surrogateescape")
    arguments = ["cat-file", "--batch", "--follow-symlinks"]
    most = sum(limits.values()) + sum(_HEADER + len(name) for name in names)
    try:
        _, output = run_git(arguments, directory=cache, data=data, limit=most)
    except OutputTooLarge as large:
        output = large.partial
    at = 0
    while (end := output.find(b"\n", at)) >= 0:
        header, at = output[at:end], end + 1
        entry, astray = _ENTRY.fullmatch(header), _ASTRAY.fullmatch(header)
        if entry is not None:
            size = int(entry[2])
            yield _Object(entry[1], size, output[at : at + size])
            at += size + 1
        else:
            yield None
            at += int(astray[1]) + 1 if astray else 0
