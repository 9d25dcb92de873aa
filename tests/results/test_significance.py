import math

import pytest

from reana_bridge.model import comparisons
from reana_bridge.model.analyses import HistoryTest
from reana_bridge.model.metrics import Metric
from reana_bridge.results import statistics
from reana_bridge.results.histories import Sample
from reana_bridge.results.significance import (
    VERSIONS,
    against,
    is_tolerance,
    made_again,
    measured_words,
    pull,
)

SAMPLE = (9.0, 11.0, 10.0, 10.5, 9.5, 10.2, 9.8, 10.0, 10.4, 9.6)


def metric(value, uncertainty=None, up=None, down=None):
    return Metric(name="m", value=value, uncertainty=uncertainty, up=up, down=down)


@pytest.mark.parametrize(
    ("before", "after", "correlation", "statistic"),
    [
        (metric(4.0, 0.3), metric(6.0, 0.4), 0.0, 4.0),
        (metric(6.0, 0.4), metric(4.0, 0.3), 0.0, -4.0),
        (metric(4.0, 0.3), metric(6.0, 0.4), 1.0, 20.0),
        (metric(4.0, 0.3), metric(6.0, 0.4), -1.0, 2 / 0.7),
        (metric(4.0, 0.3), metric(6.0, 0.4), 0.5, 2 / math.sqrt(0.13)),
        # The sides that face each other: 0.3 up of the lower one, 0.4 down of the higher one.
        (metric(4.0, 9.0, up=0.3, down=9.0), metric(6.0, 9.0, up=9.0, down=0.4), 0.0, 4.0),
        (metric(6.0, 9.0, up=9.0, down=0.4), metric(4.0, 9.0, up=0.3, down=9.0), 0.0, -4.0),
        (metric(4.0, 9.0, up=0.3), metric(6.0, 0.4), 0.0, 4.0),
        (metric(4.0, None), metric(6.0, 0.4), 0.0, None),
        (metric(4.0, 0.0), metric(6.0, 0.0), 0.0, None),
        (metric(4.0, 0.3), metric(6.0, 0.3), 1.0, None),
        (metric(4.0, math.nan), metric(6.0, 0.3), 0.0, None),
        (metric(4.0, -0.1), metric(6.0, 0.3), 0.0, None),
    ],
)
def test_pulls(before, after, correlation, statistic) -> None:
    test = pull(before, after, sigmas=3, correlation=correlation)
    if statistic is None:
        assert test is None
        return
    assert test is not None
    assert (test.statistic, test.significant) == (pytest.approx(statistic), abs(statistic) > 3)
    assert made_again(test, before, after) == test


def test_a_pull_beyond_the_floats_is_significant() -> None:
    test = pull(metric(0.0, 1e-200), metric(1e200, 1e-200), sigmas=3)
    assert test is not None
    assert (test.statistic, test.p_value, test.significant) == (None, 0.0, True)
    assert measured_words(test) == "far more than any noise"


@pytest.mark.parametrize(
    ("size", "sample", "value", "significant", "words"),
    [
        (8, SAMPLE, 10.3, False, "0.5 sigma from the last 10 runs"),
        (8, SAMPLE, 14.0, True, "3.93 sigma from the last 10 runs"),
        (8, SAMPLE[:7], 14.0, None, "7 of 8 runs"),
        (20, SAMPLE, 14.0, None, "10 of 20 runs"),
        (1, SAMPLE[:3], 14.0, None, "3 of 4 runs"),
        (8, (7.0,) * 9, 7.0, False, "never moved in 9 runs"),
        (8, (7.0,) * 9, 7.1, True, "never moved in 9 runs"),
        (8, (1e308, -1e308) * 5, 7.1, None, "the last 10 runs, whose spread cannot be computed"),
    ],
)
def test_against_history(size, sample, value, significant, words) -> None:
    test = against(HistoryTest.T, value, Sample(values=sample), sigmas=3, minimum_runs=size)
    assert test.significant is significant
    said = test.explanation if test.significant is None else measured_words(test)
    assert said == words
    assert made_again(test, None, metric(value)) == test


def test_since_when_is_said() -> None:
    sample = Sample(values=SAMPLE, since="3f9c2a1" + "0" * 33)
    test = against(HistoryTest.T, 10.0, sample, sigmas=3, minimum_runs=8)
    assert test.explanation == "10 runs since 3f9c2a1"


@pytest.mark.parametrize("name", list(HistoryTest))
@pytest.mark.parametrize("sigmas", [1.0, 3.0, 5.0])
def test_limits_are_sigmas_of_a_normal_distribution(name: HistoryTest, sigmas: float) -> None:
    test = against(name, 10.3, Sample(values=SAMPLE), sigmas=sigmas, minimum_runs=8)
    assert (test.p_value or 0) > statistics.normal_p(sigmas) or test.significant
    far = against(name, 10 + 1000.0, Sample(values=SAMPLE), sigmas=sigmas, minimum_runs=8)
    assert far.significant is ((far.p_value or 0) < statistics.normal_p(sigmas))
    assert test.limit >= sigmas
    assert is_tolerance(test, 0.05) is (sigmas < 1.9)


def test_half_of_the_values_alike_is_no_spread() -> None:
    sample = Sample(values=(*[7.0] * 12, 8.0, 6.0, 9.0))
    test = against(HistoryTest.MAD, 7.5, sample, sigmas=3, minimum_runs=8)
    assert test.significant is None
    assert "cannot be computed" in test.explanation


@pytest.mark.parametrize("name", [*VERSIONS, "log-normal"])
def test_another_version_is_not_made_again(name: str) -> None:
    with pytest.raises(ValueError, match="version 99"):
        made_again(comparisons.Test(name=name, version=99), metric(1.0), metric(2.0))
