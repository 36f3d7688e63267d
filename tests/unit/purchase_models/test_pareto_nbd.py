"""Pareto/NBD: plain integration, the closed form where it is a number, simulated customers, heavy buyers."""

import warnings

import numpy as np
import pandas as pd
import pytest
from scipy.integrate import quad
from scipy.special import logsumexp

from crm.purchase_models.histories import Histories
from crm.purchase_models.pareto_nbd import ParetoNbd

PARAMETERS = {"r": 0.55, "alpha": 10.6, "s": 0.6, "beta": 11.7}


def model(**parameters):
    return ParetoNbd({**PARAMETERS, **parameters}, 0.0)


@pytest.fixture
def theirs():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from lifetimes import ParetoNBDFitter
    fitter = ParetoNBDFitter()
    fitter.params_ = pd.Series(PARAMETERS)
    return fitter


@pytest.fixture
def ordinary(drawn):
    return drawn((0, 0, 1), (0, 0, 200), (1, 30, 200), (5, 180, 200), (5, 60, 200), (30, 200, 200), (60, 350, 365))


@pytest.mark.parametrize("days", [1.0, 90.0, 3650.0])
def test_ordinary_customers_are_as_the_package_says(theirs, ordinary, days):
    columns = ordinary.frequency, ordinary.recency, ordinary.T
    expected = theirs.conditional_expected_number_of_purchases_up_to_time(days, *columns)
    assert model().expected_purchases(ordinary, days) == pytest.approx(expected, rel=1e-6)
    assert model().probability_alive(ordinary) == pytest.approx(
        theirs.conditional_probability_alive(*columns), rel=1e-6
    )
    counts = model().count_probabilities(ordinary, days, 3)
    for n in range(3):
        chances = theirs.conditional_probability_of_n_purchases_up_to_time(n, days, *columns)
        assert counts[:, n] == pytest.approx(chances, rel=1e-6, abs=1e-9)
    assert model().chance_of_no_purchase(ordinary, days) == pytest.approx(counts[:, 0], rel=1e-9)


@pytest.mark.parametrize(
    "parameters",
    [
        PARAMETERS,
        {"r": 2.0, "alpha": 300.0, "s": 1.5, "beta": 0.5},
        {"r": 0.05, "alpha": 0.1, "s": 3.0, "beta": 2000.0},
    ],
)
@pytest.mark.parametrize(("x", "t_x", "T"), [(0, 0, 3650), (4, 10, 400), (107, 300, 365), (5000, 3600, 3650)])
def test_the_day_of_leaving_is_integrated(drawn, parameters, x, t_x, T):  # noqa: N803
    r, alpha, s, beta = parameters.values()

    def of(since):
        log = -(r + x) * np.log1p(since / (alpha + t_x)) - (s + 1) * np.log1p(since / (beta + t_x))
        return np.exp(log)

    ends = [0, *((T - t_x) * 10.0 ** np.arange(-9, 1))]
    whole = sum(quad(of, *ends[i : i + 2], epsabs=0, epsrel=1e-10)[0] for i in range(len(ends) - 1))
    left = np.log(s) + np.log(whole) - (r + x) * np.log(alpha + t_x) - (s + 1) * np.log(beta + t_x)
    there = -(r + x) * np.log(alpha + T) - s * np.log(beta + T)
    found = model(**parameters).probability_alive(drawn((x, t_x, T)))
    assert found[0] == pytest.approx(np.exp(there - logsumexp([left, there])), rel=1e-7)


def test_customers_do_what_was_expected_of_them():
    """Told as a story: a rate, a day of leaving, and what was bought before it."""
    rng, customers, known, days = np.random.default_rng(8), 100_000, 300.0, 120.0
    rate, stay = rng.gamma(0.8, 1 / 12, customers), rng.exponential(1 / rng.gamma(0.9, 1 / 90, customers))
    x = rng.poisson(rate * np.minimum(stay, known))
    recency = np.where(x > 0, np.minimum(stay, known) * rng.random(customers) ** (1 / np.maximum(x, 1)), 0.0)
    later = rng.poisson(rate * np.clip(stay - known, 0, days))
    histories = Histories(x, recency, np.full(customers, known), np.zeros(customers))
    planted = model(r=0.8, alpha=12.0, s=0.9, beta=90.0)
    expected = planted.expected_purchases(histories, days)
    counts = planted.count_probabilities(histories, days, 3)
    for band in range(4):
        chosen = np.digitize(x, [1, 3, 10]) == band
        off = (later - expected)[chosen]
        assert abs(off.mean()) < 4 * off.std() / np.sqrt(chosen.sum())
        came = np.bincount(np.minimum(later[chosen], 3), minlength=4) / chosen.sum()
        assert counts[chosen].mean(axis=0) == pytest.approx(came, abs=4 * np.sqrt(0.25 / chosen.sum()))


def test_heaviest_buyers_get_numbers_where_the_closed_form_gives_none(theirs, drawn):
    heavy = drawn((300, 364, 365), (5000, 6000, 6001), (5000, 3000, 6001))
    grocer = {"r": 1.43, "alpha": 9.78, "s": 1.79, "beta": 14326.0}
    theirs.params_ = pd.Series(grocer)
    with np.errstate(all="ignore"):
        closed = theirs.conditional_expected_number_of_purchases_up_to_time(
            365.0, heavy.frequency, heavy.recency, heavy.T
        )
    assert np.isnan(closed[0])
    expected = model(**grocer).expected_purchases(heavy, 365.0)
    assert expected[0] == pytest.approx(287.13, abs=0.01), "300 a year so far, a little less for who may leave"
    assert 250 < expected[1] < 5000 / 6001 * 365
    assert expected[2] < 1e-9
    assert (model(**grocer).count_probabilities(heavy, 3650.0, 3).sum(axis=1).round(9) == 1).all()


def test_where_leaving_follows_s_of_exactly_one(drawn):
    """The closed form divides by s - 1."""
    one = drawn((5, 180, 200))
    around = [model(s=s).expected_purchases(one, 365.0)[0] for s in (1 - 1e-6, 1.0, 1 + 1e-6)]
    assert around[1] == pytest.approx((around[0] + around[2]) / 2, rel=1e-8)
