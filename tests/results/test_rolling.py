import math
import statistics

import pytest

from reana_bridge.model.analyses import Rule
from reana_bridge.model.comparisons import Baseline, BaselineReason
from reana_bridge.model.metrics import Metric
from reana_bridge.model.results import Artifact, Result
from reana_bridge.results.comparison import compare
from reana_bridge.results.rolling import together


def result(**values):
    return Result(metrics=tuple(Metric(name=name, value=value) for name, value in values.items()))


VALUES = (3.0, 1.0, 2.0, 10.0)
ERROR = math.sqrt(math.pi / 2) * statistics.stdev(VALUES) / 2


@pytest.mark.parametrize(
    ("own", "uncertainty"),
    [({}, None), ({"uncertainty": 0.5}, ERROR), ({"up": 0.5, "down": 0.4}, ERROR)],
)
def test_medians_with_the_error_of_a_median_where_the_metric_has_an_uncertainty(own, uncertainty):
    results = [Result(metrics=(Metric(name="x", value=value, **own),)) for value in VALUES]
    (metric,) = together(results).metrics
    assert (metric.value, metric.up, metric.down) == (2.5, None, None)
    assert metric.uncertainty == (uncertainty and pytest.approx(uncertainty))


@pytest.mark.parametrize("head", [None, 0.5])
def test_a_rule_in_sigmas_misses_no_uncertainty_that_was_never_there(head):
    baseline = together([result(x=value) for value in VALUES])
    after = Result(metrics=(Metric(name="x", value=4.0, uncertainty=head),))
    rule = Rule(metric="x", sigmas=3)
    given = Baseline(run_id="r", sha="a" * 40, branch="main", reason=BaselineReason.ROLLING, runs=4)
    (compared,) = compare(baseline=given, baseline_result=baseline, head=after, rules=[rule]).metrics
    assert (compared.rules[0].broken, compared.rules[0].explanation) == (None, "spread unknown")
    assert "missing now" not in compared.explanation


@pytest.mark.parametrize(
    ("results", "values"),
    [
        ([result(x=1.0)], {"x": 1.0}),
        ([result(x="a"), result(x="b")], {"x": "a"}),
        ([result(x=True), result(x=False)], {"x": True}),
        ([result(x=math.inf), result(x=1.0), result(x=2.0)], {"x": math.inf}),
        ([result(x=2.0), result(x=math.nan), result(x=4.0)], {"x": 3.0}),
        ([result(x=2.0), result(y=9.0)], {"x": 2.0}),
        ([result(x=10**400), result(x=1)], {"x": 10**400}),
    ],
)
def test_what_has_no_median_is_the_newest_run_s(results, values):
    assert {metric.name: metric.value for metric in together(results).metrics} == values


def test_files_are_those_of_the_newest_run():
    kept = Artifact(path="a", digest="0" * 64, size=1)
    newest = Result(artifacts=(kept,))
    assert together([newest, result(x=1.0)]).artifacts == (kept,)


def test_nothing_has_no_median():
    with pytest.raises(ValueError, match="at least one"):
        together([])
