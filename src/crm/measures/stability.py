"""Are the customers of today those that a model was fitted on? The population stability index, column by column.

Numbers are cut into tenths as they were then; the index compares the shares of the tenths then and now:
the sum of (now - then) * log(now / then). Below 0.1 is little, from 0.25 a column counts as moved (a custom of credit
scoring: Siddiqi, Credit Risk Scorecards, 2006). Among few customers chance alone makes it large, on average
(bins - 1) * (1 / then + 1 / now); a column counts as moved only where it is also beyond what chance makes of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import chi2

from crm.measures.amounts import FloatArray

MOVED = 0.25
TENTHS = 10
SMOOTHED = 0.5
"""Added to every count, so that a tenth that nobody is in is no infinite distance."""
BY_CHANCE = 0.999
"""A column counts as moved where chance alone would stay below its index in all but one case of a thousand."""


@dataclass(frozen=True)
class Tenths:
    """How one column was spread: `counts` of the bins between `edges`, and last of the empty values.

    Bin i holds what is above edge i-1 and at most edge i. Where many share the lowest value there is a bin below it,
    so that it is seen when a constant sinks.
    """

    edges: tuple[float, ...]
    counts: tuple[int, ...]

    @classmethod
    def of(cls, values: FloatArray) -> Tenths:
        """Those of these values; NaN is an empty one."""
        known = values[~np.isnan(values)]
        edges = _edges(known)
        return cls(edges, tuple(map(int, _counts(values, edges))))


@dataclass(frozen=True)
class Population:
    """The customers of a date, as far as their numbers tell: no customer is in it, only shares of tenths.

    `Population.of(frame)` looks at the numeric columns (true and false are 1 and 0) and at no other.
    """

    customers: int
    columns: Mapping[str, Tenths]

    @classmethod
    def of(cls, frame: pd.DataFrame) -> Population:
        """That of the rows of `frame`."""
        return cls(len(frame), {name: Tenths.of(_numbers(frame[name])) for name in _numeric(frame)})

    def as_record(self) -> dict[str, Any]:
        """As plain values, for JSON."""
        columns = {
            name: {"edges": list(tenths.edges), "counts": list(tenths.counts)}
            for name, tenths in self.columns.items()
        }
        return {"customers": self.customers, "columns": columns}

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Population:
        """What `as_record` gave."""
        columns = {
            str(name): Tenths(tuple(map(float, tenths["edges"])), tuple(map(int, tenths["counts"])))
            for name, tenths in record["columns"].items()
        }
        return cls(int(record["customers"]), columns)


def stability(then: Population, now: pd.DataFrame, *, moved_from: float = MOVED) -> pd.DataFrame:
    """One row per column of `then`, the most moved first: feature, psi, by_chance and moved.

    by_chance: what chance alone makes of the index on average. moved: from `moved_from`, and beyond chance. A column
    that is no longer in `now` counts as empty throughout; columns that are new are not looked at.
    """
    found = ((name, *_compared(tenths, _column(now, name))) for name, tenths in then.columns.items())
    rows = [(name, psi, mean, psi >= moved_from and psi > most) for name, psi, mean, most in found]
    table = pd.DataFrame(rows, columns=["feature", "psi", "by_chance", "moved"])
    types = {"feature": "str", "psi": "float64", "by_chance": "float64", "moved": "bool"}
    return table.astype(types).sort_values("psi", ascending=False, kind="stable", ignore_index=True)


def score_stability(then: FloatArray, now: FloatArray) -> float:
    """The population stability index of one column of numbers, such as a score."""
    return _compared(Tenths.of(np.asarray(then, dtype="float64")), np.asarray(now, dtype="float64"))[0]


def _compared(then: Tenths, values: FloatArray) -> tuple[float, float, float]:
    """The index, what chance makes of it on average, and at most but for one case of a thousand."""
    before, after = np.array(then.counts, dtype="float64"), _counts(values, then.edges)
    if not before.sum() or not after.sum():
        return float("nan"), float("nan"), float("nan")
    occupied = (before + after) > 0
    before, after = before[occupied], after[occupied]
    pieces = 1 / before.sum() + 1 / after.sum()
    was, is_now = _shares(before), _shares(after)
    psi = float(((is_now - was) * np.log(is_now / was)).sum())
    freedom = len(before) - 1
    return psi, freedom * pieces, float(chi2.ppf(BY_CHANCE, max(freedom, 1)) * pieces)


def _shares(counts: FloatArray) -> FloatArray:
    shares: FloatArray = (counts + SMOOTHED) / (counts + SMOOTHED).sum()
    return shares


def _edges(known: FloatArray) -> tuple[float, ...]:
    if not len(known):
        return ()
    edges = np.unique(np.quantile(known, np.arange(1, TENTHS) / TENTHS, method="inverted_cdf"))
    lowest = known.min()
    below = [np.nextafter(lowest, -np.inf)] if edges[0] == lowest else []
    return tuple(map(float, [*below, *edges]))


def _counts(values: FloatArray, edges: tuple[float, ...]) -> FloatArray:
    empty = np.isnan(values)
    bins = np.searchsorted(np.array(edges, dtype="float64"), values[~empty], side="left")
    return np.append(np.bincount(bins, minlength=len(edges) + 1), empty.sum()).astype("float64")


def _numeric(frame: pd.DataFrame) -> list[str]:
    return [str(name) for name in frame.select_dtypes(include=["number", "bool", "boolean"]).columns]


def _numbers(column: pd.Series[Any]) -> FloatArray:
    numbers: FloatArray = column.to_numpy(dtype="float64", na_value=np.nan)
    return numbers


def _column(frame: pd.DataFrame, name: str) -> FloatArray:
    return _numbers(frame[name]) if name in frame else np.full(len(frame), np.nan)
