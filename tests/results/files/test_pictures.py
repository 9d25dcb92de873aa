"""Pictures and PDFs written by Pillow and matplotlib: what differs, how it is drawn."""

import io
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from matplotlib.figure import Figure
from PIL import Image

from reana_bridge.model.analyses import FileRule
from reana_bridge.model.comparisons import FileVerdict, RuleEffect
from reana_bridge.model.drawn import Picture
from reana_bridge.results.drawing.canvas import BASELINE, HEAD
from reana_bridge.results.drawing.pictures import MARK
from reana_bridge.results.files.rules import judged
from tests.results.files.pairs import compare, measure

NEAR, APART = FileVerdict.WITHIN_TOLERANCE, FileVerdict.DIFFERENT


def image(
    dots: dict[tuple[int, int], Any], *, mode: str = "RGB", kind: str = "PNG", size: Any = (40, 30)
) -> bytes:
    made = Image.new(mode, size, "white" if mode == "RGB" else (255, 255, 255, 0))
    for place, colour in dots.items():
        made.putpixel(place, colour)
    written = io.BytesIO()
    made.save(written, format=kind, **({"lossless": True} if kind == "WEBP" else {}))
    return written.getvalue()


def plot(height: float, kind: str, pages: int = 1) -> bytes:
    written = io.BytesIO()
    if kind == "pdf" and pages > 1:
        from matplotlib.backends.backend_pdf import PdfPages

        with PdfPages(written) as book:
            for page in range(pages):
                book.savefig(_figure(height if page == pages - 1 else 1.0))
    else:
        _figure(height).savefig(written, format=kind)
    return written.getvalue()


def _figure(height: float) -> Figure:
    figure = Figure(figsize=(4, 3))
    figure.subplots().bar([1, 2, 3], [1, height, 2])
    return figure


def kept(place: Path, picture: Picture) -> Any:
    return Image.open(io.BytesIO((place / picture.digest).read_bytes()))


# Plots take long to draw, so they are drawn when their test runs.
Made = bytes | Callable[[], bytes]
BLACK, GREY = (0, 0, 0), (200, 200, 200)
DOT = image({(3, 4): BLACK})


@pytest.mark.parametrize(
    ("name", "before", "after", "verdict", "words"),
    [
        ("x.png", DOT, image({(3, 4): GREY}), APART, "0.08 % of the pixels differ, by up to 200"),
        (
            "x.png",
            DOT,
            image({(3, 4): BLACK, (5, 5): GREY}),
            APART,
            "0.08 % of the pixels differ, by up to 55",
        ),
        ("x.png", DOT, image({(3, 4): BLACK}, kind="GIF"), NEAR, "the same pixels, written otherwise"),
        ("x.webp", DOT, image({(3, 4): BLACK}, kind="WEBP"), NEAR, "the same pixels"),
        ("x.gif", image({}, kind="GIF"), image({(1, 1): BLACK}, kind="GIF"), APART, "0.08 %"),
        ("x.png", DOT, image({}, size=(40, 31)), APART, "40 x 30 pixels, now 40 x 31"),
        ("x.png", image({}), image({(1, 1): (0, 0, 0, 0)}, mode="RGBA"), NEAR, "the same pixels"),
        ("x.png", image({}), image({(1, 1): (0, 0, 0, 255)}, mode="RGBA"), APART, "by up to 255"),
        ("x.jpg", partial(plot, 1, "jpg"), partial(plot, 1.5, "jpg"), APART, "of the pixels differ"),
        ("x.svg", partial(plot, 1, "svg"), partial(plot, 1.5, "svg"), APART, "of the pixels differ"),
        ("x.pdf", partial(plot, 1, "pdf"), partial(plot, 1.5, "pdf"), APART, "1 of 1 page differs"),
        ("x.pdf", partial(plot, 1, "pdf"), lambda: plot(1, "pdf") + b"\n", NEAR, "1 page looks the same"),
        ("x.pdf", partial(plot, 1, "pdf", 3), partial(plot, 2, "pdf", 3), APART, "1 of 3 pages differs"),
        ("x.pdf", partial(plot, 1, "pdf", 2), partial(plot, 1, "pdf", 3), APART, "2 pages, now 3"),
        (
            "x.pdf",
            partial(plot, 1, "pdf", 7),
            partial(plot, 2, "pdf", 7),
            NEAR,
            "the first 5 of 7 pages look the same",
        ),
    ],
)
def test_pictures(name: str, before: Made, after: Made, verdict: FileVerdict, words: str) -> None:
    found = compare(name, *(each if isinstance(each, bytes) else each() for each in (before, after)))
    assert (found.verdict, words in found.explanation) == (verdict, True), found


def test_svgs_that_differ_in_their_date_alone_are_the_same_pictures() -> None:
    before = plot(1, "svg")
    assert compare("x.svg", before, before.replace(b"<dc:date>", b"<dc:date>1")).verdict is NEAR


def test_figures_are_counted_as_they_are() -> None:
    found = compare("x.png", DOT, image({(3, 4): (0, 30, 0), (39, 29): GREY}))
    assert measure(found, "pixels that differ") == 2
    assert measure(found, "share of pixels") == 2 / 1200
    assert measure(found, "largest difference of a channel") == 55


def test_base_head_and_difference_are_drawn_with_a_text_for_each(tmp_path: Path) -> None:
    found = compare("plots/x.png", DOT, image({(20, 20): BLACK}), drawings=tmp_path)
    assert [picture.shows for picture in found.pictures] == ["baseline", "head", "difference"]
    assert all("plots/x.png" in picture.title for picture in found.pictures)
    base, head, difference = (kept(tmp_path, picture) for picture in found.pictures)
    assert (base.getpixel((3, 4)), head.getpixel((20, 20))) == (BLACK, BLACK)
    assert difference.getpixel((20, 20)) == difference.getpixel((3, 4)) == MARK
    assert difference.getpixel((35, 5)) == (255, 255, 255)


def test_wide_pictures_are_drawn_at_the_width_of_a_page(tmp_path: Path) -> None:
    found = compare(
        "x.png", image({}, size=(3000, 40)), image({(9, 9): BLACK}, size=(3000, 40)), drawings=tmp_path
    )
    assert {kept(tmp_path, picture).width for picture in found.pictures} == {1200}


def test_a_picture_never_blocks() -> None:
    found = compare("x.png", DOT, image({}))
    (outcome,) = judged(found, FileRule(path="*", effect=RuleEffect.BLOCK)).rules
    assert (outcome.broken, outcome.effect) == (True, RuleEffect.WARN)


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("colour", [BASELINE, HEAD, f"#{bytes(MARK).hex()}"])
def test_lines_have_the_contrast_that_graphics_need(colour: str) -> None:
    """WCAG 2.2, 1.4.11: at least 3 to 1 on white."""
    assert 1.05 / (luminance(colour) + 0.05) >= 3
