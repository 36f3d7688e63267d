"""With what did each customer begin? The department and the channel of the first purchase day."""

from __future__ import annotations

import datetime as dt

import narwhals as nw
import pandas as pd

from crm.engine import Lazy, to_pandas
from crm.mart import Mart
from crm.periods import known_before


def first_departments(mart: Mart, as_of: dt.date) -> pd.Series[str] | None:
    """The department on which most was spent on the first purchase day, by customer_id; None without products."""
    if not mart.has("customer_category_days"):
        return None
    return _first(mart["customer_category_days"], as_of, name="department", amount="net_sales")


def first_channels(mart: Mart, as_of: dt.date) -> pd.Series[str] | None:
    """The channel of most orders of the first purchase day, by customer_id."""
    if not mart.has("customer_place_days"):
        return None
    return _first(mart["customer_place_days"], as_of, name="channel", amount="orders")


def _first(days: Lazy, as_of: dt.date, *, name: str, amount: str) -> pd.Series[str] | None:
    """Of equal amounts, the first name in the alphabet; None where all have one and the same."""
    known = known_before(days, as_of).with_columns(first=nw.col("day").min().over("customer_id"))
    sums = known.filter(nw.col("day") == nw.col("first")).group_by("customer_id", name).agg(nw.col(amount).sum())
    table = to_pandas(sums).sort_values(["customer_id", amount, name], ascending=[True, False, True])
    leading = table.drop_duplicates("customer_id").set_index("customer_id")[name]
    return leading.astype("str") if leading.nunique() > 1 else None
