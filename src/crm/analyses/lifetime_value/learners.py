"""Models that learn from earlier dates: a regression on logarithms and boosted trees.

Both read every number of a snapshot and what a purchase model expects, and learn what was bought within a horizon
after earlier dates. The regression carries trends further than it has seen, the trees see what bends; each corrects
the other. Purchase days are counts (Poisson); net sales are many zeros and a long tail (Tweedie, power 1.5). Further
trees learn how far the middle of what may come lies from the mean that the first ones expect.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import xgboost as xgb
from sklearn.linear_model import PoissonRegressor, TweedieRegressor
from threadpoolctl import threadpool_limits

from crm.purchase_models.histories import FloatArray

REGRESSION, TREES = "Regression on logs", "XGBoost"

ROWS_PER_DATE = 20_000
"""Customers of one date that are learnt from: an even sample of more."""

POWER = 1.5
FARTHEST = 4.0
"""Standard deviations from the mean beyond which the regression takes a customer as no farther."""

_TREES: dict[str, Any] = {
    "max_depth": 3, "eta": 0.03, "subsample": 0.5, "colsample_bytree": 0.25, "lambda": 10.0, "max_bin": 128,
    "nthread": 1,  # one thread adds up in one order: the same inputs give the same scores
}  # fmt: skip
_ROUNDS, _ROUNDS_OF_MIDDLE = 250, 100
_ROWS_PER_LEAF = 1 / 100
_PENALTY = 0.03
_MIDDLE_OVER_MEAN = 1.5
"""The middle is taken as no farther above the mean than this."""


@dataclass(frozen=True)
class Lesson:
    """What was known of each customer on an earlier date, and what they did within the horizon after it."""

    date: dt.date
    known: pd.DataFrame = field(repr=False)
    purchases: FloatArray = field(repr=False)
    value: FloatArray = field(repr=False)


@dataclass(frozen=True)
class Learners:
    """The regression and the trees, fitted; `days`: the horizon they learnt, `rows`: from how many customers.

    middles: from the mean that the trees expect to the middle; empty in a model that was saved without.
    """

    columns: tuple[str, ...]
    dates: tuple[dt.date, ...]
    days: int
    rows: int
    regression: dict[str, Regression] = field(repr=False)
    trees: dict[str, xgb.Booster] = field(repr=False)
    middles: dict[str, xgb.Booster] = field(default_factory=dict, repr=False)

    def expect(
        self, known: pd.DataFrame
    ) -> tuple[dict[str, FloatArray], dict[str, FloatArray], dict[str, FloatArray]]:
        """Purchase days, and net sales, of the `days` that were learnt, by model, one entry per customer.

        And of both the middle over the mean: a ratio, which holds in another season than that of the lessons.
        """
        table = known[list(self.columns)]
        matrix = xgb.DMatrix(table)
        answers = []
        middles: dict[str, FloatArray] = {}
        for what in ("purchases", "value"):
            trees = np.asarray(self.trees[what].predict(matrix), dtype="float64")
            answers.append({REGRESSION: self.regression[what].predict(table), TREES: trees})
            if what in self.middles:
                farther = np.asarray(self.middles[what].predict(matrix), dtype="float64")
                middles[what] = np.clip(1 + farther / np.maximum(trees, 1e-12), 0.0, _MIDDLE_OVER_MEAN)
        return answers[0], answers[1], middles

    @property
    def weights(self) -> pd.DataFrame:
        """What the trees look at: one row per column; gain of purchases and of value, as shares."""
        table = pd.DataFrame({"column": self.columns})
        for what, booster in self.trees.items():
            gain = table["column"].map(booster.get_score(importance_type="total_gain")).fillna(0.0).astype("float64")
            table[what] = gain / max(float(gain.sum()), 1e-12)
        return table.sort_values("value", ascending=False, kind="stable", ignore_index=True)


@dataclass(frozen=True)
class Regression:
    """A regression with a logarithmic link on standardised logarithms."""

    means: FloatArray
    spreads: FloatArray
    weights: FloatArray
    intercept: float
    most: float

    def predict(self, table: pd.DataFrame) -> FloatArray:
        """The expected amount, at most the largest that was seen when it was fitted."""
        sums = _standard(_logs(table), self.means, self.spreads) @ self.weights + self.intercept
        return np.minimum(np.exp(np.clip(sums, -30.0, 30.0)), self.most)


def learn(lessons: Sequence[Lesson], *, days: int, seed: int) -> Learners:
    """Fit all models to both amounts. The same lessons and seed give the same models, bit for bit."""
    sampled = [_sample(lesson) for lesson in lessons]
    known = pd.concat([lesson.known for lesson in sampled], ignore_index=True)
    amounts = {
        "purchases": np.concatenate([lesson.purchases for lesson in sampled]),
        "value": np.maximum(np.concatenate([lesson.value for lesson in sampled]), 0.0),
    }
    with threadpool_limits(limits=1):
        regression = {what: _regress(known, amount, what) for what, amount in amounts.items()}
    trees = {what: _grow(known, amount, what, seed=seed) for what, amount in amounts.items()}
    return Learners(
        columns=tuple(str(column) for column in known.columns),
        dates=tuple(lesson.date for lesson in lessons),
        days=days,
        rows=len(known),
        regression=regression,
        trees=trees,
        middles={what: _grow_middle(known, amount, trees[what], seed=seed) for what, amount in amounts.items()},
    )


def _sample(lesson: Lesson) -> Lesson:
    if len(lesson.known) <= ROWS_PER_DATE:
        return lesson
    places = np.linspace(0, len(lesson.known) - 1, ROWS_PER_DATE).astype("int64")
    return Lesson(lesson.date, lesson.known.iloc[places], lesson.purchases[places], lesson.value[places])


def _regress(known: pd.DataFrame, amount: FloatArray, what: str) -> Regression:
    logs = _logs(known)
    means, spreads = logs.mean(axis=0), logs.std(axis=0)
    unit = max(float(amount.mean()), 1e-12)  # so that the penalty does not depend on the currency
    kind: Callable[..., Any] = PoissonRegressor if what == "purchases" else TweedieRegressor
    more = {} if what == "purchases" else {"power": POWER, "link": "log"}
    model = kind(alpha=_PENALTY, max_iter=300, **more).fit(_standard(logs, means, spreads), amount / unit)
    return Regression(
        means, spreads, np.asarray(model.coef_), float(model.intercept_ + np.log(unit)), float(amount.max())
    )


def _grow(known: pd.DataFrame, amount: FloatArray, what: str, *, seed: int) -> xgb.Booster:
    objective = {"objective": "count:poisson"}
    weight = float(amount.mean()) if what == "purchases" else 1.0  # a Poisson tree weighs rows by their expectation
    if what == "value":
        objective = {"objective": "reg:tweedie", "tweedie_variance_power": str(POWER)}
        weight = float(amount.mean()) ** (2 - POWER)
    rows = max(len(known) * _ROWS_PER_LEAF, 5.0)
    parameters = {**_TREES, **objective, "min_child_weight": rows * max(weight, 1e-6), "seed": seed}
    return xgb.train(parameters, xgb.DMatrix(known, label=amount), _ROUNDS)


def _grow_middle(known: pd.DataFrame, amount: FloatArray, mean: xgb.Booster, *, seed: int) -> xgb.Booster:
    """Trees that lead from what other trees expect to what errs least: the sum of both is the middle."""
    rows = max(len(known) * _ROWS_PER_LEAF, 5.0)
    least = {"objective": "reg:absoluteerror", "base_score": 0.0, "min_child_weight": rows, "seed": seed}
    matrix = xgb.DMatrix(known, label=amount)
    matrix.set_base_margin(mean.predict(matrix))
    return xgb.train({**_TREES, **least}, matrix, _ROUNDS_OF_MIDDLE)


def _logs(table: pd.DataFrame) -> FloatArray:
    numbers = np.nan_to_num(table.to_numpy(dtype="float64", na_value=np.nan), nan=0.0)
    logs: FloatArray = np.log1p(np.maximum(numbers, 0.0))
    return logs


def _standard(logs: FloatArray, means: FloatArray, spreads: FloatArray) -> FloatArray:
    scaled = (logs - means) / np.where(spreads > 1e-9, spreads, 1.0)
    return np.where(spreads > 1e-9, np.clip(scaled, -FARTHEST, FARTHEST), 0.0)
