"""Small worlds for the tests of the prediction: lessons with a planted truth, foresights, companies of rows."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

import numpy as np
import pandas as pd

from crm.analyses.defection.foresight import Foresight
from crm.analyses.defection.learners import Lesson
from crm.analyses.defection.model import DefectionModel, fit_defection_model
from crm.facts import Facts

AS_OF = dt.date(2018, 1, 1)
SAMPLE = "customers = 1000\nseed = 5"

_fitted: dict[tuple[str, dt.date], DefectionModel] = {}


def model_of(facts: Facts, as_of: dt.date = AS_OF) -> DefectionModel:
    """The model of that date, fitted once for all files of a worker."""
    known = (facts.fingerprint, as_of)
    if known not in _fitted:
        _fitted[known] = fit_defection_model(facts, as_of)
    return _fitted[known]


def bought(rows: Iterable[tuple[str, int, float]], as_of: dt.date = AS_OF) -> pd.DataFrame:
    """Purchases from customer, days before the as-of date (below 1: on it or after it) and amount."""
    table = pd.DataFrame(rows, columns=["customer_id", "before", "net_amount"])
    table["ordered_at"] = pd.Timestamp(as_of) - pd.to_timedelta(table.pop("before"), unit="D") + pd.Timedelta(hours=9)
    return table.assign(order_id=[f"o{number}" for number in range(len(table))])


def regulars(customers: int, days: int, *, seed: int = 7, stop: float = 0.4) -> list[tuple[str, int, float]]:
    """Customers of different rhythm and purse, of whom that share stops early."""
    chance, rows = np.random.default_rng(seed), []
    for number in range(customers):
        gap, purse = chance.gamma(2, 8) + 2, chance.gamma(3, 10) + 1
        day = days - int(chance.integers(0, days // 3))
        last = int(chance.integers(1, days // 2)) if chance.random() < stop else 0
        while day > last:
            rows.append((f"c{number:03d}", day, round(float(chance.gamma(4, purse / 4)), 2)))
            day -= max(1, round(float(chance.gamma(2, gap / 2))))
    return rows


def comers_and_goers(customers: int, days: int, *, seed: int = 3) -> list[tuple[str, int, float]]:
    """As purchase models see customers: each with a rate of its own, gone for good after any purchase."""
    chance, rows = np.random.default_rng(seed), []
    for number in range(customers):
        gap, goes, purse = 1 / chance.gamma(1.5, 0.04), chance.beta(1, 12), chance.gamma(3, 10)
        day = float(days - chance.integers(0, days * 2 // 3))
        while day >= 1:
            rows.append((f"c{number:03d}", int(day), round(float(chance.gamma(4, purse / 4)) + 1, 2)))
            if chance.random() < goes:
                break
            day -= max(1.0, float(chance.exponential(gap)))
    return rows


def lesson(customers: int, *, date: dt.date = dt.date(2017, 9, 1), seed: int = 1, weight: float = 2.0) -> Lesson:
    """Four columns, of which `rate_change` alone tells who leaves: with `weight` 0 nothing does."""
    chance = np.random.default_rng(seed)
    change = chance.normal(size=customers)
    known = pd.DataFrame(
        {
            "net_sales_last": chance.gamma(2, 30, customers),
            "rate_change": change,
            "cases_last": chance.poisson(0.5, customers).astype("float64"),
            "price_change": np.where(chance.random(customers) < 0.3, np.nan, chance.normal(0, 0.1, customers)),
        }
    )
    odds = weight * change - 1.5
    return Lesson(date, known, (chance.random(customers) < 1 / (1 + np.exp(-odds))).astype("float64"))


def foresight(
    date: dt.date, left: np.ndarray, expected: dict[str, np.ndarray], *, year_ago: float = np.nan
) -> Foresight:
    """Customers c0, c1 ... of that date; what is told of `left` is told of `left_partly` as well."""
    people = pd.DataFrame(
        {
            "customer_id": [f"c{number}" for number in range(len(left))],
            "group": np.resize(["small", "middle", "large"], len(left)),
            "left": left > 0,
            "left_partly": left > 0,
        }
    )
    outcomes = ("left", "left_partly")
    return Foresight(
        date,
        customers=people,
        expected={outcome: pd.DataFrame(expected) for outcome in outcomes},
        year_ago=dict.fromkeys(outcomes, year_ago),
    )
