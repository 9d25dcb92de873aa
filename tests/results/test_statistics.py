"""Every formula against scipy, and what they promise of themselves."""

import math
import random

import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from reana_bridge.results import statistics as ours

FREEDOMS = [0.35, 1, 2, 2.45, 3.7, 7, 20, 49, 499, 1e6]
STATISTICS = [0.0, 1e-3, 0.3, 1.0, 2.5, 3.0, 6.0, 15.0, 80.0, 1e6]


def sample(size: int, seed: int = 1) -> list[float]:
    draw = random.Random(f"{size} {seed}")
    return [draw.gauss(5, 2) for _ in range(size)]


@pytest.mark.parametrize("z", [*STATISTICS[:8], 37.0])
def test_normal_tails(z: float) -> None:
    assert ours.normal_p(z) == pytest.approx(2 * scipy.stats.norm.sf(z), rel=1e-12, abs=0)
    assert ours.normal_p(-z) == ours.normal_p(z)


@pytest.mark.parametrize("p", [0.9, 0.3173, 0.05, 0.0027, 1e-10, 1e-300])
def test_limits_are_the_inverse_of_tails(p: float) -> None:
    assert ours.normal_limit(p) == pytest.approx(scipy.stats.norm.isf(p / 2), rel=1e-12)
    for freedom in FREEDOMS[3:]:
        if p > 1e-20:
            wanted = scipy.stats.t.isf(p / 2, freedom)
            assert ours.student_limit(p, freedom) == pytest.approx(wanted, rel=1e-9)


@pytest.mark.parametrize("freedom", FREEDOMS)
@pytest.mark.parametrize("t", STATISTICS)
def test_student_tails(t: float, freedom: float) -> None:
    wanted = 2 * scipy.stats.t.sf(t, freedom)
    # lgamma of half a million has lost some digits
    assert ours.student_p(t, freedom) == pytest.approx(wanted, rel=1e-11 * max(1, freedom / 50), abs=1e-307)
    assert ours.student_p(-t, freedom) == ours.student_p(t, freedom)


def test_tails_of_the_infinite() -> None:
    assert ours.student_p(math.inf, 5) == ours.normal_p(math.inf) == 0
    assert ours.student_p(1e200, 5) == 0


@given(st.floats(0, 50), st.floats(0, 50), st.floats(1, 1000))
def test_farther_is_never_more_likely(one: float, other: float, freedom: float) -> None:
    near, far = sorted([one, other])
    assert ours.student_p(far, freedom) <= ours.student_p(near, freedom) * (1 + 1e-12)
    assert 0 <= ours.student_p(far, freedom) <= 1


@pytest.mark.parametrize("correlation", [-1.0, -0.5, 0.0, 0.3, 0.99, 1.0])
@pytest.mark.parametrize(("one", "other"), [(0.3, 0.4), (0.3, 0.3), (0.0, 2.0), (1e160, 1e160)])
def test_the_spread_of_a_difference(one: float, other: float, correlation: float) -> None:
    covariance = [[1, correlation], [correlation, 1]]
    u, v = one / max(one, other), -other / max(one, other)
    variance = sum(a * covariance[i][j] * b for i, a in enumerate((u, v)) for j, b in enumerate((u, v)))
    wanted = math.sqrt(max(variance, 0)) * max(one, other)
    found = ours.difference_sigma(one, other, correlation)
    assert found == pytest.approx(wanted, rel=1e-7, abs=1e-15)


@pytest.mark.parametrize("size", [2, 5, 8, 33])
def test_t_is_a_prediction(size: int) -> None:
    """The t-test of one value against a sample is the two-sample test with one value on one side."""
    values = sample(size)
    for value in (5.0, 9.0, -20.0):
        found = ours.t_test(value, values)
        # Two samples with a common variance: the single value adds no degree of freedom.
        spread = scipy.stats.tstd(values) * math.sqrt(1 + 1 / size)
        wanted = (value - scipy.stats.tmean(values)) / spread
        assert found.statistic == pytest.approx(wanted)
        assert found.p_value == pytest.approx(2 * scipy.stats.t.sf(abs(wanted), size - 1))
        inside = scipy.stats.t.interval(0.95, size - 1, scipy.stats.tmean(values), spread)
        assert (found.p_value >= 0.05) == (inside[0] <= value <= inside[1])


@pytest.mark.parametrize("size", [3, 4, 5, 8, 33])
def test_z_mad_and_iqr(size: int) -> None:
    values, value = sample(size), 11.0
    centre = scipy.stats.tmean(values)
    z = (value - centre) / scipy.stats.tstd(values)
    assert ours.z_test(value, values).statistic == pytest.approx(z)
    assert ours.z_test(value, values).p_value == pytest.approx(2 * scipy.stats.norm.sf(abs(z)))
    spreads = {
        ours.mad_test: scipy.stats.median_abs_deviation(values, scale="normal"),
        ours.iqr_test: scipy.stats.iqr(values, scale="normal"),
    }
    centre = scipy.stats.scoreatpercentile(values, 50)
    for test, spread in spreads.items():
        found = test(value, values)
        wanted = (value - centre) / (spread * math.sqrt(1 + math.pi / 2 / size))
        assert found.statistic == pytest.approx(wanted)
        freedom = ours.ROBUST_FREEDOM * (size - 1)
        assert found.p_value == pytest.approx(2 * scipy.stats.t.sf(abs(wanted), freedom))


def test_robust_tests_do_not_see_outliers() -> None:
    values = [*sample(40), 1e6, -1e9]
    assert abs(ours.t_test(30, values).statistic or 0) < 1
    for test in (ours.mad_test, ours.iqr_test):
        assert (test(30, values).statistic or 0) > 8


@pytest.mark.parametrize("test", [ours.t_test, ours.z_test, ours.mad_test, ours.iqr_test])
@pytest.mark.parametrize(
    ("values", "constant"),
    [
        ([2.0] * 9, True),
        ([0.0] * 9, True),
        ([1.0, 1.0 + 1e-13, 1.0], True),
        ([1e308, -1e308, 1e308, -1e308], False),
        ([1e308] * 4 + [1.2e308] * 4, False),
    ],
)
def test_what_never_moved_and_what_is_too_large(test, values: list[float], constant: bool) -> None:
    found = test(3.0, values)
    assert found.constant is constant
    if constant:
        assert (found.statistic, found.p_value) == (None, None)
    assert found.statistic is None or math.isfinite(found.statistic)


@pytest.mark.parametrize("seed", range(20))
def test_many_tests_at_once(seed: int) -> None:
    draw = random.Random(seed)
    values = [draw.random() ** draw.choice([1, 4]) for _ in range(draw.randrange(1, 60))]
    limit = ours.benjamini_hochberg(values, 0.05)
    wanted = scipy.stats.false_discovery_control(values, method="bh") <= 0.05
    assert [p <= limit for p in values] == list(wanted)
    silent = [1.0] * 40
    more = scipy.stats.false_discovery_control([*values, *silent], method="bh") <= 0.05
    limit = ours.benjamini_hochberg(values, 0.05, tests=len(values) + len(silent))
    assert [p <= limit for p in values] == list(more[: len(values)])


@pytest.mark.parametrize(
    ("values", "limit"), [([], -1), ([0.06], -1), ([0.05], 0.05), ([0.0, 0.9], 0.0), ([0.04, 0.05], 0.05)]
)
def test_the_step_up_by_hand(values: list[float], limit: float) -> None:
    assert ours.benjamini_hochberg(values, 0.05) == limit
