"""By which measures are chances, and amounts, judged?"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from crm.measures.amounts import FloatArray, mean_absolute_error, normalised_gini, total_ratio
from crm.measures.chances import auc, average_precision, brier, expected_calibration_error, lift
from crm.measures.resampling import Measure
from crm.review.reviewable import Kind

FEWEST_OF_EACH = 20
"""Customers for whom it came, and for whom not, below which a perfect order is no wonder."""


@dataclass(frozen=True)
class Yardstick:
    """order: the measure that a gain is shown in.   second: must not get worse.   calibration: 0 is best.

    shown: all measures of the table by date.
    """

    order: tuple[str, Measure]
    second: tuple[str, Measure]
    calibration: tuple[str, Measure]
    shown: Mapping[str, Measure]

    @property
    def paired(self) -> dict[str, Measure]:
        """The three that are compared, by name; in each, more is better."""
        name, loss = self.calibration
        return dict([self.order, self.second]) | {name: lambda actual, expected: -loss(actual, expected)}


def distance_of_total(actual: FloatArray, expected: FloatArray) -> float:
    """How far the sum of what was expected was off, as a share of what came."""
    return abs(total_ratio(actual, expected) - 1)


def error_avoided(actual: FloatArray, expected: FloatArray) -> float:
    """The mean absolute error, over that of expecting nothing of anybody, taken from 1: more is better."""
    size = float(np.abs(actual).mean()) if len(actual) else 0.0
    return 1 - mean_absolute_error(actual, expected) / size if size > 0 else math.nan


YARDSTICKS: Mapping[Kind, Yardstick] = {
    "chance": Yardstick(
        order=("AUC", auc),
        second=("average precision", average_precision),
        calibration=("expected calibration error", expected_calibration_error),
        shown={
            "AUC": auc,
            "average_precision": average_precision,
            "lift_top_tenth": lift,
            "calibration_error": expected_calibration_error,
            "brier": brier,
        },
    ),
    "amount": Yardstick(
        order=("Gini", normalised_gini),
        second=("error avoided", error_avoided),
        calibration=("distance of the total", distance_of_total),
        shown={
            "gini": normalised_gini,
            "mean_absolute_error": mean_absolute_error,
            "error_avoided": error_avoided,
            "total_expected_over_came": total_ratio,
        },
    ),
}


def highest_order(kind: Kind, actual: FloatArray, expected: FloatArray) -> float:
    """The measure of order where there are enough customers for a perfect one to be a wonder; else NaN."""
    came = int((actual > 0).sum())
    if min(came, len(actual) - came if kind == "chance" else came) < FEWEST_OF_EACH:
        return math.nan
    return YARDSTICKS[kind].order[1](actual, expected)
