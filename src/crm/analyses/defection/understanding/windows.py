"""What each customer did, and was done to, shortly before a date and in the customer's own time before that."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import narwhals as nw
import numpy as np
import pandas as pd

from crm.analyses.defection.basket_price import EARLIER, basket_price
from crm.analyses.defection.understanding.lives import gaps
from crm.engine import Lazy, to_pandas
from crm.facts import Facts
from crm.mart import UNKNOWN, Mart, open_mart
from crm.periods import day_number, known_before, known_within

BAD_MARK = 2
"""A mark of 5 at most this good is bad."""

Side = Literal["buying", "service"]


@dataclass(frozen=True)
class Measure:
    """Something that may change before a customer leaves.

    label:  in words.     unit: days, share, count, money or index.
    side:   `buying`: what the customer did; `service`: what the company did, or what was the matter.
    needs:  the frame of the mart without which it is not known.
    of:     the column of `windows` that is summed.     over: the column it is divided by; empty: per window.
    """

    name: str
    label: str
    unit: str
    side: Side
    needs: str
    of: str = ""
    over: str = ""


MEASURES = (
    Measure("gap", "days between purchases", "days", "buying", "customer_days"),
    Measure("purchase_days", "purchase days", "count", "buying", "customer_days", "purchase_days"),
    Measure("order_value", "net sales per purchase day", "money", "buying", "customer_days", "net_sales",
            "purchase_days"),
    Measure("categories", "categories bought", "count", "buying", "customer_category_days", "categories"),
    Measure("categories_per_day", "categories per purchase day", "number", "buying", "customer_category_days",
            "category_days", "purchase_days"),
    Measure("promotion_share", "share bought on promotion", "share", "buying", "customer_days",
            "sales_on_promotion", "net_sales"),
    Measure("price_per_unit", "price paid per unit", "money", "buying", "customer_days", "net_sales", "units"),
    Measure("returns", "returns", "count", "buying", "returns", "returns"),
    Measure("visits", "web visits", "count", "buying", "visits", "visits"),
    Measure("basket_price", "list price of what they used to buy", "index", "service", "products_sold"),
    Measure("late_deliveries", "late deliveries", "count", "service", "delivery_days", "late"),
    Measure("late_share", "share of deliveries that were late", "share", "service", "delivery_days", "late",
            "deliveries"),
    Measure("faulty_deliveries", "faulty deliveries", "count", "service", "delivery_days", "faulty"),
    Measure("cases", "service cases opened", "count", "service", "service_cases", "cases"),
    Measure("open_cases", "open service cases", "count", "service", "service_cases"),
    Measure("bad_marks", "bad marks given", "count", "service", "service_cases", "bad_marks"),
    Measure("contacts", "campaigns received", "count", "service", "contacts", "contacts"),
)  # fmt: skip


def known_measures(facts: Facts) -> tuple[Measure, ...]:
    """The measures that these tables allow."""
    mart = open_mart(facts)
    return tuple(measure for measure in MEASURES if _there(facts, mart, measure.needs))


def recent_and_earlier(
    facts: Facts, date: dt.date, customers: pd.DataFrame, *, days: int
) -> dict[str, tuple[pd.Series[float], pd.Series[float]]]:
    """Of each known measure, its recent and its earlier value per customer, in the order of `customers`.

    customers: customer_id, first_day.     days: of a window. Recent: the window before `date`. Earlier: the up to
    three windows before that which lie wholly in the customer's time; counts are per window. Missing where there is
    none, and where a ratio has nothing to divide by.
    """
    mart, ids = open_mart(facts), pd.Index(customers["customer_id"])
    lived = ((day_number(date) - days - customers["first_day"]) // days).clip(0, EARLIER).to_numpy(dtype="float64")
    measures = known_measures(facts)
    sums = _sums(mart, date, days=days, ids=ids, lived=lived, measures=measures)
    names = {measure.name for measure in measures}
    known = {measure.name: _value(measure, sums, lived) for measure in measures if measure.of}
    known["gap"] = _gap(mart, date, ids)
    if "open_cases" in names:
        known["open_cases"] = _open_cases(mart, date, ids, days=days)
    if "basket_price" in names:
        index = basket_price(facts, date, ids, days=days)
        known["basket_price"] = (index, index.where(index.isna(), 1.0))
    had_time = pd.Series(lived > 0, index=ids)
    return {name: (recent.where(had_time), earlier.where(had_time)) for name, (recent, earlier) in known.items()}


def bought_by_category(
    facts: Facts, date: dt.date, customers: pd.DataFrame, *, days: int, level: str
) -> pd.DataFrame:
    """One row per customer and department (or category) bought in the earlier windows: customer_id, name, earlier
    (purchase days with it) and recent (the same, in the recent window)."""
    window = (nw.lit(day_number(date) - 1) - nw.col("day")) // days
    rows = known_within(open_mart(facts)["customer_category_days"], date, (EARLIER + 1) * days)
    each = rows.select("customer_id", "day", name=nw.col(level), recent=(window == 0)).unique()
    counted = each.group_by("customer_id", "name").agg(
        nw.when(nw.col("recent")).then(1).otherwise(0).sum().alias("recent"), nw.len().alias("all")
    )
    table = to_pandas(counted)
    table = table[table["customer_id"].isin(customers["customer_id"])]
    table = table.assign(earlier=table["all"].astype("int64") - table["recent"].astype("int64"))
    table = table[table["earlier"] > 0].sort_values(["customer_id", "name"], ignore_index=True)
    return table[["customer_id", "name", "earlier", "recent"]]


Pair = tuple["pd.Series[float]", "pd.Series[float]"]
Sums = dict[str, Pair]


def _there(facts: Facts, mart: Mart, needs: str) -> bool:
    """Is there such a frame? Prices of products need lines with a product and how much of it."""
    if needs != "products_sold":
        return mart.has(needs)
    sold = facts["purchases"].filter(~nw.col("product_id").is_null(), nw.col("quantity") > 0)
    return len(to_pandas(sold.head(1).select("product_id"))) > 0


def _value(measure: Measure, sums: Sums, lived: np.ndarray) -> tuple[pd.Series[float], pd.Series[float]]:
    recent, earlier = sums[measure.of]
    if not measure.over:
        return recent, earlier / np.where(lived > 0, lived, np.nan)
    below, below_earlier = sums[measure.over]
    return recent / below.where(below > 0), earlier / below_earlier.where(below_earlier > 0)


def _sums(
    mart: Mart, date: dt.date, *, days: int, ids: pd.Index, lived: np.ndarray, measures: tuple[Measure, ...]
) -> Sums:
    """What is counted in the recent window, and in the earlier ones that the customer lived, by name."""
    reach = {measure.needs for measure in measures}
    found: Sums = {}
    for name, (columns, prepare) in _COUNTED.items():
        if name not in reach:
            continue
        window = (nw.lit(day_number(date) - 1) - nw.col("day")) // days
        rows = known_within(prepare(mart[name], date), date, (EARLIER + 1) * days).with_columns(window=window)
        each = to_pandas(rows.group_by("customer_id", "window").agg(*columns))
        at = ids.get_indexer(pd.Index(each["customer_id"]))
        each, at = each[at >= 0], at[at >= 0]
        number = each["window"].to_numpy()
        newest, before = number == 0, (number > 0) & (number <= lived[at])
        for column in each.columns.drop(["customer_id", "window"]):
            values = each[column].to_numpy(dtype="float64", na_value=0.0)
            recent, earlier = (np.bincount(at[s], weights=values[s], minlength=len(ids)) for s in (newest, before))
            found[column] = pd.Series(recent, index=ids), pd.Series(np.round(earlier, 4), index=ids)
    return found


def _as_it_is(frame: Lazy, date: dt.date) -> Lazy:
    return frame


def _once_a_day(frame: Lazy, date: dt.date) -> Lazy:
    """Each known category once on a day of a customer, in however many departments it stands."""
    return frame.filter(nw.col("category") != UNKNOWN).select("customer_id", "day", "category").unique()


def _treated(frame: Lazy, date: dt.date) -> Lazy:
    return frame.filter(nw.col("arm").fill_null("treated") != "held_out")


def _marked(frame: Lazy, date: dt.date) -> Lazy:
    """Cases with their bad marks, as far as they were given before the date: with the closing of the case."""
    bad = (nw.col("satisfaction") <= BAD_MARK) & (nw.col("closed_day") < day_number(date))
    return frame.with_columns(bad=nw.when(bad).then(1).otherwise(0))


Counted = tuple[tuple[nw.Expr, ...], Callable[[Lazy, dt.date], Lazy]]

_COUNTED: dict[str, Counted] = {
    "customer_days": (
        (
            nw.len().alias("purchase_days"), *(nw.col(name).sum() for name in ("units", "lines")),
            *(nw.col(name).sum().round(4) for name in ("net_sales", "sales_on_promotion")),
        ),
        _as_it_is,
    ),
    "customer_category_days": (
        (nw.len().alias("category_days"), nw.col("category").n_unique().alias("categories")), _once_a_day,
    ),
    "delivery_days": (
        (nw.len().alias("deliveries"), nw.col("late").sum(), nw.col("faulty").sum()), _as_it_is,
    ),
    "returns": ((nw.len().alias("returns"),), _as_it_is),
    "visits": ((nw.len().alias("visits"),), _as_it_is),
    "contacts": ((nw.len().alias("contacts"),), _treated),
    "service_cases": ((nw.len().alias("cases"), nw.col("bad").sum().alias("bad_marks")), _marked),
}  # fmt: skip


def _gap(mart: Mart, date: dt.date, ids: pd.Index) -> tuple[pd.Series[float], pd.Series[float]]:
    """The newest gap between two purchases, and the mean of those before it."""
    each = gaps(known_before(mart["customer_days"], date))
    each = each.with_columns(newest=nw.col("day").max().over("customer_id"))
    last = nw.col("day") == nw.col("newest")
    sums = each.group_by("customer_id").agg(
        nw.when(last).then(nw.col("gap")).otherwise(0).sum().alias("last"),
        nw.when(last).then(0).otherwise(nw.col("gap")).sum().alias("others"),
        nw.len().alias("gaps"),
    )
    table = to_pandas(sums).set_index("customer_id").astype("float64").reindex(ids)
    return table["last"], table["others"] / (table["gaps"] - 1).where(table["gaps"] > 1)


def _open_cases(mart: Mart, date: dt.date, ids: pd.Index, *, days: int) -> tuple[pd.Series[float], pd.Series[float]]:
    """Cases open on the date, and those open a window before."""

    def open_on(day: int) -> nw.Expr:
        closed = nw.col("closed_day").is_null() | (nw.col("closed_day") >= day)
        return nw.when((nw.col("day") < day) & closed).then(1).otherwise(0).sum()

    at = day_number(date)
    counted = known_before(mart["service_cases"], date).group_by("customer_id")
    table = to_pandas(counted.agg(open_on(at).alias("recent"), open_on(at - days).alias("earlier")))
    table = table.set_index("customer_id").astype("float64").reindex(ids).fillna(0.0)
    return table["recent"], table["earlier"]
