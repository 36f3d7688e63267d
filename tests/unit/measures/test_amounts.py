"""The measures give what theory says, and refuse to reward a random order."""

import numpy as np
import pytest
from sklearn.metrics import mean_poisson_deviance, mean_tweedie_deviance

from crm.measures.amounts import (
    count_deviance,
    mean_absolute_error,
    normalised_gini,
    total_ratio,
    value_deviance,
)


@pytest.mark.parametrize(
    ("actual", "expected", "gini"),
    [
        ([0, 0, 0, 10], [1, 2, 3, 4], 1.0),
        ([0, 0, 0, 10], [4, 3, 2, 1], -1.0),
        ([0, 0, 0, 10], [1, 1, 1, 1], 0.0),  # all tied: nothing is said
        ([0, 0, 0, 10], [0, 0, 5, 5], 2 / 3),  # the buyer shares the first place: halfway between 1 and 1/3
        ([1, 2, 3, 4], [10, 20, 30, 40], 1.0),
    ],
)
def test_the_gini_of_a_few_customers(actual, expected, gini):
    assert normalised_gini(np.array(actual, float), np.array(expected, float)) == pytest.approx(gini)


def test_a_random_order_gets_nothing_and_ties_are_not_luck():
    rng = np.random.default_rng(1)
    actual = rng.gamma(0.3, 100, 20_000)
    assert abs(normalised_gini(actual, rng.random(20_000))) < 0.03
    few_values = rng.integers(0, 3, 20_000).astype(float)
    assert normalised_gini(np.sort(actual), few_values) == pytest.approx(0.0, abs=0.03)


@pytest.mark.parametrize("actual", [[], [0, 0], [5, 5, 5]])
def test_where_nobody_differs_there_is_no_gini(actual):
    assert np.isnan(normalised_gini(np.array(actual, float), np.arange(len(actual), dtype=float)))


def test_totals_and_errors():
    actual, expected = np.array([0.0, 10.0]), np.array([4.0, 8.0])
    assert total_ratio(actual, expected) == pytest.approx(1.2)
    assert mean_absolute_error(actual, expected) == pytest.approx(3.0)
    assert np.isnan(total_ratio(np.zeros(2), expected))


def test_deviances_are_those_of_a_library_and_smallest_for_the_true_mean():
    rng = np.random.default_rng(2)
    means = rng.gamma(1, 5, 4_000) + 0.1
    counts = rng.poisson(means).astype(float)
    amounts = counts * 12.5
    assert count_deviance(counts, means) == pytest.approx(mean_poisson_deviance(counts, means))
    assert value_deviance(amounts, means * 12.5) == pytest.approx(
        mean_tweedie_deviance(amounts, means * 12.5, power=1.5), rel=1e-6
    )
    for wrong in (0.8, 1.25):
        assert count_deviance(counts, means * wrong) > count_deviance(counts, means)
        assert value_deviance(amounts, means * 12.5 * wrong) > value_deviance(amounts, means * 12.5)
