"""From which dates is learnt, and on which is judged: no horizon reaches past the date it is learnt for."""

import datetime as dt
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.analyses.defection.dates import JUDGED, LESSONS, YEAR, judged_on, lessons_for
from crm.periods import date_of, day_number

FIRST = day_number(dt.date(2016, 1, 1))


def history(days, *, later=0):
    """Facts of which only the first and the last day count."""
    return SimpleNamespace(first_day=FIRST, last_day=FIRST + days - 1 + later)


def as_text(dates):
    return [date.isoformat() for date in dates]


def test_a_long_history_gives_five_lessons_half_a_horizon_apart_and_the_same_weeks_of_a_year_ago(on):
    dates = lessons_for(history(731), on("2018-01-01"), horizon_days=56)
    assert as_text(dates) == ["2017-11-06", "2017-10-09", "2017-09-11", "2017-08-14", "2017-07-17", "2017-01-02"]
    assert dates[-1].weekday() == on("2018-01-01").weekday()


def test_judged_are_dates_a_whole_horizon_apart(on):
    dates = judged_on(history(731), on("2018-01-01"), horizon_days=56)
    assert as_text(dates) == ["2017-11-06", "2017-09-11", "2017-07-17"]


@pytest.mark.parametrize(
    ("days", "horizon", "lessons", "judged"),
    [
        (100, 56, [], []),
        (111, 56, [], []),
        (112, 56, [56], []),  # one lesson, but nothing to learn from before it
        (140, 56, [84, 56], []),
        (168, 56, [112, 84, 56], [112]),
        (224, 56, [168, 140, 112, 84, 56], [168, 112]),
        (500, 400, [], []),  # longer than half of the history
        (800, 400, [400], []),  # a year ago lies within the horizon
        (10, 1, [9, 8, 7, 6, 5], [9, 8, 7]),
    ],
)
def test_a_short_history_gives_few_or_none(days, horizon, lessons, judged):
    as_of = date_of(FIRST + days)
    found = (lessons_for, judged_on)
    numbers = [
        [day_number(date) - FIRST for date in one(history(days), as_of, horizon_days=horizon)] for one in found
    ]
    assert numbers == [lessons, judged]


@given(days=st.integers(1, 1500), horizon=st.integers(1, 800), later=st.integers(0, 400))
def test_every_horizon_had_passed_and_one_lies_before(days, horizon, later):
    as_of, facts = date_of(FIRST + days), history(days, later=later)
    lessons = lessons_for(facts, as_of, horizon_days=horizon)
    judged = judged_on(facts, as_of, horizon_days=horizon)
    assert len(set(lessons)) == len(lessons) <= LESSONS + 1
    assert len(judged) <= JUDGED
    for date in (*lessons, *judged):
        assert day_number(date) + horizon <= day_number(as_of)
        assert day_number(date) - horizon >= FIRST
    for date in judged:
        assert lessons_for(facts, date, horizon_days=horizon)
    last_year = day_number(as_of) - YEAR
    if horizon <= YEAR and last_year - horizon >= FIRST:
        assert date_of(last_year) in lessons


def test_a_date_past_the_data_is_judged_on_what_is_known(on):
    """The data end on 2017-12-30, a month before the as-of date: the newest horizon ends with them."""
    dates = judged_on(history(730), on("2018-01-31"), horizon_days=56)
    assert dates[0] == on("2017-11-05")
