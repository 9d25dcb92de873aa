"""Compares texts line by line, numbers token by token; everything else must be the same, also spaces.

A line is its words and its numbers. Where lines were put in or taken out, the rest is aligned by the words,
so that a number that moved does not hide behind a line that came in above it.
"""

import re
from collections.abc import Iterator
from difflib import SequenceMatcher
from itertools import islice, takewhile, zip_longest
from pathlib import Path

from reana_bridge.model.comparisons import FileComparison, FilePart, FileVerdict, Measure
from reana_bridge.results.files.extent import Extent
from reana_bridge.results.files.lines import lines_of
from reana_bridge.results.files.pair import MAX_PARTS, NotComparable, Pair, compared
from reana_bridge.results.files.tolerances import Tolerance, Tolerances, number
from reana_bridge.results.readers.clean import one_line

MAX_CHARACTERS = 64 << 20
MAX_LINES = 1_000_000
_MAX_ALIGNED = 1000  # aligning takes their square
_SHOWN = 60
# Of one word, such as a version, a date with dots or a hash, no part is a number. Nothing is tried twice.
_TOKEN = re.compile(r"(?<![\w.])[-+]?+(?:\d++(?:\.\d*+)?+|\.\d++)(?:[eE][-+]?+\d++)?+(?![\w.])")

_Line = tuple[int, str]
_Couple = tuple[_Line | None, _Line | None]


def compare(pair: Pair) -> FileComparison:
    """The comparison of two texts.

    Raises:
        NotComparable: one is too large, or has a line without an end.
    """
    extent = Extent()
    parts: list[FilePart] = []
    differing = total = 0
    couples = _aligned(
        _kept(pair.baseline, "baseline", pair.tolerances), _kept(pair.head, "head", pair.tolerances)
    )
    for before, after in couples:
        total += after is not None
        part = _part(before, after, extent, pair.tolerances.default)
        differing += part is not None
        if part is not None and len(parts) < MAX_PARTS:
            parts.append(part)
    if not parts and extent.unequal:
        parts.append(extent.part("numbers"))
    numbers = extent.words if extent.found else ""
    explanation = f"{differing:,} of {total:,} lines differ" if differing else ""
    explanation = "; ".join(filter(None, [explanation, numbers and f"numbers: {numbers}"]))
    measures = (
        Measure(name="lines that differ", value=differing),
        *(extent.measures if extent.found else ()),
    )
    return compared(pair, parts, noun="line", explanation=explanation, measures=measures)


def is_text(path: Path) -> bool:
    """Whether the file begins like a text, so that it can be compared as one."""
    with path.open("rb") as file:
        start = file.read(8192)
    if start.startswith((b"\xff\xfe", b"\xfe\xff")):
        return True
    odd = sum(byte < 32 and byte not in b"\t\n\r\f\x1b" for byte in start)
    return not odd


def _kept(path: Path, side: str, tolerances: Tolerances) -> list[_Line]:
    """The lines with their numbers, without those that are not looked at."""
    size = 0
    kept: list[_Line] = []
    for position, line in enumerate(lines_of(path, side), 1):
        size += len(line)
        if size > MAX_CHARACTERS or position > MAX_LINES:
            limit = f"{MAX_CHARACTERS >> 20} Mi characters or {MAX_LINES:,} lines"
            raise NotComparable(f"{side}: has more than {limit} of text")
        bare = line.rstrip("\r\n")
        if tolerances.of(bare) is not None:
            kept.append((position, bare))
    return kept


def _aligned(baseline: list[_Line], head: list[_Line]) -> Iterator[_Couple]:
    """Lines that belong together; None beside one that only one side has."""
    if len(baseline) == len(head):
        yield from zip(baseline, head, strict=True)
        return
    before, after = [_words(line) for _, line in baseline], [_words(line) for _, line in head]
    start = _same(zip(before, after, strict=False))
    end = _same(
        islice(zip(reversed(before), reversed(after), strict=False), min(len(before), len(after)) - start)
    )
    yield from zip(baseline[:start], head[:start], strict=True)
    middle = slice(start, len(baseline) - end), slice(start, len(head) - end)
    yield from _matched(baseline[middle[0]], head[middle[1]], before[middle[0]], after[middle[1]])
    yield from zip(baseline[len(baseline) - end :], head[len(head) - end :], strict=True)


def _same(couples: Iterator[tuple[str, str]]) -> int:
    """How many of them are the same, from the first on."""
    return sum(1 for _ in takewhile(lambda couple: couple[0] == couple[1], couples))


def _matched(
    baseline: list[_Line], head: list[_Line], before: list[str], after: list[str]
) -> Iterator[_Couple]:
    if max(len(before), len(after)) > _MAX_ALIGNED:
        yield from zip_longest(baseline, head)
        return
    for _, i, j, k, m in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        yield from zip_longest(baseline[i:j], head[k:m])


def _words(line: str) -> str:
    return _TOKEN.sub("#", line)


def _part(before: _Line | None, after: _Line | None, extent: Extent, tolerance: Tolerance) -> FilePart | None:
    """What became of a line; None where it is the same or near enough."""
    if before is None or after is None:
        position, text = after or before or (0, "")
        verdict = FileVerdict.NEW if before is None else FileVerdict.MISSING
        return FilePart(name=f"line {position}", verdict=verdict, explanation=_shown(text))
    if before[1] == after[1] or _near(before[1], after[1], extent, f"line {after[0]}", tolerance):
        return None
    words = f"{_shown(before[1])} -> {_shown(after[1])}"
    return FilePart(name=f"line {after[0]}", verdict=FileVerdict.DIFFERENT, explanation=words)


def _near(before: str, after: str, extent: Extent, where: str, tolerance: Tolerance) -> bool:
    if _words(before) != _words(after):
        return False
    near = True
    for old, new in zip(_TOKEN.findall(before), _TOKEN.findall(after), strict=True):
        first, second = number(old), number(new)
        if first is None or second is None:
            near &= extent.texts(old, new, where)
        else:
            near &= extent.numbers(first, second, where, tolerance)
    return near


def _shown(text: str) -> str:
    line = one_line(text, _SHOWN + 1)
    return f"`{line[:_SHOWN]}...`" if len(line) > _SHOWN else f"`{line}`"
