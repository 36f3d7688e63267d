"""Through which channel should each customer be contacted, where contacts came through several?

The net value of a contact is the margin it is expected to add, minus its cost. A channel counts for a customer with
the kind of campaign that is worth most through it.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd

from crm.analyses.campaign_success.campaigns import Campaigns
from crm.engine import to_pandas
from crm.facts import Facts
from crm.periods import day_number, known_before

MARKETING = "marketing"
"""Purpose of the consents that allow a campaign: named anywhere in the consent's own, such as `email marketing`."""

CUSTOMERS = (
    "customer_id", "channel", "kind", "expected_margin_added", "cost", "net_value", "worth_it",
    "likeliest", "likeliest_kind", "likeliest_probability",
)  # fmt: skip
CHANNELS = (
    "channel", "cost", "allowed", "best_for", "worth_it_for", "net_value", "net_value_each", "likeliest_for",
)  # fmt: skip


@dataclass(frozen=True)
class Channels:
    """The best channel of each customer.

    customers: `CUSTOMERS`, one row per customer who may be contacted through any channel. channel, kind: of the
               highest net_value, missing where no value is known; worth_it: it is above zero. Beside it the channel
               with the highest chance of an answer.
    channels:  `CHANNELS`. allowed: customers who may be contacted through it; best_for: for whom it is the best;
               worth_it_for: and is worth its cost, with the net_value of contacting these, in all and each.
    said:      how consents and costs were taken.
    why_not:   why there is no best channel; empty where there is.
    """

    customers: pd.DataFrame = field(repr=False)
    channels: pd.DataFrame = field(repr=False)
    said: tuple[str, ...] = ()
    why_not: str = ""


def best_channels(scores: pd.DataFrame, campaigns: Campaigns, facts: Facts, as_of: dt.date) -> Channels:
    """The best channel of each customer of `scores`, by what was known before `as_of`.

    scores: customer_id, kind, channel, probability, expected_margin_added (missing without an experiment).
    """
    lacking = {"customer_id", "kind", "channel", "probability", "expected_margin_added"} - set(scores.columns)
    if lacking or scores.empty:
        return _nothing("No customer has a score to choose a channel by.")
    known = scores[scores["channel"].fillna("") != ""]
    if known["channel"].nunique() < 2:
        return _nothing(f"Contacts came through {_named(known)}: there is nothing to choose between.")
    consents = consents_for_marketing(facts, as_of)
    allowed = known if consents is None else _allowed(known, consents)
    said = [_said_of_consents(consents, known, allowed)]
    costs = contact_costs(campaigns, facts)
    valued = _valued(allowed, costs)
    unpriced = sorted(set(valued.loc[valued["cost"].isna(), "channel"]))
    if unpriced:
        said.append(f"What a contact through {', '.join(unpriced)} costs is not known: it is not chosen.")
    if allowed.empty:
        return Channels(_empty(CUSTOMERS), _empty(CHANNELS), tuple(said), "Nobody may be contacted.")
    customers = _best(valued).merge(_likeliest(valued), on="customer_id", how="right")
    customers["worth_it"] = customers["net_value"] > 0
    customers = customers[list(CUSTOMERS)].sort_values("customer_id", ignore_index=True)
    why = "" if customers["net_value"].notna().any() else _NO_VALUE
    if not why and not (valued.groupby("customer_id")["expected_margin_added"].nunique() > 1).any():
        why = _ALIKE
    return Channels(customers, _by_channel(customers, valued, costs), tuple(said), why)


_ALIKE = (
    "Which channel is worth most cannot be said: all experiments are read together, so that channels differ by their "
    "costs alone. Draw the same campaign through two channels by lot to learn it."
)
_NO_VALUE = (
    "Which channel is worth most is not known: no experiment has shown what a contact adds, or its cost is missing."
)


def contact_costs(campaigns: Campaigns, facts: Facts) -> pd.Series[float]:
    """The cost of one contact by channel: that of the newest campaign that states its own, else that of [money]."""
    costs = dict(facts.settings.money.contact_cost)
    for chosen in campaigns.chosen:
        campaign = chosen.campaign
        if campaign.channel and not campaign.cost_assumed and not np.isnan(campaign.contact_cost):
            costs[campaign.channel] = campaign.contact_cost
    return pd.Series(costs, dtype="float64").rename_axis("channel").rename("cost")


def consents_for_marketing(facts: Facts, as_of: dt.date) -> pd.DataFrame | None:
    """Who allows marketing through which channel on `as_of`: customer_id, channel; None where there is no such table.

    Of each customer, channel and purpose the newest decision before it counts; of several on the same day a refusal
    does. One marketing purpose that is granted and has not lapsed is enough. Who never decided has not allowed it.
    """
    if not facts.has("consents"):
        return None
    columns = ["customer_id", "channel", "purpose", "day", "granted", "expires_day"]
    table = to_pandas(known_before(facts["consents"], as_of).select(*columns).filter(~nw.col("day").is_null()))
    table = table[table["purpose"].str.casefold().str.contains(MARKETING, regex=False)]
    table = table.assign(until=table["expires_day"].astype("float64").fillna(np.inf))
    order = ["customer_id", "channel", "purpose", "day", "granted", "until"]
    newest = table.sort_values(order, ascending=[True, True, True, False, True, True], kind="stable")
    newest = newest.drop_duplicates(["customer_id", "channel", "purpose"])
    given = newest[newest["granted"].astype("bool") & (newest["until"] > day_number(as_of))]
    return given[["customer_id", "channel"]].drop_duplicates(ignore_index=True)


def _allowed(scores: pd.DataFrame, consents: pd.DataFrame) -> pd.DataFrame:
    given = consents.assign(plain=_plain(consents["channel"])).drop_duplicates(["customer_id", "plain"])
    return scores.assign(plain=_plain(scores["channel"])).merge(
        given[["customer_id", "plain"]], on=["customer_id", "plain"], how="inner"
    )


def _plain(channel: pd.Series[str]) -> pd.Series[str]:
    """Capitals and blanks of a channel's name do not matter: consents often come from another system."""
    return channel.str.strip().str.casefold()


def _said_of_consents(consents: pd.DataFrame | None, scores: pd.DataFrame, allowed: pd.DataFrame) -> str:
    everybody = scores["customer_id"].nunique()
    if consents is None:
        return "There is no table of consents: nobody is left out for the lack of one."
    left = everybody - allowed["customer_id"].nunique()
    return f"{left:,} of {everybody:,} customers allow marketing through none of the channels, and are left out."


def _valued(scores: pd.DataFrame, costs: pd.Series[float]) -> pd.DataFrame:
    cost = scores["channel"].map(costs).astype("float64")
    return scores.assign(cost=cost, net_value=(scores["expected_margin_added"].astype("float64") - cost).round(4))


def _best(valued: pd.DataFrame) -> pd.DataFrame:
    """The row of the highest net value of each customer; of equal ones the likelier, then the first name."""
    order = ["customer_id", "net_value", "probability", "channel", "kind"]
    known = valued[valued["net_value"].notna()]
    best = known.sort_values(order, ascending=[True, False, False, True, True]).drop_duplicates("customer_id")
    return best[["customer_id", "channel", "kind", "expected_margin_added", "cost", "net_value"]]


def _likeliest(valued: pd.DataFrame) -> pd.DataFrame:
    order = ["customer_id", "probability", "channel", "kind"]
    best = valued.sort_values(order, ascending=[True, False, True, True]).drop_duplicates("customer_id")
    names = {"channel": "likeliest", "kind": "likeliest_kind", "probability": "likeliest_probability"}
    return best[["customer_id", *names]].rename(columns=names)


def _by_channel(customers: pd.DataFrame, valued: pd.DataFrame, costs: pd.Series[float]) -> pd.DataFrame:
    channels = pd.Index(sorted(valued["channel"].unique()), name="channel")
    worth = customers[customers["worth_it"]]
    counts: dict[str, pd.Series[Any]] = {
        "cost": costs.reindex(channels),
        "allowed": valued.groupby("channel")["customer_id"].nunique(),
        "best_for": customers["channel"].value_counts(),
        "worth_it_for": worth["channel"].value_counts(),
        "net_value": worth.groupby("channel")["net_value"].sum(),
        "likeliest_for": customers["likeliest"].value_counts(),
    }
    table = pd.DataFrame({name: values.reindex(channels) for name, values in counts.items()}, index=channels)
    whole = ["allowed", "best_for", "worth_it_for", "likeliest_for"]
    table = table.fillna(dict.fromkeys([*whole, "net_value"], 0)).astype(dict.fromkeys(whole, "int64"))
    table["net_value_each"] = table["net_value"] / table["worth_it_for"].where(table["worth_it_for"] > 0)
    return table.sort_values(["worth_it_for", "net_value"], ascending=False, kind="stable").reset_index()[
        list(CHANNELS)
    ]


def _named(scores: pd.DataFrame) -> str:
    return f"{scores['channel'].iloc[0]} alone" if len(scores) else "no channel that is named"


def _empty(columns: tuple[str, ...]) -> pd.DataFrame:
    return pd.DataFrame(columns=list(columns))


def _nothing(why: str) -> Channels:
    return Channels(_empty(CUSTOMERS), _empty(CHANNELS), (), why)


__all__ = ["Channels", "best_channels", "consents_for_marketing", "contact_costs"]
