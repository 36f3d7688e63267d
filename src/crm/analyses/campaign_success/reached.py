"""Whom did each campaign reach, who answered, what did they buy, and what did it cost?

It describes, and says nothing of what a campaign caused: whoever was contacted would have bought something anyway.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import numpy as np
import pandas as pd

from crm.analyses.campaign_success.campaigns import CONTACTED, HELD_OUT, TREATED, Campaign, Campaigns, Chosen
from crm.analyses.campaign_success.windows import Around
from crm.errors import NotEnoughData
from crm.facts import Facts
from crm.headline import FEWEST_SHOWN
from crm.measures.chances import wilson
from crm.periods import day_number
from crm.snapshots import snapshot

AroundOf = Callable[[Campaign], Around]
"""What customers bought around a campaign: whoever calls keeps it, as several ask for the same."""

POOLED = f"fewer than {FEWEST_SHOWN}"
NOT_KNOWN = "(unknown)"

TIERS: tuple[tuple[str, float], ...] = (
    ("best 10 %", 0.10),
    ("next 20 %", 0.30),
    ("next 30 %", 0.60),
    ("other 40 %", 1.00),
)
NO_SALES = "none in half a year"
LEAST_HISTORY = 91
"""Tiers of net sales in the 182 days before the campaign, and whoever bought nothing in them."""

COST_STATED, COST_OF_CHANNEL, COST_UNKNOWN = "stated", "assumed: its channel's in [money]", "not known"

REACHED = (
    "campaign_id", "name", "kind", "channel", "first_date", "last_date", "running", "targeted", "held_out",
    "contacted", "reached", "responded", "response_rate", "low", "high", "uninvited",
    "days_during", "net_sales_during", "margin_during", "net_sales_each_during", "margin_each_during",
    "days_after", "net_sales_after", "margin_after", "net_sales_each_after", "margin_each_after",
    "cost", "cost_is",
)  # fmt: skip

GROUPS = ("campaign_id", "customer_id", "segment", "value_tier", "department", "channel")
BY = {"segment": "segment", "value_tier": "value tier", "department": "main department", "channel": "main channel"}
BY_GROUP = ("by", "group", "contacted", "responded", "response_rate", "low", "high")


def reached(
    campaigns: Campaigns, facts: Facts, as_of: dt.date, *, after_days: int, around_of: AroundOf
) -> pd.DataFrame:
    """One row per campaign, the oldest first: `REACHED`.

    targeted:  everybody it chose; of them held_out were left alone and contacted were not. reached: of the contacted,
               those whose contact has a date, or all where none has.
    responded: contacted customers who answered within the campaign, with Wilson's interval of 95 % around
               response_rate; missing where the source has no table of responses. uninvited: others who answered.
    ..._during, ..._after: net sales and margin of the contacted, in all and each, in the days_during from the first
               day to the last (or to the as-of date) and in the days_after, at most `after_days`, that follow; only
               days within the data count, and where there is none it is missing. They do not say what was caused.
    cost:      contacted times the cost of a contact, missing where that is not known; cost_is says which it is.
    """
    rows = [_row(chosen, as_of, after_days, around_of) for chosen in campaigns.chosen]
    table = pd.DataFrame(rows, columns=[name for name in REACHED if name not in ("response_rate", "low", "high")])
    counted = table.assign(responded=_number(table["responded"], facts), uninvited=_number(table["uninvited"], facts))
    return _with_rate(counted)[list(REACHED)]


def _row(chosen: Chosen, as_of: dt.date, after_days: int, around_of: AroundOf) -> dict[str, object]:
    campaign, customers = chosen.campaign, chosen.customers
    contacted = customers[customers["arm"] != HELD_OUT]
    bought = around_of(campaign).rows_of(contacted["customer_id"])
    unseen = max(-bought.history, 0)
    days = max(bought.days_seen - unseen, 0)
    days_after = max(min(bought.after_days, after_days) - max(unseen - campaign.days, 0), 0)
    return {
        "campaign_id": campaign.campaign_id,
        "name": campaign.name,
        "kind": campaign.kind,
        "channel": campaign.channel,
        "first_date": campaign.first_date,
        "last_date": campaign.last_date,
        "running": campaign.ends > day_number(as_of),
        "targeted": len(customers),
        "held_out": chosen.in_arm(HELD_OUT),
        "contacted": len(contacted),
        "reached": int(contacted["reached"].sum()),
        "responded": int(contacted["responded"].notna().sum()),
        "uninvited": chosen.uninvited,
        **_money(bought.during, days, "during"),
        **_money(bought.after, days_after, "after"),
        "cost": len(contacted) * campaign.contact_cost,
        "cost_is": _cost_is(campaign),
    }


def _money(bought: pd.DataFrame, days: int, window: str) -> dict[str, float]:
    """The sums over all, and each; of a window that has not begun there is nothing to say."""
    told: dict[str, float] = {f"days_{window}": days}
    for name in ("net_sales", "margin"):
        told[f"{name}_{window}"] = round(float(bought[name].sum()), 2) if days else np.nan
        told[f"{name}_each_{window}"] = float(bought[name].mean()) if days and len(bought) else np.nan
    return told


def _cost_is(campaign: Campaign) -> str:
    if np.isnan(campaign.contact_cost):
        return COST_UNKNOWN
    return COST_OF_CHANNEL if campaign.cost_assumed else COST_STATED


def _number(counts: pd.Series[int], facts: Facts) -> pd.Series[float]:
    """Counts of answers; unknown, and not none, where the source has no answers."""
    return counts.astype("float64") if facts.has("responses") else pd.Series(np.nan, index=counts.index)


def _with_rate(table: pd.DataFrame) -> pd.DataFrame:
    """With response_rate and its interval beside contacted and responded; missing where nobody was contacted."""
    asked = table["contacted"].astype("float64").where(table["contacted"] > 0)
    answered = table["responded"].astype("float64")
    low, high = wilson(answered.to_numpy(), asked.to_numpy())
    return table.assign(response_rate=answered / asked, low=low, high=high)


def groups_of(
    campaigns: Campaigns, facts: Facts, *, around_of: AroundOf, segments: pd.DataFrame | None = None
) -> pd.DataFrame:
    """In which groups was each contacted customer on a campaign's first day? `GROUPS`, a row for each.

    value_tier: place among all who bought in the 182 days before it, by net sales; missing where the data begin less
    than half of that before. department, channel: where the
    customer's net sales and orders of the year before it were highest. segment: cluster_name of `segments`
    (customer_id, cluster_name), which are those of the as-of date: a customer may have been in another one then.
    A group that the data do not know is missing.
    """
    named = _names_of(segments)
    parts = [_groups_of_one(chosen, facts, around_of, named) for chosen in campaigns.chosen]
    parts = [part for part in parts if len(part)]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=list(GROUPS), dtype="str")


def _names_of(segments: pd.DataFrame | None) -> pd.Series[str] | None:
    if segments is None or segments.empty or not {"customer_id", "cluster_name"} <= set(segments.columns):
        return None
    return segments.drop_duplicates("customer_id").set_index("customer_id")["cluster_name"]


def _groups_of_one(
    chosen: Chosen, facts: Facts, around_of: AroundOf, segments: pd.Series[str] | None
) -> pd.DataFrame:
    campaign = chosen.campaign
    contacted = chosen.customers.loc[chosen.customers["arm"].isin([TREATED, CONTACTED]), "customer_id"]
    bought = around_of(campaign)
    tiers = value_tiers(bought.before["net_sales_182"]) if bought.history >= LEAST_HISTORY else None
    traits = _traits(facts, campaign.first_date)
    told = {
        "campaign_id": campaign.campaign_id,
        "customer_id": contacted,
        "segment": contacted.map(segments) if segments is not None else None,
        "value_tier": contacted.map(tiers).fillna(NO_SALES) if tiers is not None else None,
        "department": _mapped(contacted, traits, "top_department"),
        "channel": _mapped(contacted, traits, "main_channel"),
    }
    kinds = dict.fromkeys(GROUPS, "str")
    return pd.DataFrame(told, index=contacted.index, columns=list(GROUPS)).astype(kinds)


def _mapped(customers: pd.Series[str], traits: pd.DataFrame, name: str) -> pd.Series[str] | None:
    return customers.map(traits[name]) if name in traits else None


def _traits(facts: Facts, date: dt.date) -> pd.DataFrame:
    """What the snapshot of that morning calls each customer, by customer_id; nothing where nobody had bought yet."""
    try:
        known = snapshot(facts, date)
    except NotEnoughData:
        return pd.DataFrame()
    words = [name for name in ("top_department", "main_channel") if name in known]
    return known.set_index("customer_id")[words]


def value_tiers(net_sales: pd.Series[float]) -> pd.Series[str]:
    """The tier of each customer, by customer_id: `TIERS` among those with net sales; of equal ones the first name."""
    ordered = net_sales[net_sales > 0].rename("net_sales").rename_axis("customer_id").reset_index()
    ordered = ordered.sort_values(["net_sales", "customer_id"], ascending=[False, True])
    place = (np.arange(len(ordered)) + 1) / max(len(ordered), 1)
    names, ends = [name for name, _ in TIERS], [end for _, end in TIERS]
    at = np.searchsorted(np.round(ends, 9), np.round(place, 9), side="left")
    return pd.Series(np.array(names, dtype="object")[at], index=ordered["customer_id"], dtype="str")


def by_group(campaigns: Campaigns, groups: pd.DataFrame) -> pd.DataFrame:
    """Who answered, by group: `BY_GROUP`, one row per kind of group and group, the largest first.

    groups: of `groups_of`. contacted, responded: of all campaigns, so that a customer of several campaigns counts in
    each. Groups of fewer than five customers are not shown but put together, as "fewer than 5"; where these together
    are still fewer, they are left out. A kind of group of which fewer than two are known has no rows.
    """
    contacted = [_answered(chosen) for chosen in campaigns.chosen]
    if not contacted or groups.empty:
        return pd.DataFrame(columns=list(BY_GROUP))
    answers = pd.concat(contacted, ignore_index=True)
    table = answers.merge(groups, on=["campaign_id", "customer_id"], how="inner")
    parts = [_by_one(table, column, name) for column, name in BY.items() if table[column].nunique() > 1]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=list(BY_GROUP))


def _answered(chosen: Chosen) -> pd.DataFrame:
    contacted = chosen.customers[chosen.customers["arm"] != HELD_OUT]
    return pd.DataFrame(
        {
            "campaign_id": chosen.campaign.campaign_id,
            "customer_id": contacted["customer_id"],
            "responded": contacted["responded"].notna().astype("float64"),
        }
    )


def _by_one(table: pd.DataFrame, column: str, name: str) -> pd.DataFrame:
    groups = table[column].astype("object").where(table[column].notna(), NOT_KNOWN)
    # Of customers, and not of contacts: one customer of five campaigns is no group.
    people = table["customer_id"].groupby(groups).transform("nunique")
    shown = groups.where(people >= FEWEST_SHOWN, POOLED).rename("group")
    sums = table.groupby(shown).agg(
        customers=("customer_id", "nunique"), contacted=("customer_id", "size"), responded=("responded", "sum")
    )
    told = _with_rate(sums[sums["customers"] >= FEWEST_SHOWN].reset_index().assign(by=name))
    return told.sort_values(["contacted", "group"], ascending=[False, True], ignore_index=True)[list(BY_GROUP)]


__all__ = [
    "BY_GROUP",
    "GROUPS",
    "NOT_KNOWN",
    "POOLED",
    "REACHED",
    "AroundOf",
    "by_group",
    "groups_of",
    "reached",
    "value_tiers",
]
