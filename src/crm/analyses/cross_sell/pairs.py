"""What is known of every (customer, item) pair: the numbers that the learners read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import numpy as np
from threadpoolctl import threadpool_limits

from crm.analyses.cross_sell.factors import place_customers
from crm.analyses.cross_sell.market import Market
from crm.analyses.cross_sell.panel import BoolArray, FloatArray, Panel
from crm.periods import day_number

NEIGHBOURS = 100

OF_PAIRS = {
    "factors_8": "factorisation, 8 numbers per customer",
    "factors_32": "factorisation, 32 numbers per customer",
    "near": "regression on the customer's items, held back little",
    "far": "regression on the customer's items, held back much",
    "lift": "log lifts of the customer's items, added up",
    "similar_buy": "share of the 100 most similar customers who buy it",
    "similar_bought_lately": "share of them who bought it within 56 days",
    "department_share": "share of the department's items that the customer buys",
    "department_leaning": "how often the customer buys in the department, against other departments",
}
OF_ITEMS = {
    "popularity_7": "customers of the item among those of the last 7 days, log",
    "popularity_14": "... of the last 14 days",
    "popularity_28": "... of the last 28 days",
    "popularity_56": "... of the last 56 days",
    "popularity_ever": "customers of the item among all, log",
    "trend_14": "popularity of 14 days against 56",
    "trend_28": "popularity of 28 days against 56",
    "trend_7": "popularity of 7 days against 28",
    "again": "days of buying per customer of the item, log",
    "price": "net sales per day of buying, log",
}
OF_CUSTOMERS = {
    "visits_14": "purchase days of the last 14 days, log",
    "visits_28": "... of 28 days",
    "visits_56": "... of 56 days",
    "visits_182": "... of 182 days",
    "spent": "net sales ever, log",
    "lines_56": "lines of the last 56 days, log",
    "days_since": "days since the last purchase, log",
    "breadth": "share of items ever bought",
    "breadth_56": "share of items bought within 56 days",
    "new_14": "items bought for the first time within 14 days, log",
    "new_28": "... within 28 days",
    "new_56": "... within 56 days",
    "curiosity": "new items of the last 56 days against what was to be expected, log",
}
MEANINGS: Mapping[str, str] = {**OF_PAIRS, **OF_ITEMS, **OF_CUSTOMERS}
COLUMNS = tuple(MEANINGS)


def describe(panel: Panel, market: Market, wanted: BoolArray) -> FloatArray:
    """One row per pair that is `wanted` (in the order of customers, then items), one column per name in `COLUMNS`."""
    rows = np.empty((int(wanted.sum()), len(COLUMNS)), dtype="float32")
    shape = wanted.shape
    with threadpool_limits(limits=1):
        for number, (_, values) in enumerate(_all_columns(panel, market)):
            rows[:, number] = np.broadcast_to(values, shape)[wanted]
    return rows


def scores_of(panel: Panel, market: Market, names: tuple[str, ...]) -> dict[str, FloatArray]:
    """Some of the columns as tables of customer by item."""
    shape = panel.days.shape
    with threadpool_limits(limits=1):
        return {
            name: np.array(np.broadcast_to(values, shape), dtype="float64")
            for name, values in _all_columns(panel, market, names)
        }


def _all_columns(panel: Panel, market: Market, names: tuple[str, ...] = COLUMNS) -> Iterator[tuple[str, FloatArray]]:
    """In the order of `names`; of items as rows, of customers as columns, to be broadcast."""
    of_items, of_customers, of_pairs = _of_items(market), _of_customers(panel, market), _of_pairs(panel, market)
    kept: dict[str, FloatArray] = {}
    for name in names:
        if name in of_items:
            yield name, of_items[name][None, :]
        elif name in of_customers:
            yield name, of_customers[name][:, None]
        elif name == "similar_bought_lately" and name in kept:
            yield name, kept.pop(name)
        elif name == "similar_buy":
            buy, kept["similar_bought_lately"] = _similar(panel, market)
            yield name, buy
        else:
            yield name, of_pairs[name]()


def _of_items(market: Market) -> dict[str, FloatArray]:
    of = market.popularity
    return {
        **{f"popularity_{window}": values for window, values in of.items()},
        "popularity_ever": market.ever,
        "trend_14": of[14] - of[56],
        "trend_28": of[28] - of[56],
        "trend_7": of[7] - of[28],
        "again": market.again,
        "price": market.price,
    }


def _of_customers(panel: Panel, market: Market) -> dict[str, FloatArray]:
    cut, items = day_number(panel.date), max(panel.days.shape[1], 1)
    new = {window: ((panel.first >= cut - window) & panel.bought).sum(axis=1) for window in (14, 28, 56)}
    expected = (panel.first >= cut - 56) @ market.hazard
    return {
        **{f"visits_{window}": np.log1p(panel.visits[window]) for window in (14, 28, 56, 182)},
        "spent": np.log1p(np.maximum(panel.spent, 0.0)),
        "lines_56": np.log1p(panel.lines),
        "days_since": np.log1p(np.maximum(cut - panel.visited, 0.0)),
        "breadth": panel.bought.sum(axis=1) / items,
        "breadth_56": (panel.recent[56] > 0).sum(axis=1) / items,
        **{f"new_{window}": np.log1p(count) for window, count in new.items()},
        "curiosity": np.log((new[56] + 2) / (expected + 2)),
    }


def _of_pairs(panel: Panel, market: Market) -> dict[str, Callable[[], FloatArray]]:
    bought, logs = panel.bought.astype("float64"), np.log1p(panel.days.astype("float64"))
    department = market.department
    size = department.sum(axis=0)
    of_factors = {size: market.factors[name] for size, name in ((8, "few"), (32, "many"))}
    return {
        "factors_8": lambda: place_customers(logs, of_factors[8]) @ of_factors[8].T,
        "factors_32": lambda: place_customers(logs, of_factors[32]) @ of_factors[32].T,
        "near": lambda: logs @ market.near,
        "far": lambda: logs @ market.far,
        "lift": lambda: bought @ market.lift,
        "cosine": lambda: logs @ market.cosine,
        "similar_bought_lately": lambda: _similar(panel, market)[1],
        "department_share": lambda: ((bought @ department) / size) @ department.T,
        "department_leaning": lambda: ((logs @ department) / size) @ department.T - logs.mean(axis=1)[:, None],
    }


def _similar(panel: Panel, market: Market) -> tuple[FloatArray, FloatArray]:
    """Of the most similar other customers of the reference: the shares who buy each item, ever and lately."""
    reference = market.reference
    weight = np.log(len(reference) / (reference.bought.sum(axis=0) + 1.0) + 1e-9).clip(min=0.0)
    ours, theirs = (_unit(np.log1p(one.days.astype("float64")) * weight) for one in (panel, reference))
    likeness = ours @ theirs.T
    likeness[panel.customer_ids[:, None] == reference.customer_ids[None, :]] = 0.0
    if likeness.shape[1] > NEIGHBOURS:
        least = np.partition(likeness, -NEIGHBOURS, axis=1)[:, [-NEIGHBOURS]]
        likeness = np.where(likeness >= least, likeness, 0.0)
    likeness /= likeness.sum(axis=1, keepdims=True) + 1e-9
    lately = (reference.recent[56] > 0).astype("float64")
    return likeness @ reference.bought.astype("float64"), likeness @ lately


def _unit(table: FloatArray) -> FloatArray:
    scaled: FloatArray = table / (np.linalg.norm(table, axis=1, keepdims=True) + 1e-9)
    return scaled
