"""How many segments: planted groups are found, and the rule for choosing by hand."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import adjusted_rand_score

from crm.analyses.segmentation import clusters
from crm.analyses.segmentation.behaviour import Trait
from crm.analyses.segmentation.clusters import chosen_number, find_clusters
from crm.analyses.segmentation.model import fit_traits, positions_of
from crm.analyses.segmentation.nearest_centre import nearest

TRAITS = [Trait("a", "x", "a"), Trait("b", "y", "b"), Trait("c", "z", "c")]


def planted(groups, each, *, apart, seed=1):
    chance = np.random.default_rng(seed)
    centres = chance.choice(np.arange(0, 3 * groups), (groups, 3), replace=False) * apart
    truth = np.repeat(np.arange(groups), each)
    values = np.expm1(5 + centres[truth] + chance.normal(0, 0.3, (groups * each, 3)))
    return pd.DataFrame(values, columns=list("abc")), truth


@pytest.mark.parametrize("groups", [3, 4, 6])
def test_planted_groups_are_found(groups):
    table, truth = planted(groups, 60, apart=0.8)
    traits = fit_traits(table, TRAITS)
    found = find_clusters(table, traits, seed=1)
    assert len(found.centres) == groups
    assert list(found.choice["chosen"]).count(True) == 1
    assert adjusted_rand_score(truth, nearest(positions_of(table, traits), found.centres)) > 0.95


def test_equal_rows_and_seed_give_equal_centres_largest_first():
    table, _ = planted(4, 50, apart=0.4)
    table = pd.concat([table, table.iloc[:30] * 1.01], ignore_index=True)
    traits = fit_traits(table, TRAITS)
    first, second = (find_clusters(table, traits, seed=7) for _ in range(2))
    np.testing.assert_array_equal(first.centres, second.centres)
    pd.testing.assert_frame_equal(first.choice, second.choice)
    sizes = np.bincount(nearest(positions_of(table, traits), first.centres))
    assert list(sizes) == sorted(sizes, reverse=True)


def test_a_given_number_is_taken_without_a_choice():
    table, _ = planted(4, 50, apart=0.4)
    found = find_clusters(table, fit_traits(table, TRAITS), seed=1, k=5)
    assert len(found.centres) == 5
    assert found.choice.empty


@pytest.mark.parametrize(
    "table",
    [
        pd.DataFrame({"a": [], "b": [], "c": []}, dtype="float64"),
        pd.DataFrame({"a": [1.0], "b": [2.0], "c": [3.0]}),
        pd.DataFrame({"a": np.arange(19.0), "b": 1.0, "c": 1.0}),
        pd.DataFrame({"a": np.ones(500), "b": 1.0, "c": 1.0}),
    ],
    ids=["nobody", "one", "nineteen", "five hundred alike"],
)
def test_too_few_or_too_much_alike_are_one_segment(table):
    found = find_clusters(table, fit_traits(table, TRAITS), seed=1)
    assert len(found.centres) == 1
    assert found.choice.empty


def test_noise_stands_no_further_apart_than_shuffled_noise():
    chance = np.random.default_rng(1)
    table = pd.DataFrame(np.exp(chance.normal(3, 1, (600, 3))), columns=list("abc"))
    choice = find_clusters(table, fit_traits(table, TRAITS), seed=1).choice
    assert (choice["silhouette"] - choice["silhouette_by_chance"]).abs().max() < 0.05
    separate, _ = planted(4, 150, apart=0.8)
    choice = find_clusters(separate, fit_traits(separate, TRAITS), seed=1).choice.set_index("k")
    assert choice.at[4, "silhouette"] - choice.at[4, "silhouette_by_chance"] > 0.3
    assert choice.at[4, "silhouette_low"] < choice.at[4, "silhouette"] < choice.at[4, "silhouette_high"]


def test_beyond_the_largest_fit_a_sample_is_enough(monkeypatch):
    table, truth = planted(4, 400, apart=0.8)
    traits = fit_traits(table, TRAITS)
    monkeypatch.setattr(clusters, "LARGEST_FIT", 300)
    monkeypatch.setattr(clusters, "LARGEST_CHOICE", 200)
    found = find_clusters(table, traits, seed=1)
    assert adjusted_rand_score(truth, nearest(positions_of(table, traits), found.centres)) > 0.95


CHOICES = [
    # two are never preferred to three, however far apart
    ("k silhouette stability\n2 0.60 0.99\n3 0.30 0.90\n4 0.20 0.90", 3),
    # as good as the best: the larger number says more
    ("k silhouette stability\n2 0.60 0.99\n3 0.300 0.90\n4 0.290 0.85\n5 0.286 0.80\n6 0.20 0.99", 5),
    # not stable enough
    ("k silhouette stability\n3 0.30 0.79\n4 0.20 0.80\n5 0.40 0.10", 4),
    # nothing stable: the most stable
    ("k silhouette stability\n2 0.30 0.70\n3 0.40 0.60\n4 0.50 0.75", 4),
    # only two are possible
    ("k silhouette stability\n2 0.30 0.95", 2),
]


@pytest.mark.parametrize(("judged", "k"), CHOICES)
def test_the_rule(draw, judged, k):
    assert chosen_number(draw(judged)) == k
