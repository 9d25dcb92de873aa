import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reana_bridge.model.comparisons import Verdict
from reana_bridge.model.metrics import Direction, Metric
from reana_bridge.results.verdicts import compare_metric

INF, NAN = math.inf, math.nan
HIGHER, LOWER = Direction.HIGHER, Direction.LOWER


def compare(before, after, **common):
    return compare_metric(
        "m", Metric(name="m", value=before, **common), Metric(name="m", value=after, **common)
    )


@pytest.mark.parametrize(
    ("before", "after", "none", "higher", "lower", "explanation"),
    [
        (1.0, 1.0, "same", "same", "same", ""),
        (0.0, 0.0, "same", "same", "same", ""),
        (0.0, -0.0, "same", "same", "same", ""),
        (1, 1.0, "same", "same", "same", ""),
        (1.0, 1.0 + 1e-12, "same", "same", "same", "the same within rounding"),
        (1.0, 1.0 + 1e-8, "changed", "better", "worse", "spread unknown"),
        (10**12, 10**12 + 1, "changed", "better", "worse", "spread unknown"),
        (10**20, 10**20 + 1, "changed", "changed", "changed", "spread unknown"),
        (1.0, 2.0, "changed", "better", "worse", "spread unknown"),
        (2.0, 1.0, "changed", "worse", "better", "spread unknown"),
        (0.0, 1e-300, "changed", "better", "worse", "spread unknown"),
        (-1.7e308, 1.7e308, "changed", "better", "worse", "the difference is too large for a number"),
        (10**400, 10**400 + 1, "changed", "changed", "changed", "was infinite"),
        (NAN, NAN, "same", "same", "same", "not a number (NaN) in both"),
        (1.0, NAN, "worse", "worse", "worse", "not a number (NaN) now"),
        (INF, NAN, "worse", "worse", "worse", "not a number (NaN) now"),
        (NAN, 1.0, "changed", "changed", "changed", "was not a number (NaN)"),
        (INF, INF, "same", "same", "same", ""),
        (1.0, INF, "changed", "changed", "worse", "infinite now"),
        (1.0, -INF, "changed", "worse", "changed", "infinite now"),
        (INF, 1.0, "changed", "changed", "better", "was infinite"),
        (-INF, INF, "changed", "better", "changed", "was infinite"),
        ("a", "a", "same", "same", "same", ""),
        ("a", "b", "changed", "changed", "changed", ""),
        (True, True, "same", "same", "same", ""),
        (True, False, "changed", "worse", "better", ""),
        (False, True, "changed", "better", "worse", ""),
        (1, "1", *["not comparable"] * 3, "was a number, is a text now"),
        (1, True, *["not comparable"] * 3, "was a number, is a truth value now"),
        ("x", NAN, *["not comparable"] * 3, "was a text, is a number now"),
    ],
)
def test_verdicts_without_uncertainties(before, after, none, higher, lower, explanation):
    for direction, verdict in ((Direction.NONE, none), (HIGHER, higher), (LOWER, lower)):
        compared = compare(before, after, direction=direction)
        assert (compared.verdict.value, compared.explanation) == (verdict, explanation)


@pytest.mark.parametrize(
    ("before", "after", "verdict", "sigmas", "explanation"),
    [
        ((4.2, 0.3), (4.2, 0.4), "same", None, ""),
        ((4.0, 0.3), (4.25, 0.4), "changed", 0.5, "0.5 sigma, within noise"),
        ((4.0, 0.3), (5.45, 0.4), "changed", 2.9, "2.9 sigma, within noise"),
        ((4.0, 0.3), (5.55, 0.4), "better", 3.1, "3.1 sigma"),
        ((4.0, 0.3), (2.0, 0.4), "worse", -4.0, "4 sigma"),
        ((4.0, None), (2.0, 0.4), "worse", None, "spread of the baseline unknown"),
        ((4.0, 0.4), (2.0, None), "worse", None, "uncertainty missing now"),
        ((4.0, 0.0), (2.0, 0.0), "worse", None, "spread unknown"),
        ((4.0, 0.0), (2.0, 0.5), "worse", -4.0, "4 sigma"),
    ],
)
def test_verdicts_with_uncertainties(before, after, verdict, sigmas, explanation):
    old, new = (Metric(name="m", value=v, uncertainty=u, direction=HIGHER) for v, u in (before, after))
    compared = compare_metric("m", old, new)
    assert (compared.verdict.value, compared.explanation) == (verdict, explanation)
    assert compared.sigmas == (None if sigmas is None else pytest.approx(sigmas))
    assert compared.within_noise is (verdict == "changed")


@pytest.mark.parametrize(
    ("before", "after", "verdict"),
    [
        (0.5, 0.9, "better"),
        (0.9, 0.5, "worse"),
        (0.5, 1.5, "changed"),
        (1.2, 0.9, "better"),
        (1.0, 1.0, "same"),
    ],
)
def test_verdicts_with_a_target(before, after, verdict):
    assert compare(before, after, direction=Direction.TARGET, target=1.0).verdict.value == verdict


@pytest.mark.parametrize(
    ("before", "after", "verdict"),
    [("fb", "pb", "not comparable"), ("", "pb", "better"), ("fb", "", "better")],
)
def test_units(before, after, verdict):
    old, new = Metric(name="m", value=1, unit=before), Metric(name="m", value=2, unit=after, direction=HIGHER)
    assert compare_metric("m", old, new).verdict.value == verdict


def test_the_baselines_direction_counts_where_this_commit_has_none():
    old, new = Metric(name="m", value=1, direction=LOWER), Metric(name="m", value=2)
    assert compare_metric("m", old, new).verdict is Verdict.WORSE


def test_new_and_missing():
    metric = Metric(name="m", value=1)
    assert compare_metric("m", None, metric).verdict is Verdict.NEW
    assert compare_metric("m", metric, None).verdict is Verdict.MISSING


@pytest.mark.parametrize(
    ("before", "after", "difference", "relative"),
    [(4.0, 5.0, 1.0, 0.25), (-4.0, -5.0, -1.0, -0.25), (0.0, 5.0, 5.0, None), (5e-324, 1e300, 1e300, None)],
)
def test_differences(before, after, difference, relative):
    compared = compare(before, after)
    assert (compared.difference, compared.relative) == (difference, relative)


values = st.floats() | st.integers() | st.booleans() | st.text(max_size=3)
metrics = st.builds(
    Metric,
    name=st.just("m"),
    value=values,
    uncertainty=st.none() | st.floats(min_value=0, allow_infinity=False),
    direction=st.sampled_from([Direction.NONE, HIGHER, LOWER]),
)
MIRRORED = {Verdict.BETTER: Verdict.WORSE, Verdict.WORSE: Verdict.BETTER}


@given(metrics)
def test_every_metric_is_the_same_as_itself(metric):
    assert compare_metric("m", metric, metric).verdict is Verdict.SAME


@given(metrics, metrics)
def test_figures_are_finite_and_mirror(before, after):
    there, back = compare_metric("m", before, after), compare_metric("m", after, before)
    for figure in (there.difference, there.relative, there.sigmas):
        assert figure is None or math.isfinite(figure)
    if there.difference is not None:
        assert back.difference == -there.difference
        if before.direction is after.direction:
            assert back.verdict is MIRRORED.get(there.verdict, there.verdict)
