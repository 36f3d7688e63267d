"""The model that ships: learners over pairs, as one object that gives every active customer what comes next.

model = CrossSellModel.from_record(json.loads(text))
model.score(facts, as_of).top                  # some thousand customers at a time
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
import xgboost as xgb

from crm.analyses.cross_sell.candidates import BEST_SELLERS, Seen, chance, in_table, log_odds, see
from crm.analyses.cross_sell.items import Items, Level
from crm.analyses.cross_sell.learners import Learners, Regression
from crm.analyses.cross_sell.market import Market
from crm.analyses.cross_sell.pairs import COLUMNS, describe
from crm.analyses.cross_sell.panel import FloatArray, Panel, active_customers, read_panel
from crm.analyses.cross_sell.reasons import strongest_sign
from crm.errors import NotEnoughData
from crm.facts import Facts
from crm.measures.stability import Population

AT_ONCE = 4_000
PLACES = 10
BY_MARGIN = 5
LISTED = 1_000
"""Customers kept for each item, to write to."""

CHANCE_DECIMALS, MONEY_DECIMALS = 6, 4
TOP = (
    "customer_id", "item", "probability", "rank", "expected_margin", "because", "because_share", "share_of_all"
)  # fmt: skip
LISTS = ("item", "customer_id", "probability", "rank", "expected_buyers")


@dataclass(frozen=True)
class Scored:
    """What the active customers would buy next.

    top:       the ten likeliest new items of each: customer_id, item, probability (of buying it within the horizon),
               rank, expected_margin (probability x margin rate x value of a purchase), because (the item of the
               customer that is the strongest sign; empty without), because_share (of its buyers, who buy the item
               too), share_of_all (of all customers, who buy it).
    by_margin: the five of the largest expected margin: the same columns, ranked by it.
    lists:     whom to write to for each item, the likeliest first, 1,000 at most: item, customer_id, probability,
               rank, expected_buyers (cumulative).
    items:     one row per item: item, customers (to whom it is new), expected_buyers, expected_margin.
    customers: how many are active; without: how many of them have bought every item.
    """

    top: pd.DataFrame = field(repr=False)
    by_margin: pd.DataFrame = field(repr=False)
    lists: pd.DataFrame = field(repr=False)
    items: pd.DataFrame = field(repr=False)
    customers: int
    without: int


@dataclass(frozen=True)
class CrossSellModel:
    """Everything that gives chances to pairs. What is popular and what goes together is read anew on every date.

    ships: which of the candidates gives the order and the chance.     learners: None where nothing was learnt, and
    the share of new buyers of the last 56 days stands in their place.
    population: how the columns of those it was fitted for are spread, one new item of each; no part of its content.
    """

    as_of: dt.date
    horizon_days: int
    level: Level
    most_items: int
    ships: str
    learners: Learners | None
    seed: int
    population: Population | None = field(default=None, repr=False)

    def of_population(self, columns: pd.DataFrame) -> CrossSellModel:
        """The same, for whoever looks for drift later."""
        return replace(self, population=Population.of(columns))

    def score(self, facts: Facts, as_of: dt.date) -> Scored:
        """Every active customer, some thousand at a time, so that memory stays bounded. Raises NotEnoughData."""
        seen = see(facts, as_of, level=self.level, most=self.most_items)
        if seen is None:
            raise NotEnoughData(
                "At least two items must be known before the as-of date.",
                found=f"fewer before {as_of}",
                do="Choose another level: [definitions] cross_sell_level.",
            )
        customers = active_customers(facts, as_of)
        return self.score_panels(seen, _panels(facts, seen.items, as_of, customers))

    def score_panels(self, seen: Seen, panels: Iterator[Panel]) -> Scored:
        """The same for customers that are handed in, a panel at a time."""
        return gather(seen.items, (self._score(panel, seen) for panel in panels))

    def probability(self, panel: Panel, market: Market) -> FloatArray:
        """The chance of every new pair, a row per customer; NaN where the item is not new."""
        wanted = panel.candidates
        if self.learners is None:
            share = np.minimum(market.hazard * self.horizon_days / 56, 1.0)
            return np.where(wanted, share[None, :], np.nan)
        odds = log_odds(describe(panel, market, wanted), self.learners)[self.ships]
        return in_table(chance(odds).round(CHANCE_DECIMALS), wanted)

    def _score(self, panel: Panel, seen: Seen) -> _Part:
        probability = self.probability(panel, seen.market)
        margin = (probability * seen.items.margin_of_a_purchase).round(MONEY_DECIMALS)
        return _Part(
            top=_ranked(panel, seen, probability, probability, margin, PLACES),
            by_margin=_ranked(panel, seen, margin, probability, margin, BY_MARGIN),
            lists=_listed(panel, probability),
            new=panel.candidates.sum(axis=0),
            buyers=np.nansum(probability, axis=0),
            margin=np.nansum(margin, axis=0),
            customers=len(panel),
            without=int((~panel.candidates.any(axis=1)).sum()),
        )

    @cached_property
    def content(self) -> str:
        """A hash of everything it scores by."""
        record = {name: value for name, value in self.as_record().items() if name != "population"}
        return hashlib.sha256(json.dumps(record, sort_keys=True).encode()).hexdigest()

    def as_record(self) -> dict[str, Any]:
        """The model as plain numbers and words, fit for JSON; the trees in XGBoost's own JSON."""
        return {
            "as_of": self.as_of.isoformat(),
            "horizon_days": self.horizon_days,
            "level": self.level,
            "most_items": self.most_items,
            "ships": self.ships,
            "columns": list(COLUMNS),
            "learners": None if self.learners is None else _learners_record(self.learners),
            "seed": self.seed,
            "population": None if self.population is None else self.population.as_record(),
        }

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> CrossSellModel:
        """The model that `as_record` wrote."""
        return cls(
            as_of=dt.date.fromisoformat(record["as_of"]),
            horizon_days=int(record["horizon_days"]),
            level=record["level"],
            most_items=int(record["most_items"]),
            ships=record["ships"],
            learners=None if record["learners"] is None else _learners(record["learners"]),
            seed=int(record["seed"]),
            population=Population.from_record(known) if (known := record.get("population")) else None,
        )


@dataclass(frozen=True)
class _Part:
    """The scores of some customers; `lists` and the arrays are by item."""

    top: pd.DataFrame
    by_margin: pd.DataFrame
    lists: pd.DataFrame
    new: FloatArray
    buyers: FloatArray
    margin: FloatArray
    customers: int
    without: int


def gather(items: Items, parts: Iterator[_Part]) -> Scored:
    """All parts as one; of each item's list no more than its likeliest are ever held."""
    top, by_margin, lists = [], [], pd.DataFrame()
    sums, counts = np.zeros((3, len(items))), np.zeros(2, dtype="int64")
    for part in parts:
        top.append(part.top)
        by_margin.append(part.by_margin)
        lists = _longest(pd.concat([lists, part.lists], ignore_index=True))
        sums += [part.new, part.buyers, part.margin]
        counts += [part.customers, part.without]
    table = pd.DataFrame({"item": items.names, "customers": sums[0].astype("int64")})
    table["expected_buyers"], table["expected_margin"] = sums[1].round(4), sums[2].round(MONEY_DECIMALS)
    return Scored(
        top=pd.concat(top, ignore_index=True) if top else pd.DataFrame(columns=list(TOP)),
        by_margin=pd.concat(by_margin, ignore_index=True) if by_margin else pd.DataFrame(columns=list(TOP)),
        lists=_named(lists, items),
        items=table,
        customers=int(counts[0]),
        without=int(counts[1]),
    )


def _panels(facts: Facts, items: Items, as_of: dt.date, customers: Sequence[str]) -> Iterator[Panel]:
    for start in range(0, len(customers), AT_ONCE):
        yield read_panel(facts, items, as_of, customers[start : start + AT_ONCE])


def _ranked(
    panel: Panel, seen: Seen, order_by: FloatArray, probability: FloatArray, margin: FloatArray, places: int
) -> pd.DataFrame:
    """The first places of each customer in falling order, equal ones in the order of the items' names."""
    score = np.where(np.isnan(order_by), -np.inf, order_by)
    order = np.argsort(-score, axis=1, kind="stable")[:, :places]
    there = np.isfinite(np.take_along_axis(score, order, axis=1))
    customer, place = np.nonzero(there)
    item = order[customer, place]
    sign, share = strongest_sign(panel, seen.market, customer, item)
    names = np.asarray([*seen.items.names, ""], dtype=object)
    return pd.DataFrame(
        {
            "customer_id": pd.Series(panel.customer_ids[customer], dtype="str"),
            "item": pd.Series(names[item], dtype="str"),
            "probability": probability[customer, item],
            "rank": (place + 1).astype("int64"),
            "expected_margin": margin[customer, item],
            "because": pd.Series(names[sign], dtype="str"),
            "because_share": share.round(4),
            "share_of_all": np.exp(seen.market.ever)[item].round(4),
        }
    )


def _listed(panel: Panel, probability: FloatArray) -> pd.DataFrame:
    """The likeliest customers of each item: i (its position), customer_id, probability."""
    score = np.where(np.isnan(probability), -np.inf, probability)
    order = np.argsort(-score, axis=0, kind="stable")[:LISTED]
    place, item = np.nonzero(np.isfinite(np.take_along_axis(score, order, axis=0)))
    customer = order[place, item]
    return pd.DataFrame(
        {
            "i": item,
            "customer_id": pd.Series(panel.customer_ids[customer], dtype="str"),
            "probability": probability[customer, item],
        }
    )


def _longest(lists: pd.DataFrame) -> pd.DataFrame:
    ordered = lists.sort_values(["i", "probability", "customer_id"], ascending=[True, False, True])
    return ordered.groupby("i").head(LISTED).reset_index(drop=True)


def _named(lists: pd.DataFrame, items: Items) -> pd.DataFrame:
    if lists.empty:
        return pd.DataFrame(columns=list(LISTS))
    grouped = lists.groupby("i")
    lists = lists.assign(
        item=pd.Series(np.asarray(items.names, dtype=object)[lists["i"]], dtype="str"),
        rank=grouped.cumcount() + 1,
        expected_buyers=grouped["probability"].cumsum().round(CHANCE_DECIMALS),
    )
    return lists[list(LISTS)]


def _learners_record(learners: Learners) -> dict[str, Any]:
    return {
        "dates": [date.isoformat() for date in learners.dates],
        "days": learners.days,
        "pairs": learners.pairs,
        "bought": learners.bought,
        "regression": learners.regression.as_record(),
        "best_sellers": learners.best_sellers.as_record(),
        "trees": [bag.save_raw("json").decode() for bag in learners.trees],
    }


def _learners(record: Mapping[str, Any]) -> Learners:
    texts = record["trees"]
    bags = [texts] if isinstance(texts, str) else texts  # the first models were of one bag
    return Learners(
        dates=tuple(dt.date.fromisoformat(date) for date in record["dates"]),
        days=int(record["days"]),
        pairs=int(record["pairs"]),
        bought=int(record["bought"]),
        regression=Regression.from_record(record["regression"]),
        best_sellers=Regression.from_record(record["best_sellers"]),
        trees=tuple(_booster(text) for text in bags),
    )


def _booster(text: str) -> xgb.Booster:
    trees = xgb.Booster({"nthread": 1})
    trees.load_model(bytearray(text.encode()))
    return trees


__all__ = ["BEST_SELLERS", "CrossSellModel", "Scored"]
