"""When is each customer expected next? By a purchase model whose chances are known."""

import numpy as np
import pandas as pd
import pytest
from unit.analyses.defection.worlds import AS_OF

from crm.analyses.defection.next_purchase import expected_next_purchase, overdue


class Fading:
    """Half of the customers with a T of 100 have bought again after 1 % of it: silence halves every T / 100 days."""

    def chance_of_no_purchase(self, histories, days):
        return 0.5 ** (days / (histories.T / 100))


class SomeHaveLeft(Fading):
    """Three of ten never come back."""

    def chance_of_no_purchase(self, histories, days):
        return 0.3 + 0.7 * super().chance_of_no_purchase(histories, days)


def customers(*half_after):
    return pd.DataFrame(
        {"frequency": 3, "recency": 10.0, "T": [100.0 * days for days in half_after], "mean_log_gap": 1.0},
        index=[f"row {days}" for days in half_after],
    )


def days_ahead(found):
    return [None if pd.isna(date) else (date - pd.Timestamp(AS_OF)).days for date in found]


def test_half_have_bought_by_then():
    """Days looked at are hit on the day, days between are read off a line, never before the true one."""
    table = customers(10, 28, 365, 1.0, 0.2, 9)
    found = expected_next_purchase(table, AS_OF, Fading())
    assert found.index.equals(table.index)
    assert days_ahead(found) == [10, 28, 365, 1, 1, 10]


def test_nobody_after_a_year():
    assert days_ahead(expected_next_purchase(customers(366, 5, 10_000), AS_OF, Fading())) == [None, 5, None]


def test_who_may_have_left_is_expected_later():
    """0.3 + 0.7 x half of the halving = 0.5 where 2 / 7 are left: after 1.807 halvings of 31 days, 56 days."""
    assert days_ahead(expected_next_purchase(customers(31), AS_OF, SomeHaveLeft())) == [pytest.approx(56, abs=1)]


@pytest.mark.parametrize("number", [0, 3])
def test_without_a_model_or_customers_nothing_is_expected(number):
    table = customers(*range(10, 10 + number))
    for model in (None, Fading() if not number else None):
        found = expected_next_purchase(table, AS_OF, model)
        assert len(found) == number
        assert found.isna().all()
        assert found.dtype.kind == "M"


def test_overdue_by_hand():
    """Mean 10 and spread 5: from 17 days on; without a spread nobody is."""
    table = pd.DataFrame(
        {"mean_gap": [10, 10, 10, 10, np.nan], "sd_gap": [5, 5, 0, np.nan, np.nan],
         "days_since_last_purchase": [17, 18, 11, 400, 400]}
    )  # fmt: skip
    assert overdue(table).tolist() == [False, True, True, False, False]
