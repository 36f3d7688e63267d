"""By how much did prices rise of what each customer used to buy?"""

from __future__ import annotations

import datetime as dt

import narwhals as nw
import pandas as pd

from crm.engine import Lazy, to_pandas
from crm.facts import Facts
from crm.features.feature import money_rounded
from crm.periods import day_number, known_within

EARLIER = 3
"""Windows before the recent one that are the customer's own measure."""

FEWEST_SALES = 3
"""Lines of a product in each of two times, without which its price is not compared."""

CHANGES_TIMES = 3.0
"""A price that changed by more is another way of packing or counting, and no price change."""

KNOWN_BASKET = 0.5
"""Share of a customer's earlier basket whose prices must be comparable."""

_YEAR = 365


def basket_price(facts: Facts, date: dt.date, ids: pd.Index, *, days: int) -> pd.Series[float]:
    """What the customer's earlier basket costs now, product by product, over what it cost then: 1.05 is 5 % more.

    Now: the median list price per unit, over all customers, of the half window of `days` before the date; then: of
    the windows before the last. It tells the rise even of those who did not pay it: who left because of it did not.
    The basket is what was bought within a year, up to the recent window. Empty where too little of it is comparable.
    """
    at = day_number(date)
    lines = known_within(facts["purchases"], date, _YEAR + days).filter(
        ~nw.col("product_id").is_null(), nw.col("quantity") > 0
    )
    lines = lines.select(
        "customer_id", "product_id", "quantity",
        listed=nw.col("net_amount") + nw.col("discount_amount").fill_null(0.0),
        now=nw.col("day") >= at - max(days // 2, 1),
        then=(nw.col("day") < at - days) & (nw.col("day") >= at - (EARLIER + 1) * days),
        before=nw.col("day") < at - days,
    )  # fmt: skip
    basket = lines.filter(nw.col("before")).group_by("customer_id", "product_id").agg(nw.col("listed").sum().round(4))
    basket = basket.join(_price_changes(lines), on="product_id", how="left")
    known = ~nw.col("change").is_null()
    sums = basket.with_columns(
        known=nw.when(known).then(nw.col("listed")).otherwise(0.0),
        now_costs=nw.when(known).then((nw.col("listed") * nw.col("change")).round(4)).otherwise(0.0),
    )
    columns = ("listed", "known", "now_costs")
    sums = sums.group_by("customer_id").agg(*(nw.col(name).sum() for name in columns))
    table = to_pandas(sums.with_columns(*money_rounded(*columns)))
    table = table.set_index("customer_id").astype("float64").reindex(ids)
    told = (table["known"] > 0) & (table["known"] >= KNOWN_BASKET * table["listed"])
    return (table["now_costs"] / table["known"].where(told)).round(6)


def _price_changes(lines: Lazy) -> Lazy:
    """By how many times the price of each product sold often enough changed: product_id, change."""
    unit = nw.col("listed") / nw.col("quantity")
    prices = lines.filter(nw.col("listed") > 0).group_by("product_id").agg(
        *(nw.when(nw.col(time)).then(unit).median().alias(f"price_{time}") for time in ("now", "then")),
        *(nw.when(nw.col(time)).then(1).otherwise(0).sum().alias(f"sales_{time}") for time in ("now", "then")),
    )  # fmt: skip
    often = (nw.col("sales_now") >= FEWEST_SALES) & (nw.col("sales_then") >= FEWEST_SALES)
    prices = prices.filter(often).select("product_id", change=nw.col("price_now") / nw.col("price_then"))
    return prices.filter(nw.col("change") < CHANGES_TIMES, nw.col("change") > 1 / CHANGES_TIMES)
