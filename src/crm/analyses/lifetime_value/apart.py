"""What sets the most valuable customers apart from the others?"""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from crm.measures.intervals import ERRORS
from crm.purchase_models.histories import FloatArray

MARKED = 0.6
"""From this chance on that one of the top tier has more of something than one of the others, it is worth telling."""

MOST_TOLD = 8
FEWEST = 5
"""Of fewer customers on either side, whose value is known, the interval is not to be trusted."""

SAYS_VALUE = ("net_sales", "purchase_days")
"""How these features begin: much was bought, and often; that the valuable ones did so is no news."""

NOT_TOLD = frozenset(
    {
        "first_day", "last_day", "frequency", "recency", "T", "mean_gap", "sd_gap", "longest_gap", "last_gap",
        "mean_log_gap", "gap_ratio", "orders_365d", "lines_365d", "units_365d", "discount_365d", "coupons_365d",
        "margin_known_365d", "sales_margin_unknown_365d",
    }
)  # fmt: skip
"""Features that say value again, or what another says in plainer words."""

_WINDOW = re.compile(r"_\d+d$")

_COLUMNS = {
    "feature": "str", "meaning": "str", "type": "str", "top": "float64", "others": "float64",
    "chance_higher": "float64", "low": "float64", "high": "float64",
}  # fmt: skip


def set_apart(snapshot: pd.DataFrame, top: pd.Series[bool], *, dictionary: pd.DataFrame) -> pd.DataFrame:
    """What does the top tier have more, or less, of than the others? At most eight features, the strongest first.

    top: one entry per row of the snapshot.     dictionary: `data_dictionary` of its mart.
    One row per feature: feature, meaning, type, top and others (means of those whose value is known), chance_higher
    (that one of the top tier has more than one of the others, equal values counting half) with its 95 % interval.
    Told is what is marked (at least 0.6, or at most 0.4) and beyond chance.
    """
    rows = []
    for feature, meaning, kind in dictionary[["feature", "meaning", "type"]].itertuples(index=False):
        if kind == "word" or feature in NOT_TOLD or feature.startswith(SAYS_VALUE):
            continue
        if found := _compare(
            snapshot[feature].to_numpy(dtype="float64", na_value=np.nan), top.to_numpy(dtype="bool")
        ):
            rows.append({"feature": feature, "meaning": meaning, "type": kind, **found})
    table = pd.DataFrame(rows, columns=list(_COLUMNS)).astype(_COLUMNS)
    strength = (table["chance_higher"] - 0.5).abs()
    told = (strength >= MARKED - 0.5) & ((table["low"] > 0.5) | (table["high"] < 0.5))
    strongest = strength[told].sort_values(ascending=False, kind="stable").index[:MOST_TOLD]
    return table.loc[strongest].reset_index(drop=True)


def chance_higher(inside: FloatArray, outside: FloatArray) -> tuple[float, float, float]:
    """The chance that one inside has more than one outside, equal values counting half, with its 95 % interval.

    The area under the ROC curve, with the interval of DeLong, DeLong & Clarke-Pearson (1988), Biometrics 44(3).
    """
    n, m = len(inside), len(outside)
    ranks = rankdata(np.concatenate([inside, outside]))
    # Of each one inside, the share of those outside who have less; and the other way round.
    above = (ranks[:n] - rankdata(inside)) / m
    below = 1 - (ranks[n:] - rankdata(outside)) / n
    chance = float(above.mean())
    half = ERRORS * float(np.sqrt(above.var(ddof=1) / n + below.var(ddof=1) / m))
    return chance, max(chance - half, 0.0), min(chance + half, 1.0)


def _compare(values: FloatArray, top: np.ndarray) -> dict[str, float] | None:
    known = np.isfinite(values)
    inside, outside = values[known & top], values[known & ~top]
    if min(len(inside), len(outside)) < FEWEST:
        return None
    chance, low, high = chance_higher(inside, outside)
    return {"top": float(inside.mean()), "others": float(outside.mean()), "chance_higher": chance, "low": low,
            "high": high}  # fmt: skip


def without_window(feature: str) -> str:
    """A feature's name in words, without the days it looks back: `order_value_365d` is order value."""
    return _WINDOW.sub("", feature).replace("_", " ")
