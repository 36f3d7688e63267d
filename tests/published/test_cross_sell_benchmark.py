"""Cross-sell beside strong off-the-shelf approaches, on Complete Journey as of 2017-11-06, 56 days ahead.

Active customers who bought something new, among the categories bought by at least 2 % of households, what was never
bought before being the candidates. Measured beforehand on the same definitions: hit rate@5, MAP@5 (over the smaller
of five and the relevant), NDCG@5, recall@10. Settings were chosen on dates up to 2017-09-11, this one
was only measured.
"""

import datetime as dt

import pytest

from crm.analyses.cross_sell.candidates import BEST_SELLERS, BLEND, FACTORS, SIMILAR_ITEMS, Looked
from crm.analyses.cross_sell.judging import MEASURES, judge, look_back
from crm.analyses.cross_sell.offers_judged import BEST

pytestmark = pytest.mark.slow

OFF_THE_SHELF = {
    "random": (0.211, 0.025, 0.050, 0.068),
    "best-sellers": (0.587, 0.140, 0.218, 0.220),
    "factorisation": (0.604, 0.132, 0.212, 0.230),
    "item-item cosine": (0.611, 0.151, 0.233, 0.225),
    "XGBoost on pairs": (0.632, 0.150, 0.234, 0.241),
}


@pytest.fixture(scope="module")
def judged(journey):
    looked = Looked(journey, level="category", most=300, days=56)
    seed = journey.settings.runs.seed
    return judge([look_back(looked, dt.date(2017, 11, 6), seed=seed)], days=56, seed=seed)


def of(judged, candidate):
    return judged.table.set_index("candidate").loc[candidate, list(MEASURES)].astype(float).to_numpy()


def test_the_definitions_are_those_of_the_measurement(judged):
    assert of(judged, BEST_SELLERS) == pytest.approx(OFF_THE_SHELF["best-sellers"], abs=0.001)
    assert of(judged, SIMILAR_ITEMS) == pytest.approx(OFF_THE_SHELF["item-item cosine"], abs=0.002)


def test_the_blend_is_better_than_the_best_of_them(judged):
    """Measured: 0.634, 0.157, 0.241, 0.249."""
    for ours, theirs in zip(of(judged, BLEND), zip(*OFF_THE_SHELF.values(), strict=True), strict=True):
        assert ours > max(theirs)


@pytest.mark.parametrize(
    ("against", "measure"),
    [
        (BEST_SELLERS, "map_5"),
        (BEST_SELLERS, "ndcg_5"),
        (SIMILAR_ITEMS, "ndcg_5"),
        (FACTORS, "map_5"),
        (FACTORS, "ndcg_5"),
    ],
)
def test_the_gain_is_no_chance(judged, against, measure):
    row = judged.gains.query("against == @against and measure == @measure").iloc[0]
    assert 0 < row["low"] < row["gain"] < row["high"]


def test_the_gain_in_map_over_similar_items_may_just_be_chance_on_this_date(judged):
    """Measured: +0.0056, its interval from -0.0002 to +0.011."""
    row = judged.gains.query("against == @SIMILAR_ITEMS and measure == 'map_5'").iloc[0]
    assert row["gain"] > 0.003
    assert row["low"] > -0.002


def test_on_two_dates_as_a_run_judges_it_is_no_chance(journey):
    """Measured with 2017-09-11: +0.0079 (0.0041 to 0.0119). Settings were chosen on dates up to that one."""
    looked = Looked(journey, level="category", most=300, days=56)
    seed = journey.settings.runs.seed
    dates = [dt.date(2017, 11, 6), dt.date(2017, 9, 11)]
    both = judge([look_back(looked, date, seed=seed) for date in dates], days=56, seed=seed)
    gains = both.gains[both.gains["against"].isin([BEST_SELLERS, SIMILAR_ITEMS, FACTORS])]
    gains = gains[gains["measure"].isin(["map_5", "ndcg_5"])]
    assert len(gains) == 6
    assert (gains["low"] > 0).all()


def test_chances_are_chances(judged):
    """Measured: off by 0.0014 on average over tenths; 0.041 said on average, 0.042 came."""
    row = judged.table.set_index("candidate").loc[BLEND]
    assert row["calibration_error"] < 0.01
    assert row["mean_chance"] == pytest.approx(row["came"], rel=0.1)
    assert judged.calibration["came"].is_monotonic_increasing


def test_the_item_worth_most_brings_more_than_the_likeliest_and_about_what_was_said(judged):
    """Measured: 97 % of what was said came (85 to 109 %); 0.25 a customer more where another was likeliest."""
    offers = judged.offers
    assert 0 < offers.low < offers.more < offers.high
    best = offers.over(BEST)
    assert best["low"] < 1 < best["high"]
