"""The one cut in time.

Inside, time is a *day number*: whole days since 1970-01-01, cut in the time zone of the trade. Every statement
about before and after is made here and nowhere else, half-open, and visible in its name:

- `known_before(table, as_of)`: what was known before midnight at the start of the as-of date.
- `happened_within(table, as_of, days)`: what happened in `[as_of, as_of + days)`.
"""

from __future__ import annotations

import datetime as dt
from typing import TypeVar

import narwhals as nw

from crm.errors import RequestError

EPOCH = dt.date(1970, 1, 1)
AsOf = dt.date
Table = TypeVar("Table", nw.DataFrame, nw.LazyFrame)  # type: ignore[type-arg]


def day_number(date: dt.date) -> int:
    """Whole days from 1970-01-01 to `date`: 1970-01-02 is 1."""
    return (date - EPOCH).days


def date_of(day: int) -> dt.date:
    """The date with this day number."""
    return EPOCH + dt.timedelta(days=int(day))


def read_date(text: str | dt.date) -> dt.date:
    """A date written YYYY-MM-DD; anything else is refused, nothing is guessed."""
    if isinstance(text, dt.date):
        return text
    try:
        date = dt.date.fromisoformat(text)
        if date.isoformat() != text:
            raise ValueError
        return date
    except ValueError:
        raise RequestError(
            "A date is written YYYY-MM-DD.", found=repr(text), do="Write, for example, 2018-01-01."
        ) from None


def known_before(table: Table, as_of: dt.date, *, day: str = "day") -> Table:
    """The rows that were known before midnight at the start of `as_of`: strictly earlier days."""
    return table.filter(nw.col(day) < day_number(as_of))


def known_within(table: Table, as_of: dt.date, days: int, *, day: str = "day") -> Table:
    """The rows of the last `days` days before `as_of`: `[as_of - days, as_of)`."""
    last = day_number(as_of)
    return table.filter(nw.col(day) >= last - days, nw.col(day) < last)


def happened_within(table: Table, as_of: dt.date, days: int, *, day: str = "day") -> Table:
    """The rows of the next `days` days: `[as_of, as_of + days)`. Outcomes only; never a feature."""
    first = day_number(as_of)
    return table.filter(nw.col(day) >= first, nw.col(day) < first + days)


def month_number(date: dt.date) -> int:
    """Months since the year 0: consecutive months differ by one."""
    return date.year * 12 + date.month - 1


def month_start(month: int) -> dt.date:
    """The first day of the month with this number."""
    return dt.date(month // 12, month % 12 + 1, 1)


def last_full_month(as_of: dt.date) -> int:
    """The number of the newest month that lies wholly before the as-of date."""
    return month_number(as_of) - 1
