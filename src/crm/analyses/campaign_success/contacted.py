"""Whom did past campaigns choose, what was known of them on the first day, and what came of it?

One row per customer whom a closed campaign chose. Nothing of or after the campaign's first day is among what is
known; nothing of or after the as-of date is among what came.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from crm.analyses.campaign_success.campaigns import HELD_OUT, TREATED, Campaigns, Chosen, known_until
from crm.analyses.campaign_success.randomised import Lot, lot_of
from crm.analyses.campaign_success.windows import Around, around
from crm.facts import Facts
from crm.periods import day_number
from crm.snapshots import margin, snapshot

FEATURES = (
    "purchase_days_28d", "purchase_days_91d", "purchase_days_182d", "purchase_days_365d", "days_since_last_purchase",
    "usual_gap", "net_sales_91d", "net_sales_365d", "order_value_365d", "lines_per_order_365d",
    "price_per_line_365d", "spend_trend", "share_bought_on_promotion", "share_bought_with_coupon", "discount_rate",
    "tenure", "categories_365d", "share_of_top_department", "share_of_main_channel", "returns_365d", "returned_365d",
    "late_deliveries_365d", "cases_365d", "visits_91d",
)  # fmt: skip
"""Columns of the snapshot that are read, those of them that there are."""

CONTACTED_BEFORE = (
    "received_before", "answered_before", "received_same_kind", "answered_same_kind", "days_since_contact",
    "share_answered", "share_answered_same_kind", "more_when_contacted",
)  # fmt: skip
"""What earlier campaigns tell: how many came, how many were answered, and whether more was bought in their days than
usual. The shares are held to that of all customers by as much as one campaign says."""

SIGNED = ("more_when_contacted",)
"""Columns with a sign of their own; of the others the logarithm is taken."""

USUAL = "usual_margin"
"""Margin that a purchase day of the year before brought, held to that of all customers by `AS_OF_ALL` days."""
AS_OF_ALL = 2.0

KNOWN = (*FEATURES, *CONTACTED_BEFORE, USUAL)
CAME = ("responded", "bought", "purchase_days", "net_sales", "margin")
NEVER_CONTACTED = 1_000.0
"""Days since the last contact of those who had none: long ago."""

ROWS = (
    "campaign_id", "kind", "channel", "day", "ends", "customer_id", "treated", "randomised", "share", "cost",
    *KNOWN, *CAME,
)  # fmt: skip
"""day, ends: of the campaign, day numbers, half open. treated: was contacted; randomised: by lot, of whom `share`
were treated. cost: of a contact, NaN where unknown. responded: NaN for those who were not contacted."""


@dataclass(frozen=True)
class Past:
    """Every contact there was, one row each, the oldest campaign first.

    contacts: customer_id, kind, starts and ends (day numbers of the campaign), answered (day number, else missing),
              more (purchase days during the campaign beyond those the half year before would let expect).
    """

    contacts: pd.DataFrame = field(repr=False)

    def known_on(self, day: int, kind: str, customer_ids: pd.Index[str]) -> pd.DataFrame:
        """`CONTACTED_BEFORE` of these customers on the morning of a day, for a campaign of a kind."""
        before = self.contacts[self.contacts["starts"] < day]
        before = before.assign(yes=(before["answered"] < day).astype("float64"))
        of_all = (before["yes"].sum() + 0.5) / (len(before) + 1)
        same = before[before["kind"] == kind]
        of_kind = (same["yes"].sum() + of_all) / (len(same) + 1)
        told = _counted(before, customer_ids).join(_counted(same, customer_ids).add_suffix("_same"))
        last = before.groupby("customer_id")["starts"].max().reindex(customer_ids)
        over = before[before["ends"] <= day].groupby("customer_id")["more"]
        more = (over.sum() / (over.count() + 1.0)).reindex(customer_ids).fillna(0.0)
        table = pd.DataFrame(
            {
                "received_before": told["received"],
                "answered_before": told["yes"],
                "received_same_kind": told["received_same"],
                "answered_same_kind": told["yes_same"],
                "days_since_contact": (day - last).fillna(NEVER_CONTACTED),
                "share_answered": (told["yes"] + of_all) / (told["received"] + 1),
                "share_answered_same_kind": (told["yes_same"] + of_kind) / (told["received_same"] + 1),
                "more_when_contacted": more,
            },
            index=customer_ids,
        )
        return table.astype("float64")


def _counted(contacts: pd.DataFrame, customer_ids: pd.Index[str]) -> pd.DataFrame:
    counted = contacts.groupby("customer_id")["yes"].agg(["size", "sum"]).reindex(customer_ids).fillna(0.0)
    return counted.set_axis(["received", "yes"], axis=1)


@dataclass(frozen=True)
class Contacted:
    """All there is to learn from: `rows` of closed campaigns (`ROWS`), and every contact for what comes later."""

    rows: pd.DataFrame = field(repr=False)
    past: Past = field(repr=False)
    columns: tuple[str, ...]


def contact_rows(facts: Facts, campaigns: Campaigns, as_of: dt.date) -> pd.DataFrame:
    """One row per closed campaign and customer it chose: `ROWS`; without campaigns before which nobody had bought."""
    return read_contacted(facts, campaigns, as_of).rows


def read_contacted(facts: Facts, campaigns: Campaigns, as_of: dt.date) -> Contacted:
    """The same with every earlier contact, so that customers can be described on later dates."""
    arounds = [_around(facts, one, as_of) for one in campaigns.chosen]
    past = Past(_all_contacts(campaigns.chosen, arounds))
    parts = [
        _rows(facts, one, seen, past, campaigns)
        for one, seen in zip(campaigns.chosen, arounds, strict=True)
        if seen is not None and len(one.customers) and one.campaign.ends <= known_until(facts, as_of)
    ]
    rows = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=list(ROWS))
    columns = tuple(name for name in KNOWN if len(rows) and rows[name].notna().any())
    return Contacted(rows, past, columns)


def read_past(facts: Facts, campaigns: Campaigns, as_of: dt.date) -> Past:
    """Every contact before a date."""
    arounds = [_around(facts, one, as_of) for one in campaigns.chosen]
    return Past(_all_contacts(campaigns.chosen, arounds))


def known_of(facts: Facts, past: Past, day: dt.date, kind: str, customer_ids: Sequence[str]) -> pd.DataFrame:
    """`KNOWN` of these customers on the morning of a day, for a campaign of a kind, in their order."""
    ids = pd.Index(customer_ids)
    customers = snapshot(facts, day).set_index("customer_id").reindex(ids)
    own = pd.DataFrame({name: customers.get(name, np.nan) for name in FEATURES}, index=ids, dtype="float64")
    return pd.concat([own, past.known_on(day_number(day), kind, ids), _usual_margin(facts, day, ids)], axis=1)


def _usual_margin(facts: Facts, day: dt.date, customer_ids: pd.Index[str]) -> pd.Series[float]:
    """`USUAL` of these customers; of those without a purchase, that of all."""
    customers = snapshot(facts, day).set_index("customer_id")
    earned = margin(customers, gross_margin=facts.settings.money.gross_margin).astype("float64").fillna(0.0)
    days = customers["purchase_days_365d"].astype("float64").fillna(0.0)
    of_all = float(earned.sum() / max(days.sum(), 1.0))
    usual = (earned + AS_OF_ALL * of_all) / (days + AS_OF_ALL)
    return usual.reindex(customer_ids).fillna(of_all).rename(USUAL)


def _around(facts: Facts, chosen: Chosen, as_of: dt.date) -> Around | None:
    """None where nobody had bought anything before."""
    if chosen.campaign.starts <= facts.first_day:
        return None
    return around(facts, chosen.campaign, as_of, after_days=0)


def _all_contacts(chosen: Sequence[Chosen], arounds: Sequence[Around | None]) -> pd.DataFrame:
    columns = ["customer_id", "kind", "starts", "ends", "answered", "more"]
    parts = [_contacts(one, seen) for one, seen in zip(chosen, arounds, strict=True)]
    return pd.concat(parts, ignore_index=True)[columns] if parts else pd.DataFrame(columns=columns)


def _contacts(chosen: Chosen, seen: Around | None) -> pd.DataFrame:
    campaign = chosen.campaign
    reached = chosen.customers[(chosen.customers["arm"] != HELD_OUT) & chosen.customers["reached"]]
    more = pd.Series(np.nan, index=reached.index)
    if seen is not None and len(reached):
        each = seen.rows_of(reached["customer_id"])
        history = max(min(182, seen.history), 1)
        usual = each.before["purchase_days_182"].to_numpy() / history * seen.days_seen
        more = pd.Series(each.during["purchase_days"].to_numpy() - usual, index=reached.index)
    return pd.DataFrame(
        {
            "customer_id": reached["customer_id"],
            "kind": campaign.kind,
            "starts": campaign.starts,
            "ends": campaign.ends,
            "answered": reached["responded"].astype("float64"),
            "more": more,
        }
    )


def _teaches(lot: Lot) -> bool:
    """Only a fair lot, whose held-out were left alone, says what a contact changes."""
    return lot.fair and not lot.contaminated


def _rows(facts: Facts, chosen: Chosen, seen: Around, past: Past, campaigns: Campaigns) -> pd.DataFrame:
    campaign, customers = chosen.campaign, chosen.customers.sort_values("customer_id", kind="stable")
    lot = customers["arm"].isin([TREATED, HELD_OUT])
    if not (chosen.randomised and _teaches(lot_of(chosen, seen, campaigns))):
        lot = pd.Series(False, index=customers.index)
    treated = customers["arm"] != HELD_OUT
    ids = pd.Index(customers["customer_id"])
    came = seen.rows_of(ids).during[["bought", "purchase_days", "net_sales", "margin"]].reset_index(drop=True)
    answered = customers["responded"].notna().where(treated).astype("float64")
    share = float(treated[lot].mean()) if lot.any() else np.nan
    told = pd.DataFrame(
        {
            "campaign_id": campaign.campaign_id,
            "kind": campaign.kind,
            "channel": campaign.channel,
            "day": campaign.starts,
            "ends": campaign.ends,
            "customer_id": customers["customer_id"].to_numpy(),
            "treated": treated.to_numpy(),
            "randomised": lot.to_numpy(),
            "share": np.where(lot, share, np.nan),
            "cost": campaign.contact_cost,
        }
    )
    known = known_of(facts, past, campaign.first_date, campaign.kind, ids).reset_index(drop=True)
    return pd.concat([told, known, pd.DataFrame({"responded": answered.to_numpy()}), came], axis=1)[list(ROWS)]


__all__ = [
    "CAME",
    "KNOWN",
    "ROWS",
    "SIGNED",
    "USUAL",
    "Contacted",
    "Past",
    "contact_rows",
    "known_of",
    "read_contacted",
    "read_past",
]
