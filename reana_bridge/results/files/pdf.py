"""Compares PDF files by what their first pages look like, each page as a picture. Advice, never a gate."""

from reana_bridge.model.comparisons import FileComparison, FilePart, FileVerdict, Measure
from reana_bridge.results.drawing.pdf import Pages, pages
from reana_bridge.results.files.image import compare_pictures
from reana_bridge.results.files.pair import NotComparable, Pair, compared

MAX_PAGES = 5


def compare(pair: Pair) -> FileComparison:
    """The comparison of two PDF files.

    Raises:
        NotComparable: one is none, is damaged, or asks for a password.
    """
    side = "baseline"
    try:
        with pages(pair.baseline) as baseline:
            side = "head"
            with pages(pair.head) as head:
                parts = [_page(pair, number, baseline, head) for number in range(_count(baseline, head))]
                counts = len(baseline), len(head)
    except NotComparable as error:
        raise NotComparable(f"{side}: {error}") from None
    if counts[0] != counts[1]:
        words = f"{counts[0]:,} pages, now {counts[1]:,}"
        parts.append(FilePart(name="pages", verdict=FileVerdict.DIFFERENT, explanation=words))
    return compared(
        pair, parts, noun="page", explanation=_words(parts, counts[1]), measures=_figures(counts[1])
    )


def _count(baseline: Pages, head: Pages) -> int:
    return min(len(baseline), len(head), MAX_PAGES)


def _page(pair: Pair, number: int, baseline: Pages, head: Pages) -> FilePart:
    name = f"page {number + 1}"
    try:
        before, after = baseline.drawn(number), head.drawn(number)
    except NotComparable as error:
        return FilePart(name=name, verdict=FileVerdict.NOT_COMPARABLE, explanation=str(error))
    found = compare_pictures(pair, f"{pair.path}, {name}", before, after)
    return FilePart(
        name=name,
        verdict=found.verdict,
        explanation=found.explanation,
        measures=found.measures,
        pictures=found.pictures,
    )


def _words(parts: list[FilePart], count: int) -> str:
    first = min(count, MAX_PAGES)
    looked = f"first {first} of {count:,} pages" if count > MAX_PAGES else f"{first} pages"
    told = [part for part in parts if part.verdict is not FileVerdict.WITHIN_TOLERANCE]
    if not told:
        return f"{looked} look the same"
    return f"{looked}; {told[0].name}: {told[0].explanation}"


def _figures(count: int) -> tuple[Measure, ...]:
    return (Measure(name="pages", value=count),)
