"""Places in the code that a failing step's log points to: tracebacks, compilers, Snakemake, shells.

Only files of the repository are named: relative paths, and absolute ones below a workspace. A log is
written by whoever wrote the code, so a place is a hint for a person and never more.
"""

import re
from collections.abc import Iterable, Iterator, Sequence

from reana_bridge.model.checks import Annotation
from reana_bridge.model.reports import Report
from reana_bridge.reports.escape import clean
from reana_bridge.reports.words import shorten

MOST = 50
"""Annotations that GitHub takes at once."""
_LONGEST_MESSAGE = 1000
_LONGEST_PATH = 300
_LONGEST_LINE = 1000
_MOST_LINES = 1000

_FRAME = re.compile(r'\s*File "?([^"\n]+?)"?(?:, line |:)([0-9]{1,7})\b')
_EXCEPTION = re.compile(r"[A-Za-z_][\w.]*(?:: |$)")
_COMPILER = re.compile(r"([^\s:'\"][^:'\"]*):([0-9]{1,7}):(?:[0-9]{1,7}:)? (?:fatal )?error: (.+)")
_SHELL = re.compile(r"([^\s:][^:]*): line ([0-9]{1,7}): (.+)")
_SNAKEMAKE = re.compile(r'(\w+) in line ([0-9]{1,7}) of "?([^"]+?)"?:?')
_SNAKEMAKE_FILE = re.compile(r'(\w+) in (?:rule \S+ in )?file "?([^"]+?)"?, line ([0-9]{1,7}):?')
_WORKSPACE = re.compile(r"(?:.*?/workspace|/var/reana/users/[^/]+/workflows/[^/]+)/(.+)")
_FOREIGN = re.compile(r"(?:^|/)(?:site-packages|dist-packages|lib/python[0-9.]*|\.\.)(?:/|$)")


def places(report: Report) -> tuple[Annotation, ...]:
    """Where the failure of `report` lies: at most 50 places, each once, mistakes in our own files first."""
    found: dict[tuple[str, int], Annotation] = {}
    for place in (*_problems(report), *(in_log(report.failure.log_tail) if report.failure else ())):
        found.setdefault((place.path, place.line), place)
    return tuple(found.values())[:MOST]


def _problems(report: Report) -> Iterator[Annotation]:
    for problem in report.problems:
        if problem.line is not None:
            hint = f"; {problem.hint}" if problem.hint else ""
            key = f"{problem.key}: " if problem.key else ""
            yield from _place(problem.file, problem.line, f"{key}{problem.message}{hint}")


def in_log(lines: Iterable[str]) -> tuple[Annotation, ...]:
    """The places that the last `lines` of a log name."""
    kept = [clean_line(line) for line in tuple(lines)[-_MOST_LINES:]]
    return (*_tracebacks(kept), *(place for line in kept for place in _single(line)))


def clean_line(line: str) -> str:
    """`line` without colours and its end, its indentation kept."""
    indent = len(line) - len(line.lstrip(" "))
    return (" " * min(indent, 200) + clean(line))[:_LONGEST_LINE]


def _tracebacks(lines: Sequence[str]) -> Iterator[Annotation]:
    """For each exception the innermost frame that is in the repository, with the exception's line."""
    inner: tuple[str, int] | None = None
    for line in lines:
        frame = _FRAME.match(line)
        if frame:
            inner = (frame[1], int(frame[2])) if _relative(frame[1]) else inner
        elif inner and _EXCEPTION.match(line):
            yield from _place(*inner, line)
            inner = None
    if inner:
        yield from _place(*inner, "The log ends with this place.")


def _single(line: str) -> Iterator[Annotation]:
    """The place that one line names by itself."""
    for pattern in (_COMPILER, _SHELL):
        match = pattern.match(line.strip())
        if match and not match[1].startswith("input_line_"):
            yield from _place(match[1], int(match[2]), match[3])
            return
    match = _SNAKEMAKE.fullmatch(line)
    if match:
        yield from _place(match[3], int(match[2]), match[1])
    match = _SNAKEMAKE_FILE.fullmatch(line)
    if match:
        yield from _place(match[2], int(match[3]), match[1])


def _place(path: str, line: int, message: str) -> Iterator[Annotation]:
    relative = _relative(path)
    message = shorten(clean(message), _LONGEST_MESSAGE)
    if relative and line >= 1 and message:
        yield Annotation(path=relative, line=line, message=message)


def _relative(path: str) -> str:
    """`path` inside the repository; empty for one that lies elsewhere or is no file."""
    below = _WORKSPACE.fullmatch(path) if path.startswith("/") else None
    relative = below[1] if below else path
    while relative.startswith("./"):
        relative = relative[2:]
    file = re.search("[A-Za-z]", relative) and not relative.startswith(("/", "<", "~"))
    if not file or len(relative) > _LONGEST_PATH or _FOREIGN.search(relative):
        return ""
    return relative if clean(relative) == relative else ""
