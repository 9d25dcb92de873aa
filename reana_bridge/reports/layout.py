"""Pieces that every block of a note is laid out from, and how much of it is shown."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from reana_bridge.reports.escape import block


@dataclass(frozen=True)
class Detail:
    """How much is shown, and in which words.

    Attributes:
        rows: Most rows of the table of what changed, or of all values.
        folded: Most rows of each folded table; 0 for none of them.
        names: Most names in a list, and pictures.
        log: Most lines of a log.
        own: Most characters of the analysis' own text.
        shortened: Whether to say that something is left out.
        commands: Whether people can answer with commands.
        commit: Heads the column of the commit's values.
    """

    rows: int = 400
    folded: int = 100
    names: int = 12
    log: int = 20
    own: int = 8_000
    shortened: bool = False
    commands: bool = True
    commit: str = "this commit"


LEVELS = (
    Detail(),
    Detail(rows=150, folded=0, own=0, shortened=True),
    Detail(rows=50, folded=0, names=5, log=10, own=0, shortened=True),
    Detail(rows=10, folded=0, names=3, log=5, own=0, shortened=True),
    Detail(rows=0, folded=0, names=0, log=0, own=0, shortened=True),
)
"""From all to the least; the first that fits is taken."""


def table(header: Sequence[str], align: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of cells that are escaped already."""
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (header, align, *rows))


def folded(title: str, content: str) -> str:
    """`content` below a line that opens it; `title` is HTML."""
    return f"<details><summary>{title}</summary>\n\n{content}\n\n</details>"


def listed(lines: Sequence[str], detail: Detail) -> str:
    """Escaped `lines` as a list, as many as `detail` has room for."""
    most = max(detail.names, 1)
    shown = [f"- {block(line)}" for line in lines[:most]]
    if len(lines) > most:
        shown.append(f"- and {len(lines) - most} more")
    return "\n".join(shown)


def titled(title: str, lines: Sequence[str], detail: Detail) -> str:
    """One line behind its title, several below it."""
    if not lines:
        return ""
    return f"**{title}** {lines[0]}" if len(lines) == 1 else f"**{title}**\n\n{listed(lines, detail)}"
