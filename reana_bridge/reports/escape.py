"""Text from outside put into Markdown: it shows as it is, and does nothing.

Names of metrics, branches, files and steps, log lines, texts: all of them are written by people who may
want a note to mention somebody, to link, to load a picture, to close an issue or to run a quick action.
Three things are done: characters that hide or reorder others are replaced; ASCII punctuation that is
Markdown is escaped; and where a forge gives a meaning to plain words after rendering (`@name`, `#12`,
`!12`, `:tada:`, addresses), an invisible joiner is put between.

https://docs.gitlab.com/user/markdown/#gitlab-specific-references lists what GitLab looks for.
"""

import html
import re
import unicodedata
from collections.abc import Iterable
from urllib.parse import quote

from reana_bridge.reports.words import shorten

ZERO_WIDTH = "\N{WORD JOINER}"  # unlike a zero-width space it lets no line break there
LONGEST_LOG_LINE = 300

_PLAIN = re.compile(r"[ -~]*")
_SPACES = re.compile(r"\s+")
_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")
_MEANT = re.compile(
    r"""
    [@\#!%~&^](?=[\w"'{`]) | \[(?=\S) | \$           # mentions, references, footnotes, math
    | \{(?=[-+])                                    # GitLab's inline differences
    | :(?=//|[A-Za-z_+-]|[0-9]+:)                   # addresses, emoji
    | (?<![A-Za-z0-9])(?:[wW]{3}(?=\.)|(?i:mailto|xmpp|tel)(?=:)|(?i:gh)(?=-[0-9])|[A-Z][A-Z0-9_]+(?=-[0-9]))
    """,
    re.VERBOSE,
)
_MARKDOWN = re.compile(r"[\\`*\[\]~${}]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")
_ENTITY = re.compile(r"[&<|]")
_ENTITIES = {"&": "&amp;", "<": "&lt;", "|": "&#124;"}
_COMMENT = re.compile(r"<(?=!--)|(?<=--)>")
_KEPT = re.compile(r"(?:/uploads/[0-9a-f]{16,64}|pictures)/[A-Za-z0-9_.%-]{1,255}")
_BLOCK_START = re.compile(r"[-+=#/:>]|([0-9]{1,9})(?=[.)])")


def clean(text: str) -> str:
    """`text` in one line, without characters that hide or reorder others (controls, bidi, zero-width)."""
    if not _PLAIN.fullmatch(text):
        text = "".join(_visible(character) for character in _ANSI.sub("", text))
    return _SPACES.sub(" ", text).strip()


def _visible(character: str) -> str:
    if character.isspace():
        return " "
    return "\N{REPLACEMENT CHARACTER}" if unicodedata.category(character) in {"Cc", "Cf", "Cs"} else character


def inline(text: str) -> str:
    """`text` for the middle of a line or a table cell; it must not begin a line (see `block`)."""
    return _escaped(clean(text))


def copied(text: str) -> str:
    """`text` as it reads for who copies it from where it was shown: without the joiners that are put in."""
    return clean(text.replace(ZERO_WIDTH, ""))


def block(escaped: str) -> str:
    """What `inline`, `code` or `marked` made, for the beginning of a line or a list item."""
    start = _BLOCK_START.match(escaped)
    if start is None:
        return escaped
    digits = start[1] or ""
    return f"{digits}\\{escaped[len(digits) :]}"


def _escaped(cleaned: str) -> str:
    text = _MEANT.sub(lambda match: match[0] + ZERO_WIDTH, cleaned)
    text = _MARKDOWN.sub(lambda match: "\\" + match[0], text)
    return _ENTITY.sub(lambda match: _ENTITIES[match[0]], text)


def html_text(text: str) -> str:
    """`text` for the inside of an HTML element of ours, where Markdown's own escapes would be seen."""
    shown = _MEANT.sub(lambda match: match[0] + ZERO_WIDTH, clean(text))
    return html.escape(shown).replace("|", "&#124;")


def code(text: str) -> str:
    """`text` as a code span; as `inline` text where a table's cell could not hold it as one."""
    text = _uncommented(clean(text))
    if not text or "|" in text or "\\" in text or "`" in text:
        return _escaped(text)
    return f"`{text}`"


def _uncommented(text: str) -> str:
    """`text` without comment signs, which are how forges find a note of ours among others."""
    return _COMMENT.sub(lambda match: match[0] + ZERO_WIDTH if match[0] == "<" else ZERO_WIDTH + ">", text)


def marked(text: str) -> str:
    """`text` as `inline`, but with its parts between backticks as code spans."""
    parts = clean(text).split("`")
    if len(parts) % 2 == 0 or not all(part.strip() for part in parts[1::2]):
        return _escaped("`".join(parts))
    return "".join(code(part) if i % 2 else _escaped(part) for i, part in enumerate(parts))


def fenced(lines: Iterable[str]) -> list[str]:
    """Log `lines` as a code block that no line of them can end; terminal colours are taken out."""
    shown = [_log_line(line) for line in lines]
    ticks = max((len(run) for line in shown for run in re.findall(r"`+", line)), default=0)
    fence = "`" * max(3, ticks + 1)
    return [f"{fence}text", *shown, fence]


def _log_line(line: str) -> str:
    line = _ANSI.sub("", line).rstrip("\r\n")
    line = line.rpartition("\r")[2]  # what a progress bar showed last
    line = "".join(_visible(character) if character not in " \t" else character for character in line)
    # GitLab looks for quick actions by line, and its idea of a code block has not always been Markdown's.
    return (" " if line.startswith("/") else "") + shorten(_uncommented(line), LONGEST_LOG_LINE).rstrip()


def link(label: str, url: str) -> str:
    """`label` (already escaped) as a link to `url`; the label alone where `url` is no web address."""
    address = web_address(url)
    return f"[{label}]({address})" if address else label


def image(label: str, url: str) -> str:
    """A picture at `url` with the text `label` (already escaped); the label where there is no address."""
    address = picture_address(url)
    return f"![{label}]({address})" if address else label


def picture_address(url: str) -> str:
    """`url` as `web_address`, or as a copy is named beside the text.

    On GitLab that is `/uploads/<secret>/<name>`, in a folder `pictures/<name>`.
    """
    return url if is_copy(url) else web_address(url)


def is_copy(url: str) -> bool:
    """Whether `url` names a copy that is kept beside the text."""
    return _KEPT.fullmatch(url) is not None


def web_address(url: str) -> str:
    """`url` fit for the inside of Markdown's parentheses; empty unless it is http or https."""
    if not re.match(r"https?://[^\s/]", url):
        return ""
    return quote(url, safe="%/:?#@&=+,-._", errors="replace")
