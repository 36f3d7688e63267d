"""How a lifetime value is reviewed: what was expected of customers on dates whose outcome is known, and what came."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

import numpy as np
import pandas as pd

from crm.analyses.lifetime_value.candidates import fit_candidates
from crm.analyses.lifetime_value.dates import dates_to_judge_on
from crm.analyses.lifetime_value.foresight import foresee, look_back
from crm.analyses.lifetime_value.judging import Mixed, judge, mix, mix_all, rule_to_ship
from crm.analyses.lifetime_value.model import LifetimeModel
from crm.analyses.lifetime_value.season import season_of
from crm.facts import Facts
from crm.periods import day_number
from crm.purchase_models.histories import FloatArray
from crm.snapshots import labelled_snapshot, snapshot

BOUGHT = ((1, "bought once"), (9, "2 to 9 purchase days"), (np.inf, "10 or more purchase days"))
"""Groups by the purchase days so far: up to this many."""


@dataclass(frozen=True)
class LifetimeReview:
    """Net sales within the horizon, as expected and as they came. Groups: how often a customer had bought."""

    name: str = "lifetime-value"
    kind: Literal["amount"] = "amount"

    def load(self, record: Mapping[str, Any]) -> LifetimeModel:
        """The model of a record."""
        return LifetimeModel.from_record(record)

    def fitted_through(self, model: LifetimeModel | Mixed) -> dt.date:
        """It learns from outcomes up to its own as-of date."""
        return model.seen.date if isinstance(model, Mixed) else model.candidates.as_of

    def dates(self, facts: Facts, as_of: dt.date) -> tuple[dt.date, ...]:
        """Up to three, a horizon apart; none until the wanted horizon can be seen."""
        days = facts.settings.definitions.value_horizon_days
        found = dates_to_judge_on(as_of, facts, horizon_days=days)
        return found.dates if found.days == days else ()

    def rows(self, facts: Facts, date: dt.date) -> pd.DataFrame:
        """Everybody known on that date: customer_id, outcome, group."""
        days = facts.settings.definitions.value_horizon_days
        labelled = labelled_snapshot(facts, date, horizon_days=days)
        groups = np.searchsorted([most for most, _ in BOUGHT], labelled["purchase_days"], side="left")
        words = np.array([word for _, word in BOUGHT])[groups]
        outcome = labelled["net_sales_next"].astype("float64")
        return pd.DataFrame({"customer_id": labelled["customer_id"], "outcome": outcome, "group": words})

    def score(self, model: LifetimeModel | Mixed, facts: Facts, date: dt.date) -> FloatArray:
        """Expected value over the horizon of the settings, in the order of the snapshot; at the level of the date's
        season, as a champion scores."""
        if isinstance(model, Mixed) and model.seen.date == date:
            return model.value
        fitted = _fitted(facts, model.seen.date) if isinstance(model, Mixed) else model
        customers = snapshot(facts, date)
        return fitted.in_season(customers, season_of(facts, date, fitted.horizon_days)).expect(customers)[1]

    def twin(self, model: LifetimeModel | Mixed, facts: Facts, date: dt.date) -> LifetimeModel | Mixed:
        """What the same recipe would have expected on that date, by what was known then alone."""
        del model  # its seed and horizon are those of the settings
        known = day_number(date) + facts.settings.definitions.value_horizon_days <= facts.last_day + 1
        return _twin(facts, date) if known else _fitted(facts, date)

    def other_question(self, record: Mapping[str, Any], facts: Facts) -> str:
        """What the model tells, and what is asked, where that is not the same."""
        tells, asked = record["horizon_days"], facts.settings.definitions.value_horizon_days
        return "" if tells == asked else f"it tells the value within {tells} days, and {asked} are asked"

    def learnt_through(self, record: Mapping[str, Any]) -> dt.date | None:
        """The end of the horizon of the newest date learnt from; None where it learnt from none."""
        if record["learners"] is None:
            return None
        newest = max(dt.date.fromisoformat(date) for date in record["learners"]["dates"])
        return newest + dt.timedelta(days=record["learners"]["days"])


@lru_cache(maxsize=4)
def _twin(facts: Facts, date: dt.date) -> Mixed:
    days, seed = _asked(facts)
    judged, rule = _judged(facts, date, days=days, seed=seed)
    return mix(look_back(facts, date, days=days, seed=seed), judged, rule=rule)


@lru_cache(maxsize=2)
def _fitted(facts: Facts, date: dt.date) -> LifetimeModel:
    """The same as a model, also of a date whose outcome is not known yet: it values customers of any date."""
    days, seed = _asked(facts)
    judged, rule = _judged(facts, date, days=days, seed=seed)
    candidates = fit_candidates(facts, date, horizon_days=days, seed=seed)
    seen = foresee(candidates, snapshot(facts, date), season=season_of(facts, date, days), seed=seed)
    return LifetimeModel.of(candidates, mix(seen, judged, rule=rule), seed=seed)


def _asked(facts: Facts) -> tuple[int, int]:
    return facts.settings.definitions.value_horizon_days, facts.settings.runs.seed


def _judged(facts: Facts, date: dt.date, *, days: int, seed: int) -> tuple[list[Mixed], str]:
    """The dates judged by then, and the rule of thumb that ships after them; empty where the blend does."""
    before = dates_to_judge_on(date, facts, horizon_days=days)
    passed = [one for one in before.dates if day_number(one) + before.days <= day_number(date)]
    judged = mix_all([look_back(facts, one, days=before.days, seed=seed) for one in passed])
    judgement = judge(judged, facts, days=before.days, seed=seed)
    return judged, rule_to_ship(judgement.against_best_rule, judgement.mean)


REVIEWABLE = LifetimeReview()
