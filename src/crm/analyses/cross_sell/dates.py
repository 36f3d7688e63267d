"""From which dates can be learnt, and on which can be judged, how far ahead?"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from crm.facts import Facts
from crm.periods import date_of, day_number

LEARNT_FROM, STEP = 3, 14
"""Dates to learn from and the days between them: the same customers later, with outcomes that overlap."""

JUDGED_ON = 2
SHORTEST = 14
"""Days of a horizon below which neither learning nor judging says anything."""

SHORTEST_HISTORY = 28
"""Days before a date without which nearly everything is new to everybody."""


@dataclass(frozen=True)
class Dates:
    """Dates whose outcome over `days` was known by the as-of date, the newest first; none where history is short."""

    dates: tuple[dt.date, ...]
    days: int


def horizon_seen(as_of: dt.date, facts: Facts, *, horizon_days: int) -> int:
    """How far ahead can be learnt: the wanted horizon, or a third of the history where that is shorter."""
    history = _known_until(as_of, facts) - facts.first_day
    return horizon_days if history >= 2 * horizon_days + SHORTEST_HISTORY else min(history // 3, horizon_days)


def dates_to_learn_from(as_of: dt.date, facts: Facts, *, days: int) -> Dates:
    """Up to three dates, two weeks apart, whose outcome was known by `as_of`."""
    return _dates(as_of, facts, days=days, step=STEP, most=LEARNT_FROM)


def dates_to_judge_on(as_of: dt.date, facts: Facts, *, days: int) -> Dates:
    """Up to two dates, a horizon apart, whose outcome was known by `as_of`, each with one to learn from before it."""
    found = _dates(as_of, facts, days=days, step=days, most=JUDGED_ON)
    learnable = (date for date in found.dates if dates_to_learn_from(date, facts, days=days).dates)
    return Dates(tuple(learnable), days)


def _dates(as_of: dt.date, facts: Facts, *, days: int, step: int, most: int) -> Dates:
    if days < SHORTEST:
        return Dates((), days)
    newest = _known_until(as_of, facts) - days
    wanted = [newest - step * number for number in range(most)]
    least = min(SHORTEST_HISTORY, days)
    return Dates(tuple(date_of(day) for day in wanted if day - facts.first_day >= least), days)


def _known_until(as_of: dt.date, facts: Facts) -> int:
    return min(day_number(as_of), facts.last_day + 1)
