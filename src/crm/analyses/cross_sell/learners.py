"""Models that learn from earlier dates which new item a customer buys: a regression and boosted trees over pairs.

Both read `pairs.COLUMNS` and know nothing of any single item, so that an item that is new can be offered. Of the
pairs that came to nothing a sample is read; the chance is corrected for it. Small trees, held back strongly.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import xgboost as xgb
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from crm.analyses.cross_sell.market import Market
from crm.analyses.cross_sell.pairs import COLUMNS, describe
from crm.analyses.cross_sell.panel import BoolArray, FloatArray, Panel

FARTHEST = 4.0
PENALTY = 1e-3
PAIRS_PER_DATE = 200_000
"""Pairs of one date that came to nothing and are read; a sample of more."""

SHARE_READ = 0.25
"""Of the pairs that came to nothing, the share that is read where they are few enough."""

_TREES: dict[str, Any] = {
    "objective": "binary:logistic", "max_depth": 3, "eta": 0.12, "subsample": 0.5, "colsample_bytree": 0.4,
    "lambda": 50.0, "min_child_weight": 50.0, "max_bin": 64, "base_score": 0.5,
    "nthread": 1,  # one thread adds up in one order: the same inputs give the same scores
}  # fmt: skip
_ROUNDS = 100
_BAGS = 4
"""Trees are grown so many times, from other draws of rows and columns, and heard together: the order of one draw is
in part that draw's own. On five dates of Complete Journey up to 2017-09-11 four put 0.003 more customers' buys among
the first five than one that is twice as long, at twice its cost."""


@dataclass(frozen=True)
class Lesson:
    """What was known of active customers on an earlier date, and what they bought within the horizon after it."""

    panel: Panel = field(repr=False)
    market: Market = field(repr=False)


@dataclass(frozen=True)
class Regression:
    """A logistic regression on standardised columns."""

    columns: tuple[str, ...]
    means: FloatArray = field(repr=False)
    spreads: FloatArray = field(repr=False)
    weights: FloatArray = field(repr=False)
    intercept: float

    def log_odds(self, rows: FloatArray) -> FloatArray:
        """rows: of `describe`, all columns."""
        some = rows[:, [COLUMNS.index(name) for name in self.columns]]
        sums: FloatArray = _standard(some, self.means, self.spreads) @ self.weights + self.intercept
        return sums.astype("float64")

    def as_record(self) -> dict[str, Any]:
        """Plain numbers, fit for JSON."""
        numbers = {name: getattr(self, name).tolist() for name in ("means", "spreads", "weights")}
        return {"columns": list(self.columns), **numbers, "intercept": self.intercept}

    @classmethod
    def from_record(cls, record: dict[str, Any]) -> Regression:
        """What `as_record` wrote."""
        numbers = {name: np.asarray(record[name], dtype="float64") for name in ("means", "spreads", "weights")}
        return cls(tuple(record["columns"]), **numbers, intercept=float(record["intercept"]))


@dataclass(frozen=True)
class Learners:
    """The regression, the trees, and the best-sellers with a chance of their own, fitted to earlier dates.

    days: the horizon they learnt; pairs, bought: from how many pairs, and how many of them were bought.
    """

    dates: tuple[dt.date, ...]
    days: int
    pairs: int
    bought: int
    regression: Regression
    best_sellers: Regression
    trees: tuple[xgb.Booster, ...] = field(repr=False)

    def of_trees(self, rows: FloatArray) -> FloatArray:
        """Log odds by the trees: the mean of what each of the bags says."""
        matrix = xgb.DMatrix(rows, feature_names=list(COLUMNS), nthread=1)
        total = np.zeros(len(rows))
        for bag in self.trees:
            total += bag.predict(matrix, output_margin=True)
        return total / len(self.trees)


def learn(lessons: Sequence[Lesson], *, days: int, seed: int) -> Learners | None:
    """Fit all; None where nobody bought anything new. The same lessons and seed give the same, bit for bit."""
    read = [_read(lesson, seed=seed) for lesson in lessons]
    came = np.concatenate([one[1] for one in read]) if read else np.empty(0, dtype=bool)
    if not came.any() or came.all():
        return None
    rows = np.concatenate([one[0] for one in read])
    more = np.concatenate([np.full(len(one[1]), -np.log(one[2])) for one in read])
    with threadpool_limits(limits=1):
        regression = _regress(rows, came, COLUMNS, more=float(more.mean()))
        rule = _regress(rows, came, ("popularity_56",), more=float(more.mean()))
    matrix = xgb.DMatrix(rows, label=came, base_margin=more, feature_names=list(COLUMNS), nthread=1)
    return Learners(
        dates=tuple(lesson.panel.date for lesson in lessons),
        days=days,
        pairs=len(came),
        bought=int(came.sum()),
        regression=regression,
        best_sellers=rule,
        trees=tuple(xgb.train({**_TREES, "seed": seed + bag}, matrix, _ROUNDS) for bag in range(_BAGS)),
    )


def _read(lesson: Lesson, *, seed: int) -> tuple[FloatArray, BoolArray, float]:
    """Rows of pairs, whether each was bought, and the share that was read of those that were not."""
    candidates, relevant = lesson.panel.candidates, lesson.panel.relevant
    nothing = int((candidates & ~relevant).sum())
    share = min(SHARE_READ, PAIRS_PER_DATE / max(nothing, 1))
    drawn = np.random.default_rng([seed, lesson.panel.date.toordinal()]).random(candidates.shape) < share
    wanted = candidates & (relevant | drawn)
    return describe(lesson.panel, lesson.market, wanted), relevant[wanted], share


def _regress(rows: FloatArray, came: BoolArray, columns: tuple[str, ...], *, more: float) -> Regression:
    """more: by how much the log odds are too high, as of what came to nothing only a part was read."""
    some = rows[:, [COLUMNS.index(name) for name in columns]]
    means, spreads = some.mean(axis=0, dtype="float64"), some.std(axis=0, dtype="float64")
    model = LogisticRegression(C=PENALTY, max_iter=300).fit(_standard(some, means, spreads), came)
    weights = np.asarray(model.coef_[0], dtype="float64")
    return Regression(columns, means, spreads, weights, float(model.intercept_[0]) - more)


def _standard(rows: FloatArray, means: FloatArray, spreads: FloatArray) -> FloatArray:
    scaled = (rows - means.astype("float32")) / np.where(spreads > 1e-9, spreads, 1.0).astype("float32")
    return np.where(spreads > 1e-9, np.clip(scaled, -FARTHEST, FARTHEST), 0.0).astype("float32")
