"""Does the offer of the highest expected margin bring more than the likeliest one, and as much as was said?

On dates whose outcome is known every active customer is given both offers, by what was known then. What came is what
they bought of it within the horizon, at the margin rate and the value of a purchase of that date. Whoever takes the
highest of many numbers takes those that are too high by chance most often: what came, over what was said, tells.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from crm.analyses.cross_sell.panel import BoolArray, FloatArray
from crm.measures.resampling import LEVEL

BEST, LIKELIEST = "The item worth most", "The likeliest item"
OFFERED = ("best_said", "best_came", "likeliest_said", "likeliest_came", "other")
DRAWS, AT_ONCE = 4_000, 50
"""Draws of customers: with 1,000 the end of an interval moved by a tenth of what it is from the mean."""


@dataclass(frozen=True)
class JudgedOffers:
    """One offer to each active customer on judged dates: margin said and margin that came.

    table: one row for each way of choosing (`BEST`, `LIKELIEST`): offered, customers (of the newest date), said, came
           (a customer, mean over the dates), over (came over said) with low and high.
    more:  what the item worth most brought more than the likeliest one, of those to whom another was offered, an
           offer; low, high: 95 %, by bootstrap over customers, each with all their dates; others: how many customers
           that were.
    """

    table: pd.DataFrame = field(repr=False)
    more: float
    low: float
    high: float
    others: int

    def over(self, offered: str) -> dict[str, float]:
        """Came over said, and its interval."""
        row = self.table[self.table["offered"] == offered]
        return {name: float(row[name].iloc[0]) for name in ("over", "low", "high")}


def offers_of(
    customer_ids: npt.NDArray[Any], probability: FloatArray, relevant: BoolArray, each: FloatArray
) -> pd.DataFrame:
    """One row per customer to whom something is new: customer_id and `OFFERED`.

    probability: a row per customer, NaN where an item is not new.
    each: the margin of a purchase of each item; NaN of what is not offered.
    """
    probability = np.where(np.isfinite(each), probability, np.nan)
    some = np.isfinite(probability).any(axis=1)
    chance, came = probability[some], relevant[some]
    rows = np.arange(len(chance))
    likeliest = np.argmax(np.where(np.isfinite(chance), chance, -np.inf), axis=1)
    best = np.argmax(np.where(np.isfinite(chance), chance * each, -np.inf), axis=1)
    table = pd.DataFrame({"customer_id": pd.Series(customer_ids[some], dtype="str")})
    for name, at in (("best", best), ("likeliest", likeliest)):
        table[f"{name}_said"] = chance[rows, at] * each[at]
        table[f"{name}_came"] = came[rows, at] * each[at]
    return table.assign(other=best != likeliest)


def judge_offers(dates: Sequence[pd.DataFrame], *, seed: int) -> JudgedOffers | None:
    """Of the tables of `offers_of`, one for each date; None where nobody was offered anything worth something."""
    dates = [table for table in dates if len(table) and table["likeliest_said"].sum() > 0]
    if not dates:
        return None
    amounts = list(OFFERED[:4])
    gains = [((table["best_came"] - table["likeliest_came"]) * table["other"]).to_numpy() for table in dates]
    values = [np.column_stack([table[[*amounts, "other"]], gain]) for table, gain in zip(dates, gains, strict=True)]
    means = np.mean([one.mean(axis=0) for one in values], axis=0)
    drawn = drawn_means([table["customer_id"] for table in dates], values, seed=seed)
    rows = []
    for place, offered in ((0, BEST), (2, LIKELIEST)):
        low, high = _ends(drawn[:, place + 1] / np.maximum(drawn[:, place], 1e-12))
        rows.append(
            (offered, len(dates[0]), means[place], means[place + 1], means[place + 1] / means[place], low, high)
        )
    others, gain = means[4:]
    low, high = _ends(drawn[:, 5] / np.maximum(drawn[:, 4], 1e-12)) if others > 0 else (0.0, 0.0)
    return JudgedOffers(
        table=pd.DataFrame(rows, columns=["offered", "customers", "said", "came", "over", "low", "high"]),
        more=float(gain / others) if others > 0 else 0.0,
        low=low,
        high=high,
        others=pd.concat([table.loc[table["other"], "customer_id"] for table in dates]).nunique(),
    )


def drawn_means(
    customers: Sequence[pd.Series[str]], values: Sequence[FloatArray], *, seed: int, draws: int = DRAWS
) -> FloatArray:
    """Means over dates of the columns of `values` (a row per customer of a date), of so many draws of customers.

    A draw takes customers with replacement, each with all their dates, so that what a customer does on several dates
    is not taken for independent evidence.
    """
    codes, everybody = pd.factorize(np.concatenate([one.to_numpy(dtype=object) for one in customers]))
    places = np.split(codes, np.cumsum([len(one) for one in customers])[:-1])
    rng, found = np.random.default_rng(seed), []
    for start in range(0, draws, AT_ONCE):
        size = min(AT_ONCE, draws - start)
        drawn = rng.integers(0, len(everybody), (size, len(everybody)))
        weights = np.array([np.bincount(one, minlength=len(everybody)) for one in drawn], dtype="float64")
        parts = [
            weights[:, at] @ table / np.maximum(weights[:, at].sum(axis=1, keepdims=True), 1.0)
            for at, table in zip(places, values, strict=True)
        ]
        found.append(np.mean(parts, axis=0))
    return np.concatenate(found)


def _ends(drawn: FloatArray) -> tuple[float, float]:
    low, high = np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)
