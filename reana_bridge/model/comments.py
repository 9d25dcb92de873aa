"""Which lines of a comment its author says, and does not only show.

Promises: a line in a code block, in inline code, in a quotation (Markdown's `>`, GitLab's `>>>` fences,
`<blockquote>`), in a folded section or in an HTML comment is never among them. Where forges differ in what
they show as code or quotation, a line that either of them shows so is left out.
"""

import re
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

MAXIMUM_COMMENT = 65_536
"""Characters of a comment that are read."""

_BLOCKS = ("code", "fence", "blockquote", "hr", "list", "html_block", "heading")
_INLINE = ("newline", "escape", "backticks", "autolink", "html_inline")
_SETTING_ASIDE = "blockquote|code|details|kbd|pre|samp|script|style|table|template|textarea"
_TAG = re.compile(rf"<(/?)(?:{_SETTING_ASIDE})(?=[\s/>])", re.IGNORECASE)
_FENCE = re.compile(r" {0,3}>{3,}[ \t]*")


def own_lines(body: str) -> Iterator[str]:
    """The lines that are plain text of the comment itself, in their order, each without its line end.

    Args:
        body: The comment's Markdown; beyond `MAXIMUM_COMMENT` characters it is not read.
    """
    source = body[:MAXIMUM_COMMENT].replace("\r\n", "\n").replace("\r", "\n")
    lines = source.split("\n")
    quotes = aside = 0
    fenced = False
    for token in _reader().parse(source):
        if token.type == "blockquote_open" and not quotes and token.map is not None:
            marks = sum(_FENCE.fullmatch(line) is not None for line in lines[slice(*token.map)])
            fenced ^= marks % 2 == 1
        quotes += token.nesting if token.type.startswith("blockquote") else 0
        if token.type == "html_block":
            aside = _aside(aside, token.content)
        elif token.type == "inline" and token.map is not None and not (quotes or fenced or aside):
            for number in _outside_of_code(token):
                yield lines[token.map[0] + number]


def _outside_of_code(paragraph: "Token") -> Iterator[int]:
    """Numbers of the paragraph's lines that begin neither in inline code nor within HTML."""
    aside = 0
    if paragraph.content:
        yield 0
    for child in paragraph.children or ():
        if child.type == "html_inline":
            aside = _aside(aside, child.content)
        elif "line" in child.meta and not aside:
            yield child.meta["line"]


def _aside(depth: int, html: str) -> int:
    """How many elements that set their content aside are open after `html`."""
    for closing in _TAG.findall(html):
        depth = max(0, depth - 1) if closing else depth + 1
    return depth


@cache
def _reader() -> "MarkdownIt":
    # Only comments need it: it stays out of every start.
    from markdown_it import MarkdownIt
    from markdown_it.rules_inline import escape, newline

    reader = MarkdownIt("zero", {"html": True, "maxNesting": 20}).enable([*_BLOCKS, *_INLINE])
    reader.inline.ruler.at("newline", _noting_lines(newline))
    reader.inline.ruler.at("escape", _noting_lines(escape))
    return reader


def _noting_lines(rule: Any) -> Any:
    """`rule`, with the number of the line that begins after a line break noted at the break's token."""

    def noting(state: Any, silent: bool) -> bool:
        begin = state.pos
        matched = rule(state, silent)
        if matched and not silent and "\n" in state.src[begin : state.pos]:
            state.tokens[-1].meta = {"line": state.src.count("\n", 0, state.pos)}
        return matched

    return noting
