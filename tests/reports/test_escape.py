import html
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from reana_bridge.model.commands import Command, CommandName, parse
from reana_bridge.reports.escape import (
    ZERO_WIDTH,
    block,
    clean,
    code,
    copied,
    fenced,
    html_text,
    image,
    inline,
    link,
    marked,
    picture_address,
    web_address,
)
from reana_bridge.reports.view import accept_command

MARKDOWN = MarkdownIt("commonmark").enable(["table", "strikethrough"])
MARKDOWN_WITH_HTML = MarkdownIt("commonmark", {"html": True})
NASTY = [
    "@everyone", "a@b.example", "#12", "!12", "a#1", "$5", "~bug", "%v1", "&12", "&amp;", "&lt;b&gt;",
    "<b>", "</td>", "<script>alert(1)</script>", "<!-- x", "<https://x.example>", "https://x.example",
    "HTTP://x", "www.x.example", "mailto:a", "[a](http://x)", "![a](http://x)", "[a]: http://x",
    "[[_TOC_]]", "[TOC]", "[^1]", "{+ a +}", "`a`", "``", "```", "~~~", "~~a~~", "*a*", "**", "_a_",
    "__a__", "a_b", "a_b_c", "a*b*c", "|", "a|b", "\\|", "\\", "\\\\", "/merge", "/close", "- a", "+ a",
    "1. a", "1) a", "# a", "> a", "---", "===", ":tada:", ":::", "$`a`$", "$$", "GH-12", "ABC-12", "\n",
    "\n\n/merge", "\r", "\t", "\u2028/merge", "\u202eabc", "\u200b", "\x00", "\x1b[31mred\x1b[0m",
    "\ud800", "    code", "%{project_path}", "::: a", "»", "é_é", "-",
    "<!-- reana-bridge -->", "::include{file=x}", "@@all", "gh-12", "=", "+", "1234567890. a",
]  # fmt: skip
texts = st.lists(st.sampled_from(NASTY) | st.text(max_size=5), max_size=6).map("".join) | st.text()
REFERENCES = re.compile(
    r"""(?ix) [@#!%~&$^]["'{\w] | :[a-z_+-][a-z0-9_+-]*: | :// | \bwww\. | \b(mailto|xmpp): | \b(GH|ABC)-\d
    | \[\w | \{[-+]""",
)


@given(texts)
def test_inline_text_shows_as_it_is_and_does_nothing(text):
    for written in (block(inline(text)), f"**x** {inline(text)} y", f"- {block(inline(text))}"):
        rendered = MARKDOWN.render(written)
        assert not re.search(r"<(?!/?(?:p|ul|li|strong)>)", rendered)
        plain = html.unescape(re.sub(r"</?(?:p|ul|li|strong)>", "", rendered)).strip("\n")
        assert plain.replace(ZERO_WIDTH, "").removeprefix("x ").removesuffix(" y").strip() in {
            clean(text),
            clean(text).removeprefix("x ").removesuffix(" y").strip(),
        }
        assert not REFERENCES.search(plain)


@given(texts)
def test_marked_text_has_code_spans_at_most(text):
    rendered = MARKDOWN.render(f"x {block(marked(text))} y")
    assert not re.search(r"<(?!/?(?:p|code)>)", rendered)
    outside = html.unescape(re.sub(r"</?p>", "", re.sub("<code>.*?</code>", " ", rendered)))
    assert not REFERENCES.search(outside)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("`on.push`: is not known", "`on.push`: is not known"),
        ("write `type: serial`", "write `type: serial`"),
        ("a ` b", "a \\` b"),
        ("a `` b", "a \\`\\` b"),
        ("`a|b` c", "a&#124;b c"),
    ],
)
def test_marked(text, written):
    assert marked(text) == written


@given(texts, texts)
def test_table_cells_stay_cells(first, second):
    source = f"| a | b |\n|---|---|\n| {inline(first)} | {code(second)} |\n"
    rendered = MARKDOWN.render(source)
    cells = re.findall(r"<td>(.*?)</td>", rendered, flags=re.DOTALL)
    assert len(cells) == 2
    assert not re.search(r"<(?!/?code>)", "".join(cells))
    plain = [html.unescape(re.sub("</?code>", "", cell)).replace(ZERO_WIDTH, "") for cell in cells]
    assert plain == [clean(first), clean(second)]


@given(st.lists(texts, max_size=5))
def test_no_line_ends_a_fence(lines):
    block = "\n".join(fenced(lines))
    tokens = MARKDOWN.parse(f"before\n\n{block}\n\nafter *x*")
    assert [token.type for token in tokens if token.level == 0] == [
        "paragraph_open", "paragraph_close", "fence", "paragraph_open", "paragraph_close",
    ]  # fmt: skip
    assert not any(line.startswith("/") for line in block.splitlines())
    assert not re.search(r"[\x00-\x08\x0b-\x1f\u202a-\u202e\ud800-\udfff]", block)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("upper limit (95 % CL)", "upper limit (95 % CL)"),
        ("signal_efficiency", "signal_efficiency"),
        ("fit.mu-hat, +18.3 %", "fit.mu-hat, +18.3 %"),
        ("chi2/ndf = 1.04", "chi2/ndf = 1.04"),
        ("main at 8d01b7e: the merge-base", "main at 8d01b7e: the merge-base"),
        ("_x", "\\_x"),
        ("a|b", "a&#124;b"),
        ("/merge", "\\/merge"),
        ("1. a", "1\\. a"),
        ("@bob", f"@{ZERO_WIDTH}bob"),
        ("@@all", f"@@{ZERO_WIDTH}all"),
        ("gh-12", f"gh{ZERO_WIDTH}-12"),
        ("high-12", "high-12"),
        ("5$", f"5\\${ZERO_WIDTH}"),
        ("::include{file=x}", f"\\::{ZERO_WIDTH}include\\{{file=x\\}}"),
        ("<!-- ours -->", "&lt;!-- ours -->"),
    ],
)
def test_ordinary_text_stays_readable(text, written):
    assert block(inline(text)) == written


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("a\nb\r\n\tc", "a b c"),
        ("\x1b[31mred\x1b[0m\x07", "red\ufffd"),
        ("a\u202eb", "a\ufffdb"),
        ("  x  ", "x"),
        ("é 物理", "é 物理"),
        ("\x1b]0;title\x07a", "a"),
    ],
)
def test_clean(text, cleaned):
    assert clean(text) == cleaned


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("fit.json", "`fit.json`"),
        ("a|b", "a&#124;b"),
        ("a`b", "a\\`b"),
        ("", ""),
        ("@bob", "`@bob`"),
        ("<!-- x -->", f"`<{ZERO_WIDTH}!-- x --{ZERO_WIDTH}>`"),
    ],
)
def test_code(text, written):
    assert code(text) == written


@pytest.mark.parametrize(
    ("lines", "block"),
    [
        (["a", "b\n"], ["```text", "a", "b", "```"]),
        (["```", "/merge"], ["````text", "```", " /merge", "````"]),
        (["10 %\r90 %\r\n", "\tx"], ["```text", "90 %", "\tx", "```"]),
        (["<!-- x -->"], ["```text", f"<{ZERO_WIDTH}!-- x --{ZERO_WIDTH}>", "```"]),
        (["x" * 400], ["```text", "x" * 299 + "…", "```"]),
    ],
)
def test_fenced(lines, block):
    assert fenced(lines) == block


@given(texts)
def test_text_inside_an_element_of_ours(text):
    rendered = MARKDOWN_WITH_HTML.render(f"<summary>{html_text(text)}</summary>")
    inside = rendered.strip().removeprefix("<summary>").removesuffix("</summary>")
    assert not re.search(r"[<>|]", inside)
    assert html.unescape(inside).replace(ZERO_WIDTH, "") == clean(text)
    assert not REFERENCES.search(html.unescape(inside))


@pytest.mark.parametrize(
    ("url", "address"),
    [
        (
            "/uploads/0123456789abcdef0123456789abcdef/a.png",
            "/uploads/0123456789abcdef0123456789abcdef/a.png",
        ),
        ("/uploads/0123456789abcdef0123456789abcdef/a b.png", ""),
        ("/uploads/0123456789abcdef0123456789abcdef/a/../../b", ""),
        ("/uploads/../a.png", ""),
        ("/merge", ""),
        ("https://b.example/a.png", "https://b.example/a.png"),
        ("javascript:alert(1)", ""),
    ],
)
def test_picture_address(url, address):
    assert picture_address(url) == address
    assert image("x", url) == (f"![x]({address})" if address else "x")


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("https://b.example/runs/1?key=a_b", "https://b.example/runs/1?key=a_b"),
        ("https://b.example/a b(1)|<x>", "https://b.example/a%20b%281%29%7C%3Cx%3E"),
        ("https://b.example/%20", "https://b.example/%20"),
        ("javascript:alert(1)", ""),
        ("data:text/html,x", ""),
        ("//b.example/x", ""),
        ("https://\n/x", ""),
        ("", ""),
    ],
)
def test_web_address(url, address):
    assert web_address(url) == address
    assert link("x", url) == (f"[x]({address})" if address else "x")


@given(texts)
@example(")[x](")
def test_a_link_never_ends_early(text):
    tokens = MARKDOWN.parse(link("x", f"https://b.example/{text}"))
    kinds = [token.type for token in tokens[1].children or []]
    assert kinds == ["link_open", "text", "link_close"]


@given(st.text(max_size=40))
@example("upper limit (95 % CL)")
@example("a|b @all #1 !2 :tada:")
@example("two  blanks")
@example("\u201cquoted\u201d x")
@example("<!-- x --> y")
def test_the_line_that_accepts_a_difference_means_the_metric_when_it_is_pasted(name: str) -> None:
    """As a note has it, copied from where a Markdown renderer shows it, with a reason written into it."""
    line = accept_command(name)
    tokens = MarkdownIt("commonmark").parseInline(code(line))[0].children or []
    shown = "".join(token.content for token in tokens)
    assert bool(line) == bool(name.strip() and not re.search(r'["\\`\x00-\x1f\x7f]', name))
    for said in (shown, line) if line else ():
        (command,) = parse(said.removesuffix("reason") + "so it is")
        assert isinstance(command, Command), command
        assert (command.name, command.reason) == (CommandName.ACCEPT, "so it is")
        assert copied(command.argument) == copied(name)
