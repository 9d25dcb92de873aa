"""What the analysis itself says must hold: which checks fail newly, which still do, which pass."""

from collections.abc import Sequence
from dataclasses import dataclass

from reana_bridge.model.comparisons import CheckComparison
from reana_bridge.model.readings import Check, CheckState
from reana_bridge.model.reports import Report
from reana_bridge.reports.rows import Tone

_BAD = frozenset({CheckState.FAILED, CheckState.ERROR})
_ORDER = ("newly failing", "failing", "still failing", "gone", "skipped", "fixed", "passes")


@dataclass(frozen=True, kw_only=True)
class CheckRow:
    """One check.

    Attributes:
        name: The scenario or test case.
        source: The file that declares it.
        word: `newly failing`, `failing` (nothing to compare with), `still failing`, `gone`, `skipped`,
            `fixed` or `passes`.
        message: Why, for one that does not pass; empty else.
        tone: How it is coloured.
    """

    name: str
    source: str
    word: str
    message: str
    tone: Tone

    @property
    def fails(self) -> bool:
        """Whether it failed, or could not be judged."""
        return self.word.endswith("failing")


def check_rows(report: Report) -> tuple[CheckRow, ...]:
    """The checks of `report`, what needs a look first."""
    comparison = report.comparison
    if comparison is not None and comparison.checks:
        rows = [_compared(check) for check in comparison.checks]
    else:
        rows = [_alone(check) for check in (report.result.checks if report.result else ())]
    return tuple(sorted(rows, key=lambda row: _ORDER.index(row.word)))


def _compared(check: CheckComparison) -> CheckRow:
    return _row(check.name, check.source, _word(check.baseline, check.head), check.message)


def _alone(check: Check) -> CheckRow:
    return _row(check.name, check.source, _word(None, check.state), check.message)


def _word(before: CheckState | None, after: CheckState | None) -> str:
    if after is None:
        return "gone"
    if after is CheckState.SKIPPED:
        return "skipped"
    if after in _BAD:
        return "failing" if before is None else "still failing" if before in _BAD else "newly failing"
    return "fixed" if before in _BAD else "passes"


def _row(name: str, source: str, word: str, message: str) -> CheckRow:
    tones = {"gone": Tone.WARN, "skipped": Tone.MUTED, "fixed": Tone.GOOD, "passes": Tone.MUTED}
    return CheckRow(name=name, source=source, word=word, message=message, tone=tones.get(word, Tone.BAD))


def checks_line(rows: Sequence[CheckRow]) -> str:
    """`6 of 6 passed`, `4 of 6 passed, 1 newly failing, 1 skipped`; empty without checks."""
    if not rows:
        return ""
    words = [row.word for row in rows]
    passed = words.count("passes") + words.count("fixed")
    parts = [f"{passed} of {len(rows) - words.count('gone')} passed"]
    parts += [f"{words.count(word)} {word}" for word in _ORDER[:-1] if words.count(word)]
    return ", ".join(parts)
