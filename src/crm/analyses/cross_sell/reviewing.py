"""What model review asks of cross-sell: one new item per customer, judged as a chance that came true or not.

A customer has hundreds of new items, and a model is judged customer by customer: of each customer one of them is
drawn, the more popular ones more often, the same for every model. Which item stands first is not judged here but on
the page of cross-sell.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import pandas as pd

from crm.analyses.cross_sell.candidates import Looked, Seen, chance, fit_learners, log_odds, see
from crm.analyses.cross_sell.dates import dates_to_judge_on, horizon_seen
from crm.analyses.cross_sell.items import item_days
from crm.analyses.cross_sell.model import CrossSellModel
from crm.analyses.cross_sell.pairs import COLUMNS, describe
from crm.analyses.cross_sell.panel import BoolArray, FloatArray, Panel
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
        return dates_to_judge_on(as_of, facts, days=_days(facts, as_of)).dates

    def rows(self, facts: Facts, date: dt.date) -> pd.DataFrame:
        """A customer and one new item each: customer_id, outcome (1: bought within the horizon), group."""
        seen, panel, wanted = _drawn(facts, date, days=_days(facts, date))
        del seen
        third = pd.Series(panel.spent).rank(method="first", pct=True).to_numpy()
        place = np.minimum((third * len(GROUPS) - 1e-9).astype("int64"), len(GROUPS) - 1)
        rows = wanted.any(axis=1)
        return pd.DataFrame(
            {
                "customer_id": pd.Series(panel.customer_ids, dtype="str")[rows],
                "outcome": (panel.relevant & wanted).any(axis=1)[rows].astype("float64"),
                "group": pd.Series(np.asarray(GROUPS)[place], dtype="str")[rows],
            }
        ).reset_index(drop=True)

    def score(self, model: CrossSellModel, facts: Facts, date: dt.date) -> FloatArray:
        """The chance of each of them."""
        seen, panel, wanted = _drawn(facts, date, days=0)
        if model.learners is None:
            return np.broadcast_to(np.minimum(seen.market.hazard * model.horizon_days / 56, 1.0), wanted.shape)[
                wanted
            ]
        return chance(log_odds(describe(panel, seen.market, wanted), model.learners)[model.ships])

    def twin(self, model: CrossSellModel, facts: Facts, date: dt.date) -> CrossSellModel:
        """The same recipe, fitted to what was known before that date."""
        looked = Looked(facts, level=model.level, most=model.most_items, days=model.horizon_days)
        learners = fit_learners(looked, date, seed=model.seed) if model.learners else None
        if model.learners and learners is None:
            raise NotEnoughData(
                "A twin is fitted to dates whose outcome was known by then.",
                found=f"none before {date}",
                do="Judge later dates, or read more of the history.",
            )
        return replace(model, as_of=date, learners=learners)

    def population(self, facts: Facts, as_of: dt.date) -> pd.DataFrame:
        """The same customers, each with what models read of its item."""
        seen, panel, wanted = _drawn(facts, as_of, days=0)
        table = pd.DataFrame(describe(panel, seen.market, wanted), columns=list(COLUMNS))
        return table.assign(customer_id=panel.customer_ids[wanted.any(axis=1)])


def _days(facts: Facts, date: dt.date) -> int:
    return horizon_seen(date, facts, horizon_days=facts.settings.definitions.cross_sell_horizon_days)


def _drawn(facts: Facts, date: dt.date, *, days: int) -> tuple[Seen, Panel, BoolArray]:
    """What was seen, its active customers, and one new item of each; none of who has bought everything."""
    definitions = facts.settings.definitions
    seen = see(facts, date, level=definitions.cross_sell_level, most=definitions.cross_sell_items, days=days)
    if seen is None:
        raise NotEnoughData(
            "At least two items must be known.", found=f"fewer before {date}", do="Choose another cross_sell_level."
        )
    panel = seen.active(definitions.active_within_days)
    weight = np.where(panel.candidates, seen.market.hazard[None, :], 0.0).cumsum(axis=1)
    total = weight[:, -1:]
    at = np.random.default_rng([facts.settings.runs.seed, date.toordinal()]).random((len(panel), 1)) * total
    place = np.argmax(weight > at, axis=1)
    wanted = (np.arange(weight.shape[1])[None, :] == place[:, None]) & panel.candidates & (total > 0)
    return seen, panel, wanted


REVIEWABLE = _CrossSell()
