"""How well were chances expected? Order, level and error, where the outcome is that something came or did not.

`actual` is 1 for whom it came and 0 for whom it did not, `chance` what was expected of each. Customers of whom the
same was expected are one place in the order: what they brought is shared among them, so that the order of ties says
nothing.
"""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
import pandas as pd

from crm.measures.amounts import FloatArray

BINS = 10
LEVEL = 0.95


def auc(actual: FloatArray, chance: FloatArray) -> float:
    """The share of pairs, one for whom it came and one for whom it did not, in the right order; a tie counts half.

    1 is perfect, 0.5 no better than chance. NaN where it came for nobody or for everybody.
    """
    came, others = _per_place(actual, chance)
    if not came.sum() or not others.sum():
        return float("nan")
    above = np.cumsum(came) - came
    return float((others * (above + came / 2)).sum() / (came.sum() * others.sum()))


def average_precision(actual: FloatArray, chance: FloatArray) -> float:
    """The mean share that came among all down to a place in the order, over those for whom it came.

    1 is perfect, the share for whom it came no better than chance. NaN where it came for nobody or for everybody.
    """
    came, others = _per_place(actual, chance)
    if not came.sum() or not others.sum():
        return float("nan")
    precision = np.cumsum(came) / np.cumsum(came + others)
    return float((came * precision).sum() / came.sum())


def capture(actual: FloatArray, chance: FloatArray, share: float = 0.1) -> float:
    """Of those for whom it came, the share found among the highest `share` of all. NaN where it came for nobody."""
    came, others = _per_place(actual, chance)
    if not came.sum():
        return float("nan")
    reached = np.concatenate([[0.0], np.cumsum(came + others)])
    found = np.concatenate([[0.0], np.cumsum(came)])
    return float(np.interp(share * reached[-1], reached, found) / came.sum())


def lift(actual: FloatArray, chance: FloatArray, share: float = 0.1) -> float:
    """How many times more often it came among the highest `share` than among all. NaN where it came for nobody."""
    return capture(actual, chance, share) / share


def brier(actual: FloatArray, chance: FloatArray) -> float:
    """The mean squared distance between what came and its chance: 0 is perfect. NaN without customers."""
    actual = np.asarray(actual, dtype="float64")
    return float(((actual - np.asarray(chance, dtype="float64")) ** 2).mean()) if len(actual) else float("nan")


def expected_calibration_error(actual: FloatArray, chance: FloatArray, bins: int = BINS) -> float:
    """The mean distance between the chance of a bin and the share that came in it, weighted by the bin's customers.

    Bins are of equal count in the order of the chance, and customers of the same chance are in the same bin: there
    are fewer bins where many chances are equal, and one where all are. Chance alone makes it about
    0.8 * sqrt(share * (1 - share) / customers of a bin), so that small groups never reach 0. NaN without customers.
    """
    customers, expected, came = _binned(actual, chance, bins)
    return float(np.abs(expected - came).sum() / customers.sum()) if customers.sum() else float("nan")


def calibration_table(actual: FloatArray, chance: FloatArray, bins: int = BINS) -> pd.DataFrame:
    """One row per bin, the lowest chance first: bin (from 1), customers, expected, came, low and high.

    low to high is Wilson's interval of 95 % around the share that came. The bins are those of
    `expected_calibration_error`; a bin that nobody is in has no row.
    """
    customers, expected, came = _binned(actual, chance, bins)
    there = np.flatnonzero(customers)
    customers, expected, came = customers[there], expected[there], came[there]
    low, high = wilson(came, customers)
    return pd.DataFrame(
        {
            "bin": there + 1,
            "customers": customers.astype("int64"),
            "expected": expected / customers,
            "came": came / customers,
            "low": low,
            "high": high,
        }
    )


def wilson(came: FloatArray, customers: FloatArray, level: float = LEVEL) -> tuple[FloatArray, FloatArray]:
    """Wilson's interval (1927) around the share `came / customers`: within 0 and 1, and honest for few customers."""
    z = NormalDist().inv_cdf(0.5 + level / 2)
    n = np.asarray(customers, dtype="float64")
    share = np.asarray(came, dtype="float64") / n
    middle = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    return np.maximum(middle - half, 0.0), np.minimum(middle + half, 1.0)


def _per_place(actual: FloatArray, chance: FloatArray) -> tuple[FloatArray, FloatArray]:
    """For how many it came, and for how many not, at each place of the order, the highest chance first."""
    actual = np.asarray(actual, dtype="float64")
    _, place, customers = np.unique(-np.asarray(chance, dtype="float64"), return_inverse=True, return_counts=True)
    came = np.bincount(place, weights=actual).astype("float64")
    return came, customers - came


def _binned(actual: FloatArray, chance: FloatArray, bins: int) -> tuple[FloatArray, FloatArray, FloatArray]:
    """For each bin its customers, the sum of their chances, and for how many it came.

    A customer's bin is that of the middle of the place that customers of the same chance share.
    """
    chances, place, customers = np.unique(
        np.asarray(chance, dtype="float64"), return_inverse=True, return_counts=True
    )
    came = np.bincount(place, weights=actual)
    middle = np.cumsum(customers) - customers / 2
    at = np.minimum((middle / max(len(place), 1) * bins).astype("int64"), bins - 1)
    sums = (np.bincount(at, weights=one, minlength=bins) for one in (customers, customers * chances, came))
    counted, expected, found = (one.astype("float64") for one in sums)
    return counted, expected, found
