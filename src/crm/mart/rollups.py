"""Rollups: order lines gathered once per customer and day, so that every snapshot reads these and not the lines.

All functions take and give Narwhals frames: DuckDB or Spark lazily, pandas as well. Money is rounded to four
decimals after every sum: amounts lie on that grid, so a sum is the same whatever the order it was added in.
"""

from __future__ import annotations

import narwhals as nw

from crm.engine import Lazy

UNKNOWN = "(unknown)"
MONEY_DECIMALS = 4


def month_number(moment: str) -> nw.Expr:
    """Months since the year 0: 2017-01 is 2017 * 12. Consecutive months differ by one."""
    return (nw.col(moment).dt.year().cast(nw.Int32) * 12 + nw.col(moment).dt.month() - 1).cast(nw.Int32)


def customer_days(purchases: Lazy, products: Lazy | None) -> Lazy:
    """One row per customer and purchase day, with its month number.

    orders, lines, units; net_sales, discount, coupons (currency); lines_on_promotion, sales_on_promotion (lines sold
    below list price), lines_with_coupon; margin_known (currency, of products whose margin rate is known) and
    sales_margin_unknown (net sales of the others).
    """
    lines = _with_margin(_lines(purchases), products)
    promoted, coupon = nw.col("discount_amount") > 0, nw.col("coupon_amount") > 0
    lines = lines.with_columns(
        lines_on_promotion=nw.when(promoted).then(1).otherwise(0),
        sales_on_promotion=nw.when(promoted).then(nw.col("net_amount")).otherwise(0.0),
        lines_with_coupon=nw.when(coupon).then(1).otherwise(0),
    )
    days = lines.group_by("customer_id", "day", "month").agg(
        nw.col("order_id").n_unique().alias("orders"),
        nw.len().alias("lines"),
        nw.col("quantity").sum().alias("units"),
        nw.col("net_amount").sum().alias("net_sales"),
        nw.col("discount_amount").sum().alias("discount"),
        nw.col("coupon_amount").sum().alias("coupons"),
        nw.col("lines_on_promotion").sum(),
        nw.col("sales_on_promotion").sum(),
        nw.col("lines_with_coupon").sum(),
        nw.col("margin_known").sum(),
        nw.col("sales_margin_unknown").sum(),
    )
    money = ("net_sales", "discount", "coupons", "sales_on_promotion", "margin_known", "sales_margin_unknown")
    return days.with_columns(
        *(nw.col(name).round(MONEY_DECIMALS) for name in (*money, "units")),
        *(nw.col(name).cast(nw.Int64) for name in ("lines_on_promotion", "lines_with_coupon")),
    )


def customer_category_days(purchases: Lazy, products: Lazy) -> Lazy:
    """One row per customer, purchase day and category: department, category, lines, units, net_sales (currency).

    Lines of products that the table of products does not know are of the category "(unknown)".
    """
    lines = _lines(purchases).join(
        products.select("product_id", "department", "category"), on="product_id", how="left"
    )
    lines = lines.with_columns(nw.col("department").fill_null(UNKNOWN), nw.col("category").fill_null(UNKNOWN))
    days = lines.group_by("customer_id", "day", "month", "department", "category").agg(
        nw.len().alias("lines"),
        nw.col("quantity").sum().alias("units"),
        nw.col("net_amount").sum().alias("net_sales"),
    )
    return days.with_columns(nw.col("net_sales").round(MONEY_DECIMALS), nw.col("units").round(MONEY_DECIMALS))


def customer_place_days(purchases: Lazy) -> Lazy:
    """One row per customer, purchase day, channel and store: orders, net_sales (currency)."""
    lines = _lines(purchases).with_columns(
        nw.col("channel").fill_null(UNKNOWN), nw.col("store_id").fill_null(UNKNOWN)
    )
    days = lines.group_by("customer_id", "day", "month", "channel", "store_id").agg(
        nw.col("order_id").n_unique().alias("orders"), nw.col("net_amount").sum().alias("net_sales")
    )
    return days.with_columns(nw.col("net_sales").round(MONEY_DECIMALS))


def delivery_days(deliveries: Lazy, purchases: Lazy) -> Lazy:
    """One row per delivery of a known order, known on the day it arrived: customer_id, day, late, faulty (0 or 1).

    late: arrived on a later day than promised. faulty: incomplete, damaged or without its papers.
    """
    orders = purchases.group_by("order_id").agg(nw.col("customer_id").min())
    faulty = ~(
        nw.col("complete").fill_null(True)
        & nw.col("undamaged").fill_null(True)
        & nw.col("documented").fill_null(True)
    )
    return (
        deliveries.filter(~nw.col("day").is_null())
        .join(orders, on="order_id", how="inner")
        .select(
            "customer_id",
            "day",
            late=nw.when(nw.col("day") > nw.col("promised_day")).then(1).otherwise(0),
            faulty=nw.when(faulty).then(1).otherwise(0),
        )
    )


def _lines(purchases: Lazy) -> Lazy:
    return purchases.with_columns(
        month_number("ordered_at").alias("month"),
        nw.col("quantity").fill_null(0.0),
        nw.col("discount_amount").fill_null(0.0),
        nw.col("coupon_amount").fill_null(0.0),
    )


def _with_margin(lines: Lazy, products: Lazy | None) -> Lazy:
    if products is None:
        return lines.with_columns(margin_known=nw.lit(0.0), sales_margin_unknown=nw.col("net_amount"))
    lines = lines.join(products.select("product_id", "margin_rate"), on="product_id", how="left")
    known = ~nw.col("margin_rate").is_null()
    return lines.with_columns(
        margin_known=nw.when(known)
        .then((nw.col("net_amount") * nw.col("margin_rate")).round(MONEY_DECIMALS))
        .otherwise(0.0),
        sales_margin_unknown=nw.when(known).then(0.0).otherwise(nw.col("net_amount")),
    )
