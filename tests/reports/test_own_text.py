import html as html_words
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from reana_bridge.model.reports import OwnText
from reana_bridge.reports.own_text import own_html, own_markdown, workspace_path
from tests.reports.test_escape import NASTY, REFERENCES

MARKDOWN = MarkdownIt("commonmark").enable(["table", "strikethrough"])
KEPT = {
    "results/a.png": "/uploads/0123456789abcdef0123456789abcdef/a.png",
    "b.png": "https://b.example/b.png",
}


def markdown(text, **more):
    return own_markdown(OwnText(path="results/report.md", text=text), lambda path: KEPT.get(path, ""), **more)


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("# Title", "#### Title"),
        ("a *b* **c** `d` ~~e~~", "a *b* **c** `d` ~~e~~"),
        ("two\nlines", "two lines"),
        ("ask @bob, see #12", "ask @\u2060bob, see #\u206012"),
        ("/merge", "\\/merge"),
        ("\\/merge", "\\/merge"),
        ("<b>bold</b>", "&lt;b>bold&lt;/b>"),
        ("<script>alert(1)</script>", "&lt;script>alert(1)&lt;/script>"),
        ("<!-- marker -->", "&lt;!-- marker -->"),
        ("[here](https://x.example/a)", "[here](https://x.example/a)"),
        ("[here](javascript:alert(1))", "\\[\u2060here\\](javascript:\u2060alert(1))"),
        ("[here](../other)", "here"),
        ("![a](a.png)", "![a](/uploads/0123456789abcdef0123456789abcdef/a.png)"),
        ("![b](../b.png)", "[b](https://b.example/b.png)"),
        ("![c](https://evil.example/c.png)", "c"),
        ("![d](../../d.png)", "d"),
        ("- one\n- two\n  - three", "- one\n- two\n  - three"),
        ("1. one\n2. two", "1. one\n2. two"),
        ("> said", "> said"),
        ("```\n/close\n```", "```text\n /close\n```"),
        ("|a|b|\n|--|-:|\n|1|@all|", "| a | b |\n| --- | --: |\n| 1 | @\u2060all |"),
        ("&lt;b&gt; &#64;all", "&lt;b> @\u2060all"),
        ("***", ""),
        ("", ""),
    ],
)
def test_every_part_is_written_anew(written, shown):
    assert markdown(written) == shown


@pytest.mark.parametrize(
    "written",
    [
        *("@![all](http://x)", "&amp;![1](x)", "~![bug](x)", "#![12](x)", ":![tada:](x)", "%![v1](x)"),
        *("w![ww.x.example](x)", "http:![//x.example](x)", "GH![-12](x)", "{![+ a +}](x)", "*a*@![all](x)"),
        *(
            r"\![a](https://x.example/t.png)",
            r"\![a](../b.png)",
            r"a\![b](https://x.example)",
            "@[all](../x)",
        ),
        *("**\\!**[a](https://x.example)", "*\\![a](https://x.example)*", "|a|\n|-|\n|@![all](x)|"),
    ],
)
def test_nothing_comes_to_mean_something_beside_its_neighbour(written):
    page = MARKDOWN.render(markdown(written))
    assert "<img" not in page
    # Forges look for references in each text between two tags.
    assert not any(REFERENCES.search(html_words.unescape(words)) for words in re.split(r"<[^>]*>", page))


@pytest.mark.parametrize(
    "written", ["a**b.**, c **d** e", "*x*, ~~y~~", "a `b`", "see [it](https://x.example)"]
)
def test_neighbours_that_mean_nothing_stay_as_they_are(written):
    assert markdown(written) == written


def test_what_is_too_long_ends_between_blocks():
    text = markdown("one\n\n" + "x" * 100 + "\n\nthree", limit=50)
    assert text == "one\n\nMore is in `results/report.md`."


@given(
    st.lists(
        st.sampled_from([*NASTY, "![x](a.png)", "\n", "# ", "- ", "> ", "|"]) | st.text(max_size=4),
        max_size=12,
    )
)
def test_nothing_acts(pieces):
    written = "".join(pieces)
    text = markdown(written)
    assert not any(line.startswith("/") for line in text.splitlines())
    html = MARKDOWN.render(text)
    words = re.sub(r"<[^>]*>", " ", re.sub(r"(?s)<(code|pre)\b.*?</\1>|<code>.*?</code>", " ", html))
    assert not REFERENCES.search(html_words.unescape(words))
    for page in (html, own_html(OwnText(path="r.md", text=written), lambda path: f"/files/{path}")):
        assert "<script" not in page
        assert not re.search(r"<[a-z]+[^>]* on[a-z]+=", page)
        sources = re.findall(r'<img[^>]*src="([^"]*)"', page)
        assert all(source.startswith(("/uploads/", "/files/")) for source in sources)


def test_the_page_shows_kept_pictures_alone():
    own = OwnText(
        path="results/report.md", text="# Top\n\n![kept](a.png) ![gone](x.png) [l](https://l.example)"
    )
    page = own_html(own, lambda path: f"/runs/1/artifacts/{path}" if path.endswith("a.png") else "")
    assert "<h3>Top</h3>" in page
    assert '<img src="/runs/1/artifacts/results/a.png" alt="kept">' in page
    assert "gone" in page
    assert 'rel="noopener noreferrer nofollow"' in page


def test_columns_of_a_table_are_aligned_without_styles_which_pages_forbid():
    own = OwnText(path="report.md", text="| a | b | c |\n|---|--:|:-:|\n| 1 | 2 | 3 |\n")
    page = own_html(own, lambda _: "")
    assert '<td>1</td>\n<td class="right">2</td>\n<td class="center">3</td>' in page
    assert "style" not in page


@pytest.mark.parametrize(
    ("source", "path"),
    [("a.png", "results/a.png"), ("../a.png", "a.png"), ("./p/../a.png", "results/a.png"), ("../../a", ""),
     ("/a.png", ""), ("http://x/a.png", ""), ("//x/a.png", ""), ("data:image/png;base64,", "")],
)  # fmt: skip
def test_pictures_are_named_from_where_the_text_stands(source, path):
    assert workspace_path(source, "results/report.md") == path
