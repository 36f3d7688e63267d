"""By which order customers are worth contacting, and how much money a contact of each adds."""

import numpy as np
import pandas as pd
import pytest

from crm.analyses.campaign_success.money import (
    ANSWERS,
    BOTH,
    DR,
    beyond,
    choose,
    held_by,
    money_apart,
    slope_of,
    spread_of,
    together,
)


def test_the_slope_is_that_of_the_groups():
    """In each group effects grow by 2 per unit of the order; that the second group lies higher is not looked at."""
    order, within = np.array([0.0, 1.0, 0.0, 1.0]), np.array([0, 0, 1, 1])
    assert slope_of(np.array([1.0, 3.0, 11.0, 13.0]), order, within) == pytest.approx(2.0)
    assert slope_of(np.array([3.0, 1.0, 3.0, 1.0]), order, within) == 0.0  # never against the order
    assert slope_of(np.array([1.0, 3.0, 1.0, 3.0]), np.zeros(4), within) == 0.0


def test_signals_are_added_in_units_of_their_own_spread():
    """
    | changed | answering | (changed - 1) / 2 + (answering - 0.5) / 0.5 |
    |       1 |       0.5 |                                           0 |
    |       3 |       0.5 |                                           1 |
    |       1 |       1.0 |                                           1 |
    """
    signals = {"changed": np.array([1.0, 3.0, 1.0]), "answering": np.array([0.5, 0.5, 1.0])}
    assert together(signals, {"changed": (1.0, 2.0), "answering": (0.5, 0.5)}).tolist() == [0, 1, 1]
    assert together(signals, {"changed": (1.0, 2.0), "answering": (0.5, 0.0)}).tolist() == [0, 1, 0]
    assert together(signals, {"changed": (1.0, 0.0)}).tolist() == [0, 0, 0]
    assert spread_of(np.array([0.0, 2.0, 10.0, 12.0]), np.array([0, 0, 1, 1])) == pytest.approx(1.0)
    assert spread_of(np.full(3, 0.1), np.zeros(3, dtype="int64")) == 0.0


def test_money_of_a_part_comes_from_the_other_parts():
    """
    | fold | order | days added | usual | level and slope of the other fold | money          |
    |    0 |     0 |          1 |     2 |                            6 and 4 | (6 - 2) * 2    |
    |    0 |     1 |          3 |     1 |                            6 and 4 | (6 + 2) * 1    |
    |    1 |     0 |          4 |     1 |                            2 and 2 | (2 - 1) * 1    |
    |    1 |     1 |          8 |    10 |                            2 and 2 | (2 + 1) * 10   |
    |    2 |     9 |          9 |     9 |  is not judged                     | 0              |
    """
    fold = np.array([0, 0, 1, 1, 2])
    money = money_apart(
        np.array([0.0, 1.0, 0.0, 1.0, 9.0]),
        np.array([1.0, 3.0, 4.0, 8.0, 9.0]),
        np.array([2.0, 1.0, 1.0, 10.0, 9.0]),
        fold=fold,
        within=fold,
        at=fold < 2,
    )
    assert money.tolist() == [8, 8, 1, 30, 0]


@pytest.mark.parametrize(
    ("margin", "found"),
    [([2.0, 4.0, 2.0, 4.0] * 25, 1.0), ([-8.0, 12.0, -8.0, 14.0] * 25, 0.0), ([2.0] * 100, 0.0)],
    ids=["surely one more", "may be chance", "as usual"],
)
def test_margin_beyond_purchase_days_counts_where_it_is_sure(margin, found):
    assert beyond(np.array(margin), np.full(100, 2.0)) == found


@pytest.mark.parametrize(("errors", "kept"), [(-3.0, 0.0), (1.0, 0.0), (1.28, 0.0), (2.0, 0.75), (10.0, 0.99)])
def test_what_is_unsure_is_held_back(errors, kept):
    assert held_by(errors) == pytest.approx(kept)


@pytest.mark.parametrize(
    ("errors", "money", "rule", "held", "sure"),
    [
        ({ANSWERS: 4, DR: 4, BOTH: 4}, {ANSWERS: 3.0, DR: 1.0, BOTH: 2.0}, ANSWERS, 15 / 16, True),
        ({ANSWERS: 1, DR: 4, BOTH: 2}, {ANSWERS: 3.0, DR: 1.0, BOTH: 2.0}, BOTH, 0.75, True),
        ({ANSWERS: 1, DR: 4, BOTH: 1.5}, {ANSWERS: 3.0, DR: 1.0, BOTH: 2.0}, BOTH, 5 / 9, False),
        ({ANSWERS: 4, DR: 4, BOTH: 4}, {ANSWERS: 2.0, DR: 2.0, BOTH: 2.0}, ANSWERS, 15 / 16, True),
        ({ANSWERS: 1, DR: 4, BOTH: 1}, {ANSWERS: 3.0, DR: -1.0, BOTH: 2.0}, "", 0.0, False),
        ({ANSWERS: 1, DR: 1, BOTH: -4}, {ANSWERS: 3.0, DR: 1.0, BOTH: 2.0}, "", 0.0, False),
        ({"T-learner": 4}, {"T-learner": 9.0}, "", 0.0, False),
    ],
    ids=[
        "most money",
        "most of the likely",
        "likely",
        "ties to the simplest",
        "sure and loses",
        "chance",
        "not named",
    ],
)
def test_what_customers_are_ordered_by(errors, money, rule, held, sure):
    """Qini in purchase days of so many standard errors, each of 1."""
    qini = pd.Series(errors, dtype="float64")
    orders = pd.DataFrame({"qini": qini, "low": qini - 1.96, "high": qini + 1.96})
    found = choose(orders, pd.DataFrame({"qini": money}))
    assert (found.rule, found.sure) == (rule, sure)
    assert found.held == pytest.approx(held, abs=1e-4)


def test_an_order_that_is_the_same_for_all_is_not_chosen():
    nothing = pd.DataFrame({"qini": [0.0], "low": [0.0], "high": [0.0]}, index=[ANSWERS])
    assert choose(nothing, nothing).rule == ""


@pytest.mark.parametrize(("high", "spread"), [(0.1, True), (-0.1, False)])
def test_the_average_is_not_spread_by_answers_where_that_is_surely_worse_than_chance(high, spread):
    told = pd.DataFrame({"qini": [high - 0.2], "low": [high - 0.4], "high": [high]}, index=[ANSWERS])
    assert choose(told, told).spread == spread
