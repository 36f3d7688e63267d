"""What BG/NBD, MBG/NBD and MBG/CNBD-k have in common: a fitted model of customers who may leave after a purchase.

Each of them says two things of a history: the logarithms of the likelihood's two parts (has left with the last
purchase; is still there), and what a customer who is still there will do. Everything else follows.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import betaln, expit, gammaln

from crm.purchase_models.counting import Alive
from crm.purchase_models.histories import FloatArray, Grouped, Histories
from crm.purchase_models.model import counts_from_tails, per_customer, tails


@dataclass(frozen=True)
class GeometricModel(ABC):
    """A fitted model of customers who leave, if they do, right after a purchase."""

    name: str
    parameters: Mapping[str, float]
    log_likelihood: float

    @abstractmethod
    def parts(self, groups: Grouped) -> tuple[FloatArray, FloatArray]:
        """Logarithms of the likelihood's parts of one customer, per group: has left; is still there."""

    @abstractmethod
    def alive(self, groups: Grouped) -> Alive:
        """What the customers are like, given that they are still there."""

    def expected_purchases(self, histories: Histories, days: float) -> FloatArray:
        """See `PurchaseModel`."""
        return per_customer(histories, lambda groups: self._there(groups) * self.alive(groups).expected(days))

    def chance_of_no_purchase(self, histories: Histories, days: float) -> FloatArray:
        """See `PurchaseModel`."""
        return per_customer(
            histories, lambda groups: 1.0 - self._there(groups) * self.alive(groups).at_least(1, days)
        )

    def probability_alive(self, histories: Histories) -> FloatArray:
        """See `PurchaseModel`."""
        return per_customer(histories, self._there)

    def count_probabilities(self, histories: Histories, days: float, most: int) -> FloatArray:
        """See `PurchaseModel`."""

        def counts(groups: Grouped) -> FloatArray:
            there, alive = self._there(groups), self.alive(groups)
            return counts_from_tails(
                tails(len(groups), most, lambda n, some: there[some] * alive.take(some).at_least(n, days))
            )

        return per_customer(histories, counts)

    def as_record(self) -> dict[str, Any]:
        """See `PurchaseModel`."""
        return {"name": self.name, "parameters": dict(self.parameters), "log_likelihood": self.log_likelihood}

    def _there(self, groups: Grouped) -> FloatArray:
        left, there = self.parts(groups)
        return np.asarray(expit(there - left))


@dataclass(frozen=True)
class BgNbd(GeometricModel):
    """BG/NBD: purchases at random at a rate of one's own; a customer may leave after each repeat purchase.

    1. A customer who is there buys at random, at a rate ~ Gamma(r, alpha).
    2. After each repeat purchase, the first not included, the customer leaves with a chance ~ Beta(a, b).
    3. Rate and chance are independent of each other.

    One who has bought once has therefore never left: read `chance_of_no_purchase`, not `probability_alive`.

    Fader, Hardie & Lee (2005), "Counting Your Customers" the Easy Way, Marketing Science 24(2), equation 6.
    """

    def parts(self, groups: Grouped) -> tuple[FloatArray, FloatArray]:
        """See `GeometricModel`."""
        r, alpha, a, b = (self.parameters[name] for name in ("r", "alpha", "a", "b"))
        x = groups.frequency
        constant = gammaln(r + x) - gammaln(r) + r * np.log(alpha) - betaln(a, b)
        there = constant + betaln(a, b + x) - (r + x) * np.log(alpha + groups.T)
        again = np.maximum(x, 1)
        left = constant + betaln(a + 1, b + again - 1) - (r + x) * np.log(alpha + groups.recency)
        return np.where(x > 0, left, -np.inf), there

    def alive(self, groups: Grouped) -> Alive:
        """See `GeometricModel`."""
        p = self.parameters
        return Alive(
            p["r"] + groups.frequency, p["alpha"] + groups.T, p["a"], p["b"] + groups.frequency, _one(groups)
        )


@dataclass(frozen=True)
class MbgNbd(GeometricModel):
    """MBG/NBD: as BG/NBD, but a customer may leave after the first purchase too.

    Batislam, Denizel & Filiztekin (2007), Empirical validation and comparison of models for customer base analysis,
    International Journal of Research in Marketing 24(3); erratum by Wagner & Hoppe (2008), 25(3).
    """

    def parts(self, groups: Grouped) -> tuple[FloatArray, FloatArray]:
        """See `GeometricModel`."""
        r, alpha, a, b = (self.parameters[name] for name in ("r", "alpha", "a", "b"))
        x = groups.frequency
        constant = gammaln(r + x) - gammaln(r) + r * np.log(alpha) - betaln(a, b)
        there = constant + betaln(a, b + x + 1) - (r + x) * np.log(alpha + groups.T)
        left = constant + betaln(a + 1, b + x) - (r + x) * np.log(alpha + groups.recency)
        return left, there

    def alive(self, groups: Grouped) -> Alive:
        """See `GeometricModel`."""
        p, x = self.parameters, groups.frequency
        return Alive(p["r"] + x, p["alpha"] + groups.T, p["a"], p["b"] + x + 1, _one(groups))


def _one(groups: Grouped) -> FloatArray:
    """A purchase takes one stage, and none has passed."""
    return np.ones((1, len(groups)))
