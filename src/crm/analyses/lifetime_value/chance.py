"""What may a customer bring? The spread around an expectation, by drawing what customers may do.

A purchase model says how likely each number of purchase days is, the spend model what they may cost. Draws of both,
scaled to the expected value, give the quantiles. How wide they must be is learnt from dates whose outcome is known:
the level is taken at which as many customers fell inside as the nominal level promises. The middle is that of the
draws and the learnt one together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from crm.analyses.lifetime_value.spend import SpendModel
from crm.purchase_models.histories import FloatArray, Histories

NOMINAL = 0.90
LEVELS = (0.50, 0.60, 0.70, 0.75, 0.80, 0.84, 0.87, 0.90, 0.92, 0.94, 0.96, 0.98, 0.99, 0.995)
"""Levels at which quantiles are kept; which of them holds 90 % of customers is learnt."""

DRAWS = 400
AT_ONCE = 5_000
VARIATION_UNKNOWN = 1.0
"""Standard deviation over mean of a purchase day's value where no spend model could be fitted."""

FEWEST_OF_EACH = 10

FARTHEST = 3.0
"""By how much at most the draws are scaled: beyond, the purchase model and the blend do not speak of one customer."""

LEARNT = 2 / 3
"""The weight of the learnt middle beside the drawn one's, where there is one."""

LEAST_TYPICAL = 0.25
"""Of the expected value: the middle of the draws where they say nothing, though a purchase is likelier than none."""


class Counting(Protocol):
    """What tells how many purchase days there may be: a purchase model, or several together."""

    def expected_purchases(self, histories: Histories, days: float) -> FloatArray:
        """See `PurchaseModel`."""

    def count_probabilities(self, histories: Histories, days: float, most: int) -> FloatArray:
        """See `PurchaseModel`."""


@dataclass(frozen=True)
class Silence:
    """The chance of no purchase, drawn to what came on judged dates: a logistic function of two numbers.

    The purchase model's own chance knows a customer's rhythm, the blend's expected purchases everything else.
    """

    intercept: float = 0.0
    by_model: float = 1.0
    by_expected: float = 0.0

    def chance(self, model: FloatArray, expected: FloatArray) -> FloatArray:
        """The chance that each customer buys nothing within the horizon."""
        inner = self.intercept + self.by_model * _logit(model) + self.by_expected * np.log(np.maximum(expected, 1e-6))
        return np.asarray(1 / (1 + np.exp(-np.clip(inner, -30.0, 30.0))))

    def as_record(self) -> dict[str, float]:
        """Plain numbers, fit for JSON."""
        return {"intercept": self.intercept, "by_model": self.by_model, "by_expected": self.by_expected}


def fit_silence(judged: Sequence[tuple[FloatArray, FloatArray, FloatArray]]) -> Silence:
    """From the model's chance, the blend's purchases and the purchases that came; the model's own chance without.

    At least ten customers must have stayed silent, and ten not, for anything to be learnt.
    """
    if not judged:
        return Silence()
    model, expected, came = (np.concatenate([one[place] for one in judged]) for place in range(3))
    silent = came <= 0
    if min(silent.sum(), (~silent).sum()) < FEWEST_OF_EACH:
        return Silence()
    inputs = np.column_stack([_logit(model), np.log(np.maximum(expected, 1e-6))])
    with threadpool_limits(limits=1):
        fitted = LogisticRegression(C=10.0, max_iter=200).fit(inputs, silent)
    weights = [float(weight) for weight in fitted.coef_[0]]
    return Silence(float(fitted.intercept_[0]), weights[0], weights[1])


def _logit(chance: FloatArray) -> FloatArray:
    within = np.clip(chance, 1e-4, 1 - 1e-4)
    return np.log(within / (1 - within))


@dataclass(frozen=True)
class Quantiles:
    """Per customer (rows) of the draws before scaling: low and high by level (columns), the median, and the mean.

    median_days, mean_days: of the purchase days that were drawn.
    """

    low: FloatArray
    high: FloatArray
    median: FloatArray
    mean: FloatArray
    median_days: FloatArray
    mean_days: FloatArray
    total_spread: float

    def at(self, level: float, expected: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Low, median and high per customer at one of `LEVELS`, scaled to the expected value, which lies within."""
        column = LEVELS.index(level)
        scale = scaling(self.mean, expected)
        low, high = self.low[:, column] * scale, self.high[:, column] * scale
        return np.minimum(low, expected), self.median * scale, np.maximum(high, expected)

    def typical(
        self, purchases: FloatArray, value: FloatArray, nothing: FloatArray, learnt: pd.DataFrame
    ) -> tuple[FloatArray, FloatArray]:
        """The middle of how many purchase days there may be, whole, and of the value; scaled as both are expected.

        nothing: the chance that the customer buys nothing. None of either where that is as likely as not; else one
        purchase day at least, and some value.     learnt: the middle over the mean, of `purchases` and of `value`.
        """
        silent = nothing >= 0.5
        days = self.median_days * scaling(self.mean_days, purchases)
        worth = self.median * scaling(self.mean, value)
        worth = np.where(worth > 0, worth, LEAST_TYPICAL * value)
        if len(learnt.columns):
            days = (1 - LEARNT) * days + LEARNT * purchases * learnt["purchases"].to_numpy()
            worth = (1 - LEARNT) * worth + LEARNT * value * learnt["value"].to_numpy()
        return np.where(silent, 0.0, np.maximum(np.rint(days), 1.0)), np.where(silent, 0.0, worth)


def scaling(mean: FloatArray, expected: FloatArray) -> FloatArray:
    """From the draws' mean to the expected value, within bounds."""
    return np.clip(expected / np.maximum(mean, 1e-12), 1 / FARTHEST, FARTHEST)


def draw_quantiles(
    model: Counting,
    histories: Histories,
    days: float,
    *,
    spend: SpendModel | None,
    purchase_days: FloatArray,
    each: FloatArray,
    seed: int,
) -> Quantiles:
    """Quantiles of what each customer may bring within `days`, from 400 draws, some thousand customers at a time.

    each: the expected value of a purchase day.     total_spread of the result: standard deviation of the sum over all
    customers, over its mean: what chance alone does to a total.
    """
    ends = np.array([(1 - level) / 2 for level in LEVELS])
    lows, highs, medians, means, variance = [], [], [], [], 0.0
    median_days, mean_days = [], []
    grid = _Grid.of(seed)
    for start in range(0, max(len(histories), 1), AT_ONCE):
        some = slice(start, start + AT_ONCE)
        counts = _draw_counts(model, histories.take(some), days, grid)
        median_days.append(counts[:, DRAWS // 2])
        mean_days.append(counts.mean(axis=1))
        draws = _draw_values(counts, spend, purchase_days[some], each[some], grid)
        draws.sort(axis=1)
        lows.append(draws[:, _places(ends)])
        highs.append(draws[:, _places(1 - ends)])
        medians.append(draws[:, DRAWS // 2])
        means.append(draws.mean(axis=1))
        variance += float(draws.var(axis=1).sum())
    total = float(np.concatenate(means).sum())
    return Quantiles(
        low=np.concatenate(lows),
        high=np.concatenate(highs),
        median=np.concatenate(medians),
        mean=np.concatenate(means),
        median_days=np.concatenate(median_days),
        mean_days=np.concatenate(mean_days),
        total_spread=float(np.sqrt(variance) / max(total, 1e-12)),
    )


def covering_level(judged: Sequence[tuple[Quantiles, FloatArray, FloatArray]]) -> float:
    """The smallest level at which 90 % of the customers of these dates fell inside; the nominal one without a date.

    Counted are the shares among all, and among the better half: of those of whom next to nothing is expected nearly
    all fall inside, whatever the level. judged: quantiles, expected value and actual value per customer of each date;
    every date counts the same.
    """
    if not judged:
        return NOMINAL
    for level in LEVELS:
        if np.mean([_held(one, expected, actual, level) for one, expected, actual in judged]) >= NOMINAL:
            return level
    return LEVELS[-1]


def inside(quantiles: Quantiles, expected: FloatArray, actual: FloatArray, level: float) -> npt.NDArray[np.bool_]:
    """Whose actual value lay within the interval?"""
    low, _, high = quantiles.at(level, expected)
    return (actual >= low) & (actual <= high)


def covered(quantiles: Quantiles, expected: FloatArray, actual: FloatArray, level: float) -> float:
    """The share of customers whose actual value lay within."""
    return float(inside(quantiles, expected, actual, level).mean()) if len(actual) else float("nan")


def _held(quantiles: Quantiles, expected: FloatArray, actual: FloatArray, level: float) -> float:
    """The mean of the shares held among all and among the better half."""
    within = inside(quantiles, expected, actual, level)
    return float((within.mean() + within[expected >= np.median(expected)].mean()) / 2)


def _places(ends: FloatArray) -> FloatArray:
    return np.clip(np.rint(ends * (DRAWS - 1)), 0, DRAWS - 1).astype("int64")


_STEPS = tuple(1.22074408460575947536**-power for power in (1, 2, 3))


@dataclass(frozen=True)
class _Grid:
    """The same chances for every customer, one per draw, spread evenly together (Roberts's additive recurrence).

    What is drawn for a customer then depends on the customer alone, not on who else is there or in which order.
    counts: even, rising.     spend, mean: standard normal.     small: even, for small Gamma shapes.
    """

    counts: FloatArray
    spend: FloatArray
    mean: FloatArray
    small: FloatArray

    @classmethod
    def of(cls, seed: int) -> _Grid:
        number = np.arange(DRAWS)
        shifts = np.random.default_rng(seed).random(len(_STEPS))
        others = [
            np.clip((number * step + shift) % 1.0, 1e-4, 1 - 1e-4) for step, shift in zip(_STEPS, shifts, strict=True)
        ]
        return cls((number + 0.5) / DRAWS, stats.norm.ppf(others[0]), stats.norm.ppf(others[1]), others[2])


def _draw_counts(model: Counting, histories: Histories, days: float, grid: _Grid) -> FloatArray:
    """Purchase days per customer (rows) and draw: a day is at most one of them."""
    if not len(histories):
        return np.zeros((0, DRAWS))
    heaviest = float(model.expected_purchases(histories, days).max())
    most = int(min(np.ceil(days), np.ceil(heaviest + 8 * np.sqrt(heaviest) + 10)))
    cumulative = np.cumsum(model.count_probabilities(histories, days, most), axis=1)
    counts = np.empty((len(histories), DRAWS))
    for row, steps in enumerate(cumulative):
        counts[row] = np.searchsorted(steps, grid.counts)
    return np.minimum(counts, most)


def _draw_values(
    counts: FloatArray, spend: SpendModel | None, purchase_days: FloatArray, each: FloatArray, grid: _Grid
) -> FloatArray:
    """Net sales per customer and draw: a sum of Gamma amounts around a mean that is itself not known for sure."""
    if spend is None:
        shape = 1 / VARIATION_UNKNOWN**2
        return np.where(counts > 0, _gamma(shape * counts, grid.spend, grid.small) / shape * each[:, None], 0.0)
    known = spend.p * purchase_days[:, None] + spend.q
    mean = each[:, None] * (known - 1) / np.maximum(_gamma(known, grid.mean, grid.small), 1e-9)
    return np.where(counts > 0, _gamma(spend.p * counts, grid.spend, grid.small) / spend.p * mean, 0.0)


def _gamma(shape: FloatArray, normal: FloatArray, even: FloatArray) -> FloatArray:
    """Gamma amounts of these shapes from standard normal ones, by the cube of Wilson & Hilferty (1931).

    Below a shape of 1, that of one more times a power of an even chance, which is exact (Stuart, 1962).
    """
    small = shape < 1
    more = np.maximum(np.where(small, shape + 1, shape), 1e-9)
    cube = more * np.maximum(1 - 1 / (9 * more) + normal / (3 * np.sqrt(more)), 0.0) ** 3
    amounts: FloatArray = np.where(small, cube * even ** (1 / np.maximum(shape, 1e-3)), cube)
    return amounts
