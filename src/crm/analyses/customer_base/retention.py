"""Do customers who joined together stay? Retention by joining cohort, and how sales concentrate in the best."""

from __future__ import annotations

import datetime as dt

import narwhals as nw
import numpy as np
import pandas as pd

from crm.engine import to_pandas
from crm.mart import Mart
from crm.periods import date_of, known_before, last_full_month, month_start

SHARES = (0.01, 0.05, 0.10, 0.20, 0.50)


def retention(mart: Mart, as_of: dt.date, *, active_within_days: int) -> pd.DataFrame:
    """One row per joining cohort (month of first purchase) and month since: customers, bought, retained (share).

    Only full months before `as_of` count. Cohorts that began within `active_within_days` of the first purchase of all
    hold many who had bought before the history begins: `before_history` marks them. Empty where no purchase lies in
    a full month.
    """
    days = known_before(mart["customer_days"], as_of).filter(nw.col("month") <= last_full_month(as_of))
    first = days.group_by("customer_id").agg(nw.col("month").min().alias("cohort"))
    buyers = days.select("customer_id", "month").unique().join(first, on="customer_id", how="inner")
    bought = to_pandas(buyers.group_by("cohort", "month").agg(nw.len().alias("bought")))
    bought["months_since"] = bought["month"] - bought["cohort"]
    size = bought[bought["months_since"] == 0].set_index("cohort")["bought"].rename("customers")
    grid = pd.MultiIndex.from_tuples(
        [(c, m) for c in size.index for m in range(last_full_month(as_of) - c + 1)], names=["cohort", "months_since"]
    )
    table = bought.set_index(["cohort", "months_since"])["bought"].reindex(grid, fill_value=0).reset_index()
    table = table.join(size, on="cohort").sort_values(["cohort", "months_since"], ignore_index=True)
    table["retained"] = table["bought"] / table["customers"]
    table["cohort_starts_at"] = [month_start(month) for month in table["cohort"]]
    first_day = to_pandas(days.select(nw.col("day").min()))["day"].iloc[0]
    settled = dt.date.max if pd.isna(first_day) else date_of(int(first_day) + active_within_days)
    table["before_history"] = [start < settled for start in table["cohort_starts_at"]]
    return table


def concentration(snapshot: pd.DataFrame, *, money: str = "net_sales_365d") -> pd.DataFrame:
    """What share of the last year's money the best 1, 5, 10, 20 and 50 % of its customers bring.

    Columns: best (share of customers), customers, money (currency), share (of all money). Customers with money only;
    the number of customers is rounded up, so that the best 1 % of ten people is one person.
    """
    spent = np.sort(snapshot.loc[snapshot[money] > 0, money].to_numpy())[::-1]
    if not len(spent):
        return pd.DataFrame(columns=["best", "customers", "money", "share"])
    rows = []
    for best in SHARES:
        count = int(np.ceil(best * len(spent)))
        brought = float(spent[:count].sum())
        rows.append({"best": best, "customers": count, "money": round(brought, 2), "share": brought / spent.sum()})
    return pd.DataFrame(rows)


def concentration_curve(snapshot: pd.DataFrame, *, money: str = "net_sales_365d", points: int = 101) -> pd.DataFrame:
    """The curve behind `concentration`: share of customers (best first) and share of money, from 0 to 1."""
    spent = np.sort(snapshot.loc[snapshot[money] > 0, money].to_numpy())[::-1]
    if not len(spent):
        return pd.DataFrame(columns=["customers", "money"])
    cumulated = np.concatenate([[0.0], np.cumsum(spent)]) / spent.sum()
    share = np.linspace(0, 1, points)
    return pd.DataFrame(
        {"customers": share, "money": np.interp(share * len(spent), np.arange(len(spent) + 1), cumulated)}
    )


def gini(values: pd.Series[float]) -> float:
    """Gini coefficient of non-negative values: 0 = all the same, towards 1 = one has everything.

    With values sorted upwards and numbered i = 1..n: (2 sum(i x) / sum(x) - (n + 1)) / n.
    """
    ordered = np.sort(values.to_numpy(dtype=float))
    count, total = len(ordered), float(ordered.sum())
    if not count or total <= 0:
        return 0.0
    weighted = float((np.arange(1, count + 1) * ordered).sum())
    return (2 * weighted / total - (count + 1)) / count
