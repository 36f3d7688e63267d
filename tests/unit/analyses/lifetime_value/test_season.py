"""The season of a year ago: what came over what was expected, where there is a year and more to look back on."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from crm.analyses.lifetime_value.season import FEWEST_DAYS_BEFORE, LEAST, YEAR, season_of

START = pd.Timestamp("2016-01-04")


def shop(company, days, *, busier):
    """120 customers of their own rhythm, some of whom leave; `busier(date)`: how much more often they buy then."""
    rng = np.random.default_rng(4)
    rows = []
    for customer in range(120):
        day, own = float(rng.integers(0, 20)), rng.gamma(2, 8) + 2
        while day < days and rng.random() > 0.01:
            moment = START + pd.Timedelta(days=int(day))
            rows.append((f"c{customer:03d}", moment, round(float(rng.gamma(4, 5)), 2)))
            day += rng.exponential(own) / busier(moment) + 1
    table = pd.DataFrame(rows, columns=["customer_id", "ordered_at", "net_amount"])
    return company({"purchases": table.assign(order_id=[f"o{number}" for number in range(len(table))])}, "2018-01-01")


@pytest.fixture(scope="module")
def seasonal(company):
    """Twice as often in the last quarter of each year."""
    return shop(company, 800, busier=lambda moment: 2 if moment.month >= 10 else 1)


def test_before_the_good_quarter_more_comes_than_is_expected_and_after_it_less(seasonal):
    autumn, winter = (season_of(seasonal, dt.date(*day), 91) for day in ((2017, 10, 1), (2018, 1, 1)))
    assert 1.4 < autumn.purchases < 2.2, "twice as many, over a rate that knows last year's good quarter too"
    assert winter.purchases < 0.95
    assert autumn.value == pytest.approx(autumn.purchases, rel=0.1)
    assert (autumn.of("purchases"), autumn.of("value")) == (autumn.purchases, autumn.value)


@pytest.mark.parametrize(
    ("date", "days"),
    [
        (START.date() + dt.timedelta(days=YEAR + FEWEST_DAYS_BEFORE - 1), 91),  # too little before a year ago
        (dt.date(2018, 1, 1), YEAR + 1),  # a year ago shows no more than a year
    ],
)
def test_without_a_year_and_a_half_nothing_is_said_of_the_season(seasonal, date, days):
    assert season_of(seasonal, date, days) is None


def test_a_shop_that_was_all_but_closed_moves_no_level_beyond_reason(company):
    closed = shop(company, 800, busier=lambda moment: 0.02 if moment >= START + pd.Timedelta(days=300) else 1)
    season = season_of(closed, START.date() + dt.timedelta(days=300 + YEAR), 91)
    assert season.purchases == season.value == LEAST
