"""How much of an item does a customer still buy elsewhere? An estimate, by comparison with similar customers.

Nobody sees what is bought elsewhere. Customers who spend about as much on everything are compared: the middle one of
those who buy an item again is taken to buy what a customer like these needs of it; what is missing is taken to be
bought elsewhere. Needs differ, so that it holds for many rather than for one.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from crm.analyses.cross_sell.items import Items
from crm.analyses.cross_sell.panel import FloatArray, IntArray, Panel

GROUPS = 10
"""Tenths of customers by net sales of all items: those of the same tenth are compared."""

FULL = 0.5
"""The quantile of their spending on the item that counts as all that is needed."""

FEWEST = 20
"""Customers of an item in a tenth, below which nothing is said."""

LEAST_SHARE = 0.25
"""Shares below are no more than what similar customers differ by."""

MOST = 10
COLUMNS = ("customer_id", "item", "net_sales", "similar_spend", "share_elsewhere", "net_sales_elsewhere")


def share_elsewhere(panel: Panel, items: Items) -> pd.DataFrame:
    """Per customer the ten items of which most is estimated to be bought elsewhere, the largest amount first.

    customer_id, item, net_sales (so far, at us), similar_spend (of the middle one of similar customers),
    share_elsewhere and net_sales_elsewhere (estimates). Only items that the customer buys on two days or more.
    """
    spent = panel.net_sales.astype("float64")
    total = spent.sum(axis=1)
    group = _tenths(total)
    full = np.full(spent.shape, np.nan)
    for tenth in range(GROUPS):
        some = group == tenth
        theirs = np.where(panel.days[some] >= 2, spent[some], np.nan)
        buyers = np.isfinite(theirs).sum(axis=0)
        places = np.nonzero(buyers >= FEWEST)[0]
        if len(places):
            full[np.ix_(np.nonzero(some)[0], places)] = np.nanquantile(theirs[:, places], FULL, axis=0)
    own = np.where(panel.days >= 2, np.maximum(spent, 0.0), np.nan)
    missing = full - own
    share = np.where(full > 0, missing / np.where(full > 0, full, 1.0), np.nan)
    score = np.where(np.isfinite(share) & (share >= LEAST_SHARE), missing, -np.inf)
    order = np.argsort(-score, axis=1, kind="stable")[:, :MOST]
    customer, place = np.nonzero(np.isfinite(np.take_along_axis(score, order, axis=1)))
    item = order[customer, place]
    names = np.asarray(items.names, dtype=object)
    table = pd.DataFrame(
        {
            "customer_id": pd.Series(panel.customer_ids[customer], dtype="str"),
            "item": pd.Series(names[item], dtype="str"),
            "net_sales": own[customer, item].round(4),
            "similar_spend": full[customer, item].round(4),
            "share_elsewhere": share[customer, item].round(4),
            "net_sales_elsewhere": missing[customer, item].round(4),
        }
    )
    return table[list(COLUMNS)]


def _tenths(total: FloatArray) -> IntArray:
    """The tenth of each customer by an amount, 0 the smallest; equal amounts in the same tenth."""
    edges = np.quantile(total, np.linspace(0, 1, GROUPS + 1)[1:-1]) if len(total) else np.empty(0)
    return np.searchsorted(edges, total, side="right")
