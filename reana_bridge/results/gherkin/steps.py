"""The sentences of REANA's tests, and what each asks of a run.

Patterns and meaning are those of reana-commons (its `gherkin_parser.functions`), against which they are
tested. Where its documentation and its code differ (output directories, quotes around names) the
documentation counts.
"""

import hashlib
import re
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from reana_bridge.model.globs import matches
from reana_bridge.results.gherkin.facts import Facts

_UNITS = {"": 1, "bytes": 1, "B": 1, **{f"{p}iB": 1024**n for n, p in enumerate("KMGTP", 1)}}
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([A-Za-z]*)")
_CHUNK = 1 << 20
_TEXT = 16 << 20
_DIGESTS = ("sha256", "sha512", "md5", "adler32")

Ask = Callable[..., None]


class Unmet(Exception):
    """A sentence does not hold; the message says what was found instead."""


class NotApplicable(Exception):
    """The scenario says nothing of this run; the message says why."""


@dataclass(frozen=True)
class _Sentence:
    kind: str
    pattern: re.Pattern[str]
    ask: Ask


_SENTENCES: list[_Sentence] = []


def judge(kind: str, text: str, facts: Facts) -> bool:
    """Ask the sentence `text` of a run; False for one that is not known.

    Args:
        kind: `Context`, `Action` or `Outcome`, as Gherkin has it for Given, When and Then.
        text: Without its first word.
        facts: The run.

    Raises:
        Unmet: It does not hold.
        NotApplicable: The scenario is not for this run.
    """
    for sentence in _SENTENCES:
        match = sentence.pattern.fullmatch(text) if sentence.kind == kind else None
        if match:
            words = match.groupdict()
            # What a log or file should contain may itself end with a quote.
            sentence.ask(facts, **{n: w if n == "content" else w.strip('"') for n, w in words.items()})
            return True
    return False


def _says(kind: str, *patterns: str) -> Callable[[Ask], Ask]:
    """Register what `patterns` ask, with `{name}` for an argument."""

    def register(ask: Ask) -> Ask:
        for pattern in patterns:
            words = re.split(r"\{(\w+)\}", pattern)
            parts = [
                f"(?P<{word}>.+?)" if number % 2 else re.escape(word) for number, word in enumerate(words)
            ]
            compiled = re.compile("".join(parts), re.IGNORECASE | re.DOTALL)
            _SENTENCES.append(_Sentence(kind, compiled, ask))
        return ask

    return register


@_says("Action", "the workflow execution completes")
def _completes(facts: Facts) -> None:
    if facts.status not in {"finished", "failed"}:
        raise NotApplicable(f"the workflow is {facts.status}")


@_says("Action", "the workflow is {status}", "the workflow status is {status}")
def _when_status(facts: Facts, status: str) -> None:
    if facts.status != status:
        raise NotApplicable(f"the workflow is {facts.status}, not {status}")


@_says("Outcome", "the workflow should be {status}", "the workflow status should be {status}")
def _status(facts: Facts, status: str) -> None:
    _hold(facts.status == status, f"it is {facts.status}")


@_says(
    "Outcome",
    "the outputs should be included in the workspace",
    "all the outputs should be included in the workspace",
)
def _outputs(facts: Facts) -> None:
    for output in facts.outputs:
        there = _has(facts, output) or any(matches(path, [output]) for path in facts.sizes)
        _hold(there, f"there is no {output}")


@_says(
    "Outcome",
    'the workspace should include "{name}"',
    'the workspace should contain "{name}"',
    "{name} should be in the workspace",
)
def _included(facts: Facts, name: str) -> None:
    _hold(_has(facts, name), "it is not there")


@_says(
    "Outcome",
    "the workspace should not include {name}",
    "the workspace should not contain {name}",
    "{name} should not be in the workspace",
)
def _not_included(facts: Facts, name: str) -> None:
    _hold(not _has(facts, name), "it is there")


@_says("Outcome", 'the logs should contain "{content}"')
def _logs(facts: Facts, content: str) -> None:
    engine = facts.engine_log is not None and content in facts.engine_log()
    _hold(engine or _in_job_logs(facts, content), "they do not")


@_says("Outcome", 'the engine logs should contain "{content}"')
def _engine_logs(facts: Facts, content: str) -> None:
    if facts.engine_log is None:
        raise NotApplicable("this backend keeps no log of the engine")
    _hold(content in facts.engine_log(), "they do not")


@_says("Outcome", 'the job logs should contain "{content}"')
def _job_logs(facts: Facts, content: str) -> None:
    _hold(_in_job_logs(facts, content), "they do not")


@_says(
    "Outcome",
    'the job logs for the step {step} should contain "{content}"',
    'the job logs for the {step} step should contain "{content}"',
)
def _step_logs(facts: Facts, step: str, content: str) -> None:
    _hold(step in facts.job_logs, f"no step is called {step}")
    _hold(content in facts.job_logs[step](), "its log does not")


@_says(
    "Outcome",
    'the file {name} should include "{content}"',
    'the file {name} should contain "{content}"',
)
def _contains(facts: Facts, name: str, content: str) -> None:
    if _path(name) in facts.directories:
        raise NotApplicable(f"{name} is a directory")
    try:
        text = b"".join(_pieces(facts, name, most=_TEXT)).decode("utf-8")
    except UnicodeDecodeError:
        raise Unmet("it is no UTF-8 text") from None
    _hold(content in text, "it does not")


@_says("Outcome", "the {algorithm} checksum of the file {name} should be {checksum}")
def _checksum(facts: Facts, algorithm: str, name: str, checksum: str) -> None:
    algorithm, checksum = algorithm.lower(), checksum.lower()
    _hold(algorithm in _DIGESTS, f"the algorithm is none of {', '.join(_DIGESTS)}")
    if algorithm == "adler32":
        value = 1
        for piece in _pieces(facts, name):
            value = zlib.adler32(piece, value)
        found, checksum = f"{value:x}", checksum.removeprefix("0x")
    else:
        digest = hashlib.new(algorithm, usedforsecurity=False)
        for piece in _pieces(facts, name):
            digest.update(piece)
        found = digest.hexdigest()
    _hold(found == checksum, f"it is {found}")


@_says("Outcome", "the workflow run duration should be less than {minutes} minutes")
def _duration(facts: Facts, minutes: str) -> None:
    _shorter(facts.seconds, minutes)


@_says("Outcome", "the duration of the step {step} should be less than {minutes} minutes")
def _step_duration(facts: Facts, step: str, minutes: str) -> None:
    _hold(step in facts.step_seconds, f"no step is called {step}")
    _shorter(facts.step_seconds[step], minutes)


@_says("Outcome", "the size of the file {name} should be exactly {size}")
def _exact_size(facts: Facts, name: str, size: str) -> None:
    found = _size_of(facts, name)
    _hold(found == _bytes(size), f"it is {found} bytes")


@_says("Outcome", "the size of the file {name} should be between {low} and {high}")
def _size_between(facts: Facts, name: str, low: str, high: str) -> None:
    found = _size_of(facts, name)
    least, most = sorted((_bytes(low), _bytes(high)))
    _hold(least <= found <= most, f"it is {found} bytes")


@_says("Outcome", "the workspace size should be less than {size}")
def _workspace_below(facts: Facts, size: str) -> None:
    total = sum(facts.sizes.values())
    _hold(total <= _bytes(size), f"it is {total} bytes")


@_says("Outcome", "the workspace size should be more than {size}")
def _workspace_above(facts: Facts, size: str) -> None:
    total = sum(facts.sizes.values())
    _hold(total >= _bytes(size), f"it is {total} bytes")


def _hold(holds: bool, otherwise: str) -> None:
    if not holds:
        raise Unmet(otherwise)


def _path(name: str) -> str:
    return name.removeprefix("./").strip("/")


def _has(facts: Facts, name: str) -> bool:
    return _path(name) in facts.sizes or _path(name) in facts.directories


def _size_of(facts: Facts, name: str) -> int:
    _hold(_path(name) in facts.sizes, "there is no such file in the workspace")
    return facts.sizes[_path(name)]


def _pieces(facts: Facts, name: str, *, most: int | None = None) -> Iterator[bytes]:
    """The file's content, piece by piece; no more than `most` bytes."""
    size, left = _size_of(facts, name), min(facts.most, most or facts.most)
    _hold(size <= left, f"its {size} bytes are more than the {left} that are read")
    try:
        with facts.open(_path(name)) as file:
            while left > 0 and (piece := file.read(min(_CHUNK, left))):
                left -= len(piece)
                yield piece
    except OSError as error:
        raise Unmet(f"it cannot be read: {error}") from None


def _in_job_logs(facts: Facts, content: str) -> bool:
    return any(content in log() for log in facts.job_logs.values())


def _bytes(size: str) -> int:
    match = _SIZE.match(size)
    if match is None or match[2] not in _UNITS:
        raise Unmet(f"`{size}` is no size; write bytes, or a number with B, KiB, MiB, GiB, TiB or PiB")
    return int(float(match[1]) * _UNITS[match[2]])


def _shorter(seconds: float | None, minutes: str) -> None:
    _hold(seconds is not None, "how long it took is not known")
    try:
        limit = float(minutes)
    except ValueError:
        raise Unmet(f"`{minutes}` is no number of minutes") from None
    took = (seconds or 0.0) / 60
    _hold(took < limit, f"it took {took:.3g} minutes")
