"""Compares ROOT files, histogram by histogram: chi-squared with its chance, the largest pull, other bins.

Two histograms agree where every bin is within the tolerance, or where chi-squared is no less likely than the
limit (three sigma unless a rule says else). Of many histograms a few are unlikely by chance: one differs only
if it stands after Benjamini and Hochberg's correction over those of the file; a limit that a rule states is
taken at its word. Trees: see `ntuples.py`.
"""

import contextlib
from collections.abc import Generator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from reana_bridge.model.comparisons import FileComparison, FilePart, FileVerdict, Measure
from reana_bridge.model.drawn import Picture
from reana_bridge.results.files.binned import Binned, binned, is_histogram
from reana_bridge.results.files.goodness import Agreement, agreement
from reana_bridge.results.files.ntuples import compare_ntuples
from reana_bridge.results.files.objects import brief, objects, opened
from reana_bridge.results.files.pair import MAX_NAME, NotComparable, Pair, compared
from reana_bridge.results.files.tolerances import Tolerance
from reana_bridge.results.readers.clean import one_line
from reana_bridge.results.statistics import benjamini_hochberg

MAX_DRAWN = 12
FALSE_DISCOVERY = 0.05


@dataclass(frozen=True, kw_only=True)
class _Found:
    """A part, and what is needed to judge and to draw it; only a histogram with the same bins has a `fit`."""

    part: FilePart
    tolerance: Tolerance
    fit: Agreement | None = None
    sides: tuple[Binned, Binned] | None = None


def compare(pair: Pair) -> FileComparison:
    """The comparison of two ROOT files.

    Raises:
        NotComparable: one is none, is damaged or has too many objects.
    """
    with _side(pair, "baseline") as (baseline, before), _side(pair, "head") as (head, after):
        found = [
            _one(baseline, head, name, before.get(name, ""), after.get(name, ""), tolerance)
            for name in after | before
            if (tolerance := pair.tolerances.of(name)) is not None
        ]
    found = _corrected(found)
    found.sort(key=lambda each: each.fit.p_value if each.fit else 0.0)
    parts = _drawn(pair, found)
    fits = [each.fit for each in found if each.fit]
    measures = (Measure(name="histograms", value=len(fits)),)
    return compared(pair, parts, noun="object", measures=measures)


@contextlib.contextmanager
def _side(pair: Pair, side: str) -> Generator[tuple[Any, dict[str, str]]]:
    """One of the two files, and what is in it."""
    try:
        with opened(pair.baseline if side == "baseline" else pair.head) as file:
            yield file, objects(file)
    except NotComparable as error:
        raise NotComparable(f"{side}: {error}") from None


def _one(baseline: Any, head: Any, name: str, before: str, after: str, tolerance: Tolerance) -> _Found:
    """What became of the object with this name; an empty class is one that is not there."""
    part = FilePart(name=one_line(name, MAX_NAME), verdict=FileVerdict.DIFFERENT)
    found = _Found(part=part, tolerance=tolerance)
    if not before or not after:
        verdict = FileVerdict.NEW if after else FileVerdict.MISSING
        words = f"a {one_line(before or after, 40)}"
        return replace(found, part=replace(part, verdict=verdict, explanation=words))
    try:
        if is_histogram(before) and is_histogram(after):
            return _histograms(found, binned(baseline[name]), binned(head[name]))
        if before == after == "TTree":
            return replace(found, part=compare_ntuples(part, baseline[name], head[name], tolerance))
        reason = f"objects of the class {one_line(after, 40)} are not looked into"
    except NotComparable as error:
        reason = str(error)
    except MemoryError:
        raise
    except Exception as error:  # see above
        reason = f"cannot be read: {brief(error)}"
    if before != after:
        words = f"a {one_line(before, 40)}, now a {one_line(after, 40)}"
        return replace(found, part=replace(part, explanation=words))
    return replace(found, part=replace(part, verdict=FileVerdict.NOT_COMPARABLE, explanation=reason))


def _histograms(found: _Found, before: Binned, after: Binned) -> _Found:
    part, tolerance = found.part, found.tolerance
    if mismatch := _other_bins(before, after):
        return replace(found, part=replace(part, explanation=f"other bins: {mismatch}"))
    same = np.array_equal(before.contents, after.contents, equal_nan=True)
    if same and np.array_equal(before.variances, after.variances, equal_nan=True):
        return replace(found, part=replace(part, verdict=FileVerdict.IDENTICAL))
    limits = {"rtol": tolerance.relative, "atol": tolerance.absolute}
    with np.errstate(all="ignore"):
        fit = agreement(before.contents, after.contents, before.variances, after.variances)
        near = np.isclose(after.contents, before.contents, equal_nan=True, **limits)
    likely = tolerance.by_chance and fit.p_value >= tolerance.p_value and not fit.unexplained
    verdict = FileVerdict.WITHIN_TOLERANCE if likely or bool(np.all(near)) else FileVerdict.DIFFERENT
    explained = replace(part, verdict=verdict, explanation=_words(fit, after), measures=_figures(fit, after))
    return replace(found, part=explained, fit=fit, sides=(before, after))


def _other_bins(before: Binned, after: Binned) -> str:
    """How the bins of two histograms differ; empty where they do not."""
    if len(before.edges) != len(after.edges):
        return f"{len(before.edges)} dimensions, now {len(after.edges)}"
    for old, new in zip(before.edges, after.edges, strict=True):
        if len(old) != len(new) or not np.allclose(old, new, rtol=1e-9, atol=0):
            if (len(old), old[0], old[-1]) == (len(new), new[0], new[-1]):
                return f"{len(old) - 1} bins with other edges"
            return (
                f"{len(old) - 1} from {old[0]:g} to {old[-1]:g}, now "
                f"{len(new) - 1} from {new[0]:g} to {new[-1]:g}"
            )
    return ""


def _corrected(found: list[_Found]) -> list[_Found]:
    """With those that are only unlikely because there are so many taken for agreeing."""
    fits = [each.fit.p_value for each in found if each.fit]
    stands = benjamini_hochberg(fits, FALSE_DISCOVERY)
    return [_one_of_many(each, stands, len(fits)) for each in found]


def _one_of_many(each: _Found, stands: float, count: int) -> _Found:
    fit, part = each.fit, each.part
    tolerance = each.tolerance
    if not fit or fit.unexplained or not (tolerance.by_chance and tolerance.corrected):
        return each
    if part.verdict is not FileVerdict.DIFFERENT or fit.p_value <= stands:
        return each
    words = f"{part.explanation}; to be expected once among {count:,} histograms"
    return replace(each, part=replace(part, verdict=FileVerdict.WITHIN_TOLERANCE, explanation=words))


def _words(fit: Agreement, after: Binned) -> str:
    hints = [f"chi2/ndf {fit.chi2:.4g}/{fit.ndf}, p = {fit.p_value:.2g}"]
    if fit.ndf:
        hints.append(f"largest pull {fit.pull:+.2g} at {after.bin(fit.where)}")
    if fit.unexplained:
        hints.append(f"{fit.unexplained:,} bins without an uncertainty differ")
    return ", ".join(hints)


def _figures(fit: Agreement, after: Binned) -> tuple[Measure, ...]:
    figures: list[tuple[str, float | int | str]] = [
        ("chi2", fit.chi2),
        ("ndf", fit.ndf),
        ("p", fit.p_value),
        ("largest pull", fit.pull),
        ("where", after.bin(fit.where)),
    ]
    if fit.distance is not None and fit.distance_p is not None:
        figures += [("KS distance", fit.distance), ("KS p (a hint)", fit.distance_p)]
    return tuple(Measure(name=name, value=value) for name, value in figures)


def _drawn(pair: Pair, found: list[_Found]) -> list[FilePart]:
    """The parts, those that differ with an overlay, as many as may be drawn."""
    parts: list[FilePart] = []
    left = MAX_DRAWN if pair.drawings else 0
    for each in found:
        pictures: tuple[Picture, ...] = ()
        if left and each.sides and pair.drawings and each.part.verdict is FileVerdict.DIFFERENT:
            from reana_bridge.results.drawing.histograms import overlay

            title = f"{each.part.name}: {each.part.explanation}"
            pictures = (overlay(*each.sides, title=title, place=pair.drawings),)
            left -= 1
        parts.append(replace(each.part, pictures=pictures))
    return parts
