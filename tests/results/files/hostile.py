"""Files that mean harm, each with a word that its verdict must have."""

import io
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable

import numpy as np
from PIL import Image

MIB = 1 << 20
PDF = (
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R{catalog}>>endobj\n"
    b"2 0 obj<</Type/Pages/Kids[3 0 R]/Count {count}>>endobj\n"
    b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 {box}]/Contents 4 0 R>>endobj\n"
    b"4 0 obj<</Length 0>>stream\n\nendstream endobj\n{more}"
    b"trailer<</Root 1 0 R>>\n%%EOF\n"
)


def pdf(*, catalog: bytes = b"", count: bytes = b"1", box: bytes = b"200 200", more: bytes = b"") -> bytes:
    parts = {b"{catalog}": catalog, b"{count}": count, b"{box}": box, b"{more}": more}
    made = PDF
    for mark, value in parts.items():
        made = made.replace(mark, value)
    return made


def svg(inner: str, head: str = 'width="100" height="50"', before: str = "") -> bytes:
    return f'{before}<svg xmlns="http://www.w3.org/2000/svg" {head}>{inner}</svg>'.encode()


def png(width: int, height: int, more: bytes = b"") -> bytes:
    """A PNG that says it has so many pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    top = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return (
        b"\x89PNG\r\n\x1a\n" + top + more + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")
    )


def npy_header(text: str) -> bytes:
    padded = text.encode() + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(padded)) + padded


def npz(name: str, content: bytes) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return written.getvalue()


def pickled() -> bytes:
    written = io.BytesIO()
    np.save(written, np.array([print], dtype=object), allow_pickle=True)
    return written.getvalue()


def bomb_gif() -> bytes:
    written = io.BytesIO()
    Image.new("P", (65_000, 400), 0).save(written, format="GIF")
    return written.getvalue()


def tar_link() -> bytes:
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w") as archive:
        link = tarfile.TarInfo("x")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    return written.getvalue()


GOOD: dict[str, Callable[[], bytes]] = {
    "csv": lambda: b"a,b\n1,2\n",
    "json": lambda: b'{"a": 1}',
    "yaml": lambda: b"a: 1\n",
    "txt": lambda: b"a 1\n",
    "npy": lambda: npy_header("{'descr': '<f8', 'fortran_order': False, 'shape': (1,), }") + b"\0" * 8,
    "npz": lambda: npz("a.npy", GOOD["npy"]()),
    "png": lambda: _image("PNG"),
    "gif": lambda: _image("GIF"),
    "jpg": lambda: _image("JPEG"),
    "webp": lambda: _image("WEBP"),
    "svg": lambda: svg("<rect width='9' height='9'/>"),
    "pdf": pdf,
}


def _image(kind: str) -> bytes:
    written = io.BytesIO()
    Image.new("RGB", (8, 8), "white").save(written, format=kind)
    return written.getvalue()


ROOT_START = b"root" + struct.pack(">IIIII", 62400, 100, 400, 300, 60)
HUGE = "{'descr': '<f8', 'fortran_order': False, 'shape': (9999999999,), }"
DEEP_TYPE = "{'descr': " + "[('a', " * 300 + "'<f8'" + ")]" * 300 + ", 'fortran_order': False, 'shape': (1,)}"

CASES: list[tuple[str, str, Callable[[], bytes], str]] = [
    ("a table with one line of 60 MB", "csv", lambda: b"a,b\n" + b"1," * (30 * MIB), "is longer than"),
    (
        "a table with a quote that never ends",
        "csv",
        lambda: b'a,b\n"' + b"x\n" * MIB,
        "larger than field limit",
    ),
    ("a table with a million columns", "csv", lambda: b"a," * 500_000, "more than 10,000 columns"),
    ("a table of bytes", "csv", lambda: bytes(range(256)) * 50, "differ"),
    ("a formula", "csv", lambda: b"a,b\n=cmd|'/c calc'!A1,2\n", "=cmd"),
    ("a nest of 100,000 lists", "json", lambda: b"[" * 100_000 + b"]" * 100_000, "nested too deeply"),
    ("a nest of 900 lists", "json", lambda: b"[" * 900 + b"]" * 900, "nested"),
    ("a document of 17 MiB", "json", lambda: b'"' + b"x" * (17 * MIB) + b'"', "larger than 16 MiB"),
    ("two million values", "json", lambda: b"[" + b"1," * 2_000_000 + b"1]", "more than 500,000 parts"),
    ("a number of a million digits", "json", lambda: b'{"a": ' + b"9" * MIB + b"}", "1,048,576 digits"),
    ("keys with line breaks and directions", "json", lambda: '{"a\\n\u202eb": 1}'.encode(), "missing"),
    ("a billion laughs", "yaml", lambda: _laughs(), "more than 500,000 parts"),
    ("an object of Python", "yaml", lambda: b"a: !!python/object/apply:os.system ['id']\n", "differ"),
    ("an alias of itself", "yaml", lambda: b"a: &x [*x]\n", "ended before it"),
    ("a text with one line of 60 MB", "txt", lambda: b"1" * (60 * MIB), "is longer than"),
    ("a line of digits that is no number", "txt", lambda: b"1" * 1_000_000 + b"x\n", "1 of 1 lines differ"),
    ("a text of two million lines", "txt", lambda: b"\n" * 2_000_000, "more than"),
    ("an array that says it has 80 GB", "npy", lambda: npy_header(HUGE), "unpacks to 79,999,999,992 bytes"),
    ("an array that ends early", "npy", lambda: GOOD["npy"]()[:-3], "is damaged: ends after 5 of 8 bytes"),
    ("an array that needs pickle", "npy", pickled, "not comparable safely"),
    ("a header with a call", "npy", lambda: npy_header("__import__('os').system('id')"), "is damaged"),
    ("a header nested 300 deep", "npy", lambda: npy_header(DEEP_TYPE), "damaged"),
    ("a negative shape", "npy", lambda: npy_header(HUGE.replace("(9", "(-9")), "damaged"),
    ("an archive of 1 GB of zeros", "npz", lambda: _zeros(), "unpacks to 1,000,000,000 bytes"),
    ("an archive that names a file outside", "npz", lambda: npz("../../etc/passwd.npy", b"x"), "etc/passwd"),
    ("an archive with a link", "npz", tar_link, "is no NumPy file"),
    ("an archive cut in the middle", "npz", lambda: GOOD["npz"]()[:60], "is no NumPy file"),
    (
        "a picture of 100,000 x 100,000 pixels",
        "png",
        lambda: png(100_000, 100_000),
        "100,000 x 100,000 pixels, more than",
    ),
    ("a picture cut in the middle", "png", lambda: GOOD["png"]()[:60], ""),
    ("a picture with too few lines", "png", lambda: png(2000, 2000), "damaged"),
    ("a page of HTML called a picture", "png", lambda: b"<html><script>alert(1)</script>", "no picture"),
    ("a PDF called a picture", "jpg", pdf, "no picture"),
    ("a large animation", "gif", bomb_gif, "more than 25,000,000"),
    ("a damaged WebP", "webp", lambda: GOOD["webp"]()[:20] + b"\xff" * 90, "damaged"),
    ("a drawing with a script", "svg", lambda: svg("<script>while(1){}</script>"), "of the pixels differ"),
    ("a drawing that shows a file", "svg", lambda: svg('<image href="/etc/passwd" width="9"/>'), "pixels"),
    ("a drawing that calls home", "svg", lambda: svg('<image href="http://127.0.0.1:1/x"/>'), "pixels"),
    ("a drawing with entities", "svg", lambda: svg("&a;", before=_ENTITY), "declares entities"),
    ("a drawing of endless height", "svg", lambda: svg("", 'width="1" height="99999999"'), "pixels high"),
    ("a drawing that hides its height", "svg", lambda: svg("", "viewBox=' 0,0 1 99999999'"), ""),
    ("a drawing that uses itself", "svg", lambda: svg('<g id="a"><use href="#a"/></g>'), "pixels"),
    ("a drawing of 2^30 copies", "svg", lambda: svg(_copies()), ""),
    ("a PDF with a script", "pdf", lambda: pdf(catalog=_SCRIPT), "looks the same"),
    ("a PDF that starts a program", "pdf", lambda: pdf(catalog=_LAUNCH), "looks the same"),
    ("a PDF with a page of 10^9 points", "pdf", lambda: pdf(box=b"1 1000000000"), "page 1"),
    ("a PDF that says it has 10^9 pages", "pdf", lambda: pdf(count=b"1000000000"), "page"),
    ("a PDF that is its own parent", "pdf", lambda: pdf().replace(b"Kids[3 0 R]", b"Kids[2 0 R]"), "page"),
    ("a damaged PDF", "pdf", lambda: b"%PDF-1.7\n\xff\xff", "no PDF"),
    ("a damaged ROOT file", "root", lambda: ROOT_START + b"\xff" * 400, "no ROOT file"),
    ("a ROOT file of nothing", "root", lambda: b"", "no ROOT file"),
    ("a text called a ROOT file", "root", lambda: b"hello", "no ROOT file"),
]

_ENTITY = '<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
_SCRIPT = b"/OpenAction<</S/JavaScript/JS(while(1){})>>"
_LAUNCH = b"/OpenAction<</S/Launch/F(/bin/sh)>>"


def _laughs() -> bytes:
    lines = ["a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 12)]
    return "\n".join(lines).encode()


def _zeros() -> bytes:
    shape = "{'descr': '|u1', 'fortran_order': False, 'shape': (1000000000,), }"
    return npz("a.npy", npy_header(shape) + b"\0" * (8 * MIB))


def _copies() -> str:
    groups = ['<g id="g0"><rect width="9" height="9"/></g>']
    groups += [f'<g id="g{i}">{f"""<use href="#g{i - 1}"/>""" * 2}</g>' for i in range(1, 31)]
    return "<defs>" + "".join(groups) + '</defs><use href="#g30"/>'
