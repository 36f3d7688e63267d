"""BG/NBD and MBG/NBD: what the package says where it can, and numbers where it cannot."""

import warnings

import numpy as np
import pandas as pd
import pytest

from crm.purchase_models.fitting import fit_purchase_model
from crm.purchase_models.geometric import BgNbd, MbgNbd
from crm.purchase_models.mbg_cnbd import MbgCnbd

PARAMETERS = {"r": 0.6, "alpha": 9.0, "a": 0.8, "b": 2.5}
OURS = {"BG/NBD": BgNbd, "MBG/NBD": MbgNbd}


@pytest.fixture(params=["BG/NBD", "MBG/NBD"])
def pair(request):
    """Our model and the package's fitter with the same parameters."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from lifetimes import BetaGeoFitter, ModifiedBetaGeoFitter
    theirs = BetaGeoFitter() if request.param == "BG/NBD" else ModifiedBetaGeoFitter()
    theirs.params_ = pd.Series(PARAMETERS)
    return OURS[request.param](request.param, PARAMETERS, 0.0), theirs


@pytest.fixture
def ordinary(drawn):
    return drawn((0, 0, 0), (0, 0, 200), (1, 30, 200), (5, 180, 200), (5, 60, 200), (30, 200, 200), (60, 350, 365))


@pytest.mark.parametrize("days", [1.0, 90.0, 3650.0])
def test_expectations_and_chances_to_be_there_are_the_packages(pair, ordinary, days):
    ours, theirs = pair
    columns = ordinary.frequency, ordinary.recency, ordinary.T
    expected = theirs.conditional_expected_number_of_purchases_up_to_time(days, *columns)
    assert ours.expected_purchases(ordinary, days) == pytest.approx(expected, rel=1e-6)
    assert ours.probability_alive(ordinary) == pytest.approx(theirs.conditional_probability_alive(*columns), rel=1e-9)


@pytest.mark.parametrize("days", [1.0, 90.0])
def test_counts_of_a_new_customer_are_the_packages(pair, drawn, days):
    """One who has just bought for the first time is anybody."""
    ours, theirs = pair
    counts = ours.count_probabilities(drawn((0, 0, 0)), days, 6)[0]
    expected = [float(theirs.probability_of_n_purchases_up_to_time(days, n)) for n in range(6)]
    assert counts[:6] == pytest.approx(expected, rel=1e-8)
    assert counts.sum() == pytest.approx(1)


@pytest.mark.parametrize("days", [1.0, 90.0, 3650.0])
def test_one_stage_to_a_purchase_is_mbg_nbd(ordinary, days):
    one_stage = MbgCnbd("MBG/CNBD-k", {**PARAMETERS, "k": 1.0}, 0.0)
    ours = MbgNbd("MBG/NBD", PARAMETERS, 0.0)
    for ask in ("expected_purchases", "chance_of_no_purchase"):
        assert getattr(one_stage, ask)(ordinary, days) == pytest.approx(getattr(ours, ask)(ordinary, days), rel=1e-9)


def test_regular_and_random_gaps_fitted_alike_where_gaps_are_random(made):
    """MBG/NBD by the package and MBG/CNBD-1 by us: the same log-likelihood and the same expectations."""
    planted = {"r": 0.8, "alpha": 12.0, "a": 0.7, "b": 2.0}
    simulated = made(6000, k=1, **planted, known=np.arange(10.0, 300), days=1, seed=4).histories
    groups = simulated.grouped()
    theirs, ours = (fit_purchase_model(name, groups).model for name in ("MBG/NBD", "MBG/CNBD-k"))
    assert ours.parameters["k"] == 1
    assert ours.log_likelihood == pytest.approx(theirs.log_likelihood, rel=1e-9)
    expected = theirs.expected_purchases(simulated, 90.0)
    assert ours.expected_purchases(simulated, 90.0) == pytest.approx(expected, rel=2e-5)


def test_heaviest_buyers_get_numbers(pair, drawn):
    ours, _ = pair
    heavy = drawn((5000, 6000, 6001), (5000, 3000, 6001), (107, 364, 365), (2000, 364, 365))
    expected = ours.expected_purchases(heavy, 365.0)
    assert np.isfinite(expected).all()
    assert 250 < expected[0] < 5000 / 6001 * 365
    assert expected[1] < 1e-9
    assert (ours.count_probabilities(heavy, 365.0, 3).sum(axis=1).round(9) == 1).all()
