import math

import pytest

from reana_bridge.model.metrics import Metric, UncertaintyPart
from reana_bridge.reports.measured import show_metric, show_metrics

S = "\u202f"


def metric(value, uncertainty=None, *, sides=None, parts=()):
    up, down = sides or (None, None)
    made = tuple(UncertaintyPart(name=name, up=u, down=d) for name, u, d in parts)
    return Metric(name="x", value=value, uncertainty=uncertainty, up=up, down=down, parts=made)


STAT, SYST = ("statistical", 0.1, 0.1), ("systematic", 0.072, 0.051)


@pytest.mark.parametrize(
    ("shown", "written"),
    [
        (metric(4.2134, 0.12, sides=(0.1234, 0.1)), "4.21 +0.12 -0.10"),
        (metric(4.2134, 0.12, sides=(0.1234, 0.1231)), "4.21 \u00b1 0.12"),
        (metric(4.2134, 0.12, sides=(0.12, 0.12)), "4.21 \u00b1 0.12"),
        (metric(4.2134, 0.12), "4.21 \u00b1 0.12"),
        (metric(4.2134, 0.13, parts=(STAT, SYST)), "4.21 \u00b1 0.10 (stat) +0.07 -0.05 (syst)"),
        (
            metric(4.2134, 0.13, parts=(STAT, ("lumi", 0.02, 0.02))),
            "4.21 \u00b1 0.10 (stat) \u00b1 0.02 (lumi)",
        ),
        (metric(4.2134, 0.13, parts=(STAT, SYST, ("lumi", 0.02, 0.02))), "4.21 \u00b1 0.13"),
        (metric(125.1, 3.0, sides=(3.0, 0.02)), "125.10 +3.00 -0.02"),
        (metric(4.2e-7, 1e-8, sides=(1.2e-8, 3e-9)), "(4.20 +0.12 -0.03)e-07"),
        (metric(812345, 1000, sides=(1200, 300)), f"812{S}300 +1200 -300"),
        (metric(5.0, 1.0, sides=(1.0, 0.0)), "5.0 +1.0 -0.0"),
        (metric(5.0, 1.0, sides=(1.0, math.inf)), "5.0 \u00b1 1.0"),
        (metric(math.nan, 0.1, sides=(0.1, 0.2)), "NaN"),
        (metric(1.0, 1e-30, sides=(1e-30, 2e-30)), "1 \u00b1 1.0e-30"),
        (metric("text"), "text"),
        (metric(True), "true"),
    ],
)
def test_a_value_is_rounded_to_its_uncertainty(shown, written):
    assert show_metric(shown) == written


def test_a_pair_without_uncertainties_shows_its_difference():
    assert show_metrics(metric(1.000001), metric(1.000002)) == ("1.000001", "1.000002")
    assert show_metrics(metric(1.0), metric(4.2, 0.2, sides=(0.2, 0.1))) == ("1", "4.20 +0.20 -0.10")
