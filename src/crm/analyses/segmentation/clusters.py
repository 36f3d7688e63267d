"""How many segments by behaviour are there, and where do they lie?

KMeans for each number of segments from 2 to 8, judged twice: do the segments stand apart (silhouette), and do they
come out again when a part of the customers is left out (stability)?
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score, silhouette_samples
from threadpoolctl import threadpool_limits

from crm.analyses.segmentation.model import FittedTrait, positions_of
from crm.analyses.segmentation.nearest_centre import DECIMALS, nearest
from crm.measures.intervals import ERRORS

NUMBERS_TRIED = range(2, 9)
FEWEST_TOLD_APART = 3
"""Two segments say no more than "buys more" and "buys less": shown, and chosen only where nothing else is stable."""

STABLE = 0.8
"""Mean adjusted Rand index of refits from which segments count as the same: of two customers who are together, about
nine in ten stay together."""

AS_GOOD = 0.95
"""A silhouette of at least this share of the best counts as good as the best; then more segments say more."""

REFITS = 30
KEPT_BY_A_REFIT = 0.8
FEWEST_PER_SEGMENT = 10
LARGEST_FIT, LARGEST_CHOICE = 50_000, 4_000
"""Customers looked at: for the centres, and for each number tried; both come out the same with more."""

_CHOICE_COLUMNS = {
    "k": "int64", "silhouette": "float64", "silhouette_low": "float64", "silhouette_high": "float64",
    "silhouette_by_chance": "float64", "stability": "float64", "stability_low": "float64",
    "stability_high": "float64", "inertia": "float64", "smallest": "int64", "chosen": "bool",
}  # fmt: skip


@dataclass(frozen=True)
class Clusters:
    """Centres, largest segment first, and how their number was chosen.

    choice: one row per number tried, `choose` tells the columns; empty where there were too few customers.
    """

    centres: np.ndarray
    choice: pd.DataFrame


def find_clusters(table: pd.DataFrame, traits: Sequence[FittedTrait], *, seed: int, k: int | None = None) -> Clusters:
    """Segments of the rows of a behaviour table; with `k` given, that many, without a choice.

    Beyond 50,000 customers a sample of them is looked at, 4,000 for the choice. One segment where there are fewer
    than 20 customers, or none differs from another. Equal rows and an equal seed give equal centres, whatever the
    number of threads.
    """
    with threadpool_limits(1):
        points = _sample(positions_of(table, traits), LARGEST_FIT, seed)
        possible = _possible(points)
        if k is not None:
            possible = [min(k, max(possible, default=1))]
        choice = pd.DataFrame(columns=list(_CHOICE_COLUMNS)).astype(_CHOICE_COLUMNS)
        if k is None and possible:
            choice = choose(_sample(points, LARGEST_CHOICE, seed), possible, seed=seed)
            possible = [int(choice.loc[choice["chosen"], "k"].iloc[0])]
        return Clusters(_centres(points, possible[0] if possible else 1, seed), choice)


def choose(points: np.ndarray, numbers: Sequence[int], *, seed: int) -> pd.DataFrame:
    """How well do k segments stand apart, and do they come out again? And which k follows from that?

    One row per k: silhouette with its 95 % interval (over customers), and what KMeans gets where each trait is
    shuffled by itself (silhouette_by_chance); stability, the mean adjusted Rand index between the segments of all and
    those found from 80 % of the customers, with the interval that holds nine in ten of the refits; inertia; customers
    in the smallest segment; chosen.

    The rule: of the numbers from 3 on whose stability is at least 0.8, those whose silhouette is at least 0.95 times
    the best of these; of them the largest. Where none is stable, the most stable number.

    Source: Rousseeuw, Silhouettes (1987); Ben-Hur, Elisseeff and Guyon, A stability based method (2002).
    """
    judged = pd.DataFrame([_judge(points, k, seed=seed) for k in numbers])
    judged["chosen"] = judged["k"] == chosen_number(judged)
    return judged.astype(_CHOICE_COLUMNS)[list(_CHOICE_COLUMNS)]


def chosen_number(judged: pd.DataFrame) -> int:
    """The k that the rule of `choose` gives, from columns k, silhouette and stability."""
    stable = judged[(judged["k"] >= FEWEST_TOLD_APART) & (judged["stability"] >= STABLE)]
    if stable.empty:
        return int(judged.sort_values(["stability", "k"], ascending=[False, True])["k"].iloc[0])
    good = stable[stable["silhouette"] >= AS_GOOD * stable["silhouette"].max()]
    return int(good["k"].max())


def _judge(points: np.ndarray, k: int, *, seed: int) -> dict[str, float]:
    fitted = KMeans(k, n_init=10, random_state=seed).fit(points)
    labels = nearest(points, fitted.cluster_centers_)
    agreements = list(_agreements(points, k, labels=labels, seed=seed))
    low, high = np.quantile(agreements, [0.05, 0.95])
    return {
        "k": k,
        **_silhouette(points, labels),
        "silhouette_by_chance": _silhouette_by_chance(points, k, seed),
        "stability": float(np.mean(agreements)),
        "stability_low": float(low),
        "stability_high": float(high),
        "inertia": float(fitted.inertia_),
        "smallest": int(np.bincount(labels, minlength=k).min()),
    }


def _agreements(points: np.ndarray, k: int, *, labels: np.ndarray, seed: int) -> Iterator[float]:
    """The adjusted Rand index of each refit: does it put the same customers together?"""
    chance = np.random.default_rng(seed)
    size = round(KEPT_BY_A_REFIT * len(points))
    for refit in range(REFITS):
        kept = chance.choice(len(points), size, replace=False)
        centres = KMeans(k, n_init=5, random_state=seed + refit).fit(points[kept]).cluster_centers_
        yield float(adjusted_rand_score(labels, nearest(points, centres)))


def _silhouette(points: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    """The mean silhouette and its 95 % interval."""
    if len(set(labels)) < 2:
        return {"silhouette": 0.0, "silhouette_low": 0.0, "silhouette_high": 0.0}
    values = silhouette_samples(points, labels)
    mean, half = float(values.mean()), float(ERRORS * values.std(ddof=1) / np.sqrt(len(values)))
    return {"silhouette": mean, "silhouette_low": mean - half, "silhouette_high": mean + half}


def _silhouette_by_chance(points: np.ndarray, k: int, seed: int) -> float:
    """What KMeans finds where there is nothing to find: the same values, each trait shuffled by itself."""
    chance = np.random.default_rng(seed)
    shuffled = np.column_stack([chance.permutation(points[:, column]) for column in range(points.shape[1])])
    labels = KMeans(k, n_init=3, random_state=seed).fit(shuffled).labels_
    return _silhouette(shuffled, labels)["silhouette"]


def _centres(points: np.ndarray, k: int, seed: int) -> np.ndarray:
    """Centres, that of the largest segment first."""
    if k == 1:
        return points.mean(axis=0, keepdims=True) if len(points) else np.zeros((1, points.shape[1]))
    centres = KMeans(k, n_init=10, random_state=seed).fit(points).cluster_centers_.round(DECIMALS)
    sizes = np.bincount(nearest(points, centres), minlength=k)
    order = sorted(range(k), key=lambda place: (-sizes[place], tuple(centres[place])))
    return np.asarray(centres[order])


def _possible(points: np.ndarray) -> list[int]:
    """The numbers of segments that so many, and so different, customers can make."""
    if not points.shape[1]:
        return []
    different = len(np.unique(points, axis=0))
    return [k for k in NUMBERS_TRIED if k <= len(points) // FEWEST_PER_SEGMENT and k < different]


def _sample(rows: np.ndarray, most: int, seed: int) -> np.ndarray:
    """All rows, or that many of them in their order."""
    if len(rows) <= most:
        return rows
    chosen = np.random.default_rng(seed).choice(len(rows), most, replace=False)
    return np.asarray(rows[np.sort(chosen)])
