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
    words = _words(parts, counts[1])
    if counts[0] != counts[1]:
        more = f"{counts[0]:,} pages, now {counts[1]:,}"
        parts.append(FilePart(name="pages", verdict=FileVerdict.DIFFERENT, explanation=more))
        words = f"{more}; {words}"
    return compared(pair, parts, noun="page", explanation=words, measures=_figures(counts[1]))


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
    """`1 of 3 pages differs`; of more than are looked at `1 of the first 5 of 7 pages differs`."""
    pages = "1 page" if count == 1 else f"{count:,} pages"
    if count > MAX_PAGES:
        pages = f"the first {MAX_PAGES} of {pages}"
    differing = sum(part.verdict is FileVerdict.DIFFERENT for part in parts)
    if differing:
        return f"{differing} of {pages} {'differs' if differing == 1 else 'differ'}"
    if any(part.verdict is FileVerdict.NOT_COMPARABLE for part in parts):
        return f"of {pages} not all can be compared"
    return f"{pages} {'looks' if count == 1 else 'look'} the same"


def _figures(count: int) -> tuple[Measure, ...]:
    return (Measure(name="pages", value=count),)
