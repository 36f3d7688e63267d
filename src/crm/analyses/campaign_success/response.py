"""How likely does each customer answer when contacted? Learnt from earlier campaigns, judged on later ones.

The rule of thumb is the share of past campaigns that a customer answered, then how lately they bought. A regularised
regression on logarithms and small trees, held back strongly, learn the order within campaigns; the blend is the mean
of their log-odds. Kinds of campaign differ in level alone, held to that of all kinds, so that a kind with little data
borrows. What does not beat the rule does not ship.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import xgboost as xgb
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression, Ridge
from threadpoolctl import threadpool_limits

from crm.analyses.campaign_success.contacted import SIGNED, Contacted
from crm.measures.amounts import FloatArray
from crm.measures.chances import (
    auc,
    average_precision,
    brier,
    calibration_table,
    expected_calibration_error,
    lift,
)
from crm.measures.resampling import Pair, gains
from crm.periods import date_of

RULE, REGRESSION, TREES, BLEND = "Share of campaigns answered", "Regression on logs", "XGBoost", "Blend"
CANDIDATES = (RULE, REGRESSION, TREES, BLEND)

FEWEST_CONTACTS = 50
"""Contacts of a campaign without which nothing is judged by it."""
FEWEST_OF_EACH = 10
"""Who answered, and who did not, without whom nothing is learnt."""
JUDGED_ON = 8
DRAWS = 200
MOST_ROWS = 30_000
"""Rows of one fit: an even sample of more."""
FARTHEST = 4.0
PENALTY = 0.01
KINDS_DIFFER_BY = 0.5
"""Standard deviation, in log-odds, that levels of kinds are taken to have before the data are looked at."""

_RULE_COLUMNS = ("share_answered", "days_since_last_purchase")
_SETTINGS: dict[str, Any] = {
    "objective": "binary:logistic", "max_depth": 2, "eta": 0.05, "subsample": 0.7, "colsample_bytree": 0.4,
    "lambda": 20.0, "min_child_weight": 10.0, "max_bin": 64,
    "nthread": 1,  # one thread adds up in one order: the same inputs give the same scores
}  # fmt: skip
_ROUNDS = 150

ORDER = {"auc": auc, "average_precision": average_precision}
TABLE = (
    "campaign_id", "kind", "date", "candidate", "contacts", "answered", "auc", "average_precision", "lift", "brier",
    "calibration", "expected",
)  # fmt: skip
GAINS = ("candidate", "measure", "ours", "theirs", "gain", "low", "high")


@dataclass(frozen=True)
class Linear:
    """Weights of standardised logarithms; a column that is empty for a customer counts as the mean."""

    columns: tuple[str, ...]
    means: FloatArray = field(repr=False)
    spreads: FloatArray = field(repr=False)
    weights: FloatArray = field(repr=False)
    intercept: float

    def value(self, known: pd.DataFrame) -> FloatArray:
        """One entry per row: log-odds of a regression of chances, an amount of one of amounts."""
        standard = _standard(in_logs(known[list(self.columns)]), self.means, self.spreads)
        return np.asarray(standard @ self.weights + self.intercept)

    def as_record(self) -> dict[str, Any]:
        """Plain numbers, fit for JSON."""
        numbers = {name: getattr(self, name).tolist() for name in ("means", "spreads", "weights")}
        return {"columns": list(self.columns), **numbers, "intercept": self.intercept}

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Linear:
        """What `as_record` wrote."""
        means, spreads, weights = (np.asarray(record[name], "float64") for name in ("means", "spreads", "weights"))
        return cls(tuple(record["columns"]), means, spreads, weights, float(record["intercept"]))


@dataclass(frozen=True)
class Trees:
    """Boosted trees."""

    columns: tuple[str, ...]
    booster: xgb.Booster = field(repr=False)

    def value(self, known: pd.DataFrame) -> FloatArray:
        """One entry per row: log-odds of trees of chances, an amount of those of amounts."""
        return np.asarray(self.booster.predict(matrix_of(known, self.columns), output_margin=True), dtype="float64")

    def as_record(self) -> dict[str, Any]:
        """XGBoost's own JSON."""
        return {"columns": list(self.columns), "trees": self.booster.save_raw("json").decode()}

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Trees:
        """What `as_record` wrote."""
        booster = xgb.Booster({"nthread": 1})
        booster.load_model(bytearray(record["trees"].encode()))
        return cls(tuple(record["columns"]), booster)


@dataclass(frozen=True)
class Learners:
    """The rule of thumb with a chance of its own, the regression and the trees, fitted to the same contacts."""

    rule: Linear
    regression: Linear
    trees: Trees

    def log_odds(self, known: pd.DataFrame, candidate: str) -> FloatArray:
        """Of an answer, before the level of the kind."""
        if candidate == RULE:
            return self.rule.value(known)
        if candidate == REGRESSION:
            return self.regression.value(known)
        if candidate == TREES:
            return self.trees.value(known)
        return (self.regression.value(known) + self.trees.value(known)) / 2


@dataclass(frozen=True)
class Response:
    """Who answers, as one object.

    ships:    of the candidates.     levels: by candidate and kind, added to the log-odds; a new kind has none.
    learners: None where nothing was learnt; then `share` stands for everybody.
    share:    that answered, with half an answer more; NaN where it is not known who did.
    learnt_from: the campaigns.
    """

    ships: str
    learners: Learners | None = field(repr=False)
    levels: Mapping[str, Mapping[str, float]] = field(repr=False)
    share: float
    learnt_from: tuple[str, ...]

    def chance(self, known: pd.DataFrame, kinds: Sequence[str] | str, candidate: str = "") -> FloatArray:
        """Of an answer, from 0 to 1: one entry per row. candidate: what ships, where none is named."""
        if self.learners is None:
            return np.full(len(known), self.share)
        name = candidate or self.ships
        of = pd.Series(kinds, index=range(len(known)), dtype="str")
        level = of.map(dict(self.levels[name])).fillna(0.0).to_numpy(dtype="float64")
        return chance(self.learners.log_odds(known, name) + level)

    def order(self, known: pd.DataFrame, candidate: str) -> FloatArray:
        """Whom a candidate puts first, within one kind."""
        if candidate == RULE or self.learners is None:
            return rule_of_thumb(known)
        return self.learners.log_odds(known, candidate)

    def as_record(self) -> dict[str, Any]:
        """Plain numbers and words, fit for JSON."""
        learners = None
        if self.learners is not None:
            named = {"rule": self.learners.rule, "regression": self.learners.regression}
            learners = {name: one.as_record() for name, one in named.items()}
            learners["trees"] = self.learners.trees.as_record()
        return {
            "ships": self.ships,
            "learners": learners,
            "levels": {name: dict(kinds) for name, kinds in self.levels.items()},
            "share": None if np.isnan(self.share) else self.share,
            "learnt_from": list(self.learnt_from),
        }

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Response:
        """What `as_record` wrote."""
        known, learners = record["learners"], None
        if known is not None:
            learners = Learners(
                Linear.from_record(known["rule"]),
                Linear.from_record(known["regression"]),
                Trees.from_record(known["trees"]),
            )
        levels = {name: {kind: float(one) for kind, one in kinds.items()} for name, kinds in record["levels"].items()}
        share = np.nan if record["share"] is None else float(record["share"])
        return cls(record["ships"], learners, levels, share, tuple(record["learnt_from"]))


@dataclass(frozen=True)
class Judged:
    """How every candidate did on later campaigns, having learnt from those that were closed before they began.

    table: one row per campaign and candidate, the newest first: `TABLE`; expected: chances over answers that came.
    gains: of each model over the rule, mean over the campaigns, with intervals by customer: `GAINS`.
    calibration: of what ships, on all judged campaigns: bin, customers, expected, came, low, high.
    """

    ships: str
    table: pd.DataFrame = field(repr=False)
    gains: pd.DataFrame = field(repr=False)
    calibration: pd.DataFrame = field(repr=False)

    @property
    def campaigns(self) -> int:
        """How many were judged."""
        return int(self.table["campaign_id"].nunique())


def fit_response(contacted: Contacted, *, ships: str, seed: int) -> Response:
    """Fit to all contacts of these rows; the share that answered where too few did, or did not."""
    rows = answered_rows(contacted.rows)
    yes = rows["responded"].to_numpy(dtype="float64")
    share = float((yes.sum() + 0.5) / (len(yes) + 1)) if len(yes) else np.nan
    campaigns = tuple(dict.fromkeys(rows["campaign_id"]))
    columns = [name for name in contacted.columns if rows[name].notna().any()]
    if not enough(yes) or not columns:
        return Response(RULE, None, {}, share, campaigns)
    known = rows[columns]
    learners = Learners(
        rule=fit_logistic(rows[list(_RULE_COLUMNS)], yes, penalty=1.0),
        regression=fit_logistic(known, yes, penalty=PENALTY),
        trees=fit_trees(known, yes, settings=_SETTINGS, rounds=_ROUNDS, seed=seed),
    )
    levels = {name: _levels(learners.log_odds(rows, name), yes, rows["kind"]) for name in CANDIDATES}
    return Response(ships, learners, levels, share, campaigns)


def judge_response(contacted: Contacted, *, seed: int) -> Judged:
    """Each of the newest closed campaigns by what was learnt from those that were closed when it began."""
    rows, seen = answered_rows(contacted.rows), []
    fits: dict[int, Response] = {}
    for campaign_id in _judged_campaigns(rows):
        some = rows[rows["campaign_id"] == campaign_id]
        day = int(some["day"].iloc[0])
        if day not in fits:
            fits[day] = fit_response(closed_before(contacted, day), ships=BLEND, seed=seed)
        if fits[day].learners is not None:
            seen.append((some, fits[day]))
    found = _gains(seen, seed=seed)
    ships = ship(found)
    table = [_row(some, fit, name) for some, fit in reversed(seen) for name in CANDIDATES]
    return Judged(ships, pd.DataFrame(table, columns=list(TABLE)), found, _calibration(seen, ships))


def ship(found: pd.DataFrame) -> str:
    """The blend where its order beats the rule's beyond the interval; else the rule."""
    ours = found[(found["candidate"] == BLEND) & (found["measure"] == "auc")]
    return BLEND if len(ours) and bool((ours["low"] > 0).all()) else RULE


def closed_before(contacted: Contacted, day: int) -> Contacted:
    """What had been closed when that day began."""
    rows = contacted.rows[contacted.rows["ends"] <= day].reset_index(drop=True)
    return Contacted(rows, contacted.past, contacted.columns)


def answered_rows(rows: pd.DataFrame) -> pd.DataFrame:
    """Those who were contacted, and so could answer."""
    return rows[rows["treated"].astype("bool") & rows["responded"].notna()].reset_index(drop=True)


def rule_of_thumb(known: pd.DataFrame) -> FloatArray:
    """The share of past campaigns answered; of the same share, whoever bought last."""
    since = known["days_since_last_purchase"].fillna(9_999.0).clip(upper=9_999.0)
    return np.asarray(known["share_answered"] - 1e-8 * since, dtype="float64")


def enough(yes: FloatArray) -> bool:
    """Can anything be learnt?"""
    return bool(min(yes.sum(), len(yes) - yes.sum()) >= FEWEST_OF_EACH) if len(yes) else False


def chance(log_odds: FloatArray) -> FloatArray:
    """From log-odds to a chance."""
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(log_odds, -30.0, 30.0))))


def fit_logistic(known: pd.DataFrame, yes: FloatArray, *, penalty: float) -> Linear:
    """A regression of log-odds; `penalty`: the inverse of how strongly weights are held to zero."""
    logs = in_logs(known)
    means, spreads = _spread(logs)
    with threadpool_limits(limits=1), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model = LogisticRegression(C=penalty, max_iter=500).fit(_standard(logs, means, spreads), yes > 0)
    columns = tuple(map(str, known.columns))
    return Linear(columns, means, spreads, np.asarray(model.coef_[0], "float64"), float(model.intercept_[0]))


def fit_ridge(known: pd.DataFrame, amounts: FloatArray, *, penalty: float) -> Linear:
    """A regression of amounts; `penalty`: how strongly weights are held to zero, in rows."""
    logs = in_logs(known)
    means, spreads = _spread(logs)
    with threadpool_limits(limits=1):
        model = Ridge(alpha=penalty).fit(_standard(logs, means, spreads), amounts)
    columns = tuple(map(str, known.columns))
    return Linear(columns, means, spreads, np.asarray(model.coef_, "float64"), float(model.intercept_))


def fit_trees(
    known: pd.DataFrame, values: FloatArray, *, settings: Mapping[str, Any], rounds: int, seed: int
) -> Trees:
    """Boosted trees on an even sample of at most `MOST_ROWS` rows."""
    at = np.unique(np.linspace(0, len(values) - 1, min(len(values), MOST_ROWS)).astype("int64"))
    columns, mean = tuple(map(str, known.columns)), float(values[at].mean())
    chances = settings["objective"] == "binary:logistic"
    start = float(np.clip(mean, 0.001, 0.999)) if chances else mean
    matrix = matrix_of(known.iloc[at], columns, values[at])
    return Trees(columns, xgb.train({**settings, "base_score": start, "seed": seed}, matrix, rounds))


def matrix_of(known: pd.DataFrame, columns: Sequence[str], label: FloatArray | None = None) -> xgb.DMatrix:
    """As XGBoost reads it."""
    numbers = known[list(columns)].to_numpy(dtype="float32", na_value=np.nan)
    return xgb.DMatrix(numbers, label=label, nthread=1)


def in_logs(known: pd.DataFrame) -> FloatArray:
    """Logarithms with their sign; as they are where a column has a sign of its own. Empty stays empty."""
    numbers = known.to_numpy(dtype="float64", na_value=np.nan)
    signed = np.array([name in SIGNED for name in known.columns], dtype="bool")
    logs: FloatArray = np.where(signed, numbers, np.sign(numbers) * np.log1p(np.abs(numbers)))
    return logs


def _spread(logs: FloatArray) -> tuple[FloatArray, FloatArray]:
    filled = np.where(np.isnan(logs).all(axis=0), 0.0, logs)
    return np.nanmean(filled, axis=0), np.nanstd(filled, axis=0)


def _standard(logs: FloatArray, means: FloatArray, spreads: FloatArray) -> FloatArray:
    scaled = (logs - means) / np.where(spreads > 1e-9, spreads, 1.0)
    return np.nan_to_num(np.where(spreads > 1e-9, np.clip(scaled, -FARTHEST, FARTHEST), 0.0), nan=0.0)


def _levels(log_odds: FloatArray, yes: FloatArray, kinds: pd.Series[str]) -> dict[str, float]:
    """How much more or less each kind is answered than all, held to nought by what kinds are taken to differ."""
    return {
        str(kind): _level(log_odds[at], yes[at])
        for kind in sorted(kinds.unique())
        for at in [np.flatnonzero((kinds == kind).to_numpy())]
    }


def _level(log_odds: FloatArray, yes: FloatArray) -> float:
    """The likeliest shift, by Newton's method: answers beyond those expected, against the pull to nought."""
    shift = 0.0
    for _ in range(25):
        said = chance(log_odds + shift)
        slope = float((yes - said).sum()) - shift / KINDS_DIFFER_BY**2
        step = slope / (float((said * (1 - said)).sum()) + 1 / KINDS_DIFFER_BY**2)
        shift += float(np.clip(step, -1.0, 1.0))
    return shift


def _judged_campaigns(rows: pd.DataFrame) -> list[str]:
    """The newest that are large enough and had some before them, the oldest first."""
    told = rows.groupby("campaign_id", sort=False).agg(
        day=("day", "first"), contacts=("responded", "size"), answered=("responded", "sum")
    )
    first = int(rows["ends"].min()) if len(rows) else 0
    some = (told["answered"] >= 1) & (told["answered"] < told["contacts"])
    large = told[some & (told["contacts"] >= FEWEST_CONTACTS) & (told["day"] >= first)].reset_index()
    return list(large.sort_values(["day", "campaign_id"], kind="stable")["campaign_id"].tail(JUDGED_ON))


Seen = Sequence[tuple[pd.DataFrame, Response]]


def _gains(seen: Seen, *, seed: int) -> pd.DataFrame:
    known = pd.Index(sorted({name for some, _ in seen for name in some["customer_id"]}))
    rows = []
    for candidate in CANDIDATES[1:] if seen else ():
        pairs = [
            Pair(
                known.get_indexer(some["customer_id"]).astype("int64"),
                some["responded"].to_numpy(dtype="float64"),
                fit.order(some, candidate),
                fit.order(some, RULE),
            )
            for some, fit in seen
        ]
        found = gains(pairs, ORDER, seed=seed, draws=DRAWS)
        rows += [(candidate, *row) for row in found[list(GAINS[1:])].itertuples(index=False)]
    return pd.DataFrame(rows, columns=list(GAINS))


def _row(some: pd.DataFrame, fit: Response, candidate: str) -> tuple[object, ...]:
    came, said = some["responded"].to_numpy(dtype="float64"), fit.chance(some, list(some["kind"]), candidate)
    order = fit.order(some, candidate)
    first = some.iloc[0]
    return (
        first["campaign_id"], first["kind"], date_of(first["day"]), candidate, len(came), int(came.sum()),
        auc(came, order), average_precision(came, order), lift(came, order), brier(came, said),
        expected_calibration_error(came, said), float(said.sum() / came.sum()),
    )  # fmt: skip


def _calibration(seen: Seen, ships: str) -> pd.DataFrame:
    if not seen:
        return calibration_table(np.empty(0), np.empty(0))
    came = np.concatenate([some["responded"].to_numpy(dtype="float64") for some, _ in seen])
    said = np.concatenate([fit.chance(some, list(some["kind"]), ships) for some, fit in seen])
    return calibration_table(came, said)


__all__ = ["BLEND", "CANDIDATES", "RULE", "Judged", "Linear", "Response", "Trees", "fit_response", "judge_response"]
