"""Integrals of functions whose logarithm is concave, however steep: Gauss-Legendre where they are more than nothing.

Pareto/NBD is such integrals: over the day on which a customer left, and over the day of the n-th purchase. Their
closed form, differences of hypergeometric functions, is not a number for customers with a hundred purchase days.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from crm.purchase_models.histories import FloatArray

OfPlaces: TypeAlias = Callable[[FloatArray], FloatArray]

NODES = 32
PLACES, WEIGHTS = np.polynomial.legendre.leggauss(NODES)
PLACES = PLACES + 1  # from 0 to 2, in halves of the way from the top to where nothing is left
HALVINGS = 60
DEEP = 38.0
"""How far below its top, in logarithms, the function counts as nothing: e^-38 = 3e-17."""

CLOSE = 0.02
"""The ends need not be exact: this share of the way to the top too far out does no harm."""


def log_integral(log_f: OfPlaces, slope: OfPlaces, low: FloatArray, high: FloatArray) -> FloatArray:
    """The logarithm of the integral of exp(log_f) from `low` to `high`, one per entry; -inf where they are equal.

    `log_f` and its derivative `slope` take places as an array whose last axis is that of the entries.
    """
    top = _crossing(slope, low, high, 1e-6 * (1 + np.abs(high)))
    floor = log_f(top) - DEEP
    begin = _crossing(lambda place: log_f(place) - floor, top, low, None)
    end = _crossing(lambda place: log_f(place) - floor, top, high, None)
    left, right = (np.abs(edge - top) / 2 for edge in (begin, end))
    values = np.concatenate([log_f(top - left * PLACES[:, None]), log_f(top + right * PLACES[:, None])])
    highest = values.max(axis=0)
    heights = np.exp(values - highest)
    sides = (WEIGHTS[:, None] * heights.reshape(2, NODES, -1)).sum(axis=1)  # no matrix product, whose threads differ
    area = sides[0] * left + sides[1] * right
    with np.errstate(divide="ignore"):
        return np.asarray(highest + np.log(area))


def _crossing(positive: OfPlaces, start: FloatArray, stop: FloatArray, near: FloatArray | None) -> FloatArray:
    """Where, from `start` to `stop`, a function has just fallen below zero, or `stop` if it does not.

    To `near`, or else to a small share of the way from `start`.
    """
    inner, outer = np.array(start, dtype="float64"), np.array(stop, dtype="float64")
    inner = np.where(positive(outer) >= 0, outer, inner)
    for _ in range(HALVINGS):
        enough = CLOSE * np.abs(inner - start) if near is None else near
        if np.all(np.abs(outer - inner) <= enough):
            break
        middle = (inner + outer) / 2
        up = positive(middle) >= 0
        inner, outer = np.where(up, middle, inner), np.where(up, outer, middle)
    return outer
