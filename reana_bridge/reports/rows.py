"""One metric, one file, one step of a report as ready-made words; what every renderer lays out."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from reana_bridge.model.comparisons import (
    MetricComparison,
    RuleEffect,
    RuleOutcome,
    Verdict,
)
from reana_bridge.model.metrics import Direction, Metric
from reana_bridge.model.results import StepRecord, StepState
from reana_bridge.reports.measured import show_metric, show_metrics
from reana_bridge.reports.numbers import percent, show, sigma, signed
from reana_bridge.reports.words import shorten, span

LONGEST_TEXT = 80
"""Most characters of a text value in a table."""
LONGEST_REASON = 300
"""Most characters of why somebody accepted a difference."""
NOTHING = "\N{EN DASH}"
"""Stands where a side has no value."""


class Tone(StrEnum):
    """How good or bad a line is; the word is also a class name in the style sheet."""

    GOOD = "good"
    BAD = "bad"
    WARN = "warn"
    NEUTRAL = "neutral"
    MUTED = "muted"


@dataclass(frozen=True, kw_only=True)
class RuleLine:
    """What one rule says of one metric.

    Attributes:
        metric: The metric's name.
        rule: The rule in words.
        figures: What it was judged by.
        state: `broken`, `accepted` (broken, and somebody said that it is expected), `kept` or `not judged`.
        effect: `block`, `warn` or `inform`.
        proposed: Whether it is this commit's own rule, which does not count yet.
        tone: Bad for a broken rule that blocks, warn for another broken one.
        accepted: Who accepted it, and why; empty where nobody did.
    """

    metric: str
    rule: str
    figures: str
    state: str
    effect: str
    proposed: bool
    tone: Tone
    accepted: str = ""

    @property
    def counts(self) -> bool:
        """Whether it is broken, counts, and nobody accepted it."""
        return self.state == "broken" and not self.proposed

    @property
    def text(self) -> str:
        """The rule and its figures, one clause."""
        return f"{self.rule}: {self.figures}"


@dataclass(frozen=True, kw_only=True)
class Row:
    """One metric; its figures are put into words where they are asked for, as most rows are never shown.

    Attributes:
        compared: The metric on both sides.
        alone: Whether it is compared with nothing: then it has a value and no verdict.
        word: `worse`, `better`, `changed`, `within noise`, `not comparable`, `new`, `missing`, `same`; empty
            where it stands alone.
        tone: How the row is coloured.
        unsure: Whether nothing says if the difference is more than noise.
        rules: What the rules say of it.
    """

    compared: MetricComparison
    alone: bool
    word: str
    tone: Tone
    unsure: bool = False
    rules: tuple[RuleLine, ...] = ()

    @property
    def name(self) -> str:
        """The metric's name."""
        return self.compared.name

    @property
    def unit(self) -> str:
        """Its unit; empty for none."""
        return self._known.unit if self._known else ""

    @property
    def description(self) -> str:
        """What it is; empty where nobody said."""
        return self._known.description if self._known else ""

    @property
    def _known(self) -> Metric | None:
        return self.compared.head or self.compared.baseline

    @property
    def baseline(self) -> str:
        """The baseline's value, as shown; a dash where there is none."""
        return self._sides[0]

    @property
    def head(self) -> str:
        """This commit's value, as shown."""
        return self._sides[1]

    @cached_property
    def _sides(self) -> tuple[str, str]:
        if self.alone and self.compared.head is not None:
            return "", _shown(show_metric(self.compared.head))
        return _values(self.compared)

    @cached_property
    def difference(self) -> str:
        """Absolute, signed; empty where there is none."""
        return _figure(self, self.compared.difference, lambda size: signed(size, _sigma(self.compared)))

    @cached_property
    def relative(self) -> str:
        """The difference in per cent; empty where there is none."""
        return _figure(self, self.compared.relative, percent)

    @cached_property
    def sigmas(self) -> str:
        """The difference in standard deviations; empty without uncertainties."""
        return _figure(self, self.compared.sigmas, sigma)

    @property
    def arrow(self) -> str:
        """Whether the value went up or down; empty where it did neither."""
        difference = self.compared.difference
        if self.alone or self.compared.verdict is Verdict.SAME or not difference:
            return ""
        return "\N{BLACK UP-POINTING TRIANGLE}" if difference > 0 else "\N{BLACK DOWN-POINTING TRIANGLE}"

    @property
    def note(self) -> str:
        """Why, and how sure; empty where the figures say it."""
        if self.alone and self.compared.head is not None:
            return _target(self.compared.head)
        return _note(self.compared)

    @property
    def numbers(self) -> tuple[float | None, float | None, float | None]:
        """The values of both sides, and the size of the relative difference, else of the difference.

        For tables that can be sorted; None where there is no finite one.
        """
        relative, difference = self.compared.relative, self.compared.difference
        size = difference if relative is None else relative
        size = None if difference is None or size is None else abs(size)
        return _number(self.compared.baseline), _number(self.compared.head), size

    @property
    def figures(self) -> str:
        """The difference as a note has room for: `+18.3 % · +4.4` and sigma; absolute where 0 was before."""
        return " · ".join(part for part in (self.relative or self.difference, self.sigmas) if part)

    @property
    def accepted(self) -> tuple[RuleLine, ...]:
        """The rules that it breaks and that somebody let it break."""
        return tuple(rule for rule in self.rules if rule.state == "accepted")

    @property
    def change(self) -> str:
        """All figures of the difference: `+0.77 · +18.3 % · +4.4` and the letter sigma."""
        return " · ".join(part for part in (self.difference, self.relative, self.sigmas) if part)

    @property
    def label(self) -> str:
        """The verdict in words, with its arrow: `▲ worse`."""
        return f"{self.arrow} {self.word}" if self.arrow else self.word

    @property
    def broken(self) -> tuple[RuleLine, ...]:
        """The rules that count and that it breaks."""
        return tuple(rule for rule in self.rules if rule.counts) if self.rules else ()

    @property
    def blocks(self) -> bool:
        """Whether it breaks a rule that fails the status."""
        return any(rule.effect == RuleEffect.BLOCK for rule in self.broken)


_TONES = {
    Verdict.WORSE: Tone.BAD,
    Verdict.BETTER: Tone.GOOD,
    Verdict.CHANGED: Tone.NEUTRAL,
    Verdict.NOT_COMPARABLE: Tone.WARN,
    Verdict.NEW: Tone.NEUTRAL,
    Verdict.MISSING: Tone.WARN,
    Verdict.SAME: Tone.MUTED,
}


def metric_row(compared: MetricComparison) -> Row:
    """The row of a compared metric."""
    rules = tuple(rule_line(compared.name, outcome) for outcome in compared.rules)
    return Row(
        compared=compared,
        alone=False,
        word="within noise" if compared.within_noise else compared.verdict.value,
        tone=_row_tone(compared, rules),
        unsure=compared.unjudged,
        rules=rules,
    )


def _number(metric: Metric | None) -> float | None:
    """Its value where that is a finite number."""
    if metric is None or isinstance(metric.value, str):
        return None
    try:
        value = float(metric.value)
    except OverflowError:
        return None
    return value if math.isfinite(value) else None


def _figure(row: Row, number: float | None, words: Callable[[float], str]) -> str:
    if row.alone or row.compared.verdict is Verdict.SAME or number is None or not math.isfinite(number):
        return ""
    return words(number)


def value_row(metric: Metric, rules: tuple[RuleOutcome, ...] = ()) -> Row:
    """The row of a metric that is compared with nothing."""
    lines = tuple(rule_line(metric.name, outcome) for outcome in rules)
    return Row(
        compared=MetricComparison(name=metric.name, baseline=None, head=metric, verdict=Verdict.NEW),
        alone=True,
        word="",
        tone=_ruled(Tone.WARN if _odd(metric) else Tone.NEUTRAL, lines),
        rules=lines,
    )


def _values(compared: MetricComparison) -> tuple[str, str]:
    before, after = compared.baseline, compared.head
    if before is None or after is None:
        alone = [NOTHING if metric is None else show_metric(metric) for metric in (before, after)]
        return _shown(alone[0]), _shown(alone[1])
    pair = show_metrics(before, after)
    if before.unit and after.unit and before.unit != after.unit:
        pair = f"{pair[0]} {before.unit}", f"{pair[1]} {after.unit}"
    return _shown(pair[0]), _shown(pair[1])


def _shown(text: str) -> str:
    return shorten(text, LONGEST_TEXT) if text.strip() else '""'


def _sigma(compared: MetricComparison) -> float | None:
    if not compared.sigmas or compared.difference is None:
        return None
    return abs(compared.difference / compared.sigmas)


def _note(compared: MetricComparison) -> str:
    parts: list[str] = []
    if compared.sigmas is None and compared.explanation != "spread unknown":
        parts.append(compared.explanation)
    if compared.verdict in {Verdict.WORSE, Verdict.BETTER} and compared.head is not None:
        parts.append(_target(compared.head))
    return ", ".join(part for part in parts if part)


def _odd(metric: Metric | None) -> bool:
    """Whether its value is NaN or infinite."""
    return metric is not None and isinstance(metric.value, float) and not math.isfinite(metric.value)


def _target(metric: Metric) -> str:
    aimed = metric.direction is Direction.TARGET and metric.target is not None
    return f"target {show(metric.target)}" if aimed and metric.target is not None else ""


def _row_tone(compared: MetricComparison, rules: tuple[RuleLine, ...]) -> Tone:
    tone = Tone.MUTED if compared.within_noise else _TONES[compared.verdict]
    if tone in {Tone.NEUTRAL, Tone.GOOD} and _odd(compared.head):
        tone = Tone.WARN
    return _ruled(tone, rules)


def _ruled(tone: Tone, rules: tuple[RuleLine, ...]) -> Tone:
    """The tone of a row that would be `tone` without `rules`."""
    tones = {rule.tone for rule in rules if rule.counts}
    if Tone.BAD in tones:
        return Tone.BAD
    return Tone.WARN if Tone.WARN in tones and tone is not Tone.BAD else tone


def rule_line(name: str, outcome: RuleOutcome) -> RuleLine:
    """What `outcome` says of the metric or file `name`."""
    state = "not judged" if outcome.broken is None else "broken" if outcome.broken else "kept"
    accepted = outcome.accepted if outcome.broken else None
    tone = Tone.MUTED
    if outcome.broken and accepted is None and outcome.effect is not RuleEffect.INFORM:
        tone = Tone.BAD if outcome.effect is RuleEffect.BLOCK and not outcome.proposed else Tone.WARN
    return RuleLine(
        metric=name,
        rule=outcome.rule,
        figures=outcome.explanation,
        state="accepted" if accepted else state,
        effect=outcome.effect.value,
        proposed=outcome.proposed,
        tone=tone,
        accepted=f"accepted by {accepted.by}: {shorten(accepted.reason, LONGEST_REASON)}" if accepted else "",
    )


@dataclass(frozen=True, kw_only=True)
class StepRow:
    """One step of the workflow; `took` and `note` are empty where there is nothing to say."""

    number: int
    name: str
    state: str
    tone: Tone
    took: str = ""
    note: str = ""


_STEP_TONES = {StepState.FINISHED: Tone.GOOD, StepState.FAILED: Tone.BAD, StepState.RUNNING: Tone.NEUTRAL}


def step_row(number: int, step: StepRecord) -> StepRow:
    """The row of the step that is the `number`th of its workflow."""
    return StepRow(
        number=number,
        name=step.name,
        state=step.state.value,
        tone=_STEP_TONES.get(step.state, Tone.MUTED),
        took=span(step.started_at, step.ended_at),
        note=exit_words(step.exit_status) if step.state is StepState.FAILED else "",
    )


def exit_words(status: int | None) -> str:
    """`exit status 1`, `killed by signal 9`; empty where no status is known, or it was 0."""
    if not status:
        return ""
    return f"exit status {status}" if status > 0 else f"killed by signal {-status}"
