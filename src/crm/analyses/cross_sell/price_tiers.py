"""Which line of a category does each customer buy: the lower-priced, the middle or the dearer one?

Products are put in tiers by unit price within their category, a third of the units each; those of one price together.
"""

from __future__ import annotations

import datetime as dt

import narwhals as nw
import numpy as np
import pandas as pd

from crm.analyses.cross_sell.items import frame_of
from crm.engine import Lazy, to_pandas
from crm.facts import Facts
from crm.mart import UNKNOWN
from crm.periods import happened_within, known_within

DAYS = 365
TIERS = ("lower", "middle", "dearer")
LEAST_RATIO = 1.2
"""The dearer line costs at least so much more than the lower one, or the category has no lines."""

FEWEST_PRODUCTS = 6
MOST_CATEGORIES = 40
"""The categories with the largest net sales in which lines are looked for."""


def price_tiers(facts: Facts, as_of: dt.date) -> pd.DataFrame:
    """One row per product of a category that has lines: product_id, category, tier, unit_price.

    unit_price: net sales per unit of the last 365 days. Empty where products, categories or quantities are not known.
    """
    empty = pd.DataFrame(columns=["product_id", "category", "tier", "unit_price"])
    if not facts.has("products"):
        return empty
    known = known_within(_priced(facts), as_of, DAYS)
    sums = known.group_by("product_id", "category").agg(
        nw.col("net_amount").sum().round(4).alias("sales"), nw.col("quantity").sum().round(4).alias("units")
    )
    products = to_pandas(sums)
    products = products[(products["units"] > 0) & (products["sales"] > 0) & (products["category"] != UNKNOWN)]
    if products.empty:
        return empty
    products["unit_price"] = (products["sales"] / products["units"]).round(4)
    largest = products.groupby("category")["sales"].sum().sort_values(ascending=False, kind="stable")
    products = products[products["category"].isin(largest.index[:MOST_CATEGORIES])]
    prices = products.groupby(["category", "unit_price"], as_index=False)["units"].sum()
    units = prices.groupby("category")["units"]
    middle = (units.cumsum() - prices["units"] / 2) / units.transform("sum")
    place = np.minimum((3 * middle).astype("int64"), 2)
    place[~prices["category"].duplicated()] = 0  # the lowest price is of the lower line, however many units it has
    place[~prices["category"].duplicated(keep="last")] = 2
    prices["tier"] = np.asarray(TIERS)[place]
    tiers = products.merge(prices.drop(columns="units"), on=["category", "unit_price"])
    tiers = tiers.sort_values(["category", "unit_price", "product_id"], ignore_index=True)
    return tiers[tiers["category"].isin(_with_lines(tiers))][list(empty)].reset_index(drop=True)


def tiers_bought(facts: Facts, tiers: pd.DataFrame, as_of: dt.date, *, horizon_days: int = 0) -> pd.DataFrame:
    """What each customer bought of each line in the 365 days before `as_of`.

    One row per customer and category: customer_id, category, units_lower, units_middle, units_dearer, buying_days,
    net_sales; with a horizon came_dearer (units of the dearer line within it).
    """
    lines = _priced(facts).select("customer_id", "day", "product_id", "quantity", "net_amount")
    lines = lines.join(frame_of(tiers[["product_id", "category", "tier"]]), on="product_id", how="inner")
    known = to_pandas(_by_tier(known_within(lines, as_of, DAYS)))
    if horizon_days:
        ahead = happened_within(lines.filter(nw.col("tier") == "dearer"), as_of, horizon_days)
        came = to_pandas(ahead.group_by("customer_id", "category").agg(nw.col("quantity").sum().alias("came_dearer")))
        known = known.merge(came, on=["customer_id", "category"], how="left").fillna({"came_dearer": 0.0})
    return known.sort_values(["customer_id", "category"], ignore_index=True)


def _priced(facts: Facts) -> Lazy:
    products = facts["products"].select("product_id", "category").filter(~nw.col("category").is_null())
    lines = facts["purchases"].filter(nw.col("quantity") > 0, nw.col("net_amount") > 0)
    return lines.join(products, on="product_id", how="inner")


def _with_lines(products: pd.DataFrame) -> list[str]:
    """The categories with products enough in which the dearer line is truly dearer."""
    sums = products.groupby(["category", "tier"])[["sales", "units"]].sum()
    price = (sums["sales"] / sums["units"]).unstack("tier").reindex(columns=list(TIERS))
    many = products.groupby("category").size() >= FEWEST_PRODUCTS
    dearer = price["dearer"] >= LEAST_RATIO * price["lower"]
    return [str(name) for name in price.index[(dearer & many.reindex(price.index)).to_numpy()]]


def _by_tier(lines: Lazy) -> Lazy:
    of = {f"units_{tier}": nw.when(nw.col("tier") == tier).then(nw.col("quantity")).otherwise(0.0) for tier in TIERS}
    return (
        lines.with_columns(**of)
        .group_by("customer_id", "category")
        .agg(
            *(nw.col(name).sum().round(4) for name in of),
            nw.col("day").n_unique().alias("buying_days"),
            nw.col("net_amount").sum().round(4).alias("net_sales"),
        )
    )
