"""MBG/CNBD-k: customers who buy more regularly than at random, and may leave after any purchase.

1. The gaps between a customer's purchase days are Erlang-k at the rate l: a purchase at every k-th of the stages,
   which pass at random. k = 1 is MBG/NBD; the larger k, the more regular. l ~ Gamma(r, alpha) over customers.
2. After each purchase, the first included, the customer leaves with the chance p ~ Beta(a, b) over customers.
3. l and p are independent; k is the same for all.

Platzer & Reutterer (2016), Ticking Away the Moments: Timing Regularity Helps to Better Predict Customer Activity,
Marketing Science 35(5). Of one customer with x repeat purchases, the last at t_x, known for T, and A = r + kx:

    L = C * [ B(a+1, b+x) / B(a, b) * G(A) / G(r) * alpha^r / (alpha + t_x)^A                             has left
            + B(a, b+x+1) / B(a, b) * G(A) / G(r) * alpha^r / (alpha + T)^A * sum_{j<k} c_j u^j ]         still there
    C = prod(gaps)^(k-1) / G(k)^x,   u = (T - t_x) / (alpha + T),   c_j = G(A + j) / (G(A) j!)

The j-th term of the sum belongs to j stages passed since the last purchase: c_j u^j over the sum is the chance of j,
given that the customer is still there; l is then Gamma(A + j, alpha + T) and p is Beta(a, b + x + 1). What
follows for the next days, exactly, is in `counting`. C needs the gaps only through the sum of their logarithms, and
matters only when one k is compared with another.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import minimize
from scipy.special import betaln, digamma, expit, gammaln

from crm.purchase_models.counting import Alive
from crm.purchase_models.geometric import GeometricModel
from crm.purchase_models.histories import FloatArray, Grouped, IntArray, weighted_sum

PARAMETERS = ("r", "alpha", "a", "b")
MOST_STAGES = 8


@dataclass(frozen=True)
class MbgCnbd(GeometricModel):
    """A fitted MBG/CNBD-k; `parameters` holds r, alpha, a, b and k."""

    @property
    def k(self) -> int:
        """How many stages make a purchase: 1 = at random, more = more regular."""
        return int(self.parameters["k"])

    def parts(self, groups: Grouped) -> tuple[FloatArray, FloatArray]:
        """See `GeometricModel`; without C, which both parts share."""
        r, alpha, a, b = (self.parameters[name] for name in PARAMETERS)
        x, shape = groups.frequency, r + self.k * groups.frequency
        constant = gammaln(shape) - gammaln(r) + r * np.log(alpha) - betaln(a, b)
        left = constant + betaln(a + 1, b + x) - shape * np.log(alpha + groups.recency)
        silent = np.log(_stage_terms(groups, alpha, shape, self.k).sum(axis=0))
        there = constant + betaln(a, b + x + 1) - shape * np.log(alpha + groups.T) + silent
        return left, there

    def alive(self, groups: Grouped) -> Alive:
        """See `GeometricModel`."""
        r, alpha, a, b = (self.parameters[name] for name in PARAMETERS)
        shape = r + self.k * groups.frequency
        terms = _stage_terms(groups, alpha, shape, self.k)
        return Alive(shape, alpha + groups.T, a, b + groups.frequency + 1, terms / terms.sum(axis=0))


def _stage_terms(groups: Grouped, alpha: float, shape: FloatArray, k: int) -> FloatArray:
    """c_j u^j, one row per j < k."""
    u = (groups.T - groups.recency) / (alpha + groups.T)
    terms = np.ones((k, len(u)))
    for j in range(1, k):
        terms[j] = terms[j - 1] * u * (shape + j - 1) / j
    return terms


def log_constant(groups: Grouped, k: int) -> float:
    """The sum of log C over customers."""
    return float((k - 1) * groups.log_gaps.sum() - gammaln(k) * (groups.weight * groups.frequency).sum())


class Likelihood:
    """The log-likelihood of the groups without C and its gradient, as a function of the logarithms of r, alpha, a, b.

    What depends on x, on t_x or on T alone is computed once for each of their distinct values.
    """

    def __init__(self, groups: Grouped, k: int) -> None:
        self.k, self.weight, self.silence = k, groups.weight, groups.T - groups.recency
        self.x, self.of_x = _distinct(groups.frequency)
        self.t_x, self.of_t_x = _distinct(groups.recency)
        self.T, self.of_T = _distinct(groups.T)
        self.per_x = np.bincount(self.of_x, weights=groups.weight).astype("float64")

    def __call__(self, logs: FloatArray) -> tuple[float, FloatArray]:
        """The log-likelihood and its derivatives by the four logarithms."""
        r, alpha, a, b = np.exp(logs)
        shape = (r + self.k * self.x)[self.of_x]
        total, by_shape, stages_passed = self._silent(alpha, shape)
        log_last, log_rate = np.log(alpha + self.t_x)[self.of_t_x], np.log(alpha + self.T)[self.of_T]
        left = (np.log(a) - np.log(b + self.x))[self.of_x] - shape * log_last
        there = np.log(total) - shape * log_rate
        # Both parts are divided by B(a, b+x+1), so that what is left of the beta functions depends on x alone.
        gone = self.weight * expit(left - there)
        stays = self.weight - gone
        value = self._of_x(r, alpha, a, b) + weighted_sum(self.weight, np.logaddexp(left, there))
        by_r = self._of_x_by_r(r, alpha) + weighted_sum(stays, by_shape - log_rate) - weighted_sum(gone, log_last)
        by_alpha = self.weight.sum() * r / alpha
        by_alpha -= weighted_sum(gone * shape, (1.0 / (alpha + self.t_x))[self.of_t_x])
        by_alpha -= weighted_sum(stays * (shape + stages_passed), (1.0 / (alpha + self.T))[self.of_T])
        by_a, by_b = self._of_x_by_a_and_b(a, b)
        gone_per_x = np.bincount(self.of_x, weights=gone).astype("float64")
        by_a += gone_per_x.sum() / a
        by_b -= weighted_sum(gone_per_x, 1.0 / (b + self.x))
        return float(value), np.array([by_r * r, by_alpha * alpha, by_a * a, by_b * b])

    def _silent(self, alpha: float, shape: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """sum_j c_j u^j; the derivative of its logarithm by A; and sum_j j c_j u^j over the sum."""
        if self.k == 1:
            return np.ones_like(shape), np.zeros_like(shape), np.zeros_like(shape)
        u = self.silence * (1.0 / (alpha + self.T))[self.of_T]
        term, total = np.ones_like(shape), np.ones_like(shape)
        harmonic, by_shape, counted = np.zeros_like(shape), np.zeros_like(shape), np.zeros_like(shape)
        for j in range(1, self.k):
            harmonic = harmonic + 1.0 / (shape + j - 1)
            term = term * u * (shape + j - 1) / j
            total += term
            by_shape += term * harmonic
            counted += j * term
        return total, by_shape / total, counted / total

    def _of_x(self, r: float, alpha: float, a: float, b: float) -> float:
        each = (
            gammaln(r + self.k * self.x) - gammaln(r) + r * np.log(alpha) + betaln(a, b + self.x + 1) - betaln(a, b)
        )
        return weighted_sum(self.per_x, each)

    def _of_x_by_r(self, r: float, alpha: float) -> float:
        return weighted_sum(self.per_x, digamma(r + self.k * self.x) - digamma(r) + np.log(alpha))

    def _of_x_by_a_and_b(self, a: float, b: float) -> tuple[float, float]:
        both = digamma(a + b) - digamma(a + b + self.x + 1)
        by_b = both + digamma(b + self.x + 1) - digamma(b)
        return weighted_sum(self.per_x, both), weighted_sum(self.per_x, by_b)


@dataclass(frozen=True)
class Maximum:
    """Where one climb ended: the logarithms of r, alpha, a, b, the log-likelihood with C, and whether it is a top."""

    logs: FloatArray
    log_likelihood: float
    is_top: bool


def climb(
    groups: Grouped,
    k: int,
    start: FloatArray,
    bounds: Sequence[tuple[float, float]],
    inverse_curvature: FloatArray | None = None,
) -> Maximum:
    """Up from `start` (logarithms) within the bounds (logarithms) to the highest log-likelihood.

    With the inverse of the curvature near the top, per customer, the top is a few steps away and needs no bounds.
    """
    likelihood, customers = Likelihood(groups, k), groups.customers

    def down(logs: FloatArray) -> tuple[float, FloatArray]:
        value, slope = likelihood(logs)
        return -value / customers, -slope / customers

    options: Any = {"maxiter": 500, "gtol": 1e-7}
    within: Any = {"method": "L-BFGS-B", "bounds": bounds, "options": {**options, "ftol": 1e-13}}
    if inverse_curvature is not None:
        within = {"method": "BFGS", "options": {**options, "hess_inv0": inverse_curvature}}
    end: Any = minimize(down, np.asarray(start, dtype="float64"), jac=True, **within)
    flat = float(np.abs(end.jac).max()) < FLAT
    return Maximum(end.x, -float(end.fun) * customers + log_constant(groups, k), bool(end.success or flat))


FLAT = 1e-4
"""A slope per customer below this is a top, whatever the climb itself says of it."""


def _distinct(values: FloatArray | IntArray) -> tuple[FloatArray, IntArray]:
    found, place = np.unique(values, return_inverse=True)
    return found.astype("float64"), place
