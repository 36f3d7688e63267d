"""What a fitted purchase model can be asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import numpy as np

from crm.purchase_models.histories import FloatArray, Grouped, Histories, IntArray


class PurchaseModel(Protocol):
    """A fitted model of purchase days, in days.

    Every answer is an array with one entry (or row) per customer, in the order of the histories.
    """

    @property
    def name(self) -> str:
        """BG/NBD, MBG/NBD, Pareto/NBD or MBG/CNBD-k."""

    @property
    def parameters(self) -> Mapping[str, float]:
        """The estimates, in days, not scaled."""

    @property
    def log_likelihood(self) -> float:
        """Of the purchase days, with every constant: of two models, the higher one fits the same data better."""

    def expected_purchases(self, histories: Histories, days: float) -> FloatArray:
        """Purchase days expected in the next `days`, whether the customer is still there or not."""

    def chance_of_no_purchase(self, histories: Histories, days: float) -> FloatArray:
        """That nothing is bought in the next `days`: the customer has left, or is there and silent."""

    def probability_alive(self, histories: Histories) -> FloatArray:
        """That the customer has not left for good; under BG/NBD always 1 for one-time buyers."""

    def count_probabilities(self, histories: Histories, days: float, most: int) -> FloatArray:
        """P(n purchase days in the next `days`), n = 0 to most-1, and P(most or more) last; a row sums to 1."""

    def as_record(self) -> dict[str, Any]:
        """The model as plain numbers and words, fit for JSON."""


def per_customer(histories: Histories, answer: Callable[[Grouped], FloatArray]) -> FloatArray:
    """`answer` asked once per distinct history, a part of them at a time, and handed to every customer who has it."""
    found = []
    for start in range(0, max(len(histories), 1), CUSTOMERS_AT_ONCE):
        groups = histories.take(slice(start, start + CUSTOMERS_AT_ONCE)).grouped()
        found.append(np.concatenate([answer(part) for part in groups.parts()])[groups.place])
    return np.concatenate(found)


CUSTOMERS_AT_ONCE = 1_000_000


LEAST_TAIL = 1e-9
"""A chance to buy so often below which nothing more is reckoned: those who seldom buy need few terms."""


def tails(customers: int, most: int, at_least: Callable[[int, IntArray], FloatArray]) -> FloatArray:
    """P(N >= 1), ..., P(N >= most), a row per customer; 0 from where less than a billionth is left.

    at_least: P(N >= n) of the customers at these places, which falls with n.
    """
    found, left = np.zeros((customers, most)), np.arange(customers)
    for n in range(1, most + 1):
        chance = at_least(n, left)
        found[left, n - 1] = chance
        left = left[chance > LEAST_TAIL]
        if not len(left):
            break
    return found


def counts_from_tails(tails: FloatArray) -> FloatArray:
    """P(N = 0), ..., P(N = most-1), P(N >= most) from P(N >= 1), ..., P(N >= most): one row per customer."""
    whole = np.ones((len(tails), 1))
    falling = np.minimum.accumulate(np.hstack([whole, np.clip(tails, 0.0, 1.0)]), axis=1)
    return np.hstack([falling[:, :-1] - falling[:, 1:], falling[:, -1:]])
