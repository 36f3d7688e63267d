"""What a feature is: a number (or word) about a customer, known before an as-of date."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import narwhals as nw

from crm.engine import Lazy
from crm.mart.rollups import MONEY_DECIMALS, UNKNOWN
from crm.periods import AsOf, day_number

if TYPE_CHECKING:
    from crm.mart import Mart

FADING_DAYS = 42
FADED_DECIMALS = 6

Type = Literal["number", "count", "money", "share", "days", "word"]


@dataclass(frozen=True)
class Feature:
    """One column of a snapshot, as the data dictionary tells it.

    missing: what an empty value means; features without it are never empty.
    """

    name: str
    type: Type
    meaning: str
    missing: str = ""


@dataclass(frozen=True)
class FeatureGroup:
    """Features that are computed together.

    needs:   the frames of the mart without which the group is left out.
    compute: gives one row per customer who has any; customers it does not mention get `absent` of each feature: zero
             for counts and money, empty for the others.
    """

    name: str
    features: tuple[Feature, ...]
    needs: tuple[str, ...]
    compute: Callable[[Mart, AsOf], Lazy]


def days_before(as_of: AsOf, *, day: str = "day") -> nw.Expr:
    """Days from an event to the as-of date: 1 for the day before."""
    return nw.lit(day_number(as_of)) - nw.col(day)


def within(as_of: AsOf, days: int, column: str, *, day: str = "day") -> nw.Expr:
    """The column where the event lies in the last `days` days before the as-of date, 0 elsewhere."""
    recent = nw.col(day) >= day_number(as_of) - days
    return nw.when(recent).then(nw.col(column)).otherwise(0)


def fading(as_of: AsOf, column: str, *, day: str = "day") -> nw.Expr:
    """The column, worth half as much for every `FADING_DAYS` that the event lies back.

    From an exponential: sums of it are to be rounded to `FADED_DECIMALS`, so that they do not depend on their order.
    """
    return nw.col(column).cast(nw.Float64) * (days_before(as_of, day=day) * (-math.log(2) / FADING_DAYS)).exp()


def money_rounded(*names: str) -> list[nw.Expr]:
    """Sums of money back on their grid, so that they do not depend on the order of addition."""
    return [nw.col(name).round(MONEY_DECIMALS) for name in names]


def ratio(part: str, whole: str) -> nw.Expr:
    """part / whole, empty where the whole is not positive (a share of nothing is unknown, never infinite)."""
    return nw.when(nw.col(whole) > 0).then(nw.col(part) / nw.col(whole))


def whole(*names: str) -> list[nw.Expr]:
    """Counts as whole numbers: engines add them up in types of their own."""
    return [nw.col(name).cast(nw.Int64) for name in names]


def different(days: Lazy, name: str, counted: str) -> Lazy:
    """How many different names of each customer are known: customer_id, `counted`; "(unknown)" is none."""
    marked = days.with_columns(unknown=nw.when(nw.col(name) == UNKNOWN).then(1).otherwise(0))
    sums = marked.group_by("customer_id").agg(nw.col(name).n_unique().alias("all"), nw.col("unknown").max())
    return sums.select("customer_id", (nw.col("all") - nw.col("unknown")).alias(counted))


def leading(amounts: Lazy, *, name: str, amount: str) -> Lazy:
    """The name with the largest amount of each customer, and its share: customer_id, `name`, share.

    amounts: one row per customer and name. Equal amounts: the first name in the alphabet, so that the answer is
    always the same.
    """
    beside = amounts.with_columns(
        largest=nw.col(amount).max().over("customer_id"), total=nw.col(amount).sum().over("customer_id").round(4)
    )
    leaders = beside.filter(nw.col(amount) == nw.col("largest"))
    first = leaders.group_by("customer_id").agg(nw.col(name).min(), nw.col("largest").max(), nw.col("total").max())
    return first.select("customer_id", name, share=ratio("largest", "total"))
