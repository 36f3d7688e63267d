"""The blend takes what served on earlier dates, its level where it was right, and a rule of thumb that won."""

import numpy as np
import pandas as pd
import pytest

from crm.analyses.lifetime_value.blend import (
    BLEND,
    MODELS,
    OWN,
    SEASON,
    TOGETHER,
    UNJUDGED,
    Weights,
    by_rule,
    choose_weights,
    floor_of,
    parts_of,
)
from crm.analyses.lifetime_value.learners import REGRESSION, TREES
from crm.analyses.lifetime_value.rules import AS_LATELY, RETAINED, SO_FAR

RNG = np.random.default_rng(3)
TRUE = RNG.gamma(0.8, 4.0, 3_000)


def noisy(spread: float, level: float = 1.0) -> np.ndarray:
    return TRUE * np.exp(RNG.normal(-(spread**2) / 2, spread, len(TRUE))) * level


def table(**columns: np.ndarray) -> pd.DataFrame:
    """Candidates of one date; rules that know nothing unless they are given."""
    nothing = np.full(len(TRUE), TRUE.mean())
    return pd.DataFrame({SO_FAR: nothing, AS_LATELY: nothing, RETAINED: nothing} | columns)


def came() -> np.ndarray:
    return RNG.poisson(TRUE).astype(float)


def names(pm: float = 0.3, regression: float = 0.3, trees: float = 0.3, season: float = 1.0) -> pd.DataFrame:
    return table(
        **{
            "BG/NBD": noisy(pm),
            "MBG/CNBD-k": noisy(pm),
            REGRESSION: noisy(regression, season),
            TREES: noisy(trees, season),
        }
    )


def test_a_part_that_knows_nothing_gets_no_weight_and_the_level_of_another_season_is_left_out():
    dates = [(names(pm=0.9, trees=3.0, season=1.4), came(), None) for _ in range(2)]
    chosen = choose_weights(dates, names(), season=None, counts=True)
    assert chosen.shares[REGRESSION] >= 0.6
    assert chosen.shares[TREES] == 0.0
    assert chosen.level_from == MODELS
    mixed = chosen.mix(dates[0][0]) * chosen.level(dates[0][0], season=None)
    assert mixed.sum() == pytest.approx(dates[0][0][["BG/NBD", "MBG/CNBD-k"]].sum().mean())


def test_where_the_purchase_models_miss_the_level_the_blend_keeps_its_own():
    dates = []
    for _ in range(2):
        one = names()
        one[["BG/NBD", "MBG/CNBD-k"]] *= 0.5
        dates.append((one, came(), None))
    assert choose_weights(dates, names(), season=None, counts=True).level_from == OWN


def test_the_season_of_a_year_ago_moves_the_level_where_it_did_before():
    """On both judged dates 30 % more came than any candidate expected, as a year before each of them."""
    dates = [(names(), RNG.poisson(1.3 * TRUE).astype(float), 1.3) for _ in range(2)]
    chosen = choose_weights(dates, names(), season=0.8, counts=True)
    assert chosen.level_from == SEASON
    now = names()
    level = now[["BG/NBD", "MBG/CNBD-k"]].sum().mean()
    assert (chosen.mix(now) * chosen.level(now, season=0.8)).sum() == pytest.approx(0.8 * level)
    assert choose_weights(dates, names(), season=None, counts=True).level_from != SEASON
    useless = [(names(), came(), 1.3) for _ in range(2)]
    assert choose_weights(useless, names(), season=0.8, counts=True).level_from != SEASON


def test_a_mixture_of_equals_is_better_than_each():
    dates = [(names(0.6, 0.6, 0.6), came(), None) for _ in range(2)]
    assert max(choose_weights(dates, names(), season=None, counts=True).shares.values()) <= 0.6


def test_a_rule_that_served_best_stands():
    dates = [(names(1.5, 1.5, 1.5).assign(**{AS_LATELY: noisy(0.05)}), came(), None) for _ in range(2)]
    chosen = choose_weights(dates, names(), season=None, counts=True)
    assert chosen == by_rule(AS_LATELY)
    assert chosen.name == AS_LATELY


def test_one_season_alone_decides_nothing():
    assert choose_weights(
        [(names(3.0, 0.1, 3.0), came(), None)], names(), season=None, counts=True
    ).shares == pytest.approx(UNJUDGED)
    without_trees = names().drop(columns=TREES)
    shares = choose_weights([], without_trees, season=None, counts=True).shares
    assert shares == pytest.approx({TOGETHER: 2 / 11, REGRESSION: 9 / 11})


def test_without_any_model_the_careful_rule_stands():
    assert choose_weights([], table(), season=None, counts=True) == by_rule(RETAINED)


def test_nobody_is_expected_to_bring_nothing_and_a_chunk_is_valued_like_the_whole():
    one = names()
    one.loc[0, "BG/NBD"] = 0.0
    weights = Weights({TOGETHER: 0.2, REGRESSION: 0.4, TREES: 0.4}, OWN)
    assert weights.name == BLEND
    whole = weights.mix(one)
    assert whole[0] > 0
    assert parts_of(one)[TOGETHER].min() >= floor_of(one)
    chunk = weights.mix(one.head(10), floor=floor_of(one))
    assert chunk == pytest.approx(whole[:10], rel=1e-12)
