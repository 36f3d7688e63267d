"""Months in which campaigns ran: what was planned, what came, and how much of the difference did campaigns cause?"""

from __future__ import annotations

import datetime as dt

import narwhals as nw
import numpy as np
import pandas as pd

from crm.analyses.campaign_success.campaigns import Campaign, Campaigns
from crm.engine import to_pandas
from crm.facts import Facts
from crm.mart import open_mart
from crm.periods import date_of, day_number, known_before, last_full_month, month_number, month_start

METRICS = ("net_sales", "orders", "customers")
LATE = 3
"""Days by which trade may be recorded late in the first month, and it still counts as whole."""

COLUMNS = (
    "month", "metric", "campaigns", "planned", "actual", "variance", "variance_share",
    "caused", "caused_low", "caused_high", "variance_without", "campaigns_measured",
)  # fmt: skip
CAUSED = ("campaign_id", "month", "net_sales", "low", "high")


def against_plan(
    facts: Facts, as_of: dt.date, campaigns: Campaigns, caused: pd.DataFrame | None = None
) -> pd.DataFrame:
    """`COLUMNS`: one row per month with a campaign and metric with a target, the oldest first; empty without any.

    month:      its first day. Months that are not over by `as_of` are left out, as is a first that is not whole.
    campaigns:  those that ran in it, by name of the identifier.
    variance:   actual - planned; variance_share: of the planned, missing where that is 0.
    caused:     `CAUSED`, incremental net sales of a campaign in a month with 95 % interval. They are summed over the
                campaigns of the month, errors as independent; campaigns_measured says how many of them. It is of the
                metric net_sales alone, and missing where no effect of its campaigns is known.
    variance_without: what would be missing (or left) without the campaigns: variance - caused.
    """
    plan, actual = _targets(facts), _actual(facts, as_of)
    ran = _campaigns_by_month(campaigns)
    table = plan.merge(ran, on="number", how="inner").merge(actual, on=["number", "metric"], how="inner")
    table = table.merge(_caused_by_month(caused, campaigns), on=["number", "metric"], how="left")
    variance = table["actual"] - table["planned"]
    told = table.assign(
        variance=variance,
        variance_share=variance / table["planned"].where(table["planned"] > 0),
        variance_without=variance - table["caused"],
        campaigns_measured=table["campaigns_measured"].fillna(0).astype("int64"),
        month=[month_start(int(number)) for number in table["number"]],
        place=table["metric"].map({metric: place for place, metric in enumerate(METRICS)}),
    )
    return told.sort_values(["number", "place"], ignore_index=True)[list(COLUMNS)]


def over_months(
    campaign: Campaign, net_sales: float, low: float, high: float, *, days: int | None = None
) -> pd.DataFrame:
    """`CAUSED` of one campaign: an effect of its `days` from the first (all of its own without) laid over the months
    in proportion to their days."""
    ends = campaign.starts + (campaign.days if days is None else days)
    months = pd.Series([month_number(date_of(day)) for day in range(campaign.starts, ends)], dtype="int64")
    part = months.value_counts(normalize=True).sort_index()
    return pd.DataFrame(
        {
            "campaign_id": campaign.campaign_id,
            "month": [month_start(int(number)) for number in part.index],
            "net_sales": net_sales * part.to_numpy(),
            "low": low * part.to_numpy(),
            "high": high * part.to_numpy(),
        },
        columns=list(CAUSED),
    )


def _targets(facts: Facts) -> pd.DataFrame:
    """number (of the month), metric, planned; of two targets for a month the one for its earliest day."""
    if not facts.has("plan"):
        return pd.DataFrame({"number": pd.Series(dtype="int64"), "metric": pd.Series(dtype="str"), "planned": []})
    table = to_pandas(facts["plan"].select("period_start", "metric", "target")).dropna()
    moments = pd.to_datetime(table["period_start"])
    told = table.assign(number=(moments.dt.year * 12 + moments.dt.month - 1).astype("int64"), planned=table["target"])
    told = told[told["metric"].isin(METRICS)].sort_values(["number", "metric", "period_start"], kind="stable")
    return told.drop_duplicates(["number", "metric"])[["number", "metric", "planned"]]


def _actual(facts: Facts, as_of: dt.date) -> pd.DataFrame:
    """number, metric, actual of each whole month, those without a purchase among them."""
    days = known_before(open_mart(facts)["customer_days"], as_of)
    sums = days.group_by("month").agg(
        nw.col("net_sales").sum().round(2),
        nw.col("orders").sum().cast(nw.Int64),
        nw.col("customer_id").n_unique().alias("customers"),
    )
    first, last = date_of(facts.first_day), last_full_month(as_of)
    start = month_number(first) + (first.day - 1 > LATE)
    every = pd.RangeIndex(start, max(last + 1, start), name="number")
    table = to_pandas(sums).set_index("month").reindex(every).fillna(0.0)
    return table.reset_index().melt("number", list(METRICS), var_name="metric", value_name="actual")


def _campaigns_by_month(campaigns: Campaigns) -> pd.DataFrame:
    """number, campaigns: the months in which any ran, up to the as-of date."""
    known = day_number(campaigns.as_of)
    rows = [
        (number, chosen.campaign.campaign_id)
        for chosen in campaigns.chosen
        for number in range(
            month_number(chosen.campaign.first_date),
            month_number(date_of(min(chosen.campaign.ends, known) - 1)) + 1,
        )
    ]
    table = pd.DataFrame(rows, columns=["number", "campaigns"]).astype({"number": "int64", "campaigns": "str"})
    return table.groupby("number")[["campaigns"]].agg(", ".join).reset_index()


def _caused_by_month(caused: pd.DataFrame | None, campaigns: Campaigns) -> pd.DataFrame:
    """number, metric, caused with its interval, and of how many campaigns."""
    columns = ["number", "metric", "caused", "caused_low", "caused_high", "campaigns_measured"]
    kinds = dict(zip(columns, ["int64", "str", "float64", "float64", "float64", "float64"], strict=True))
    if caused is None or not len(caused):
        return pd.DataFrame(columns=columns).astype(kinds)
    known = {chosen.campaign.campaign_id for chosen in campaigns.chosen}
    table = caused[caused["campaign_id"].isin(known) & caused["net_sales"].notna()]
    number = pd.to_datetime(table["month"]).dt.year * 12 + pd.to_datetime(table["month"]).dt.month - 1
    told = table.assign(
        number=number.astype("int64"),
        below=(table["net_sales"] - table["low"]) ** 2,
        above=(table["high"] - table["net_sales"]) ** 2,
    )
    grouped = told.groupby("number")
    sums = (
        grouped[["net_sales"]]
        .sum()
        .assign(below=np.sqrt(grouped["below"].sum(min_count=1)), above=np.sqrt(grouped["above"].sum(min_count=1)))
    )
    sums = sums.assign(
        metric="net_sales",
        caused=sums["net_sales"],
        caused_low=sums["net_sales"] - sums["below"],
        caused_high=sums["net_sales"] + sums["above"],
        campaigns_measured=grouped["campaign_id"].nunique().astype("float64"),
    )
    return sums.reset_index()[columns].astype(kinds)


__all__ = ["CAUSED", "against_plan", "over_months"]
