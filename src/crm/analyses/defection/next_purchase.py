"""When is each customer expected to buy next, so that silence is seen early?"""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd

from crm.purchase_models.histories import FloatArray, Histories
from crm.purchase_models.model import PurchaseModel

DAYS = (1, 2, 3, 5, 7, 10, 14, 18, 21, 28, 35, 42, 56, 70, 91, 120, 150, 182, 240, 300, 365)
"""Days ahead at which the chance of silence is looked at; between them it is read off a line."""

OVERDUE = 0.9
"""Of ten such customers nine would have bought again within the silence there is already."""


def expected_next_purchase(
    customers: pd.DataFrame, as_of: dt.date, model: PurchaseModel | None
) -> pd.Series[pd.Timestamp]:
    """The day by which one of two such customers has bought again; empty: later than a year, or no model."""
    nothing = pd.Series(pd.NaT, index=customers.index, dtype="datetime64[s]")
    if model is None or customers.empty:
        return nothing
    histories = Histories.of(customers)
    silence = np.column_stack([model.chance_of_no_purchase(histories, days) for days in DAYS])
    ahead = _days_until_half(silence)
    dates = pd.Timestamp(as_of) + pd.to_timedelta(np.ceil(np.nan_to_num(ahead)), unit="D")
    found = pd.Series(dates, index=customers.index).astype("datetime64[s]")
    return found.where(np.isfinite(ahead))


def overdue(customers: pd.DataFrame) -> pd.Series[bool]:
    """Whose silence is longer than nine of ten of their own gaps would be?

    Gaps are taken as Gamma-like around their mean with the spread they have; whoever has fewer than two gaps is never
    overdue: nothing is usual for them yet.
    """
    mean, spread = customers["mean_gap"].astype("float64"), customers["sd_gap"].astype("float64")
    since = customers["days_since_last_purchase"].astype("float64")
    return (since > mean + _SPREADS * spread).fillna(False).astype("bool")


_SPREADS = 1.4
"""Of a distribution between even and without memory, nine tenths lie below the mean and so many spreads."""


def _days_until_half(silence: FloatArray) -> FloatArray:
    """Where the falling chance of silence reaches one half; nan where it does not within the days looked at."""
    days = np.concatenate([[0.0], np.asarray(DAYS, dtype="float64")])
    chance = np.minimum.accumulate(np.column_stack([np.ones(len(silence)), silence]), axis=1)
    below = chance <= 0.5
    place = np.where(below.any(axis=1), below.argmax(axis=1), 0)
    rows = np.arange(len(chance))
    before, after = chance[rows, place - 1], chance[rows, place]
    part = (before - 0.5) / np.maximum(before - after, 1e-12)
    found: FloatArray = days[place - 1] + part * (days[place] - days[place - 1])
    return np.where(below.any(axis=1), found, np.nan)
