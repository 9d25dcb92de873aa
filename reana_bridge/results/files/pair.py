"""What a comparator is given, what it hands back, and what all of them share."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from reana_bridge.model.comparisons import FileComparison, FilePart, FileVerdict, Measure
from reana_bridge.model.drawn import Picture
from reana_bridge.results.files.tolerances import Tolerances
from reana_bridge.results.readers.clean import one_line

MAX_PARTS = 50
"""Most parts that are told of one file; those that differ come first."""
MAX_EXPLANATION = 300
MAX_NAME = 200


class NotComparable(Exception):
    """The two files cannot be compared as what they should be; the message is a clause that says why."""


@dataclass(frozen=True, kw_only=True)
class Pair:
    """Two files with different content.

    Attributes:
        path: What both are called in the workspace.
        baseline: Where the baseline's can be read.
        head: Where this commit's can be read.
        tolerances: How far apart they may be.
        drawings: A directory for pictures, each under the digest of its content; None for none.
    """

    path: str
    baseline: Path
    head: Path
    tolerances: Tolerances = field(default_factory=Tolerances)
    drawings: Path | None = None


class Comparator(Protocol):
    """Compares two files of one kind."""

    def __call__(self, pair: Pair) -> FileComparison:
        """What became of the file; digests and kind are put in by the caller.

        Raises:
            NotComparable: one of them is damaged, too large, or not of this kind.
        """
        ...


_ORDER = (
    FileVerdict.DIFFERENT,
    FileVerdict.NOT_COMPARABLE,
    FileVerdict.MISSING,
    FileVerdict.NEW,
    FileVerdict.WITHIN_TOLERANCE,
    FileVerdict.IDENTICAL,
)


def compared(
    pair: Pair,
    parts: Iterable[FilePart],
    *,
    noun: str,
    explanation: str = "",
    measures: tuple[Measure, ...] = (),
    pictures: tuple[Picture, ...] = (),
) -> FileComparison:
    """The comparison that `parts` add up to: different if one of them is, is new or is missing.

    Args:
        pair: The two files.
        parts: All of them; only those that are not identical are kept, at most `MAX_PARTS`.
        noun: What a part is called, such as `column`.
        explanation: Instead of the counts of parts by verdict.
        measures: The figures of the whole file.
        pictures: What was drawn of the whole file.
    """
    found = sorted(parts, key=lambda part: _ORDER.index(part.verdict))
    told = [part for part in found if part.verdict is not FileVerdict.IDENTICAL]
    within = not told or told[0].verdict is FileVerdict.WITHIN_TOLERANCE
    worst = FileVerdict.WITHIN_TOLERANCE if within else FileVerdict.DIFFERENT
    if told and all(part.verdict is FileVerdict.NOT_COMPARABLE for part in told):
        worst = FileVerdict.NOT_COMPARABLE
    words = explanation or _counted(found, noun)
    return FileComparison(
        path=pair.path,
        verdict=worst,
        explanation=one_line(words, MAX_EXPLANATION),
        measures=measures,
        parts=tuple(told[:MAX_PARTS]),
        pictures=pictures,
    )


def _counted(parts: list[FilePart], noun: str) -> str:
    counts = Counter(part.verdict for part in parts)
    if set(counts) <= {FileVerdict.IDENTICAL}:
        return "the same values, written otherwise"
    words = [f"{counts[verdict]:,} {verdict.value}" for verdict in _ORDER if counts[verdict]]
    few = next(part for part in parts if part.verdict is not FileVerdict.IDENTICAL)
    first = f"; {few.name}: {few.explanation}" if few.explanation else f"; {few.name}"
    return f"{noun}s: {', '.join(words)}{first}"
