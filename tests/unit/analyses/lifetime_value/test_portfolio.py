"""The interval of a total: it holds nine of ten where totals stray as they did, and takes the cost as it is."""

import numpy as np
import pytest

from crm.analyses.lifetime_value.portfolio import WIDEST, _around, _less_cost, _reach
from crm.analyses.lifetime_value.result import Amount


@pytest.mark.parametrize("dates", [1, 2, 3])
def test_nine_of_ten_totals_lie_within_what_so_few_dates_tell(dates):
    """Simulated: totals of `dates` judged dates stray by 5 %, and the next one does too."""
    rng = np.random.default_rng(dates)
    strayed = rng.normal(0, 0.05, (20_000, dates))
    coming = rng.normal(0, 0.05, 20_000)
    seen = (strayed**2).mean(axis=1)
    reached = np.array([_reach(variance, variance, dates) for variance in seen])
    assert (np.abs(coming) <= reached).mean() == pytest.approx(0.90, abs=0.01)


def test_where_chance_rules_the_reach_is_that_of_a_normal():
    assert _reach(0.04, 0.0, 3) == pytest.approx(1.6449 * 0.2, rel=1e-3)
    assert _reach(0.04, 0.01, 3) == pytest.approx(1.6449 * 0.2, rel=1e-3), "a quarter of the variance is drift"
    assert _reach(0.04, 0.03, 3) == pytest.approx(2.3534 * 0.2, rel=1e-3), "three quarters: Student's t, 3 degrees"
    assert _reach(100.0, 100.0, 1) == WIDEST


def test_an_interval_is_as_far_below_as_above_in_ratio():
    assert _around(100.0, np.log(2)) == Amount(100.0, pytest.approx(50.0), pytest.approx(200.0))


def test_the_cost_to_serve_does_not_shrink_with_sales():
    """Sales of 100 at 40 % margin leave 40, less 30 of cost; at 50 they leave 20 and the same cost: a loss of 10."""
    margin = _less_cost(Amount(100.0, 50.0, 200.0), 10.0, 30.0)
    assert (margin.value, margin.low, margin.high) == pytest.approx((10.0, -10.0, 50.0))
