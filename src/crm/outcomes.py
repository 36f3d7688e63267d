"""Outcomes: what customers did after an as-of date. Labels only; never a feature."""

from __future__ import annotations

import narwhals as nw
import pandas as pd

from crm.engine import Lazy
from crm.features.feature import money_rounded, whole
from crm.mart import Mart
from crm.periods import AsOf, happened_within


def customer_outcomes(mart: Mart, as_of: AsOf, horizon_days: int) -> Lazy:
    """Purchase days and net sales in `[as_of, as_of + horizon_days)`, for customers who bought at all in it."""
    days = happened_within(mart["customer_days"], as_of, horizon_days)
    sums = days.group_by("customer_id").agg(
        nw.len().alias("purchase_days_next"), nw.col("net_sales").sum().alias("net_sales_next")
    )
    return sums.with_columns(*whole("purchase_days_next"), *money_rounded("net_sales_next"))


def active(snapshot: pd.DataFrame, *, within_days: int) -> pd.Series[bool]:
    """Did the customer buy within these days before the as-of date?"""
    return snapshot["days_since_last_purchase"] <= within_days


def defected(labelled: pd.DataFrame) -> pd.Series[bool]:
    """Did the customer buy nothing within the horizon? Of interest for active customers only."""
    return labelled["purchase_days_next"] == 0
