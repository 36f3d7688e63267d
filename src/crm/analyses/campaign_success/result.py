"""What campaign success gives: a reading per campaign, what they teach together, whom the next one should reach."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd

from crm.analyses import Addition
from crm.analyses.campaign_success.against_plan import COLUMNS as AGAINST_PLAN
from crm.analyses.campaign_success.campaigns import HELD_OUT, Campaigns
from crm.analyses.campaign_success.channels import Channels
from crm.analyses.campaign_success.findings import all_findings, headline, measures
from crm.analyses.campaign_success.planning import Plan
from crm.analyses.campaign_success.pooled import Pooled, pool
from crm.analyses.campaign_success.promotions import Promotions
from crm.analyses.campaign_success.reading import Reading
from crm.analyses.campaign_success.targeting import Targeting
from crm.analyses.campaign_success.unsaid import unsaid
from crm.analyses.standing import Standing
from crm.finding import Findings
from crm.headline import Headline
from crm.measures.intervals import standard_error

SUMMARY = (
    "campaign_id", "name", "kind", "channel", "first_date", "last_date", "evidence", "verdict", "because",
    "usual", "effect", "low", "high", "contacted", "compared", "margin", "margin_low", "margin_high", "cost",
    "profit", "profit_low", "profit_high", "return_on_spend", "smallest_seen", "overlapping",
)  # fmt: skip
LISTS = (
    "list_id", "programme", "sent_on", "measured_on", "contacted", "held_out", "expected_margin", "margin",
    "margin_low", "margin_high", "cost", "profit", "met",
)  # fmt: skip


@dataclass(frozen=True)
class CampaignSuccess:
    """Everything the campaign page shows; money in `currency`.

    judged_by:    the main outcome, per contacted customer in the days of the campaign; it alone decides the verdict.
    matters:      share of the usual from which an effect matters.
    readings:     one per campaign that had begun, the oldest first.
    reached:      whom each campaign reached and who answered; by_group: answers by group of customers.
    against_plan: planned and actual in the months of campaigns.     plan: the next experiment.
    targeting:    whom the next one should reach.     channels: through which channel; None without two of them.
    promotions:   who buys only on promotion.     anyway: who answered and would have bought anyway, by campaign.
    """

    as_of: dt.date
    currency: str
    judged_by: str
    matters: float
    campaigns: Campaigns = field(repr=False)
    readings: tuple[Reading, ...] = field(repr=False)
    reached: pd.DataFrame = field(repr=False)
    by_group: pd.DataFrame = field(repr=False)
    against_plan: pd.DataFrame = field(repr=False)
    plan: Plan | None = field(repr=False)
    targeting: Targeting = field(repr=False)
    channels: Channels | None = field(repr=False)
    promotions: Promotions = field(repr=False)
    anyway: pd.DataFrame = field(repr=False)
    standing: Standing
    wanting: tuple[Addition, ...] = field(repr=False)

    @cached_property
    def summary(self) -> pd.DataFrame:
        """One row per campaign, the oldest first: `SUMMARY`; effects of the main outcome per contacted customer.

        compared: of how many of the contacted effects, margin, cost and profit are; where no margin is told, the cost
        is of all contacted. overlapping: other campaigns that share days with it, over its whole length."""
        return pd.DataFrame([_row(one) for one in self.readings], columns=list(SUMMARY))

    @cached_property
    def action_lists(self) -> pd.DataFrame:
        """One row per action list that was sent, the oldest first: `LISTS`. met: whether the margin that was expected
        was caused: yes (the interval lies at it or above), no (below it), cannot tell, not yet."""
        rows = [_list_row(one) for one in self.readings if one.chosen.campaign.programme]
        return pd.DataFrame(rows, columns=list(LISTS))

    @cached_property
    def experiments(self) -> tuple[Reading, ...]:
        """The ended campaigns with a fair lot."""
        return tuple(
            one for one in self.readings if one.experiment is not None and one.experiment.lot.fair and not one.running
        )

    def together(self, outcome: str) -> Pooled | None:
        """What a usual experiment changes in an outcome, per contacted customer; None of fewer than two."""
        told = [one.experiment.of(outcome) for one in self.experiments if one.experiment is not None]
        return pool(
            [float(row["effect"]) for row in told],
            [standard_error(float(row["low"]), float(row["high"])) for row in told],
        )

    def of(self, campaign_id: str) -> Reading:
        """The reading of one campaign."""
        return next(one for one in self.readings if one.chosen.campaign.campaign_id == campaign_id)

    @property
    def scores(self) -> pd.DataFrame:
        """Per active customer and kind of campaign: customer_id, kind, channel, probability (of an answer), uplift
        (of the chance of a purchase), expected_margin_added (both missing without an experiment), rank,
        model_version."""
        model = self.targeting.model
        return self.targeting.scores.assign(model_version=model.content[:12] if model else "")

    @cached_property
    def findings(self) -> Findings:
        """The answers, most important first."""
        return all_findings(self)

    @property
    def headline(self) -> Headline | None:
        """The number of this page that stands on the front page; None where it could not be found."""
        return headline(self)

    @property
    def measures(self) -> dict[str, object]:
        """The numbers for results.json."""
        return measures(self)

    @property
    def unsaid(self) -> Mapping[str, str]:
        """What these data do not allow to be said, by section: a sentence each."""
        return unsaid(self)


def _list_row(one: Reading) -> tuple[object, ...]:
    campaign, paid = one.chosen.campaign, one.profit
    expected = campaign.expected_gain
    if one.running:
        met = "not yet"
    elif not np.isfinite([paid.margin_low, expected]).all() or paid.margin_low < expected <= paid.margin_high:
        met = "cannot tell"
    else:
        met = "yes" if paid.margin_low >= expected else "no"
    return (
        campaign.campaign_id, campaign.programme, campaign.first_date, campaign.last_date, one.chosen.contacted,
        one.chosen.in_arm(HELD_OUT), expected, paid.margin, paid.margin_low, paid.margin_high, paid.cost, paid.profit,
        met,
    )  # fmt: skip


def _row(one: Reading) -> tuple[object, ...]:
    campaign, verdict, paid = one.chosen.campaign, one.verdict, one.profit
    low, high = paid.interval
    return (
        campaign.campaign_id, campaign.name, campaign.kind, campaign.channel, campaign.first_date,
        campaign.last_date, verdict.evidence, verdict.word, verdict.because, verdict.usual, verdict.effect,
        verdict.low, verdict.high, one.chosen.contacted, one.compared, paid.margin, paid.margin_low, paid.margin_high,
        paid.cost, paid.profit, low, high, paid.return_on_spend, one.smallest_seen, one.overlapping,
    )  # fmt: skip


__all__ = ["AGAINST_PLAN", "SUMMARY", "CampaignSuccess"]
