"""How well two histograms agree: chi-squared with its chance, pulls, Kolmogorov and Smirnov's distance.

All of it takes the two for independent samples. Two runs over the same events share their fluctuations, so
that a chi-squared far below its degrees of freedom is what is to be expected of them.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """What the comparison of two histograms with the same bins came to.

    Attributes:
        chi2: Sum of the squared pulls.
        ndf: Bins that have an uncertainty.
        p_value: The chance of such a chi-squared or a larger one.
        unexplained: Bins that differ and have no uncertainty on either side.
        pull: The largest by size, with its sign; head above baseline is positive.
        where: The position of that bin among all bins, as an index of the flattened array.
        distance: Kolmogorov and Smirnov's, of shapes alone; None for more than one dimension.
        distance_p: Its chance, a hint only: it is too large for binned data.
    """

    chi2: float
    ndf: int
    p_value: float
    unexplained: int
    pull: float
    where: int
    distance: float | None = None
    distance_p: float | None = None


def agreement(baseline: Array, head: Array, baseline_variances: Array, head_variances: Array) -> Agreement:
    """The agreement of two histograms, bin by bin, overflows included.

    chi2 = sum of (h - b)^2 / (var h + var b) over the bins that have a variance: G. Cowan, Statistical Data
    Analysis (1998), 7.1, for two independent contents; normalisations are compared too, so no degree of
    freedom is lost.

    Args:
        baseline: Contents, of any number of dimensions.
        head: Contents, of the same shape.
        baseline_variances: Squares of the uncertainties of `baseline`.
        head_variances: Squares of the uncertainties of `head`.
    """
    spread = np.sqrt(baseline_variances + head_variances)
    known = spread > 0
    gap = np.where((baseline == head) | (np.isnan(baseline) & np.isnan(head)), 0.0, head - baseline)
    pulls = np.divide(gap, spread, out=np.zeros_like(gap), where=known)
    pulls = np.where(np.isnan(pulls), np.inf, pulls)
    chi2, ndf = float(np.sum(pulls**2)), int(np.sum(known))
    where = int(np.argmax(np.abs(pulls)))
    distance, chance = None, None
    if baseline.ndim == 1:
        distance, chance = _kolmogorov(baseline, head, baseline_variances, head_variances)
    return Agreement(
        chi2=chi2,
        ndf=ndf,
        p_value=chi2_p(chi2, ndf),
        unexplained=int(np.sum(~known & (gap != 0))),
        pull=float(pulls.flat[where]),
        where=where,
        distance=distance,
        distance_p=chance,
    )


def chi2_p(chi2: float, ndf: int) -> float:
    """The chance that chi-squared with `ndf` degrees of freedom is `chi2` or more.

    The finite series for whole degrees of freedom: M. Abramowitz and I. A. Stegun, Handbook of Mathematical
    Functions (1964), 26.4.4 and 26.4.5.
    """
    half = chi2 / 2
    if ndf <= 0 or half <= 0:
        return 1.0
    if math.isinf(half):
        return 0.0
    offset = 0.5 if ndf % 2 else 0.0
    powers = [k + offset for k in range(ndf // 2)]
    terms = (math.exp(a * math.log(half) - half - math.lgamma(a + 1)) for a in powers)
    return min(1.0, math.fsum([math.erfc(math.sqrt(half)) if offset else 0.0, *terms]))


def kolmogorov_p(z: float) -> float:
    """The chance that Kolmogorov's z = D sqrt(n m / (n + m)) is as large: 2 sum (-1)^(k-1) exp(-2 k^2 z^2).

    A. Kolmogorov (1933); W. H. Press et al., Numerical Recipes (3rd edition, 2007), 6.14.56; below 1.18 by
    its theta transform, 6.14.58, since that series is slow there.
    """
    if z <= 0.04:
        return 1.0
    if z < 1.18:
        first = math.exp(-(math.pi**2) / (8 * z * z))
        series = first + first**9 + first**25 + first**49
        return min(1.0, max(0.0, 1 - math.sqrt(2 * math.pi) / z * series))
    return 2 * sum((-1) ** (k - 1) * math.exp(-2 * (k * z) ** 2) for k in range(1, 5))


def _kolmogorov(baseline: Array, head: Array, *variances: Array) -> tuple[float | None, float | None]:
    """Distance of the cumulative shapes and its chance; the numbers of entries are the effective ones.

    n = (sum w)^2 / sum w^2: G. Bohm and G. Zech, Introduction to Statistics and Data Analysis for Physicists
    (3rd edition, 2017), 3.6.3.
    """
    sums = [float(np.sum(side)) for side in (baseline, head)]
    squares = [float(np.sum(side)) for side in variances]
    if not all(math.isfinite(each) and each > 0 for each in (*sums, *squares)):
        return None, None
    distance = float(np.max(np.abs(np.cumsum(baseline) / sums[0] - np.cumsum(head) / sums[1])))
    one, other = (total**2 / square for total, square in zip(sums, squares, strict=True))
    return distance, kolmogorov_p(distance * math.sqrt(one * other / (one + other)))


def ratios(baseline: Array, head: Array) -> Array:
    """The head over the baseline, NaN where the baseline is 0."""
    return np.divide(head, baseline, out=np.full_like(head, np.nan), where=baseline != 0)
