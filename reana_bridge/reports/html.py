"""A report as one HTML page that needs nothing beside itself: the note's Markdown, rendered, with a style.

The Markdown is made harmless by `markdown.py`; what is rendered here holds no script, and loads nothing but
pictures that the report itself names.
"""

import re
from base64 import b64encode
from collections.abc import Mapping
from html import escape

from markdown_it import MarkdownIt

from reana_bridge.model.reports import Report
from reana_bridge.reports.enclosed import NO_COPIES, Copy
from reana_bridge.reports.escape import clean
from reana_bridge.reports.markdown import section
from reana_bridge.reports.view import view

LIMIT = 5_000_000
"""Characters of Markdown that a page is made of."""
STYLE = """
:root { color-scheme: light dark; --ink: #1f2328; --quiet: #59636e; --line: #d1d9e0; --tint: #f6f8fa;
  --link: #0a5bc4; --paper: #fff }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --quiet: #9198a1; --line: #3d444d;
  --tint: #151b23; --link: #6cb0ff; --paper: #0d1117 } }
body { font: 15px/1.55 system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; margin: 0 auto;
  padding: 20px; max-width: 62rem; color: var(--ink); background: var(--paper); overflow-wrap: anywhere }
table { border-collapse: collapse; margin: 12px 0; font-variant-numeric: tabular-nums; display: block;
  overflow-x: auto; overflow-wrap: normal }
td, th { border: 1px solid var(--line); padding: 5px 12px } tr:nth-child(2n) { background: var(--tint) }
td:last-child { min-width: 9rem }
th { text-align: left } code { background: var(--tint); padding: 2px 5px; border-radius: 5px; font-size: 87% }
pre { background: var(--tint); padding: 14px; border-radius: 6px; overflow-x: auto; overflow-wrap: normal }
pre code { padding: 0; background: none } a { color: var(--link) } img { max-width: 100%; background: #fff }
td img { min-width: 11rem }
sub { color: var(--quiet); vertical-align: baseline; font-size: 88% } p { margin: 10px 0 }
summary { cursor: pointer; color: var(--link) }
"""
_SOURCE = re.compile(r'src="(pictures/[^"]*)"')
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src https: http: data:"


def page(report: Report, pictures: Mapping[str, Copy] = NO_COPIES) -> str:
    """The page of `report`, with the `pictures` that it links to within it (`enclosed.py`)."""
    html = document(section(report, limit=LIMIT, commands=False), title=_title(report))
    return _SOURCE.sub(lambda match: _within(match[1], pictures), html)


def _within(link: str, pictures: Mapping[str, Copy]) -> str:
    """The attribute of an image with its content; as it was for one that is not at hand."""
    picture = pictures.get(link)
    if picture is None:
        return f'src="{link}"'
    return f'src="data:{picture.kind};base64,{b64encode(picture.content).decode()}"'


def _title(report: Report) -> str:
    shown = view(report)
    return f"{shown.context}: {shown.headline.text}"


def document(markdown: str, *, title: str) -> str:
    """The page of a note's `markdown`, which is harmless already; `title` is plain text."""
    body = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).render(markdown)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="content-security-policy" content="{_POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(clean(title))}</title><style>{STYLE}</style></head>\n<body><main>\n{body}</main></body></html>\n"
    )
