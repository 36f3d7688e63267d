"""Beside each customer who left, up to five similar ones who stayed.

Similar: at stake on the same date, in the same tenth of tenure (days since the first purchase) and of value (net
sales of the last 182 days), and in the same third of the mean gap between purchases, since who buys seldom is silent
more often without having left. On a date each who stayed stands beside one who left; which of them beside whom is by
lot, from the seed. On other dates the same customer may stand again, on either side.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

MOST_STAYERS = 5
"""Customers who stayed, beside one who left."""

TENTHS = 10
NO_GAP = 3
"""The class of those who bought on one day only; the others are in thirds."""


def match(occasions: pd.DataFrame, *, seed: int) -> pd.Series[int]:
    """The pair that each row belongs to: the number of the row of its leaver; -1 where it is in none.

    occasions: date, customer_id, T, net_sales_182d, first_day, last_day, purchase_days, left; one row per date and
    customer, index 0, 1, ...     Of n who left and s alike who stayed, each of the n gets min(5, s // n) of these, at
    random; where fewer stayed than left, as many of the leavers as there are stayers get one each, and the others are
    matched to nobody.
    """
    pair = np.full(len(occasions), -1, dtype="int64")
    if not len(occasions):
        return pd.Series(pair, index=occasions.index)
    date = pd.factorize(occasions["date"])[0]
    tenure, value = (_tenths(occasions[name], date) for name in ("T", "net_sales_182d"))
    cell = ((date * TENTHS + tenure) * TENTHS + value) * (NO_GAP + 1) + _third_of_gap(occasions, date)
    order = np.lexsort([np.random.default_rng(seed).random(len(occasions)), cell])
    left = occasions["left"].to_numpy(dtype="bool")
    for rows in np.split(order, np.flatnonzero(np.diff(cell[order])) + 1):
        gone, stays = rows[left[rows]], rows[~left[rows]]
        matched = min(len(gone), len(stays))
        if matched:
            each = min(MOST_STAYERS, len(stays) // matched)
            pair[gone[:matched]] = gone[:matched]
            pair[stays[: each * matched]] = np.tile(gone[:matched], each)
    return pd.Series(pair, index=occasions.index)


def _third_of_gap(occasions: pd.DataFrame, date: np.ndarray) -> np.ndarray:
    """0 to 2 within each date, `NO_GAP` for those without one."""
    gaps = occasions["purchase_days"] - 1
    gap = (occasions["last_day"] - occasions["first_day"]) / gaps.where(gaps > 0)
    rank = gap.groupby(date).rank(method="average", pct=True).to_numpy(dtype="float64", na_value=np.nan)
    return np.where(np.isnan(rank), NO_GAP, np.minimum((np.nan_to_num(rank) * 3).astype("int64"), 2))


def _tenths(values: pd.Series[float], date: np.ndarray) -> np.ndarray:
    """0 to 9 within each date; equal values are in the same tenth."""
    rank = values.astype("float64").groupby(date).rank(method="average", pct=True).to_numpy()
    return np.asarray(np.minimum((rank * TENTHS).astype("int64"), TENTHS - 1))
