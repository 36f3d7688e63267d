"""Measures of recommendations: by hand, against scikit-learn, and what random and popular lists must give."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import ndcg_score

from crm.measures.recommendations import (
    all_measures,
    calibration,
    calibration_error,
    catalogue_coverage,
    of_each,
)

# Seven items in falling order of score; what was bought; hit rate@5, MAP@5, NDCG@5, recall@10 by hand.
BY_HAND = {
    "first": ([1, 0, 0, 0, 0, 0, 0], 1, 1, 1, 1),
    "third": ([0, 0, 1, 0, 0, 0, 0], 1, 1 / 3, 0.5, 1),
    "sixth": ([0, 0, 0, 0, 0, 1, 0], 0, 0, 0, 1),
    "first and third": ([1, 0, 1, 0, 0, 0, 0], 1, (1 + 2 / 3) / 2, 1.5 / (1 + 1 / math.log2(3)), 1),
    "all": ([1, 1, 1, 1, 1, 1, 1], 1, 1, 1, 1),
}


@pytest.mark.parametrize("case", BY_HAND)
def test_by_hand(case):
    relevant, *wanted = BY_HAND[case]
    found = of_each(np.arange(7, 0, -1.0)[None, :], np.array([relevant], dtype=bool))
    assert [float(values[0]) for values in found.values()] == pytest.approx(wanted)


def test_ndcg_is_that_of_scikit_learn():
    rng = np.random.default_rng(1)
    score, relevant = rng.random((300, 20)), rng.random((300, 20)) < 0.2
    some = relevant.any(axis=1)
    assert of_each(score, relevant)["ndcg_5"].mean() == pytest.approx(ndcg_score(relevant[some], score[some], k=5))


def test_every_random_list_is_judged_as_an_independent_library_judges_it():
    """200 lists of 25 items, judged by the package ranx (`tools/judged_by_ranx.py`).

    Its MAP@5 is over all that is relevant, ours over the smaller of five and that: a list of five can hold no more.
    """
    judged = json.loads(Path(__file__).with_name("judged_by_ranx.json").read_text())["cases"]
    relevant = np.zeros((len(judged), 25), dtype=bool)
    score = np.zeros(relevant.shape)
    for row, case in enumerate(judged):
        relevant[row, case["relevant"]] = True
        score[row, case["order"]] = np.arange(25, 0, -1)
    found, many = of_each(score, relevant), relevant.sum(axis=1)
    for name in ("hit_rate_5", "ndcg_5", "recall_10"):
        assert found[name] == pytest.approx([case[name] for case in judged], abs=1e-9), name
    over_all = found["map_5"] * np.minimum(many, 5) / many
    assert over_all == pytest.approx([case["map_5"] for case in judged], abs=1e-9)
    assert 0.1 < over_all.mean() < 0.5


def test_a_random_list_gives_what_theory_says():
    """r of n items are relevant: hit rate 1 - C(n-r,5)/C(n,5), recall@10 10/n, NDCG@5 (r/n) x gain / ideal."""
    rng, n, r = np.random.default_rng(2), 40, 4
    relevant = np.zeros((20_000, n), dtype=bool)
    relevant[:, :r] = True
    found = all_measures(rng.random(relevant.shape), relevant)
    gain = 1 / np.log2(np.arange(2, 7))
    assert found["hit_rate_5"] == pytest.approx(1 - math.comb(n - r, 5) / math.comb(n, 5), abs=0.01)
    assert found["recall_10"] == pytest.approx(10 / n, abs=0.005)
    assert found["ndcg_5"] == pytest.approx(r / n * gain.sum() / gain[:4].sum(), abs=0.005)
    assert found["coverage"] == 1.0


def test_a_popular_list_finds_the_popular():
    """Each customer buys one item, by fixed shares: hits are the shares of the five most popular added up."""
    rng, share = np.random.default_rng(3), np.array([0.3, 0.2, 0.1, 0.1, 0.1, 0.1, 0.05, 0.05])
    bought = rng.choice(8, 50_000, p=share)
    relevant = np.eye(8, dtype=bool)[bought]
    found = all_measures(np.broadcast_to(share - np.arange(8) * 1e-9, relevant.shape), relevant)
    assert found["hit_rate_5"] == pytest.approx(0.8, abs=0.01)
    assert found["map_5"] == pytest.approx((share[:5] / np.arange(1, 6)).sum(), abs=0.01)
    assert found["coverage"] == 5 / 8


def test_what_was_no_candidate_is_never_a_hit():
    score, relevant = np.array([[np.nan, 1.0, -np.inf]]), np.array([[True, False, True]])
    found = all_measures(score, relevant)
    assert (found["hit_rate_5"], found["recall_10"], found["coverage"]) == (0, 0, 1 / 3)


def test_customers_with_nothing_to_find_are_left_out_and_nobody_gives_nan():
    score, relevant = np.array([[2.0, 1.0], [2.0, 1.0]]), np.array([[True, False], [False, False]])
    assert of_each(score, relevant)["map_5"].tolist() == [1.0]
    assert math.isnan(all_measures(score, np.zeros((2, 2), dtype=bool))["map_5"])
    assert math.isnan(catalogue_coverage(np.empty((0, 0))))


def test_a_calibrated_chance_has_no_error_and_a_doubled_one_has_its_own():
    rng = np.random.default_rng(4)
    chance = rng.random(200_000) * 0.4
    came = rng.random(200_000) < chance
    assert calibration_error(chance, came) < 0.005
    assert calibration_error(2 * chance, came) == pytest.approx(chance.mean(), abs=0.005)
    assert [row["pairs"] for row in calibration(chance, came)] == [20_000] * 10
    assert math.isnan(calibration_error(np.empty(0), np.empty(0, dtype=bool)))
