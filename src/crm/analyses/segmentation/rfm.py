"""RFM: how recently, how often and for how much does each customer buy, and what is such a customer called?

Recency is the days since the last purchase, frequency the purchase days and monetary value the net sales of the last
365 days. Each is scored from 1 (worst fifth) to 5 (best fifth) among the customers who bought within these 365 days.
After A. M. Hughes, Strategic Database Marketing (1994); the names follow the grid of recency against the mean of
frequency and monetary value that practice has settled on.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

BEST = 5
"""The best score; the worst is 1."""


@dataclass(frozen=True)
class RfmSegment:
    """A named part of the grid: what such customers have in common, and what to do about them."""

    name: str
    meaning: str
    action: str


RFM_SEGMENTS: tuple[RfmSegment, ...] = (
    RfmSegment(
        "Champions",
        "among the most recent, most frequent and biggest buyers",
        "Thank them and ask them to recommend; give early access and service, not discounts.",
    ),
    RfmSegment(
        "Loyal",
        "buy often and for much, the last time about as recently as most",
        "Keep them coming: reward regularity and suggest what similar customers buy besides.",
    ),
    RfmSegment(
        "Potential loyalists",
        "bought recently; how often and for how much is middling",
        "Give a reason for the next visit: a membership, a second category, a regular order.",
    ),
    RfmSegment(
        "Recent",
        "bought very recently, and little in the year: newcomers, or seldom buyers who just came by",
        "Welcome them and make the next purchase easy; ask what they came for.",
    ),
    RfmSegment(
        "Promising",
        "bought fairly recently, and little in the year",
        "Make them aware of the range with a small, well-aimed offer.",
    ),
    RfmSegment(
        "Needs attention",
        "middling in everything",
        "Remind them with an offer on what they usually buy, limited in time.",
    ),
    RfmSegment(
        "About to sleep",
        "buy little, the last time about as recently as most",
        "Remind them cheaply, by e-mail, of what they liked; spend no more than that.",
    ),
    RfmSegment(
        "At risk",
        "buy often or for much, and have been away longer than most",
        "Win them back personally: ask what went wrong, and offer what they used to buy.",
    ),
    RfmSegment(
        "Cannot lose",
        "among the most frequent and biggest buyers, and have been away longer than most",
        "Call them: one by one, by someone who can put things right.",
    ),
    RfmSegment(
        "Hibernating",
        "buy little, and have been away longer than most",
        "Leave them in cheap channels; try one offer a season.",
    ),
    RfmSegment(
        "Lost",
        "buy least and have been away longest, or bought nothing in the last 365 days",
        "Do not spend on them; ask a few why they left.",
    ),
)

_GRID = """
recency  1            2               3                4                    5
5        Recent       Potential       Potential        Champions            Champions
4        Promising    Potential       Potential        Loyal                Champions
3        Sleep        Sleep           Attention        Loyal                Loyal
2        Hibernating  Hibernating     Risk             Risk                 Cannot
1        Lost         Hibernating     Risk             Risk                 Cannot
"""
"""The name by recency score (down) and by the mean of the other two scores, halves rounded up (across)."""

_SHORT = {
    "Potential": "Potential loyalists", "Sleep": "About to sleep", "Attention": "Needs attention",
    "Risk": "At risk", "Cannot": "Cannot lose",
}  # fmt: skip


def _read_grid() -> dict[tuple[int, int], str]:
    header, *rows = (line.split() for line in _GRID.strip().splitlines())
    return {
        (int(recency), int(value)): _SHORT.get(name, name)
        for recency, *names in rows
        for value, name in zip(header[1:], names, strict=True)
    }


NAME_OF = _read_grid()
"""The segment's name by (recency score, score of frequency and monetary value)."""


def score_rfm(snapshot: pd.DataFrame) -> pd.DataFrame:
    """Where does each customer stand, and in which segment?

    One row per row of the snapshot, in its order: customer_id; days_since_last_purchase, purchase_days_365d,
    net_sales_365d; recency, frequency, monetary and value (the mean of the last two) as scores from 1 to 5;
    rfm_cell such as "543"; rfm_segment.

    Customers who bought nothing in the last 365 days get 1 on all three, and the others are scored among themselves.
    """
    measures = snapshot[["customer_id", "days_since_last_purchase", "purchase_days_365d", "net_sales_365d"]]
    bought = (snapshot["purchase_days_365d"] > 0).to_numpy()
    scores = {
        "recency": _scores(-snapshot["days_since_last_purchase"], bought),
        "frequency": _scores(snapshot["purchase_days_365d"], bought),
        "monetary": _scores(snapshot["net_sales_365d"], bought),
    }
    scored = measures.assign(**scores)
    scored["value"] = value_score(scored["frequency"], scored["monetary"])
    cells = scored[["recency", "frequency", "monetary"]].astype("str")
    scored["rfm_cell"] = cells["recency"] + cells["frequency"] + cells["monetary"]
    keys = zip(scored["recency"], scored["value"], strict=True)
    return scored.assign(rfm_segment=pd.Series([NAME_OF[key] for key in keys], index=scored.index, dtype="str"))


def value_score(frequency: pd.Series[int], monetary: pd.Series[int]) -> pd.Series[int]:
    """The mean of the two scores, halves rounded up."""
    return (frequency + monetary + 1) // 2


def quintile(values: pd.Series[float]) -> pd.Series[int]:
    """The fifth in which each value lies, from 1 (lowest) to 5.

    Equal values get equal scores, whatever the order of the rows: a value stands at the middle of all that equal it.
    Where all are equal, all get 3.
    """
    middle = (values.rank(method="average") - 0.5) / max(len(values), 1)
    return (middle * BEST).astype("int64").clip(upper=BEST - 1) + 1


def rfm_grid(scored: pd.DataFrame) -> pd.DataFrame:
    """How many customers stand in each of the 25 cells of the grid?

    One row per cell, best recency first: recency, value, segment, customers, net_sales (currency, 365 days).
    """
    found = scored.groupby(["recency", "value"]).agg(
        customers=("customer_id", "size"), net_sales=("net_sales_365d", "sum")
    )
    cells = pd.DataFrame(
        [(recency, value, name) for (recency, value), name in NAME_OF.items()],
        columns=["recency", "value", "segment"],
    )
    grid = cells.merge(found.reset_index(), on=["recency", "value"], how="left")
    return grid.fillna({"customers": 0, "net_sales": 0.0}).astype({"customers": "int64"})


def _scores(values: pd.Series[float], bought: np.ndarray) -> pd.Series[int]:
    scores = pd.Series(1, index=values.index, dtype="int64")
    scores[bought] = quintile(values[bought])
    return scores
