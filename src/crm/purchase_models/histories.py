"""What the purchase models know of a customer: how often, how long, how long ago, how regularly.

Customers with the same frequency, recency and T look the same to every model here, so that they are fitted and scored
once for all of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from crm.errors import CrmError

FloatArray: TypeAlias = npt.NDArray[np.floating[Any]]
IntArray: TypeAlias = npt.NDArray[np.integer[Any]]


@dataclass(frozen=True, eq=False)
class Histories:
    """One entry per customer, in days.

    `frequency`: repeat purchase days (whole numbers); `recency`: from the first to the last purchase day; `T`: from
    the first purchase day to the as-of date; `mean_log_gap`: mean natural logarithm of the gaps between purchase days
    (NaN or 0 for one-time buyers). A missing or infinite number, a recency beyond T, and a one-time buyer whose last
    purchase is not the first are refused.
    """

    frequency: IntArray
    recency: FloatArray
    T: FloatArray
    mean_log_gap: FloatArray

    def __post_init__(self) -> None:
        sizes = {len(self.frequency), len(self.recency), len(self.T), len(self.mean_log_gap)}
        if len(sizes) > 1:
            raise _wrong(f"columns of {sorted(sizes)} entries", "one entry per customer in each column")
        late = ~(self.recency <= self.T) | ~(self.recency >= 0) | ~np.isfinite(self.T)
        _refuse(late, "recency must lie between 0 and T, and T must be a number")
        once = (self.frequency == 0) & (self.recency > 0)
        _refuse(once | (self.frequency < 0), "a frequency is 0 or more, and with 0 the recency is 0")
        _refuse((self.frequency > 0) & (self.recency == 0), "who bought on a second day has a recency above 0")
        _refuse((self.frequency > 0) & ~np.isfinite(self.mean_log_gap), "who bought again has a mean_log_gap")

    def __len__(self) -> int:
        return len(self.frequency)

    @classmethod
    def of(cls, snapshot: pd.DataFrame) -> Histories:
        """From the columns frequency, recency, T and mean_log_gap of a snapshot, in its order."""
        missing = snapshot["frequency"].isna()
        _refuse(missing.to_numpy(dtype=bool), "every customer has a frequency")
        return cls(
            frequency=snapshot["frequency"].to_numpy(dtype="int64"),
            recency=_floats(snapshot["recency"]),
            T=_floats(snapshot["T"]),
            mean_log_gap=_floats(snapshot["mean_log_gap"]),
        )

    def take(self, places: Any) -> Histories:
        """The customers at these places: a slice, positions, or a mask."""
        return Histories(self.frequency[places], self.recency[places], self.T[places], self.mean_log_gap[places])

    def grouped(self) -> Grouped:
        """The distinct (frequency, recency, T), in that order, and who belongs to which."""
        place, first = _places(self.frequency, self.recency, self.T)
        order = np.lexsort((self.T[first], self.recency[first], self.frequency[first]))
        rank = np.empty_like(order)
        rank[order] = np.arange(len(order))
        place, first = rank[place], first[order]
        sums = np.where(self.frequency > 0, self.mean_log_gap, 0.0) * self.frequency
        return Grouped(
            frequency=self.frequency[first],
            recency=self.recency[first],
            T=self.T[first],
            weight=np.bincount(place, minlength=len(first)).astype("float64"),
            log_gaps=np.bincount(place, weights=sums, minlength=len(first)).astype("float64"),
            place=place,
        )


@dataclass(frozen=True, eq=False)
class Grouped:
    """The distinct histories: one entry per group, but `place`, which has one per customer.

    `weight`: customers of the group; `log_gaps`: the sum, over the group's customers and their gaps, of the natural
    logarithms of the gaps; `place`: which group each customer is in.
    """

    frequency: IntArray
    recency: FloatArray
    T: FloatArray
    weight: FloatArray
    log_gaps: FloatArray
    place: IntArray

    def __len__(self) -> int:
        return len(self.frequency)

    @property
    def customers(self) -> float:
        """How many customers there are, or what their weights add up to."""
        return float(self.weight.sum())

    @property
    def repeat_buyers(self) -> float:
        """How many customers bought on a second day."""
        return float(self.weight[self.frequency > 0].sum())

    def weighted(self, weights: FloatArray) -> Grouped:
        """The same groups with other weights, one per group; a group of weight 0 is left out, and `place` is emptied.

        A Bayesian bootstrap draws them as `rng.gamma(grouped.weight)`: the sum of as many exponential draws as the
        group has customers, exactly as if each customer had been weighted.
        """
        if len(weights) != len(self):
            raise _wrong(f"{len(weights)} weights for {len(self)} groups", "one weight per group")
        _refuse(~(np.isfinite(weights) & (weights >= 0)), "a weight is a number of 0 or more")
        kept = weights > 0
        gaps = self.log_gaps[kept] * (weights[kept] / self.weight[kept])
        nobody = np.empty(0, dtype="int64")
        return Grouped(
            self.frequency[kept], self.recency[kept], self.T[kept], weights[kept].astype("float64"), gaps, nobody
        )

    def sample(self, customers: int) -> Grouped:
        """About so many customers, evenly spaced in the order of the groups: the same ones each time."""
        if self.customers <= customers:
            return self
        ends = np.cumsum(self.weight)
        wanted = (np.arange(customers) + 0.5) * ends[-1] / customers
        drawn = np.bincount(np.searchsorted(ends, wanted), minlength=len(self))[: len(self)]
        return self.weighted(drawn.astype("float64"))

    def take(self, places: Any) -> Grouped:
        """The groups at these places: a slice, positions, or a mask; without `place`."""
        columns = (self.frequency, self.recency, self.T, self.weight, self.log_gaps)
        frequency, recency, known, weight, log_gaps = (column[places] for column in columns)
        return Grouped(frequency, recency, known, weight, log_gaps, self.place[:0])

    def parts(self) -> Iterator[Grouped]:
        """The groups, some at a time and without `place`, so that memory stays bounded; at least one part."""
        for start in range(0, max(len(self), 1), GROUPS_AT_ONCE):
            yield self.take(slice(start, start + GROUPS_AT_ONCE))


GROUPS_AT_ONCE = 32_768


def weighted_sum(weights: FloatArray, values: FloatArray) -> float:
    """The sum of products, added up in one order whatever the machine: a matrix product's depends on its threads."""
    return float((weights * values).sum())


def _places(*columns: npt.NDArray[Any]) -> tuple[IntArray, IntArray]:
    """Which distinct combination each row is, numbered as they first appear, and the row of each first appearance."""
    place = np.zeros(len(columns[0]), dtype="int64")
    for column in columns:
        codes, values = pd.factorize(column)
        place, _ = pd.factorize(place * max(len(values), 1) + codes)
    first = np.flatnonzero(np.diff(np.maximum.accumulate(place), prepend=-1))
    return place, first


def _floats(column: pd.Series[Any]) -> FloatArray:
    return column.to_numpy(dtype="float64", na_value=np.nan)


def _refuse(wrong: npt.NDArray[np.bool_], rule: str) -> None:
    if wrong.any():
        raise _wrong(f"{int(wrong.sum()):,} customers or groups, first at place {int(np.argmax(wrong))}", rule)


def _wrong(found: str, rule: str) -> CrmError:
    return CrmError(f"A purchase history is one that can be: {rule}.", found=found, do="Correct the columns.")
