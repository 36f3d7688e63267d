"""Pareto/NBD: customers who buy at random, and may leave at any time.

1. A customer who is there buys at random, at a rate ~ Gamma(r, alpha).
2. The time until the customer leaves is exponential, at a rate ~ Gamma(s, beta).
3. The two rates are independent.

Schmittlein, Morrison & Colombo (1987), Counting Your Customers: Who Are They and What Will They Do Next?, Management
Science 33(1); derivations by Fader & Hardie (2005), A Note on Deriving the Pareto/NBD Model. With x repeat purchases,
the last at t_x, known for T, and A = r + x:

    L = G(A) / G(r) * alpha^r * beta^s * [ (alpha + T)^-A (beta + T)^-s                                  still there
                                          + s * int_{t_x}^{T} (alpha + y)^-A (beta + y)^-(s+1) dy ]        left at y

Who is still there buys at a rate ~ Gamma(A, alpha') and leaves at a rate ~ Gamma(s, beta'), alpha' = alpha + T and
beta' = beta + T, so that the n-th purchase within h days has the chance

    P(N >= n | there) = int_0^h G(A+n) / (G(A) G(n)) alpha'^A y^(n-1) (alpha' + y)^-(A+n) (1 + y / beta')^-s dy

and the expectation is A / alpha' * int_0^h (1 + y / beta')^-s dy. The integrals are computed as such: their
integrands are log-concave in the logarithm of time, and the closed form fails for heavy buyers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import expit, exprel, gammaln

from crm.purchase_models.histories import FloatArray, Grouped, Histories
from crm.purchase_models.log_concave import DEEP, log_integral
from crm.purchase_models.model import counts_from_tails, per_customer, tails

PARAMETERS = ("r", "alpha", "s", "beta")


def log_parts(groups: Grouped, r: float, alpha: float, s: float, beta: float) -> tuple[FloatArray, FloatArray]:
    """Logarithms of the likelihood's parts of one customer, per group: has left; is still there."""
    x = groups.frequency
    constant = gammaln(r + x) - gammaln(r) + r * np.log(alpha) + s * np.log(beta)
    there = constant - (r + x) * np.log(alpha + groups.T) - s * np.log(beta + groups.T)
    return constant + np.log(s) + _log_left(groups, r, alpha, s, beta), there


def _log_left(groups: Grouped, r: float, alpha: float, s: float, beta: float) -> FloatArray:
    """The logarithm of the integral over the day y of leaving, by the logarithm of y + min(alpha, beta)."""
    shape, least = r + groups.frequency, min(alpha, beta)
    first, second = alpha - least, beta - least

    def log_f(place: FloatArray) -> FloatArray:
        time = np.exp(place)
        return np.asarray(place - shape * np.log(first + time) - (s + 1) * np.log(second + time))

    def slope(place: FloatArray) -> FloatArray:
        time = np.exp(place)
        return np.asarray(1 - shape * time / (first + time) - (s + 1) * time / (second + time))

    return log_integral(log_f, slope, np.log(least + groups.recency), np.log(least + groups.T))


@dataclass(frozen=True)
class ParetoNbd:
    """A fitted Pareto/NBD; `parameters` holds r, alpha, s and beta."""

    parameters: Mapping[str, float]
    log_likelihood: float
    name: str = "Pareto/NBD"

    def probability_alive(self, histories: Histories) -> FloatArray:
        """See `PurchaseModel`."""
        return per_customer(histories, self._there)

    def expected_purchases(self, histories: Histories, days: float) -> FloatArray:
        """See `PurchaseModel`."""
        r, alpha, s, beta = self._values()

        def expected(groups: Grouped) -> FloatArray:
            rate, until = (r + groups.frequency) / (alpha + groups.T), beta + groups.T
            logs = np.log1p(days / until)
            return np.asarray(self._there(groups) * rate * until * logs * exprel(-(s - 1) * logs))

        return per_customer(histories, expected)

    def chance_of_no_purchase(self, histories: Histories, days: float) -> FloatArray:
        """See `PurchaseModel`."""
        return per_customer(histories, lambda groups: 1.0 - self._there(groups) * self._at_least(groups, 1, days))

    def count_probabilities(self, histories: Histories, days: float, most: int) -> FloatArray:
        """See `PurchaseModel`."""

        def counts(groups: Grouped) -> FloatArray:
            there = self._there(groups)
            return counts_from_tails(
                tails(len(groups), most, lambda n, some: there[some] * self._at_least(groups.take(some), n, days))
            )

        return per_customer(histories, counts)

    def as_record(self) -> dict[str, Any]:
        """See `PurchaseModel`."""
        return {"name": self.name, "parameters": dict(self.parameters), "log_likelihood": self.log_likelihood}

    def parts(self, groups: Grouped) -> tuple[FloatArray, FloatArray]:
        """Logarithms of the likelihood's parts of one customer, per group: has left; is still there."""
        return log_parts(groups, *self._values())

    def _values(self) -> tuple[float, float, float, float]:
        r, alpha, s, beta = (self.parameters[name] for name in PARAMETERS)
        return r, alpha, s, beta

    def _there(self, groups: Grouped) -> FloatArray:
        left, there = self.parts(groups)
        return np.asarray(expit(there - left))

    def _at_least(self, groups: Grouped, n: int, days: float) -> FloatArray:
        """P(N >= n | there) within `days`, by the logarithm of the time of the n-th purchase."""
        if days <= 0:
            return np.zeros(len(groups))
        r, alpha, s, beta = self._values()
        shape, rate, until = r + groups.frequency, alpha + groups.T, beta + groups.T

        def log_f(place: FloatArray) -> FloatArray:
            time = np.exp(place)
            return np.asarray(
                n * (place - np.log(rate + time)) - shape * np.log1p(time / rate) - s * np.log1p(time / until)
            )

        def slope(place: FloatArray) -> FloatArray:
            time = np.exp(place)
            return np.asarray(n - (shape + n) * time / (rate + time) - s * time / (until + time))

        high = np.full(len(groups), np.log(days))
        early = np.log(n / 4 * np.minimum(rate / (shape + n), until / s))  # before it, the slope is n/2 at least
        low = np.minimum(high, early) - 2 * DEEP / n - 1
        constant = gammaln(shape + n) - gammaln(shape) - gammaln(n)
        return np.asarray(np.exp(np.minimum(constant + log_integral(log_f, slope, low, high), 0.0)))
