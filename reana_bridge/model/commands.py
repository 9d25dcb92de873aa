"""Commands in comments: `/reana run fit lumi=140`, each on a line of its own.

Promises: pure, never raises, whatever the comment holds; at most `MAXIMUM_COMMANDS` come out; what begins as
a command and is none becomes a `Mistake` that says what to write instead.
"""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from reana_bridge.model.analyses import Value
from reana_bridge.model.bridge_types import MAX_NAMES, NAME_PATTERN
from reana_bridge.model.comments import own_lines
from reana_bridge.model.suggestions import closest, shown
from reana_bridge.model.yamlscalars import Reading, value_of

MAXIMUM_COMMANDS = 10
"""Commands in one comment that are obeyed."""

HELP = """\
| comment | what it does |
|---|---|
| `/reana run [analysis] [name=value ...]` | run all analyses again, or one, also with other parameters |
| `/reana retest` | run again what failed |
| `/reana cancel [analysis]` | stop what runs or waits |
| `/reana approve SHA` | let this very commit run (all digits of its SHA) |
| `/reana compare REF` | compare with another branch, tag or commit |
| `/reana accept METRIC reason` | say that this metric's difference is expected, and why |
| `/reana status` | say how far it is |
| `/reana why` | say why it ran or did not run |
| `/reana help` | show this |

Each on a line of its own, outside of code and quotations; only new comments count.
"""
"""What can be said in a comment, as Markdown."""


class CommandName(StrEnum):
    """What can be asked for."""

    RUN = "run"
    RETEST = "retest"
    CANCEL = "cancel"
    APPROVE = "approve"
    STATUS = "status"
    WHY = "why"
    COMPARE = "compare"
    ACCEPT = "accept"
    HELP = "help"


@dataclass(frozen=True, kw_only=True)
class Command:
    """What a line asks for.

    Attributes:
        name: What to do.
        analysis: With `run` and `cancel`, which one; empty for all.
        parameters: With `run`: over the analysis' own.
        argument: With `approve` a commit's 40 or 64 digits in lower case; with `compare` a branch, a tag, a
            full ref or a commit; with `accept` a metric, or `analysis/metric`.
        reason: With `accept`, why: the rest of the line.
    """

    name: CommandName
    analysis: str = ""
    parameters: dict[str, Value] = field(default_factory=dict[str, Value])
    argument: str = ""
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class Mistake:
    """A line that is meant as a command and is none.

    Attributes:
        line: The line, printable and shortened; it is somebody's text, to be escaped where it is shown.
        problem: What is wrong with it and what to write instead, one sentence that may quote the line too.
    """

    line: str
    problem: str


class _Wrong(Exception):
    """What is wrong with a line."""


_BEGIN = re.compile(r" {0,3}/reana(?=\s|$)(.*)", re.IGNORECASE | re.DOTALL)
_QUOTES = re.compile('["\u201c\u201d]')
_ACCEPT = re.compile(r"\s*accept(?=\s|$)(.*)", re.IGNORECASE | re.DOTALL)
_METRIC = re.compile(
    '\\s*(?:"([^"]*)"|\u201c([^\u201c\u201d]*)\u201d|([^\\s"\u201c\u201d]+))(?:\\s+(.*))?', re.DOTALL
)
_WORD = re.compile('(?:"[^"]*"|\u201c[^\u201c\u201d]*\u201d|[^\\s"\u201c\u201d])+')
_NAME = re.compile(NAME_PATTERN)
_PARAMETER = re.compile(r"[^\x00-\x1f\x7f]{1,200}")
_SHA = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}", re.ASCII)
# What git forbids in the name of a ref, and what its commands would take for an option.
_BAD_REF = re.compile(r"^-|[\x00-\x20\x7f~^:?*\[\\\ud800-\udfff]|\.\.|@\{|//|/\.|\.lock(/|$)|^/|^\.|[./]$")
_MAXIMUM_REF = 250
_MAXIMUM_VALUE = 10_000
_MAXIMUM_METRIC = 1000
MAXIMUM_REASON = 500
"""Characters that the reason of an acceptance has at most."""


def parse(body: str) -> tuple[Command | Mistake, ...]:
    """The commands of a comment in their order, each once; empty where it holds none.

    Args:
        body: The comment's Markdown.
    """
    found: list[Command | Mistake] = []
    if "/reana" not in body.casefold():
        return ()
    for line in own_lines(body):
        begun = _BEGIN.fullmatch(line)
        if begun is None:
            continue
        read = _read(line, begun[1])
        if read in found:
            continue
        if len(found) == MAXIMUM_COMMANDS:
            problem = f"one comment can hold {MAXIMUM_COMMANDS} commands; write the others into another one"
            return (*found, Mistake(line=shown(line.strip()), problem=problem))
        found.append(read)
    return tuple(found)


def _read(line: str, rest: str) -> Command | Mistake:
    try:
        accepting = _ACCEPT.fullmatch(rest)
        if accepting is not None:
            return _accept(accepting[1])
        name, *words = _words(rest) or ["help"]
        return _NAMES[_known(name)](words)
    except _Wrong as wrong:
        return Mistake(line=shown(line.strip()), problem=str(wrong))


def _words(rest: str) -> list[str]:
    if _WORD.sub("", rest).strip():
        raise _Wrong('a quotation mark has no partner; write values with blanks as `name="a b"`')
    return _WORD.findall(rest)


def _known(word: str) -> CommandName:
    try:
        return CommandName(word.casefold())
    except ValueError:
        meant = closest(word.strip(".,;:!?"), CommandName)
        hint = f"did you mean `/reana {meant}`?" if meant else "`/reana help` lists what there is"
        raise _Wrong(f"there is no command `{shown(word)}`; {hint}") from None


def _run(words: list[str]) -> Command:
    analysis = words.pop(0) if words and "=" not in words[0] else ""
    if len(words) > MAX_NAMES:
        raise _Wrong(f"`/reana run` takes at most {MAX_NAMES} parameters")
    parameters: dict[str, Value] = {}
    for word in words:
        name, value = _parameter(word)
        if name in parameters:
            raise _Wrong(f"the parameter `{shown(name)}` is given twice")
        parameters[name] = value
    return Command(name=CommandName.RUN, analysis=_analysis(analysis), parameters=parameters)


def _parameter(word: str) -> tuple[str, Value]:
    name, equals, text = word.partition("=")
    name = _QUOTES.sub("", name)
    if not equals:
        raise _Wrong(f"`{shown(word)}` is no parameter; write `/reana run [analysis] [name=value ...]`")
    if not _PARAMETER.fullmatch(name):
        raise _Wrong(f"`{shown(name)}` is no parameter's name; write `name=value`")
    if len(text) > _MAXIMUM_VALUE:
        raise _Wrong(f"the value of `{shown(name)}` is longer than {_MAXIMUM_VALUE} characters")
    plain = _QUOTES.sub("", text)
    return name, plain if plain != text else _value(text)


def _value(text: str) -> Value:
    """What an unquoted value means, as it would in a YAML file; quoted ones are texts."""
    value = value_of(text, Reading.CORE)
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return text
    return value


def _analysis(word: str) -> str:
    if word and not _NAME.fullmatch(word):
        raise _Wrong(f"`{shown(word)}` is no analysis' name; parameters are written as `name=value`")
    return word


def _cancel(words: list[str]) -> Command:
    _at_most(words, 1, "/reana cancel [analysis]")
    return Command(name=CommandName.CANCEL, analysis=_analysis(words[0] if words else ""))


def _approve(words: list[str]) -> Command:
    _at_most(words, 1, "/reana approve SHA")
    sha = words[0].lower() if words else ""
    if not _SHA.fullmatch(sha):
        raise _Wrong("`/reana approve` needs all 40 (or 64) digits of the commit that you have read")
    return Command(name=CommandName.APPROVE, argument=sha)


def _compare(words: list[str]) -> Command:
    _at_most(words, 1, "/reana compare REF")
    if not words:
        raise _Wrong("`/reana compare` needs a branch, a tag or a commit, as in `/reana compare main`")
    ref = _QUOTES.sub("", words[0])
    if not ref or len(ref) > _MAXIMUM_REF or _BAD_REF.search(ref):
        raise _Wrong(f"`{shown(words[0])}` is no branch, tag or commit")
    return Command(name=CommandName.COMPARE, argument=ref)


def _accept(rest: str) -> Command:
    """Unlike with other commands, what follows the metric is prose: quotation marks in it mean nothing."""
    usage = "`/reana accept METRIC reason`"
    if not rest.strip():
        raise _Wrong(f"`/reana accept` needs a metric and a reason; write {usage}")
    found = _METRIC.fullmatch(rest)
    if found is None:
        raise _Wrong(
            'the metric stands in quotation marks that do not fit; write `"name with blanks" reason`'
        )
    metric = next(part for part in found.groups()[:3] if part is not None).strip()
    reason = (found[4] or "").strip()
    if not metric or len(metric) > _MAXIMUM_METRIC:
        raise _Wrong(f"that is no metric's name; write {usage}")
    if not any(map(str.isalnum, reason)) or reason.casefold() == "reason":
        raise _Wrong(f"say why `{shown(metric)}` may differ: people will read it later; write {usage}")
    if len(reason) > MAXIMUM_REASON:
        raise _Wrong(f"the reason is longer than {MAXIMUM_REASON} characters; say it shorter")
    return Command(name=CommandName.ACCEPT, argument=metric, reason=reason)


def _alone(name: CommandName) -> Callable[[list[str]], Command]:
    def read(words: list[str]) -> Command:
        _at_most(words, 0, f"/reana {name}")
        return Command(name=name)

    return read


def _at_most(words: list[str], count: int, usage: str) -> None:
    if len(words) > count:
        raise _Wrong(f"`{shown(words[count])}` is too much; write `{usage}`")


_NAMES: dict[CommandName, Callable[[list[str]], Command]] = {
    CommandName.RUN: _run,
    CommandName.RETEST: _alone(CommandName.RETEST),
    CommandName.CANCEL: _cancel,
    CommandName.APPROVE: _approve,
    CommandName.STATUS: _alone(CommandName.STATUS),
    CommandName.WHY: _alone(CommandName.WHY),
    CommandName.COMPARE: _compare,
    CommandName.HELP: lambda _words: Command(name=CommandName.HELP),
}
