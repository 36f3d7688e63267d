"""Who had bought what, and when, before a date: some customers, every item, as arrays."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import narwhals as nw
import numpy as np
import numpy.typing as npt
import pandas as pd

from crm.analyses.cross_sell.items import Items, frame_of, item_days
from crm.engine import Lazy, to_pandas
from crm.facts import Facts
from crm.mart import open_mart
from crm.periods import day_number, happened_within, known_before, known_within

FloatArray = npt.NDArray[np.floating[Any]]
IntArray = npt.NDArray[np.integer[Any]]
BoolArray = npt.NDArray[np.bool_]

WINDOWS = (7, 14, 28, 56)
"""Days that are looked back on apart."""

NEVER = np.int32(2**30)
"""The day of a first purchase that has not come."""


@dataclass(frozen=True)
class Panel:
    """Some customers as of a date. Tables have one row per customer and one column per item.

    days, recent[w]: days on which the item was bought, ever and within the last w.     first, last: day numbers.
    net_sales:       ever.
    visits[w]:       purchase days of each customer within the last w days; `before[w]`: of the 56 days before those.
    visited:         day number of the last purchase.     spent, lines: net sales ever; lines of the last 56 days.
    came:            was it bought within the horizon? None where that is not known.
    """

    date: dt.date
    customer_ids: npt.NDArray[np.object_] = field(repr=False)
    days: FloatArray = field(repr=False)
    recent: dict[int, FloatArray] = field(repr=False)
    first: IntArray = field(repr=False)
    last: IntArray = field(repr=False)
    net_sales: FloatArray = field(repr=False)
    visits: dict[int, FloatArray] = field(repr=False)
    before: FloatArray = field(repr=False)
    visited: FloatArray = field(repr=False)
    spent: FloatArray = field(repr=False)
    lines: FloatArray = field(repr=False)
    came: BoolArray | None = field(repr=False, default=None)

    def __len__(self) -> int:
        return len(self.customer_ids)

    @property
    def bought(self) -> BoolArray:
        """Has the customer ever bought it?"""
        return np.asarray(self.days > 0)

    @property
    def candidates(self) -> BoolArray:
        """What is new to each customer: never bought."""
        return ~self.bought

    @property
    def relevant(self) -> BoolArray:
        """What was new to the customer and was bought within the horizon."""
        assert self.came is not None
        return self.came & self.candidates

    def take(self, rows: IntArray | BoolArray) -> Panel:
        """These customers alone."""
        of: dict[str, Any] = {
            name: value[rows] if isinstance(value, np.ndarray) else {days: one[rows] for days, one in value.items()}
            for name, value in self.__dict__.items()
            if isinstance(value, np.ndarray | dict)
        }
        return Panel(date=self.date, **of)


def active_customers(facts: Facts, as_of: dt.date) -> list[str]:
    """The customer_ids with a purchase in the days of [definitions] active_within_days, sorted."""
    days = facts.settings.definitions.active_within_days
    active = known_within(open_mart(facts)["customer_days"], as_of, days).select("customer_id").unique()
    return sorted(str(one) for one in to_pandas(active)["customer_id"])


def evenly(customers: Sequence[str], most: int) -> list[str]:
    """At most so many of them, evenly spread over their order."""
    if len(customers) <= most:
        return list(customers)
    return [customers[place] for place in np.linspace(0, len(customers) - 1, most).astype("int64")]


def read_panel(
    facts: Facts, items: Items, date: dt.date, customers: Sequence[str], *, horizon_days: int = 0
) -> Panel:
    """What these customers had bought before `date`, and, with a horizon, what they bought within it."""
    who = pd.DataFrame({"customer_id": pd.Series(list(customers), dtype="str"), "u": np.arange(len(customers))})
    what = pd.DataFrame({"item": pd.Series(items.names, dtype="str"), "i": np.arange(len(items))})
    days = item_days(facts, items.level, of=frame_of(who))
    assert days is not None
    lines = days.join(frame_of(who), on="customer_id", how="inner").join(frame_of(what), on="item", how="inner")
    pairs, shape = _pairs(lines, date), (len(customers), len(items))
    visits = _visits(open_mart(facts)["customer_days"].join(frame_of(who), on="customer_id", how="inner"), date)
    visits = visits.set_index("u").reindex(np.arange(len(customers)))
    number = {str(name): visits[name].fillna(0).to_numpy(dtype="float64") for name in visits}
    came = None
    if horizon_days:
        next_ones = to_pandas(happened_within(lines, date, horizon_days).select("u", "i").unique())
        came = _spread(next_ones.assign(one=True), "one", shape, empty=False)
    return Panel(
        date=date,
        customer_ids=np.asarray(list(customers), dtype=object),
        days=_spread(pairs, "days", shape, dtype="float32"),
        recent={window: _spread(pairs, f"days_{window}", shape, dtype="float32") for window in WINDOWS},
        first=_spread(pairs, "first", shape, empty=NEVER, dtype="int32"),
        last=_spread(pairs, "last", shape, empty=-1, dtype="int32"),
        net_sales=_spread(pairs, "net_sales", shape, dtype="float32"),
        visits={window: number[f"visits_{window}"] for window in (*WINDOWS, 182)},
        before=number["before"],
        visited=number["visited"],
        spent=number["spent"],
        lines=number["lines"],
        came=came,
    )


def _pairs(lines: Lazy, date: dt.date) -> pd.DataFrame:
    """One row per customer and item: days, days_7 ..., first, last, net_sales."""
    cut = day_number(date)
    known = known_before(lines, date)
    known = known.with_columns(
        **{f"in_{window}": nw.when(nw.col("day") >= cut - window).then(1).otherwise(0) for window in WINDOWS}
    )
    return to_pandas(
        known.group_by("u", "i").agg(
            nw.len().alias("days"),
            *(nw.col(f"in_{window}").sum().alias(f"days_{window}") for window in WINDOWS),
            nw.col("day").min().alias("first"),
            nw.col("day").max().alias("last"),
            nw.col("net_sales").sum().round(4),
        )
    )


def _visits(days: Lazy, date: dt.date) -> pd.DataFrame:
    """One row per customer: visits_7 ..., before, visited, spent, lines."""
    cut, windows = day_number(date), (*WINDOWS, 182)
    in_56, day = nw.col("day") >= cut - 56, nw.col("day")
    known = known_before(days, date).with_columns(
        **{f"in_{window}": nw.when(day >= cut - window).then(1).otherwise(0) for window in windows},
        in_before=nw.when((day < cut - 56) & (day >= cut - 112)).then(1).otherwise(0),
        late_lines=nw.when(in_56).then(nw.col("lines")).otherwise(0),
    )
    return to_pandas(
        known.group_by("u").agg(
            *(nw.col(f"in_{window}").sum().alias(f"visits_{window}") for window in windows),
            nw.col("in_before").sum().alias("before"),
            nw.col("day").max().alias("visited"),
            nw.col("net_sales").sum().round(4).alias("spent"),
            nw.col("late_lines").sum().alias("lines"),
        )
    )


def _spread(pairs: pd.DataFrame, column: str, shape: tuple[int, int], *, empty: Any = 0, dtype: str = "bool") -> Any:
    table = np.full(shape, empty, dtype=dtype)
    table[pairs["u"].to_numpy(dtype="int64"), pairs["i"].to_numpy(dtype="int64")] = pairs[column].to_numpy(
        dtype=dtype
    )
    return table
