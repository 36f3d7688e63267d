"""How much of what is at stake a contact of this programme brings: what crm.toml assumes, and what its lists showed.

Every list that was sent and has ended is an experiment: the margin that it caused per contacted customer, over what
was at stake with each, is the share that its contacts brought. Several lists are put together as campaigns are
(`crm.analyses.campaign_success.pooled`). The assumption may be wrong by as much as it says (a standard error of its
own size), and both are weighed by how sure they are: one small list moves the assumption little, many lists or large
ones replace it. A contact cannot bring less than nothing here, nor more than everything.

Assumed: that the offer, its cost and the channels are as they were. Who changes them gives the programme a new name.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from crm.analyses.campaign_success.campaigns import Campaigns, Chosen, read_campaigns
from crm.analyses.campaign_success.pooled import pool
from crm.analyses.campaign_success.randomised import read_experiment
from crm.analyses.campaign_success.windows import around
from crm.config import Programme
from crm.facts import Facts
from crm.measures.intervals import ERRORS, standard_error
from crm.written_lists import ROWS, TREATED, KeptList, read_lists


@dataclass(frozen=True)
class ShareBrought:
    """The share of what is at stake that a contact brings.

    share:    what is reckoned with.     assumed: what crm.toml says.
    lists:    how many lists it was measured of; 0: the share is the assumption.
    measured: what these lists brought, with its 95 % interval from low to high; NaN of none.
    """

    share: float
    assumed: float
    lists: int = 0
    measured: float = np.nan
    low: float = np.nan
    high: float = np.nan


def share_brought(facts: Facts, as_of: dt.date, name: str, programme: Programme) -> ShareBrought:
    """What a contact of the programme called `name` can be reckoned to bring, by what was known before `as_of`."""
    assumed = programme.makes_the_difference
    told = list(_measured(facts, as_of, name))
    if not told:
        return ShareBrought(assumed, assumed)
    together = pool([share for share, _ in told], [error for _, error in told])
    measured, error = (together.effect, standard_error(together.low, together.high)) if together else told[0]
    weights = np.array([1 / error**2, 1 / assumed**2 if assumed > 0 else 0.0])
    share = float((weights * [measured, assumed]).sum() / weights.sum())
    return ShareBrought(
        share=float(np.clip(share, 0.0, 1.0)),
        assumed=assumed,
        lists=len(told),
        measured=measured,
        low=measured - ERRORS * error,
        high=measured + ERRORS * error,
    )


def _measured(facts: Facts, as_of: dt.date, name: str) -> Iterator[tuple[float, float]]:
    """The share that each measured list of a programme brought, and its standard error."""
    kept = {one.list_id: one for one in read_lists(facts.settings.folders.data) if one.programme == name}
    if not kept:
        return
    campaigns = read_campaigns(facts, as_of)
    for chosen in campaigns.chosen:
        one = kept.get(chosen.campaign.campaign_id)
        if one is not None and chosen.campaign.programme == name and chosen.randomised:
            told = _of_list(facts, as_of, chosen, campaigns, one)
            if told is not None:
                yield told


def _of_list(
    facts: Facts, as_of: dt.date, chosen: Chosen, campaigns: Campaigns, kept: KeptList
) -> tuple[float, float] | None:
    """None while the list runs, where its lot was not fair, or where nothing was at stake."""
    here = around(facts, chosen.campaign, as_of, after_days=facts.settings.campaigns.after_days)
    if here.days_seen < chosen.campaign.days:
        return None
    experiment = read_experiment(chosen, here, campaigns, main_outcome="margin")
    at_stake = _at_stake(kept)
    if not experiment.lot.fair or not at_stake > 0:
        return None
    caused = experiment.of("margin")
    error = standard_error(float(caused["low"]), float(caused["high"]))
    return (float(caused["effect"]) / at_stake, error / at_stake) if error > 0 else None


def _at_stake(kept: KeptList) -> float:
    """Of each of those to be contacted, on average."""
    rows = pd.read_parquet(kept.folder / ROWS, columns=["arm", "at_stake"])
    return float(rows.loc[rows["arm"] == TREATED, "at_stake"].mean())


__all__ = ["ShareBrought", "share_brought"]
