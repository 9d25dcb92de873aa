import math

import pytest

from reana_bridge.model.analyses import HistoryLimit, HistoryTest, Rule, Target
from reana_bridge.model.comparisons import History, RuleEffect
from reana_bridge.model.metrics import Direction, Metric
from reana_bridge.results.histories import Past, Samples, Series
from reana_bridge.results.rules import judge
from reana_bridge.results.verdicts import compare_metric

NAN, INF = math.nan, math.inf


def metric(value, uncertainty=None, unit=""):
    return None if value is None else Metric(name="m", value=value, uncertainty=uncertainty, unit=unit)


def judged(rule, before, after):
    return judge(Rule(metric="m", **rule), compare_metric("m", before, after))


@pytest.mark.parametrize(
    ("rule", "before", "after", "broken", "explanation"),
    [
        ({"absolute": 0.5}, 1.0, 1.5, False, "+0.5 is within it"),
        ({"absolute": 0.5}, 1.0, 1.6, True, "+0.6 exceeds 0.5"),
        ({"absolute": 0.5}, 1.0, 0.4, True, "-0.6 exceeds 0.5"),
        ({"absolute": 0.0}, 1.0, 1.0 + 1e-15, False, "no change"),
        ({"relative": 0.05}, 4.0, 4.1, False, "+2.5 % is within it"),
        ({"relative": 0.05}, 4.0, 5.0, True, "+25 % exceeds 5 %"),
        ({"relative": 0.05}, 0.0, 0.0, False, "no change"),
        ({"relative": 0.05}, 0.0, 0.1, True, "the baseline is 0, so any change is above it"),
        ({"relative": 0.05}, 5e-324, 1e300, True, "the difference is not finite"),
        ({"minimum": 0.2}, 1.0, 0.2, False, "0.2 is within it"),
        ({"minimum": 0.2}, 1.0, 0.1, True, "0.1 is below 0.2"),
        ({"maximum": 2}, 1.0, 3, True, "3 is above 2"),
        ({"maximum": 2}, 1.0, INF, True, "inf is above 2"),
        ({"maximum": 2}, None, 3, True, "3 is above 2"),
        ({"maximum": 2}, None, NAN, True, "is not a number (NaN)"),
        ({"minimum": 2}, 3, None, True, "the metric is missing"),
        ({"minimum": 2}, None, None, True, "the metric is missing"),
        ({"minimum": 2}, "a", "b", None, "is no number"),
        ({"minimum": 2}, 3, "b", True, "is no number now"),
        ({"relative": 0.1}, 3, None, True, "the metric is missing"),
        ({"relative": 0.1}, None, 3, None, "nothing to compare with"),
        ({"relative": 0.1}, None, None, None, "nothing to compare with"),
        ({"relative": 0.1}, 3, NAN, True, "is not a number (NaN) now"),
        ({"relative": 0.1}, NAN, 3, None, "the baseline is not a number (NaN)"),
        ({"relative": 0.1}, NAN, NAN, None, "the baseline is not a number (NaN)"),
        ({"absolute": 0.1}, 3, INF, True, "the difference is not finite"),
        ({"sigmas": 3}, 3, INF, True, "the difference is not finite"),
        ({"absolute": 0.1}, INF, INF, False, "no change"),
        ({"absolute": 0.1}, 3, "x", True, "not comparable: was a number, is a text now"),
        ({"absolute": 0.1}, "x", "y", None, "is no number"),
        ({"sigmas": 3}, 3, 4, None, "spread unknown"),
        ({"sigmas": 3}, 3, 3, False, "no change"),
    ],
)
def test_one_limit(rule, before, after, broken, explanation):
    (outcome,) = judged(rule, metric(before), metric(after))
    assert (outcome.broken, outcome.explanation) == (broken, explanation)


@pytest.mark.parametrize(
    ("before", "after", "broken", "explanation"),
    [
        ((4.0, 0.3), (5.0, 0.4), False, "+2 sigma is within it"),
        ((4.0, 0.3), (6.0, 0.4), True, "+4 sigma exceeds 3 sigma"),
        ((4.0, 0.3), (6.0, None), True, "the uncertainty is missing now"),
        ((4.0, None), (6.0, 0.3), None, "spread unknown"),
    ],
)
def test_sigmas(before, after, broken, explanation):
    (outcome,) = judged({"sigmas": 3}, metric(*before), metric(*after))
    assert (outcome.broken, outcome.explanation) == (broken, explanation)


def test_a_changed_unit_breaks_a_rule_on_the_difference():
    (outcome,) = judged({"relative": 0.1}, metric(1.0, unit="fb"), metric(1.0, unit="pb"))
    assert (outcome.broken, outcome.explanation) == (True, "not comparable: unit changed from fb to pb")


def test_each_limit_is_judged_by_itself_in_words_with_units():
    rule = {"absolute": 0.5, "relative": 0.05, "sigmas": 2, "minimum": 1, "maximum": 9}
    outcomes = judged(rule, metric(4.0, 0.3, "fb"), metric(4.4, 0.4, "fb"))
    assert [(outcome.rule, outcome.broken) for outcome in outcomes] == [
        ("may change by at most 0.5 fb", False),
        ("may change by at most 5 %", True),
        ("may change by at most 2 sigma", False),
        ("must be at least 1 fb", False),
        ("must be at most 9 fb", False),
    ]
    assert outcomes[0].explanation == "+0.4 fb is within it"


def test_effect_and_proposed_are_kept():
    rule = Rule(metric="m", maximum=1, effect=RuleEffect.BLOCK)
    (outcome,) = judge(rule, compare_metric("m", None, metric(2)), proposed=True)
    assert (outcome.effect, outcome.proposed, outcome.broken) == (RuleEffect.BLOCK, True, True)


def test_a_rule_without_limits_says_nothing():
    assert judged({}, metric(1), metric(2)) == ()


@pytest.mark.parametrize(
    ("after", "broken", "explanation"),
    [
        (metric(4.4, 0.4), True, "+1.44 sigma exceeds 1 sigma"),
        (metric(4.2, 0.4), False, "+0.722 sigma is within it"),
        (metric(4.4, None), True, "the uncertainty is missing now"),
    ],
)
def test_correlated_sigmas(after, broken, explanation):
    (outcome,) = judged({"sigmas": 1, "correlation": 0.76}, metric(4.0, 0.4), after)
    assert (outcome.broken, outcome.explanation) == (broken, explanation)


def test_fully_correlated_any_change_counts():
    (outcome,) = judged({"sigmas": 5, "correlation": 1.0}, metric(4.0, 0.4), metric(4.001, 0.4))
    assert (outcome.broken, outcome.explanation) == (True, "fully correlated, so any change is beyond it")


LEVELS = Target(minimum=0.8, design=0.85, stretch=0.9)
FALLING = Target(minimum=30, design=20)
AROUND = Target(value=1.0, minimum=0.2, design=0.1)


@pytest.mark.parametrize(
    ("target", "after", "broken", "words"),
    [
        (LEVELS, 0.95, [False, False, False], "must be at least 0.8 (minimum)"),
        (LEVELS, 0.87, [False, False, True], "must be at least 0.8 (minimum)"),
        (LEVELS, 0.7, [True, True, True], "must be at least 0.8 (minimum)"),
        (FALLING, 25, [False, True], "must be at most 30 (minimum)"),
        (FALLING, 31, [True, True], "must be at most 30 (minimum)"),
        (AROUND, 1.15, [False, True], "must be within 0.2 of 1 (minimum)"),
        (AROUND, 0.7, [True, True], "must be within 0.2 of 1 (minimum)"),
        (AROUND, NAN, [True, True], "must be within 0.2 of 1 (minimum)"),
        (LEVELS, None, [True, True, True], "must be at least 0.8 (minimum)"),
    ],
)
def test_levels_of_a_target(target, after, broken, words):
    rule = Rule(metric="m", target=target, effect=RuleEffect.BLOCK)
    outcomes = judge(rule, compare_metric("m", metric(1.0), metric(after)))
    assert [outcome.broken for outcome in outcomes] == broken
    assert outcomes[0].rule == words
    effects = [RuleEffect.BLOCK, RuleEffect.WARN, RuleEffect.INFORM]
    assert [outcome.effect for outcome in outcomes] == effects[: len(broken)]


@pytest.mark.parametrize(("direction", "broken"), [("higher", True), ("lower", False), ("none", True)])
def test_a_single_level_goes_by_the_metrics_direction(direction, broken):
    after = Metric(name="m", value=0.7, direction=Direction(direction))
    rule = Rule(metric="m", target=Target(minimum=0.8), effect=RuleEffect.INFORM)
    (outcome,) = judge(rule, compare_metric("m", after, after))
    assert (outcome.broken, outcome.effect) == (broken, RuleEffect.INFORM)


@pytest.mark.parametrize(
    ("before", "after", "applies"),
    [
        ({"dataset": "2018A"}, {"dataset": "2018A"}, True),
        ({"dataset": "2017"}, {"dataset": "2017"}, False),
        ({}, {}, False),
        (None, {"dataset": "2018B", "kind": "mc"}, True),
        ({"dataset": "2018A"}, None, True),
        # A commit cannot leave a rule by taking its tags away.
        ({"dataset": "2018A"}, {}, True),
        ({"dataset": "2018A"}, {"dataset": "2017"}, True),
    ],
)
def test_rules_for_one_data_set(before, after, applies):
    sides = [None if tags is None else Metric(name="m", value=1.0, tags=tags) for tags in (before, after)]
    rule = Rule(metric="m", maximum=0, where={"dataset": "2018*"})
    assert bool(judge(rule, compare_metric("m", *sides))) is applies


SPREAD = (9.0, 11.0, 10.0, 10.5, 9.5, 10.2, 9.8, 10.0, 10.4, 9.6)


def past(*values):
    size = len(values)
    series = {"m": Series(values=values, places=tuple(range(size)))} if values else {}
    history = History(run_ids=("r",) * size, shas=tuple(f"{number:040x}" for number in range(size)))
    return Samples(Past(runs=history, series=series))


@pytest.mark.parametrize(
    ("values", "before", "after", "broken", "explanation"),
    [
        (SPREAD, 10.0, 10.4, False, "+0.646 sigma from the last 10 runs is within it"),
        (SPREAD, 10.0, 14.0, True, "+3.93 sigma from the last 10 runs is beyond it"),
        (SPREAD, 10.0, 6.0, True, "-3.93 sigma from the last 10 runs is beyond it"),
        (SPREAD, None, 14.0, True, "+3.93 sigma from the last 10 runs is beyond it"),
        (SPREAD, 14.0, 14.0, False, "no change"),
        (SPREAD, 10.0, None, True, "the metric is missing"),
        (SPREAD, 10.0, NAN, True, "is not a number (NaN) now"),
        (SPREAD, 10.0, INF, True, "is infinite now"),
        (SPREAD, 10.0, "x", True, "not comparable: was a number, is a text now"),
        (SPREAD, None, "x", None, "nothing to compare with"),
        (SPREAD[:7], 10.0, 14.0, None, "spread unknown, 7 of 8 runs"),
        ((), 10.0, 14.0, None, "spread unknown, no run on the default branch has it"),
        ((7.0,) * 9, 7.0, 7.5, True, "a metric that never moved in 9 runs is beyond it"),
    ],
)
def test_against_the_default_branch(values, before, after, broken, explanation):
    rule = Rule(metric="m", history=HistoryLimit())
    (outcome,) = judge(rule, compare_metric("m", metric(before), metric(after)), past(*values))
    assert (outcome.broken, outcome.explanation) == (broken, explanation)
    words = "may be at most 3 sigma from the last 50 runs on the default branch (t-test)"
    assert outcome.rule == words


def test_without_a_look_at_the_history_nothing_is_judged():
    (outcome,) = judged({"history": HistoryLimit(test=HistoryTest.MAD)}, metric(1.0), metric(2.0))
    assert outcome.broken is None
