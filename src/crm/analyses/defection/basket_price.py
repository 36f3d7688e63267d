"""By how much did prices rise of what each customer used to buy?"""

from __future__ import annotations

import datetime as dt

import narwhals as nw
import pandas as pd

from crm.engine import Lazy, to_pandas
from crm.facts import Facts
from crm.periods import day_number, known_within

EARLIER = 3
"""Windows before the recent one that are the customer's own measure."""

FEWEST_SALES = 3
"""Lines of a product in each of two times, without which its price is not compared."""

CHANGES_TIMES = 3.0
"""A price that changed by more is another way of packing or counting, and no price change."""

KNOWN_BASKET = 0.5
"""Share of the lines of a customer's earlier basket whose prices must be comparable."""

_YEAR = 365


def basket_price(facts: Facts, date: dt.date, ids: pd.Index, *, days: int) -> pd.Series[float]:
    """By how much the products of the customer's earlier basket changed in price, on average: 1.05 is 5 % more.

    Every line counts the same, however dear: a price is noticed as often as it is paid, and a dear thing bought once
    would outweigh the weekly shop. Now: the median list price per unit, over all customers, of the quarter window of
    `days` before the date, or of the half window for what is sold seldom; then: of the windows before the last. It
    tells the rise even of those who did not pay it: who left because of it did not. The basket is what was bought
    within a year, up to the recent window. Empty where too little of it is comparable.
    """
    at = day_number(date)
    lines = known_within(facts["purchases"], date, _YEAR + days).filter(
        ~nw.col("product_id").is_null(), nw.col("quantity") > 0
    )
    lines = lines.select(
        "customer_id", "product_id", "quantity",
        listed=nw.col("net_amount") + nw.col("discount_amount").fill_null(0.0),
        newest=nw.col("day") >= at - max(days // 4, 1),
        now=nw.col("day") >= at - max(days // 2, 1),
        then=(nw.col("day") < at - days) & (nw.col("day") >= at - (EARLIER + 1) * days),
        before=nw.col("day") < at - days,
    )  # fmt: skip
    bought = lines.filter(nw.col("before"), nw.col("listed") > 0)
    basket = bought.group_by("customer_id", "product_id").agg(nw.len().cast(nw.Float64).alias("times"))
    basket = basket.join(_price_changes(lines), on="product_id", how="left")
    known = ~nw.col("change").is_null()
    sums = basket.with_columns(
        known=nw.when(known).then(nw.col("times")).otherwise(0.0),
        changed=nw.when(known).then((nw.col("times") * nw.col("change")).round(6)).otherwise(0.0),
    )
    sums = sums.group_by("customer_id").agg(*(nw.col(name).sum().round(6) for name in ("times", "known", "changed")))
    table = to_pandas(sums).set_index("customer_id").astype("float64").reindex(ids)
    told = (table["known"] > 0) & (table["known"] >= KNOWN_BASKET * table["times"])
    return (table["changed"] / table["known"].where(told)).round(6)


def _price_changes(lines: Lazy) -> Lazy:
    """By how many times the price of each product sold often enough changed: product_id, change."""
    unit, times = nw.col("listed") / nw.col("quantity"), ("newest", "now", "then")
    prices = lines.filter(nw.col("listed") > 0).group_by("product_id").agg(
        *(nw.when(nw.col(time)).then(unit).median().alias(f"price_{time}") for time in times),
        *(nw.when(nw.col(time)).then(1).otherwise(0).sum().alias(f"sales_{time}") for time in times),
    )  # fmt: skip
    often = {time: nw.col(f"sales_{time}") >= FEWEST_SALES for time in times}
    now = nw.when(often["newest"]).then(nw.col("price_newest")).otherwise(nw.col("price_now"))
    prices = prices.filter(often["now"] & often["then"]).select("product_id", change=now / nw.col("price_then"))
    return prices.filter(nw.col("change") < CHANGES_TIMES, nw.col("change") > 1 / CHANGES_TIMES)
