"""Trees that a job left: measured and removed, however deep, closed or odd they are."""

from __future__ import annotations

import errno
import os


def remove_tree(path: str) -> None:
    """Remove `path` and everything in it; nothing happens when it is not there. Links are not followed.

    Directories are taken up to the top one by one, so that no depth is too deep; those that were closed
    to their owner are opened first.

    Raises:
        OSError: Something could not be removed.
    """
    try:
        _empty(path)
        os.rmdir(path)
    except FileNotFoundError:
        return
    except NotADirectoryError:
        os.unlink(path)


def _empty(path: str) -> None:
    if not os.path.islink(path) and os.path.isdir(path) and not os.access(path, os.R_OK | os.W_OK | os.X_OK):
        os.chmod(path, 0o700)
    top = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        waiting = _clear(top, top, 0)
        count = len(waiting)
        while waiting:
            name = waiting.pop()
            below = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=top)
            try:
                moved = _clear(below, top, count)
            finally:
                os.close(below)
            count += len(moved)
            waiting += moved
            os.rmdir(name, dir_fd=top)
    finally:
        os.close(top)


def _clear(directory: int, top: int, count: int) -> list[str]:
    """Unlink all files in `directory` and bring its directories to `top`; their new names there."""
    moved: list[str] = []
    with os.scandir(directory) as scan:
        entries = list(scan)
    for entry in entries:
        if not entry.is_dir(follow_symlinks=False):
            os.unlink(entry.name, dir_fd=directory)
            continue
        os.chmod(entry.name, 0o700, dir_fd=directory)
        name = f".removed-{os.getpid()}-{count + len(moved)}"
        os.rename(entry.name, name, src_dir_fd=directory, dst_dir_fd=top)
        moved.append(name)
    return moved


def usage(directory: str) -> tuple[int, int]:
    """Bytes on the disk below `directory`, and the length of its longest file. Links are not followed.

    Raises:
        RecursionError: Directories are nested deeper than a path can be long.
    """
    total = longest = 0
    waiting = [directory]
    while waiting:
        try:
            entries = os.scandir(waiting.pop())
        except OSError as problem:
            _check_depth(problem)
            continue  # removed meanwhile, or closed to us: the free space of the disk is watched too
        with entries:
            for entry in entries:
                try:
                    status = entry.stat(follow_symlinks=False)
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
                except OSError as problem:
                    _check_depth(problem)
                    continue
                total += status.st_blocks * 512
                longest = max(longest, status.st_size if entry.is_file(follow_symlinks=False) else 0)
    return total, longest


def _check_depth(problem: OSError) -> None:
    if problem.errno == errno.ENAMETOOLONG:
        raise RecursionError("directories are nested too deep") from problem
