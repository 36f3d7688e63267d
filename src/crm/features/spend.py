"""What a customer spends: money in several windows, its trend, and the size of the basket."""

from __future__ import annotations

import narwhals as nw

from crm.engine import Lazy
from crm.features.feature import FADING_DAYS, Feature, FeatureGroup, fading, money_rounded, ratio, whole, within
from crm.mart import Mart
from crm.periods import AsOf, known_before

WINDOWS = (14, 28, 56, 91, 182, 365)


def spend(mart: Mart, as_of: AsOf) -> Lazy:
    """Net sales by window, margin, trend and basket of the last year."""
    days = known_before(mart["customer_days"], as_of)
    days = days.with_columns(
        net_sales_ever=nw.col("net_sales"),
        **{f"net_sales_{window}d": within(as_of, window, "net_sales") for window in WINDOWS},
        net_sales_fading=fading(as_of, "net_sales"),
        **{f"{name}_365d": within(as_of, 365, name) for name in ("orders", "lines", "units")},
        **{f"{name}_365d": within(as_of, 365, name) for name in ("margin_known", "sales_margin_unknown")},
    )
    money = [
        "net_sales_ever",
        *(f"net_sales_{w}d" for w in WINDOWS),
        "margin_known_365d",
        "sales_margin_unknown_365d",
    ]
    counts = ["orders_365d", "lines_365d"]
    added = [*money, *counts, "units_365d", "net_sales_fading"]
    sums = days.group_by("customer_id").agg(*(nw.col(name).sum() for name in added))
    sums = sums.with_columns(*money_rounded(*money, "units_365d", "net_sales_fading"), *whole(*counts))
    return sums.with_columns(
        spend_trend=ratio("net_sales_91d", "net_sales_182d"),
        order_value_365d=ratio("net_sales_365d", "orders_365d"),
        lines_per_order_365d=ratio("lines_365d", "orders_365d"),
        price_per_line_365d=ratio("net_sales_365d", "lines_365d"),
    )


_NONE = "bought nothing in the last 365 days"

SPEND = FeatureGroup(
    name="spend",
    needs=("customer_days",),
    compute=spend,
    features=(
        Feature("net_sales_ever", "money", "net sales before the as-of date"),
        *(Feature(f"net_sales_{w}d", "money", f"net sales of the last {w} days") for w in WINDOWS),
        Feature("net_sales_fading", "money", f"net sales, each day's worth half as much per {FADING_DAYS} days ago"),
        Feature("margin_known_365d", "money", "margin of the last 365 days on products whose margin rate is known"),
        Feature("sales_margin_unknown_365d", "money", "net sales of the last 365 days on the other products"),
        Feature("orders_365d", "count", "orders of the last 365 days"),
        Feature("lines_365d", "count", "order lines of the last 365 days"),
        Feature("units_365d", "number", "units of the last 365 days, in the products' own units"),
        Feature(
            "spend_trend",
            "share",
            "net sales of the last 91 days as a share of the last 182: 0.5 = as before",
            "bought nothing in the last 182 days",
        ),
        Feature("order_value_365d", "money", "net sales per order of the last 365 days", _NONE),
        Feature("lines_per_order_365d", "number", "order lines per order of the last 365 days", _NONE),
        Feature("price_per_line_365d", "money", "net sales per order line of the last 365 days", _NONE),
    ),
)
