"""What a page shows of a kept file: its picture, its rows, its text, or nothing but its size.

Pure: the first bytes of a file in, values out. Everything is bounded, and what is left out is said. Values
are plain text, which the template escapes; Markdown comes as harmless HTML (`reports/own_text.py`).
"""

import csv
import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePosixPath

from reana_bridge.model.reports import OwnText
from reana_bridge.reports.file_rows import PICTURES
from reana_bridge.reports.own_text import own_html

ROWS, COLUMNS = 200, 40
LINES = 2_000
_CELL = 200
_LINE = 2_000
_TABLES = {".csv": ",", ".tsv": "\t"}
_BINARY = frozenset({".pdf", ".root", ".npy", ".npz", ".h5", ".hdf5", ".parquet", ".zip", ".gz", ".pkl"})


@dataclass(frozen=True, kw_only=True)
class Preview:
    """What is shown of a file.

    Attributes:
        kind: `picture`, `table`, `text`, `html`, or `none` where only its size can be told.
        header: Of a table.
        rows: Of a table; each as long as the longest.
        text: The text, or safe HTML for `html`.
        cut: What is left out, a clause; empty for nothing.
    """

    kind: str
    header: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    text: str = ""
    cut: str = ""


def preview(path: str, content: bytes, *, size: int, picture: Callable[[str], str]) -> Preview:
    """What to show of the file at `path`.

    Args:
        path: Relative to the workspace.
        content: Its first bytes.
        size: All its bytes.
        picture: Gives the addresses of kept pictures, for Markdown.
    """
    suffix = PurePosixPath(path).suffix.lower()
    if suffix in PICTURES:
        return Preview(kind="picture")
    if suffix in _BINARY or b"\x00" in content:
        return Preview(kind="none")
    text = content.decode("utf-8", "replace")
    more = size > len(content)
    if more:
        text = text.rpartition("\n")[0] or text
    if suffix == ".md":
        html = own_html(OwnText(path=path, text=text), picture)
        return Preview(kind="html", text=html, cut="the rest of the text" if more else "")
    if suffix in _TABLES:
        return _table(text, _TABLES[suffix], more=more)
    if suffix == ".json" and not more:
        text = _indented(text)
    return _text(text, more=more)


def _text(text: str, *, more: bool) -> Preview:
    lines = text.splitlines()
    shown = "\n".join(line[:_LINE] for line in lines[:LINES])
    cut = more or len(lines) > LINES or any(len(line) > _LINE for line in lines[:LINES])
    return Preview(kind="text", text=shown, cut="the rest of the text" if cut else "")


def _indented(text: str) -> str:
    """JSON with one value a line; as it stands where it is no JSON or nested too deeply."""
    try:
        return json.dumps(json.loads(text, parse_constant=str), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return text


def _table(text: str, delimiter: str, *, more: bool) -> Preview:
    reader = csv.reader(io.StringIO(text), delimiter=delimiter)
    found: list[list[str]] = []
    try:
        for row in reader:
            if len(found) > ROWS:
                break
            found.append([cell[:_CELL] for cell in row])
    except csv.Error:  # a cell that is longer than any table's
        return _text(text, more=more)
    width = max(map(len, found), default=0)
    if not found or not width:
        return Preview(kind="text", text="")
    columns = min(width, COLUMNS)
    rows = [tuple([*row, *[""] * width][:columns]) for row in found]
    cuts = [
        *(["more rows"] if more or len(found) > ROWS else []),
        *([f"{width - columns} more columns"] if width > columns else []),
    ]
    return Preview(kind="table", header=rows[0], rows=tuple(rows[1 : ROWS + 1]), cut=" and ".join(cuts))
