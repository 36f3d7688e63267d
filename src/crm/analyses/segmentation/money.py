"""What does each segment bring, what does it cost, and who are the few that bring most of it?

Money of the last 365 days. Margin comes from products' own margin rates where they are known, and elsewhere from the
assumed gross margin on net sales.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from crm.measures.intervals import ERRORS
from crm.snapshots import margin

PARTS_OF_MARGIN = (0.5, 0.8)
"""The strategically significant customers are the fewest who bring this much of the margin."""

COSTS_MORE = "costs more than it brings"
COSTS_MORE_IF_WRITTEN_OFF = "costs more than it brings if what came back cannot be sold again"
LEAST_MARGIN = "least margin for its sales"
SMALLEST_JUDGED = 0.01
"""A segment of a smaller share of the customers is not called the one with the least margin."""

NO_DIFFERENCE = 0.001
"""Margin rates this close are the same: where nothing is discounted or sent back, only rounding tells them apart."""


def customer_money(snapshot: pd.DataFrame, *, gross_margin: float) -> pd.DataFrame:
    """What each customer brought and cost in the last 365 days; one row per row of the snapshot, under its index.

    net_sales; discount (taken off list prices at the company's cost); returned (money given back; 0 where there is no
    table of returns); list_value = net_sales + discount; margin; and, because goods cost the same whatever is paid
    for them:

        cost of goods         = list_value * (all net sales - all margin) / all list value
        margin_after_discounts = net_sales - cost of goods                  (adds up to all margin)
        net_margin            = margin_after_discounts - returned * all margin / all net sales
        net_margin_written_off = margin_after_discounts - returned

    net_margin takes what came back as sold again, net_margin_written_off as thrown away.
    """
    money = pd.DataFrame(
        {
            "net_sales": snapshot["net_sales_365d"].astype("float64"),
            "discount": snapshot["discount_365d"].astype("float64"),
            "returned": _returned(snapshot),
            "margin": margin(snapshot, gross_margin=gross_margin),
        }
    )
    sales, all_margin = float(money["net_sales"].sum()), float(money["margin"].sum())
    money["list_value"] = money["net_sales"] + money["discount"]
    list_value = float(money["list_value"].sum())
    cost_rate = (sales - all_margin) / list_value if list_value > 0 else 0.0
    money["margin_after_discounts"] = money["net_sales"] - cost_rate * money["list_value"]
    money["net_margin"] = money["margin_after_discounts"] - money["returned"] * (
        all_margin / sales if sales > 0 else 0.0
    )
    money["net_margin_written_off"] = money["margin_after_discounts"] - money["returned"]
    return money


def shares(money: pd.DataFrame, segment: pd.Series[str], *, order: Sequence[str]) -> pd.DataFrame:
    """How much of the customers, of net sales and of margin is each segment?

    One row per name of `order`: segment, customers, share_of_customers, net_sales, share_of_net_sales, margin,
    share_of_margin, net_sales_per_customer, margin_per_customer (missing where it has no customers).
    """
    sums = _sums(money, segment, order)[["customers", "net_sales", "margin"]]
    found = pd.DataFrame(index=sums.index)
    for column in sums:
        total = sums[column].sum()
        found[column] = sums[column]
        found[f"share_of_{column}"] = sums[column] / total if total > 0 else 0.0
    found["net_sales_per_customer"] = sums["net_sales"] / sums["customers"].where(sums["customers"] > 0)
    found["margin_per_customer"] = sums["margin"] / sums["customers"].where(sums["customers"] > 0)
    return found.reset_index()


def shares_compared(shared: pd.DataFrame) -> pd.DataFrame:
    """The three shares of each segment that has customers, one row per segment and count, for a chart of them."""
    counts = {"share_of_customers": "customers", "share_of_net_sales": "net sales", "share_of_margin": "margin"}
    long = shared[shared["customers"] > 0].melt("segment", list(counts), var_name="of", value_name="share")
    return long.assign(of=long["of"].map(counts).astype("str"))


def costs(money: pd.DataFrame, segment: pd.Series[str], *, order: Sequence[str]) -> pd.DataFrame:
    """Which segments cost more than they bring?

    One row per segment with customers: segment, customers, net_sales, discount, discount_rate (of list value),
    returned, return_rate (of net sales), margin, margin_after_discounts, net_margin, net_margin_written_off,
    net_margin_rate (of net sales) with its 95 % interval (over customers), customers_who_cost (with a negative net
    margin), verdict (empty for a segment without sales). See `customer_money`.
    """
    sums = _sums(money.assign(customers_who_cost=(money["net_margin"] < 0).astype("int64")), segment, order)
    sums = sums[sums["customers"] > 0].astype({"customers_who_cost": "int64"})
    found = sums.assign(
        discount_rate=sums["discount"] / sums["list_value"].where(sums["list_value"] > 0),
        return_rate=sums["returned"] / sums["net_sales"].where(sums["net_sales"] > 0),
        net_margin_rate=sums["net_margin"] / sums["net_sales"].where(sums["net_sales"] > 0),
    )
    half = _half_intervals(money, segment, found["net_margin_rate"])
    found["net_margin_rate_low"], found["net_margin_rate_high"] = (
        found["net_margin_rate"] + half * s for s in (-1, 1)
    )
    sold, large = found["net_sales"] > 0, found["customers"] >= SMALLEST_JUDGED * found["customers"].sum()
    verdicts = np.select(
        [
            sold & (found["net_margin"] < 0),
            sold & (found["net_margin_written_off"] < 0),
            _is_least(found["net_margin_rate"].where(large)),
        ],
        [COSTS_MORE, COSTS_MORE_IF_WRITTEN_OFF, LEAST_MARGIN],
        "",
    )
    columns = ["segment", "customers", "net_sales", "discount", "discount_rate", "returned", "return_rate", "margin",
               "margin_after_discounts", "net_margin", "net_margin_written_off", "net_margin_rate",
               "net_margin_rate_low", "net_margin_rate_high",
               "customers_who_cost", "verdict"]  # fmt: skip
    return found.assign(verdict=verdicts).reset_index()[columns]


def best_customers(money: pd.DataFrame, customer_id: pd.Series[str]) -> dict[float, pd.Series[bool]]:
    """Who are the fewest customers that bring half, and four fifths, of all margin? True for each of them.

    Of equal margins the first customer_id counts first. Nobody where there is no margin to bring.
    """
    ordered = pd.DataFrame({"margin": money["margin"], "customer_id": customer_id})
    ordered = ordered.sort_values(["margin", "customer_id"], ascending=[False, True])
    total = float(ordered["margin"].sum())
    before = ordered["margin"].cumsum().shift(1, fill_value=0.0)
    return {
        part: ((before < part * total) & (total > 0)).reindex(money.index).astype("bool") for part in PARTS_OF_MARGIN
    }


def best_table(money: pd.DataFrame, best: dict[float, pd.Series[bool]]) -> pd.DataFrame:
    """How few bring how much? One row per part of the margin.

    part_of_margin (asked for), customers, share_of_customers, margin, share_of_margin (reached), margin_per_customer,
    times_average.
    """
    total, average = float(money["margin"].sum()), float(money["margin"].mean())
    rows = [
        {
            "part_of_margin": part,
            "customers": int(chosen.sum()),
            "share_of_customers": float(chosen.mean()),
            "margin": float(money.loc[chosen, "margin"].sum()),
            "share_of_margin": float(money.loc[chosen, "margin"].sum()) / total,
            "margin_per_customer": float(money.loc[chosen, "margin"].mean()),
            "times_average": float(money.loc[chosen, "margin"].mean()) / average,
        }
        for part, chosen in best.items()
        if chosen.any()
    ]
    columns = ["part_of_margin", "customers", "share_of_customers", "margin", "share_of_margin",
               "margin_per_customer", "times_average"]  # fmt: skip
    return pd.DataFrame(rows, columns=columns)


def _returned(snapshot: pd.DataFrame) -> pd.Series[float]:
    if "returned_365d" not in snapshot.columns:
        return pd.Series(0.0, index=snapshot.index)
    return snapshot["returned_365d"].astype("float64")


def _sums(money: pd.DataFrame, segment: pd.Series[str], order: Sequence[str]) -> pd.DataFrame:
    """The columns of `money` summed per segment, and its customers; zero for a segment without any."""
    grouped = money.groupby(segment.to_numpy())
    sums = grouped.sum().assign(customers=grouped.size())
    sums = sums.reindex(pd.Index(list(order), name="segment")).fillna(0.0)
    return sums.astype({"customers": "int64"})


def _half_intervals(money: pd.DataFrame, segment: pd.Series[str], rates: pd.Series[float]) -> pd.Series[float]:
    """To each side of each segment's net margin over net sales, a ratio of sums: by the delta method."""
    names = segment.to_numpy()
    off = (money["net_margin"] - segment.map(rates).to_numpy() * money["net_sales"]) ** 2
    spread = off.groupby(names).sum().reindex(rates.index)
    sales = money["net_sales"].groupby(names).sum().reindex(rates.index)
    half: pd.Series[float] = ERRORS * spread**0.5 / sales.where(sales > 0)
    return half


def _is_least(rates: pd.Series[float]) -> pd.Series[bool]:
    """The lowest of several, where they differ at all."""
    return (rates == rates.min()) & (rates.max() - rates.min() > NO_DIFFERENCE)
