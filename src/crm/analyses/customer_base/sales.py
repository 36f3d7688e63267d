"""What happened: net sales, orders, units and customers served, by month and by what was bought where."""

from __future__ import annotations

import datetime as dt
from typing import Literal

import narwhals as nw
import numpy as np
import pandas as pd

from crm.engine import Lazy, to_pandas
from crm.facts import Facts
from crm.mart import UNKNOWN, Mart
from crm.periods import day_number, known_before, known_within, last_full_month, month_start

Dimension = Literal["department", "category", "channel", "store_id"]
METRICS = ("net_sales", "orders", "units", "customers")
SOLD_WITHIN = 91
"""Days that are looked at for what was sold where; as many before them are the comparison."""


def sales_by_month(mart: Mart, as_of: dt.date) -> pd.DataFrame:
    """One row per month known before `as_of`: net_sales (currency), orders, units, customers served, days, complete.

    From the month of the first purchase to that of the newest; a month in between without any is there with zeros.
    complete: the month lies wholly before the as-of date and not before the first purchase; days: its known days.
    """
    days = known_before(mart["customer_days"], as_of)
    months = days.group_by("month").agg(
        nw.col("net_sales").sum().round(2),
        nw.col("orders").sum().cast(nw.Int64),
        nw.col("units").sum().round(2),
        nw.col("customer_id").n_unique().alias("customers"),
        nw.col("day").min().alias("first_day"),
    )
    table = _with_quiet_months(to_pandas(months))
    starts = [day_number(month_start(month)) for month in table["month"]]
    ends = [min(day_number(month_start(month + 1)), day_number(as_of)) for month in table["month"]]
    first = int(table["first_day"].min())
    table["days"] = [end - max(start, first) for start, end in zip(starts, ends, strict=True)]
    # The first month counts as complete when trade is recorded from its first days on.
    late = first - starts[0] > 3
    table["complete"] = (table["month"] <= last_full_month(as_of)) & ~((table.index == 0) & late)
    table["starts_at"] = [month_start(month) for month in table["month"]]
    return table.drop(columns="first_day")


def _with_quiet_months(months: pd.DataFrame) -> pd.DataFrame:
    """The months in their order, those without a purchase among them."""
    every = pd.RangeIndex(months["month"].min(), months["month"].max() + 1, name="month")
    counts = {"net_sales": 0.0, "orders": 0, "units": 0.0, "customers": 0}
    filled = months.set_index("month").reindex(every).fillna(counts).reset_index()
    return filled.astype({"orders": "int64", "customers": "int64"})


def compare_months(months: pd.DataFrame, plan: pd.DataFrame, as_of: dt.date) -> pd.DataFrame:
    """The last full month against the one before, the same a year before, and the plan; one row per metric.

    Columns: metric, actual, and for each of before, year_before, plan its value and change (share, empty where there
    is nothing to compare with). A month counts only when it is complete.
    """
    complete = months[months["complete"]].set_index("month")
    last = last_full_month(as_of)
    rows = []
    for metric in METRICS:
        actual = complete[metric].get(last)
        row = {"metric": metric, "actual": actual}
        targets = plan.loc[(plan["metric"] == metric) & (plan["month"] == last), "target"]
        others = {
            "before": complete[metric].get(last - 1),
            "year_before": complete[metric].get(last - 12),
            "plan": targets.iloc[0] if len(targets) else None,
        }
        for name, other in others.items():
            row[name] = other
            row[f"{name}_change"] = actual / other - 1 if actual is not None and other else None
        rows.append(row)
    return pd.DataFrame(rows)


def read_plan(facts: Facts) -> pd.DataFrame:
    """Targets by month and metric; empty where there is no plan."""
    if not facts.has("plan"):
        return pd.DataFrame({"month": pd.Series(dtype="int64"), "metric": pd.Series(dtype="str"), "target": []})
    table = to_pandas(facts["plan"].select("period_start", "metric", "target"))
    moments = pd.to_datetime(table["period_start"])
    return table.assign(month=moments.dt.year * 12 + moments.dt.month - 1)


def sales_by(
    purchases: Lazy, products: Lazy | None, as_of: dt.date, *, dimension: Dimension, days: int = SOLD_WITHIN
) -> pd.DataFrame:
    """What was sold by department, category, channel or store in the last `days` days, against the days before those.

    Columns: the dimension, net_sales (currency), share, orders, units, customers, before (net sales of the days
    before), change (share; empty where there was nothing before). Largest first; what sold before and sells nothing
    now is there with 0. Empty where the source cannot say.
    """
    columns = [dimension, "net_sales", "share", "orders", "units", "customers", "before", "change"]
    lines = _lines_with(purchases, products, dimension)
    if lines is None:
        return pd.DataFrame(columns=columns)
    earlier = dt.date.fromordinal(as_of.toordinal() - days)
    now = to_pandas(
        known_within(lines, as_of, days)
        .group_by(dimension)
        .agg(
            nw.col("net_amount").sum().round(2).alias("net_sales"),
            nw.col("order_id").n_unique().alias("orders"),
            nw.col("quantity").sum().round(2).alias("units"),
            nw.col("customer_id").n_unique().alias("customers"),
        )
    )
    before = to_pandas(
        known_within(lines, earlier, days)
        .group_by(dimension)
        .agg(nw.col("net_amount").sum().round(2).alias("before"))
    )
    table = now.merge(before, on=dimension, how="outer").fillna(dict.fromkeys(columns[1:], 0.0))
    table = table.astype({"orders": "int64", "customers": "int64"})
    table["share"] = table["net_sales"] / max(float(table["net_sales"].sum()), 0.01)
    table["change"] = (table["net_sales"] / table["before"] - 1).where(table["before"] > 0)
    order = ["net_sales", "before", dimension]
    return table.sort_values(order, ascending=[False, False, True], ignore_index=True)[columns]


def sales_by_tenth(snapshot: pd.DataFrame) -> pd.DataFrame:
    """What each tenth of the last year's buyers brought, the best tenth first.

    Columns: tenth (1 = best), customers, net_sales (currency), share, orders, units, net_sales_per_customer.
    """
    buyers = snapshot[snapshot["net_sales_365d"] > 0]
    ranked = buyers.sort_values(["net_sales_365d", "customer_id"], ascending=[False, True])
    tenth = np.arange(len(ranked)) * 10 // max(len(ranked), 1) + 1
    table = (
        ranked.groupby(tenth)
        .agg(
            customers=("customer_id", "size"),
            net_sales=("net_sales_365d", "sum"),
            orders=("orders_365d", "sum"),
            units=("units_365d", "sum"),
        )
        .rename_axis("tenth")
        .reset_index()
    )
    table["share"] = table["net_sales"] / table["net_sales"].sum()
    table["net_sales_per_customer"] = table["net_sales"] / table["customers"]
    return table[["tenth", "customers", "net_sales", "share", "orders", "units", "net_sales_per_customer"]]


def _lines_with(purchases: Lazy, products: Lazy | None, dimension: Dimension) -> Lazy | None:
    """Order lines with the dimension as a column, unknown ones named so."""
    if dimension in ("department", "category"):
        if products is None:
            return None
        purchases = purchases.join(products.select("product_id", dimension), on="product_id", how="left")
    return purchases.with_columns(nw.col(dimension).fill_null(UNKNOWN), nw.col("quantity").fill_null(0.0))
