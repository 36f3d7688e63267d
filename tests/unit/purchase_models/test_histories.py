"""Histories: what the models know of a customer, and customers who look the same to them put together."""

import numpy as np
import pandas as pd
import pytest

from crm.errors import CrmError
from crm.purchase_models.histories import Histories


@pytest.fixture
def snapshot(draw):
    return draw(
        """
        customer_id  frequency  recency  T   mean_log_gap
        anna         2          10       30  1.5
        ben          0          0        30  -
        cleo         2          10       30  1.2
        dora         1          7        20  1.9
        emil         0          0        30  -
        """
    )


def test_customers_with_the_same_history_are_one_group(snapshot):
    groups = Histories.of(snapshot).grouped()
    found = pd.DataFrame(
        {name: getattr(groups, name) for name in ("frequency", "recency", "T", "weight", "log_gaps")}
    )
    #                        x  t_x  T  customers  2 * 1.5 + 2 * 1.2 for anna and cleo
    assert found.round(9).to_numpy().tolist() == [[0, 0, 30, 2, 0], [1, 7, 20, 1, 1.9], [2, 10, 30, 2, 5.4]]
    assert groups.place.tolist() == [2, 0, 2, 1, 0]
    assert (groups.customers, groups.repeat_buyers) == (5, 3)


def test_every_customer_finds_the_own_history_in_its_group():
    rng = np.random.default_rng(3)
    x = rng.integers(0, 4, 5000)
    recency = np.where(x > 0, rng.integers(1, 20, 5000), 0).astype("float64")
    histories = Histories(x, recency, recency + rng.integers(0, 9, 5000), np.zeros(5000))
    groups = histories.grouped()
    for name in ("frequency", "recency", "T"):
        assert (getattr(groups, name)[groups.place] == getattr(histories, name)).all()
    assert len({*zip(groups.frequency, groups.recency, groups.T, strict=True)}) == len(groups) < 800
    assert sum(part.weight.sum() for part in groups.parts()) == 5000


@pytest.mark.parametrize(
    ("frequency", "recency", "T", "gap", "rule"),
    [
        (1, 11, 10, 0.0, "recency must lie between 0 and T"),
        (1, -1, 10, 0.0, "recency must lie between 0 and T"),
        (1, 5, np.nan, 0.0, "T must be a number"),
        (1, 5, np.inf, 0.0, "T must be a number"),
        (0, 5, 10, 0.0, "with 0 the recency is 0"),
        (-1, 0, 10, 0.0, "a frequency is 0 or more"),
        (2, 0, 10, 0.0, "has a recency above 0"),
        (2, 5, 10, np.nan, "has a mean_log_gap"),
        (np.nan, 5, 10, 0.0, "every customer has a frequency"),
    ],
)
def test_what_cannot_be_is_refused(frequency, recency, T, gap, rule):  # noqa: N803 - the models' own letter
    row = {"frequency": [0, frequency], "recency": [0, recency], "T": [9, T], "mean_log_gap": [0, gap]}
    with pytest.raises(CrmError, match=rule):
        Histories.of(pd.DataFrame(row))


def test_new_weights_take_the_place_of_the_customers(snapshot):
    groups = Histories.of(snapshot).grouped()
    other = groups.weighted(np.array([0.0, 3.0, 1.0]))
    assert other.frequency.tolist() == [1, 2]
    assert other.weight.tolist() == [3, 1]
    assert other.log_gaps.round(9).tolist() == [5.7, 2.7], "three doras; one of the average of anna and cleo"
    with pytest.raises(CrmError, match="one weight per group"):
        groups.weighted(np.ones(5))


def test_a_sample_is_even_and_always_the_same(snapshot):
    groups = Histories.of(pd.concat([snapshot] * 100)).grouped()
    sample = groups.sample(50)
    assert sample.weight.tolist() == [20, 10, 20]
    assert groups.sample(500) is groups
