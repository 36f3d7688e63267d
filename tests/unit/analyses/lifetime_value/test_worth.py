"""What is left of net sales: margins, the cost to serve, and the long run, by hand."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from crm.analyses.lifetime_value.worth import (
    YEAR,
    cost_to_serve,
    long_over_near,
    margin_rates,
    share_of_known_margin,
)
from crm.purchase_models.fitting import model_from_record
from crm.purchase_models.histories import Histories


def cnbd(**parameters):
    """MBG/CNBD-k with these parameters, in days."""
    return model_from_record({"name": "MBG/CNBD-k", "parameters": parameters, "log_likelihood": 0.0})


@pytest.fixture
def customers():
    """Ann buys much at half margin, bob a little of unknown margin, cat nothing in the last year."""
    return pd.DataFrame(
        {
            "net_sales_365d": [1000.0, 200.0, 0.0],
            "margin_known_365d": [500.0, 0.0, 0.0],
            "sales_margin_unknown_365d": [0.0, 200.0, 0.0],
            "returned_365d": [100.0, 0.0, 0.0],
            "cases_365d": [2.0, 0.0, 0.0],
            "campaigns_received_365d": [10.0, 0.0, 5.0],
            "T": [365.0, 100.0, 400.0],
        }
    )


def settings(case=0.0, contact=None):
    money = SimpleNamespace(gross_margin=0.25, service_case_cost=case, contact_cost=contact or {})
    return SimpleNamespace(money=money)


class Tables(set):
    def has(self, name):
        return name in self


def test_a_margin_rate_of_few_sales_is_drawn_to_everybodys(customers):
    everybody, added = 550 / 1200, 400.0  # one mean customer's sales
    rates = margin_rates(customers, gross_margin=0.25)
    assert rates == pytest.approx([(500 + everybody * added) / 1400, (50 + everybody * added) / 600, everybody])
    assert share_of_known_margin(customers) == pytest.approx(1000 / 1200)
    nothing = customers.assign(net_sales_365d=0.0, margin_known_365d=0.0, sales_margin_unknown_365d=0.0)
    assert margin_rates(nothing, gross_margin=0.25) == pytest.approx(0.25)


def test_serving_costs_what_is_known_to_cost(customers):
    expected = np.array([100.0, 100.0, 100.0])
    nothing = cost_to_serve(customers, expected, settings(), Tables(), days=73)
    assert nothing == pytest.approx(0.0)
    cases = cost_to_serve(customers, expected, settings(case=5.0), Tables(), days=73)
    everybody = 2 / (365 + 100 + 365)  # cases a day; of 400 days of being known the last year counts
    drawn = [(own + 91 * everybody) / (seen + 91) for own, seen in ((2, 365), (0, 100), (0, 365))]
    assert cases == pytest.approx([rate * 73 * 5 for rate in drawn])
    contacts = cost_to_serve(customers, expected, settings(contact={"mail": 0.6, "email": 0.1}), Tables(), days=73)
    everybody = 15 / 830
    drawn = [(own + 91 * everybody) / (seen + 91) for own, seen in ((10, 365), (0, 100), (5, 365))]
    assert contacts == pytest.approx([rate * 73 * 0.1 for rate in drawn]), "of unknown channel: the cheapest"
    returns = cost_to_serve(customers, expected, settings(), Tables({"returns"}), days=73)
    rate = margin_rates(customers, gross_margin=0.25)[0]
    assert returns[0] == pytest.approx(100 * rate * (100 + 100 / 1200 * 400) / 1400)


def test_the_long_run_of_customers_who_never_leave_is_an_annuity():
    """With next to no leaving, purchases come evenly: three years are worth the discounted sum of their months."""
    staying = cnbd(k=1, r=50.0, alpha=500.0, a=1e-3, b=1e5)
    histories = Histories(np.array([30]), np.array([295.0]), np.array([300.0]), np.array([2.3]))
    times = long_over_near(staying, histories, near_days=91, long_days=1095, yearly_discount_rate=0.1)
    days = np.arange(1095)
    assert times[0] == pytest.approx((1.1 ** -((days + 0.5) / YEAR)).sum() / 91, rel=2e-3)
    undiscounted = long_over_near(staying, histories, near_days=91, long_days=1095, yearly_discount_rate=0.0)
    assert undiscounted[0] == pytest.approx(1095 / 91, rel=1e-3)


def test_of_somebody_who_is_gone_only_the_near_horizon_counts():
    leaving = cnbd(k=3, r=2.0, alpha=1.0, a=1.0, b=2.0)
    histories = Histories(
        np.array([200, 0]), np.array([200.0, 0.0]), np.array([3000.0, 10.0]), np.array([0.0, np.nan])
    )
    times = long_over_near(leaving, histories, near_days=91, long_days=1095, yearly_discount_rate=0.1)
    assert times[0] == pytest.approx(1.1 ** (-91 / 2 / YEAR))
    assert times[0] < times[1] <= 1095 / 91
