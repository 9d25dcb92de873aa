"""Compares files of a run with the baseline's: here where they are small and light, else in isolation.

Promises: whatever is in the files, this process goes on and each file gets a verdict; files that differ in
nothing start no process; what took too long, or has no time left, is said of that very file.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from reana_bridge.model.analyses import FileRule
from reana_bridge.model.codec import CodecError, from_data, to_data
from reana_bridge.model.comparisons import FileComparison, FileVerdict
from reana_bridge.results import files
from reana_bridge.results.files.here import compare_here
from reana_bridge.results.files.rules import judged
from reana_bridge.results.files.text import is_text
from reana_bridge.results.isolation import Answer, IsolationLimits, Item, run_each

SMALL = 1 << 20
"""Bytes up to which a file of a light kind is compared in this very process."""
TASK = "compare"


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Two files of one path whose contents differ.

    Attributes:
        path: Relative to the workspace.
        baseline: Where the baseline's content lies.
        head: Where this commit's content lies.
        rule: The rule on it; None where there is none.
    """

    path: str
    baseline: Path
    head: Path
    rule: FileRule | None = None


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What comparing may take.

    Attributes:
        count: Files that are looked into.
        size: Bytes of each file.
        seconds: On the clock, for all files together.
        isolation: For each file that is compared in isolation.
        at_once: Pairs of files of one process, between two looks at the clock.
    """

    count: int = 200
    size: int = 512 << 20
    seconds: float = 600.0
    isolation: IsolationLimits = field(default_factory=lambda: IsolationLimits(memory=2 << 30))
    at_once: int = 8


def compare_contents(
    wanted: Sequence[Wanted],
    *,
    drawings: Path | None = None,
    limits: Limits | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> list[FileComparison]:
    """The comparison of each of `wanted`, in their order, without digests.

    Args:
        wanted: Files that both sides have and whose contents differ.
        drawings: An empty directory for pictures, each under the SHA-256 of its content; None for none.
        limits: What it may take.
        clock: Seconds that pass.
    """
    limits = limits or Limits()
    until = clock() + limits.seconds
    found: dict[int, FileComparison] = {}
    heavy: list[tuple[int, Wanted, str]] = []
    for number, one in enumerate(wanted):
        try:
            kind = _kind(one)
        except files.UnknownKind as unknown:
            found[number] = _not(one, str(unknown))
            continue
        if not kind or kind == files.BYTES:
            found[number] = _by_content(one, kind)
        elif (reason := _reason_against(one, number, limits)) is not None:
            found[number] = _not(one, reason, kind)
        elif kind in files.LIGHT and _largest(one) <= SMALL and clock() < until:
            found[number] = compare_here(one.path, kind, one.rule, one.baseline, one.head, None)
        else:
            heavy.append((number, one, kind))
    for start in range(0, len(heavy), limits.at_once):
        group = heavy[start : start + limits.at_once]
        if clock() >= until:
            reason = f"no time was left: all files together may take {limits.seconds:g} s"
            found |= {number: replace(_not(one, reason, kind), lasting=False) for number, one, kind in group}
        else:
            compared = _isolated([(one, kind) for _, one, kind in group], drawings, limits)
            found |= {number: each for (number, _, _), each in zip(group, compared, strict=True)}
    return [judged(found[number], one.rule) for number, one in enumerate(wanted)]


def _kind(one: Wanted) -> str:
    kind = files.kind_of(one.path, one.rule.kind if one.rule else "")
    return kind or (files.TEXT if is_text(one.baseline) and is_text(one.head) else "")


def _largest(one: Wanted) -> int:
    return max(one.baseline.stat().st_size, one.head.stat().st_size)


def _reason_against(one: Wanted, number: int, limits: Limits) -> str | None:
    if number >= limits.count:
        return f"its content differs; only {limits.count:,} files are looked into"
    if _largest(one) > limits.size:
        return f"its content differs; {_largest(one):,} bytes are more than the {limits.size:,} looked into"
    return None


def _isolated(
    group: Sequence[tuple[Wanted, str]], drawings: Path | None, limits: Limits
) -> list[FileComparison]:
    items = [
        Item(
            job={"path": one.path, "kind": kind, "rule": to_data(one.rule)},
            inputs={"baseline": one.baseline, "head": one.head},
        )
        for one, kind in group
    ]
    answers = run_each(TASK, items, output=drawings, limits=limits.isolation)
    return [_read(one, kind, answer) for (one, kind), answer in zip(group, answers, strict=True)]


def _read(one: Wanted, kind: str, answer: Answer) -> FileComparison:
    if answer.problem:
        return _not(one, answer.problem, kind)
    try:
        return replace(from_data(FileComparison, answer.value), path=one.path, kind=kind)
    except CodecError as error:  # what has read a hostile file is not trusted to answer well
        return _not(one, f"its comparator gave no answer that can be read: {error}", kind)


def _by_content(one: Wanted, kind: str) -> FileComparison:
    sizes = one.baseline.stat().st_size, one.head.stat().st_size
    words = "the same size" if sizes[0] == sizes[1] else f"{sizes[0]:,} bytes, now {sizes[1]:,}"
    return FileComparison(path=one.path, verdict=FileVerdict.DIFFERENT, kind=kind, explanation=words)


def _not(one: Wanted, reason: str, kind: str = "") -> FileComparison:
    verdict = FileVerdict.NOT_COMPARABLE
    return replace(_by_content(one, kind), verdict=verdict, explanation=reason)
