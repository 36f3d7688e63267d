"""From which dates can be learnt, and on which can be judged, how far ahead?

A date helps once its outcome is known and there was some history before it. Where the history is too short for the
wanted horizon, a shorter one is learnt and judged, and the purchase models carry it to the wanted one.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from crm.facts import Facts
from crm.periods import date_of, day_number

LEARNT_FROM, STEP = 4, 14
"""Dates to learn from and the days between them: the same customers at other ages, outcomes that overlap."""

JUDGED_ON = 3
SHORTEST = 14
"""Days of a horizon below which neither learning nor judging says anything."""

HISTORY_PER_HORIZON = 1.5
"""A horizon is learnt or judged where the history is at least that long: half a horizon to know, one to see."""


@dataclass(frozen=True)
class Dates:
    """Dates whose outcome over `days` was known by the as-of date, the newest first; none where history is short."""

    dates: tuple[dt.date, ...]
    days: int

    def __bool__(self) -> bool:
        return bool(self.dates)


def dates_to_learn_from(as_of: dt.date, facts: Facts, *, horizon_days: int) -> Dates:
    """Up to four dates, two weeks apart, whose outcome was known by `as_of`."""
    return _dates(as_of, facts, horizon_days=horizon_days, step=STEP, most=LEARNT_FROM)


def dates_to_judge_on(as_of: dt.date, facts: Facts, *, horizon_days: int) -> Dates:
    """Up to three dates, a horizon apart, whose outcome was known by `as_of`."""
    return _dates(as_of, facts, horizon_days=horizon_days, step=0, most=JUDGED_ON)


def _dates(as_of: dt.date, facts: Facts, *, horizon_days: int, step: int, most: int) -> Dates:
    """`step` days apart; 0: as far apart as is looked ahead."""
    first_day, last = facts.first_day, min(day_number(as_of), facts.last_day + 1)
    days = _seen_days(last - first_day, horizon_days)
    if days < SHORTEST:
        return Dates((), days)
    step = step or days
    steps = [last - days - step * number for number in range(most)]
    return Dates(tuple(date_of(day) for day in steps if day - first_day >= max(days // 2, SHORTEST)), days)


def _seen_days(history: int, horizon_days: int) -> int:
    """The horizon that so much history can show: the wanted one, or a third of the history."""
    return horizon_days if history >= HISTORY_PER_HORIZON * horizon_days else history // 3
