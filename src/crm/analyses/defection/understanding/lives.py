"""How long customers stay: one life per customer from the first purchase, or one per contract from its start."""

from __future__ import annotations

import datetime as dt

import narwhals as nw
import numpy as np
import pandas as pd

from crm.analyses.defection.labels import Stake
from crm.engine import Lazy, to_pandas
from crm.facts import Facts
from crm.features.feature import whole
from crm.mart import open_mart
from crm.periods import date_of, day_number, known_before

OLDER_THAN_SEEN = 91
"""Days from the start of the history in which customers are first seen who may have been customers long before."""


def seen_until(facts: Facts, as_of: dt.date) -> dt.date:
    """The first day that is not known: `as_of`, or the day after the newest purchase if that is earlier."""
    return min(as_of, date_of(facts.last_day + 1))


def lives(facts: Facts, as_of: dt.date, stake: Stake) -> pd.DataFrame:
    """One row per life that could be watched: customer_id, first_day (day number of its start), days, left, joined
    (seen to begin: later than the first 91 days of the history), and purchases (purchase days in it) or plan.

    Silence: from the first purchase to the one that was followed by `after_days` days without any, for the first
    time: then the customer has left, even if back later, of which `returning` tells. Only what is known of every
    customer at such an age makes one leave, so that those who joined early and late can be compared. Who was never
    silent is watched until the last `after_days` began, since leaving later could not be seen; who bought first
    within these is not among them.
    Cancellation: from the start of a contract to its end, or to `as_of` where it still runs.
    """
    found = _silence(facts, as_of, stake) if stake.kind == "silence" else _contracts(facts, as_of)
    return found.assign(joined=found["first_day"] >= facts.first_day + OLDER_THAN_SEEN)


def gaps(days: Lazy) -> Lazy:
    """The days between consecutive purchase days: customer_id, day (the later one), gap."""
    before = nw.col("day").shift(1).over("customer_id", order_by="day")
    return days.select("customer_id", "day", gap=nw.col("day") - before).filter(~nw.col("gap").is_null())


def _silence(facts: Facts, as_of: dt.date, stake: Stake) -> pd.DataFrame:
    end = day_number(seen_until(facts, as_of))
    watched = end - stake.after_days
    known = known_before(open_mart(facts)["customer_days"], as_of).select("customer_id", "day")
    following = nw.col("day").shift(-1).over("customer_id", order_by="day").fill_null(end)
    last = nw.when(following - nw.col("day") > stake.after_days).then(nw.col("day"))
    days = known.with_columns(last=last).with_columns(last_day=nw.col("last").min().over("customer_id"))
    lived = nw.col("day") <= nw.col("last_day").fill_null(watched - 1)
    counted = days.group_by("customer_id").agg(
        nw.col("day").min().alias("first_day"),
        nw.col("last_day").min(),
        nw.when(lived).then(1).otherwise(0).sum().alias("purchases"),
    )
    counted = counted.filter(nw.col("first_day") < watched).with_columns(*whole("first_day", "purchases"))
    table = to_pandas(counted).sort_values("customer_id", ignore_index=True)
    left = table["last_day"].notna()
    until = table["last_day"].fillna(watched)
    return table.assign(
        left=left, days=(until - table["first_day"]).astype("int64"), purchases=table["purchases"] + ~left
    )[["customer_id", "first_day", "days", "left", "purchases"]]


def _contracts(facts: Facts, as_of: dt.date) -> pd.DataFrame:
    known = known_before(facts["subscriptions"], as_of)
    table = to_pandas(known.select("customer_id", "plan", "ended_day", first_day="day"))
    table = table.sort_values(["customer_id", "first_day"], ignore_index=True)
    end = day_number(as_of)
    ended = table["ended_day"].astype("float64").to_numpy()
    left = ended < end
    until = np.where(left, ended, end)
    return table.assign(left=left, days=(until - table["first_day"]).astype("int64"))[
        ["customer_id", "first_day", "days", "left", "plan"]
    ]
