"""A binned likelihood: signal of known shape on a background that falls exponentially.

The expectation in bin i is mu (1 + 0.05 theta) s_i + exp(a + c x_i). The signal strength mu is wanted; a, c
and theta (the 5 % uncertainty of the signal's efficiency, a unit Gaussian) are profiled. Limits and
significances follow from the asymptotic distributions of the test statistics.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import gammaincc, ndtr

SYSTEMATIC = 0.05
START = (1.0, 4.0, -0.5, 0.0)
FREE = 3  # parameters that no constraint holds
STEPS, TOLERANCE, TINY = 100, 1e-10, 1e-9


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
        """The best fit to `counts`; with `mu` given, of the other parameters alone.

        Fisher scoring: Newton's steps with the expected second derivatives, halved where they lead uphill.
        """
        free = np.array([mu is None, True, True, True])
        values = np.array(START if mu is None else (mu, *START[1:]))
        values[1] = np.log(np.mean(counts) + 0.5)
        here, gradient = self.minus_log_likelihood(values, counts)
        for _ in range(STEPS):
            step = np.zeros(4)
            step[free] = np.linalg.solve(self.information(values)[np.ix_(free, free)], gradient[free])
            gain = step @ gradient
            if gain < TOLERANCE:
                break
            there = self.minus_log_likelihood(values - step, counts)
            while there[0] > here and np.max(np.abs(step)) > TOLERANCE:
                step *= 0.5
                there = self.minus_log_likelihood(values - step, counts)
            values, (here, gradient) = values - step, there
        else:
            raise RuntimeError(f"the fit did not converge in {STEPS} steps; it is at {values}")
        covariance = np.zeros((4, 4))
        covariance[np.ix_(free, free)] = np.linalg.inv(self.information(values)[np.ix_(free, free)])
        return Fit(values, covariance, 2.0 * here)

    def minus_log_likelihood(self, values, counts):
        """-ln L up to a constant, and its slopes in the four parameters."""
        expected = np.maximum(sum(self.parts(values)), TINY)
        here = np.sum(expected - counts * np.log(expected)) + 0.5 * values[3] ** 2
        gradient = self.slopes(values) @ (1.0 - counts / expected)
        gradient[3] += values[3]
        return here, gradient

    def information(self, values):
        """The expected second derivatives of -ln L."""
        slopes = self.slopes(values)
        matrix = (slopes / np.maximum(sum(self.parts(values)), TINY)) @ slopes.T
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
        """Where the falling `function` of the signal strength is zero, by bisection."""
        low, high = 0.0, 1.0
        while function(high) > 0.0 and high < 1e6:
            low, high = high, 2.0 * high
        while high - low > 1e-7 * high:
            middle = 0.5 * (low + high)
            low, high = (middle, high) if function(middle) > 0.0 else (low, middle)
        return 0.5 * (low + high)
