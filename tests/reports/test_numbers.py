import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reana_bridge.reports.numbers import percent, show, show_pair, sigma, signed

S = "\u202f"
SIGMA = "\N{GREEK SMALL LETTER SIGMA}"


@pytest.mark.parametrize(
    ("value", "uncertainty", "shown"),
    [
        (4.2134, 0.1234, "4.21 ± 0.12"),
        (4.2, 0.0996, "4.20 ± 0.10"),
        (31.2, 0.25, "31.20 ± 0.25"),
        (812, 29.4, "812 ± 29"),
        (81234.0, 1234, f"81{S}200 ± 1200"),
        (0.0, 0.5, "0.00 ± 0.50"),
        (-0.001, 12, "0 ± 12"),
        (-4.2, 0.1, "-4.20 ± 0.10"),
        (4.213e-7, 1.2e-8, "(4.21 ± 0.12)e-07"),
        (4.213e9, 1.2e8, "(4.21 ± 0.12)e+09"),
        (1.0, 1e-30, "1 ± 1.0e-30"),
        (1, 0.0, "1"),
        (1.5, None, "1.5"),
        (1.5, math.inf, "1.5"),
        (1.0, None, "1"),
        (1.04211, None, "1.042"),
        (123.456, None, "123.5"),
        (123456.7, None, f"123{S}457"),
        (1234.0, None, "1234"),
        (12345, None, f"12{S}345"),
        (1e-7, None, "1e-07"),
        (1.23456e-7, None, "1.235e-07"),
        (0.00012345, None, "0.0001234"),
        (1e20, None, "1e+20"),
        (10**20 + 1, None, "1.00000000000000000e+20"),
        (0.0, None, "0"),
        (-0.0, None, "0"),
        (math.nan, None, "NaN"),
        (math.inf, 0.1, "inf"),
        (-math.inf, None, "-inf"),
        ("a text", None, "a text"),
        (True, None, "true"),
    ],
)
def test_show(value, uncertainty, shown):
    assert show(value, uncertainty) == shown


@pytest.mark.parametrize(
    ("before", "after", "shown"),
    [
        (1.04, 1.09, ("1.04", "1.09")),
        (1.0, 1.5, ("1.0", "1.5")),
        (1.0000012, 1.0000034, ("1.0000012", "1.0000034")),
        (0.52, 1e-7, ("0.52", "1e-07")),
        (1234.5678, 1234.5679, ("1234.5678", "1234.5679")),
        (812, 829, ("812", "829")),
        (0.1, 0.30000000000000004, ("0.1", "0.3")),
        (1, 1.25, ("1.00", "1.25")),
        (1.0, math.nan, ("1", "NaN")),
        (1.0, "x", ("1", "x")),
        (99.9, 100.2, ("99.9", "100.2")),
    ],
)
def test_show_pair(before, after, shown):
    assert show_pair(before, after) == shown


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        (0.7712, "+0.771"),
        (1.8499999999999979, "+1.85"),
        (0.050000000000000044, "+0.05"),
        (-3.0, "-3"),
        (12345.0, f"+12{S}345"),
        (1.5e-9, "+1.5e-09"),
        (0.0, "0"),
    ],
)
def test_signed(number, shown):
    assert signed(number) == shown


@pytest.mark.parametrize(
    ("fraction", "shown"),
    [
        (0.18312, "+18.3 %"),
        (0.0476, "+4.8 %"),
        (-0.00524, "-0.52 %"),
        (0.00012, "+0.012 %"),
        (1.234, "+123 %"),
        (12.34, "+1230 %"),
        (1234.5, f"+123{S}000 %"),
        (123456.0, "+1.23e+07 %"),
        (1e12, "+1.00e+14 %"),
        (1e-9, "+1.0e-07 %"),
        (0.0, "0 %"),
        (-1.0, "-100 %"),
    ],
)
def test_percent(fraction, shown):
    assert percent(fraction) == shown


@pytest.mark.parametrize(
    ("sigmas", "shown"),
    [
        (4.4123, "+4.4"),
        (-0.04, "-0.04"),
        (0.001, "0"),
        (123.4, "+123"),
        (99.96, "+100"),
        (-12.0, "-12.0"),
    ],
)
def test_sigma(sigmas, shown):
    assert sigma(sigmas) == f"{shown} {SIGMA}"


@given(st.floats(min_value=-1e308, max_value=1e308))
def test_a_shown_number_is_near_the_number(value):
    assert float(show(value).replace(S, "")) == pytest.approx(value, rel=6e-4, abs=1e-323)


@given(st.floats(allow_nan=False, allow_infinity=False), st.floats(min_value=0, allow_infinity=False))
def test_any_uncertainty_can_be_shown(value, uncertainty):
    assert len(show(value, uncertainty)) < 80


@given(*[st.floats(allow_nan=False, allow_infinity=False, width=32)] * 2)
def test_a_difference_stays_visible(before, after):
    first, second = show_pair(before, after)
    near = before == pytest.approx(after, rel=1e-14, abs=0)
    assert near or first != second


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_signs_are_ascii(number):
    for text in (signed(number), percent(number), sigma(number)):
        assert text.startswith(("+", "-", "0"))
        assert len(text) < 60
