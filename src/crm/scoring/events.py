"""Who has an event in the days in which a list is sent: a birthday, an anniversary, the end of a contract, a holiday?

`events_of(facts, as_of, programme)` answers it from the attributes there are, and says in words what is not there.
"""

from __future__ import annotations

import calendar
import datetime as dt
import difflib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd

from crm.config import Programme
from crm.engine import Lazy, to_pandas
from crm.errors import SettingsError
from crm.facts import Facts
from crm.mart import open_mart
from crm.outcomes import active
from crm.periods import date_of, day_number, known_before
from crm.snapshots import snapshot

COLUMNS = ("customer_id", "date", "reason")
OLDEST_BIRTH = 1900
"""Births of this year and before are placeholders, such as 1900-01-01."""

_DATE_IN_TEXT = r"^\s*(?:(?P<year>\d{4})-|--)?(?P<month>\d{2})-(?P<day>\d{2})(?:[T ].*)?\s*$"
_MOST_NAMED = 3


@dataclass(frozen=True)
class Events:
    """Who has the event, and when.

    customers: one row per customer, sorted by customer_id: customer_id, date, reason (in words).
    said:      what was assumed or left out, with its numbers.
    why_not:   why nobody could be found, where an attribute or table is not there; empty otherwise.
    """

    customers: pd.DataFrame = field(repr=False)
    said: tuple[str, ...] = ()
    why_not: str = ""


def events_of(facts: Facts, as_of: dt.date, programme: Programme) -> Events:
    """The events of `programme` in `[as_of, as_of + send_within_days)`, by what was known before `as_of`.

    A 29 February is kept on the 28th in other years. Raises SettingsError for a date that no year has.
    """
    return _EVENTS[programme.event](facts, as_of, programme)


def _birthday(facts: Facts, as_of: dt.date, programme: Programme) -> Events:
    if why := _no_attribute(facts, programme.attribute):
        return _nobody(why)
    people = to_pandas(_registered(facts, as_of).select("customer_id", born=programme.attribute))
    born = _month_and_day(people["born"])
    empty = people["born"].isna() | (people["born"].astype("str").str.strip() == "")
    unread = people.loc[born["month"].isna() & ~empty, "customer_id"]
    said = [f"{int(empty.sum()):,} of {len(people):,} registered customers have no {programme.attribute}."]
    if len(unread):
        said.append(
            f"{len(unread):,} cannot be read as a date or are placeholders, such as those of "
            f"{', '.join(unread.sort_values().head(_MOST_NAMED))}; written YYYY-MM-DD or MM-DD they would be."
        )
    people = people.assign(date=_next(born["month"], born["day"], as_of))
    return _happening(people, as_of, programme, said, words="birthday on {}")


def _joined(facts: Facts, as_of: dt.date, programme: Programme) -> Events:
    people, said = _since(facts, as_of)
    since = pd.to_datetime(people["since"], unit="D")
    people = people.assign(date=_next(since.dt.month.astype("float64"), since.dt.day.astype("float64"), as_of))
    happening = _happening(people, as_of, programme, said, words="{}")
    found = happening.customers.merge(people[["customer_id", "since", "stands_in"]], on="customer_id")
    years = found["date"].dt.year - pd.to_datetime(found["since"], unit="D").dt.year
    how_long = years.map(lambda count: "1 year" if count == 1 else f"{count} years")
    begun = np.where(found["stands_in"], " since the first purchase on ", " a customer on ")
    found["reason"] = how_long + pd.Series(begun, index=found.index, dtype="str") + found["reason"]
    return Events(found[list(COLUMNS)], happening.said)


def _since(facts: Facts, as_of: dt.date) -> tuple[pd.DataFrame, list[str]]:
    """Since which day each is a customer: customer_id, since, stands_in (is it the first purchase?)."""
    first = _first_purchases(facts, as_of)
    if not facts.has("customers"):
        said = [f"There is no table customers: the first purchase stands in for joining, for {len(first):,}."]
        return first.rename(columns={"first": "since"}).assign(stands_in=True), said
    joined = to_pandas(_registered(facts, as_of).select("customer_id", joined="day"))
    people = joined.merge(first, on="customer_id", how="outer")
    stands_in = people["joined"].isna()
    people = people.assign(since=people["joined"].fillna(people["first"]), stands_in=stands_in)
    people = people.dropna(subset="since").astype({"since": "int64"})
    count = int(people["stands_in"].sum())
    said = [f"For {count:,} of {len(people):,} the first purchase stands in: when they joined is not known."]
    return people, said if count else []


def _end_of_contract(facts: Facts, as_of: dt.date, programme: Programme) -> Events:
    if not facts.has("subscriptions"):
        return _nobody("There is no table subscriptions, so no contract's end is known.")
    running = known_before(facts["subscriptions"], as_of).filter(nw.col("ended_day") >= day_number(as_of))
    ends = to_pandas(running.group_by("customer_id").agg(nw.col("ended_day").min().alias("date")))
    said = ["A contract's end counts as known where it is written in the table subscriptions now."]
    return _happening(ends, as_of, programme, said, words="the contract ends on {}")


def _first_purchase(facts: Facts, as_of: dt.date, programme: Programme) -> Events:
    if not programme.days:
        return _nobody("days is 0: say how many days after the first purchase, such as days = 30.")
    people = _first_purchases(facts, as_of)
    people = people.assign(date=people["first"] + programme.days)
    counted = "1 day" if programme.days == 1 else f"{programme.days:,} days"
    return _happening(people, as_of, programme, [], words=f"{counted} after the first purchase on {{}}")


def _day(facts: Facts, as_of: dt.date, programme: Programme) -> Events:
    month, day = (int(part) for part in programme.date.split("-"))
    if (month, day) not in _NEXT_DAYS:
        raise SettingsError(
            "The date of an event must be a day that some year has.",
            found=f"date = {programme.date!r}",
            do="Write month and day, such as date = '12-24'.",
        )
    date = _next_day(month, day, as_of)
    if day_number(date) >= day_number(as_of) + programme.send_within_days:
        last = date_of(day_number(as_of) + programme.send_within_days - 1)
        return _nobody(f"The next {programme.date} is on {date}, and this list is sent from {as_of} to {last}.")
    within = facts.settings.definitions.active_within_days
    customers = snapshot(facts, as_of)
    people = customers.loc[active(customers, within_days=within), ["customer_id"]]
    said = [f"Everybody active counts: who bought in the {within} days before {as_of}."]
    return _happening(people.assign(date=day_number(date)), as_of, programme, said, words="on {}")


_EVENTS: dict[str, Callable[[Facts, dt.date, Programme], Events]] = {
    "birthday": _birthday,
    "joined": _joined,
    "end_of_contract": _end_of_contract,
    "first_purchase": _first_purchase,
    "day": _day,
}


def _nobody(why: str) -> Events:
    return Events(pd.DataFrame({name: pd.Series(dtype="str") for name in COLUMNS}), why_not=why)


def _happening(people: pd.DataFrame, as_of: dt.date, programme: Programme, said: list[str], *, words: str) -> Events:
    """Of these (customer_id, date as day number, missing where not known), those whose date lies in the window."""
    first = day_number(as_of)
    within = (people["date"] >= first) & (people["date"] < first + programme.send_within_days)
    found = people.loc[within.fillna(False).astype(bool), ["customer_id", "date"]]
    found = found.sort_values("customer_id", ignore_index=True)
    days = found["date"].astype("int64")
    spoken = {day: words.format(_spoken(date_of(int(day)))) for day in days.unique()}
    dates = pd.to_datetime(days, unit="D").astype("datetime64[us]")
    found = found.assign(date=dates, reason=days.map(spoken).astype("str"))
    return Events(found[list(COLUMNS)], tuple(said))


def _spoken(date: dt.date) -> str:
    return f"{date.day} {calendar.month_name[date.month]}"


def _registered(facts: Facts, as_of: dt.date) -> Lazy:
    """The table customers, without those who joined on the as-of date or later."""
    return facts["customers"].filter(nw.col("day").is_null() | (nw.col("day") < day_number(as_of)))


def _first_purchases(facts: Facts, as_of: dt.date) -> pd.DataFrame:
    days = known_before(open_mart(facts)["customer_days"], as_of)
    return to_pandas(days.group_by("customer_id").agg(nw.col("day").min().alias("first")))


def _no_attribute(facts: Facts, attribute: str) -> str:
    """Why this column of the table customers cannot be read; empty where it is there."""
    if not facts.has("customers"):
        return f"There is no table customers, so no {attribute} is known."
    names = facts["customers"].collect_schema().names()
    if attribute in names:
        return ""
    near = difflib.get_close_matches(attribute, names, n=1)
    hint = f"the nearest is {near[0]}" if near else f"it has {', '.join(names)}"
    return f"The table customers has no column {attribute}: {hint}. Name the right one as attribute of the programme."


def _month_and_day(values: pd.Series[Any]) -> pd.DataFrame:
    """Month and day of dates, moments, or texts as YYYY-MM-DD or MM-DD; both missing where there is no such day."""
    if isinstance(values.dtype, pd.DatetimeTZDtype):
        values = values.dt.tz_convert("UTC")  # and not the machine's zone, in which it may be the day before
    if pd.api.types.is_datetime64_any_dtype(values):
        parts = pd.DataFrame({"year": values.dt.year, "month": values.dt.month, "day": values.dt.day})
    else:
        parts = values.astype("str").str.extract(_DATE_IN_TEXT)
    parts = parts.apply(pd.to_numeric).astype("float64")
    leap = (parts["year"] % 4 == 0) & ((parts["year"] % 100 != 0) | (parts["year"] % 400 == 0))
    no_day = (parts["month"] == 2) & (parts["day"] == 29) & parts["year"].notna() & ~leap
    placeholder = parts["year"] <= OLDEST_BIRTH
    days: pd.DataFrame = parts[["month", "day"]]
    return days.mask(no_day | placeholder | ~_is_day(parts["month"], parts["day"]))


_NEXT_DAYS = frozenset(
    (month, day) for month in range(1, 13) for day in range(1, calendar.monthrange(2000, month)[1] + 1)
)
"""The 366 days that some year has."""


def _key(month: pd.Series[float], day: pd.Series[float]) -> pd.Series[float]:
    return month * 100 + day


def _is_day(month: pd.Series[float], day: pd.Series[float]) -> pd.Series[bool]:
    return _key(month, day).isin([month * 100 + day for month, day in _NEXT_DAYS])


def _next(month: pd.Series[float], day: pd.Series[float], as_of: dt.date) -> pd.Series[float]:
    """The day number on which this day of the year is next, from the as-of date on; missing where there is none."""
    table = {float(m * 100 + d): float(day_number(_next_day(m, d, as_of))) for m, d in _NEXT_DAYS}
    return _key(month, day).astype("float64").map(table)


def _next_day(month: int, day: int, as_of: dt.date) -> dt.date:
    this_year, next_year = (_in_year(year, month, day) for year in (as_of.year, as_of.year + 1))
    return this_year if this_year >= as_of else next_year


def _in_year(year: int, month: int, day: int) -> dt.date:
    return dt.date(year, month, min(day, calendar.monthrange(year, month)[1]))
