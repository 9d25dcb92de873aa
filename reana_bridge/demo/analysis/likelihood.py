"""A binned likelihood: signal of known shape on a background that falls exponentially.

The expectation in bin i is mu (1 + 0.05 theta) s_i + exp(a + c x_i). The signal strength mu is wanted; a, c
and theta (the 5 % uncertainty of the signal's efficiency, a unit Gaussian) are profiled. Limits and
significances follow from the asymptotic distributions of the test statistics.
"""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq, minimize
from scipy.special import gammaincc, ndtr

SYSTEMATIC = 0.05
START = (1.0, 4.0, -0.5, 0.0)
FREE = 3  # parameters that no constraint holds


@dataclass
class Fit:
    """Best values of (mu, a, c, theta), their covariance, and -2 ln L there."""

    values: np.ndarray
    covariance: np.ndarray
    minimum: float


@dataclass
class Model:
    """Bin centres x (scaled to about -1 ... 1) and the signal expected in each bin for mu = 1."""

    x: np.ndarray
    signal: np.ndarray

    def parts(self, values):
        """The expected signal and background in each bin."""
        mu, a, c, theta = values
        return mu * (1.0 + SYSTEMATIC * theta) * self.signal, np.exp(a + c * self.x)

    def slopes(self, values):
        """How the expectation in each bin changes with each parameter."""
        mu, _, _, theta = values
        background = self.parts(values)[1]
        signal = [(1.0 + SYSTEMATIC * theta) * self.signal, mu * SYSTEMATIC * self.signal]
        return np.array([signal[0], background, background * self.x, signal[1]])

    def fit(self, counts, mu=None):
        """The best fit to `counts`; with `mu` given, of the other parameters alone."""
        free = np.array([mu is None, True, True, True])
        start = np.array(START) if mu is None else np.array([mu, *START[1:]])
        start[1] = np.log(np.mean(counts) + 0.5)

        def values_of(point):
            values = start.copy()
            values[free] = point
            return values

        def function(point):
            values = values_of(point)
            expected = np.maximum(sum(self.parts(values)), 1e-9)
            minimum = np.sum(expected - counts * np.log(expected)) + 0.5 * values[3] ** 2
            gradient = self.slopes(values) @ (1.0 - counts / expected)
            gradient[3] += values[3]
            return minimum, gradient[free]

        def curvature(point):
            values = values_of(point)
            return self.information(values, counts)[np.ix_(free, free)]

        options = {"gtol": 1e-7, "maxiter": 200}
        best = minimize(
            function, start[free], jac=True, hess=curvature, method="trust-exact", options=options
        )
        values = values_of(best.x)
        covariance = np.zeros((4, 4))
        covariance[np.ix_(free, free)] = np.linalg.inv(curvature(best.x))
        return Fit(values, covariance, 2.0 * best.fun)

    def information(self, values, counts):
        """The second derivatives of -ln L, without the (small) part that vanishes on average."""
        expected = np.maximum(sum(self.parts(values)), 1e-9)
        slopes = self.slopes(values)
        matrix = (slopes * counts / expected**2) @ slopes.T
        matrix[3, 3] += 1.0
        return matrix


class Tests:
    """Hypothesis tests on one spectrum."""

    def __init__(self, model, counts):
        self.model, self.counts = model, counts
        self.best = model.fit(counts)
        self.without = model.fit(counts, mu=0.0)
        # What would be seen, on average, if there were no signal.
        self.asimov = model.parts(self.without.values)[1]
        self.asimov_best = model.fit(self.asimov, mu=0.0)

    def significance(self):
        """How many standard deviations the spectrum is away from having no signal."""
        return np.sqrt(max(0.0, self.without.minimum - self.best.minimum)) if self.best.values[0] > 0 else 0.0

    def cls(self, mu):
        """CLs of the signal strength `mu`."""
        expected = np.sqrt(max(0.0, self.model.fit(self.asimov, mu).minimum - self.asimov_best.minimum))
        reference = self.best if self.best.values[0] > 0 else self.without
        excess = self.model.fit(self.counts, mu).minimum - reference.minimum
        observed = np.sqrt(max(0.0, excess)) if self.best.values[0] < mu else 0.0
        if observed <= expected:
            return ndtr(-observed) / ndtr(expected - observed)
        with_signal = (observed**2 + expected**2) / (2.0 * expected)
        without = (observed**2 - expected**2) / (2.0 * expected)
        return ndtr(-with_signal) / ndtr(-without)

    def limit(self, level=0.05):
        """The signal strength that is excluded at 95 % confidence level."""
        return self._crossing(lambda mu: self.cls(mu) - level)

    def expected_limit(self, level=0.05):
        """The median limit if there were no signal."""

        def cls(mu):
            return 2.0 * ndtr(
                -np.sqrt(max(0.0, self.model.fit(self.asimov, mu).minimum - self.asimov_best.minimum))
            )

        return self._crossing(lambda mu: cls(mu) - level)

    def goodness(self):
        """Twice the log of the likelihood ratio to the saturated model, degrees of freedom, p-value."""
        expected = sum(self.model.parts(self.best.values))
        ratio = np.where(self.counts > 0, self.counts * np.log(np.maximum(self.counts, 1) / expected), 0.0)
        chi2 = 2.0 * np.sum(expected - self.counts + ratio) + self.best.values[3] ** 2
        ndf = len(self.counts) - FREE
        return chi2, ndf, gammaincc(ndf / 2.0, chi2 / 2.0)

    def _crossing(self, function):
        upper = 1.0
        while function(upper) > 0.0 and upper < 1e6:
            upper *= 2.0
        return brentq(function, 1e-6, upper, xtol=1e-6)
