"""Models that learn from earlier dates who leaves: a regression on logarithms and boosted trees.

The regression carries trends further than it has seen, the trees see what bends; the mean of their log-odds served
better than either. To the regression every lesson has a level of its own: it learns what tells the customers of one
date apart, and its level is the newest's. How strongly it is held back, and how many trees there are, is what is
usual for so many leavers, unless the newest lesson says otherwise beyond chance.
"""

from __future__ import annotations

import datetime as dt
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np
import pandas as pd
import xgboost as xgb
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from crm.analyses.defection.known import SIGNED
from crm.purchase_models.histories import FloatArray

REGRESSION, TREES, BLEND = "Regression on logs", "XGBoost", "Blend"
PLAIN = "XGBoost, default settings"

ROWS_PER_LESSON = 20_000
"""Customers of one date that are learnt from: an even sample of more."""
FEWEST_OF_EACH = 10
"""Customers who left, and who stayed, without whom nothing is learnt."""
FARTHEST = 4.0
"""Standard deviations from the mean beyond which the regression takes a customer as no farther."""
PENALTIES = (0.003, 0.01, 0.03, 0.1)
ROUNDS = (75, 150, 250, 400)
_USUAL_PENALTY, _USUAL_ROUNDS = 0.01, 250
SURE = 2.0
"""Standard errors by which the newest lesson must tell otherwise before what is usual is left."""
_FREE = 30.0
"""Size of the columns that carry the levels of the lessons: they are hardly held to zero."""
_SURE = 1e-4

_TREES: dict[str, Any] = {
    "objective": "binary:logistic", "max_depth": 3, "eta": 0.03, "subsample": 0.7, "colsample_bytree": 0.3,
    "min_child_weight": 10.0, "lambda": 10.0, "max_bin": 128,
    "nthread": 1,  # one thread adds up in one order: the same inputs give the same scores
}  # fmt: skip


@dataclass(frozen=True)
class Lesson:
    """What was known of each customer at stake on an earlier date, and who left within the horizon after it."""

    date: dt.date
    known: pd.DataFrame = field(repr=False)
    left: FloatArray = field(repr=False)


@dataclass(frozen=True)
class Regression:
    """A logistic regression on standardised logarithms; a column that is empty for a customer counts as the mean."""

    columns: tuple[str, ...]
    means: FloatArray
    spreads: FloatArray
    weights: FloatArray
    intercept: float

    def contributions(self, known: pd.DataFrame) -> FloatArray:
        """What each column adds to the log-odds: one row per customer; their sum and `intercept` are the log-odds."""
        added: FloatArray = _standard(_logs(known[list(self.columns)]), self.means, self.spreads) * self.weights
        return added

    def log_odds(self, known: pd.DataFrame) -> FloatArray:
        """One entry per customer."""
        return np.asarray(self.contributions(known).sum(axis=1) + self.intercept)

    def as_record(self) -> dict[str, Any]:
        """Plain numbers, fit for JSON."""
        return {
            "columns": list(self.columns),
            "means": self.means.tolist(),
            "spreads": self.spreads.tolist(),
            "weights": self.weights.tolist(),
            "intercept": self.intercept,
        }

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Regression:
        """The regression that `as_record` wrote."""
        means, spreads, weights = (np.asarray(record[name]) for name in ("means", "spreads", "weights"))
        return cls(tuple(record["columns"]), means, spreads, weights, float(record["intercept"]))


@dataclass(frozen=True)
class Learners:
    """The regression and the trees, fitted to one outcome.

    penalty, rounds: what is usual, or what was clearly better on the newest lesson.
    """

    columns: tuple[str, ...]
    regression: Regression
    trees: xgb.Booster = field(repr=False)
    penalty: float
    rounds: int

    def log_odds(self, known: pd.DataFrame) -> dict[str, FloatArray]:
        """Of each model and of their blend, by name; one entry per customer."""
        matrix = _matrix(known, self.columns)
        each = {REGRESSION: self.regression.log_odds(known), TREES: _margin(self.trees, matrix)}
        return {**each, BLEND: np.asarray(np.mean(list(each.values()), axis=0))}

    def contributions(self, known: pd.DataFrame) -> pd.DataFrame:
        """What each column adds to the blend's log-odds, against a customer like the mean; last column `(everybody)`.

        Of the regression, weight times distance from the mean; of the trees, their own contributions (Lundberg and
        Lee, 2017, as XGBoost computes them). A row sums to the blend's log-odds.
        """
        matrix = _matrix(known, self.columns)
        grown = _contributions(self.trees, matrix)
        added = (grown[:, :-1] + self.regression.contributions(known)) / 2
        table = pd.DataFrame(added, columns=list(self.columns), index=known.index)
        return table.assign(**{EVERYBODY: (grown[:, -1] + self.regression.intercept) / 2})

    def as_record(self) -> dict[str, Any]:
        """Plain numbers and XGBoost's own JSON."""
        return {
            "columns": list(self.columns),
            "regression": self.regression.as_record(),
            "trees": self.trees.save_raw("json").decode(),
            "penalty": self.penalty,
            "rounds": self.rounds,
        }

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Learners:
        """The learners that `as_record` wrote."""
        return cls(
            tuple(record["columns"]),
            Regression.from_record(record["regression"]),
            _booster(record["trees"]),
            float(record["penalty"]),
            int(record["rounds"]),
        )


EVERYBODY = "(everybody)"
Setting = TypeVar("Setting", int, float)


def learn(lessons: Sequence[Lesson], *, horizon_days: int, seed: int) -> Learners | None:
    """Fit both; None where hardly anybody left, or stayed. The same lessons and seed give the same models."""
    known, left, dates = _together(lessons)
    if not _enough(left):
        return None
    penalty, rounds = _chosen(lessons, horizon_days=horizon_days, seed=seed)
    own = dates if _enough(left[dates == dates.max()]) else None  # hardly anybody left: no level can be told of that
    return Learners(
        tuple(map(str, known.columns)),
        fit_regression(known, left, penalty=penalty, dates=own),
        _grow(known, left, rounds=rounds, seed=seed),
        penalty,
        rounds,
    )


def fit_regression(
    known: pd.DataFrame, left: FloatArray, *, penalty: float = _USUAL_PENALTY, dates: FloatArray | None = None
) -> Regression:
    """A logistic regression on standardised logarithms.

    penalty: the inverse of how strongly weights are held to zero. dates: one number per row, the newest date's the
    highest; each date then has a level of its own, and the regression that of the newest.
    """
    logs = _logs(known)
    means = np.nan_to_num(np.nanmean(np.where(np.isnan(logs).all(axis=0), 0.0, logs), axis=0))
    spreads = np.nan_to_num(np.nanstd(np.where(np.isnan(logs).all(axis=0), 0.0, logs), axis=0))
    read = np.hstack([_standard(logs, means, spreads), _levels(dates, len(known))])
    with threadpool_limits(limits=1), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model = LogisticRegression(C=penalty, max_iter=500).fit(read, left > 0)
    weights = np.array(model.coef_[0][: len(means)])
    return Regression(tuple(map(str, known.columns)), means, spreads, weights, float(model.intercept_[0]))


def _levels(dates: FloatArray | None, rows: int) -> FloatArray:
    """A column for each date but the newest, which the others are told against."""
    if dates is None:
        return np.empty((rows, 0))
    return np.asarray((dates[:, None] == np.unique(dates)[:-1]) * _FREE)


def plain_chances(lessons: Sequence[Lesson], known: pd.DataFrame, *, seed: int) -> FloatArray | None:
    """XGBoost with its default settings on the same lessons, to be held beside ours."""
    learnt, left, _ = _together(lessons)
    if not _enough(left):
        return None
    settings = {"objective": "binary:logistic", "seed": seed, "nthread": 1}
    model = xgb.train(settings, xgb.DMatrix(learnt, label=left), 100)
    return np.asarray(model.predict(_matrix(known, tuple(map(str, learnt.columns)))), dtype="float64")


def chance(log_odds: FloatArray) -> FloatArray:
    """From log-odds to a chance."""
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(log_odds, -30.0, 30.0))))


def log_odds_of(share: float | FloatArray) -> FloatArray:
    """From a chance to log-odds; none is taken as quite sure."""
    held = np.clip(share, _SURE, 1 - _SURE)
    return np.asarray(np.log(held / (1 - held)))


def shift_to(log_odds: FloatArray, share: float) -> float:
    """What must be added to these log-odds so that the mean chance is `share`."""
    low, high = -20.0, 20.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if float(chance(log_odds + middle).mean()) < share else (low, middle)
    return (low + high) / 2


def _chosen(lessons: Sequence[Lesson], *, horizon_days: int, seed: int) -> tuple[float, int]:
    """The penalty and the number of trees: what is usual, unless the newest lesson tells otherwise beyond chance."""
    usual = _USUAL_PENALTY, _USUAL_ROUNDS
    newest = max(lessons, key=lambda lesson: lesson.date)
    older = [lesson for lesson in lessons if (newest.date - lesson.date).days >= horizon_days]
    known, left, dates = _together(older)
    if not _enough(left) or not _enough(newest.left):
        return usual
    judged = newest.known.reindex(columns=known.columns)
    penalties = {one: fit_regression(known, left, penalty=one, dates=dates).log_odds(judged) for one in PENALTIES}
    trees, matrix = _grow(known, left, rounds=ROUNDS[-1], seed=seed), _matrix(judged, tuple(known.columns))
    grown = {
        rounds: np.asarray(trees.predict(matrix, output_margin=True, iteration_range=(0, rounds)), dtype="float64")
        for rounds in ROUNDS
    }
    return (
        _clearly_best({one: _losses(newest.left, odds) for one, odds in penalties.items()}, usual[0]),
        _clearly_best({one: _losses(newest.left, odds) for one, odds in grown.items()}, usual[1]),
    )


def _clearly_best(losses: Mapping[Setting, FloatArray], usual: Setting) -> Setting:
    """The setting of the least loss, where it is better than the usual one by `SURE` standard errors."""
    best = min(losses, key=lambda one: float(losses[one].mean()))
    gain = losses[usual] - losses[best]
    return best if float(gain.mean()) > SURE * float(gain.std()) / np.sqrt(len(gain)) else usual


def _losses(left: FloatArray, log_odds: FloatArray) -> FloatArray:
    """Each customer's log loss once the level is right: the level is settled elsewhere."""
    odds = log_odds + shift_to(log_odds, float(left.mean()))
    return np.asarray(np.logaddexp(0.0, odds) - left * odds)


def _together(lessons: Sequence[Lesson]) -> tuple[pd.DataFrame, FloatArray, FloatArray]:
    """All lessons, the oldest first, so that their order tells nothing: what was known, who left, which lesson."""
    ordered = [_sample(lesson) for lesson in sorted(lessons, key=lambda lesson: lesson.date)]
    if not ordered:
        return pd.DataFrame(), np.empty(0), np.empty(0)
    known = pd.concat([lesson.known for lesson in ordered], ignore_index=True)
    dates = np.repeat(np.arange(len(ordered), dtype="float64"), [len(lesson.left) for lesson in ordered])
    return known, np.concatenate([lesson.left for lesson in ordered]), dates


def _sample(lesson: Lesson) -> Lesson:
    if len(lesson.known) <= ROWS_PER_LESSON:
        return lesson
    places = np.linspace(0, len(lesson.known) - 1, ROWS_PER_LESSON).astype("int64")
    return Lesson(lesson.date, lesson.known.iloc[places], lesson.left[places])


def _enough(left: FloatArray) -> bool:
    return bool(min(left.sum(), len(left) - left.sum()) >= FEWEST_OF_EACH) if len(left) else False


def _grow(known: pd.DataFrame, left: FloatArray, *, rounds: int, seed: int) -> xgb.Booster:
    settings = {**_TREES, "base_score": float(np.clip(left.mean(), 0.001, 0.999)), "seed": seed}
    return xgb.train(settings, xgb.DMatrix(known, label=left), rounds)


def _margin(booster: xgb.Booster, matrix: xgb.DMatrix) -> FloatArray:
    return np.asarray(booster.predict(matrix, output_margin=True), dtype="float64")


def _contributions(booster: xgb.Booster, matrix: xgb.DMatrix) -> FloatArray:
    return np.asarray(booster.predict(matrix, pred_contribs=True), dtype="float64")


def _booster(text: str) -> xgb.Booster:
    booster = xgb.Booster({"nthread": 1})
    booster.load_model(bytearray(text.encode()))
    return booster


def _matrix(known: pd.DataFrame, columns: tuple[str, ...]) -> xgb.DMatrix:
    return xgb.DMatrix(known[list(columns)])


def _logs(known: pd.DataFrame) -> FloatArray:
    """Logarithms, with their sign; as they are where a column has a sign of its own. Empty stays empty."""
    numbers = known.to_numpy(dtype="float64", na_value=np.nan)
    signed = np.array([name in SIGNED for name in known.columns], dtype="bool")
    logs: FloatArray = np.where(signed, numbers, np.sign(numbers) * np.log1p(np.abs(numbers)))
    return logs


def _standard(logs: FloatArray, means: FloatArray, spreads: FloatArray) -> FloatArray:
    scaled = (logs - means) / np.where(spreads > 1e-9, spreads, 1.0)
    return np.nan_to_num(np.where(spreads > 1e-9, np.clip(scaled, -FARTHEST, FARTHEST), 0.0), nan=0.0)
