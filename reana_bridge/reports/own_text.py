"""What the analysis itself wrote for its report (`report.md`), made harmless: as Markdown and as HTML.

The text is taken apart and written anew from its parts, so that nothing stands in the result that was not
written here: no HTML, no mention, no quick action, no picture but those that we keep, links to web addresses
only. What is too long is cut between two blocks, and said to be.
"""

import posixpath
from collections.abc import Callable, Iterator, Sequence

import nh3
from markdown_it import MarkdownIt
from markdown_it.token import Token
from markdown_it.tree import SyntaxTreeNode

from reana_bridge.model.reports import OwnText
from reana_bridge.reports.escape import (
    ZERO_WIDTH,
    block,
    code,
    fenced,
    image,
    inline,
    is_copy,
    link,
    web_address,
)
from reana_bridge.reports.words import shorten

LONGEST = 8_000
"""Characters of a note that such a text may take."""
_LONGEST_LINE = 2_000
_CODE_LINES = 40
_TABLE_ROWS = 50
_NESTED = 4
_SIGNS = {"strong": "**", "em": "*", "s": "~~"}
_TAGS = {
    *("p", "br", "hr", "h3", "h4", "h5", "h6", "ul", "ol", "li", "blockquote", "pre", "code"),
    *("strong", "em", "s", "a", "img", "table", "thead", "tbody", "tr", "th", "td"),
}

Place = Callable[[str], str]
"""The address of a kept picture, by its path in the workspace; empty where there is none.

For Markdown a copy on the forge or beside the text is embedded (`is_copy`); others are linked.
"""


def own_markdown(own: OwnText, picture: Place, *, limit: int = LONGEST) -> str:
    """The text as Markdown of at most about `limit` characters; empty where nothing of it is left."""
    tree = SyntaxTreeNode(_parser().parse(own.text))
    writer = _Writer(own.path, picture)
    kept: list[str] = []
    room, cut = limit, own.cut
    for text in filter(None, (writer.block(node, 0) for node in tree.children)):
        if len(text) > room:
            cut = True
            break
        kept.append(text)
        room -= len(text) + 2
    if cut and kept:
        kept.append(f"More is in {code(own.path)}.")
    return "\n\n".join(kept)


def own_html(own: OwnText, picture: Place) -> str:
    """The text as HTML whose only addresses are web links and what `picture` gives."""
    parser = _parser()
    tokens = parser.parse(own.text)
    for token in tokens:
        if token.type.startswith("heading"):
            token.tag = f"h{min(int(token.tag[1:]) + 2, 6)}"
        style = str(token.attrs.pop("style", ""))
        if style.startswith("text-align:"):  # as a class: pages forbid styles inside elements
            token.attrSet("class", style.removeprefix("text-align:"))
        for child in token.children or ():
            if child.type == "image":
                _place(child, own.path, picture)
    html = parser.renderer.render(tokens, parser.options, {})
    return nh3.clean(
        html.encode("utf-8", "replace").decode(),
        tags=_TAGS,
        attributes={"a": {"href"}, "img": {"src", "alt"}, "th": {"class"}, "td": {"class"}, "ol": {"start"}},
        url_schemes={"http", "https"},
        link_rel="noopener noreferrer nofollow",
    )


def workspace_path(source: str, own: str) -> str:
    """The path in the workspace that `source`, written in the file `own`, names; empty for one elsewhere."""
    if ":" in source or source.startswith(("/", "#")):
        return ""
    path = posixpath.normpath(posixpath.join(posixpath.dirname(own), source))
    return "" if path.startswith("../") else path


def _parser() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": False, "maxNesting": 12}).enable(["table", "strikethrough"])


def _place(token: Token, own: str, picture: Place) -> None:
    """Point a picture to where it is kept; one that is not keeps its text alone."""
    path = workspace_path(str(token.attrs.get("src", "")), own)
    address = picture(path) if path else ""
    if address:
        token.attrs = {"src": address, "alt": ""}
    else:
        token.type, token.tag = "text", ""


class _Writer:
    """Writes nodes anew.

    Args:
        own: Where the text stands, relative to the workspace.
        picture: Gives the addresses of pictures.
    """

    def __init__(self, own: str, picture: Place) -> None:
        self._own, self._picture = own, picture

    def block(self, node: SyntaxTreeNode, depth: int) -> str:
        """One block; empty for one without content, or that is nested too deeply."""
        if depth > _NESTED:
            return ""
        match node.type:
            case "paragraph":
                return block(self._inline(node))
            case "heading":
                text = self._inline(node)
                return f"#### {text}" if text else ""
            case "fence" | "code_block":
                return "\n".join(fenced(node.content.splitlines()[:_CODE_LINES]))
            case "bullet_list" | "ordered_list":
                return "\n".join(self._items(node, depth))
            case "blockquote":
                inner = "\n\n".join(filter(None, (self.block(child, depth + 1) for child in node.children)))
                return "\n".join(f"> {line}".rstrip() for line in inner.splitlines())
            case "table":
                return self._table(node)
            case _:
                return ""

    def _items(self, node: SyntaxTreeNode, depth: int) -> Iterator[str]:
        for number, item in enumerate(node.children, 1):
            sign = f"{number}." if node.type == "ordered_list" else "-"
            inner = "\n".join(filter(None, (self.block(child, depth + 1) for child in item.children)))
            first, *rest = inner.splitlines() or [""]
            yield "\n".join([f"{sign} {first}", *(f"{' ' * (len(sign) + 1)}{line}" for line in rest)])

    def _table(self, node: SyntaxTreeNode) -> str:
        rows = [row for part in node.children for row in part.children][: _TABLE_ROWS + 1]
        cells = [[self._inline(cell) for cell in row.children] for row in rows]
        if not cells or not cells[0]:
            return ""
        align = ["--:" if "right" in str(cell.attrs.get("style", "")) else "---" for cell in rows[0].children]
        return "\n".join(f"| {' | '.join(line)} |" for line in (cells[0], align, *cells[1:]))

    def _inline(self, node: SyntaxTreeNode) -> str:
        children = [child for part in node.children for child in part.children]
        return self._spans(children).strip()

    def _spans(self, nodes: Sequence[SyntaxTreeNode]) -> str:
        """The parts one after another, such that none of them means something with the one before it.

        Each part is escaped by itself: without a joiner `@` and the text of a picture that we do not have
        would make a mention, and `!` and a link a picture. Signs of emphasis part their neighbours already.
        """
        written, parted = "", True
        for node in nodes:
            part = self._span(node)
            if not part:
                continue
            parts = node.type in _SIGNS and part.startswith(_SIGNS[node.type])
            if not (parted or parts or written[-1].isspace() or part[0].isspace()):
                written += ZERO_WIDTH
            written, parted = written + part, parts
        return written

    def _span(self, node: SyntaxTreeNode) -> str:
        match node.type:
            case "text":
                return _text(node.content)
            case "code_inline":
                return code(shorten(node.content, _LONGEST_LINE))
            case "softbreak" | "hardbreak":
                return " "
            case "strong" | "em" | "s":
                sign = _SIGNS[node.type]
                text = self._spans(node.children)
                return f"{sign}{text}{sign}" if text.strip() == text and text else text
            case "link":
                return link(self._spans(node.children), web_address(str(node.attrs.get("href", ""))))
            case "image":
                return self._image(node)
            case _:
                return ""

    def _image(self, node: SyntaxTreeNode) -> str:
        """The picture where the forge has a copy of it, else a link to ours, else its text."""
        path = workspace_path(str(node.attrs.get("src", "")), self._own)
        address, title = self._picture(path) if path else "", inline(node.content or path)
        return image(title, address) if is_copy(address) else link(title, address)


def _text(text: str) -> str:
    """A text, escaped, with a space where it began or ended with one."""
    escaped = inline(shorten(text, _LONGEST_LINE))
    if not escaped:
        return " " if text else ""
    return f"{' ' if text[0].isspace() else ''}{escaped}{' ' if text[-1].isspace() else ''}"
