"""A report as JUnit XML, which GitLab and most other CI systems show by themselves.

One test suite for the analysis' own checks, one for the rules on metrics and files. What does not fail the
status does not fail here either: a broken rule that only warns passes, with its words as output.
"""

import re
from collections.abc import Iterator
from xml.etree import ElementTree

from reana_bridge.model.reports import Report
from reana_bridge.reports.check_rows import CheckRow
from reana_bridge.reports.rows import RuleLine
from reana_bridge.reports.view import ReportView, view
from reana_bridge.reports.words import shorten

CONTENT_TYPE = "application/xml; charset=utf-8"
_ILLEGAL = re.compile("[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_LONGEST = 1_000
_MOST = 10_000
"""Cases of one suite."""


def junit(report: Report) -> str:
    """The XML document of `report`."""
    shown = view(report)
    suites = [
        _suite(f"{shown.context} checks", [_check(row, shown) for row in shown.checks if row.word != "gone"]),
        _suite(f"{shown.context} rules", list(_rules(shown))),
    ]
    if report.failure is not None:
        suites.append(_suite(f"{shown.context} run", [_run(shown)]))
    root = ElementTree.Element("testsuites", name=_clean(shown.context))
    root.extend(suite for suite in suites if len(suite))
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def _suite(name: str, cases: list[ElementTree.Element]) -> ElementTree.Element:
    cases = cases[:_MOST]

    def count(tag: str) -> str:
        return str(sum(case.find(tag) is not None for case in cases))

    suite = ElementTree.Element(
        "testsuite",
        name=_clean(name),
        tests=str(len(cases)),
        failures=count("failure"),
        errors=count("error"),
        skipped=count("skipped"),
    )
    suite.extend(cases)
    return suite


def _case(name: str, classname: str) -> ElementTree.Element:
    return ElementTree.Element("testcase", name=_clean(name), classname=_clean(classname))


def _child(case: ElementTree.Element, tag: str, message: str) -> None:
    child = ElementTree.SubElement(case, tag)
    if tag == "system-out":
        child.text = _clean(message)
    else:
        child.set("message", _clean(message))


def _check(row: CheckRow, shown: ReportView) -> ElementTree.Element:
    case = _case(row.name, row.source or shown.context)
    if row.fails:
        _child(case, "failure", f"{row.word}: {row.message}" if row.message else row.word)
    elif row.word == "skipped":
        _child(case, "skipped", row.message or "skipped")
    return case


def _rules(shown: ReportView) -> Iterator[ElementTree.Element]:
    rows = (*shown.attention, *shown.noise, *shown.unchanged, *shown.values, *shown.plots, *shown.files)
    for row in rows:
        yield from (_rule(line, shown) for line in row.rules if not line.proposed)


def _rule(line: RuleLine, shown: ReportView) -> ElementTree.Element:
    case = _case(f"{line.metric} {line.rule}", shown.context)
    if line.counts and line.effect == "block":
        _child(case, "failure", line.figures)
    elif line.state == "not judged":
        _child(case, "skipped", line.figures)
    elif line.state in ("broken", "accepted"):
        _child(case, "system-out", f"{line.accepted or 'broken, warns only'}: {line.figures}")
    return case


def _run(shown: ReportView) -> ElementTree.Element:
    failure = shown.failure
    case = _case(failure.step if failure and failure.step else "run", shown.context)
    if failure is not None:
        _child(case, "error", failure.message)
        _child(case, "system-out", "\n".join(failure.log))
    return case


def _clean(text: str) -> str:
    """`text` without what XML cannot hold."""
    return _ILLEGAL.sub("\N{REPLACEMENT CHARACTER}", shorten(text, _LONGEST))
