"""The items that may be offered, as of a date: the most bought of those that enough customers buy.

An item is a category, a department or a product, as `[definitions] cross_sell_level` says.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Literal

import narwhals as nw
import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from crm.engine import Lazy, connection, to_pandas
from crm.facts import Facts
from crm.mart import UNKNOWN, open_mart
from crm.measures.amounts import FloatArray
from crm.periods import known_before, known_within

Level = Literal["category", "department", "product"]

FEWEST_SHARE = {"category": 0.02, "department": 0.02, "product": 0.001}
"""Items bought by a smaller share of customers say too little of their own: they go together as "other ..."."""

FEWEST = 5
"""... and by fewer customers."""

PRICE_DAYS = 365
"""Days over which an item's price, basket value and margin rate are taken."""

COLUMNS = ("item", "department", "customers", "share", "net_sales", "value_of_a_purchase", "margin_rate")
GROUPED = ("group", "items", "customers", "net_sales", "why")


@dataclass(frozen=True)
class Items:
    """What may be offered.

    table:   one row per item in the order of their names: item, department, customers (who ever bought it), share (of
             all customers), net_sales (ever), value_of_a_purchase (net sales per customer and day of buying it, of
             the last 365 days), margin_rate (of the products, or the assumed one).
    grouped: what is not offered on its own: group, items, customers (of the largest), net_sales, why.
    unknown: share of net sales whose item is not known.
    """

    level: Level
    table: pd.DataFrame = field(repr=False)
    grouped: pd.DataFrame = field(repr=False)
    unknown: float

    def __len__(self) -> int:
        return len(self.table)

    @property
    def names(self) -> list[str]:
        """The items, in the order of the columns of every table of pairs."""
        return [str(name) for name in self.table["item"]]

    @property
    def margin_of_a_purchase(self) -> FloatArray:
        """The margin rate times the value of a purchase of each."""
        return (self.table["margin_rate"] * self.table["value_of_a_purchase"]).to_numpy(dtype="float64")

    @property
    def departments(self) -> list[str]:
        """The department of each."""
        return [str(name) for name in self.table["department"]]

    def offered(self, not_offered: Collection[str]) -> npt.NDArray[np.bool_]:
        """Which of them may be offered."""
        return may_be_offered(self.names, not_offered)

    def place(self, item: str) -> int:
        """The position of an item. Raises KeyError."""
        return self.names.index(item)


def may_be_offered(names: Iterable[str], not_offered: Collection[str]) -> npt.NDArray[np.bool_]:
    """Which of these are not among those that are not offered; blanks and capitals of the names do not matter."""
    unwanted = {_plain(item) for item in not_offered}
    return np.array([_plain(name) not in unwanted for name in names], dtype=bool)


def _plain(item: str) -> str:
    return " ".join(item.casefold().split())


def item_days(facts: Facts, level: Level, *, of: Lazy | None = None) -> Lazy | None:
    """One row per customer, day and item: customer_id, day, item, net_sales; None where nobody knows what was bought.

    A category that stands in several departments is bought once on a day, whatever of it was bought.
    of: the customer_id of some, so that a few of many are read without adding up all.
    """
    sold = _sold(facts, level)
    if sold is not None and of is not None:
        sold = sold.join(of, on="customer_id", how="semi")
    if sold is None or level == "product":
        return sold
    return sold.group_by("customer_id", "day", "item").agg(nw.col("net_sales").sum().round(4))


def _sold(facts: Facts, level: Level) -> Lazy | None:
    """customer_id, day, item, department, net_sales: of categories and departments several rows a day."""
    wanted = ("customer_id", "day", "item", "department", "net_sales")
    if level != "product":
        mart = open_mart(facts)
        if not mart.has("customer_category_days"):
            return None
        return mart["customer_category_days"].with_columns(item=nw.col(level)).select(*wanted)
    if not facts.has("purchases"):
        return None
    lines = facts["purchases"].filter(~nw.col("product_id").is_null()).with_columns(item=nw.col("product_id"))
    days = lines.group_by("customer_id", "day", "item").agg(nw.col("net_amount").sum().alias("net_sales"))
    if not facts.has("products"):
        return days.with_columns(department=nw.lit(UNKNOWN)).select(*wanted)
    known = facts["products"].select("department", item=nw.col("product_id"))
    days = days.join(known, on="item", how="left").with_columns(nw.col("department").fill_null(UNKNOWN))
    return days.select(*wanted)


def choose_items(facts: Facts, as_of: dt.date, *, level: Level, most: int) -> Items | None:
    """The items bought by enough customers before `as_of`, the `most` most bought; None where none is known."""
    days, sold = item_days(facts, level), _sold(facts, level)
    if days is None or sold is None:
        return None
    bought = to_pandas(_summed(known_before(days, as_of)).join(_departments(known_before(sold, as_of)), on="item"))
    if bought.empty or set(bought["item"]) <= {UNKNOWN}:
        return None
    everybody = len(to_pandas(known_before(facts["purchases"], as_of).select("customer_id").unique()))
    total = float(bought["net_sales"].sum())
    unknown = float(bought.loc[bought["item"] == UNKNOWN, "net_sales"].sum()) / total if total > 0 else 0.0
    known = bought[bought["item"] != UNKNOWN]
    fewest = max(FEWEST, FEWEST_SHARE[level] * everybody)
    enough = known[known["customers"] >= fewest]
    kept = enough.sort_values(["customers", "item"], ascending=[False, True]).head(most)
    if len(kept) < 2:
        return None
    rest = known[~known["item"].isin(kept["item"])]
    table = kept.assign(share=kept["customers"] / everybody).merge(_recent(facts, days, as_of, level), how="left")
    table["margin_rate"] = table["margin_rate"].fillna(facts.settings.money.gross_margin)
    table["value_of_a_purchase"] = table["value_of_a_purchase"].fillna(table["net_sales"] / table["days"]).round(4)
    table = table.sort_values("item", ignore_index=True)[list(COLUMNS)]
    return Items(level, table, _grouped(rest, fewest, level), unknown)


def frame_of(table: pd.DataFrame) -> Lazy:
    """A small table, lazily, to be joined with large ones."""
    return nw.from_native(connection().from_arrow(pa.Table.from_pandas(table, preserve_index=False)))


def _summed(days: Lazy) -> Lazy:
    """One row per item: item, customers, days, net_sales."""
    return days.group_by("item").agg(
        nw.col("customer_id").n_unique().alias("customers"),
        nw.len().alias("days"),
        nw.col("net_sales").sum().round(4),
    )


def _departments(sold: Lazy) -> Lazy:
    """item, and the department in which it sells most."""
    by = sold.group_by("item", "department").agg(nw.col("net_sales").sum().round(4).alias("sales"))
    by = by.with_columns(largest=nw.col("sales").max().over("item"))
    return by.filter(nw.col("sales") == nw.col("largest")).group_by("item").agg(nw.col("department").min())


def _recent(facts: Facts, days: Lazy, as_of: dt.date, level: Level) -> pd.DataFrame:
    """item, value_of_a_purchase, margin_rate (missing where no product of it has one) of the last 365 days."""
    sums = (
        known_within(days, as_of, PRICE_DAYS)
        .group_by("item")
        .agg(nw.col("net_sales").sum().round(4).alias("sales"), nw.len().alias("purchases"))
    )
    recent = to_pandas(sums)
    recent["value_of_a_purchase"] = (recent["sales"] / recent["purchases"]).clip(lower=0.0).round(4)
    return recent[["item", "value_of_a_purchase"]].merge(_margin_rates(facts, as_of, level), on="item", how="left")


def _margin_rates(facts: Facts, as_of: dt.date, level: Level) -> pd.DataFrame:
    if not facts.has("products"):
        return pd.DataFrame({"item": pd.Series(dtype="str"), "margin_rate": pd.Series(dtype="float64")})
    name = "product_id" if level == "product" else level
    products = (
        facts["products"]
        .filter(~nw.col("margin_rate").is_null())
        .select("product_id", "margin_rate", item=nw.col(name))
    )
    lines = known_within(facts["purchases"], as_of, PRICE_DAYS).select("product_id", "net_amount")
    lines = lines.join(products, on="product_id", how="inner").filter(nw.col("net_amount") > 0)
    lines = lines.with_columns(margin=(nw.col("net_amount") * nw.col("margin_rate")).round(4))
    sums = lines.group_by("item").agg(nw.col("margin").sum().round(4), nw.col("net_amount").sum().round(4))
    table = to_pandas(sums)
    table["margin_rate"] = (table["margin"] / table["net_amount"]).round(6)
    return table[["item", "margin_rate"]]


def _grouped(rest: pd.DataFrame, fewest: float, level: Level) -> pd.DataFrame:
    """What is left, by department: too few customers, or beyond the most that are considered."""
    few = rest["customers"] < fewest
    word = "other" if level == "department" else "other "
    group = word + ("" if level == "department" else rest["department"].astype("str"))
    why = few.map({True: "bought by too few", False: "not among the most bought"})
    grouped = rest.assign(group=group, why=why).groupby(["group", "why"], sort=True)
    table = grouped.agg(items=("item", "size"), customers=("customers", "max"), net_sales=("net_sales", "sum"))
    return table.reset_index()[list(GROUPED)]
