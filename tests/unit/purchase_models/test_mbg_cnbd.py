"""MBG/CNBD-k: its likelihood by plain integration, its expectation by simulated customers, planted parameters."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import betaln, gammainc, gammaln, logsumexp

from crm.purchase_models.fitting import fit_purchase_model, log_parameter_covariance
from crm.purchase_models.mbg_cnbd import Likelihood, MbgCnbd, log_constant

PLANTED = {"r": 1.2, "alpha": 8.0, "a": 0.6, "b": 4.0}


def model(k, **parameters):
    return MbgCnbd("MBG/CNBD-k", {**PLANTED, **parameters, "k": float(k)}, 0.0)


def plainly(gaps, T, k):  # noqa: N803
    """The likelihood of one customer: gap by gap, integrated over the rate and over the chance to leave."""
    r, alpha, a, b = PLANTED.values()
    x, silent = len(gaps), T - sum(gaps)

    def over_rates(silence):
        def of(rate):
            log = (r - 1) * np.log(rate) + r * np.log(alpha) - alpha * rate - gammaln(r)
            log += sum(k * np.log(rate) + (k - 1) * np.log(gap) - rate * gap - gammaln(k) for gap in gaps)
            return np.exp(log) * (1 - gammainc(k, rate * silence))

        return quad(of, 0, 0.5, epsrel=1e-11)[0] + quad(of, 0.5, 50, epsrel=1e-11)[0]

    def over_chances(leaves, stays):
        return quad(lambda p: p ** (a - 1 + leaves) * (1 - p) ** (b - 1 + stays) / np.exp(betaln(a, b)), 0, 1)[0]

    return over_chances(1, x) * over_rates(0.0) + over_chances(0, x + 1) * over_rates(silent)


@pytest.mark.parametrize("k", [1, 2, 5])
@pytest.mark.parametrize(
    ("gaps", "T"), [((), 25.0), ((), 0.0), ((7.0,), 30.0), ((3.0, 5.0, 4.0), 13.0), ((3.0, 5.0, 4.0), 12.0)]
)
def test_the_likelihood_is_that_of_the_story(drawn, gaps, T, k):  # noqa: N803
    groups = drawn((len(gaps), sum(gaps), T)).grouped()
    constant = (k - 1) * np.log(gaps).sum() - gammaln(k) * len(gaps)
    found = logsumexp(model(k).parts(groups), axis=0)[0] + constant
    assert found == pytest.approx(np.log(plainly(gaps, T, k)), abs=1e-7)


@pytest.mark.parametrize("k", [1, 4])
def test_the_climbed_likelihood_is_the_models_and_its_gradient_its_slope(made, k):
    groups = made(3000, k=k, **PLANTED, known=np.arange(0.0, 300, 7), days=1, seed=5).histories.grouped()
    logs = np.log([0.9, 10.0, 0.5, 3.0])
    likelihood = Likelihood(groups, k)
    value, slope = likelihood(logs)
    other = model(k, r=0.9, alpha=10.0, a=0.5, b=3.0)
    assert value == pytest.approx(groups.weight @ np.logaddexp(*other.parts(groups)), rel=1e-12)
    steps = np.eye(4) * 1e-5
    differences = [(likelihood(logs + step)[0] - likelihood(logs - step)[0]) / 2e-5 for step in steps]
    assert slope == pytest.approx(differences, rel=1e-5, abs=1e-3)


@pytest.mark.parametrize("k", [1, 3])
def test_customers_do_what_was_expected_of_them(made, k):
    """In each of 15 kinds of history, the mean expectation is the mean of what came, within four standard errors."""
    simulated = made(200_000, k=k, **PLANTED, known=np.array([60.0, 200.0, 365.0]), days=180.0, seed=1)
    histories, later = simulated.histories, simulated.later
    expected = model(k).expected_purchases(histories, 180.0)
    silent = histories.T - histories.recency
    bands = np.digitize(histories.frequency, [1, 2, 5, 11]) * 10 + np.digitize(silent, [10, 40])
    for band in np.unique(bands):
        off = (later - expected)[bands == band]
        assert abs(off.mean()) < 4 * off.std() / np.sqrt(len(off)) + 1e-12, band
    chances = model(k).count_probabilities(histories, 180.0, 4).mean(axis=0)
    came = np.bincount(np.minimum(later, 4).astype(int)) / len(later)
    assert chances == pytest.approx(came, abs=4 * np.sqrt(0.25 / len(later)))
    assert model(k).chance_of_no_purchase(histories, 180.0).mean() == pytest.approx(chances[0], rel=1e-9)


@pytest.mark.parametrize("k", [1, 2, 8])
@pytest.mark.parametrize("days", [1.0, 365.0])
def test_the_expectation_is_the_sum_of_the_chances(drawn, k, days):
    histories = drawn((0, 0, 0.0), (0, 0, 300.0), (1, 5, 5.0), (12, 290, 300.0), (150, 299, 300.0))
    counts = model(k).count_probabilities(histories, days, 900)
    assert counts.sum(axis=1) == pytest.approx(np.ones(5), abs=1e-12)
    assert counts.min() >= 0
    tails = counts[:, ::-1].cumsum(axis=1)[:, ::-1][:, 1:]
    assert tails[:, -1].max() < 1e-9, "so that 900 are enough"
    assert model(k).expected_purchases(histories, days) == pytest.approx(tails.sum(axis=1), rel=1e-6)


@pytest.mark.parametrize("k", [1, 2, 8])
def test_ten_years_ahead_and_five_thousand_purchase_days(drawn, k):
    histories = drawn((5000, 6000, 6001), (5000, 5000, 6001), (0, 0, 1), (3, 20, 6001), (400, 364, 365))
    expected = model(k).expected_purchases(histories, 3650.0)
    assert np.isfinite(expected).all()
    assert 2000 < expected[0] < 5000 / 6001 * 3650, "as often as so far, if nothing made the customer leave"
    assert expected[1] < 1e-6, "after a thousand days of silence"
    none = model(k).chance_of_no_purchase(histories, 3650.0)
    assert ((none >= 0) & (none <= 1)).all()
    assert none[0] < 0.01
    assert none[1] == pytest.approx(1)
    steps = [model(k).expected_purchases(histories, days) for days in (0.0, 1.0, 30.0, 365.0, 3650.0)]
    assert (np.diff(steps, axis=0) >= 0).all()
    assert (steps[0] == 0).all()


@pytest.mark.parametrize(
    ("k", "planted"), [(1, PLANTED), (3, PLANTED), (2, {"r": 0.6, "alpha": 5.0, "a": 0.9, "b": 2.5})]
)
def test_planted_parameters_are_found(made, k, planted):
    groups = made(12_000, k=k, **planted, known=np.arange(30.0, 365), days=1, seed=11).histories.grouped()
    found = fit_purchase_model("MBG/CNBD-k", groups).model
    assert found.parameters["k"] == k
    errors = np.sqrt(np.diag(log_parameter_covariance(found, groups)))
    for (name, value), error in zip(planted.items(), errors, strict=True):
        assert abs(np.log(found.parameters[name] / value)) < 2.5 * error, name
        assert error < 0.2, "and an interval that says something"


def test_more_stages_are_chosen_only_where_the_gaps_show_them(made):
    groups = made(5000, k=2, **PLANTED, known=np.arange(30.0, 365), days=1, seed=2).histories.grouped()
    found = fit_purchase_model("MBG/CNBD-k", groups).model
    by_hand = [found.log_likelihood]
    for k in (1, 3):
        other = MbgCnbd(
            "MBG/CNBD-k", {**found.parameters, "alpha": found.parameters["alpha"] * 2 / k, "k": float(k)}, 0
        )
        by_hand.append(groups.weight @ np.logaddexp(*other.parts(groups)) + log_constant(groups, k))
    assert found.k == 2
    assert max(by_hand) == by_hand[0]
