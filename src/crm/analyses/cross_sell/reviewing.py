"""What model review asks of cross-sell: one new item per customer, judged as a chance that came true or not.

A customer has hundreds of new items, and a model is judged customer by customer: of each customer one of them is
drawn, the more popular ones more often, the same for every model. Which item stands first is not judged here but on
the page of cross-sell.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Literal

import numpy as np
import pandas as pd

from crm.analyses.cross_sell.candidates import Looked, chance, fit_learners, log_odds, see
from crm.analyses.cross_sell.dates import dates_to_judge_on
from crm.analyses.cross_sell.items import Level, item_days
from crm.analyses.cross_sell.learners import Learners
from crm.analyses.cross_sell.model import CrossSellModel
from crm.analyses.cross_sell.one_each import OneEach, draw_one_each
from crm.analyses.cross_sell.pairs import describe
from crm.analyses.cross_sell.panel import FloatArray
from crm.errors import NotEnoughData
from crm.facts import Facts

GROUPS = ("small", "middle", "large")
"""Customers by what they have spent, in three equal parts."""


@dataclass(frozen=True)
class _CrossSell:
    name: str = "cross-sell"
    kind: Literal["chance", "amount"] = "chance"

    def load(self, record: Mapping[str, Any]) -> CrossSellModel:
        """The model of a record."""
        return CrossSellModel.from_record(record)

    def fitted_through(self, model: CrossSellModel) -> dt.date:
        """It was fitted to what was known before this date."""
        return model.as_of

    def dates(self, facts: Facts, as_of: dt.date) -> tuple[dt.date, ...]:
        """The judged dates of the analysis; none where it is not known what was bought."""
        if item_days(facts, facts.settings.definitions.cross_sell_level) is None:
            return ()
        return dates_to_judge_on(as_of, facts, days=_days(facts)).dates

    def rows(self, facts: Facts, date: dt.date) -> pd.DataFrame:
        """A customer and one new item each: customer_id, outcome (1: bought within the horizon), group."""
        one = _drawn(facts, date)
        rows: Any = one.wanted.any(axis=1)
        third = pd.Series(one.panel.spent).rank(method="first", pct=True).to_numpy()
        place = np.minimum((third * len(GROUPS) - 1e-9).astype("int64"), len(GROUPS) - 1)
        return pd.DataFrame(
            {
                "customer_id": pd.Series(one.panel.customer_ids[rows], dtype="str"),
                "outcome": np.asarray((one.panel.relevant & one.wanted)[rows].any(axis=1), dtype="float64"),
                "group": pd.Series(np.asarray(GROUPS)[place][rows], dtype="str"),
            }
        )

    def score(self, model: CrossSellModel, facts: Facts, date: dt.date) -> FloatArray:
        """The chance of each of them."""
        one = _drawn(facts, date)
        if model.learners is None:
            share = np.minimum(one.market.hazard * model.horizon_days / 56, 1.0)
            return np.broadcast_to(share, one.wanted.shape)[one.wanted]
        return chance(log_odds(describe(one.panel, one.market, one.wanted), model.learners)[model.ships])

    def twin(self, model: CrossSellModel, facts: Facts, date: dt.date) -> CrossSellModel:
        """The same recipe, fitted to what was known before that date."""
        if model.learners is None:
            return replace(model, as_of=date)
        learners = _learnt(facts, date, model.level, model.most_items, model.horizon_days, model.seed)
        if learners is None:
            raise NotEnoughData(
                "A twin is fitted to dates whose outcome was known by then.",
                found=f"none before {date}",
                do="Judge later dates, or read more of the history.",
            )
        return replace(model, as_of=date, learners=learners)

    def population(self, facts: Facts, as_of: dt.date) -> pd.DataFrame:
        """The same customers, each with what models read of its item."""
        return _drawn(facts, as_of).columns

    def other_question(self, record: Mapping[str, Any], facts: Facts) -> str:
        """What the model tells, and what is asked, where that is not the same."""
        definitions = facts.settings.definitions
        told = f"what is bought within {record['horizon_days']} days at the level of the {record['level']}"
        asked = f"{_days(facts)} days at the level of the {definitions.cross_sell_level}"
        # A short history has a shorter horizon than the one that is wanted: that is the same question.
        same = record["level"] == definitions.cross_sell_level and record["horizon_days"] <= _days(facts)
        return "" if same else f"it tells {told}, and {asked} are asked"

    def learnt_through(self, record: Mapping[str, Any]) -> dt.date | None:
        """The end of the horizon of the newest date learnt from; None where it learnt from none."""
        learners = record["learners"]
        if learners is None:
            return None
        newest = max(dt.date.fromisoformat(date) for date in learners["dates"])
        return newest + dt.timedelta(days=int(learners["days"]))


def _days(facts: Facts) -> int:
    return facts.settings.definitions.cross_sell_horizon_days


@lru_cache(maxsize=1)
def _drawn(facts: Facts, date: dt.date) -> OneEach:
    definitions = facts.settings.definitions
    level, most = definitions.cross_sell_level, definitions.cross_sell_items
    seen = see(facts, date, level=level, most=most, days=_days(facts))
    if seen is None:
        raise NotEnoughData(
            "At least two items must be known.", found=f"fewer before {date}", do="Choose another cross_sell_level."
        )
    return draw_one_each(seen.active(definitions.active_within_days), seen.market, seed=facts.settings.runs.seed)


@lru_cache(maxsize=4)
def _learnt(facts: Facts, date: dt.date, level: Level, most: int, days: int, seed: int) -> Learners | None:
    return fit_learners(Looked(facts, level=level, most=most, days=days), date, seed=seed)


REVIEWABLE = _CrossSell()
