"""How far two files are apart, gathered value by value: how many, how far at most, and where."""

import math
from dataclasses import dataclass, field

from reana_bridge.model.comparisons import FilePart, FileVerdict, Measure
from reana_bridge.results.files.pair import MAX_NAME
from reana_bridge.results.files.tolerances import Number, Tolerance, relative_gap
from reana_bridge.results.readers.clean import one_line

_SHOWN = 40


@dataclass(frozen=True, kw_only=True)
class _Place:
    """Where something differs, and how: `1.0 -> 1.2`."""

    where: str = ""
    example: str = ""


@dataclass(kw_only=True)
class Extent:
    """What was found so far.

    Attributes:
        compared: Values that both sides have.
        unequal: Of them, those that are not the same number or text.
        beyond: Of them, those that no tolerance covers.
        relative: Largest |difference| / |baseline| of two numbers; infinite from 0.
        absolute: Largest |difference| of two numbers.
        found: Whether any number differs.
    """

    compared: int = 0
    unequal: int = 0
    beyond: int = 0
    relative: float = 0.0
    absolute: float = 0.0
    found: bool = field(default=False, init=False)
    _by_relative: _Place = field(default=_Place(), init=False)
    _by_absolute: _Place = field(default=_Place(), init=False)
    _text: _Place = field(default=_Place(), init=False)

    @property
    def where(self) -> str:
        """Where the largest difference of two numbers is; where none differs, the first value that does."""
        return self._place.where

    @property
    def example(self) -> str:
        """`1.0 -> 1.2`, of the same place."""
        return self._place.example

    @property
    def _place(self) -> _Place:
        if not self.found:
            return self._text
        return self._by_absolute if math.isinf(self.relative) else self._by_relative

    def numbers(self, baseline: Number, head: Number, where: str, tolerance: Tolerance) -> bool:
        """Take in two numbers; whether they are near enough."""
        self.compared += 1
        if baseline == head or (baseline != baseline and head != head):
            return True
        self.unequal += 1
        allowed = tolerance.allows(baseline, head)
        self.beyond += not allowed
        gap, size = relative_gap(baseline, head), _distance(baseline, head)
        self.farthest(relative=gap, absolute=size, where=where, example=(baseline, head))
        return allowed

    def farthest(
        self, *, relative: float, absolute: float, where: str, example: tuple[Number, Number]
    ) -> None:
        """Keep in mind two numbers that differ, where no others were as far apart."""
        place = _Place(where=where, example=" -> ".join(f"`{side}`" for side in _digits(*example)))
        if relative > self.relative or not self.found:
            self.relative, self._by_relative = relative, place
        if absolute > self.absolute or not self.found:
            self.absolute, self._by_absolute = absolute, place
        self.found = True

    def texts(self, baseline: str, head: str, where: str) -> bool:
        """Take in two texts; whether they are the same."""
        self.compared += 1
        if baseline == head:
            return True
        self.unequal += 1
        self.beyond += 1
        if not self._text.where:
            self._text = _Place(where=where, example=f"{_brief(baseline)} -> {_brief(head)}")
        return False

    @property
    def verdict(self) -> FileVerdict:
        """`identical`, `within tolerance` or `different`."""
        if self.beyond:
            return FileVerdict.DIFFERENT
        return FileVerdict.WITHIN_TOLERANCE if self.unequal else FileVerdict.IDENTICAL

    def part(self, name: str) -> FilePart:
        """This as a part of a file."""
        shown = one_line(name, MAX_NAME)
        return FilePart(name=shown, verdict=self.verdict, explanation=self.words, measures=self.measures)

    @property
    def measures(self) -> tuple[Measure, ...]:
        """The figures; those of numbers only where numbers differ."""
        counts = (
            Measure(name="values that differ", value=self.unequal),
            Measure(name="beyond tolerance", value=self.beyond),
        )
        if not self.found:
            return counts if self.unequal else ()
        return (
            *counts,
            Measure(name="largest relative difference", value=self.relative),
            Measure(name="largest difference", value=self.absolute),
            Measure(name="where", value=self.where),
        )

    @property
    def words(self) -> str:
        """One clause: `3 of 10 values differ, at most by 1.2e-05 (row 3: 1.0 -> 1.1)`; empty for none."""
        if not self.unequal:
            return ""
        said = [f"{self.unequal:,} of {self.compared:,} values differ"]
        if 0 < self.beyond < self.unequal:
            said.append(f"{self.beyond:,} beyond tolerance")
        if self.found:
            said.append(f"at most by {far(self.relative, self.absolute)}")
        place = f"{one_line(self.where, 80)}: " if self.where else ""
        return f"{', '.join(said)} ({place}{self.example})"


def far(relative: float, absolute: float) -> str:
    """The largest difference for people: `1.2e-05`, `18 %`; from 0 `351`, or that one side is no number."""
    if math.isinf(relative):
        return f"{absolute:.3g}" if math.isfinite(absolute) else "no finite difference"
    return f"{relative * 100:.3g} %" if relative >= 1e-3 else f"{relative:.2g}"


def _digits(baseline: Number, head: Number) -> tuple[str, str]:
    """Two numbers that differ, with as many digits as show it; whole ones with all that there is room for."""
    for digits in (6, 9, 12):
        shown = tuple(
            str(side) if isinstance(side, int) else f"{side:.{digits}g}" for side in (baseline, head)
        )
        if shown[0] != shown[1]:
            break
    else:
        shown = (repr(baseline), repr(head))
    return _cut(shown[0]), _cut(shown[1])


def _distance(baseline: Number, head: Number) -> float:
    gap = abs(head - baseline)
    return float(gap) if math.isfinite(gap) else math.inf


def _brief(text: str) -> str:
    cut = _cut(text)
    return f"`{cut}`" if cut else "nothing"


def _cut(text: str) -> str:
    line = one_line(text, _SHOWN + 1)
    return f"{line[:_SHOWN]}..." if len(line) > _SHOWN else line
