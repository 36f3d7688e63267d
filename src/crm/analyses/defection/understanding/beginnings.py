"""With what did each customer begin? Department and channel of the first purchase day, and the cohort of joining."""

from __future__ import annotations

import datetime as dt

import narwhals as nw
import numpy as np
import pandas as pd

from crm.engine import Lazy, to_pandas
from crm.mart import Mart
from crm.periods import known_before

MOST_COHORTS = 8
"""More months than that are told by quarter, more quarters by year."""


def first_department(mart: Mart, as_of: dt.date) -> pd.Series[str] | None:
    """The department on which most was spent on the first purchase day, by customer_id; None without products."""
    if not mart.has("customer_category_days"):
        return None
    return _first(mart["customer_category_days"], as_of, name="department", amount="net_sales")


def first_channel(mart: Mart, as_of: dt.date) -> pd.Series[str] | None:
    """The channel of most orders of the first purchase day, by customer_id."""
    return _first(mart["customer_place_days"], as_of, name="channel", amount="orders")


def cohort(first_day: pd.Series[int]) -> pd.Series[str]:
    """When each of these lives began: by month ("2017-05"), by quarter ("2017-Q2") or by year, whichever is finest
    with at most eight of them."""
    began = pd.to_datetime(first_day, unit="D")
    months = pd.Series(began.dt.year * 12 + began.dt.month - 1, index=first_day.index)
    span = int(months.max() - months.min()) + 1 if len(months) else 1
    width = next((width for width in (1, 3) if span / width <= MOST_COHORTS), 12)
    return (months // width).map(lambda period: _name(int(period), width)).astype("str")


def _name(period: int, width: int) -> str:
    year, month = divmod(period * width, 12)
    return {1: f"{year}-{month + 1:02d}", 3: f"{year}-Q{month // 3 + 1}", 12: str(year)}[width]


def _first(days: Lazy, as_of: dt.date, *, name: str, amount: str) -> pd.Series[str]:
    """Of equal amounts, the first name in the alphabet."""
    known = known_before(days, as_of).with_columns(first=nw.col("day").min().over("customer_id"))
    sums = known.filter(nw.col("day") == nw.col("first")).group_by("customer_id", name).agg(nw.col(amount).sum())
    table = to_pandas(sums)
    table = table.assign(size=np.round(table[amount].astype("float64"), 4))
    table = table.sort_values(["customer_id", "size", name], ascending=[True, False, True])
    return table.drop_duplicates("customer_id").set_index("customer_id")[name].astype("str")
