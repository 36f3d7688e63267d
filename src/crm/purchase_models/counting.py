"""How often does a customer buy in the next days, who leaves after a purchase with a chance of their own?

Shared by BG/NBD, MBG/NBD and MBG/CNBD-k. For a customer who is still there at the as-of date

    stages pass at a rate ~ Gamma(shape + j, rate), a purchase at every k-th; j < k stages have passed since the last
    the chance to leave after a purchase ~ Beta(a, b)

with the chance w_j that j stages have passed. With q = h / (rate + h), the stages M passed within h days are negative
binomial, P(M >= m) = I_q(m, shape + j), and the n-th purchase needs nk - j of them and n - 1 purchases survived:

    P(N >= n | there) = B(a, b + n - 1) / B(a, b) * sum_j w_j I_q(nk - j, shape + j)

I is the regularised incomplete beta function. The expectation is the sum over n; nothing is approximated.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.special import betainc, gammaln

from crm.purchase_models.histories import FloatArray, IntArray

REMAINDER = 1e-10
"""The sum ends when what is left of it is below this share of it."""

NOISE = 1e-13
"""A tail below this is rounding."""

LEAST_LOGARITHM = -650.0
"""A chance whose logarithm is below this is too small for a floating-point number: it is carried as its logarithm."""

AT_ONCE = 2048


@dataclass(frozen=True, eq=False)
class Alive:
    """Customers given that they are still there: one entry each; `stages`, one row per stage j < k, sums to 1."""

    shape: FloatArray
    rate: FloatArray
    a: float
    b: FloatArray
    stages: FloatArray

    @property
    def k(self) -> int:
        """Stages to a purchase."""
        return len(self.stages)

    def take(self, places: IntArray) -> Alive:
        """The customers at these places."""
        return Alive(self.shape[places], self.rate[places], self.a, self.b[places], self.stages[:, places])

    def at_least(self, n: int, days: float) -> FloatArray:
        """P(N >= n) within `days`, n from 1."""
        q = days / (self.rate + days)
        j = np.arange(self.k)[:, None]
        passed = (self.stages * betainc(n * self.k - j, self.shape + j, q)).sum(axis=0)
        grown = gammaln(self.b + n - 1) - gammaln(self.b)
        survived = np.exp(grown - gammaln(self.a + self.b + n - 1) + gammaln(self.a + self.b))
        return np.asarray(survived * passed)

    def expected(self, days: float) -> FloatArray:
        """The expected number of purchases within `days`."""
        found = np.zeros(len(self.shape))
        if days <= 0:
            return found
        order = np.argsort(self._terms(days), kind="stable")
        for start in range(0, len(order), AT_ONCE):
            some = order[start : start + AT_ONCE]
            found[some] = _sum_of_tails(self.take(some), days)
        return found

    def _terms(self, days: float) -> FloatArray:
        """About how many terms the sum needs: its mean, and the exponential tail beyond it."""
        return np.asarray((self.shape + self.k) * days / self.rate + 30.0 / np.log1p(self.rate / days))


def _sum_of_tails(alive: Alive, days: float) -> FloatArray:
    """The sum over n of P(N >= n): one minus the chances of fewer stages, times that of having survived."""
    log_nothing = -(alive.shape + alive.k - 1) * np.log1p(days / alive.rate)
    chances = _plain_chances if log_nothing.min() > LEAST_LOGARITHM else _logged_chances
    of_stages = chances(alive, days)
    total, survived, tail = np.zeros(len(alive.shape)), np.ones(len(alive.shape)), np.ones(len(alive.shape))
    left = (alive.rate + days) / alive.rate / alive.k
    n = 1
    while True:
        for _ in range(alive.k):
            tail = tail - next(of_stages)
        np.maximum(tail, 0.0, out=tail)
        total += survived * tail
        if np.all(survived * tail * left <= REMAINDER * total + NOISE * left):
            return total
        survived = survived * (alive.b + n - 1) / (alive.a + alive.b + n - 1)
        n += 1


def _plain_chances(alive: Alive, days: float) -> Iterator[FloatArray]:
    """P(L stages since the last purchase), L = 0, 1, ..., each term from the one before."""
    q, shapes = days / (alive.rate + days), alive.shape + np.arange(alive.k)[:, None]
    terms = alive.stages * np.exp(-shapes * np.log1p(days / alive.rate))
    stages_passed = 0
    while True:
        within = terms[: stages_passed + 1]  # stage j can be the L-th only from L = j on
        yield within.sum(axis=0)
        passed = stages_passed - np.arange(len(within))[:, None]
        within *= q * (shapes[: len(within)] + passed) / (passed + 1)
        stages_passed += 1


def _logged_chances(alive: Alive, days: float) -> Iterator[FloatArray]:
    """The same where a chance is too small for a number: sums of logarithms."""
    log_q, shapes = -np.log1p(alive.rate / days), alive.shape + np.arange(alive.k)[:, None]
    with np.errstate(divide="ignore"):
        logs = np.log(alive.stages) - shapes * np.log1p(days / alive.rate)
    stages_passed = 0
    while True:
        within = logs[: stages_passed + 1]
        yield np.exp(within).sum(axis=0)
        passed = stages_passed - np.arange(len(within))[:, None]
        within += log_q + np.log((shapes[: len(within)] + passed) / (passed + 1))
        stages_passed += 1
