"""What the data do not allow to be said of the customer base, each in one sentence with its reason and figures."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import narwhals as nw
import pandas as pd

from crm.analyses import Addition, counted, in_words, left_out, listed
from crm.analyses.customer_base.needs import REQUIREMENTS
from crm.analyses.customer_base.sales import SOLD_WITHIN, Dimension
from crm.engine import to_pandas
from crm.facts import Facts
from crm.mart import UNKNOWN
from crm.periods import date_of, known_within, last_full_month, month_start

FEWEST_BUYERS = 10
"""Tenths of fewer customers are no tenths, and would show what single people spend."""

FEWEST_MONTHS = 2
"""One month makes no line."""


@dataclass(frozen=True)
class Told:
    """The tables of the page, to be looked at for what they cannot show; see `CustomerBase`."""

    as_of: dt.date
    active_within_days: int
    months: pd.DataFrame
    comparison: pd.DataFrame
    movement: pd.DataFrame
    retention: pd.DataFrame
    buyers: int
    not_counted: int
    sold: dict[Dimension, pd.DataFrame] = field(repr=False)


def unsaid(facts: Facts, told: Told, wanting: Sequence[Addition]) -> dict[str, str]:
    """The sentence of each section that is left out: months, comparison, movement, retention, concentration, units,
    left_out, department, category, store_id, channel.
    """
    found: dict[str, str] = {
        "months": _months(told),
        "comparison": _comparison(facts, told),
        "movement": _movement(facts, told),
        "retention": _retention(told),
        "concentration": _concentration(told),
        "units": _units(wanting),
        "left_out": "" if told.not_counted else f"Nobody: everybody in the data had bought before {told.as_of}.",
    }
    found.update(_sold(facts, told, {one.name for one in wanting}))
    return {section: sentence for section, sentence in found.items() if sentence}


def _months(told: Told) -> str:
    full = told.months[told.months["complete"]]
    if len(full) < FEWEST_MONTHS:
        there = "there is none" if full.empty else f"there is one, {_month(int(full['month'].iloc[0]))}"
        return f"Left out: the line of net sales by month. It takes {FEWEST_MONTHS} full months; {there}."
    if not full["net_sales"].sum() > 0:
        return "Left out: the line of net sales by month. In no full month was any money taken."
    return ""


def _comparison(facts: Facts, told: Told) -> str:
    if told.comparison["actual"].notna().any():
        return ""
    last = last_full_month(told.as_of)
    if last > told.months["month"].max():
        return f"In {_month(last)}, the last full month, nothing was bought."
    return (
        f"Left out: the last full month against its yardsticks. The last full month before {told.as_of} is "
        f"{_month(last)}, and the data begin on {date_of(facts.first_day)}."
    )


def _movement(facts: Facts, told: Told) -> str:
    full = told.months.loc[told.months["complete"], "month"]
    if (told.movement["settled"] & told.movement["month"].isin(full)).any():
        return ""
    days = counted("days", told.active_within_days, "day").format(days=told.active_within_days)
    return (
        "Left out: the picture of who came and who went. It takes a full month that begins at least "
        f"{days} after the first purchase, which is of {date_of(facts.first_day)}: before that everybody looks new."
    )


def _retention(told: Told) -> str:
    later = told.retention[told.retention["months_since"] > 0]
    if later.empty:
        return "Left out: whether those who join stay. It takes a full month after that of a first purchase."
    joined = int(told.retention.drop_duplicates("cohort")["customers"].sum())
    if joined < FEWEST_BUYERS:
        takes = in_words("customers", FEWEST_BUYERS)
        return f"Left out: whether those who join stay. It takes {takes}; {joined} joined before the last full month."
    if not later["bought"].sum():
        return f"None of {joined:,} customers bought in a later month than that of the first purchase."
    return ""


def _concentration(told: Told) -> str:
    if told.buyers >= FEWEST_BUYERS:
        return ""
    return (
        f"Left out: how concentrated sales are. Tenths take {in_words('customers', FEWEST_BUYERS)} who paid for "
        f"something within 365 days before {told.as_of}; there {'is' if told.buyers == 1 else 'are'} {told.buyers}."
    )


def _units(wanting: Sequence[Addition]) -> str:
    lacking = [one for one in wanting if one.name == "purchases.quantity"]
    return left_out(lacking) if lacking else ""


_COLUMN: dict[Dimension, str] = {
    "department": "products.department",
    "category": "products.category",
    "store_id": "purchases.store_id",
    "channel": "purchases.channel",
}
_ALL_OF_ONE: dict[Dimension, str] = {
    "department": "is of one department: {}",
    "category": "is of one category: {}",
    "store_id": "was bought in one store: {}",
    "channel": "was bought by one channel: {}",
}


def _sold(facts: Facts, told: Told, wanting: set[str]) -> Iterator[tuple[Dimension, str]]:
    """Why sales cannot be told by department, category, store or channel."""
    for dimension, table in told.sold.items():
        if lacking := _lacking(dimension, wanting):
            yield dimension, left_out(_additions(lacking, wanting))
        else:
            yield dimension, _too_little(facts, told, dimension, table[table["orders"] > 0])


def _lacking(dimension: Dimension, wanting: set[str]) -> str:
    """The column without which the source cannot say: the dimension's own, or what leads to it."""
    column = _COLUMN[dimension]
    if column.startswith("products") and column not in wanting and "purchases.product_id" in wanting:
        return "purchases.product_id"
    return column if column in wanting else ""


def _additions(lacking: str, wanting: set[str]) -> list[Addition]:
    """What is lacking, with everything else that is shown beside it and lacks too: one line for all."""
    if lacking == "purchases.product_id":
        return [REQUIREMENTS.addition(lacking)]
    return [REQUIREMENTS.addition(column) for one, column in _COLUMN.items() if _lacking(one, wanting) == column]


def _too_little(facts: Facts, told: Told, dimension: Dimension, bought: pd.DataFrame) -> str:
    """Why the rows of what was bought say nothing; empty where they do."""
    known = [str(name) for name in bought[dimension] if name != UNKNOWN]
    if not bought["net_sales"].sum() > 0:
        what = "Nothing was bought" if bought.empty else "Nothing was paid for"
        return f"{what} in the {SOLD_WITHIN} days before {told.as_of}, so net sales cannot be told apart."
    if len(bought) == 1 and known:
        return f"All that was bought in the last {SOLD_WITHIN} days {_ALL_OF_ONE[dimension].format(known[0])}."
    return "" if known else _all_unknown(facts, told, dimension)


def _all_unknown(facts: Facts, told: Told, dimension: Dimension) -> str:
    lines = known_within(facts["purchases"], told.as_of, SOLD_WITHIN)
    there = "has one"
    beside: Sequence[Dimension] = (dimension,)
    if _COLUMN[dimension].startswith("products"):
        known = lines.join(facts["products"].select("product_id"), on="product_id", how="semi")
        if not _rows(known):
            there, beside = "is of a product that the table of products knows", ("department", "category")
    what = listed([REQUIREMENTS.addition(_COLUMN[one]).adds for one in beside])
    return f"Left out: {what}. None of {_rows(lines):,} order lines of the last {SOLD_WITHIN} days {there}."


def _rows(lines: nw.LazyFrame) -> int:  # type: ignore[type-arg]
    return int(to_pandas(lines.select(rows=nw.len()))["rows"].iloc[0])


def _month(month: int) -> str:
    return f"{month_start(month):%B %Y}"
