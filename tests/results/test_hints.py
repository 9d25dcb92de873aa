import pytest

from reana_bridge.model.analyses import MetricHint
from reana_bridge.model.metrics import Direction, Metric
from reana_bridge.results.hints import apply_hints, name_matcher


@pytest.mark.parametrize(
    ("pattern", "name", "matches"),
    [
        ("*", "fit.mu", True),
        ("fit.*", "fit.mu", True),
        ("fit.*", "fit.a.b", True),
        ("fit.mu", "fit.mu", True),
        ("fit.mu", "fit_mu", False),
        ("FIT.*", "fit.mu", False),
        ("limit [fb]", "limit [fb]", True),
        ("limit ?", "limit x", True),
        ("limit", "limit2", False),
    ],
)
def test_name_matcher(pattern, name, matches):
    assert name_matcher(pattern)(name) is matches


@pytest.mark.parametrize(
    ("hints", "expected"),
    [
        ([], ("", Direction.NONE, None, "")),
        ([MetricHint(name="*", unit="fb")], ("fb", Direction.NONE, None, "")),
        ([MetricHint(name="x*", unit="fb")], ("", Direction.NONE, None, "")),
        (
            [MetricHint(name="*", unit="fb"), MetricHint(name="mu", unit="pb")],
            ("pb", Direction.NONE, None, ""),
        ),
        ([MetricHint(name="mu", target=1.0)], ("", Direction.TARGET, 1.0, "")),
        ([MetricHint(name="mu", direction=Direction.TARGET)], ("", Direction.NONE, None, "")),
        (
            [MetricHint(name="mu", direction=Direction.LOWER, description="d")],
            ("", Direction.LOWER, None, "d"),
        ),
        (
            [MetricHint(name="mu", target=1.0), MetricHint(name="mu", direction=Direction.HIGHER)],
            ("", Direction.HIGHER, None, ""),
        ),
    ],
)
def test_apply_hints(hints, expected):
    (metric,) = apply_hints([Metric(name="mu", value=1)], hints)
    assert (metric.unit, metric.direction, metric.target, metric.description) == expected


def test_a_hint_wins_over_the_file():
    metric = Metric(name="mu", value=1, unit="x", direction=Direction.LOWER)
    (hinted,) = apply_hints([metric], [MetricHint(name="mu", unit="y", direction=Direction.HIGHER)])
    assert (hinted.unit, hinted.direction) == ("y", Direction.HIGHER)
