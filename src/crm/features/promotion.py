"""How much a customer's buying depends on discounts and coupons."""

from __future__ import annotations

import narwhals as nw

from crm.engine import Lazy
from crm.features.feature import Feature, FeatureGroup, money_rounded, ratio
from crm.mart import Mart
from crm.periods import AsOf, known_within


def promotion(mart: Mart, as_of: AsOf) -> Lazy:
    """Shares of the last year bought below list price and with coupons."""
    days = known_within(mart["customer_days"], as_of, 365)
    sums = days.group_by("customer_id").agg(
        nw.col("net_sales").sum(),
        nw.col("sales_on_promotion").sum(),
        nw.col("discount").sum().alias("discount_365d"),
        nw.col("coupons").sum().alias("coupons_365d"),
        nw.col("lines").sum(),
        nw.col("lines_with_coupon").sum(),
    )
    sums = sums.with_columns(*money_rounded("net_sales", "sales_on_promotion", "discount_365d", "coupons_365d"))
    sums = sums.with_columns(list_value=nw.col("net_sales") + nw.col("discount_365d"))
    return sums.select(
        "customer_id",
        "discount_365d",
        "coupons_365d",
        share_bought_on_promotion=ratio("sales_on_promotion", "net_sales"),
        share_bought_with_coupon=ratio("lines_with_coupon", "lines"),
        discount_rate=ratio("discount_365d", "list_value"),
    )


_NONE = "bought nothing in the last 365 days"

PROMOTION = FeatureGroup(
    name="promotion",
    needs=("customer_days",),
    compute=promotion,
    features=(
        Feature("discount_365d", "money", "taken off list prices at the company's cost in the last 365 days"),
        Feature("coupons_365d", "money", "value of coupons handed in in the last 365 days, whoever bears it"),
        Feature("share_bought_on_promotion", "share", "of the last 365 days' net sales, below list price", _NONE),
        Feature("share_bought_with_coupon", "share", "of the last 365 days' order lines, with a coupon", _NONE),
        Feature("discount_rate", "share", "discount over list price, last 365 days", _NONE),
    ),
)
