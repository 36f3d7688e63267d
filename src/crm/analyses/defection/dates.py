"""From which dates is learnt who leaves, and on which is it judged?

A lesson is a date whose horizon has passed. Lessons lie half a horizon apart, and one lies a year back, where the
history allows it: the same weeks of the year. Judged are dates a whole horizon apart, so that no outcome
counts twice.
"""

from __future__ import annotations

import datetime as dt

from crm.facts import Facts
from crm.periods import date_of, day_number

LESSONS, JUDGED = 5, 3
YEAR = 364
"""Days of a year of whole weeks: the same days of the week."""


def lessons_for(facts: Facts, as_of: dt.date, *, horizon_days: int) -> tuple[dt.date, ...]:
    """Dates to learn from, the newest first: the horizon of each had passed by `as_of`, and one lies before it."""
    newest = day_number(as_of) - horizon_days
    step = max(horizon_days // 2, 1)
    days = [newest - step * number for number in range(LESSONS)]
    last_year = day_number(as_of) - YEAR
    if last_year <= newest and last_year not in days:
        days.append(last_year)
    return tuple(date_of(day) for day in days if day - horizon_days >= facts.first_day)


def judged_on(facts: Facts, as_of: dt.date, *, horizon_days: int) -> tuple[dt.date, ...]:
    """Dates to be judged on, the newest first; each has at least one lesson before it."""
    known = min(day_number(as_of), facts.last_day + 1)
    dates = [date_of(known - horizon_days * number) for number in range(1, JUDGED + 1)]
    return tuple(date for date in dates if lessons_for(facts, date, horizon_days=horizon_days))
