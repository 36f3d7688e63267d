"""Which campaigns were there, whom did each choose, and what is strange about them?"""

from __future__ import annotations

import datetime as dt
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd

from crm.engine import to_pandas
from crm.facts import Facts
from crm.periods import date_of, day_number, known_before

TREATED, HELD_OUT, CONTACTED = "treated", "held_out", "contacted"
"""Arms of an experiment, and whoever was contacted without a lot."""

FAULTS = ("campaign_id", "fault", "rows", "example", "done")


@dataclass(frozen=True)
class Campaign:
    """One campaign. starts: its first day; ends: the first day after it, both day numbers.

    contact_cost: of one contact, NaN where neither the campaign nor [money] contact_cost says it.
    cost_assumed: the cost is that of its channel in [money].
    held_out_share: planned share of the chosen who were to be left alone; NaN where it is not said.
    programme:    of the action list that it was; empty for other campaigns.
    expected_gain: margin that it was expected to add in all, before costs; NaN where nothing was expected.
    """

    campaign_id: str
    name: str
    kind: str
    channel: str
    starts: int
    ends: int
    contact_cost: float
    cost_assumed: bool
    held_out_share: float = np.nan
    programme: str = ""
    expected_gain: float = np.nan

    @property
    def days(self) -> int:
        """How long it lasts."""
        return self.ends - self.starts

    @property
    def first_date(self) -> dt.date:
        """Its first day."""
        return date_of(self.starts)

    @property
    def last_date(self) -> dt.date:
        """Its last day."""
        return date_of(self.ends - 1)


@dataclass(frozen=True)
class Chosen:
    """Whom one campaign chose, one row per customer, and what of its rows cannot be used.

    customers: customer_id, arm (`treated`, `held_out`, or `contacted` where there was no lot), reached (False where a
               contact has no date although others of the campaign have), responded (the day of the first answer
               within the campaign that is known, else missing).
    uninvited: customers who answered although they were never contacted.
    faults:    `FAULTS`.
    """

    campaign: Campaign
    customers: pd.DataFrame = field(repr=False)
    uninvited: int
    faults: pd.DataFrame = field(repr=False)

    @property
    def randomised(self) -> bool:
        """Was it drawn by lot whom to contact, with somebody in each arm?"""
        return bool(self.in_arm(TREATED) and self.in_arm(HELD_OUT))

    @property
    def contacted(self) -> int:
        """How many were contacted, by lot or not."""
        return len(self.customers) - self.in_arm(HELD_OUT)

    def in_arm(self, arm: str) -> int:
        """How many are in an arm."""
        return int((self.customers["arm"] == arm).sum())

    @cached_property
    def arms(self) -> pd.Series[str]:
        """The arm of each customer."""
        return self.customers.set_index("customer_id")["arm"]


@dataclass(frozen=True)
class Campaigns:
    """All campaigns that had begun by the as-of date, the oldest first, with whom they chose.

    strays: `FAULTS` of rows that belong to no such campaign.
    """

    as_of: dt.date
    chosen: tuple[Chosen, ...]
    later: int
    strays: pd.DataFrame = field(repr=False)

    @property
    def faults(self) -> pd.DataFrame:
        """Everything strange, by campaign."""
        tables = [one for one in (*(one.faults for one in self.chosen), self.strays) if len(one)]
        return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=list(FAULTS))

    def of(self, campaign_id: str) -> Chosen:
        """The one with this identifier."""
        return next(one for one in self.chosen if one.campaign.campaign_id == campaign_id)

    def overlapping(self, campaign: Campaign) -> tuple[Chosen, ...]:
        """The others whose days meet this campaign's."""
        return tuple(
            one
            for one in self.chosen
            if one.campaign.campaign_id != campaign.campaign_id
            and one.campaign.starts < campaign.ends
            and campaign.starts < one.campaign.ends
        )


def known_until(facts: Facts, as_of: dt.date) -> int:
    """The first day of which purchases are not known: the as-of date, or earlier, where the data end before it."""
    return min(day_number(as_of), facts.last_day + 1)


def read_campaigns(facts: Facts, as_of: dt.date) -> Campaigns:
    """Every campaign that had begun before `as_of`, and whom it chose, by what was known then."""
    if not (facts.has("campaigns") and facts.has("contacts")):
        return Campaigns(as_of, (), 0, pd.DataFrame(columns=list(FAULTS)))
    table = to_pandas(facts["campaigns"]).sort_values(["day", "campaign_id"], kind="stable")
    begun = [_campaign(row, facts) for row in table.to_dict("records") if row["day"] < day_number(as_of)]
    contacts = _contacts(facts, as_of)
    answers = _answers(facts, as_of)
    nobody = contacts.iloc[:0], answers.iloc[:0]
    by_campaign = dict(iter(contacts.groupby("campaign_id", sort=False)))
    answers_of = dict(iter(answers.groupby("campaign_id", sort=False)))
    chosen = tuple(
        _chosen(one, by_campaign.get(one.campaign_id, nobody[0]), answers_of.get(one.campaign_id, nobody[1]), as_of)
        for one in begun
    )
    known = set(table["campaign_id"])
    return Campaigns(as_of, chosen, len(table) - len(begun), _strays(contacts, answers, known))


def _campaign(row: Mapping[Hashable, Any], facts: Facts) -> Campaign:
    channel, own = _word(row["channel"]), row["contact_cost"]
    stated = own is not None and not pd.isna(own)
    cost = own if stated else facts.settings.money.contact_cost.get(channel, np.nan)
    return Campaign(
        campaign_id=str(row["campaign_id"]),
        name=_word(row["name"]) or str(row["campaign_id"]),
        kind=_word(row["kind"]) or channel or "campaign",
        channel=channel,
        starts=int(str(row["day"])),
        ends=int(str(row["ends_day"])) + 1,
        contact_cost=float(str(cost)),
        cost_assumed=not stated,
        held_out_share=_number(row["held_out_share"]),
        programme=_word(row["programme"]),
        expected_gain=_number(row["expected_gain"]),
    )


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else np.nan


def _word(value: object) -> str:
    return value if isinstance(value, str) else ""


def _contacts(facts: Facts, as_of: dt.date) -> pd.DataFrame:
    """Who was contacted by then, or left alone; of several rows of a customer one that names an arm comes first."""
    columns = ["campaign_id", "customer_id", "arm", "day", "date_stands_in"]
    known = (nw.col("day") < day_number(as_of)) | nw.col("day").is_null()
    read = to_pandas(facts["contacts"].filter(known).select(*columns))
    return read.sort_values(["campaign_id", "customer_id", "arm"], kind="stable")


def _answers(facts: Facts, as_of: dt.date) -> pd.DataFrame:
    """The day of each answer known by then, one row per campaign, customer and day."""
    columns = ["campaign_id", "customer_id", "day"]
    if not facts.has("responses"):
        return pd.DataFrame({"campaign_id": [], "customer_id": [], "day": []})
    known = known_before(facts["responses"], as_of).select(*columns).unique().sort(*columns)
    return to_pandas(known)


def _chosen(campaign: Campaign, contacts: pd.DataFrame, answers: pd.DataFrame, as_of: dt.date) -> Chosen:
    faults: list[tuple[str, int, str, str]] = []
    customers = _one_row_each(contacts, faults)
    early = customers["day"] < campaign.starts
    _note(faults, "contacted before the campaign starts", customers[early], "kept; its effect may begin earlier")
    late = customers["day"] >= campaign.ends
    _note(faults, "contacted after the campaign ends", customers[late], "kept in their arm, as chosen")
    lot = customers["arm"].isin([TREATED, HELD_OUT])
    if lot.any() and not lot.all():
        outside = customers[~lot]
        _note(faults, "contacted outside the lot of an experiment", outside, "left out of the experiment")
    customers = customers.assign(arm=customers["arm"].where(lot, CONTACTED))
    before = answers[answers["day"] < campaign.starts]
    _note(faults, "answered before the campaign starts", before, "not counted")
    invited = set(customers.loc[customers["arm"] != HELD_OUT, "customer_id"])
    within = answers[(answers["day"] >= campaign.starts) & (answers["day"] < campaign.ends)]
    strangers = within[~within["customer_id"].isin(invited)]
    _note(faults, "answered without having been contacted", strangers, "counted apart")
    after = answers[answers["day"] >= campaign.ends]
    _note(faults, "answered after the campaign ended", after, "not counted")
    first = within.groupby("customer_id")["day"].min()
    dated = not contacts["date_stands_in"].all() if len(contacts) else False
    reached = ~customers["date_stands_in"] if dated else pd.Series(True, index=customers.index)
    told = customers.assign(responded=customers["customer_id"].map(first), reached=reached)
    table = pd.DataFrame([(campaign.campaign_id, *one) for one in faults if one[1]], columns=list(FAULTS))
    columns = ["customer_id", "arm", "reached", "responded"]
    return Chosen(campaign, told[columns].reset_index(drop=True), strangers["customer_id"].nunique(), table)


def _one_row_each(contacts: pd.DataFrame, faults: list[tuple[str, int, str, str]]) -> pd.DataFrame:
    """Without those who are in both arms: nobody knows what they got."""
    arms = contacts.groupby("customer_id")["arm"].nunique()
    both = contacts["customer_id"].isin(arms.index[arms > 1])
    _note(faults, "in both arms", contacts[both], "left out of the campaign")
    return contacts[~both].drop_duplicates("customer_id")


def _note(faults: list[tuple[str, int, str, str]], fault: str, rows: pd.DataFrame, done: str) -> None:
    names = rows["customer_id"].drop_duplicates()
    faults.append((fault, len(names), ", ".join(names.head(3)), done))


def _strays(contacts: pd.DataFrame, answers: pd.DataFrame, known: set[str]) -> pd.DataFrame:
    rows = []
    for what, table in (("contacts", contacts), ("answers", answers)):
        unknown = table[~table["campaign_id"].isin(known)]
        for campaign, part in unknown.groupby("campaign_id"):
            example = ", ".join(part["customer_id"].head(3))
            rows.append(
                (
                    campaign,
                    f"{what} of a campaign that is not in the table campaigns",
                    len(part),
                    example,
                    "not counted",
                )
            )
    return pd.DataFrame(rows, columns=list(FAULTS))


__all__ = ["CONTACTED", "HELD_OUT", "TREATED", "Campaign", "Campaigns", "Chosen", "known_until", "read_campaigns"]
