"""Gamma-Gamma: planted customers, what it makes of few purchases, and what it refuses."""

import numpy as np
import pytest

from crm.analyses.lifetime_value.spend import SpendModel, fit_spend_model, independence


def planted(customers, *, p, q, v, seed=1):
    """Purchase days of each customer, and the mean of their values."""
    rng = np.random.default_rng(seed)
    days = rng.integers(1, 9, customers).astype("float64")
    return days, rng.gamma(p * days, 1 / rng.gamma(q, 1 / v, customers)) / days


@pytest.mark.parametrize("currency", [1.0, 1000.0])
def test_planted_parameters_are_found_in_any_currency(currency):
    days, mean = planted(20_000, p=4.0, q=3.5, v=20.0)
    fit = fit_spend_model(days, mean * currency)
    assert fit.why_not == ""
    found = [fit.model.p, fit.model.q, fit.model.v / currency]
    assert found == pytest.approx([4.0, 3.5, 20.0], rel=0.07)
    assert fit.model.everybodys_mean == pytest.approx(4 * 20 / 2.5 * currency, rel=0.03)
    assert fit.model.counted == "all purchase days"


def test_few_purchases_are_drawn_towards_everybodys_mean():
    model = SpendModel(p=2.0, q=3.0, v=10.0, counted="all purchase days")
    #                         days  own mean   weight of the own mean: 2 days / (2 days + 2)
    table = np.array([[0, np.nan], [1, 30.0], [4, 30.0], [99, 30.0], [1, -5.0]])
    assert model.everybodys_mean == 10
    assert model.expected_value(table[:, 0], table[:, 1]).tolist() == pytest.approx([10, 20, 26, 29.8, 5])


def test_who_spent_nothing_is_left_out_and_counted():
    days, mean = planted(500, p=4.0, q=3.5, v=20.0)
    whole = fit_spend_model(days, mean)
    more = fit_spend_model(np.append(days, [0, 0, 3, 2, 1]), np.append(mean, [np.nan, 5, 0, -4, np.nan]))
    assert more.left_out == {"no purchase day": 2, "a mean value of zero or below": 3}
    assert more.model == whole.model
    assert set(whole.left_out.values()) == {0}


def test_weights_are_customers():
    days, mean = planted(400, p=4.0, q=3.5, v=20.0)
    often = np.resize([1.0, 2.0, 0.0], 400)
    repeated = np.repeat(np.arange(400), often.astype(int))
    weighted, rows = (
        fit_spend_model(days, mean, weights=often).model,
        fit_spend_model(days[repeated], mean[repeated]).model,
    )
    assert [weighted.p, weighted.q, weighted.v] == pytest.approx([rows.p, rows.q, rows.v], rel=1e-4)


ONES = np.ones(100)
MANY = np.resize([2.0, 3.0, 5.0], 100)
REFUSED = {
    "nobody": (np.empty(0), np.empty(0), "0 customers spent on two purchase days"),
    "bought once": (
        ONES,
        planted(100, p=4, q=3, v=20)[1],
        "0 customers spent on two purchase days or more, and fewer",
    ),
    "free of charge": (MANY, ONES * 0, "0 customers spent on two"),
    "one price": (MANY, ONES * 9.9, "all 100 customers have the same mean value"),
    "no mean": (*planted(3000, p=3.0, q=0.7, v=5.0), "at 1 or below the mean over customers is without limit"),
}


@pytest.mark.parametrize("situation", REFUSED)
def test_what_determines_no_model_is_said_in_words(situation):
    days, mean, words = REFUSED[situation]
    fit = fit_spend_model(days, mean)
    assert fit.model is None
    assert fit.why_not.startswith("The spend model was not fitted: ")
    assert words in fit.why_not


def test_a_record_is_the_model():
    model = SpendModel(p=2.0, q=3.0, v=10.0, counted="repeat purchase days")
    assert SpendModel.from_record(model.as_record()) == model


@pytest.mark.parametrize(
    ("pull", "words"),
    [
        (0.0, "next to nothing to do with each other"),
        (0.2, "slightly more"),
        (0.8, "clearly more"),
        (-0.8, "clearly less"),
    ],
)
def test_whether_often_and_much_go_together(pull, words):
    rng = np.random.default_rng(2)
    often, own = rng.normal(size=(2, 4000))
    found = independence(np.exp(often), np.exp(pull * often + np.sqrt(1 - pull**2) * own))
    assert words in found.verdict
    assert found.customers == 4000
    for correlation in (found.spearman, found.pearson_of_logs):
        assert correlation.low < correlation.value < correlation.high
        assert correlation.high - correlation.low < 0.08
    assert found.pearson_of_logs.low < pull < found.pearson_of_logs.high


@pytest.mark.parametrize(
    ("often", "much", "words"),
    [
        (MANY, ONES, "all bought equally often or spent the same"),
        (MANY[:5], np.arange(1.0, 6), "too few"),
        (ONES * 0, ONES, "of 0"),
    ],
)
def test_independence_that_cannot_be_told(often, much, words):
    found = independence(often, much)
    assert found.pearson_of_logs is None
    assert words in found.verdict
