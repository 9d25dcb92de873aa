import pytest
from hypothesis import given
from hypothesis import strategies as st

from reana_bridge.web.previews import COLUMNS, LINES, ROWS, preview


def shown(path, content, size=None):
    return preview(
        path, content, size=size if size is not None else len(content), picture=lambda path: f"/p/{path}"
    )


@pytest.mark.parametrize(
    ("path", "content", "kind", "says"),
    [
        ("a.png", b"\x89PNG", "picture", ""),
        ("a.svg", b"<svg>", "picture", ""),
        ("a.root", b"root", "none", ""),
        ("a.pdf", b"%PDF", "none", ""),
        ("a.bin", b"a\x00b", "none", ""),
        ("a.json", b'{"b":[1,2]}', "text", '"b": [\n'),
        ("a.json", b'{"b": NaN}', "text", '"NaN"'),
        ("a.json", b"{broken", "text", "{broken"),
        ("a.json", b"[" * 100_000, "text", "[["),
        ("a.log", b"caf\xc3\xa9 \xff", "text", "caf\u00e9 \ufffd"),
        ("a", b"plain", "text", "plain"),
        ("a.csv", b"", "text", ""),
        ("a.md", b"# T\n\n<b>x</b>", "html", "<h3>T</h3>"),
    ],
)
def test_what_is_shown(path, content, kind, says):
    found = shown(path, content)
    assert (found.kind, says in found.text) == (kind, True)


def test_tables_are_bounded_and_square():
    wide = ",".join(map(str, range(100))).encode()
    found = shown("a.csv", b"x,y\n" + b"1,2\n" * 500 + wide)
    assert (found.kind, found.header, len(found.rows), found.cut) == ("table", ("x", "y"), ROWS, "more rows")
    found = shown("a.tsv", b"a\tb\n1\n" + wide.replace(b",", b"\t"))
    assert {len(row) for row in (found.header, *found.rows)} == {COLUMNS}
    assert found.cut == "60 more columns"
    assert shown("a.csv", b"x\n1\n2", size=10_000).cut == "more rows"


def test_texts_are_bounded():
    found = shown("a.txt", b"line\n" * (LINES + 5))
    assert (found.text.count("\n"), found.cut) == (LINES - 1, "the rest of the text")
    assert shown("a.txt", b"one\ntw", size=99).text == "one"
    assert len(shown("a.txt", b"x" * 100_000).text) == 2_000


@given(st.sampled_from(["a.csv", "a.tsv", "a.json", "a.md", "a.txt", "a"]), st.binary(max_size=300))
def test_any_bytes_have_a_preview(path, content):
    found = shown(path, content, size=len(content) + 1)
    assert all(len(row) == len(found.header) for row in found.rows)
    assert "<script" not in found.text or found.kind != "html"
