"""A workspace's files: which match, and what is in them, verified against the server's own list.

A download tells no length, so one that broke off looks whole; it counts only with the size that was listed.
"""

import tempfile
import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from typing import IO, BinaryIO, cast

import httpx

from reana_bridge.backends.base import BackendError, OutputFile
from reana_bridge.backends.reana.calls import Calls
from reana_bridge.backends.reana.errors import Away, NotThere
from reana_bridge.model.globs import matches
from reana_bridge.model.paths import path_mistake, tidy_path

MOST_FILES = 100_000
_IN_MEMORY = 8 * 1024**2
_PIECE = 256 * 1024
_WORKSPACES = 16
_WILD = frozenset("*?[")


class Outputs:
    """Files of the workspaces of one server; remembers the sizes of those that were listed last."""

    def __init__(self) -> None:
        self._sizes: OrderedDict[str, dict[str, int]] = OrderedDict()
        self._lock = threading.Lock()

    def find(self, calls: Calls, workflow: str, patterns: Sequence[str]) -> Iterator[OutputFile]:
        """The files that match any of `patterns` (path, directory or glob), by path.

        Raises:
            ReanaError: The server does not list them.
        """
        sizes = self._list(calls, workflow)
        tidied = [tidy_path(pattern) for pattern in patterns]
        plain = set(tidied)
        # A first `!` would take away, which an output's name does not mean.
        globs = [pattern for pattern in tidied if _WILD & set(pattern) and not pattern.startswith("!")]
        for path in sorted(sizes):
            if _matches(path, plain, globs):
                yield OutputFile(path=path, size=sizes[path], problem=_problem(path))
        if len(sizes) >= MOST_FILES:
            reason = f"the workspace has {MOST_FILES} files or more; the others are left out"
            yield OutputFile(path="...", size=0, problem=reason)

    def _list(self, calls: Calls, workflow: str) -> dict[str, int]:
        try:
            found = {file.path: file.size for file in calls.files(workflow, most=MOST_FILES)}
        except NotThere:
            return {}
        with self._lock:
            self._sizes[workflow] = found
            self._sizes.move_to_end(workflow)
            while len(self._sizes) > _WORKSPACES:
                self._sizes.popitem(last=False)
        return found

    def read(self, calls: Calls, workflow: str, path: str) -> BinaryIO:
        """The content of one file.

        Raises:
            FileNotFoundError: It is gone, or may not be read.
            BackendError: It did not come as a whole.
        """
        if _problem(path):
            raise FileNotFoundError(f"{path} in the workspace may not be read: {_problem(path)}")
        with self._lock:
            sizes = self._sizes.get(workflow)
        sizes = self._list(calls, workflow) if sizes is None else sizes
        if path not in sizes:
            raise FileNotFoundError(f"there is no {path} in the workspace")
        for last in (False, True):
            found = self._once(calls, workflow, path, sizes[path], last=last)
            if found is not None:
                return found
            # It may have changed since, or the answer broke off.
            sizes = self._list(calls, workflow)
            if path not in sizes:
                raise FileNotFoundError(f"there is no {path} in the workspace any more")
        raise BackendError(f"REANA does not give {path} as a whole: {sizes[path]} bytes were listed")

    def _once(self, calls: Calls, workflow: str, path: str, size: int, *, last: bool) -> BinaryIO | None:
        file = tempfile.SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115 - the caller's to close
        try:
            with calls.download(workflow, path) as answer:
                whole = _copy(answer, file, size)
        except NotThere:
            file.close()
            raise FileNotFoundError(f"there is no {path} in the workspace") from None
        except Away as error:
            file.close()
            if last or not error.sent:
                raise
            return None
        except BaseException:
            file.close()
            raise
        if not whole:
            file.close()
            return None
        file.seek(0)
        return cast(BinaryIO, file)


def _copy(answer: httpx.Response, file: IO[bytes], size: int) -> bool:
    """Whether exactly `size` bytes came; no more are taken."""
    left = size
    for piece in answer.iter_bytes(_PIECE):
        left -= len(piece)
        if left < 0:
            return False
        file.write(piece)
    return left == 0


def _problem(path: str) -> str:
    if _WILD & set(path):
        return "its name has `*`, `?` or `[` in it, which REANA takes for a pattern"
    mistake = path_mistake(path)
    return f"its name {mistake}" if mistake else ""


def _matches(path: str, plain: set[str], globs: Sequence[str]) -> bool:
    """Whether a pattern means this file, or a directory that it is in."""
    parts = path.split("/")
    places = ["/".join(parts[:count]) for count in range(len(parts), 0, -1)]
    if "." in plain or not plain.isdisjoint(places):
        return True
    return any(matches(place, [pattern]) for pattern in globs for place in places)
