"""How good were lists of recommendations? Hits, order and breadth, a customer with nothing to find left out.

Every measure takes two tables with one row per customer and one column per item: `score` (what was expected; NaN or
minus infinity for an item that was no candidate) and `relevant` (what was bought). Equal scores stand in the order of
the columns.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.floating[Any]]
BoolArray = npt.NDArray[np.bool_]

PLACES = 5
PLACES_OF_RECALL = 10


def hits(score: FloatArray, relevant: BoolArray, *, k: int) -> BoolArray:
    """Was the item at each of the first `k` places relevant? One row per customer, one column per place."""
    score = np.where(np.isnan(score), -np.inf, np.asarray(score, dtype="float64"))
    order = np.argsort(-score, axis=1, kind="stable")[:, :k]
    offered = np.isfinite(np.take_along_axis(score, order, axis=1))
    found: BoolArray = np.take_along_axis(np.asarray(relevant, dtype=bool), order, axis=1) & offered
    return found


def of_each(score: FloatArray, relevant: BoolArray) -> dict[str, FloatArray]:
    """hit_rate_5, map_5, ndcg_5 and recall_10 of each customer with a relevant item, in their order.

    map_5 is the mean, over the smaller of five and the number of relevant items, of the precision at each hit;
    ndcg_5 the discounted gain over that of the best possible list; recall_10 the share of the relevant that was
    found.
    """
    some = np.asarray(relevant, dtype=bool).any(axis=1)
    score, relevant = np.asarray(score)[some], np.asarray(relevant, dtype=bool)[some]
    found = hits(score, relevant, k=PLACES_OF_RECALL).astype("float64")
    first, total = found[:, :PLACES], relevant.sum(axis=1)
    best = np.minimum(total, PLACES)
    places = np.arange(1, first.shape[1] + 1)
    precision = first.cumsum(axis=1) / places
    discount = 1 / np.log2(places + 1)
    ideal = np.concatenate([[0.0], (1 / np.log2(np.arange(1, PLACES + 1) + 1)).cumsum()])
    return {
        "hit_rate_5": first.max(axis=1, initial=0.0),
        "map_5": (precision * first).sum(axis=1) / np.maximum(best, 1),
        "ndcg_5": (first * discount).sum(axis=1) / ideal[best] if len(best) else np.empty(0),
        "recall_10": found.sum(axis=1) / np.maximum(total, 1),
    }


def all_measures(score: FloatArray, relevant: BoolArray) -> dict[str, float]:
    """The means of `of_each` and the coverage of the catalogue; NaN where no customer had anything to find."""
    each = of_each(score, relevant)
    means = {name: float(values.mean()) if len(values) else float("nan") for name, values in each.items()}
    return means | {"coverage": catalogue_coverage(score)}


def catalogue_coverage(score: FloatArray, *, k: int = PLACES) -> float:
    """The share of items that stand among the first `k` of at least one customer."""
    score = np.where(np.isnan(score), -np.inf, np.asarray(score, dtype="float64"))
    if not score.size:
        return float("nan")
    order = np.argsort(-score, axis=1, kind="stable")[:, :k]
    offered = np.isfinite(np.take_along_axis(score, order, axis=1))
    return float(len(np.unique(order[offered])) / score.shape[1])


def calibration_error(probability: FloatArray, came: BoolArray, *, groups: int = 10) -> float:
    """The mean distance between what was said and what came, over groups of equal size in the order of what was said.

    NaN without any pair.
    """
    rows = calibration(probability, came, groups=groups)
    total = sum(row["pairs"] for row in rows)
    off = sum(abs(row["said"] - row["came"]) * row["pairs"] for row in rows)
    return float(off / total) if total else float("nan")


def calibration(probability: FloatArray, came: BoolArray, *, groups: int = 10) -> list[dict[str, float]]:
    """Of those said to have about this chance, how many bought? One row per group: pairs, said, came."""
    order = np.argsort(probability, kind="stable")
    parts = [part for part in np.array_split(order, groups) if len(part)]
    return [
        {
            "pairs": len(part),
            "said": float(np.mean(np.asarray(probability)[part])),
            "came": float(np.mean(np.asarray(came)[part])),
        }
        for part in parts
    ]
