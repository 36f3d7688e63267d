"""No date is learnt from, or judged on, before its outcome was known and half a horizon of history lies before it."""

import datetime as dt
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.analyses.lifetime_value.dates import dates_to_judge_on, dates_to_learn_from
from crm.periods import date_of, day_number

FIRST = day_number(dt.date(2017, 1, 1))


def history(days: int, *, until: int | None = None):
    """Facts of which only the first and the last day count."""
    return SimpleNamespace(first_day=FIRST, last_day=FIRST + days - 1 if until is None else until)


@pytest.mark.parametrize(
    ("days", "horizon", "seen", "judged"),
    [
        (365, 91, 91, ["2017-10-02", "2017-07-03", "2017-04-03"]),
        (546, 273, 273, ["2017-10-01"]),  # what came before is enough for one date
        (365, 365, 121, ["2017-09-02", "2017-05-04"]),  # a year was never seen: a third of the history is
        (60, 91, 20, ["2017-02-10", "2017-01-21"]),
        (30, 91, 10, []),  # ten days of outcome say nothing
    ],
)
def test_judged_dates(days, horizon, seen, judged):
    dates = dates_to_judge_on(date_of(FIRST + days), history(days), horizon_days=horizon)
    assert dates.days == seen
    assert [date.isoformat() for date in dates.dates] == judged
    assert bool(dates) is bool(judged)


@given(days=st.integers(1, 1500), horizon=st.integers(1, 800), later=st.integers(0, 300), ended=st.integers(0, 200))
def test_every_outcome_was_known_and_some_history_lies_before(days, horizon, later, ended):
    as_of = date_of(FIRST + days)
    facts = history(days, until=FIRST + days - 1 + later - ended)
    for dates in (
        dates_to_learn_from(as_of, facts, horizon_days=horizon),
        dates_to_judge_on(as_of, facts, horizon_days=horizon),
    ):
        assert dates.days <= horizon or not dates.dates
        for date in dates.dates:
            known_until = min(day_number(as_of), facts.last_day + 1)
            assert day_number(date) + dates.days <= known_until
            assert day_number(date) - FIRST >= dates.days // 2
