"""What goes with what: few pairs of items with their evidence, to be drawn as a heatmap or a network."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from crm.analyses.cross_sell.items import Items
from crm.analyses.cross_sell.market import Market

MOST_ITEMS = 20
MOST_PAIRS = 40
PAIRS = ("item", "goes_with", "customers", "together", "expected", "lift", "share", "share_back", "q")


@dataclass(frozen=True)
class Together:
    """Items bought by the same customers more often than by chance.

    pairs:     the strongest, each once: item, goes_with, customers (of the item), together (who bought both),
               expected (if only breadth and popularity counted), lift (together over expected), share (of the item's
               customers who buy the other), share_back (the other way round), q (significance, adjusted for all
               pairs). The item is the one whose customers buy the other more surely.
    heatmap:   the lifts of the items that take part in most of them, side by side; missing beyond evidence.
    tested, found: pairs that were tested, and found at a false discovery rate of 5 %.
    customers: how many were asked.
    """

    pairs: pd.DataFrame = field(repr=False)
    heatmap: pd.DataFrame = field(repr=False)
    tested: int
    found: int
    customers: int


def go_together(market: Market, items: Items, *, fewest: float = 0.01) -> Together:
    """The pairs with evidence, the largest lift first. fewest: share of customers who must buy both."""
    first, second = np.nonzero(np.triu(market.goes_with, 1))
    both = market.together[first, second]
    owners = np.diag(market.together)
    swap = owners[first] > owners[second]
    item, other = np.where(swap, second, first), np.where(swap, first, second)
    names = np.asarray(items.names, dtype=object)
    expected = market.expected[item, other]
    table = pd.DataFrame(
        {
            "item": pd.Series(names[item], dtype="str"),
            "goes_with": pd.Series(names[other], dtype="str"),
            "customers": owners[item].astype("int64"),
            "together": both.astype("int64"),
            "expected": expected.round(2),
            "lift": (both / np.maximum(expected, 1e-9)).round(4),
            "share": (both / np.maximum(owners[item], 1)).round(4),
            "share_back": (both / np.maximum(owners[other], 1)).round(4),
            "q": market.q[item, other],
            "score": market.affinity[item, other],
        }
    )
    supported = table[table["together"] >= fewest * market.customers]
    ordered = supported.sort_values(["score", "item", "goes_with"], ascending=[False, True, True])
    pairs = ordered.head(MOST_PAIRS).reset_index(drop=True)[list(PAIRS)]
    size = len(items)
    return Together(pairs, _heatmap(pairs, market, items), size * (size - 1) // 2, len(table), market.customers)


def _heatmap(pairs: pd.DataFrame, market: Market, items: Items) -> pd.DataFrame:
    """The items of the strongest pairs, those that belong together beside each other."""
    order: list[str] = []
    for one, other in zip(pairs["item"], pairs["goes_with"], strict=True):
        order += [name for name in (str(one), str(other)) if name not in order]
    order = order[:MOST_ITEMS]
    places = [items.place(name) for name in order]
    of = np.ix_(places, places)
    lift = np.where(market.goes_with[of], market.together[of] / np.maximum(market.expected[of], 1e-9), np.nan)
    return pd.DataFrame(lift, index=pd.Index(order, name="item"), columns=pd.Index(order, name="goes_with"))
