"""Rules of thumb: what a manager would go by without a model. They put customers in an order and tell no chance."""

from __future__ import annotations

import numpy as np
import pandas as pd

from crm.purchase_models.fitting import fit_purchase_model
from crm.purchase_models.histories import FloatArray, Histories

SINCE = "Days since the last purchase"
OVERDUE = "Silence over the usual gap"
ALIVE = "BG/NBD, not alive"
RULES = (SINCE, OVERDUE, ALIVE)


def by_rules(known: pd.DataFrame, everybody: pd.DataFrame) -> dict[str, FloatArray]:
    """Higher: likelier to leave; one entry per row of `known`.

    everybody: the whole snapshot of the date, to whose purchases BG/NBD is fitted; where the data do not determine
    it, it is left out. Whoever bought on one day only has no usual gap: the median of the others stands in for it.
    """
    since = known["days_since_last_purchase"].to_numpy(dtype="float64")
    usual = known["usual_gap"].astype("float64")
    usual = usual.fillna(usual.median()).fillna(1.0).clip(lower=1.0)
    orders: dict[str, FloatArray] = {SINCE: since, OVERDUE: since / usual.to_numpy()}
    if model := fit_purchase_model("BG/NBD", Histories.of(everybody).grouped()).model:
        orders[ALIVE] = 1.0 - np.asarray(model.probability_alive(Histories.of(known)))
    return orders
