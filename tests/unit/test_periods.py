"""The cut in time: half-open, at midnight, the same everywhere."""

import datetime as dt

import narwhals as nw
import pandas as pd
import pytest

from crm.errors import RequestError
from crm.periods import (
    date_of,
    day_number,
    happened_within,
    known_before,
    known_within,
    last_full_month,
    month_number,
    month_start,
    read_date,
)

AS_OF = dt.date(2017, 3, 1)


@pytest.fixture
def days():
    dates = ["2017-02-26", "2017-02-27", "2017-02-28", "2017-03-01", "2017-03-02", "2017-03-03"]
    return nw.from_native(pd.DataFrame({"day": [day_number(dt.date.fromisoformat(d)) for d in dates]}))


def dates_of(frame):
    return [date_of(day).isoformat() for day in frame["day"].to_list()]


def test_the_as_of_date_is_the_first_day_that_is_not_known(days):
    assert dates_of(known_before(days, AS_OF)) == ["2017-02-26", "2017-02-27", "2017-02-28"]


def test_two_days_back_end_the_day_before(days):
    assert dates_of(known_within(days, AS_OF, 2)) == ["2017-02-27", "2017-02-28"]


def test_two_days_ahead_begin_on_the_as_of_date(days):
    assert dates_of(happened_within(days, AS_OF, 2)) == ["2017-03-01", "2017-03-02"]


def test_day_numbers_count_from_1970():
    assert day_number(dt.date(1970, 1, 2)) == 1
    assert date_of(day_number(AS_OF)) == AS_OF


def test_months_are_numbered_without_gaps():
    assert month_number(dt.date(2018, 1, 1)) - month_number(dt.date(2017, 12, 31)) == 1
    assert month_start(month_number(dt.date(2017, 12, 31))) == dt.date(2017, 12, 1)


def test_on_the_first_of_a_month_the_month_before_is_full():
    assert month_start(last_full_month(dt.date(2018, 1, 1))) == dt.date(2017, 12, 1)
    assert month_start(last_full_month(dt.date(2018, 1, 31))) == dt.date(2017, 12, 1)


@pytest.mark.parametrize("text", ["01.02.2018", "2018-02-30", "20180101", "today", ""])
def test_only_full_dates_are_read(text):
    with pytest.raises(RequestError, match="YYYY-MM-DD"):
        read_date(text)
