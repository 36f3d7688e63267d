"""CDNOW as published: estimates on the 1/10 sample, 2,357 customers, weeks until 1997-09-30.

BG/NBD and Pareto/NBD: Fader, Hardie & Lee (2005), "Counting Your Customers" the Easy Way, Marketing Science 24(2),
table 2. Gamma-Gamma: Fader & Hardie (2013), The Gamma-Gamma Model of Monetary Value, on the repeat purchases.
"""

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from crm.analyses.lifetime_value.spend import fit_spend_model, independence
from crm.purchase_models.fitting import fit_purchase_model
from crm.purchase_models.histories import Histories


@pytest.fixture(scope="module")
def weeks():
    """The customers as the authors counted them, in weeks; the package ships them."""
    folder = Path(find_spec("lifetimes").origin).parent / "datasets"
    table = pd.read_csv(folder / "cdnow_customers_summary_with_transactions.csv")
    return table.rename(columns={"x": "frequency", "t_x": "recency"}).assign(mean_log_gap=0.0)


PUBLISHED = {
    "BG/NBD": ({"r": "0.243", "alpha": "4.414", "a": "0.793", "b": "2.426"}, -9582.4),
    "Pareto/NBD": ({"r": "0.553", "alpha": "10.58", "s": "0.606", "beta": "11.67"}, -9595.0),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_estimates_are_those_of_the_paper(weeks, name):
    parameters, log_likelihood = PUBLISHED[name]
    assert len(weeks) == 2357
    model = fit_purchase_model(name, Histories.of(weeks).grouped()).model
    assert model.log_likelihood == pytest.approx(log_likelihood, abs=0.05)
    for parameter, printed in parameters.items():
        decimals = len(printed.split(".")[1])
        assert f"{model.parameters[parameter]:.{decimals}f}" == printed, parameter


def test_days_and_weeks_are_the_same_model(weeks):
    """Time in days: rates seven times as long; the log-likelihood differs by the change of unit alone."""
    days = weeks.assign(recency=weeks["recency"] * 7, T=weeks["T"] * 7)
    by_weeks, by_days = (fit_purchase_model("BG/NBD", Histories.of(t).grouped()).model for t in (weeks, days))
    assert by_days.parameters["alpha"] == pytest.approx(7 * by_weeks.parameters["alpha"], rel=1e-4)
    change = weeks["frequency"].sum() * np.log(7)
    assert by_days.log_likelihood == pytest.approx(by_weeks.log_likelihood - change, abs=1e-3)


def test_a_customer_of_the_paper(weeks):
    """x = 2, t_x = 30.43, T = 38.86: 1.226 purchases are expected in the next 39 weeks."""
    model = fit_purchase_model("BG/NBD", Histories.of(weeks).grouped()).model
    assert model.expected_purchases(Histories.of(weeks.head(1)), 39.0)[0] == pytest.approx(1.226, abs=5e-4)


def test_spend_is_that_of_the_paper(weeks):
    fit = fit_spend_model(weeks["frequency"], weeks["zbar"], counted="repeat purchase days")
    assert (fit.model.p, fit.model.q, fit.model.v) == pytest.approx((6.25, 3.74, 15.45), abs=0.01)
    assert fit.left_out == {"no repeat purchase day": 1411, "a mean value of zero or below": 0}


def test_often_and_much_hardly_go_together(weeks):
    found = independence(weeks["frequency"].to_numpy(), weeks["zbar"].to_numpy())
    assert found.customers == 946
    assert abs(found.pearson_of_logs.value) < 0.2
