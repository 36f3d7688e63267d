"""What does the time of the year do to a total? By how far the purchase models were off a year ago.

Purchase models know no season: before Christmas they expect too little, after it too much. Fifty-two weeks ago lies
in the same season, and what came then is known.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np

from crm.errors import NotEnoughData
from crm.facts import Facts
from crm.periods import date_of, day_number
from crm.purchase_models.fitting import fit_purchase_model
from crm.purchase_models.histories import FloatArray, Histories
from crm.snapshots import labelled_snapshot

YEAR = 364
"""Whole weeks, so that weekdays meet."""

FEWEST_DAYS_BEFORE = 182
"""History before the year-ago date: of customers who are all new, a model cannot know how many will stay."""

LEAST, MOST = 0.5, 2.0
FAST = ("BG/NBD", "MBG/NBD", "MBG/CNBD-k")


@dataclass(frozen=True)
class Season:
    """What came over what the purchase models expected a year ago, of purchase days and of net sales."""

    purchases: float
    value: float

    def of(self, what: str) -> float:
        """By name: "purchases" or "value"."""
        return self.purchases if what == "purchases" else self.value


def season_of(facts: Facts, date: dt.date, days: int) -> Season | None:
    """The season of the `days` from `date` on, as of a year ago; None where nothing is known of it."""
    ago = date_of(day_number(date) - YEAR)
    enough = day_number(ago) - facts.first_day >= FEWEST_DAYS_BEFORE
    if not enough or days > YEAR or day_number(ago) + days > min(day_number(date), facts.last_day + 1):
        return None
    try:
        known = labelled_snapshot(facts, ago, horizon_days=days)
    except NotEnoughData:
        return None
    expected = _expected(Histories.of(known), days)
    if expected is None:
        return None
    each = known["net_sales_ever"].to_numpy(dtype="float64") / known["purchase_days"].to_numpy(dtype="float64")
    return Season(
        purchases=_ratio(float(known["purchase_days_next"].sum()), float(expected.sum())),
        value=_ratio(float(known["net_sales_next"].sum()), float((expected * np.maximum(each, 0.0)).sum())),
    )


def _expected(histories: Histories, days: int) -> FloatArray | None:
    """The mean of the purchase models that are fitted fast."""
    groups = histories.grouped()
    models = [model for name in FAST if (model := fit_purchase_model(name, groups).model)]
    if not models:
        return None
    mean: FloatArray = np.mean([model.expected_purchases(histories, days) for model in models], axis=0)
    return mean


def _ratio(came: float, expected: float) -> float:
    return float(np.clip(came / expected, LEAST, MOST)) if expected > 0 and came > 0 else 1.0
