"""Globs for branches, tags, labels and paths: matching takes time in proportion to the text, for any pattern.

`*` and `?` and `[...]` stay within one name, `**` alone between slashes crosses them, a final `/` stands for
everything below, a first `!` takes away. (General glob libraries translate `**` to backtracking regular
expressions; patterns come from repositories, so that would let one push occupy the server.)
"""

import fnmatch
import re
from collections.abc import Iterable
from functools import lru_cache

MAX_GLOB = 200
MAX_PARTS = 20

_Compiled = tuple[re.Pattern[str] | None, ...]


def glob_mistake(glob: str) -> str:
    """What is wrong with `glob`, one clause; empty when nothing is."""
    body = glob.removeprefix("!")
    parts = body.split("/")
    if not body.strip():
        return "is an empty pattern"
    if len(glob) > MAX_GLOB or len(parts) > MAX_PARTS:
        return f"is a pattern of more than {MAX_GLOB} characters or {MAX_PARTS} names between slashes"
    if not glob.isprintable():
        return "is a pattern with a line break or a control character"
    if body.startswith("/"):
        return "is a pattern that begins with `/`; patterns count from the top without it"
    if ".." in parts:
        return "is a pattern with `..`"
    if any("**" in part and part != "**" for part in parts):
        return "is a pattern with `**` beside other characters; it crosses slashes only alone between them"
    return ""


def matches(text: str, globs: Iterable[str]) -> bool:
    """Whether `text` matches one of the `globs` and none of those with a first `!`.

    No globs at all match everything, and so does everything else where all begin with `!`.
    """
    globs = tuple(globs)
    wanted = [glob for glob in globs if not glob.startswith("!")]
    refused = [glob[1:] for glob in globs if glob.startswith("!")]
    if any(_match(text, glob) for glob in refused):
        return False
    return not wanted or any(_match(text, glob) for glob in wanted)


def _match(text: str, glob: str) -> bool:
    names = text.split("/")
    reached = {0}
    for part in _compiled(glob):
        if part is None:
            reached = set(range(min(reached), len(names) + 1))
        else:
            reached = {at + 1 for at in reached if at < len(names) and part.match(names[at])}
        if not reached:
            return False
    return len(names) in reached


@lru_cache(maxsize=4096)
def _compiled(glob: str) -> _Compiled:
    parts = (glob + "**" if glob.endswith("/") else glob).split("/")
    compiled: list[re.Pattern[str] | None] = []
    for part in parts:
        if part != "**":
            compiled.append(re.compile(fnmatch.translate(part)))
        elif not compiled or compiled[-1] is not None:
            compiled.append(None)
    if len(compiled) > 1 and compiled[-1] is None:  # `docs/**` is what lies below, not `docs` itself
        compiled.insert(-1, re.compile(r"(?s:.+)"))
    return tuple(compiled)
