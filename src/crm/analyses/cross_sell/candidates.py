"""The candidates: every way of expecting what is bought next, fitted to what was known before one date.

Each gives a table of customer by item, the larger the more likely; NaN where the item is not new to the customer.
Nothing here looks past the date.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

import numpy as np

from crm.analyses.cross_sell.dates import dates_to_learn_from
from crm.analyses.cross_sell.items import Items, Level, choose_items
from crm.analyses.cross_sell.learners import Learners, Lesson, learn
from crm.analyses.cross_sell.market import SAMPLE, Market, read_market
from crm.analyses.cross_sell.pairs import describe, scores_of
from crm.analyses.cross_sell.panel import BoolArray, FloatArray, IntArray, Panel, evenly, read_panel
from crm.engine import to_pandas
from crm.facts import Facts
from crm.mart import open_mart
from crm.periods import day_number, known_before

BEST_SELLERS, IN_SEGMENT = "Best-sellers", "Best-sellers of like customers"
ASSOCIATION, SIMILAR_ITEMS, FACTORS = "Association", "Similar items", "Factorisation"
REGRESSION, TREES, BLEND = "Regression on pairs", "XGBoost on pairs", "Blend"
KINDS = {
    BEST_SELLERS: "rule", IN_SEGMENT: "rule", ASSOCIATION: "association", SIMILAR_ITEMS: "similarity",
    FACTORS: "factorisation", REGRESSION: "learner", TREES: "learner", BLEND: "blend",
}  # fmt: skip
CHANCES = (BEST_SELLERS, REGRESSION, TREES, BLEND)
"""Those that give a probability; of the others only the order means something."""

LESSON = 10_000
"""Active customers of one date that are learnt from."""


@dataclass(frozen=True)
class Seen:
    """A date with its items and customers: `panel` of a sample of all who had ever bought, and what they tell."""

    items: Items
    panel: Panel = field(repr=False)
    market: Market = field(repr=False)

    def active(self, within_days: int) -> Panel:
        """Those of the sample who had bought lately."""
        return self.panel.take(self.panel.visited >= day_number(self.panel.date) - within_days)


class Looked:
    """What was seen on each date, each looked at once."""

    def __init__(
        self, facts: Facts, *, level: Level, most: int, days: int, not_offered: tuple[str, ...] = ()
    ) -> None:
        self.facts, self.level, self.most, self.days, self.not_offered = facts, level, most, days, not_offered
        self._seen: dict[dt.date, Seen | None] = {}

    def at(self, date: dt.date, *, outcome: bool = True) -> Seen | None:
        """What was seen on this date; None where no item was known."""
        if date not in self._seen:
            self._seen[date] = see(
                self.facts, date, level=self.level, most=self.most, days=self.days if outcome else 0
            )
        return self._seen[date]


def see(facts: Facts, date: dt.date, *, level: Level, most: int, days: int = 0) -> Seen | None:
    """The items and a sample of the customers of a date; days: the outcome's horizon, where it is known."""
    items = choose_items(facts, date, level=level, most=most)
    if items is None:
        return None
    known = known_before(open_mart(facts)["customer_days"], date).select("customer_id").unique()
    everybody = sorted(str(one) for one in to_pandas(known)["customer_id"])
    panel = read_panel(facts, items, date, evenly(everybody, SAMPLE), horizon_days=days)
    return Seen(items, panel, read_market(panel, items))


def fit_learners(looked: Looked, as_of: dt.date, *, seed: int) -> Learners | None:
    """The learners, from dates whose outcome was known by `as_of`; None where there is nothing to learn from."""
    facts, lessons = looked.facts, []
    within = facts.settings.definitions.active_within_days
    for date in dates_to_learn_from(as_of, facts, days=looked.days).dates:
        if seen := looked.at(date):
            active = seen.active(within)
            places = np.linspace(0, len(active) - 1, min(len(active), LESSON)).astype("int64")
            lessons.append(Lesson(active.take(places), seen.market))
    return learn(lessons, days=looked.days, seed=seed)


def expect(panel: Panel, market: Market, learners: Learners | None) -> dict[str, FloatArray]:
    """What each candidate expects of these customers; log odds of those that give a chance."""
    scores = {
        BEST_SELLERS: np.broadcast_to(market.popularity[56], panel.days.shape),
        IN_SEGMENT: popular_with_alike(panel, market),
        ASSOCIATION: associated(panel, market),
    }
    found = scores_of(panel, market, ("cosine", "factors_8"))
    scores |= {SIMILAR_ITEMS: found["cosine"], FACTORS: found["factors_8"]}
    candidates = panel.candidates
    tables = {name: np.where(candidates, score, np.nan) for name, score in scores.items()}
    if learners is not None:
        rows = describe(panel, market, candidates)
        for name, values in log_odds(rows, learners).items():
            tables[name] = in_table(values, candidates)
    return tables


def log_odds(rows: FloatArray, learners: Learners) -> dict[str, FloatArray]:
    """Of pairs as `describe` gives them, by those that give a chance."""
    regression, trees = learners.regression.log_odds(rows), learners.of_trees(rows)
    rule = learners.best_sellers.log_odds(rows)
    return {BEST_SELLERS: rule, REGRESSION: regression, TREES: trees, BLEND: (regression + trees) / 2}


def in_table(values: FloatArray, wanted: BoolArray) -> FloatArray:
    """Values of pairs as a table of customer by item; NaN where a pair was not wanted."""
    table = np.full(wanted.shape, np.nan)
    table[wanted] = values
    return table


def chance(log_odds: FloatArray) -> FloatArray:
    """Log odds as a probability."""
    probability: FloatArray = 1 / (1 + np.exp(-np.clip(log_odds, -30.0, 30.0)))
    return probability


def popular_with_alike(panel: Panel, market: Market) -> FloatArray:
    """The share of customers with the same leading department who bought each item within 56 days."""
    leading = _leading_department(panel, market)
    reference = market.reference
    theirs = _leading_department(reference, market)
    everybody = np.exp(market.popularity[56])
    shares = np.empty((market.department.shape[1], panel.days.shape[1]))
    for department in range(len(shares)):
        lately = (reference.recent[56] > 0)[theirs == department]
        shares[department] = (lately.sum(axis=0) + 20 * everybody) / (len(lately) + 20)
    found: FloatArray = shares[leading]
    return found


def _leading_department(panel: Panel, market: Market) -> IntArray:
    """In which each customer's buying is furthest above that of all customers."""
    shares = panel.days @ market.department
    shares = shares / np.maximum(shares.sum(axis=1, keepdims=True), 1.0)
    usual = market.reference.days.sum(axis=0) @ market.department
    leading: IntArray = np.argmax(shares - usual / max(float(usual.sum()), 1.0), axis=1)
    return leading


def associated(panel: Panel, market: Market) -> FloatArray:
    """The mean confidence of the rules whose first item the customer buys; the item's share of all without any.

    Rules are pairs bought together beyond plain chance (`Market.rules`).
    """
    bought, rules = panel.bought.astype("float64"), market.rules.astype("float64")
    many = bought @ rules
    mean = (bought @ (rules * market.confidence)) / np.maximum(many, 1.0)
    found: FloatArray = np.where(many > 0, mean, np.exp(market.ever)[None, :] * 0.5)
    return found
