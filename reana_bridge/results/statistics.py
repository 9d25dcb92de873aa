"""The formulas behind verdicts: tail probabilities, spreads, tests against a sample, many tests at once.

Pure Python on plain floats: what a server needs of statistics is small, and the large libraries stay out of
it. Every formula names its source. A change of what one of them computes is a new version of the tests that
use it, see `significance.VERSIONS`.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from statistics import NormalDist, median

ROUNDING = 1e-9
"""Relative difference up to which two floats are the same."""

MAD_TO_SIGMA = 1.4826022185056018
"""1 / Phi^-1(3/4): a normal distribution's standard deviation in units of its median absolute deviation."""
IQR_TO_SIGMA = 0.7413011092528009
"""1 / (2 Phi^-1(3/4)): the same in units of its interquartile range."""
ROBUST_FREEDOM = 0.35
"""Degrees of freedom that one value gives a robust spread; for the usual one it is 1.

Just below 0.367, the efficiency of the median absolute deviation at a normal distribution (P. J. Rousseeuw
and C. Croux, J. Am. Stat. Assoc. 88 (1993) 1273), so that a few values do not promise too much.
"""

_STANDARD = NormalDist()
_TINY = 1e-300


def normal_p(z: float) -> float:
    """The probability that a standard normal number is as far from 0 as `z`, on either side.

    erfc(|z| / sqrt 2): M. Abramowitz and I. A. Stegun, Handbook of Mathematical Functions (1964), 26.2.29.
    """
    return math.erfc(abs(z) / math.sqrt(2))


def normal_limit(p: float) -> float:
    """The z > 0 with `normal_p(z) == p`, for 0 < p < 1."""
    return -_STANDARD.inv_cdf(p / 2)


def student_p(t: float, freedom: float) -> float:
    """The probability that Student's t is as far from 0 as `t`, on either side.

    I_x(f/2, 1/2) with x = f / (f + t^2): Abramowitz and Stegun, 26.5.27 and 26.7.1.

    Args:
        t: The statistic; not NaN.
        freedom: Degrees of freedom f, above 0; need not be whole.
    """
    square = t * t
    if math.isinf(square):
        return 0.0
    return _incomplete_beta(freedom / 2, 0.5, freedom / (freedom + square), square / (freedom + square))


@lru_cache(maxsize=4096)
def student_limit(p: float, freedom: float) -> float:
    """The t > 0 with `student_p(t, freedom) == p`, for 0 < p < 1, by bisection to the last digits."""
    low, high = 0.0, 1.0
    while student_p(high, freedom) > p:
        low, high = high, 2 * high
    while high - low > 1e-14 * high:
        middle = (low + high) / 2
        low, high = (middle, high) if student_p(middle, freedom) > p else (low, middle)
    return (low + high) / 2


def _incomplete_beta(a: float, b: float, x: float, y: float) -> float:
    """The regularised incomplete beta function I_x(a, b), with y = 1 - x given for its digits."""
    if x <= 0 or y <= 0:
        return 0.0 if x <= 0 else 1.0
    front = math.exp(_log_beta(a, b) + a * math.log(x) + b * math.log(y))
    if x < (a + 1) / (a + b + 2):
        return front * _beta_fraction(a, b, x) / a
    return 1 - front * _beta_fraction(b, a, y) / b


@lru_cache(maxsize=4096)
def _log_beta(a: float, b: float) -> float:
    return math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b)


def _beta_fraction(a: float, b: float, x: float) -> float:
    """The continued fraction of I_x(a, b), by Lentz's method.

    Abramowitz and Stegun, 26.5.8; W. H. Press et al., Numerical Recipes (3rd edition, 2007), 6.4.
    """
    c, d = 1.0, 1 / (1 - (a + b) * x / (a + 1) or _TINY)
    fraction = d
    for m in range(1, 1000):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        d = 1 / (1 + even * d or _TINY)
        c = 1 + even / c or _TINY
        fraction *= c * d
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        d = 1 / (1 + odd * d or _TINY)
        c = 1 + odd / c or _TINY
        step = c * d
        fraction *= step
        if abs(step - 1) < 1e-15:
            break
    return fraction


def difference_sigma(one: float, other: float, correlation: float = 0.0) -> float:
    """The standard deviation of a difference: sqrt(u^2 + v^2 - 2 rho u v).

    Written as hypot(u - v, sqrt(2 (1 - rho) u v)), which is never the root of a negative number.
    JCGM 100:2008 (GUM), 5.2.2, equation 16.

    Args:
        one: u, not negative.
        other: v, not negative.
        correlation: rho, from -1 to 1; 0 for independent samples.
    """
    if not correlation:
        return math.hypot(one, other)
    return math.hypot(one - other, math.sqrt(2 * (1 - correlation)) * math.sqrt(one) * math.sqrt(other))


@dataclass(frozen=True)
class Tested:
    """How far a value lies from a sample.

    Attributes:
        statistic: In units of the test; None where the sample never moved, its spread is 0 all the same, or
            nothing finite comes out.
        p_value: Two-sided; None where there is no statistic.
        centre: The sample's mean or median.
        constant: Whether the sample never moved, so that any other value is new.
    """

    statistic: float | None
    p_value: float | None
    centre: float
    constant: bool = False


def same(one: float, other: float) -> bool:
    """Whether two finite numbers are the same within rounding."""
    return abs(one - other) <= ROUNDING * max(abs(one), abs(other))


def is_constant(sample: Sequence[float]) -> bool:
    """Whether the values are all the same within rounding."""
    return same(min(sample), max(sample))


def mean(sample: Sequence[float]) -> float:
    """The arithmetic mean; an infinity where the sum is no number."""
    try:
        return math.fsum(sample) / len(sample)
    except OverflowError:
        return math.inf


def deviation(sample: Sequence[float], centre: float) -> float:
    """The sample's standard deviation about its mean `centre`, with n - 1; for two values or more."""
    return math.dist(sample, [centre] * len(sample)) / math.sqrt(len(sample) - 1)


def quartiles(sample: Sequence[float]) -> tuple[float, float]:
    """The first and the third quartile, linear between the values.

    Definition 7 of R. J. Hyndman and Y. Fan, Am. Stat. 50 (1996) 361, as numpy and R have it.
    """
    ordered = sorted(sample)
    return _quantile(ordered, 0.25), _quantile(ordered, 0.75)


def _quantile(ordered: Sequence[float], share: float) -> float:
    place = share * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])


def t_test(value: float, sample: Sequence[float]) -> Tested:
    """Whether one more value fits a normal sample.

    t = (x - m) / (s sqrt(1 + 1/n)) with n - 1 degrees of freedom: the prediction interval of G. J. Hahn and
    W. Q. Meeker, Statistical Intervals (1991), chapter 4. It allows for mean and spread being known from n
    values only.
    """
    centre, size = mean(sample), len(sample)
    widened = deviation(sample, centre) * math.sqrt(1 + 1 / size)
    return _tested(value, sample, centre, widened, lambda t: student_p(t, size - 1))


def z_test(value: float, sample: Sequence[float]) -> Tested:
    """How many standard deviations off the mean: z = (x - m) / s, as if m and s were known exactly."""
    centre = mean(sample)
    return _tested(value, sample, centre, deviation(sample, centre), normal_p)


def mad_test(value: float, sample: Sequence[float]) -> Tested:
    """As `t_test`, about the median, with the median absolute deviation: half of the sample may be outliers.

    s = 1.4826 MAD (F. R. Hampel, J. Am. Stat. Assoc. 69 (1974) 383); see `_robust`.
    """
    centre = median(sample)
    spread = MAD_TO_SIGMA * median([abs(one - centre) for one in sample])
    return _robust(value, sample, centre, spread)


def iqr_test(value: float, sample: Sequence[float]) -> Tested:
    """As `t_test`, about the median, with the interquartile range: a quarter of the sample may be outliers.

    s = 0.7413 IQR (P. J. Rousseeuw and C. Croux, J. Am. Stat. Assoc. 88 (1993) 1273); see `_robust`.
    """
    first, third = quartiles(sample)
    return _robust(value, sample, median(sample), IQR_TO_SIGMA * (third - first))


def _robust(value: float, sample: Sequence[float], centre: float, spread: float) -> Tested:
    """A robust spread with Student's tails.

    t = (x - median) / (s sqrt(1 + pi / 2n)), since the median's variance is pi/2 times the mean's, with
    `ROBUST_FREEDOM` (n - 1) degrees of freedom: with normal tails a sample of 8 would raise twenty times
    the alarms that it promises.
    """
    size = len(sample)
    freedom = ROBUST_FREEDOM * (size - 1)
    widened = spread * math.sqrt(1 + math.pi / (2 * size))
    return _tested(value, sample, centre, widened, lambda t: student_p(t, freedom))


def _tested(
    value: float, sample: Sequence[float], centre: float, spread: float, tail: Callable[[float], float]
) -> Tested:
    if is_constant(sample):
        return Tested(None, None, centre, constant=True)
    statistic = (value - centre) / spread if 0 < spread < math.inf else math.nan
    if not math.isfinite(statistic):
        return Tested(None, None, centre)
    return Tested(statistic, tail(statistic), centre)


def benjamini_hochberg(p_values: Sequence[float], share: float, *, tests: int | None = None) -> float:
    """The largest p-value that stands when many tests are made: all up to it are rejected.

    Of the ordered p_1 <= p_2 <= ..., the largest p_k with p_k <= k q / m; among what is rejected so, at most
    q is false on average, for tests that are independent or positively dependent.
    Y. Benjamini and Y. Hochberg, J. R. Stat. Soc. B 57 (1995) 289; Y. Benjamini and D. Yekutieli,
    Ann. Stat. 29 (2001) 1165.

    Args:
        p_values: In any order.
        share: q, the largest share of false alarms.
        tests: m, where more tests were made than there are p-values here (those that found nothing).

    Returns:
        -1 where none stands.
    """
    count = len(p_values) if tests is None else tests
    ordered = enumerate(sorted(p_values), 1)
    return max((p for rank, p in ordered if p <= rank * share / count), default=-1.0)
