import math
import statistics

import pytest

from reana_bridge.model.metrics import Metric
from reana_bridge.model.results import Artifact, Result
from reana_bridge.results.rolling import together


def result(**values):
    return Result(metrics=tuple(Metric(name=name, value=value) for name, value in values.items()))


def test_medians_with_the_error_of_a_median():
    (metric,) = together([result(x=v) for v in (3.0, 1.0, 2.0, 10.0)]).metrics
    spread = math.sqrt(math.pi / 2) * statistics.stdev([3, 1, 2, 10]) / 2
    assert (metric.value, metric.uncertainty) == (2.5, pytest.approx(spread))


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
