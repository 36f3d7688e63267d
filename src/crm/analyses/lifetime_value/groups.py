"""What is a customer of each group worth: by segment, by what was bought first, by the month of joining?

How much may be paid to win somebody, only those tell whose first purchase was seen.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, Literal

import pandas as pd
from scipy.stats import studentized_range
from scipy.stats import t as student

from crm.mart import UNKNOWN
from crm.periods import date_of, month_number

FEWEST = 5
"""Groups of fewer customers say nothing of their own: they go together as `OTHER`."""

OTHER, UP_TO = "(other)", "up to "

LEVEL = 0.95

FEWEST_COMPARED = 20
"""The best and the worst group are told among those of as many customers; smaller ones are so by chance. Of fewer
customers who joined nothing is told of winning more."""

OLDER_THAN_SEEN = 91
"""Days from the start of the history in which customers are first seen who may have been customers long before."""

MOST_COHORTS = 18
"""More months than that are told by quarter, more quarters by year."""

GROUP_COLUMNS = (
    "group", "customers", "value", "value_low", "value_high", "margin", "margin_so_far", "long_margin", "share",
    "joined", "from_joining", "from_joining_low", "from_joining_high",
)  # fmt: skip
JOINED_COLUMNS = (
    "since", "customers", "margin_so_far", "long_margin", "from_joining", "from_joining_low", "from_joining_high"
)  # fmt: skip

Measure = Literal["value", "from_joining"]
"""What groups are ranked by."""

_COUNTED = {"value": "customers", "from_joining": "joined"}
"""Over how many customers each is a mean."""

_MONTHS = {"month": 1, "quarter": 3, "year": 12}


def by_group(customers: pd.DataFrame, groups: pd.Series[str] | None, *, in_order: bool = False) -> pd.DataFrame:
    """What is a customer of each group worth, on average? Empty where there are not two groups to compare.

    customers: of `with_the_past`.     groups: of which group each is, by customer_id; unnamed ones are of the group
    `UNKNOWN`.     in_order: by name, for groups that have an order, instead of the most valuable first.

    One row per group: group, customers, value, value_low, value_high, margin, margin_so_far, long_margin (means per
    customer), share (of these customers' value), joined (customers whose joining was seen), and of those alone
    from_joining with its interval. The intervals are Student's over the group's customers: they hold, in 95 of 100
    such groups, the mean of what is expected of customers like these, not what they will bring. Missing for a single
    customer; below zero only where customers are there who cost more than they bring.
    """
    empty = pd.DataFrame({name: pd.Series(dtype=_DTYPES[name]) for name in GROUP_COLUMNS})
    if groups is None or customers.empty:
        return empty
    names = _large_enough(customers["customer_id"].map(groups.astype("object")).fillna(UNKNOWN).astype("str"))
    if names[names != UNKNOWN].nunique() < 2:
        return empty
    grouped = customers.groupby(names.to_numpy())
    value, worth = grouped["expected_value"], grouped["from_joining"]
    table = pd.DataFrame({"customers": grouped.size(), "value": value.mean(), "joined": worth.count()})
    half = _half_interval(value.std(ddof=1), table["customers"])
    table["value_low"], table["value_high"] = (table["value"] - half).clip(lower=0.0), table["value"] + half
    for name, column in (("margin", "expected_margin"), ("margin_so_far",) * 2, ("long_margin",) * 2):
        table[name] = grouped[column].mean()
    table["from_joining"], half = worth.mean(), _half_interval(worth.std(ddof=1), table["joined"])
    table["from_joining_low"] = (table["from_joining"] - half).clip(lower=_least(customers["from_joining"]))
    table["from_joining_high"] = table["from_joining"] + half
    total = float(customers["expected_value"].sum())
    table["share"] = value.sum() / total if total > 0 else 0.0
    table = table.rename_axis("group").reset_index()
    return _sorted(table, in_order=in_order)[list(GROUP_COLUMNS)]


def with_the_past(customers: pd.DataFrame, snapshot: pd.DataFrame) -> pd.DataFrame:
    """The customers of `Valued` with margin_so_far and from_joining, the worth from joining on.

    margin_so_far: net sales since the first purchase that is known, at the customer's margin rate, before the cost to
    serve.     from_joining: that and the long margin still to come; missing for customers who were first seen in the
    first 91 days of the history, as they may have joined long before.
    """
    of_each = snapshot.set_index("customer_id")[["net_sales_ever", "first_day"]].reindex(customers["customer_id"])
    so_far = of_each["net_sales_ever"].to_numpy(dtype="float64") * customers["margin_rate"]
    seen = of_each["first_day"].to_numpy() >= snapshot["first_day"].min() + OLDER_THAN_SEEN
    return customers.assign(margin_so_far=so_far, from_joining=(so_far + customers["long_margin"]).where(seen))


def joined(customers: pd.DataFrame, snapshot: pd.DataFrame) -> pd.DataFrame:
    """What are those worth who were seen to join? One row; its amounts are means, missing where nobody was.

    customers: of `with_the_past`.     since (the first day that counts), customers, margin_so_far, long_margin,
    from_joining with its 95 % interval.
    """
    those = customers[customers["from_joining"].notna()]
    worth = those["from_joining"]
    half = _half_interval(pd.Series([worth.std(ddof=1)]), pd.Series([len(those)]))[0]
    row = {
        "since": date_of(int(snapshot["first_day"].min()) + OLDER_THAN_SEEN),
        "customers": len(those),
        "margin_so_far": those["margin_so_far"].mean(),
        "long_margin": those["long_margin"].mean(),
        "from_joining": worth.mean(),
        "from_joining_low": max(worth.mean() - half, _least(worth)),
        "from_joining_high": worth.mean() + half,
    }
    return pd.DataFrame([row], columns=list(JOINED_COLUMNS))


def to_compare(groups: pd.DataFrame, *, of: Measure) -> pd.DataFrame:
    """The groups with names of their own and customers enough to be called the best or the worst, the best first."""
    named = ~groups["group"].isin([OTHER, UNKNOWN]) & ~groups["group"].str.startswith(UP_TO)
    enough = groups[_COUNTED[of]] >= FEWEST_COMPARED
    return groups[named & enough].sort_values(of, ascending=False, kind="stable")


def cohorts(snapshot: pd.DataFrame, as_of: dt.date) -> pd.Series[str]:
    """The cohort of each customer by the month of the first purchase, by customer_id: "2017-05".

    By quarter where the history is longer than 18 months ("2017-Q2"), by year where it is longer than 18 quarters.
    Those first seen in the first 91 days of the history may have been customers long before: they are one cohort, "up
    to 2017-04-01", so that every other holds those alone who were seen to join.
    """
    first, last = date_of(int(snapshot["first_day"].min())), as_of - dt.timedelta(days=1)
    span = month_number(last) - month_number(first) + 1
    months = next((number for number in _MONTHS.values() if span / number <= MOST_COHORTS), 12)
    joined = pd.to_datetime(snapshot["first_day"], unit="D")
    period = (joined.dt.year * 12 + joined.dt.month - 1) // months
    told = period.map({one: _name(one, months) for one in period.unique()})
    older = snapshot["first_day"] < snapshot["first_day"].min() + OLDER_THAN_SEEN
    told = told.where(~older, f"{UP_TO}{min(first + _OLDER - dt.timedelta(days=1), last)}")
    return pd.Series(told.to_numpy(), index=snapshot["customer_id"].to_numpy(), dtype="str")


def differ(one: Mapping[str, Any], other: Mapping[str, Any], *, of: Measure, among: int) -> bool:
    """Is one group's mean beyond chance above the other's, where both were picked by it from so many groups?

    one, other: rows of `by_group`.     of: what they were ranked by. The largest difference among many is large by
    chance as well: it is held against the studentised range, each group with a spread of its own (Games & Howell,
    1976, J. Educational Statistics 1(2)).
    """
    freedoms = [row[_COUNTED[of]] - 1 for row in (one, other)]
    errors = [
        (row[f"{of}_high"] - row[of]) / student.ppf(0.5 + LEVEL / 2, freedom)
        for row, freedom in zip((one, other), freedoms, strict=True)
    ]
    squares = [error**2 for error in errors]
    if not sum(squares) > 0:
        return bool(one[of] != other[of])
    freedom = sum(squares) ** 2 / sum(square**2 / own for square, own in zip(squares, freedoms, strict=True))
    times = abs(one[of] - other[of]) / (sum(squares) / 2) ** 0.5
    return bool(studentized_range.sf(times, among, freedom) < 1 - LEVEL)


_OLDER = dt.timedelta(days=OLDER_THAN_SEEN)
_DTYPES = dict.fromkeys(GROUP_COLUMNS, "float64") | {"group": "str", "customers": "int64", "joined": "int64"}


def _least(worth: pd.Series[float]) -> float:
    """What a mean of these may be at least: nothing, unless the margin of some is below it."""
    return float("-inf") if (worth < 0).any() else 0.0


def _large_enough(names: pd.Series[str]) -> pd.Series[str]:
    sizes = names.map(names.value_counts())
    return names.where(sizes >= FEWEST, OTHER)


def _half_interval(spread: pd.Series[float], customers: pd.Series[int]) -> pd.Series[float]:
    several = customers.where(customers > 1)
    times = pd.Series(student.ppf(0.5 + LEVEL / 2, several - 1), index=several.index)
    half: pd.Series[float] = spread * times / several**0.5
    return half


def _sorted(table: pd.DataFrame, *, in_order: bool) -> pd.DataFrame:
    """By name with the oldest cohort first, or by value; those without a name of their own last."""
    unnamed = table["group"].isin([OTHER, UNKNOWN])
    ordered = table.assign(unnamed=unnamed, newer=~table["group"].str.startswith(UP_TO) if in_order else False)
    by, up = (["unnamed", "newer", "group"], True) if in_order else (["unnamed", "value"], [True, False])
    return ordered.sort_values(by, ascending=up, kind="stable", ignore_index=True)


def _name(period: int, months: int) -> str:
    year, month = divmod(period * months, 12)
    return {1: f"{year}-{month + 1:02d}", 3: f"{year}-Q{month // 3 + 1}", 12: str(year)}[months]
