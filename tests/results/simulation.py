"""Do the statistics hold? `python -m tests.results.simulation` plays merge requests and prints the figures.

Everything goes through `compare`, as in a report; seeds are fixed, so the figures are always the same. Theory
is scipy's: the normal and the (noncentral) t distribution.
"""

import argparse
import math
import random
from collections.abc import Iterator
from dataclasses import dataclass

import scipy.stats

from reana_bridge.model.analyses import HistoryLimit, HistoryTest, Rule
from reana_bridge.model.comparisons import (
    SIGNIFICANT_SIGMAS,
    Baseline,
    BaselineReason,
    Comparison,
    History,
    Verdict,
)
from reana_bridge.model.metrics import Direction, Metric
from reana_bridge.model.results import Result
from reana_bridge.results.changepoints import find_changes
from reana_bridge.results.comparison import compare
from reana_bridge.results.histories import Past, Series

BASELINE = Baseline(run_id="r", sha="a" * 40, branch="main", reason=BaselineReason.MERGE_BASE)
COMMITS = tuple(f"{number:040x}" for number in range(60))
FLAGGED = frozenset({Verdict.BETTER, Verdict.WORSE})
P_LIMIT = 2 * scipy.stats.norm.sf(SIGNIFICANT_SIGMAS)


@dataclass(frozen=True)
class Share:
    """How often something happened, and what theory says (None: at most `most`)."""

    name: str
    happened: int
    of: int
    theory: float | None = None
    most: float | None = None

    @property
    def holds(self) -> bool:
        """Whether it is what theory says, or not above what is promised, within four binomial errors."""
        wanted = self.most if self.theory is None else self.theory
        assert wanted is not None
        error = 4 * math.sqrt(max(wanted * (1 - wanted), 1 / self.of) / self.of)
        above = self.happened / self.of - wanted
        return above <= error if self.theory is None else abs(above) <= error

    @property
    def row(self) -> str:
        """A line of the table in the documentation, with one standard error."""
        wanted = self.theory if self.theory is not None else self.most or 0.0
        words = "" if self.theory is not None else "at most "
        share = self.happened / self.of
        error = math.sqrt(max(share * (1 - share), 1 / self.of) / self.of)
        measured = f"{100 * share:.2f} ± {100 * error:.2f} %"
        return f"| {self.name} | {measured} | {words}{100 * wanted:.2f} % | {self.of:,} |"


@dataclass(frozen=True)
class Played:
    """One metric of a played merge request; `history` is empty where its own uncertainty tells the noise."""

    name: str
    baseline: float
    head: float
    history: tuple[float, ...] = ()

    def side(self, value: float) -> Metric:
        """The metric as a run left it."""
        own = None if self.history else 1.0
        return Metric(name=self.name, value=value, uncertainty=own, direction=Direction.HIGHER)


def by_uncertainty(draw: random.Random, name: str, shift: float = 0.0) -> Played:
    """A metric with an uncertainty; the shift is in sigmas of the difference."""
    return Played(name, draw.gauss(0, 1), draw.gauss(0, 1) + shift * math.sqrt(2))


def by_history(draw: random.Random, name: str, runs: int, shift: float = 0.0) -> Played:
    """A metric without; the shift is in sigmas of its spread."""
    history = tuple(draw.gauss(0, 1) for _ in range(runs))
    return Played(name, history[-1], draw.gauss(0, 1) + shift, history)


def judged(played: list[Played], *rules: Rule) -> Comparison:
    """The report on these metrics."""
    series = {
        one.name: Series(values=one.history, places=tuple(range(len(one.history))))
        for one in played
        if one.history
    }
    return compare(
        baseline=BASELINE,
        baseline_result=Result(metrics=tuple(one.side(one.baseline) for one in played)),
        head=Result(metrics=tuple(one.side(one.head) for one in played)),
        rules=rules,
        past=Past(runs=History(run_ids=COMMITS, shas=COMMITS), series=series),
    )


def is_flagged(comparison: Comparison, name: str = "") -> bool:
    """Whether a metric (or the named one) is called better or worse."""
    return any(one.verdict in FLAGGED and one.name.startswith(name) for one in comparison.metrics)


def without_change(requests: int) -> Iterator[Share]:
    """Merge requests without any change, of 1 to 200 metrics: how many raise an alarm."""
    draw = random.Random("without change")
    kinds = {"by uncertainty": 0, "by history": 0, "mixed": 0}
    counts = dict.fromkeys(kinds, 0)
    for number in range(requests):
        kind = list(kinds)[number % 3]
        metrics = [
            by_uncertainty(draw, f"m{n}")
            if kind == "by uncertainty" or (kind == "mixed" and n % 2)
            else by_history(draw, f"m{n}", draw.randrange(8, 51))
            for n in range(draw.randrange(1, 201))
        ]
        kinds[kind] += is_flagged(judged(metrics))
        counts[kind] += 1
    for kind, flagged in kinds.items():
        name = f"alarms, no change, 1 to 200 metrics {kind}"
        yield Share(name, flagged, counts[kind], most=Comparison.false_discovery)


def rules_without_change(requests: int) -> Iterator[Share]:
    """One metric without change under a rule of each kind: how often it is broken at 3 sigma."""
    for test in HistoryTest:
        for runs in (8, 20, 50):
            draw = random.Random(f"rule {test} {runs}")
            rule = Rule(metric="*", history=HistoryLimit(test=test, runs=runs))
            broken = 0
            for _ in range(requests):
                (one,) = judged([by_history(draw, "m", runs)], rule).metrics
                broken += bool(one.rules[0].broken)
            most = (
                2 * scipy.stats.t.sf(3 / math.sqrt(1 + 1 / runs), runs - 1)
                if test is HistoryTest.Z
                else P_LIMIT
            )
            yield Share(f"rule `{test}` broken, no change, {runs} runs", broken, requests, most=most)


def power(requests: int) -> Iterator[Share]:
    """One metric that moved by 1 to 5 sigma, alone in its report."""
    for shift in (1, 2, 3, 4, 5):
        draw = random.Random(f"pull {shift}")
        found = sum(is_flagged(judged([by_uncertainty(draw, "m", shift)])) for _ in range(requests))
        theory = scipy.stats.norm.sf(3 - shift) + scipy.stats.norm.cdf(-3 - shift)
        yield Share(f"found, moved by {shift} sigma, by uncertainty", found, requests, theory=theory)
    for runs in (10, 50):
        limit = scipy.stats.t.isf(P_LIMIT / 2, runs - 1)
        for shift in (1, 2, 3, 4, 5):
            draw = random.Random(f"t {shift} {runs}")
            found = sum(is_flagged(judged([by_history(draw, "m", runs, shift)])) for _ in range(requests))
            moved = scipy.stats.nct(runs - 1, shift / math.sqrt(1 + 1 / runs))
            theory = moved.sf(limit) + moved.cdf(-limit)
            yield Share(f"found, moved by {shift} sigma, by {runs} runs", found, requests, theory=theory)


def power_among_many(requests: int) -> Iterator[Share]:
    """The same among 99 metrics that did not move: Bonferroni's line is what is left at least."""
    line = scipy.stats.norm.isf(Comparison.false_discovery / 100 / 2)
    for shift in (3, 4, 5):
        draw = random.Random(f"many {shift}")
        missed = 0
        for _ in range(requests):
            metrics = [by_uncertainty(draw, f"m{n}") for n in range(99)] + [by_uncertainty(draw, "x", shift)]
            missed += not is_flagged(judged(metrics), "x")
        most = 1 - (scipy.stats.norm.sf(line - shift) + scipy.stats.norm.cdf(-line - shift))
        yield Share(f"missed, moved by {shift} sigma, among 99 others", missed, requests, most=most)


def moves(requests: int) -> Iterator[Share]:
    """The default branch moved by 5 sigma at a known commit of 50: how often it is not found within one."""
    for after in (5, 10, 25):
        draw = random.Random(f"moves {after}")
        missed = 0
        for _ in range(requests):
            values = [draw.gauss(5.0 if number >= 50 - after else 0.0, 1) for number in range(50)]
            found = [change.index for change in find_changes(values)]
            missed += len(found) != 1 or abs(found[0] - (50 - after)) > 1
        yield Share(f"not found within one commit, {after} runs ago, 5 sigma", missed, requests, most=0.01)
    draw = random.Random("quiet")
    wrong = sum(bool(find_changes([draw.gauss(0, 1) for _ in range(50)])) for _ in range(requests))
    yield Share("a move found in 50 runs where there was none", wrong, requests, most=0.001)


def everything(requests: int) -> Iterator[Share]:
    """All figures, of so many played merge requests each."""
    yield from without_change(requests)
    yield from power(requests)
    yield from power_among_many(max(requests // 10, 20))
    yield from rules_without_change(requests)
    yield from moves(requests)


def main() -> int:
    """Print the table; 1 where something does not hold."""
    parser = argparse.ArgumentParser(prog="python -m tests.results.simulation")
    parser.add_argument("--requests", type=int, default=10_000, help="merge requests for each figure")
    given = parser.parse_args()
    print("| what | measured | theory | merge requests |\n| --- | --- | --- | --- |")
    shares = []
    for share in everything(given.requests):
        print(share.row, flush=True)
        shares.append(share)
    wrong = [share.name for share in shares if not share.holds]
    print(f"\nnot as promised: {', '.join(wrong)}" if wrong else "\nall as promised")
    return int(bool(wrong))


if __name__ == "__main__":
    raise SystemExit(main())
