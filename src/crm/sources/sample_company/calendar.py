"""The days of the sample company: two years known, some weeks later than known, and how lively each day is.

Day 0 is the first day of the history. Purchases run on *lively weeks*: a week of average trade counts 1, a busy
December week more, so that a rate per week keeps its meaning through the seasons.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np

from crm.sources.sample_company.arrays import Floats, Ints, Moments
from crm.sources.sample_company.story import LATER_DAYS, PRICE_RISE_DAYS_BEFORE

BY_WEEKDAY = np.array([0.90, 0.90, 0.95, 1.00, 1.25, 1.35, 0.65])  # Monday first
BY_MONTH = np.array([0.90, 0.88, 0.96, 0.98, 1.00, 0.97, 0.90, 0.90, 0.98, 1.02, 1.15, 1.36])
SECONDS_PER_DAY = 86_400


@dataclass(frozen=True)
class Calendar:
    """Two calendar years before `as_of`, and `LATER_DAYS` from it on.

    start:      the first day of the history, day 0.
    known_days: days of history; day `known_days` is the as-of date.
    all_days:   `known_days + LATER_DAYS`.
    weeks:      lively weeks passed at the start of each day, `all_days + 1` values from 0.
    months:     months (0 = January) by day.
    """

    as_of: dt.date
    start: dt.date
    known_days: int
    all_days: int
    weeks: Floats
    months: Ints

    @property
    def price_rise_day(self) -> int:
        """The day from which the higher prices hold."""
        return self.known_days - PRICE_RISE_DAYS_BEFORE

    def dates(self, days: Ints) -> Moments:
        """Midnight at the start of each day."""
        return np.datetime64(self.start, "D") + days.astype("timedelta64[D]")

    def moments(self, days: Ints, seconds: Ints | int) -> Moments:
        """Moments in microseconds, from days and seconds since midnight."""
        first = np.datetime64(self.start, "us").astype(np.int64)
        microseconds = (days.astype(np.int64) * SECONDS_PER_DAY + seconds) * 1_000_000 + first
        return microseconds.view("datetime64[us]")


def calendar_until(as_of: dt.date) -> Calendar:
    """The calendar of two years before `as_of`."""
    start = as_of.replace(year=as_of.year - 2, day=min(as_of.day, 28) if as_of.month == 2 else as_of.day)
    known_days = (as_of - start).days
    all_days = known_days + LATER_DAYS
    dates = np.datetime64(start, "D") + np.arange(all_days)
    months = dates.astype("datetime64[M]").astype(np.int64) % 12
    weekdays = (dates.astype(np.int64) + 3) % 7
    lively = BY_WEEKDAY[weekdays] * BY_MONTH[months] / (BY_WEEKDAY.mean() * BY_MONTH.mean())
    weeks = np.concatenate([[0.0], np.cumsum(lively) / 7])
    return Calendar(as_of, start, known_days, all_days, weeks, months)
