"""Whom to contact: by hand, at the edges, and against drawn leavers."""

import datetime as dt
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from unit.analyses.defection.worlds import AS_OF, bought, foresight

from crm.analyses.defection.deciding import (
    FROM_LAST_YEAR,
    FROM_VALUES,
    LEVEL,
    decide,
    share_still_brought,
    value_if_stays,
)
from crm.config import Money

CHANCES, VALUE = np.array([0.4, 0.5, 0.1, 0.0]), np.array([20.0, 100.0, 5.0, 50.0])


def money(kept=0.5, cost=1.0):
    return Money(contact_cost={"mail": cost}, kept_by_contact=kept)


def decided(chances=CHANCES, value=VALUE, *, drift=0.1, more=None, **assumed):
    told = {"days": 91, "value_from": FROM_VALUES, "drift": drift, "seed": 1, **(more or {})}
    return decide(chances, value, money(**assumed), **told)


def test_four_customers_by_hand():
    """Worth of a contact at one half kept and a cost of 1: 3, 24, -0.75 and -1."""
    found = decided()
    assert (found.contacted, found.gain) == (2, pytest.approx(27.0))
    assert found.curve["contacted"].tolist() == [0, 1, 2, 3, 4]
    assert found.curve["gain"].tolist() == pytest.approx([0, 24, 27, 26.25, 25.25])
    assert found.curve["kept"].tolist() == pytest.approx([0, 0.25, 0.45, 0.5, 0.5])
    assert found.curve["share"].tolist() == [0, 0.25, 0.5, 0.75, 1]
    assert found.threshold == 0.4
    assert found.break_even == pytest.approx(1 / 50)
    assert (found.kept, found.cost, found.channel, found.level) == (0.5, 1.0, "mail", LEVEL)
    expected = [
        (0.02, 0, 0),
        (0.05, 1, 1.5),
        (0.1, 1, 4),
        (0.15, 2, 6.7),
        (0.2, 2, 9.6),
        (0.3, 2, 15.4),
        (0.5, 2, 27),
    ]
    assert found.sensitivity.to_numpy().tolist() == [pytest.approx(row, abs=1e-9) for row in expected]


@pytest.mark.parametrize(
    ("case", "contacted", "break_even"),
    [
        ({"cost": 60.0}, 0, 60 / 50),  # even who is kept for certain costs more than is kept
        ({"kept": 0.0}, 0, 1 / 50),
        ({"cost": 0.0}, 3, 0.0),  # whoever may leave, and is worth something
        ({"chances": np.zeros(4)}, 0, np.nan),
        ({"value": np.zeros(4)}, 0, np.nan),
        ({"chances": np.zeros(0), "value": np.zeros(0)}, 0, np.nan),
        ({"chances": np.array([0.5]), "value": np.array([100.0])}, 1, 1 / 50),
    ],
    ids=["too dear", "nobody is kept", "no cost", "no chances", "no value", "nobody", "one customer"],
)
def test_edges(case, contacted, break_even):
    found = decided(**case)
    assert found.contacted == contacted
    assert found.break_even == pytest.approx(break_even, nan_ok=True)
    if not contacted:
        assert (found.gain, found.low, found.high) == (0.0, 0.0, 0.0)
        assert np.isnan(found.threshold)


def portfolio(customers=400):
    rng = np.random.default_rng(2)
    return rng.beta(1, 6, customers), rng.lognormal(3.5, 0.8, customers)


def test_the_best_number_is_the_highest_point_of_the_curve():
    found = decided(*portfolio(), kept=0.2)
    assert found.gain == pytest.approx(found.curve["gain"].max())
    assert 0 < found.contacted < 400
    assert found.low < found.gain < found.high
    assert (np.diff(found.sensitivity["gain"]) >= 0).all()


@pytest.mark.parametrize("drift", [0.0, 0.3], ids=["level right", "level off by a third"])
def test_what_truly_comes_lies_within_the_interval_in_nine_of_ten_cases(drift):
    chances, value = portfolio()
    found = decided(chances, value, kept=0.2, drift=drift, more={"dates": 1000})
    rng, chosen = np.random.default_rng(3), chances * 0.2 * value - 1 > 0
    inside = []
    for _ in range(1000):
        level = np.exp(rng.normal(0, drift))
        left = rng.random(len(chances)) < np.minimum(chances * level, 1)
        kept = left & (rng.random(len(chances)) < 0.2)
        inside.append(found.low <= (kept * value - 1)[chosen].sum() <= found.high)
    assert 0.86 < np.mean(inside) < 0.94


def test_the_fewer_dates_told_the_drift_the_wider_the_interval():
    chances, value = portfolio()
    wide = []
    for dates in (2, 5, 1000):
        found = decided(chances, value, kept=0.2, drift=0.3, more={"dates": dates})
        wide.append(found.high - found.low)
    assert wide == sorted(wide, reverse=True)


def test_what_leavers_bring_all_the_same_is_not_won():
    """A quarter comes anyway: a kept customer is worth 75 % of the value, and the second contact still pays."""
    found = decided(more={"still_brings": 0.25})
    assert found.still_brings == 0.25
    assert (found.contacted, found.gain) == (2, pytest.approx(0.75 * 29 - 2))
    assert found.break_even == pytest.approx(1 / 37.5)


def test_the_share_that_leavers_brought_all_the_same_by_hand(company):
    """On day 0 ann and bob leave, having brought 40 in the ten days before; bob brings 10 on the ninth day after."""
    rows = [("ann", 5, 20.0), ("bob", 1, 12.0), ("bob", 9, 8.0), ("bob", -8, 10.0), ("bob", -12, 99.0),
            ("stays", 1, 5.0), ("stays", -1, 5.0), ("bob", 11, 99.0), ("stays", -40, 5.0)]  # fmt: skip
    facts = company({"purchases": bought(rows)}, "2018-03-01")
    seen = [
        foresight(date, np.zeros(3), {})
        for date in (AS_OF, AS_OF + dt.timedelta(days=35))  # of the second the ten days have not passed
    ]
    people = seen[0].customers.assign(customer_id=["ann", "bob", "stays"], left=[True, True, False])
    seen = [replace(one, customers=people) for one in seen]
    assert share_still_brought(facts, seen, days=10) == pytest.approx(10 / 40)
    assert share_still_brought(facts, seen[1:], days=10) == 0.0
    assert share_still_brought(facts, [], days=10) == 0.0


def test_the_same_seed_gives_the_same_interval_and_an_unknown_drift_a_wide_one():
    chances, value = portfolio(2000)
    one, other = (decided(chances, value, drift=0.0) for _ in range(2))
    pd.testing.assert_frame_equal(one.curve, other.curve)
    unknown = decided(chances, value, drift=float("nan"))
    assert unknown.high - unknown.low > 1.5 * (one.high - one.low)


def test_the_interval_of_a_single_contact_holds_its_own_gain():
    found = decided(np.array([0.3]), np.array([100.0]), kept=0.1, drift=0.0)
    assert found.gain == pytest.approx(2.0)
    assert found.low <= found.gain <= found.high


def test_value_from_lifetime_value_is_that_of_those_who_buy_at_all():
    customers = pd.DataFrame({"customer_id": ["a", "b", "c", "new"]})
    values = pd.DataFrame({"customer_id": ["c", "b", "a"], "expected_margin": [-3.0, 6.0, 8.0],
                           "chance_of_no_purchase": [0.5, 0.99, 0.2]})  # fmt: skip
    value, where = value_if_stays(customers, values, days=91, gross_margin=0.25)
    assert where == FROM_VALUES
    # b's chance of buying is taken as 0.05 at least; c's is not below nothing, and nothing is known of `new`
    assert value.tolist() == pytest.approx([10.0, 120.0, 0.0, 0.0])


@pytest.mark.parametrize("values", [None, pd.DataFrame({"customer_id": ["a"]})], ids=["none", "other columns"])
def test_value_of_the_last_year_is_per_day_of_it(values):
    customers = pd.DataFrame(
        {"customer_id": ["old", "half", "new"], "T": [800.0, 182.5, 3.0], "margin_known_365d": [10.0, 0.0, 0.0],
         "sales_margin_unknown_365d": [40.0, 40.0, 28.0]}
    )  # fmt: skip
    value, where = value_if_stays(customers, values, days=91, gross_margin=0.25)
    assert where == FROM_LAST_YEAR
    assert value.tolist() == pytest.approx([20 * 91 / 365, 10 * 91 / 182.5, 7 * 91 / 28])
