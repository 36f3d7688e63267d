"""Names are true, unique, and kept."""

import numpy as np
import pandas as pd
import pytest

from crm.analyses.segmentation.behaviour import Trait
from crm.analyses.segmentation.naming import AVERAGE, Mark, chance_higher, heirs, marks_of, names_of

FREQUENT = Trait("days", "activity", "days", more="frequent", less="seldom", do_more="thank", do_less="invite")
SPENDING = Trait("sales", "activity", "sales", more="big", less="small", do_more="look after", do_less="save")
PROMOTION = Trait("promotion", "promotion", "promoted", "lines", more="bargains", less="full price")
PHONE = Trait("phone", "channels", "phoned", "lines", more="by phone", named_from=0.25)


def test_chance_higher_by_hand():
    # pairs (3,1) (3,2) (2,1) (2,2): two higher, one equal half, one higher = 3.5 of 4
    assert chance_higher(np.array([3.0, 2.0, 1.0, 2.0]), np.array([True, True, False, False])) == 0.875
    assert chance_higher(np.array([1.0, 2.0]), np.array([True, True])) == 0.5


@pytest.fixture
def table():
    inside = np.repeat([True, False], 50)
    chance = np.random.default_rng(1)
    days = np.where(inside, 30, 10) + chance.integers(0, 5, 100)
    return pd.DataFrame(
        {
            "days": days,
            "sales": days * 10.0,
            "promoted": np.where(inside, 1, 6),
            "lines": 10,
            "phoned": inside.astype(int),
        }
    ).astype("float64"), inside


def test_marks_tell_what_a_segment_does_more_and_less(table):
    frame, inside = table
    marks = marks_of(frame, inside, [FREQUENT, SPENDING, PROMOTION, PHONE])
    assert [(m.word, m.action) for m in marks] == [("frequent", "thank"), ("full price", "")]
    marks = marks_of(frame, ~inside, [FREQUENT, SPENDING, PROMOTION, PHONE])
    assert [m.word for m in marks] == ["seldom", "bargains"]


def test_nobody_is_named_for_a_small_part_of_what_they_do(table):
    frame, inside = table
    assert not marks_of(frame, inside, [PHONE])
    often = frame.assign(phoned=frame["phoned"] * 5)
    assert [m.word for m in marks_of(often, inside, [PHONE])] == ["by phone"]


def test_two_orders_against_a_hundred_are_not_a_habit():
    """One of two orders by phone is half, and says little: together they are below the others."""
    frame = pd.DataFrame({"phoned": [1.0, 0, 1, 0, 30, 30, 30, 30], "lines": [2.0, 100, 2, 100, 99, 99, 99, 99]})
    inside = np.array([True, True, True, True, False, False, False, False])
    assert not marks_of(frame, inside, [PHONE])


def mark(word, strength=0.4):
    return Mark(word, word, word, strength, "")


def test_names_are_two_words_more_where_they_are_taken():
    names = names_of(
        [
            [mark("frequent"), mark("web"), mark("fashion")],
            [mark("frequent"), mark("web"), mark("food")],
            [mark("frequent"), mark("web")],
            [],
            [],
        ],
        taken=["Seldom"],
    )
    assert names == ["Frequent, web", "Frequent, web, food", "Frequent, web (2)", AVERAGE, f"{AVERAGE} (2)"]
    assert names_of([[mark("seldom")]], taken=["Seldom"]) == ["Seldom (2)"]


def test_a_segment_inherits_from_the_one_it_shares_most_customers_with():
    #          today 0 = earlier 1, today 1 = earlier 0, one customer moved
    today = np.array([0, 0, 0, 0, 1, 1, 1])
    earlier = np.array([1, 1, 1, 0, 0, 0, 0])
    assert heirs(today, earlier, segments=2, earlier_segments=2) == {0: 1, 1: 0}


def test_of_two_heirs_the_one_with_most_customers_and_a_stranger_inherits_nothing():
    today = np.array([0] * 6 + [1] * 4 + [2] * 5)
    earlier = np.array([0] * 10 + [1] * 1 + [0] * 4)
    assert heirs(today, earlier, segments=3, earlier_segments=2) == {}  # a third of the earlier one is not the same
    earlier = np.array([0] * 7 + [1] * 8)
    assert heirs(today, earlier, segments=3, earlier_segments=2) == {0: 0, 2: 1}


def test_everybody_is_nobodys_heir():
    assert heirs(np.zeros(5, dtype=int), np.array([0, 0, 0, 0, 1]), segments=1, earlier_segments=2) == {}
