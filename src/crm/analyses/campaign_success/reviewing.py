"""What model review asks of campaign response: did those answer who were expected to?

A judged date is the first day of campaigns that have ended; judged are the customers they contacted.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Literal

import pandas as pd

from crm.analyses.campaign_success.campaigns import HELD_OUT, Campaigns, Chosen, known_until, read_campaigns
from crm.analyses.campaign_success.contacted import KNOWN, Contacted, known_of, read_contacted
from crm.analyses.campaign_success.model import CampaignResponseModel, chances_of, today_of
from crm.analyses.campaign_success.response import FEWEST_CONTACTS, Response, closed_before, fit_response
from crm.errors import NotEnoughData
from crm.facts import Facts
from crm.measures.amounts import FloatArray
from crm.periods import date_of, day_number

MOST_DATES = 6
_NEXT_DAY = dt.timedelta(days=1)


@dataclass(frozen=True)
class _CampaignResponse:
    name: str = "campaign-response"
    kind: Literal["chance", "amount"] = "chance"

    def load(self, record: Mapping[str, Any]) -> CampaignResponseModel:
        """The model of a record."""
        return CampaignResponseModel.from_record(record)

    def fitted_through(self, model: CampaignResponseModel) -> dt.date:
        """It was fitted to what was known before this date."""
        return model.as_of

    def dates(self, facts: Facts, as_of: dt.date) -> tuple[dt.date, ...]:
        """First days of ended campaigns with enough contacts and with answers, some campaign having ended before."""
        if not facts.has("responses"):
            return ()
        closed = [
            one for one in read_campaigns(facts, as_of).chosen if one.campaign.ends <= known_until(facts, as_of)
        ]
        told = [one for one in closed if one.customers["responded"].notna().any()]
        first = min((one.campaign.ends for one in told if one.campaign.starts > facts.first_day), default=None)
        days = {one.campaign.starts for one in told if first is not None and _can_judge(one, first)}
        return tuple(date_of(day) for day in sorted(days, reverse=True)[:MOST_DATES])

    def rows(self, facts: Facts, date: dt.date) -> pd.DataFrame:
        """Who was contacted: customer_id, outcome (1: answered), group (the kind of campaign)."""
        told = _contacted_on(facts, date)
        outcome = told["responded"].notna().astype("float64")
        return pd.DataFrame({"customer_id": told["customer_id"], "outcome": outcome, "group": told["kind"]})

    def score(self, model: CampaignResponseModel, facts: Facts, date: dt.date) -> FloatArray:
        """Their chance of an answer; on a date on which no campaign begins, that of the active customers."""
        known = _described(facts, date)
        return chances_of(model, known, list(known["kind"]))

    def twin(self, model: CampaignResponseModel, facts: Facts, date: dt.date) -> CampaignResponseModel:
        """The same recipe, fitted to what was known before that date."""
        response = _learnt(facts, date, model.response.ships, model.seed)
        if response.learners is None:
            raise NotEnoughData(
                "A twin is fitted to campaigns that had ended by then, with enough answers.",
                found=f"too few before {date}",
                do="Judge later dates, or read more of the history.",
            )
        return replace(model, as_of=date, response=response)

    def learnt_through(self, record: Mapping[str, Any]) -> dt.date | None:
        """The end of the newest campaign learnt from."""
        through = record["learnt_through"]
        return dt.date.fromisoformat(through) if through else None

    def population(self, facts: Facts, as_of: dt.date) -> pd.DataFrame:
        """Who is scored, with the columns that models read."""
        return _described(facts, as_of)[list(KNOWN)].reset_index(drop=True)


def _can_judge(one: Chosen, first: int) -> bool:
    contacted, answered = one.contacted, int(one.customers["responded"].notna().sum())
    return one.campaign.starts >= first and contacted >= FEWEST_CONTACTS and answered < contacted


@lru_cache(maxsize=16)
def _contacted_on(facts: Facts, date: dt.date) -> pd.DataFrame:
    """Whom the campaigns that begin on a date contact, each once: customer_id, kind, responded."""
    begun = _beginning(read_campaigns(facts, date + _NEXT_DAY), date)
    if not begun:
        return pd.DataFrame({name: pd.Series(dtype="str") for name in ("customer_id", "kind", "responded")})
    end = date_of(max(one.campaign.ends for one in begun))
    parts = [
        one.customers[one.customers["arm"] != HELD_OUT].assign(kind=one.campaign.kind)
        for one in _beginning(read_campaigns(facts, end), date)
    ]
    both = pd.concat(parts, ignore_index=True).drop_duplicates("customer_id")
    return both.sort_values("customer_id", ignore_index=True)[["customer_id", "kind", "responded"]]


def _beginning(campaigns: Campaigns, date: dt.date) -> list[Chosen]:
    return [one for one in campaigns.chosen if one.campaign.starts == day_number(date)]


@lru_cache(maxsize=16)
def _described(facts: Facts, date: dt.date) -> pd.DataFrame:
    """Those that a campaign beginning on a date contacts, or the active customers: the kind, and `KNOWN`."""
    told, past = _contacted_on(facts, date), _all(facts).past
    if told.empty:
        today = today_of(facts, read_campaigns(facts, date), date, past)
        return today.known(today.newest_kind).assign(kind=today.newest_kind)
    parts = [
        known_of(facts, past, date, str(kind), list(some)).assign(kind=str(kind))
        for kind, some in told.groupby("kind")["customer_id"]
    ]
    return pd.concat(parts).reindex(told["customer_id"])


@lru_cache(maxsize=16)
def _learnt(facts: Facts, date: dt.date, ships: str, seed: int) -> Response:
    return fit_response(closed_before(_all(facts), day_number(date)), ships=ships, seed=seed)


@lru_cache(maxsize=1)
def _all(facts: Facts) -> Contacted:
    """Every campaign there is, read once. What had ended by a date is the same whenever it is read."""
    end = date_of(facts.last_day + 1)
    return read_contacted(facts, read_campaigns(facts, end), end)


REVIEWABLE = _CampaignResponse()

__all__ = ["REVIEWABLE"]
