"""How well were purchases and value expected? Ranking, level and error per customer."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

FloatArray = npt.NDArray[np.floating[Any]]

POWER = 1.5
TINY = 1e-9


def normalised_gini(actual: FloatArray, expected: FloatArray) -> float:
    """How well `expected` puts customers in the order of `actual`: 1 perfect, 0 no better than chance.

    The area between the curve of cumulative actual amounts and the diagonal, customers in falling order of what was
    expected, over the same area in falling order of what came. Customers of whom the same was expected share what
    they brought, so that the order of ties says nothing. NaN where nothing was bought, or everybody brought the same.
    """
    actual = np.asarray(actual, dtype="float64")
    total = actual.sum()
    if not len(actual) or total <= 0:
        return float("nan")
    best = _area(actual, actual)
    if best <= TINY:
        return float("nan")
    shared = pd.Series(actual).groupby(np.asarray(expected, dtype="float64")).transform("mean").to_numpy()
    return _area(shared, expected) / best


def _area(amounts: FloatArray, order_by: FloatArray) -> float:
    falling = amounts[np.argsort(-np.asarray(order_by), kind="stable")]
    shares = np.cumsum(falling) / falling.sum()
    return float(shares.mean() - 0.5 - 0.5 / len(amounts))


def mean_absolute_error(actual: FloatArray, expected: FloatArray) -> float:
    """The mean distance per customer.

    The median of what may come makes it smallest, not the mean: where most customers buy nothing it rewards expecting
    too little, and is to be read beside the total.
    """
    return float(np.abs(np.asarray(actual) - np.asarray(expected)).mean())


def total_ratio(actual: FloatArray, expected: FloatArray) -> float:
    """What was expected of all, over what came: 1.05 is 5 % too much. NaN where nothing came."""
    came = float(np.sum(actual))
    return float(np.sum(expected)) / came if came > 0 else float("nan")


def count_deviance(actual: FloatArray, expected: FloatArray) -> float:
    """Mean Poisson deviance of counts: smallest for the true means; it judges ranking and level at once."""
    y, mean = np.maximum(np.asarray(actual, dtype="float64"), 0.0), np.maximum(expected, TINY)
    ratio = np.where(y > 0, y / mean, 1.0)
    return float(2 * np.mean(y * np.log(ratio) - y + mean))


def value_deviance(actual: FloatArray, expected: FloatArray) -> float:
    """Mean Tweedie deviance (power 1.5) of amounts: many zeros, a long tail; amounts below zero count as zero."""
    y = np.maximum(np.asarray(actual, dtype="float64"), 0.0)
    least = max(1e-3 * float(y.mean()), TINY)  # nobody is expected to bring nothing at all
    mean = np.maximum(expected, least)
    of_actual = y ** (2 - POWER) / ((1 - POWER) * (2 - POWER))
    of_both = y * mean ** (1 - POWER) / (1 - POWER)
    of_mean = mean ** (2 - POWER) / (2 - POWER)
    return float(2 * np.mean(of_actual - of_both + of_mean))


def all_measures(actual: FloatArray, expected: FloatArray, *, counts: bool) -> dict[str, float]:
    """gini, mae, total and deviance of one candidate."""
    return {
        "gini": normalised_gini(actual, expected),
        "mae": mean_absolute_error(actual, expected),
        "total": total_ratio(actual, expected),
        "deviance": (count_deviance if counts else value_deviance)(actual, expected),
    }
