import math

import pytest

from reana_bridge.model.analyses import Rule
from reana_bridge.model.comparisons import RuleEffect
from reana_bridge.model.metrics import Metric
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
