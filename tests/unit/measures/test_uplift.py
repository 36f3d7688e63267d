"""Gain curve, AUUC and Qini: drawn tables checked by hand, and orders that say nothing."""

import numpy as np
import pytest

from crm.measures.uplift import Judge, doubly_robust

# Half were treated. Without any expectation a score is outcome / 0.5, negative for those who were left alone.
DRAWN = """
customer_id treated outcome effect ranked
anna        1       10      20     4
ben         0       1       -2     3
cleo        1       4       8      2
dora        0       5       -10    1
"""


def judge_of(effects, customers=None, **more):
    effects = np.asarray(effects, dtype="float64")
    return Judge(effects, np.arange(len(effects)) if customers is None else np.asarray(customers), **more)


def test_scores_are_what_came_over_the_chance_of_the_arm(draw):
    table = draw(DRAWN)
    found = doubly_robust(table["outcome"], table["treated"], np.full(4, 0.5))
    assert found.tolist() == table["effect"].tolist()


def test_what_was_expected_is_taken_off_before_the_chance_counts():
    """10 came of a treated where 8 with and 7 without was expected, 30 % treated: 8 - 7 + (10 - 8) / 0.3."""
    found = doubly_robust(
        np.array([10.0]), np.array([1.0]), np.array([0.3]), expected_treated=8.0, expected_held_out=7.0
    )
    assert found[0] == pytest.approx(1 + 2 / 0.3)


def test_curve_area_and_qini_by_hand(draw):
    """Cumulative gain over four: 5, 4.5, 6.5, 4. Area by trapezoids: (2.5 + 4.75 + 5.5 + 5.25) / 4 = 4.5; line 2."""
    table = draw(DRAWN)
    judge = judge_of(table["effect"], draws=20)
    ranked = table["ranked"].to_numpy(dtype="float64")
    curve = judge.gain_curve(ranked, [0, 0.25, 0.5, 0.75, 1])
    assert curve["gain"].tolist() == [0, 5, 4.5, 6.5, 4]
    assert judge.auuc(ranked) == pytest.approx(4.5)
    assert judge.qini(ranked) == pytest.approx(2.5)


def test_equal_scores_share_what_they_bring(draw):
    """anna and ben are one place: 9 each on the way, 2.25 at a quarter of all, and half way nothing has changed."""
    judge = judge_of(draw(DRAWN)["effect"], draws=20)
    curve = judge.gain_curve(np.array([2.0, 2.0, 1.0, 0.0]), [0.25, 0.5])
    assert curve["gain"].tolist() == [2.25, 4.5]


def test_the_cost_is_of_those_who_are_contacted(draw):
    judge = judge_of(draw(DRAWN)["effect"], draws=20)
    curve = judge.policy_curve(np.array([4.0, 3.0, 2.0, 1.0]), 1.0, [0.25, 1.0])
    assert curve["profit"].tolist() == [4.75, 3.0]
    assert curve["over_all"].tolist() == [1.75, 0.0]


def test_every_group_is_ordered_by_itself():
    """A campaign whose effects are all larger is no merit of an order that puts its customers first."""
    effects, campaign = np.array([9.0, 11.0, 0.0, 2.0]), np.array([1, 1, 2, 2])
    assert judge_of(effects).qini(campaign * -1.0) > 0
    assert judge_of(effects, within=campaign).qini(campaign * -1.0) == 0
    assert judge_of(effects, within=campaign).qini(effects) == pytest.approx(0.25)


def two_arms(rng, rows, treated_share):
    treated = (rng.random(rows) < treated_share).astype(float)
    outcome = 3 + treated + rng.standard_normal(rows)
    return doubly_robust(outcome, treated, np.full(rows, treated_share))


@pytest.mark.parametrize("treated_share", [0.9, 0.5, 0.1])
def test_random_orders_gain_nothing_whatever_the_size_of_the_arms(treated_share):
    rng = np.random.default_rng(5)
    judge = judge_of(two_arms(rng, 500, treated_share))
    found = np.array([judge.qini(rng.random(500)) for _ in range(600)])
    assert abs(found.mean()) < 4 * found.std() / np.sqrt(len(found))
    assert found.std() > 0


@pytest.mark.parametrize("within", [None, np.repeat([0, 1, 2], [5, 100, 295])])
def test_a_constant_order_gains_exactly_nothing_in_every_draw(within):
    judge = judge_of(two_arms(np.random.default_rng(2), 400, 0.9), np.arange(400) // 2, within=within, draws=50)
    row = judge.table({"constant": np.full(400, 0.3)}).iloc[0]
    assert row[["qini", "qini_low", "qini_high"]].abs().max() == 0


def test_customers_are_drawn_with_all_their_rows():
    """The same customers four times over are no more evidence: the interval is as wide as it was."""
    rng = np.random.default_rng(3)
    effects, score = rng.standard_normal(300), rng.random(300)
    once = judge_of(effects).table({"it": score}).iloc[0]
    often = judge_of(np.tile(effects, 4), np.tile(np.arange(300), 4)).table({"it": np.tile(score, 4)}).iloc[0]
    assert often["qini"] == pytest.approx(once["qini"])
    assert often["qini_high"] - often["qini_low"] == pytest.approx(once["qini_high"] - once["qini_low"], rel=1e-6)


def test_intervals_cover_the_true_qini():
    """Effects 0 to 2 in the order of the score: the Qini of all is 1/6 (the mean of effect times half less place)."""
    rng, covered = np.random.default_rng(11), 0
    for number in range(200):
        score = rng.random(300)
        row = judge_of(2 * score + 3 * rng.standard_normal(300), seed=number, draws=100).table({"it": score}).iloc[0]
        covered += row["qini_low"] <= 1 / 6 <= row["qini_high"]
    assert 0.88 <= covered / 200 <= 0.99


def test_a_difference_is_of_the_same_draws():
    rng = np.random.default_rng(1)
    score = rng.random(2_000)
    judge = judge_of(score + rng.standard_normal(2_000))
    gain, low, high = judge.gain(score, rng.random(2_000))
    assert gain > low > 0
    assert judge.gain(score, score * 3) == (0, 0, 0)
    assert high > gain


@pytest.mark.parametrize("rows", [0, 1])
def test_next_to_nothing_is_no_error(rows):
    judge = judge_of(np.ones(rows), draws=5)
    table = judge.table({"it": np.ones(rows)})
    assert table["qini"].isna().all() if rows == 0 else table["qini"].eq(0).all()
    assert len(judge.policy_curve(np.ones(rows), 0.1)) == 21
