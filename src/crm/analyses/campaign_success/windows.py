"""What did each customer buy before, during and after a campaign?

Days are counted from the campaign's first day: a window `(-28, 0)` is the 28 days before it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field

import narwhals as nw
import numpy as np
import numpy.typing as npt
import pandas as pd

from crm.analyses.campaign_success.campaigns import Campaign, known_until
from crm.engine import to_pandas
from crm.facts import Facts
from crm.mart import open_mart
from crm.mart.rollups import MONEY_DECIMALS

FloatArray = npt.NDArray[np.float64]

BEFORE: Mapping[str, tuple[int, int]] = {"28": (-28, 0), "91": (-91, 0), "182": (-182, 0)}
"""Windows of the past by which customers are compared."""

OUTCOMES = ("bought", "purchase_days", "net_sales", "margin")
"""What is asked of a window, besides the response."""


@dataclass(frozen=True)
class Around:
    """Customers around a campaign, one row each, by customer_id.

    before:  what was known on its first day: `KNOWN`.
    during:  bought (0 or 1), purchase_days, net_sales, margin, from its first day to its last or the as-of date.
    after:   the same in the days after its last; of no meaning where `after_days` is 0.
    days_seen, after_days: how many days of each window lie before the as-of date.
    history: days from the first purchase of the data to the campaign's first day.
    """

    campaign: Campaign
    before: pd.DataFrame = field(repr=False)
    during: pd.DataFrame = field(repr=False)
    after: pd.DataFrame = field(repr=False)
    days_seen: int
    after_days: int
    history: int

    def rows_of(self, customer_ids: pd.Index[str] | pd.Series[str]) -> Around:
        """These customers in this order; who has never bought has zeros."""
        ids = pd.Index(customer_ids)
        before = self.before.reindex(ids)
        nothing = {name: 0.0 for name in before.columns if name not in ("days_since_last_purchase", "tenure")}
        long = {"days_since_last_purchase": float(self.history + 1), "tenure": 0.0}
        return Around(
            self.campaign,
            before.fillna({**nothing, **long}),
            self.during.reindex(ids).fillna(0.0),
            self.after.reindex(ids).fillna(0.0),
            self.days_seen,
            self.after_days,
            self.history,
        )


KNOWN = (
    "purchase_days_28",
    "purchase_days_91",
    "purchase_days_182",
    "net_sales_28",
    "net_sales_91",
    "net_sales_182",
    "net_sales_same",
    "purchase_days_same",
    "days_since_last_purchase",
    "tenure",
    "promotion_share",
)
"""What is known of a customer on a campaign's first day; `same`: in a window as long as the campaign, before it."""


def around(facts: Facts, campaign: Campaign, as_of: dt.date, *, after_days: int, until: int | None = None) -> Around:
    """Everyone who bought anything by then, before, during and after a campaign; nothing after `as_of` is read.

    until: the day number up to which is looked, where that is earlier than the as-of date.
    """
    known = known_until(facts, as_of)
    cut = min(known, until if until is not None else known)
    seen = max(min(cut, campaign.ends) - campaign.starts, 0)
    later = max(min(cut - campaign.ends, after_days), 0)
    windows = {
        **BEFORE,
        "same": (-campaign.days, 0),
        "during": (0, seen),
        "after": (campaign.days, campaign.days + later),
    }
    table = customer_windows(facts, campaign.starts, windows, until=cut).set_index("customer_id")
    before = table[table["days_since_last_purchase"].notna()]
    return Around(
        campaign,
        before[list(KNOWN)],
        _outcomes(table, "during"),
        _outcomes(table, "after"),
        seen,
        later,
        campaign.starts - facts.first_day,
    )


def customer_windows(
    facts: Facts, start: int, windows: Mapping[str, tuple[int, int]], *, until: int | None = None
) -> pd.DataFrame:
    """Per customer with a purchase before the last window ends: customer_id, then for each window purchase_days_…,
    net_sales_… and margin_…; and, as of `start`, days_since_last_purchase, tenure (days since the first purchase) and
    promotion_share (of the net sales of the last 182 days).

    windows: by name, in days from `start`, half open.     until: the day number from which on nothing is read.
    """
    rate = facts.settings.money.gross_margin
    days = open_mart(facts)["customer_days"].with_columns(
        since=nw.col("day").cast(nw.Int64) - start,
        margin=(nw.col("margin_known") + rate * nw.col("sales_margin_unknown")).round(MONEY_DECIMALS),
    )
    days = days.filter(nw.col("since") < max(0, *(last for _, last in windows.values())))
    if until is not None:
        days = days.filter(nw.col("day") < until)
    past, half_year = nw.col("since") < 0, (nw.col("since") < 0) & (nw.col("since") >= -182)
    told = days.with_columns(
        past_day=nw.when(past).then(nw.col("since")),
        promoted=nw.when(half_year).then(nw.col("sales_on_promotion")).otherwise(0.0),
        half=nw.when(half_year).then(nw.col("net_sales")).otherwise(0.0),
        **{
            f"{what}_{name}": nw.when((nw.col("since") >= first) & (nw.col("since") < last))
            .then(value)
            .otherwise(0.0)
            for name, (first, last) in windows.items()
            for what, value in _VALUES.items()
        },
    )
    sums = [f"{what}_{name}" for name in windows for what in _VALUES]
    gathered = told.group_by("customer_id").agg(
        nw.col("past_day").max().alias("newest"),
        nw.col("past_day").min().alias("oldest"),
        *(nw.col(name).sum().round(MONEY_DECIMALS) for name in ("promoted", "half", *sums)),
    )
    table = to_pandas(gathered.sort("customer_id"))
    spent = table["half"].clip(lower=0)
    return table.assign(
        days_since_last_purchase=-table["newest"].astype("float64"),
        tenure=-table["oldest"].astype("float64"),
        promotion_share=(table["promoted"] / spent.where(spent > 0)).clip(0, 1).fillna(0.0),
    ).drop(columns=["newest", "oldest", "promoted", "half"])


_VALUES = {"purchase_days": nw.lit(1.0), "net_sales": nw.col("net_sales"), "margin": nw.col("margin")}


def _within(first: int, last: int) -> nw.Expr:
    return (nw.col("since") >= first) & (nw.col("since") < last)


def _outcomes(table: pd.DataFrame, window: str) -> pd.DataFrame:
    counted = {what: table[f"{what}_{window}"] for what in ("purchase_days", "net_sales", "margin")}
    return pd.DataFrame({"bought": (counted["purchase_days"] > 0).astype("float64"), **counted})


__all__ = ["BEFORE", "KNOWN", "OUTCOMES", "Around", "around", "customer_windows"]
