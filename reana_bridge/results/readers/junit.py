"""Reads checks from JUnit XML, as pytest, CTest, Catch2 and many others write it, and counts them.

Metrics: `tests.passed`, `tests.failed` (errors among them), `tests.skipped`. A document type is refused: it
is where entities that grow without bound, or name files and hosts, are declared.
"""

import math
from xml.parsers import expat

from reana_bridge.model.metrics import Direction
from reana_bridge.model.readings import Check, CheckState, Reading
from reana_bridge.results.readers.clean import one_line
from reana_bridge.results.readers.gathering import MAX_NAME, MAX_TEXT, Gathering, unusable
from reana_bridge.results.readers.scalars import scalar
from reana_bridge.results.readers.tree import MAX_BYTES, FileUnusable, check_parts

_MAX_LEVELS = 50
_MESSAGE_PIECE = 4 * MAX_TEXT
_STATES = {"failure": CheckState.FAILED, "error": CheckState.ERROR, "skipped": CheckState.SKIPPED}


def read(content: bytes, *, source: str) -> Reading:
    """The test cases in the document `content`, and their counts; `source` is its path."""
    try:
        return _Document(source).read(content)
    except FileUnusable as error:
        return unusable(source, str(error))
    except expat.ExpatError as error:
        return unusable(source, f"line {error.lineno}: is no XML: {expat.errors.messages[error.code]}")
    except (LookupError, ValueError) as error:
        return unusable(source, f"is no XML: {error}")


class _Document:
    """Follows the parser from tag to tag."""

    def __init__(self, source: str) -> None:
        self.found = Gathering(source)
        self.source = source
        self.open: list[str] = []
        self.suites: list[str] = []
        self.case: dict[str, str] = {}
        self.state = CheckState.PASSED
        self.message = ""
        self.heard: list[str] | None = None
        self.counts = dict.fromkeys(CheckState, 0)

    def read(self, content: bytes) -> Reading:
        if len(content) > MAX_BYTES:
            raise FileUnusable(f"is larger than {MAX_BYTES // 1024**2} MiB")
        if not content.strip():
            raise FileUnusable("is empty")
        check_parts(content.count(b"<"))
        parser = expat.ParserCreate()
        parser.StartDoctypeDeclHandler = _refuse
        parser.EntityDeclHandler = _refuse
        parser.StartElementHandler = self.start
        parser.EndElementHandler = self.end
        parser.CharacterDataHandler = self.text
        parser.Parse(content, True)
        self.count()
        return self.found.reading()

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        name = tag.rpartition(":")[2]
        if not self.open and name not in {"testsuites", "testsuite"}:
            raise FileUnusable(f"is no JUnit report: its outermost tag is `{one_line(name, 50)}`")
        if len(self.open) >= _MAX_LEVELS:
            raise FileUnusable(f"is nested deeper than {_MAX_LEVELS} levels")
        self.open.append(name)
        if name == "testsuite":
            self.suites.append(attributes.get("name", ""))
        elif name == "testcase":
            self.case, self.state, self.message = attributes, CheckState.PASSED, ""
        elif name in _STATES and self.open[-2:-1] == ["testcase"] and self.state is CheckState.PASSED:
            self.state, self.message = _STATES[name], attributes.get("message", "")
            self.heard = []

    def text(self, text: str) -> None:
        if self.heard is not None and sum(map(len, self.heard)) < _MESSAGE_PIECE:
            self.heard.append(text)

    def end(self, tag: str) -> None:
        name = self.open.pop()
        if name in _STATES and self.heard is not None:
            self.message = self.message or "".join(self.heard)
            self.heard = None
        elif name == "testsuite":
            self.suites.pop()
        elif name == "testcase":
            self.take()

    def take(self) -> None:
        name = one_line(self.case.get("name", ""), MAX_NAME) or "(without a name)"
        group = self.case.get("classname") or (self.suites[-1] if self.suites else "")
        message = one_line(self.message, MAX_TEXT) or str(self.state)
        self.counts[self.state] += 1
        self.found.check(
            Check(
                name=name,
                state=self.state,
                message="" if self.state is CheckState.PASSED else message,
                source=self.source,
                group=one_line(group, MAX_NAME),
                seconds=_seconds(self.case.get("time", "")),
            )
        )

    def count(self) -> None:
        failed = self.counts[CheckState.FAILED] + self.counts[CheckState.ERROR]
        self.found.add("tests.passed", self.counts[CheckState.PASSED], direction=Direction.HIGHER)
        self.found.add("tests.failed", failed, direction=Direction.LOWER)
        self.found.add("tests.skipped", self.counts[CheckState.SKIPPED])


def _refuse(*_: object) -> None:
    raise FileUnusable("declares a document type, through which XML can grow without bound; leave it out")


def _seconds(word: str) -> float | None:
    number = scalar(word.replace(",", ""))
    if isinstance(number, bool) or not isinstance(number, int | float):
        return None
    return float(number) if 0 <= number < math.inf else None
