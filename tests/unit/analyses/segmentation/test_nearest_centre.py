"""Which segment is a customer in: the arithmetic by hand."""

import datetime as dt
import json

import numpy as np
import pandas as pd
import pytest

from crm.analyses.segmentation.behaviour import Trait
from crm.analyses.segmentation.model import NOBODY, ClusterModel, FittedTrait, as_seen_by, fit_traits, positions_of

# sqrt((2 + 5 * 0.1) / (20 + 5)) = sqrt(0.1) and so on: a trait shrunk towards 0.1 by five lines
PROMOTION = FittedTrait(
    "promotion", "promoted", "lines", 5.0, 0.1, "root", low=0.0, high=0.6, centre=0.3, spread=0.1, weight=2.0
)
DAYS = FittedTrait(
    "days", "purchase_days_365d", "", 0.0, 0.0, "log", low=0.0, high=9.0, centre=0.0, spread=1.0, weight=1.0
)
MODEL = ClusterModel(
    dt.date(2018, 1, 1), 3, (PROMOTION, DAYS), ((0.0, 0.0), (4.0, 2.0)), (7, 3), ("seldom", "bargains")
)


@pytest.fixture
def behaviour(draw):
    return draw(
        """
        customer_id  promoted  lines  purchase_days_365d
        ann          2         20     0
        bob          95        95     9
        cat          0         0      1
        """
    ).set_index("customer_id")


def test_positions_by_hand(behaviour):
    points = positions_of(behaviour, (PROMOTION, DAYS))
    expected = [
        [(np.sqrt(0.1) - 0.3) / 0.1 * 2, np.log(1)],
        [(0.6 - 0.3) / 0.1 * 2, np.log(10)],  # sqrt(95.5 / 100) lies beyond the upper tail of 0.6
        [(np.sqrt(0.1) - 0.3) / 0.1 * 2, np.log(2)],  # nothing known of promotions: as everybody
    ]
    np.testing.assert_allclose(points, expected, atol=1e-6)


def test_each_is_placed_at_the_nearest_centre_and_who_bought_nothing_nowhere(behaviour):
    found = MODEL.segments_of(behaviour)
    assert list(found["cluster"]) == [NOBODY[0], 3, 7]
    assert list(found["cluster_name"]) == [NOBODY[1], "bargains", "seldom"]
    assert list(found.index) == ["ann", "bob", "cat"]


def test_a_model_survives_its_record(behaviour):
    read = ClusterModel.from_record(json.loads(json.dumps(MODEL.as_record())))
    assert read == MODEL
    assert read.content == MODEL.content
    pd.testing.assert_frame_equal(read.segments_of(behaviour), MODEL.segments_of(behaviour))


def test_the_content_is_what_decides_not_when_it_was_learned():
    later = ClusterModel(dt.date(2018, 4, 1), 99, MODEL.traits, MODEL.centres, MODEL.numbers, MODEL.names)
    assert later.content == MODEL.content
    assert MODEL.named((7, 3), ("seldom", "hunters")).content != MODEL.content


def test_it_says_which_columns_it_reads(behaviour):
    assert set(MODEL.columns) == set(behaviour.columns)


def test_traits_in_which_nobody_differs_are_left_out():
    table = pd.DataFrame({"a": [1.0, 2.0, 3.0], "b": [4.0, 4.0, 4.0]})
    fitted = fit_traits(table, [Trait("a", "x", "a"), Trait("b", "x", "b")])
    assert [trait.name for trait in fitted] == ["a"]


def test_a_theme_counts_as_the_root_of_its_number_of_traits():
    chance = np.random.default_rng(1)
    table = pd.DataFrame(chance.random((100, 5)), columns=list("abcde")).assign(all=1.0)
    traits = [Trait(name, "many", name) for name in "abcd"] + [Trait("e", "one", "e")]
    weights = {trait.name: trait.weight**2 for trait in fit_traits(table, traits)}
    assert sum(weights[name] for name in "abcd") == pytest.approx(2.0, abs=1e-5)
    assert weights["e"] == pytest.approx(1.0)


def test_in_a_composition_the_large_differences_count_most():
    chance = np.random.default_rng(1)
    table = pd.DataFrame({"large": chance.random(100), "small": chance.random(100) / 100, "whole": 1.0})
    traits = [Trait(n, "departments", n, "whole", scale="root") for n in ("large", "small")]
    fitted = {trait.name: trait for trait in fit_traits(table, traits)}
    assert fitted["large"].weight / fitted["small"].weight == pytest.approx(
        fitted["large"].spread / fitted["small"].spread, rel=1e-3
    )


def test_earlier_centres_are_asked_about_today_relative_to_todays_average():
    """Everybody doubles what they do: nobody moves."""
    traits = [Trait("a", "x", "a"), Trait("b", "y", "b")]
    chance = np.random.default_rng(3)
    then = pd.DataFrame({"a": np.exp(chance.normal(5, 1, 200)), "b": np.exp(chance.normal(5, 1, 200))})
    now = then * 2
    fitted_then, fitted_now = fit_traits(then, traits), fit_traits(now, traits)
    earlier = ClusterModel(dt.date(2017, 1, 1), 200, fitted_then, ((-1.0, 0.0), (1.0, 0.0)), (1, 2), ("low", "high"))
    before = as_seen_by(earlier, then, fitted_then)
    assert (as_seen_by(earlier, now, fitted_now) == before).mean() > 0.98
    assert 0.3 < before.mean() < 0.7


def test_a_department_that_has_gone_does_not_stand_in_the_way():
    table = pd.DataFrame({"a": [0.0, 10.0, 0.0, 10.0]})
    fitted = fit_traits(table, [Trait("a", "x", "a")])
    gone = FittedTrait("gone", "gone", "", 0.0, 0.0, "log", 0.0, 1.0, 0.0, 1.0, 1.0)
    earlier = ClusterModel(
        dt.date(2017, 1, 1), 4, (gone, *fitted), ((9.0, -1.0), (-9.0, 1.0)), (1, 2), ("few", "many")
    )
    assert list(as_seen_by(earlier, table, fitted)) == [0, 1, 0, 1]
