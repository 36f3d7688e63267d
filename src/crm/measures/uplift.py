"""Does an order put those first whom a contact changes most? Gain curve, AUUC and Qini from doubly robust scores.

What a contact changes in one customer is never seen. A doubly robust score says it without bias, with much noise
(Robins, Rotnitzky and Zhao, 1994): what is expected with the contact minus what is expected without, plus what came
beyond the expectation, over the chance with which the lot gave this customer this arm. Means of such scores are
effects, however large the arms are and however wrong the expectations; a constant or a random order gains nothing.

`effects` are such scores, one per row; `score` is what they are ordered by, the highest first. Rows of the same score
are one place in the order and share what they bring. `within` names groups (campaigns, folds) each of which is
ordered by itself, so that differences between campaigns are no merit of the order. Intervals are by bootstrap over
`customers`: one who is in several campaigns is drawn with all of them, or not at all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from crm.measures.amounts import FloatArray

DRAWS = 400
LEVEL = 0.95
SHARES = tuple(round(0.05 * step, 2) for step in range(21))

Ints = npt.NDArray[np.int64]


def doubly_robust(
    outcome: FloatArray,
    treated: FloatArray,
    share: FloatArray,
    *,
    expected_treated: FloatArray | float = 0.0,
    expected_held_out: FloatArray | float = 0.0,
) -> FloatArray:
    """One score per row, whose mean is the mean effect of treating.

    treated: 1 or 0; share: the share of the row's own experiment that was treated. What is expected must come from
    other customers than the row's.
    """
    y, t, p = (np.asarray(one, dtype="float64") for one in (outcome, treated, share))
    one, none = np.asarray(expected_treated, dtype="float64"), np.asarray(expected_held_out, dtype="float64")
    scores: FloatArray = one - none + t * (y - one) / p - (1 - t) * (y - none) / (1 - p)
    return scores


@dataclass(frozen=True)
class Judge:
    """The rows of experiments, ready to judge any number of orders by the same draws of customers.

    Without rows, every number is NaN.
    """

    effects: FloatArray = field(repr=False)
    customers: npt.NDArray[Any] = field(repr=False)
    within: npt.NDArray[Any] | None = field(default=None, repr=False)
    seed: int = 0
    draws: int = DRAWS

    def place(self, score: FloatArray, weights: FloatArray | None = None) -> FloatArray:
        """The place of each row, from 0 (first) to 1: the middle of the rows of its score, within its group."""
        return _Order.of(score, self.within).place(np.ones(len(self.effects)) if weights is None else weights)

    def gain_curve(self, score: FloatArray, shares: Sequence[float] = SHARES) -> pd.DataFrame:
        """share and gain: what contacting the first `share` of every group brings, per row of all; low and high."""
        return self.policy_curve(score, 0.0, shares).rename(columns={"profit": "gain"})[
            ["share", "gain", "low", "high"]
        ]

    def auuc(self, score: FloatArray) -> float:
        """The area under the gain curve: the mean gain over all shares; of a random order half the mean effect."""
        return _mean(self.effects * (1 - self.place(score)))

    def qini(self, score: FloatArray) -> float:
        """The area between the gain curve and the straight line to its end: 0 of a random or a constant order."""
        return _mean(self.effects * (0.5 - self.place(score)))

    def ate(self) -> tuple[float, float, float]:
        """The mean effect of all, low and high."""
        drawn = [_mean(self.effects, weights) for weights in self._weights()]
        return _with_interval(_mean(self.effects), drawn)

    def table(self, scores: Mapping[str, FloatArray], *, over: str = "") -> pd.DataFrame:
        """One row per order: ranking, auuc, auuc_low, auuc_high, qini, qini_low, qini_high.

        over: the name of one of them; then also gain, gain_low, gain_high: by how much the Qini of each is above its.
        """
        ates = np.array([_mean(self.effects, weights) for weights in self._weights()])
        drawn = {name: self._drawn(score) for name, score in scores.items()}
        found = {name: self.qini(score) for name, score in scores.items()}
        rows = []
        for name, score in scores.items():
            row = [name, *_with_interval(self.auuc(score), drawn[name] + ates / 2)]
            row += _with_interval(found[name], drawn[name])
            if over:
                row += _with_interval(found[name] - found[over], drawn[name] - drawn[over])
            rows.append(row)
        columns = ["ranking", *(f"{what}{end}" for what in ("auuc", "qini", "gain") for end in ("", "_low", "_high"))]
        return pd.DataFrame(rows, columns=columns if over else columns[:7])

    def gain(self, ours: FloatArray, theirs: FloatArray) -> tuple[float, float, float]:
        """By how much the Qini of ours is above that of theirs, low and high, both on the same draws."""
        row = self.table({"ours": ours, "theirs": theirs}, over="theirs").iloc[0]
        return float(row["gain"]), float(row["gain_low"]), float(row["gain_high"])

    def policy_curve(
        self, score: FloatArray, cost: FloatArray | float, shares: Sequence[float] = SHARES
    ) -> pd.DataFrame:
        """share and profit: what contacting the first `share` of every group brings minus its cost, per row of all.

        low, high: its interval. over_all, over_all_low, over_all_high: the same minus that of contacting everybody.
        """
        net = self.effects - cost
        order = _Order.of(score, self.within)
        found = _curve(order, net, np.ones(len(net)), shares)
        drawn = np.array([_curve(order, net, weights, shares) for weights in self._weights()])
        drawn = drawn.reshape(-1, len(shares))
        whole = _mean(net)
        of_all = np.array([_mean(net, weights) for weights in self._weights()])
        rows = [
            (
                share,
                *_with_interval(float(found[at]), drawn[:, at]),
                *_with_interval(float(found[at]) - whole, drawn[:, at] - of_all),
            )
            for at, share in enumerate(shares)
        ]
        columns = ["share", "profit", "low", "high", "over_all", "over_all_low", "over_all_high"]
        return pd.DataFrame(rows, columns=columns)

    def mean_of(self, some: npt.NDArray[np.bool_]) -> tuple[float, float, float]:
        """The mean effect of some rows, low and high."""
        drawn = [_mean(self.effects[some], weights[some]) for weights in self._weights()]
        return _with_interval(_mean(self.effects[some]), drawn)

    def _drawn(self, score: FloatArray) -> FloatArray:
        """The Qini in each draw."""
        order = _Order.of(score, self.within)
        drawn = [_mean(self.effects * (0.5 - order.place(weights)), weights) for weights in self._weights()]
        return np.asarray(drawn, dtype="float64")

    def _weights(self) -> Iterator[FloatArray]:
        """How often each row is drawn, the same in every call."""
        number, times = self._draws
        for once in times:
            yield once[number].astype("float64")

    @cached_property
    def _draws(self) -> tuple[Ints, npt.NDArray[np.int16]]:
        """The number of each row's customer, and how often each customer is in each draw."""
        _, number = np.unique(self.customers, return_inverse=True)
        count = int(number.max(initial=-1)) + 1
        rng = np.random.default_rng(self.seed)
        times = [
            np.bincount(rng.integers(0, count, count), minlength=count) for _ in range(self.draws if count else 0)
        ]
        return number, np.asarray(times, dtype="int16").reshape(len(times), count)


@dataclass(frozen=True)
class _Order:
    """Rows in the order of a score, group by group. starts: of each place of equal scores; opens: of each group."""

    rows: Ints
    starts: Ints
    opens: Ints

    @classmethod
    def of(cls, score: FloatArray, within: npt.NDArray[Any] | None) -> _Order:
        score = np.asarray(score, dtype="float64")
        group = np.zeros(len(score), dtype="int64") if within is None else np.unique(within, return_inverse=True)[1]
        rows = np.lexsort((-score, group))
        new_group = np.append(True, np.diff(group[rows]) != 0)[: len(rows)]
        new_place = new_group | np.append(True, np.diff(score[rows]) != 0)[: len(rows)]
        return cls(rows, np.flatnonzero(new_place), np.flatnonzero(new_group))

    def place(self, weights: FloatArray) -> FloatArray:
        """The middle of each row's place in its group, from 0 to 1; of a group that nobody is drawn of, 0.5."""
        first, last = self.span(weights)
        middle: FloatArray = (first + last) / 2
        return middle

    def span(self, weights: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Where each row's place begins and ends in its group, as shares of the group."""
        if not len(self.rows):
            return np.empty(0), np.empty(0)
        drawn = weights[self.rows]
        size = np.add.reduceat(drawn, self.starts)
        opened = np.searchsorted(self.opens, self.starts, side="right") - 1
        whole = np.add.reduceat(drawn, self.opens)[opened]
        before = np.cumsum(size) - size
        before = before - before[np.searchsorted(self.starts, self.opens)][opened]
        each = np.repeat(np.arange(len(self.starts)), np.diff(np.append(self.starts, len(self.rows))))
        safe = np.where(whole > 0, whole, 1.0)
        first, last = np.empty(len(self.rows)), np.empty(len(self.rows))
        first[self.rows] = np.where(whole > 0, before / safe, 0.0)[each]
        last[self.rows] = np.where(whole > 0, (before + size) / safe, 1.0)[each]
        return first, last


def _curve(order: _Order, net: FloatArray, weights: FloatArray, shares: Sequence[float]) -> FloatArray:
    """What the first share of each group brings; of a place that is cut, the part that is within."""
    first, last = order.span(weights)
    width = np.where(last > first, last - first, 1.0)
    brought = [_mean(net * np.clip((share - first) / width, 0.0, 1.0), weights) for share in shares]
    return np.asarray(brought)


def _mean(values: FloatArray, weights: FloatArray | None = None) -> float:
    total = float(len(values) if weights is None else weights.sum())
    summed = float(values.sum() if weights is None else (values * weights).sum())
    return summed / total if total > 0 else float("nan")


def _with_interval(found: float, drawn: Sequence[float] | FloatArray) -> tuple[float, float, float]:
    known = np.asarray(drawn, dtype="float64")
    known = known[np.isfinite(known)]
    if not len(known) or not np.isfinite(found):
        return found, float("nan"), float("nan")
    low, high = np.quantile(known, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return found, float(low), float(high)


__all__ = ["DRAWS", "LEVEL", "SHARES", "Judge", "doubly_robust"]
