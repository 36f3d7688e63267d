"""By how much do two arms differ? By hand, by statsmodels, and never wider for having looked at the past."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st

from crm.analyses.campaign_success.differences import corrected, differences


def arms(text):
    """One row per customer: arm (T or H), then the outcome."""
    rows = [line.split() for line in text.strip().splitlines()]
    return np.array([row[0] == "T" for row in rows]), pd.DataFrame({"came": [float(row[1]) for row in rows]})


def test_a_plain_difference_by_hand():
    treated, came = arms("T 4\nT 6\nT 8\nH 1\nH 3")
    found = differences(came, treated)["came"]
    assert found.effect == pytest.approx(6 - 2)
    # So few: both arms are taken to vary alike, by (2 x 4 + 1 x 2) / 3, rather than by 4 / 3 + 2 / 2.
    assert found.se == pytest.approx(np.sqrt(10 / 3 * (1 / 3 + 1 / 2)))
    assert found.df == pytest.approx((7 / 3) ** 2 / ((4 / 3) ** 2 / 2 + 1 / 1))  # Welch and Satterthwaite
    assert (found.usual, found.treated, found.held_out, found.covariates) == (2, 3, 2, ())


def drawn(customers=600, seed=1, share=0.7):
    chance = np.random.default_rng(seed)
    known = pd.DataFrame({"spent": chance.gamma(1, 50, customers), "days": chance.poisson(4, customers) * 1.0})
    treated = chance.random(customers) < share
    came = known["spent"] * 0.7 + known["days"] * 3 + chance.gamma(1, 20, customers) + treated * 5
    return pd.DataFrame({"came": came}), treated, known


def with_slopes_of_each_arm(came, treated, known):
    centred = known - known.mean()
    arm = pd.Series(treated.astype("float64"), name="arm")
    design = pd.concat([arm, centred, centred.mul(arm, axis=0).add_prefix("arm_")], axis=1)
    return sm.OLS(came["came"], sm.add_constant(design)).fit(cov_type="HC3")


@pytest.mark.parametrize("seed", range(5))
def test_the_adjusted_effect_is_that_of_statsmodels(seed):
    came, treated, known = drawn(seed=seed)
    found, theirs = differences(came, treated, known)["came"], with_slopes_of_each_arm(came, treated, known)
    assert found.covariates == ("spent", "days")
    assert found.effect == pytest.approx(theirs.params["arm"], abs=1e-8)
    assert theirs.bse["arm"] - 1e-8 <= found.se <= theirs.bse["arm"] * 1.1
    assert found.variance_reduction > 0.5


def test_large_arms_of_even_amounts_have_the_error_of_statsmodels():
    chance = np.random.default_rng(1)
    treated = chance.random(2_000) < 0.7
    known = pd.DataFrame({"spent": chance.normal(50, 9, 2_000)})
    came = pd.DataFrame({"came": known["spent"] + chance.normal(0, np.where(treated, 5, 9))})
    found = differences(came, treated, known)["came"]
    assert found.se == pytest.approx(with_slopes_of_each_arm(came, treated, known).bse["arm"], abs=1e-8)


def test_a_small_arm_without_buyers_is_no_effect():
    """Of 160 treated 12 bought, of 40 held out by luck nobody: Welch alone would be sure of an effect."""
    treated = np.arange(200) < 160
    bought = np.arange(200) < 12
    found = differences(pd.DataFrame({"bought": bought * 1.0}), treated)["bought"]
    assert found.effect == pytest.approx(12 / 160)
    assert found.effect > 3 * np.sqrt(bought[treated].var(ddof=1) / 160)
    assert found.low < 0
    assert found.p > 0.05


def test_a_column_that_says_nothing_of_its_own_changes_nothing():
    came, treated, known = drawn()
    more = known.assign(twice=known["spent"] * 2, same=1.0)
    assert differences(came, treated, more)["came"].covariates == ("spent", "days")
    assert differences(came, treated, more)["came"].effect == differences(came, treated, known)["came"].effect


def test_as_many_columns_as_the_smaller_arm_bears():
    came, treated, known = drawn(customers=90, share=0.7)
    assert (~treated).sum() < 40
    assert differences(came, treated, known)["came"].covariates in ((), ("spent",))


@settings(max_examples=150, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    customers=st.integers(4, 400),
    share=st.floats(0.05, 0.95),
    telling=st.floats(0, 1),
)
def test_the_adjusted_interval_is_never_wider(seed, customers, share, telling):
    chance = np.random.default_rng(seed)
    known = pd.DataFrame({f"c{n}": chance.standard_t(3, customers) for n in range(4)})
    treated = chance.random(customers) < share
    came = pd.DataFrame({"came": telling * known["c0"] + chance.gamma(0.5, 2, customers)})
    found = differences(came, treated, known)["came"]
    if np.isfinite(found.low):
        low, high = found.plain_interval
        assert found.high - found.low <= (high - low) * (1 + 1e-12)


@pytest.mark.parametrize("arm", ["T 1", "T 1\nH 2", "T 1\nT 2\nH 3", "H 1\nH 2"])
def test_an_arm_of_less_than_two_tells_nothing(arm):
    treated, came = arms(arm)
    found = differences(came, treated, came)["came"]
    assert np.isnan([found.effect, found.low, found.high, found.p]).all()


def test_where_nobody_buys_there_is_no_difference_and_no_chance_of_luck():
    treated, came = arms("T 0\nT 0\nT 0\nH 0\nH 0")
    found = differences(came, treated)["came"]
    assert (found.effect, found.low, found.high) == (0, 0, 0)
    assert np.isnan(found.p)


def test_holms_correction_by_hand():
    # Sorted: 0.01 x 4, 0.02 x 3, 0.03 x 2, 0.2 x 1; none below one before it.
    assert corrected([0.03, 0.01, 0.2, 0.02]).tolist() == pytest.approx([0.06, 0.04, 0.2, 0.06])
    assert corrected([0.6, float("nan"), 0.9]).tolist() == pytest.approx([1.0, float("nan"), 1.0], nan_ok=True)
    assert corrected([]).tolist() == []
