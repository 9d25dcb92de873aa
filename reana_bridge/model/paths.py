"""Paths that a repository's files name: relative to the workspace, and never out of it."""

import posixpath
import re

MAX_PATH = 1024

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def path_mistake(path: str) -> str:
    """What is wrong with a `path` or glob inside a workspace, one clause; empty when nothing is."""
    if not path.strip():
        return "is an empty path"
    if len(path) > MAX_PATH:
        return f"is a path of {len(path)} characters; at most {MAX_PATH} are allowed"
    if _CONTROL.search(path):
        return "is a path with a line break or a control character"
    if path.startswith(("/", "~")) or re.match(r"[A-Za-z]:[\\/]", path):
        return "is an absolute path"
    if ".." in path.replace("\\", "/").split("/"):
        return "is a path that leaves the workspace by `..`"
    return ""


def tidy_path(path: str) -> str:
    """`path` without `./`, doubled or final slashes: `./results//x/` becomes `results/x`."""
    return posixpath.normpath(path)
