"""Draws pages of a PDF as pixels, by pdfium without its scripts: nothing in a document runs."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pypdfium2

from reana_bridge.results.drawing.pictures import flattened
from reana_bridge.results.files.pair import NotComparable

WIDTH = 1200
MAX_HEIGHT = 6_000


@contextmanager
def pages(path: Path) -> Generator["Pages"]:
    """The pages of the document at `path`.

    Raises:
        NotComparable: it is none, is damaged, or asks for a password.
    """
    try:
        document = pypdfium2.PdfDocument(path)
    except pypdfium2.PdfiumError as error:
        raise NotComparable(f"is no PDF that can be read: {error}") from None
    try:
        yield Pages(document)
    finally:
        document.close()


class Pages:
    """The pages of an opened document."""

    def __init__(self, document: Any) -> None:
        self._document = document

    def __len__(self) -> int:
        """How many there are."""
        return len(self._document)

    def drawn(self, number: int) -> Any:
        """The page `number`, from 0, as a flattened picture `WIDTH` pixels wide.

        Raises:
            NotComparable: it cannot be drawn, or would be too high.
        """
        try:
            page = self._document[number]
            width, height = page.get_size()
            if width <= 0 or height <= 0 or height / width * WIDTH > MAX_HEIGHT:
                raise NotComparable(f"page {number + 1} is {width:g} x {height:g} points large")
            return flattened(page.render(scale=WIDTH / width, may_draw_forms=False).to_pil())
        except pypdfium2.PdfiumError as error:
            raise NotComparable(f"page {number + 1} cannot be drawn: {error}") from None
