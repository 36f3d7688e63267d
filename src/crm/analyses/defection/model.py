"""The model that says how likely each customer is to leave: everything it needs, as plain numbers."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from crm.analyses.defection.dates import lessons_for
from crm.analyses.defection.known import known_on, purchase_model_on
from crm.analyses.defection.labels import Stake, label, stake_of
from crm.analyses.defection.learners import (
    BLEND,
    Learners,
    Lesson,
    Regression,
    chance,
    fit_regression,
    learn,
    log_odds_of,
)
from crm.analyses.defection.result import OUTCOMES
from crm.analyses.defection.rules import by_rules
from crm.errors import NotEnoughData
from crm.facts import Facts
from crm.measures.stability import Population
from crm.purchase_models.fitting import model_from_record
from crm.purchase_models.histories import FloatArray
from crm.purchase_models.model import PurchaseModel
from crm.snapshots import snapshot

SILENCE = "log_odds_of_silence"
LEFT = OUTCOMES[0]
SHARE = "The share that left lately"
SCORE = "score"
"""Under this name the population tells how the chances were spread."""


@dataclass(frozen=True)
class DefectionModel:
    """Fitted to what was known before `as_of`; no outcome after it was seen.

    purchases: the purchase model whose chances it reads; None where the data determine none.
    learners:  per outcome; None where too few left on the dates learnt from.
    rule:      of thumb that ships in place of the blend; empty: the blend ships. `by_rule` makes a chance of it.
    level:     per outcome, added to the log-odds; `level_from` says from where: own, judged dates or season.
    share:     per outcome, that left on the newest date learnt from; nan where there is none.
    typical:   the median of each column among those who stayed: what a reason is held against.
    population: of the customers it was fitted for, and of their chances; None before it is known.
    """

    as_of: dt.date
    stake: Stake
    columns: tuple[str, ...]
    purchases: PurchaseModel | None = field(repr=False)
    learners: Mapping[str, Learners | None] = field(repr=False)
    rule: str
    by_rule: Mapping[str, Regression | None] = field(repr=False)
    level: Mapping[str, float]
    level_from: Mapping[str, str]
    share: Mapping[str, float]
    learnt_from: tuple[dt.date, ...]
    typical: Mapping[str, float] = field(repr=False)
    population: Population | None = field(repr=False)
    seed: int

    @property
    def horizon_days(self) -> int:
        """Days ahead within which a customer leaves or does not."""
        return self.stake.after_days

    @property
    def name(self) -> str:
        """Of what scores."""
        if self.rule:
            return self.rule
        if self.learners.get(LEFT):
            return BLEND
        return self.purchases.name if self.purchases else SHARE

    @cached_property
    def content(self) -> str:
        """A hash of everything it is made of."""
        return hashlib.sha256(json.dumps(self.as_record(), sort_keys=True).encode()).hexdigest()

    def known_on(self, facts: Facts, as_of: dt.date) -> pd.DataFrame:
        """One row per customer at stake on `as_of`: customer_id and the columns that `log_odds` reads."""
        known = known_on(facts, as_of, self.purchases)
        if self.rule and self.rule not in known:
            known = known.assign(**{self.rule: by_rules(known, snapshot(facts, as_of))[self.rule]})
        return known.assign(**{name: np.nan for name in self.columns if name not in known})

    def log_odds(self, known: pd.DataFrame, outcome: str = LEFT) -> FloatArray:
        """Of leaving: one entry per row of `known`; nan where nothing is known of an outcome."""
        ours, by_rule = self.learners.get(outcome), self.by_rule.get(outcome)
        if self.rule and by_rule:
            own = by_rule.log_odds(known)
        elif ours:
            own = ours.log_odds(known)[BLEND]
        elif outcome == LEFT and self.purchases is not None:
            own = known[SILENCE].to_numpy(dtype="float64")
        else:
            own = np.full(len(known), log_odds_of(self.share.get(outcome, np.nan)))
        return own + self.level.get(outcome, 0.0)

    def chances(self, known: pd.DataFrame) -> pd.DataFrame:
        """left and left_partly: chances from 0 to 1, one row per row of `known`. Partly is at least wholly."""
        left = chance(self.log_odds(known))
        partly = np.fmax(chance(self.log_odds(known, OUTCOMES[1])), left)
        return pd.DataFrame({LEFT: left, OUTCOMES[1]: partly}, index=known.index)

    def contributions(self, known: pd.DataFrame) -> pd.DataFrame:
        """What each column adds to the log-odds of leaving, against a customer like the mean: a column each."""
        ours, by_rule = self.learners.get(LEFT), self.by_rule.get(LEFT)
        if self.rule and by_rule:
            return pd.DataFrame(by_rule.contributions(known), columns=list(by_rule.columns), index=known.index)
        if ours:
            return ours.contributions(known)[list(ours.columns)]
        if SILENCE in known:
            return known[[SILENCE]] - known[SILENCE].mean()
        return pd.DataFrame(index=known.index)

    def of_population(self, known: pd.DataFrame) -> DefectionModel:
        """The same, remembering how the columns and chances of these customers are spread."""
        spread = known[list(self.columns)].assign(**{SCORE: self.chances(known)[LEFT]})
        return replace(self, population=Population.of(spread))

    def as_record(self) -> dict[str, Any]:
        """Plain numbers and words, fit for JSON; XGBoost's trees in its own JSON."""
        return {
            "as_of": self.as_of.isoformat(),
            "stake": asdict(self.stake),
            "columns": list(self.columns),
            "purchases": None if self.purchases is None else self.purchases.as_record(),
            "learners": {name: None if one is None else one.as_record() for name, one in self.learners.items()},
            "rule": self.rule,
            "by_rule": {name: None if one is None else one.as_record() for name, one in self.by_rule.items()},
            "level": dict(self.level),
            "level_from": dict(self.level_from),
            "share": {name: None if np.isnan(one) else one for name, one in self.share.items()},
            "learnt_from": [date.isoformat() for date in self.learnt_from],
            "typical": dict(self.typical),
            "population": None if self.population is None else self.population.as_record(),
            "seed": self.seed,
        }

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> DefectionModel:
        """The model that `as_record` wrote."""
        return cls(
            as_of=dt.date.fromisoformat(record["as_of"]),
            stake=Stake(**record["stake"]),
            columns=tuple(record["columns"]),
            purchases=None if record["purchases"] is None else model_from_record(record["purchases"]),
            learners={n: None if one is None else Learners.from_record(one) for n, one in record["learners"].items()},
            rule=record["rule"],
            by_rule={n: None if one is None else Regression.from_record(one) for n, one in record["by_rule"].items()},
            level={name: float(one) for name, one in record["level"].items()},
            level_from=dict(record["level_from"]),
            share={name: np.nan if one is None else float(one) for name, one in record["share"].items()},
            learnt_from=tuple(dt.date.fromisoformat(date) for date in record["learnt_from"]),
            typical={name: float(one) for name, one in record["typical"].items()},
            population=None if record["population"] is None else Population.from_record(record["population"]),
            seed=int(record["seed"]),
        )


@dataclass(frozen=True)
class Lessons:
    """The earlier dates one learns from: per outcome the lessons, and the purchase model read on each."""

    by_outcome: Mapping[str, list[Lesson]] = field(repr=False)
    dates: tuple[dt.date, ...]

    def __bool__(self) -> bool:
        return bool(self.dates)


def read_lessons(facts: Facts, as_of: dt.date) -> Lessons:
    """What was known on earlier dates, with a purchase model of each date, and what came within the horizon."""
    dates, by_outcome = [], {outcome: list[Lesson]() for outcome in OUTCOMES}
    for date in lessons_for(facts, as_of, horizon_days=stake_of(facts).after_days):
        try:
            labelled = label(facts, date)
        except NotEnoughData:
            continue
        if labelled.empty:
            continue
        known = known_on(facts, date, purchase_model_on(facts, date)).drop(columns="customer_id")
        dates.append(date)
        for outcome in OUTCOMES:
            by_outcome[outcome].append(Lesson(date, known, labelled[outcome].to_numpy(dtype="float64")))
    return Lessons(by_outcome, tuple(dates))


def fit_defection_model(facts: Facts, as_of: dt.date, *, lessons: Lessons | None = None) -> DefectionModel:
    """Fit to what was known before `as_of`. Its level is its own; see `level.settle` for what judged dates teach."""
    stake, seed = stake_of(facts), facts.settings.runs.seed
    lessons = read_lessons(facts, as_of) if lessons is None else lessons
    learners = {
        outcome: learn(some, horizon_days=stake.after_days, seed=seed) if some else None
        for outcome, some in lessons.by_outcome.items()
    }
    read = next((one.columns for one in learners.values() if one), ())
    return DefectionModel(
        as_of=as_of,
        stake=stake,
        columns=read or (SILENCE,),
        purchases=purchase_model_on(facts, as_of),
        learners=learners,
        rule="",
        by_rule={},
        level={},
        level_from=dict.fromkeys(OUTCOMES, "own"),
        share={outcome: _newest_share(some) for outcome, some in lessons.by_outcome.items()},
        learnt_from=lessons.dates,
        typical=_typical(lessons.by_outcome[LEFT]),
        population=None,
        seed=seed,
    )


def ship_rule(model: DefectionModel, facts: Facts, rule: str) -> DefectionModel:
    """The same, with a rule of thumb in place of the blend: the dates learnt from make a chance of its order."""
    lessons = [lesson for date in model.learnt_from if (lesson := _orders(facts, date, rule)) is not None]
    if not lessons:
        return model
    known = pd.concat(lessons, ignore_index=True)
    fitted: dict[str, Regression | None] = {}
    for outcome in OUTCOMES:
        left = known[outcome].to_numpy(dtype="float64")
        enough = 0 < left.sum() < len(left)
        fitted[outcome] = fit_regression(known[[rule]], left, penalty=1.0) if enough else None
    if fitted[LEFT] is None:
        return model
    typical = {rule: float(known.loc[known[LEFT] == 0, rule].median())}
    return replace(model, rule=rule, by_rule=fitted, columns=(rule,), level={}, typical=typical)


def _orders(facts: Facts, date: dt.date, rule: str) -> pd.DataFrame | None:
    """What a rule said of those at stake on a date, and what became of them; None where it said nothing."""
    labelled = label(facts, date)
    found = by_rules(known_on(facts, date, None), snapshot(facts, date))
    return labelled[list(OUTCOMES)].astype("float64").assign(**{rule: found[rule]}) if rule in found else None


def _newest_share(lessons: list[Lesson]) -> float:
    return float(max(lessons, key=lambda lesson: lesson.date).left.mean()) if lessons else float("nan")


def _typical(lessons: list[Lesson]) -> dict[str, float]:
    """The median of each column among those who stayed on the dates learnt from; never filled ones are left out."""
    if not lessons:
        return {}
    stayed = pd.concat([lesson.known[lesson.left == 0] for lesson in lessons], ignore_index=True)
    medians = stayed.median(axis=0)
    return {str(name): float(value) for name, value in medians.items() if np.isfinite(value)}
