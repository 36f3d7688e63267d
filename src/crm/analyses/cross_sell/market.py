"""What all customers together say about items as of a date: how popular each is, and which go together.

It is read from a sample of customers where they are many, and made anew for every date: a model that was learnt
earlier scores today's items.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats
from threadpoolctl import threadpool_limits

from crm.analyses.cross_sell.factors import factorise
from crm.analyses.cross_sell.items import Items
from crm.analyses.cross_sell.panel import NEVER, BoolArray, FloatArray, Panel
from crm.periods import day_number

SAMPLE = 20_000
"""Customers from whom it is read; an even sample of more."""

NEIGHBOURS_AMONG = 2_500
"""Customers among whom similar ones are looked for."""

FACTORS = {"few": 8, "many": 32}
FALSE_DISCOVERIES = 0.05
FEWEST_TOGETHER = 5
ROUNDS, FARTHEST = 15, 12.0
"""Steps of the model of breadth and popularity, and its largest term."""

SMOOTHED = 5.0
"""Customers added to what was counted and to what was expected, so that small counts say little."""

NEAR, FAR = 0.08, 0.8
"""How strongly the two regressions of items on items are held back, per customer."""


@dataclass(frozen=True)
class Market:
    """What is known of the items as of a date; tables are item by item.

    popularity[w]: log share of the customers of the last w days who bought it in them; `ever` of all customers.
    again:     log of the days of buying per customer who buys it.     price: log net sales per day of buying.
    hazard:    share of the active customers to whom it was new who bought it within the last 56 days.
    lift:      log of how much more often two items are bought by the same customers than by chance, smoothed.
    together:  customers who bought both; on its diagonal, who bought it.     customers: how many were asked.
    expected:  customers who would have bought both if nothing went together, but customers bought as many items, and
               items had as many customers, as they do.     affinity: log of together over that, smoothed.
    goes_with: are there more who bought both, beyond chance (false discoveries at most 5 %)?
    q:         the adjusted significance of each pair.
    rules:     are there more than by plain chance, whatever the breadth of customers? Association rules as usual.
    cosine:    similarity of items on logarithms of days.     near, far: weights of one item on another in regressions
               held back little and much.     factors: of the items, by size.     reference: customers to compare
               with.
    """

    date: dt.date
    department: FloatArray = field(repr=False)
    popularity: dict[int, FloatArray] = field(repr=False)
    ever: FloatArray = field(repr=False)
    again: FloatArray = field(repr=False)
    price: FloatArray = field(repr=False)
    hazard: FloatArray = field(repr=False)
    lift: FloatArray = field(repr=False)
    together: FloatArray = field(repr=False)
    customers: int
    expected: FloatArray = field(repr=False)
    affinity: FloatArray = field(repr=False)
    goes_with: BoolArray = field(repr=False)
    q: FloatArray = field(repr=False)
    rules: BoolArray = field(repr=False)
    cosine: FloatArray = field(repr=False)
    near: FloatArray = field(repr=False)
    far: FloatArray = field(repr=False)
    factors: dict[str, FloatArray] = field(repr=False)
    reference: Panel = field(repr=False)

    @property
    def confidence(self) -> FloatArray:
        """Of those who buy the first, the share who buy the second."""
        return self.together / np.maximum(np.diag(self.together)[:, None], 1.0)


def read_market(panel: Panel, items: Items) -> Market:
    """Everything the items tell, from these customers."""
    with threadpool_limits(limits=1):
        return _read(panel, items)


def _read(panel: Panel, items: Items) -> Market:
    bought = panel.bought.astype("float64")
    logs = np.log1p(panel.days.astype("float64"))
    customers = len(panel)
    together = bought.T @ bought
    owners = np.diag(together)
    lift = np.log((together + SMOOTHED) / (np.outer(owners, owners) / max(customers, 1) + SMOOTHED))
    expected = _expected(bought)
    affinity = np.log((together + SMOOTHED) / (expected + SMOOTHED))
    q = _significance(together, expected)
    goes_with = (q <= FALSE_DISCOVERIES) & (affinity > 0) & (together >= FEWEST_TOGETHER)
    rules = (_by_chance(together, customers) <= FALSE_DISCOVERIES) & (lift > 0) & (together >= FEWEST_TOGETHER)
    for table, alone in ((goes_with, False), (rules, False), (lift, 0.0), (affinity, 0.0)):
        np.fill_diagonal(table, alone)
    gram = logs.T @ logs
    places = np.linspace(0, max(customers - 1, 0), min(customers, NEIGHBOURS_AMONG)).astype("int64")
    days = panel.days.sum(axis=0)
    return Market(
        date=panel.date,
        department=pd.get_dummies(pd.Series(items.departments), dtype="float64").to_numpy(),
        popularity={
            window: np.log(((recent > 0).sum(axis=0) + 0.5) / ((panel.visits[window] > 0).sum() + 1))
            for window, recent in panel.recent.items()
        },
        ever=np.log((owners + 0.5) / max(customers, 1)),
        again=np.log(days / (owners + 0.1) + 0.1),
        price=np.log1p(np.maximum(panel.net_sales.sum(axis=0), 0.0) / (days + 1)),
        hazard=_hazard(panel),
        lift=lift,
        together=together,
        customers=customers,
        expected=expected,
        affinity=affinity,
        goes_with=goes_with,
        q=q,
        rules=rules,
        cosine=_cosine(gram),
        near=_regressed(gram, NEAR * customers),
        far=_regressed(gram, FAR * customers),
        factors={name: factorise(logs, size) for name, size in FACTORS.items()},
        reference=panel.take(places),
    )


def _expected(bought: FloatArray) -> FloatArray:
    """How many customers would buy both items if only the breadth of customers and the popularity of items counted.

    Who buys many items buys any two of them more often. Each pair of customer and item gets the chance of a logistic
    model with a term per customer and one per item (G. Rasch, 1960), fitted so that both margins are met.
    """
    customer, item = np.zeros((len(bought), 1)), np.zeros((1, bought.shape[1]))
    chance = np.full(bought.shape, 0.5)
    for _ in range(ROUNDS):
        for axis, term in ((0, item), (1, customer)):
            slope = (chance * (1 - chance)).sum(axis=axis, keepdims=True) + 1e-3
            step = (bought - chance).sum(axis=axis, keepdims=True) / slope
            term[:] = np.clip(term + np.clip(step, -1.0, 1.0), -FARTHEST, FARTHEST)
            chance = 1 / (1 + np.exp(-(customer + item)))
    expected: FloatArray = chance.T @ chance
    return expected


def _significance(together: FloatArray, expected: FloatArray) -> FloatArray:
    """Benjamini-Hochberg q of each pair, one-sided: are both bought together more than was to be expected?

    By the Poisson distribution, whose tail is wider than that of a sum of unequal chances: cautious. Each pair is
    counted once, and stands on both sides of the diagonal.
    """
    upper = np.triu_indices(len(together), 1)
    return _adjusted(stats.poisson.sf(together[upper] - 1, np.maximum(expected[upper], 1e-9)), len(together))


def _by_chance(together: FloatArray, customers: int) -> FloatArray:
    """The same against plain chance: Fisher's exact test of each pair, one-sided."""
    owners, upper = np.diag(together), np.triu_indices(len(together), 1)
    p = stats.hypergeom.sf(together[upper] - 1, max(customers, 1), owners[upper[0]], owners[upper[1]])
    return _adjusted(p, len(together))


def _adjusted(p: Any, size: int) -> FloatArray:
    """Benjamini-Hochberg q of the pairs above the diagonal, on both sides of it."""
    upper, p = np.triu_indices(size, 1), np.atleast_1d(p)
    q = np.ones((size, size))
    if len(p):
        q[upper] = stats.false_discovery_control(np.clip(np.nan_to_num(p, nan=1.0), 0.0, 1.0))
    symmetric: FloatArray = np.minimum(q, q.T)
    return symmetric


def _hazard(panel: Panel) -> FloatArray:
    """Each item's share of new buyers within the last 56 days, drawn towards that of all items."""
    start = day_number(panel.date) - 56
    was_there = panel.before > 0
    if not was_there.any():
        was_there = np.ones(len(panel), dtype=bool)
    new_then = was_there[:, None] & (panel.first >= start)
    bought = (new_then & (panel.first < NEVER)).sum(axis=0).astype("float64")
    asked = new_then.sum(axis=0).astype("float64")
    mean = bought.sum() / max(float(asked.sum()), 1.0)
    share: FloatArray = np.clip((bought + SMOOTHED * mean) / (asked + SMOOTHED), 1e-6, 1.0)
    return share


def _cosine(gram: FloatArray) -> FloatArray:
    length = np.sqrt(np.diag(gram)) + 1e-9
    cosine: FloatArray = gram / length[:, None] / length[None, :]
    np.fill_diagonal(cosine, 0.0)
    return cosine


def _regressed(gram: FloatArray, penalty: float) -> FloatArray:
    """Weights of every item on every other in ridge regressions of each item on all others, in one inversion.

    H. Steck, Embarrassingly Shallow Autoencoders for Sparse Data (WWW 2019), equation 8.
    """
    inverse = np.linalg.inv(gram + max(penalty, 1e-6) * np.eye(len(gram)))
    weights: FloatArray = -inverse / np.diag(inverse)[None, :]
    np.fill_diagonal(weights, 0.0)
    return weights
