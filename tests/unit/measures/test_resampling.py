"""The interval around a gain holds the true one, and does not take a customer's dates for several customers."""

import numpy as np
import pytest

from crm.measures import resampling
from crm.measures.chances import auc
from crm.measures.resampling import Pair, gains


def mean_of(actual, expected):
    """A measure that can be checked by hand."""
    return float(np.mean(expected))


def planted(rng, size, customers=None):
    """Chances that are known beside noisy ones."""
    chance = rng.beta(0.6, 1.4, size)
    came = (rng.random(size) < chance).astype(float)
    noisy = np.clip(chance + 0.8 * (rng.random(size) - 0.5), 0, 1)
    return Pair(np.arange(size) if customers is None else customers, came, chance, noisy)


def test_by_hand():
    pair = Pair(np.arange(2), np.zeros(2), np.array([3.0, 5.0]), np.array([1.0, 1.0]))
    other = Pair(np.array([1]), np.zeros(1), np.array([2.0]), np.array([2.0]))
    (row,) = gains([pair, other], {"mean": mean_of}, seed=1).to_dict("records")
    assert (row["ours"], row["theirs"], row["gain"]) == (3.0, 1.5, 1.5)
    assert row["low"] <= 1.5 <= row["high"]


def test_the_interval_holds_the_true_gain():
    rng = np.random.default_rng(1)
    large = planted(rng, 200_000)
    true = auc(large.actual, large.ours) - auc(large.actual, large.theirs)
    found = [gains([planted(rng, 300)], {"auc": auc}, seed=1, draws=100).iloc[0] for _ in range(40)]
    held = [row["low"] <= true <= row["high"] for row in found]
    assert 0.85 <= np.mean(held) <= 1.0


def test_the_same_customers_on_three_dates_are_no_more_evidence():
    rng = np.random.default_rng(2)
    one = planted(rng, 500)
    width = [
        (row["high"] - row["low"]) for row in (gains([one] * dates, {"auc": auc}, seed=1).iloc[0] for dates in (1, 3))
    ]
    assert width[1] == pytest.approx(width[0], rel=0.01)
    apart = [planted(rng, 500, customers=np.arange(500) + 500 * date) for date in range(3)]
    (row,) = gains(apart, {"auc": auc}, seed=1).to_dict("records")
    assert row["high"] - row["low"] < 0.75 * width[0]


def test_many_customers_are_drawn_in_part_to_the_same_interval(monkeypatch):
    pair = planted(np.random.default_rng(3), 4_000)
    whole = gains([pair], {"auc": auc}, seed=1).iloc[0]
    monkeypatch.setattr(resampling, "AT_MOST", 500)
    part = gains([pair], {"auc": auc}, seed=1).iloc[0]
    assert part["high"] - part["low"] == pytest.approx(whole["high"] - whole["low"], rel=0.25)


def test_where_nothing_is_defined_nothing_is_said():
    nobody = Pair(np.arange(3), np.zeros(3), np.arange(3.0), np.arange(3.0))
    assert gains([nobody], {"auc": auc}, seed=1).iloc[0][["gain", "low"]].isna().all()
    assert gains([], {"auc": auc}, seed=1).iloc[0][["gain", "low"]].isna().all()
