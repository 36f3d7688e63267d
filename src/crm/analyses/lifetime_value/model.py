"""The model that ships: candidates, their blend and the width of its intervals, as one object that values customers.

model = LifetimeModel.from_record(json.loads(text))
model.score(customers)                  # of any number, some thousand at a time
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
import xgboost as xgb

from crm.analyses.lifetime_value.blend import Weights, floor_of
from crm.analyses.lifetime_value.candidates import Candidates, Expected
from crm.analyses.lifetime_value.chance import Silence
from crm.analyses.lifetime_value.foresight import silence, spread, together
from crm.analyses.lifetime_value.judging import Mixed
from crm.analyses.lifetime_value.learners import Learners, Regression
from crm.analyses.lifetime_value.rules import RULES
from crm.analyses.lifetime_value.season import Season
from crm.analyses.lifetime_value.spend import SpendFit, SpendModel
from crm.measures.stability import Population
from crm.purchase_models.fitting import model_from_record
from crm.purchase_models.histories import FloatArray, Histories

AT_ONCE = 20_000
HISTORY = ("frequency", "recency", "T", "mean_log_gap", "purchase_days", "net_sales_ever")
COUNT_DECIMALS, MONEY_DECIMALS, CHANCE_DECIMALS = 6, 4, 6


@dataclass(frozen=True)
class LifetimeModel:
    """Everything that values a customer from the numbers of a snapshot.

    weights, factors, floors: of the blend, for purchases and value.     interval_level: at which 90 % are covered.
    population: how the columns and expected values of those it was fitted for are spread; no part of its content.
    """

    candidates: Candidates
    weights: Mapping[str, Weights]
    factors: Mapping[str, float]
    floors: Mapping[str, float]
    interval_level: float
    silence: Silence
    seed: int
    population: Population | None = None

    @classmethod
    def of(cls, candidates: Candidates, mixed: Mixed, *, seed: int) -> LifetimeModel:
        """What these candidates expect of customers, mixed as on their own date."""
        tables = {"purchases": mixed.seen.expected.purchases, "value": mixed.seen.expected.value}
        return cls(
            candidates,
            weights=mixed.weights,
            factors=mixed.factors,
            floors={what: floor_of(table) for what, table in tables.items()},
            interval_level=mixed.interval_level,
            silence=mixed.silence,
            seed=seed,
        )

    @property
    def rule(self) -> str:
        """The rule of thumb that it is, if it is nothing but one; else empty."""
        names = {weights.name for weights in self.weights.values()}
        return names.pop() if len(names) == 1 and names <= set(RULES) else ""

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of a snapshot that it reads."""
        return self.candidates.columns

    @property
    def reads(self) -> tuple[str, ...]:
        """The columns of a snapshot without which no customer can be valued: the name, the history, `columns`."""
        return tuple(dict.fromkeys(["customer_id", *HISTORY, *self.columns]))

    @property
    def horizon_days(self) -> int:
        """How far it looks."""
        return self.candidates.horizon_days

    def score(self, customers: pd.DataFrame) -> pd.DataFrame:
        """One row per customer in their order, some thousand at a time, so that memory stays bounded.

        expected_purchases (purchase days), typical_purchases (the middle of what may come, whole), expected_value,
        value_low, value_high, typical_value (net sales; the middle) within the horizon; probability_alive,
        chance_of_no_purchase. Whoever is judged by the mean distance per customer takes the typical ones.
        """
        starts = range(0, max(len(customers), 1), AT_ONCE)
        parts = [self._score(customers.iloc[start : start + AT_ONCE]) for start in starts]
        return pd.concat(parts).set_axis(customers.index)

    def score_in_parts(self, parts: Iterable[pd.DataFrame]) -> Iterator[pd.DataFrame]:
        """`score` of customers that come some thousand at a time, each part with its customer_id first.

        Of all of them no more than one part is ever held: `snapshot_in_parts` hands them out.
        """
        for part in parts:
            yield pd.concat([part[["customer_id"]], self.score(part)], axis=1)

    def expect(self, customers: pd.DataFrame) -> tuple[FloatArray, FloatArray]:
        """Expected purchase days and value of some customers."""
        return self._mixed(self.candidates.expect(customers))

    def _mixed(self, expected: Expected) -> tuple[FloatArray, FloatArray]:
        tables = {"purchases": expected.purchases, "value": expected.value}
        mixed = [
            self.weights[what].mix(table, floor=self.floors[what]) * self.factors[what]
            for what, table in tables.items()
        ]
        return mixed[0], mixed[1]

    def in_season(self, customers: pd.DataFrame, season: Season | None) -> LifetimeModel:
        """The same model on another date: how each is weighed stays, the level of all is that of these customers in
        this season."""
        expected = self.candidates.expect(customers)
        tables = {"purchases": expected.purchases, "value": expected.value}
        factors = {
            what: self.weights[what].level(table, season=None if season is None else season.of(what))
            for what, table in tables.items()
        }
        return replace(self, factors=factors)

    def _score(self, customers: pd.DataFrame) -> pd.DataFrame:
        expected = self.candidates.expect(customers)
        purchases, value = self._mixed(expected)
        model, histories = together(self.candidates), Histories.of(customers)
        unknown = np.full(len(customers), np.nan)
        quantiles = spread(self.candidates, customers, seed=self.seed)
        low, _, high = (unknown,) * 3 if quantiles is None else quantiles.at(self.interval_level, value)
        nothing = unknown if model is None else self.silence.chance(silence(self.candidates, customers), purchases)
        nothing = nothing.round(CHANCE_DECIMALS)
        days, typical = unknown, unknown
        if quantiles is not None:
            days, typical = quantiles.typical(purchases, value, nothing, expected.typical)
        # Whoever will buy is there: the models that know no more than the rhythm may not say otherwise.
        alive = unknown if model is None else np.maximum(model.probability_alive(histories), 1 - nothing)
        return pd.DataFrame(
            {
                "expected_purchases": purchases.round(COUNT_DECIMALS),
                "typical_purchases": days,
                "expected_value": value.round(MONEY_DECIMALS),
                "value_low": low.round(MONEY_DECIMALS),
                "value_high": high.round(MONEY_DECIMALS),
                "typical_value": typical.round(MONEY_DECIMALS),
                "probability_alive": alive.round(CHANCE_DECIMALS),
                "chance_of_no_purchase": nothing,
            }
        )

    @cached_property
    def content(self) -> str:
        """A hash of everything it values by."""
        said = ("population", "why_not")
        record = {name: value for name, value in self.as_record().items() if name not in said}
        return hashlib.sha256(json.dumps(record, sort_keys=True).encode()).hexdigest()

    def of_population(self, customers: pd.DataFrame, value: FloatArray) -> LifetimeModel:
        """The same, remembering how these customers and what was expected of them are spread."""
        return replace(self, population=Population.of(customers[list(self.columns)].assign(score=value)))

    def as_record(self) -> dict[str, Any]:
        """The model as plain numbers and words, fit for JSON; the trees in XGBoost's own JSON."""
        one = self.candidates
        return {
            "as_of": one.as_of.isoformat(),
            "horizon_days": one.horizon_days,
            "columns": list(one.columns),
            "purchase_models": [model.as_record() for model in one.purchase_models.values()],
            "retention": one.retention,
            "why_not": list(one.why_not),
            "spend": None if one.spend.model is None else one.spend.model.as_record(),
            "learners": None if one.learners is None else _learners_record(one.learners),
            "weights": {what: weights.as_record() for what, weights in self.weights.items()},
            "factors": dict(self.factors),
            "floors": dict(self.floors),
            "interval_level": self.interval_level,
            "silence": self.silence.as_record(),
            "seed": self.seed,
            "population": None if self.population is None else self.population.as_record(),
        }

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> LifetimeModel:
        """The model that `as_record` wrote."""
        models = [model_from_record(one) for one in record["purchase_models"]]
        spend = None if record["spend"] is None else SpendModel.from_record(record["spend"])
        candidates = Candidates(
            as_of=dt.date.fromisoformat(record["as_of"]),
            horizon_days=int(record["horizon_days"]),
            purchase_models={model.name: model for model in models},
            spend=SpendFit(spend, "", {}),
            learners=None if record["learners"] is None else _learners(record["learners"]),
            why_not=tuple(record.get("why_not", ())),
            retention=float(record["retention"]),
            columns=tuple(record["columns"]),
        )
        return cls(
            candidates,
            weights={what: Weights(one["shares"], one["level_from"]) for what, one in record["weights"].items()},
            factors=record["factors"],
            floors=record["floors"],
            interval_level=float(record["interval_level"]),
            silence=Silence(**record["silence"]),
            seed=int(record["seed"]),
            population=Population.from_record(known) if (known := record.get("population")) else None,
        )


def _learners_record(learners: Learners) -> dict[str, Any]:
    return {
        "columns": list(learners.columns),
        "dates": [date.isoformat() for date in learners.dates],
        "days": learners.days,
        "rows": learners.rows,
        "regression": {
            what: {
                "means": one.means.tolist(),
                "spreads": one.spreads.tolist(),
                "weights": one.weights.tolist(),
                "intercept": one.intercept,
                "most": one.most,
            }
            for what, one in learners.regression.items()
        },
        "trees": _as_text(learners.trees),
        # A model that was saved without stays the same model.
        **({"middles": _as_text(learners.middles)} if learners.middles else {}),
    }


def _as_text(boosters: Mapping[str, xgb.Booster]) -> dict[str, str]:
    return {what: booster.save_raw("json").decode() for what, booster in boosters.items()}


def _boosters(texts: Mapping[str, str]) -> dict[str, xgb.Booster]:
    boosters = {}
    for what, text in texts.items():
        boosters[what] = xgb.Booster({"nthread": 1})
        boosters[what].load_model(bytearray(text.encode()))
    return boosters


def _learners(record: Mapping[str, Any]) -> Learners:
    return Learners(
        columns=tuple(record["columns"]),
        dates=tuple(dt.date.fromisoformat(date) for date in record["dates"]),
        days=int(record["days"]),
        rows=int(record["rows"]),
        regression={
            what: Regression(
                means=np.asarray(one["means"]),
                spreads=np.asarray(one["spreads"]),
                weights=np.asarray(one["weights"]),
                intercept=float(one["intercept"]),
                most=float(one["most"]),
            )
            for what, one in record["regression"].items()
        },
        trees=_boosters(record["trees"]),
        middles=_boosters(record.get("middles", {})),
    )


__all__ = ["LifetimeModel"]
