"""Who came and who went: new, returning, won back and lapsed customers, month by month.

A customer is *active* on a date when they bought within the `active_within_days` before it. They *lapse* on the first
date on which they are no longer active, are *won back* by the next purchase after that, and are *new* with their
first. So, exactly: active at the end = active at the start + new + won back - lapsed.
"""

from __future__ import annotations

import datetime as dt

import narwhals as nw
import pandas as pd

from crm.engine import Lazy, to_pandas
from crm.mart import Mart
from crm.periods import day_number, known_before, month_start

EVENTS = ("new", "won_back", "lapsed")


def movement(mart: Mart, as_of: dt.date, *, months: pd.DataFrame, active_within_days: int) -> pd.DataFrame:
    """Who came and who went in each month of `months`.

    Columns: month, starts_at, active_at_start, new, won_back, lapsed, active_at_end, served, returning, settled.
    served: customers who bought in the month; returning: served, and neither new nor won back in it; settled: at its
    start the history was long enough to tell who is active (before that, everybody looks new).
    """
    events = events_by_day(mart, as_of, active_within_days=active_within_days)
    first_seen = int(events["day"].min())
    rows = []
    for month, customers in zip(months["month"].tolist(), months["customers"].tolist(), strict=True):
        # As-of dates at both ends; a purchase on day p makes active from p + 1 on, so it belongs to [start, end).
        start = day_number(month_start(month))
        end = min(day_number(month_start(month + 1)), day_number(as_of))
        counts = {name: _between(events, name, start=start, end=end) for name in EVENTS}
        rows.append(
            {
                "month": month,
                "starts_at": month_start(month),
                "active_at_start": _active(events, start),
                **counts,
                "active_at_end": _active(events, end),
                "served": customers,
                "settled": start - first_seen >= active_within_days,
            }
        )
    table = pd.DataFrame(rows)
    buyers = _buyers_by_month(mart, as_of, active_within_days=active_within_days)
    return table.merge(buyers, on="month", how="left").fillna({"returning": 0}).astype({"returning": "int64"})


def events_by_day(mart: Mart, as_of: dt.date, *, active_within_days: int) -> pd.DataFrame:
    """How many customers became new, won_back or lapsed by day, known before `as_of`: day, event, customers."""
    purchases = _purchases_with_neighbours(mart, as_of)
    last, day = day_number(as_of), nw.col("day").cast(nw.Int64)
    new = purchases.filter(nw.col("previous").is_null()).select(day, event=nw.lit("new"))
    back = purchases.filter(nw.col("day") - nw.col("previous") > active_within_days)
    back = back.select(day, event=nw.lit("won_back"))
    gone = purchases.with_columns(until=nw.col("next").fill_null(last))
    gone = gone.filter(nw.col("until") - nw.col("day") > active_within_days)
    gone = gone.select(day + active_within_days + 1, event=nw.lit("lapsed"))
    events = nw.concat([new, back, gone], how="vertical")
    counted = to_pandas(events.group_by("day", "event").agg(nw.len().alias("customers")))
    return counted.sort_values(["day", "event"], ignore_index=True)


def active_customers(events: pd.DataFrame, as_of: dt.date) -> int:
    """Customers active on a date, from the events before it."""
    return _active(events, day_number(as_of))


def _active(events: pd.DataFrame, day: int) -> int:
    came = events.loc[events["event"].isin(["new", "won_back"]) & (events["day"] < day), "customers"].sum()
    went = events.loc[(events["event"] == "lapsed") & (events["day"] <= day), "customers"].sum()
    return int(came - went)


def _between(events: pd.DataFrame, name: str, *, start: int, end: int) -> int:
    shift = 1 if name == "lapsed" else 0  # a lapse on day d is seen on the as-of date d, a purchase from d + 1 on
    days = events["day"]
    return int(
        events.loc[(events["event"] == name) & (days >= start + shift) & (days < end + shift), "customers"].sum()
    )


def _purchases_with_neighbours(mart: Mart, as_of: dt.date) -> Lazy:
    days = known_before(mart["customer_days"], as_of)
    return days.select(
        "customer_id",
        "day",
        "month",
        previous=nw.col("day").shift(1).over("customer_id", order_by="day"),
        next=nw.col("day").shift(-1).over("customer_id", order_by="day"),
    )


def _buyers_by_month(mart: Mart, as_of: dt.date, *, active_within_days: int) -> pd.DataFrame:
    """Per month, the customers served who were neither new nor won back in it."""
    purchases = _purchases_with_neighbours(mart, as_of)
    came = nw.col("previous").is_null() | (nw.col("day") - nw.col("previous") > active_within_days)
    marked = purchases.with_columns(came=nw.when(came).then(1).otherwise(0))
    customers = marked.group_by("month", "customer_id").agg(nw.col("came").max())
    returning = customers.filter(nw.col("came") == 0).group_by("month").agg(nw.len().alias("returning"))
    months = customers.group_by("month").agg(nw.len().alias("all")).join(returning, on="month", how="left")
    return to_pandas(months.select("month", nw.col("returning").fill_null(0).cast(nw.Int64)))
