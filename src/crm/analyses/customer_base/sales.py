"""What happened: net sales, orders, units and customers served, by month and by what was bought where."""

from __future__ import annotations

import datetime as dt
from typing import Literal

import narwhals as nw
import pandas as pd

from crm.engine import to_pandas
from crm.facts import Facts
from crm.mart import Mart
from crm.periods import day_number, known_before, known_within, last_full_month, month_start

Dimension = Literal["department", "category", "channel", "store_id"]
_FRAME = {
    "department": "customer_category_days",
    "category": "customer_category_days",
    "channel": "customer_place_days",
    "store_id": "customer_place_days",
}
METRICS = ("net_sales", "orders", "units", "customers")


def sales_by_month(mart: Mart, as_of: dt.date) -> pd.DataFrame:
    """One row per month known before `as_of`: net_sales (currency), orders, units, customers served, days, complete.

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
    table = to_pandas(months).sort_values("month", ignore_index=True)
    starts = [day_number(month_start(month)) for month in table["month"]]
    ends = [min(day_number(month_start(month + 1)), day_number(as_of)) for month in table["month"]]
    first = int(table["first_day"].min())
    table["days"] = [end - max(start, first) for start, end in zip(starts, ends, strict=True)]
    # The first month counts as complete when trade is recorded from its first days on.
    late = first - starts[0] > 3
    table["complete"] = (table["month"] <= last_full_month(as_of)) & ~((table.index == 0) & late)
    table["starts_at"] = [month_start(month) for month in table["month"]]
    return table.drop(columns="first_day")


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


def sales_by(mart: Mart, as_of: dt.date, *, dimension: Dimension, days: int = 91) -> pd.DataFrame:
    """Net sales by department, category, channel or store over the last `days` days, against the days before those.

    Columns: the dimension, net_sales (currency), share, customers, before (net sales of the `days` days before; empty
    where history does not reach), change (share). Largest first; empty where the mart cannot say.
    """
    columns = [dimension, "net_sales", "share", "customers", "before", "change"]
    if not mart.has(_FRAME[dimension]):
        return pd.DataFrame(columns=columns)
    frame = mart[_FRAME[dimension]]
    earlier = dt.date.fromordinal(as_of.toordinal() - days)
    now = to_pandas(
        known_within(frame, as_of, days)
        .group_by(dimension)
        .agg(nw.col("net_sales").sum().round(2), nw.col("customer_id").n_unique().alias("customers"))
    )
    before = to_pandas(
        known_within(frame, earlier, days).group_by(dimension).agg(nw.col("net_sales").sum().round(2).alias("before"))
    )
    table = now.merge(before, on=dimension, how="left")
    table["share"] = table["net_sales"] / table["net_sales"].sum()
    table["change"] = (table["net_sales"] / table["before"] - 1).where(table["before"] > 0)
    return table.sort_values(["net_sales", dimension], ascending=[False, True], ignore_index=True)[columns]
