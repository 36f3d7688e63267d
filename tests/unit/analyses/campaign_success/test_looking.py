"""May one look at a campaign before it has ended?"""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from crm.analyses.campaign_success.looking import half_width, smallest_effect_seen
from crm.analyses.campaign_success.pooled import pool


def test_the_boundary_is_the_mixtures_own():
    """The mixture of likelihood ratios over effects drawn from N(0, r) reaches 1 / alpha exactly at the boundary."""
    miss, at_end = 0.01, 2.0
    tuned = at_end**2 / (-2 * np.log(miss) + np.log(1 - 2 * np.log(miss)))
    for se in (0.3, 1.0, 2.0):
        total, variance = half_width(se, at_end), se**2
        mixture = np.sqrt(tuned / (tuned + variance)) * np.exp(total**2 / (2 * (tuned + variance)))
        assert mixture == pytest.approx(1 / miss)


def test_it_is_wider_than_the_ordinary_interval_and_narrowest_for_its_size_near_the_end():
    ends = np.linspace(0.2, 1.0, 9)
    widths = np.array([half_width(se, 1.0) / se for se in ends])
    assert (widths > stats.norm.ppf(0.995)).all()
    assert (np.diff(widths) < 0).all()
    assert half_width(1.0, 1.0) < half_width(1.0, 5.0)


@pytest.mark.parametrize("seed", range(3))
def test_a_random_walk_crosses_it_as_seldom_as_it_says(seed):
    """The hardest case, 4,000 walks of 100 looks: an ordinary 99 % interval is left by far more."""
    steps = np.random.default_rng(seed).standard_normal((4_000, 100)).cumsum(axis=1)
    se = np.sqrt(np.arange(1, 101))
    safe = np.array([half_width(one, 10.0) for one in se])
    assert (np.abs(steps) > safe).any(axis=1).mean() <= 0.011
    assert (np.abs(steps) > stats.norm.ppf(0.995) * se).any(axis=1).mean() > 0.05


def test_the_smallest_effect_seen_is_seen_with_the_power_it_says():
    effect = smallest_effect_seen(0.5)
    assert stats.norm.sf(1.959964 - effect / 0.5) == pytest.approx(0.80, abs=1e-5)


def test_experiments_that_agree_are_put_together_by_how_sure_they_are():
    found = pool([1.0, 1.0, 4.0], [1.0, 1.0, 100.0])
    weight = np.array([1, 1, 1e-4])
    assert found.effect == pytest.approx((weight * [1, 1, 4]).sum() / weight.sum())
    assert found.high - found.effect == pytest.approx(1.959964 / np.sqrt(weight.sum()), rel=1e-5)
    assert (found.spread, found.campaigns) == (0.0, 3)


def test_experiments_that_disagree_widen_the_interval():
    alike, unlike = pool([1.0, 1.1, 0.9], [0.1] * 3), pool([3.0, 1.0, -1.0], [0.1] * 3)
    assert unlike.effect == pytest.approx(1.0)
    assert unlike.spread == pytest.approx(np.sqrt(4 - 0.01))  # the variance of the effects less that of luck
    assert unlike.high - unlike.low > 10 * (alike.high - alike.low)


@pytest.mark.parametrize("effects", [[], [1.0], [1.0, float("nan")]])
def test_fewer_than_two_are_not_put_together(effects):
    assert pool(effects, [0.1] * len(effects)) is None
