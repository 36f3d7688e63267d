"""One campaign, read: what could be compared, what came of it, and what it paid."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from crm.analyses.campaign_success.campaigns import HELD_OUT, TREATED, Campaigns, Chosen
from crm.analyses.campaign_success.differences import BoolArray, Difference, differences
from crm.analyses.campaign_success.looking import Look, look, smallest_effect_seen
from crm.analyses.campaign_success.observational import Observed, compare_without_lot
from crm.analyses.campaign_success.randomised import Experiment, covariates, read_experiment
from crm.analyses.campaign_success.verdicts import Verdict, nothing_to_compare, of_experiment, of_observed
from crm.analyses.campaign_success.windows import Around, around
from crm.facts import Facts
from crm.measures.intervals import standard_error
from crm.periods import date_of, day_number

TIERS = ("lower third", "middle third", "upper third")
"""Of those chosen, by net sales of the half year before."""

MOST_LOOKS = 14
LOOKS = ("day", "effect", "low", "high", "ordinary_low", "ordinary_high")


@dataclass(frozen=True)
class Profit:
    """What a campaign earned, in the currency, with 95 % intervals; NaN where margin or cost are not known.

    margin: caused in all, among everybody contacted; without a lot, among those of them who have similar untouched
            customers.     cost: of contacting these.
    profit: margin less cost.     return_on_spend: margin for each unit of cost.
    """

    margin: float
    margin_low: float
    margin_high: float
    cost: float

    @property
    def profit(self) -> float:
        """Margin less cost."""
        return self.margin - self.cost

    @property
    def interval(self) -> tuple[float, float]:
        """Of the profit."""
        return self.margin_low - self.cost, self.margin_high - self.cost

    @property
    def return_on_spend(self) -> float:
        """Margin for each unit of cost."""
        return self.margin / self.cost if self.cost > 0 else float("nan")


@dataclass(frozen=True)
class Reading:
    """What one campaign shows.

    running:    it had not ended by the as-of date.
    experiment: what its arms differ in; None without a lot.     observed: the comparison without one, else None.
    look:       of a running experiment.     looks: `LOOKS`, day by day until the as-of date, of the same.
    smallest_seen: the smallest effect per customer that it could have shown; NaN where nothing is compared.
    overlapping: other campaigns that share days with it, over its whole length.
    """

    chosen: Chosen
    running: bool
    experiment: Experiment | None = field(repr=False)
    observed: Observed | None = field(repr=False)
    look: Look | None
    looks: pd.DataFrame = field(repr=False)
    verdict: Verdict
    profit: Profit
    smallest_seen: float
    overlapping: int

    @property
    def compared(self) -> int:
        """Of how many contacted customers its effects and its profit are: by lot the treated, else those who have
        similar untouched customers."""
        if self.experiment is not None:
            return self.chosen.in_arm(TREATED)
        return len(self.observed.compared) if self.observed is not None else 0


def read_campaign(
    facts: Facts,
    chosen: Chosen,
    campaigns: Campaigns,
    as_of: dt.date,
    *,
    here: Around,
    groups: Mapping[str, pd.Series[str]],
    seed: int,
) -> Reading:
    """What one campaign shows, by lot where there was one.

    here: what its customers bought around it.     groups: by name, the group of each customer_id.
    """
    asked = facts.settings.campaigns
    running = here.days_seen < chosen.campaign.days
    not_ended = _not_ended(chosen, facts, as_of) if running else ""
    overlapping = len(campaigns.overlapping(chosen.campaign))
    nothing = Profit(np.nan, np.nan, np.nan, chosen.contacted * chosen.campaign.contact_cost)
    none = pd.DataFrame(columns=list(LOOKS))
    if chosen.randomised:
        named = {**groups, "value": _tiers(here, chosen)}
        found = read_experiment(chosen, here, campaigns, main_outcome=asked.judged_by, groups=named)
        at_end = _error_at_end(here, chosen, asked.judged_by) if running else found.main.se
        now = look(found.main, se_at_end=at_end) if running else None
        verdict = of_experiment(found, matters=asked.smallest_effect, running=now, not_ended=not_ended)
        paid = _profit(found.of("margin"), chosen, chosen.in_arm(TREATED)) if found.lot.fair else nothing
        looks = _looks(facts, chosen, as_of, asked.judged_by, at_end) if running else none
        return Reading(
            chosen, running, found, None, now, looks, verdict, paid, smallest_effect_seen(at_end), overlapping
        )
    if not chosen.contacted:
        verdict = nothing_to_compare("nobody was contacted")
        return Reading(chosen, running, None, None, None, none, verdict, nothing, np.nan, overlapping)
    seen = compare_without_lot(facts, chosen, campaigns, as_of, after_days=asked.after_days, seed=seed)
    verdict = of_observed(seen, asked.judged_by, matters=asked.smallest_effect, not_ended=not_ended)
    rows = seen.effects
    margin = rows[(rows["outcome"] == "margin") & (rows["window"] == "during")] if len(rows) else rows
    # Only those who have similar untouched customers are judged: what they cost stands against what they brought.
    judged = len(seen.compared)
    told = seen.claim_allowed and len(margin) > 0
    sure = told and (margin.iloc[0]["low"] > 0 or margin.iloc[0]["high"] < 0)
    told = told and (not sure or seen.borne_out("margin"))  # no money that the older days may account for
    paid = _profit(margin.iloc[0], chosen, judged) if told else nothing
    least = standard_error(verdict.low, verdict.high)
    return Reading(chosen, running, None, seen, None, none, verdict, paid, smallest_effect_seen(least), overlapping)


def _not_ended(chosen: Chosen, facts: Facts, as_of: dt.date) -> str:
    """Why a campaign cannot be read to its end, as the end of a sentence."""
    if chosen.campaign.ends > day_number(as_of):
        return "it has not ended"
    return f"the data end on {date_of(facts.last_day)}, before it does"


def _profit(margin: pd.Series[float], chosen: Chosen, count: int) -> Profit:
    """From the effect on margin per contacted customer, of so many."""
    amounts = [float(margin[name]) * count for name in ("effect", "low", "high")]
    return Profit(amounts[0], amounts[1], amounts[2], count * chosen.campaign.contact_cost)


def _tiers(here: Around, chosen: Chosen) -> pd.Series[str]:
    spent = here.rows_of(chosen.customers["customer_id"]).before["net_sales_182"]
    share = spent.rank(method="first", pct=True).to_numpy()
    place = np.ceil(share * len(TIERS) - 1e-9).astype("int64") - 1
    return pd.Series([TIERS[one] for one in place], index=spent.index, dtype="str")


def _drawn(chosen: Chosen) -> tuple[pd.Series[str], BoolArray]:
    rows = chosen.customers[chosen.customers["arm"].isin([TREATED, HELD_OUT])]
    return rows["customer_id"], (rows["arm"] == TREATED).to_numpy()


def _error_at_end(here: Around, chosen: Chosen, outcome: str) -> float:
    """The error that the difference will have after the last day, by the same customers' past of the same length."""
    customers, treated = _drawn(chosen)
    before = here.rows_of(customers).before
    days, sales = before["purchase_days_same"], before["net_sales_same"]
    past = {"bought": (days > 0).astype("float64"), "purchase_days": days, "net_sales": sales}
    # The margin varies as net sales do, and by the rate that is seen so far.
    rate = here.during["margin"].sum() / max(here.during["net_sales"].sum(), 1e-9)
    past["margin"] = sales * rate
    known = covariates(before).drop(columns=["net_sales_same", "purchase_days_same"])
    return differences(past[outcome].to_frame("past"), treated, known)["past"].se


def _looks(facts: Facts, chosen: Chosen, as_of: dt.date, outcome: str, at_end: float) -> pd.DataFrame:
    """What every look so far would have said, at most `MOST_LOOKS` of them."""
    customers, treated = _drawn(chosen)
    seen = around(facts, chosen.campaign, as_of, after_days=0).days_seen
    days = np.unique(np.linspace(1, max(seen, 1), min(seen, MOST_LOOKS)).round().astype("int64"))
    rows = []
    for day in days:
        until = chosen.campaign.starts + int(day)
        here = around(facts, chosen.campaign, as_of, after_days=0, until=until).rows_of(customers)
        found: Difference = differences(here.during[[outcome]], treated, covariates(here.before))[outcome]
        now = look(found, se_at_end=at_end)
        rows.append((int(day), found.effect, now.low, now.high, found.low, found.high))
    return pd.DataFrame(rows, columns=list(LOOKS))


__all__ = ["LOOKS", "TIERS", "Profit", "Reading", "read_campaign"]
