"""Many tests in one report, and the same report made again from what is stored."""

import json
import random

import pytest

from reana_bridge.model.analyses import HistoryLimit, HistoryTest, Rule
from reana_bridge.model.codec import from_data, to_data
from reana_bridge.model.comparisons import (
    Acceptance,
    Baseline,
    BaselineReason,
    Comparison,
    History,
    RuleEffect,
    Verdict,
)
from reana_bridge.model.metrics import Direction, Metric
from reana_bridge.model.results import Result
from reana_bridge.results.comparison import compare
from reana_bridge.results.correction import recomputed
from reana_bridge.results.histories import Past, Series

BASELINE = Baseline(run_id="r", sha="a" * 40, branch="main", reason=BaselineReason.MERGE_BASE)
BLOCK = RuleEffect.BLOCK
SHAS = tuple(f"{number:07x}" + "0" * 33 for number in range(60))


def pulls(*sigmas: float) -> tuple[list[Metric], list[Metric]]:
    """Metrics that differ by so many sigma."""
    names = [f"m{number:03}" for number in range(len(sigmas))]
    before = [Metric(name=name, value=0.0, uncertainty=0.6, direction=Direction.LOWER) for name in names]
    after = [
        Metric(name=name, value=size, uncertainty=0.8, direction=Direction.LOWER)
        for name, size in zip(names, sigmas, strict=True)
    ]
    return before, after


def made(before, after, **given) -> Comparison:
    return compare(
        baseline=BASELINE,
        baseline_result=Result(metrics=tuple(before)),
        head=Result(metrics=tuple(after)),
        made_at=1.0,
        **given,
    )


def past(**series: list[float]) -> Past:
    most = max(map(len, series.values()))
    return Past(
        runs=History(run_ids=tuple(f"r{n}" for n in range(most)), shas=SHAS[:most]),
        series={
            name: Series(values=tuple(values), places=tuple(range(most - len(values), most)))
            for name, values in series.items()
        },
    )


@pytest.mark.parametrize(
    ("sigmas", "others", "worse"),
    [
        ([2.9], [], 0),
        ([3.1], [], 1),
        ([3.1], [0.5] * 20, 1),
        ([3.1], [0.5] * 50, 0),
        ([3.1] * 5, [0.5] * 50, 5),
        ([4.5], [0.5] * 200, 1),
        # What is the same counts as well: it was looked at.
        ([3.1], [0.0] * 50, 0),
    ],
)
def test_what_stands_among_all_tests(sigmas: list[float], others: list[float], worse: int) -> None:
    comparison = made(*pulls(*sigmas, *others))
    assert comparison.tests == len(sigmas) + len(others)
    assert sum(one.verdict is Verdict.WORSE for one in comparison.metrics) == worse
    if len(others) == 50 and not worse:
        (fallen,) = [one for one in comparison.metrics if (one.sigmas or 0) > 3]
        assert fallen.explanation == "3.1 sigma, which chance explains among 51 tests"
        assert fallen.within_noise


def test_rules_are_tests_of_the_report_too() -> None:
    rule = Rule(metric="*", sigmas=3, effect=BLOCK)
    alone, many = made(*pulls(3.1), rules=[rule]), made(*pulls(3.1, *[0.5] * 50), rules=[rule])
    assert (alone.tests, alone.blocked) == (2, True)
    assert (many.tests, many.blocked) == (102, False)
    (outcome,) = next(one.rules for one in many.metrics if one.name == "m000")
    explanation = "+3.1 sigma exceeds 3 sigma, which chance explains among 102 tests"
    assert (outcome.broken, outcome.explanation) == (False, explanation)


def test_a_limit_that_chance_crosses_anyway_is_a_tolerance() -> None:
    comparison = made(*pulls(0.6, *[0.1] * 50), rules=[Rule(metric="*", sigmas=0.5, effect=BLOCK)])
    assert (comparison.tests, comparison.blocked) == (51, True)


def test_proposed_rules_cannot_drown_those_that_count() -> None:
    rule = Rule(metric="m000", sigmas=3, effect=BLOCK)
    flood = [Rule(metric="*", sigmas=3 + number / 100) for number in range(200)]
    comparison = made(*pulls(3.1, 0.5), rules=[rule], proposed_rules=flood)
    assert (comparison.tests, comparison.blocked) == (3, True)
    proposed = [outcome for one in comparison.metrics for outcome in one.rules if outcome.proposed]
    assert any(outcome.broken for outcome in proposed)


def test_what_never_moved_is_no_test() -> None:
    history = past(seed=[1.0] * 20, other=[2.0] * 20)
    before, after = (
        [Metric(name=n, value=v) for n, v in pair]
        for pair in (
            (("seed", 1.0), ("other", 2.0)),
            (("seed", 1.5), ("other", 2.0)),
        )
    )
    comparison = made(before, after, past=history)
    assert comparison.tests == 0
    (moved,) = [one for one in comparison.metrics if one.name == "seed"]
    assert (moved.test.significant, moved.explanation) == (True, "never moved in 20 runs")


def test_a_metric_with_a_known_spread_is_judged_by_it() -> None:
    draw = random.Random(3)
    values = [draw.gauss(0.3, 0.2) for _ in range(20)]
    history = past(unseeded=values)
    for value, verdict in ((0.5, Verdict.CHANGED), (2.0, Verdict.BETTER)):
        comparison = made(
            [Metric(name="unseeded", value=values[-1], direction=Direction.HIGHER)],
            [Metric(name="unseeded", value=value, direction=Direction.HIGHER)],
            past=history,
        )
        (one,) = comparison.metrics
        assert (one.verdict, one.within_noise, one.unjudged) == (verdict, value == 0.5, False)
        assert one.test.sample == tuple(values)
        assert comparison.history == history.runs


@pytest.mark.parametrize(
    ("values", "explanation"),
    [
        ([0.1, 0.5, 0.9], "spread unknown, 3 of 8 runs"),
        ([5.0] * 12 + [7.0], "spread unknown, 1 of 8 runs since 000000c"),
        ([], "spread unknown"),
    ],
)
def test_too_little_history_is_said_and_not_judged(values: list[float], explanation: str) -> None:
    before, after = [Metric(name="a", value=7.0)], [Metric(name="a", value=9.0)]
    (one,) = made(before, after, past=past(a=values) if values else Past()).metrics
    assert (one.unjudged, one.explanation, one.difference) == (True, explanation, 2.0)


def test_values_in_another_unit_are_no_history() -> None:
    history = Past(
        runs=History(run_ids=("r",) * 9, shas=SHAS[:9]),
        series={"a": Series(values=(1.0, 2.0, 3.0) * 3, places=tuple(range(9)), unit="pb")},
    )
    before, after = (Metric(name="a", value=value, unit="fb") for value in (1000.0, 1001.0))
    (one,) = made([before], [after], past=history).metrics
    assert one.test is None


def test_off_the_history_on_one_side_and_moved_to_the_other_is_neither_better_nor_worse() -> None:
    draw = random.Random(1)
    values = [*(draw.gauss(0, 1) for _ in range(30)), 40.0]
    before, after = (Metric(name="a", value=v, direction=Direction.LOWER) for v in (40.0, 39.0))
    (one,) = made([before], [after], past=past(a=values)).metrics
    assert (one.test.significant, one.verdict) == (True, Verdict.CHANGED)


def test_accepted_outcomes_do_not_block() -> None:
    rules = [Rule(metric="m000", absolute=1, effect=BLOCK), Rule(metric="m001", absolute=1, effect=BLOCK)]
    word = Acceptance(metric="m000", value=3.0, reason="new calibration", by="jane", at=2.0)
    both = made(*pulls(2.5, 2.5), rules=rules, acceptances=[word])
    one = made(*pulls(2.5, 0.5), rules=rules, acceptances=[word])
    farther = made(*pulls(3.5, 0.5), rules=rules, acceptances=[word])
    assert (both.blocked, one.blocked, farther.blocked) == (True, False, True)
    (outcome,) = next(each.rules for each in one.metrics if each.name == "m000")
    assert (outcome.broken, outcome.accepted) == (True, word)


def everything(seed: int) -> Comparison:
    """A report with all that there is: pulls, histories of all kinds, rules of all kinds."""
    draw = random.Random(seed)
    before, after, series = list[Metric](), list[Metric](), dict[str, list[float]]()
    for number in range(40):
        name, own = f"m{number:02}", number % 3 == 0
        level = draw.choice([0.0, 1.0, 1e6])
        shift = draw.choice([0, 0, 0, 1, 3, 6])
        series[name] = [
            level + (0 if number % 7 == 0 else draw.gauss(0, 1)) for _ in range(draw.randrange(1, 50))
        ]
        sides = (
            series[name][-1],
            series[name][-1] if draw.random() < 0.2 else level + shift + draw.gauss(0, 1),
        )
        for metrics, value in zip((before, after), sides, strict=True):
            up = draw.random() if number % 6 == 0 else None
            metrics.append(Metric(name=name, value=value, uncertainty=1.0 if own else None, up=up))
    rules = [
        Rule(metric="m1*", sigmas=2.5, correlation=0.3, effect=BLOCK),
        Rule(metric="m2*", sigmas=0.5),
        *(Rule(metric="*", history=HistoryLimit(test=test, runs=30)) for test in HistoryTest),
        Rule(metric="m3*", absolute=1.0, relative=0.1, minimum=-1, maximum=5),
    ]
    proposed = [*rules[1:], Rule(metric="*", sigmas=3)]
    word = Acceptance(metric="m01", value=10.0, reason="x", by="jane", at=1.0)
    return made(before, after, past=past(**series), rules=rules, proposed_rules=proposed, acceptances=[word])


@pytest.mark.parametrize("seed", range(6))
def test_a_stored_report_can_be_made_again_to_the_byte(seed: int) -> None:
    comparison = everything(seed)
    assert comparison.tests > 40
    assert len({one.verdict for one in comparison.metrics}) > 1
    stored = json.dumps(to_data(comparison))
    loaded = from_data(Comparison, json.loads(stored))
    assert json.dumps(to_data(recomputed(loaded))) == stored
    assert json.dumps(to_data(everything(seed))) == stored


def test_what_was_stored_otherwise_is_not_made_so_again() -> None:
    comparison = everything(1)
    stored = json.dumps(to_data(comparison))
    data = json.loads(stored)
    touched = next(one for one in data["metrics"] if one.get("test", {}).get("statistic"))
    touched["test"]["statistic"] *= 1.0000001
    assert json.dumps(to_data(recomputed(from_data(Comparison, data)))) == stored
