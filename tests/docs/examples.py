"""Finds the examples in the pages: fenced blocks with their language and the note behind it."""

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").rglob("*.md")])
_BLOCK = re.compile(r"^```(\w+)[ ]*([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_BEFORE = {"until", "while", "if", "!", "exec", "docker", "compose", "web"}


@dataclass(frozen=True)
class Example:
    """One fenced block.

    Attributes:
        page: Where it stands.
        line: Its first line there.
        language: Such as `toml`.
        note: What follows the language, such as `skip: needs root`.
        text: Its content.
    """

    page: Path
    line: int
    language: str
    note: str
    text: str

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


@dataclass(frozen=True)
class Command:
    """One command of a console block, and the output that the page shows below it."""

    where: str
    text: str
    output: str


def examples(*languages: str, page: Path | None = None) -> list[Example]:
    """The blocks in these languages, of all pages or of one."""
    found: list[Example] = []
    for one in PAGES if page is None else [page]:
        text = one.read_text(encoding="utf-8")
        for match in _BLOCK.finditer(text):
            line = text.count("\n", 0, match.start()) + 1
            example = Example(one, line, match[1], match[2].strip(), match[3])
            if not languages or example.language in languages:
                found.append(example)
    return found


def commands(example: Example) -> list[Command]:
    """The commands of a console block: `$ ` begins one, `> ` goes on with it, the rest is output."""
    found: list[tuple[list[str], list[str]]] = []
    for line in example.text.splitlines():
        if line.startswith("$ "):
            found.append(([line[2:]], []))
        elif line.startswith("> ") or line == ">":
            found[-1][0].append(line[2:])
        else:
            found[-1][1].append(line)
    return [Command(str(example), "\n".join(lines), "\n".join(output)) for lines, output in found]


def calls_of_ours(text: str) -> list[list[str]]:
    """The arguments of each call of `reana-bridge` in a shell command."""
    found: list[list[str]] = []
    for part in re.split(r"&&|\|\||[;|\n]|\$\(|\bdo\b", text):
        try:
            words = shlex.split(part, comments=True)
        except ValueError:
            continue
        while words and (words[0] in _BEFORE or re.fullmatch(r"[A-Z_]+=.*", words[0])):
            words.pop(0)
        if words and (words[0] == "reana-bridge" or words[0].endswith("/bin/reana-bridge")):
            rest = words[1:]
            stop = next((i for i, w in enumerate(rest) if re.match(r"[&<>)]|\d>", w)), len(rest))
            found.append([word.rstrip(")") for word in rest[:stop]])
    return found
