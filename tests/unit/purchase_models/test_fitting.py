"""Fitting: what bad data lead to, in words; the same from groups as from rows; nothing of the package leaks."""

import subprocess
import sys

import numpy as np
import pytest

from crm.purchase_models.fitting import (
    MODELS,
    fit_purchase_model,
    fit_with_fallback,
    log_likelihood,
    model_from_record,
)
from crm.purchase_models.histories import Histories

PLANTED = {"r": 0.8, "alpha": 12.0, "a": 0.7, "b": 2.0}
NAMES = tuple(MODELS)


@pytest.fixture(scope="module")
def ordinary(made):
    return made(2000, k=1, **PLANTED, known=np.arange(20.0, 300, 20), days=1, seed=4).histories


@pytest.fixture(scope="module")
def fitted(ordinary):
    groups = ordinary.grouped()
    return {name: fit_purchase_model(name, groups).model for name in NAMES}


ONE_DAY = [(0, 0, 30)] * 50
BAD = {
    "nobody": ([], "there are no customers"),
    "one customer": ([(3, 20, 30)], "there is one customer"),
    "nobody repeats": ([(0, 0, days) for days in range(1, 51)], "none of 50 customers bought on a second day"),
    "one day only": (ONE_DAY, "all 50 customers bought on one and the same day, and nobody since"),
    "first day is the last": ([(0, 0, 0)] * 50, "all customers bought for the first time on the as-of date"),
    "few repeat": ([*ONE_DAY, (1, 5, 30), (2, 9, 30)], "2 of 52 customers bought on a second day, and fewer than 10"),
}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("situation", BAD)
def test_too_little_is_said_in_words(drawn, situation, name):
    rows, words = BAD[situation]
    histories = drawn(*rows) if rows else Histories(np.empty(0, dtype="int64"), *[np.empty(0)] * 3)
    fit = fit_purchase_model(name, histories.grouped())
    assert fit.model is None
    assert fit.why_not.startswith(f"{name} was not fitted: ")
    assert words in fit.why_not


def like_clockwork(customers=400):
    """Everybody buys every ten days and nobody leaves: no difference between customers, no leaving to be seen."""
    known = np.resize(np.arange(95.0, 300, 5), customers)
    x = (known // 10).astype("int64")
    return Histories(x, x * 10.0, known, np.full(customers, np.log(10.0))).grouped()


@pytest.mark.parametrize("name", NAMES)
def test_estimates_that_run_to_the_boundary_are_none(name):
    fit = fit_purchase_model(name, like_clockwork())
    assert fit.model is None
    assert "ran to the boundary" in fit.why_not or "no best fit from any of" in fit.why_not


def test_the_boundary_is_named_with_how_far():
    assert "above 1,000" in fit_purchase_model("MBG/CNBD-k", like_clockwork()).why_not


def test_one_step_back_after_the_other(ordinary):
    model, reasons = fit_with_fallback(("MBG/CNBD-k", "BG/NBD"), like_clockwork())
    assert model is None
    assert [reason.split(" was ")[0] for reason in reasons] == ["MBG/CNBD-k", "BG/NBD"]
    model, reasons = fit_with_fallback(("MBG/CNBD-k", "BG/NBD"), ordinary.grouped())
    assert model.name == "MBG/CNBD-k"
    assert reasons == ()


@pytest.mark.parametrize("name", NAMES)
def test_planted_customers_are_fitted(fitted, name):
    model = fitted[name]
    assert model.name == name
    assert np.isfinite(model.log_likelihood)
    if name.startswith("MBG"):
        for parameter, value in PLANTED.items():
            assert model.parameters[parameter] == pytest.approx(value, rel=0.35), parameter


def test_log_likelihoods_can_be_compared(fitted, ordinary):
    """The customers may leave after the first purchase, and at purchases: the model that says so fits them best."""
    assert max(fitted, key=lambda name: fitted[name].log_likelihood) in ("MBG/NBD", "MBG/CNBD-k")
    for model in fitted.values():
        assert log_likelihood(model, ordinary.grouped()) == pytest.approx(model.log_likelihood, rel=1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_groups_are_the_same_as_rows(fitted, ordinary, name):
    """Every customer written down twice: the same estimates, twice the log-likelihood; and weights say the same."""
    groups = ordinary.grouped()
    twice = fit_purchase_model(name, ordinary.take(np.repeat(np.arange(len(ordinary)), 2)).grouped()).model
    weighted = fit_purchase_model(name, groups, weights=groups.weight * 2).model
    for other in (twice, weighted):
        assert other.log_likelihood == pytest.approx(2 * fitted[name].log_likelihood, rel=1e-8)
        for parameter, value in fitted[name].parameters.items():
            assert other.parameters[parameter] == pytest.approx(value, rel=5e-3)


@pytest.mark.parametrize("name", NAMES)
def test_the_same_customers_give_the_same_model_in_any_order(fitted, ordinary, name):
    shuffled = ordinary.take(np.random.default_rng(1).permutation(len(ordinary)))
    again = fit_purchase_model(name, shuffled.grouped()).model
    assert again.parameters == pytest.approx(dict(fitted[name].parameters), rel=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_a_sample_first_leads_to_the_same_top(made, name):
    """More customers than the sample from which a fit begins: as good as from the truth."""
    groups = made(4500, k=1, **PLANTED, known=np.arange(20.0, 300, 7), days=1, seed=6).histories.grouped()
    model = fit_purchase_model(name, groups).model
    top = model.log_likelihood
    for parameter in PLANTED if name != "Pareto/NBD" else ("r", "alpha", "s", "beta"):
        for factor in (0.97, 1.03):
            moved = {**model.parameters, parameter: model.parameters[parameter] * factor}
            other = model_from_record({**model.as_record(), "parameters": moved})
            assert log_likelihood(other, groups) < top


@pytest.mark.parametrize("name", NAMES)
def test_a_record_is_the_model(fitted, ordinary, name):
    again = model_from_record(fitted[name].as_record())
    assert again == fitted[name]
    assert (again.expected_purchases(ordinary, 50.0) == fitted[name].expected_purchases(ordinary, 50.0)).all()


@pytest.mark.parametrize("name", NAMES)
def test_an_extreme_customer_among_ordinary_ones(fitted, ordinary, drawn, name):
    """One of 5,000 purchase days, and newcomers of the as-of date itself (T = 0): all scored with numbers."""
    odd = drawn((5000, 6000, 6001), *[(0, 0, 0)] * 30)
    columns = ("frequency", "recency", "T", "mean_log_gap")
    both = Histories(*(np.concatenate([getattr(ordinary, c), getattr(odd, c)]) for c in columns))
    fit = fit_purchase_model(name, both.grouped())
    model = fit.model or fitted[name]
    for days in (90.0, 3650.0):
        assert np.isfinite(model.expected_purchases(both, days)).all()
        chances = model.chance_of_no_purchase(both, days)
        assert ((chances >= 0) & (chances <= 1)).all()
    assert fit.model or "boundary" in fit.why_not


@pytest.mark.parametrize("name", NAMES)
def test_longer_horizons_than_the_history(fitted, ordinary, name):
    """Many times as long as anybody is known: more purchases, fewer silent customers, nothing beyond bounds."""
    short, long = (fitted[name].expected_purchases(ordinary, days) for days in (300.0, 5_000.0))
    assert (long > short).all()
    assert np.isfinite(long).all()
    silent = [fitted[name].chance_of_no_purchase(ordinary, days) for days in (300.0, 5_000.0)]
    assert (silent[1] <= silent[0] + 1e-12).all()


@pytest.mark.parametrize("name", NAMES)
def test_a_chance_of_no_purchase_is_not_the_chance_to_have_left(fitted, ordinary, name):
    silent = fitted[name].chance_of_no_purchase(ordinary, 10.0)
    left = 1 - fitted[name].probability_alive(ordinary)
    assert (silent >= left - 1e-12).all()
    assert (silent - left).mean() > 0.1, "many are there and silent"
    counts = fitted[name].count_probabilities(ordinary, 10.0, 2)
    assert counts.shape == (len(ordinary), 3)
    assert counts[:, 0] == pytest.approx(silent, abs=1e-12)


def test_nothing_of_the_package_leaks():
    """Imported and used in a fresh process: pandas' options, warning filters and random state are as before."""
    script = """
import warnings
import numpy as np, pandas as pd, scipy.optimize, scipy.special, scipy.stats
warnings.simplefilter("ignore", pd.errors.Pandas4Warning)  # of looking at the option
option = pd.get_option("mode.chained_assignment")
filters, state = list(warnings.filters), np.random.get_state()[1].tolist()
from crm.purchase_models.fitting import fit_purchase_model, MODELS
from crm.purchase_models.histories import Histories
rng = np.random.default_rng(1)
x = rng.integers(0, 4, 200)
recency = np.where(x > 0, rng.integers(1, 60, 200), 0.0)
groups = Histories(x, recency, recency + rng.integers(0, 90, 200), np.ones(200)).grouped()
for name in MODELS:
    fit_purchase_model(name, groups)
assert pd.get_option("mode.chained_assignment") == option
added = [found for found in warnings.filters if found not in filters]
assert not added, added
assert np.random.get_state()[1].tolist() == state
"""
    done = subprocess.run(
        [sys.executable, "-W", "error::RuntimeWarning", "-c", script], capture_output=True, text=True
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
