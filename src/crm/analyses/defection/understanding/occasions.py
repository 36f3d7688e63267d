"""The dates on which leaving is looked at, and who was at stake on each."""

from __future__ import annotations

import datetime as dt

import narwhals as nw
import pandas as pd

from crm.analyses.defection.labels import Stake, at_stake, left, left_partly, usual_net_sales
from crm.analyses.defection.understanding.lives import seen_until
from crm.analyses.defection.understanding.when import wilson
from crm.engine import to_pandas
from crm.facts import Facts
from crm.features.feature import money_rounded, whole
from crm.mart import open_mart
from crm.periods import date_of, day_number, known_before

MOST_DATES = 13
"""Dates looked at: two years of horizons of 56 days."""

YEAR = 365

PARTIAL_COLUMNS = {
    "date": "object", "customers": "int64", "left": "int64", "left_share": "float64", "left_low": "float64",
    "left_high": "float64", "partly": "int64", "partly_share": "float64", "partly_low": "float64",
    "partly_high": "float64", "lost_with_left": "float64", "lost_with_partly": "float64",
}  # fmt: skip


def dates(facts: Facts, as_of: dt.date, stake: Stake) -> tuple[dt.date, ...]:
    """Dates a horizon apart, the newest first: each with a known horizon after it and one before, 13 at most."""
    newest = day_number(seen_until(facts, as_of)) - stake.after_days
    before = facts.first_day + max(stake.after_days, stake.active_within_days)
    days = [newest - step * stake.after_days for step in range(MOST_DATES)]
    return tuple(date_of(day) for day in days if day >= before)


def customers_on(facts: Facts, date: dt.date, stake: Stake) -> pd.DataFrame:
    """Who was at stake on a date, one row each, sorted by customer_id, with what followed within the horizon.

    customer_id, first_day, last_day, days_since_last_purchase, T (days since the first purchase), net_sales_182d,
    net_sales_365d, margin_365d, purchase_days_next, net_sales_next, usual (net sales per horizon), left, left_partly,
    date.
    """
    at, horizon = day_number(date), stake.after_days
    day, margin = nw.col("day"), facts.settings.money.gross_margin
    rows = known_before(open_mart(facts)["customer_days"], date_of(at + horizon)).with_columns(
        earned=nw.col("margin_known") + margin * nw.col("sales_margin_unknown")
    )

    def part(column: str, since: int, until: int = at) -> nw.Expr:
        return nw.when((day >= since) & (day < until)).then(nw.col(column)).otherwise(0.0)

    rows = rows.with_columns(
        known_day=nw.when(day < at).then(day),
        net_sales_182d=part("net_sales", at - 182),
        net_sales_365d=part("net_sales", at - YEAR),
        margin_365d=part("earned", at - YEAR),
        net_sales_next=part("net_sales", at, at + horizon),
        purchase_days_next=nw.when(day >= at).then(1).otherwise(0),
        purchase_days=nw.when(day < at).then(1).otherwise(0),
    )
    counts = ("purchase_days_next", "purchase_days")
    money = ("net_sales_182d", "net_sales_365d", "margin_365d", "net_sales_next")
    sums = rows.group_by("customer_id").agg(
        nw.col("known_day").min().alias("first_day"),
        nw.col("known_day").max().alias("last_day"),
        *(nw.col(name).sum() for name in counts),
        *(nw.col(name).sum() for name in money),
    )
    known = sums.filter(~nw.col("first_day").is_null()).with_columns(
        *whole(*counts, "first_day", "last_day"), *money_rounded(*money)
    )
    table = to_pandas(known).sort_values("customer_id", ignore_index=True)
    table = table.assign(days_since_last_purchase=at - table["last_day"], T=at - table["first_day"], date=date)
    table = table[at_stake(facts, date, table).to_numpy(dtype="bool")].reset_index(drop=True)
    return table.assign(
        usual=table["customer_id"].map(usual_net_sales(facts, date)).astype("float64").fillna(0.0),
        left=left(facts, date, table).astype("bool"),
        left_partly=left_partly(facts, date, table).astype("bool"),
    )


def still_gone(facts: Facts, as_of: dt.date, occasions: pd.DataFrame, stake: Stake) -> pd.Series[bool]:
    """Who left and had not come back by `as_of`? One entry per row; of a customer who left twice, the first time.

    Silence: nothing was bought from the date on. Cancellation: no contract is running on `as_of`.
    """
    if stake.kind == "silence":
        known = known_before(open_mart(facts)["customer_days"], as_of).group_by("customer_id")
        newest = to_pandas(known.agg(nw.col("day").max())).set_index("customer_id")["day"]
        gone = occasions["customer_id"].map(newest) == occasions["last_day"]
    else:
        gone = ~at_stake(facts, as_of, occasions)
    gone = gone & occasions["left"]
    again = occasions[gone].sort_values("date").duplicated("customer_id")
    return gone & ~again.reindex(occasions.index, fill_value=False)


def partial_beside_full(occasions: pd.DataFrame) -> pd.DataFrame:
    """How many left wholly and how many partly, and the money that went with them, date by date, the newest first.

    occasions: rows of `customers_on`. date, customers (at stake), left and partly (spend less than half of the usual,
    but something; a customer is one or the other), their shares of the customers with 95 % intervals (Wilson),
    lost_with_left and lost_with_partly: what they usually spend in a horizon, less what they spent in this one.
    """
    if occasions.empty:
        return pd.DataFrame(columns=list(PARTIAL_COLUMNS)).astype(PARTIAL_COLUMNS)
    lost = occasions["usual"] - occasions["net_sales_next"]
    partly = occasions["left_partly"] & ~occasions["left"]
    table = (
        occasions.assign(
            partly=partly, lost_with_left=lost.where(occasions["left"], 0.0), lost_with_partly=lost.where(partly, 0.0)
        )
        .groupby("date")
        .agg(
            customers=("left", "size"), left=("left", "sum"), partly=("partly", "sum"),
            lost_with_left=("lost_with_left", "sum"), lost_with_partly=("lost_with_partly", "sum"),
        )
        .sort_index(ascending=False)
        .reset_index()
    )  # fmt: skip
    for name in ("left", "partly"):
        low, high = wilson(table[name], table["customers"])
        table = table.assign(
            **{f"{name}_share": table[name] / table["customers"], f"{name}_low": low, f"{name}_high": high}
        )
    return table[list(PARTIAL_COLUMNS)].astype(PARTIAL_COLUMNS)
