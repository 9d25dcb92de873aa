"""The difference of two pictures, counted and drawn: baseline, head, and what differs marked on the head."""

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image, ImageChops, ImageDraw, ImageFilter

from reana_bridge.model.drawn import Picture
from reana_bridge.results.drawing.keeping import keep

MAX_WIDTH = 1200
MARK = (213, 94, 0)  # vermillion, as in the other drawings
_FADED = 0.75


@dataclass(frozen=True, kw_only=True)
class Difference:
    """How two pictures of the same size differ.

    Attributes:
        count: Pixels of which any channel differs.
        share: Of all pixels, from 0 to 1.
        largest: Largest difference of one channel, from 0 to 255.
        box: Left, upper, right and lower edge of what differs, in pixels; None for nothing.
        mask: Grey picture of the largest difference of a channel.
    """

    count: int
    share: float
    largest: int
    box: tuple[int, int, int, int] | None
    mask: Any

    @property
    def words(self) -> str:
        """One clause: `1.2 % of the pixels differ, by up to 87 of 255`."""
        share = f"{self.share:.2%}".replace("%", " %") if self.share >= 5e-5 else f"{self.count:,}"
        return f"{share} of the pixels differ, by up to {self.largest} of 255"


def flattened(image: Any) -> Any:
    """The picture in RGB, on white where it is transparent: what is not seen does not count."""
    if image.mode in ("RGB", "L", "1", "CMYK", "YCbCr") and "transparency" not in image.info:
        return image.convert("RGB")
    layers = image.convert("RGBA")
    paper = Image.new("RGB", layers.size, "white")
    paper.paste(layers, mask=layers.getchannel("A"))
    return paper


def differing(before: Any, after: Any) -> Difference:
    """How two flattened pictures of the same size differ."""
    red, green, blue = ImageChops.difference(before, after).split()
    mask = ImageChops.lighter(ImageChops.lighter(red, green), blue)
    counts: list[int] = mask.histogram()
    total = before.width * before.height
    count = total - counts[0]
    largest = max(level for level, many in enumerate(counts) if many)
    return Difference(count=count, share=count / total, largest=largest, box=mask.getbbox(), mask=mask)


def triptych(
    before: Any, after: Any, found: Difference | None, *, name: str, place: Path
) -> tuple[Picture, ...]:
    """Baseline, head and, where their sizes are the same, what differs; kept in `place`.

    Args:
        before: Flattened.
        after: Flattened.
        found: How they differ; None for different sizes.
        name: What they are pictures of.
        place: A directory.
    """
    pictures = [
        keep_image(before, place=place, shows="baseline", title=f"{name} of the baseline"),
        keep_image(after, place=place, shows="head", title=f"{name} of the head"),
    ]
    if found is not None:
        title = f"What differs between baseline and head in {name}: {found.words}"
        pictures.append(keep_image(_marked(after, found), place=place, shows="difference", title=title))
    return tuple(pictures)


def _marked(after: Any, found: Difference) -> Any:
    """The head in pale grey, what differs in a colour and within a frame, so that one pixel is seen too."""
    pale = Image.blend(after.convert("L").convert("RGB"), Image.new("RGB", after.size, "white"), _FADED)
    grown = found.mask.point([0] + [255] * 255).filter(ImageFilter.MaxFilter(3))
    pale.paste(MARK, mask=grown)
    if found.box:
        left, upper, right, lower = found.box
        width = max(2, after.width // 400)
        edges = (
            max(left - 4, 0),
            max(upper - 4, 0),
            min(right + 4, after.width - 1),
            min(lower + 4, after.height - 1),
        )
        ImageDraw.Draw(pale).rectangle(edges, outline=MARK, width=width)
    return pale


def keep_image(image: Any, *, place: Path, shows: str, title: str) -> Picture:
    """The Pillow picture `image`, at most `MAX_WIDTH` pixels wide, kept as `keep` does."""
    if image.width > MAX_WIDTH:
        image = image.resize((MAX_WIDTH, max(1, round(image.height * MAX_WIDTH / image.width))))
    written = io.BytesIO()
    image.save(written, format="PNG")
    return keep(written.getvalue(), place=place, shows=shows, title=title)
