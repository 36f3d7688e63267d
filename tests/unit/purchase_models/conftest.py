"""Customers made by the models' own assumptions, with what they did afterwards."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest

from crm.purchase_models.histories import Histories


@dataclass(frozen=True)
class Made:
    """Histories, and the purchases within the days that followed."""

    histories: Histories
    later: np.ndarray


def make_customers(
    customers: int, *, k: int, r: float, alpha: float, a: float, b: float, known: np.ndarray, days: float, seed: int
) -> Made:
    """MBG/CNBD-k told as a story: purchase after purchase, until a customer leaves or the days are over."""
    rng = np.random.default_rng(seed)
    rate = rng.gamma(r, 1 / alpha, customers)
    left_after = rng.geometric(rng.beta(a, b, customers)) - 1  # 0: right after the first purchase
    known = np.resize(known, customers).astype("float64")
    time, last = np.zeros(customers), np.zeros(customers)
    frequency, later, log_gaps = np.zeros(customers, dtype="int64"), np.zeros(customers), np.zeros(customers)
    going = np.flatnonzero(left_after > 0)
    number = 0
    while len(going):
        number += 1
        gap = rng.gamma(k, 1 / np.maximum(rate[going], 1e-300))
        time[going] += gap
        before = time[going] <= known[going]
        within = ~before & (time[going] <= known[going] + days)
        frequency[going[before]] += 1
        last[going[before]] = time[going[before]]
        log_gaps[going[before]] += np.log(gap[before])
        later[going[within]] += 1
        going = going[(before | within) & (left_after[going] > number)]
    mean_log_gap = np.divide(log_gaps, frequency, out=np.full(customers, np.nan), where=frequency > 0)
    return Made(Histories(frequency, last, known, mean_log_gap), later)


@pytest.fixture(scope="session")
def made() -> Callable[..., Made]:
    """See `make_customers`."""
    return make_customers


def histories_of(*rows: tuple[int, float, float]) -> Histories:
    """Frequency, recency and T, a row per customer; gaps all equal."""
    x, recency, known = (np.array(column, dtype="float64") for column in zip(*rows, strict=True))
    with np.errstate(divide="ignore", invalid="ignore"):
        return Histories(x.astype("int64"), recency, known, np.log(recency / x))


@pytest.fixture(scope="session")
def drawn() -> Callable[..., Histories]:
    """See `histories_of`."""
    return histories_of
