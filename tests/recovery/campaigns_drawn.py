"""Campaigns without a lot, drawn among the customers of a sample company, with a planted effect.

A company's own campaigns are too few to say how often an interval holds the truth; these are as many as wanted.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from crm.analyses.campaign_success.campaigns import CONTACTED, Campaign, Campaigns, Chosen, read_campaigns
from crm.analyses.campaign_success.observational import Observed, compare, contacts_of
from crm.analyses.campaign_success.watched import Watched, watch
from crm.analyses.campaign_success.windows import customer_windows
from crm.facts import Facts
from crm.periods import day_number

GOOD_CUSTOMER, NOISE = 1.6, 0.4
"""As the sample company itself chooses: log(1 + purchase days of the last 182 days) + noise beyond a score."""


@dataclass(frozen=True)
class Drawn:
    """One drawn campaign, and what it truly adds, in expectation, to each of those it contacted."""

    watched: Watched
    contacted: pd.Series
    contacts: pd.DataFrame
    added: pd.DataFrame

    def read(self) -> Observed:
        """What our comparison says of it."""
        return compare(self.watched, self.contacted, self.contacts)

    def truth(self, observed: Observed, outcome: str) -> float:
        """The planted average effect among the customers who were compared."""
        return float(self.added.loc[observed.compared, outcome].mean())


def draw_campaigns(
    facts: Facts,
    as_of: dt.date,
    starts: Sequence[int],
    each: int,
    *,
    trait: pd.Series | None = None,
    strength: float = 0.0,
    effect: float = 0.0,
    days: int = 28,
    most: float = 1.0,
    seed: int = 0,
) -> Iterator[Drawn]:
    """`each` campaigns for each start, in days from the first purchase.

    trait:    hidden, by customer_id: standardised, its `strength` times is added to the score by which is chosen
              (as many are chosen as without it).
    effect:   chance that the campaign makes a contacted customer buy once more, for as much as they usually do.
    most:     share of those beyond the score who are contacted.
    """
    rng = np.random.default_rng(seed)
    campaigns = read_campaigns(facts, as_of)
    for start in starts:
        campaign = Campaign("D", "Drawn", "drawn", "email", facts.first_day + start, facts.first_day + start + days,
                            0.0, False, np.nan, "", np.nan)  # fmt: skip
        watched = watch(facts, campaign, as_of, after_days=0)
        half = customer_windows(facts, campaign.starts, {"half": (-182, 0), "ever": (-start, 0)})
        half = half.set_index("customer_id").reindex(watched.known.index)
        hidden = _standard(trait.reindex(half.index)) if trait is not None else 0.0
        for _ in range(each):
            yield _draw(rng, watched, half, strength * hidden, campaigns=campaigns, effect=effect, most=most)


def _draw(rng, watched, half, hidden, *, campaigns: Campaigns, effect: float, most: float) -> Drawn:
    score = np.log1p(half["purchase_days_half"]).to_numpy() + NOISE * rng.standard_normal(len(half))
    wanted = (score > GOOD_CUSTOMER).mean()
    score = score + hidden
    treated = (score > np.quantile(score, 1 - wanted)) & (rng.random(len(score)) < most)
    caused = treated & (rng.random(len(score)) < effect)
    value = (half["net_sales_ever"] / half["purchase_days_ever"]).clip(lower=0).to_numpy()
    during = watched.outcomes["during"]
    earned = during["margin"].sum() / during["net_sales"].sum()
    changed = during.assign(
        bought=np.where(caused, 1.0, during["bought"]),
        purchase_days=during["purchase_days"] + caused,
        net_sales=during["net_sales"] + caused * value,
        margin=during["margin"] + caused * value * earned,
    )
    added = pd.DataFrame(
        {"purchase_days": effect, "net_sales": effect * value, "margin": effect * value * earned,
         "bought": effect * (1 - during["bought"])}, index=half.index,
    )  # fmt: skip
    contacted = pd.Series(half.index[treated])
    nobody = pd.DataFrame({"customer_id": contacted, "arm": CONTACTED, "reached": True, "responded": np.nan})
    chosen = Chosen(watched.campaign, nobody, 0, pd.DataFrame())
    contacts = contacts_of(watched.known.index, chosen, campaigns)
    return Drawn(replace(watched, outcomes={**watched.outcomes, "during": changed}), contacted, contacts, added)


def _standard(values: pd.Series) -> np.ndarray:
    known = values.fillna(values.mean())
    return ((known - known.mean()) / known.std()).to_numpy()


def day_of(facts: Facts, date: dt.date) -> int:
    """Days from the first purchase to a date."""
    return day_number(date) - facts.first_day
